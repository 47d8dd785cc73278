//! The sound of a pass: each stream is decoded once, laid on the pass's clock once for each rate, then mixed, levelled
//! and encoded once for each distinct encode; copied streams are handed on as they are.
//!
//! Streams that end up in one encode share a thread, others have threads of their own, each with one bounded queue that
//! is always emptied: however badly a file is interleaved, nothing waits for anything but room.
//!
//! Guarantees: what comes out does not lag what went in by a sample; damage is counted. Deliberately absent: which
//! tracks are taken, which the plan decides.

mod copy;
mod encoder;
mod expected;
mod lane;
mod level;
mod limiter;
mod measure;
mod mix;
mod stages;
mod track;

pub use copy::CopyTrack;
pub use encoder::SoundMaker;
pub use level::Gain;
pub use measure::Measured;
pub use track::SoundTrack;

use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Packet;
use crate::media::facts::Ratio;
use crate::media::loudness::Loudness;
use crate::media::pass::clock::MICROSECOND;
use crate::media::pass::clock::Origin;
use crate::media::pass::inspect::Inspection;
use crate::media::pass::sound::lane::Lane;
use crate::media::product::LoudnessSeries;
use std::sync::mpsc::Receiver;

/// Packets waiting for a sound thread.
pub const QUEUE: usize = 256;

/// One stream of the source.
pub struct SoundIn {
    /// Stream in the file.
    pub stream: usize,
    /// Unit of its time stamps.
    pub unit: Ratio,
    /// Its decoder; none: it is only copied.
    pub decoder: Option<Decoder>,
    /// Bits of a sample where it is lossless.
    pub bits: Option<u32>,
    /// What its encoder put before its beginning, seconds.
    pub padding_s: f64,
}

/// What came of one encode.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackSummary {
    /// Of the encode in the plan.
    pub number: usize,
    /// Where it begins, seconds from the origin.
    pub first_s: f64,
    /// Where it ends.
    pub end_s: f64,
    /// What was measured of it; none: it was copied, or sounds like one that was.
    pub loudness: Option<Loudness>,
    /// The same over its length.
    pub series: Option<LoudnessSeries>,
    /// Most that its limiter turned down, dB.
    pub limited_db: f64,
}

/// What came of the sound.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SoundSummary {
    /// Packets taken.
    pub packets: u64,
    /// Frames decoded, packets copied.
    pub frames: u64,
    /// Packets that gave nothing.
    pub refused_packets: u64,
    /// Of the bytes of the stream that most is lost of, those in such packets, per cent.
    pub refused_percent: f64,
    /// Most silence put in, sound cut or stretched to keep step in any stream, seconds.
    pub moved_s: f64,
    /// Streams of which nothing could be decoded.
    pub empty_streams: Vec<usize>,
    /// Each encode.
    pub tracks: Vec<TrackSummary>,
}

impl SoundSummary {
    /// Adds what another thread did.
    pub fn add(&mut self, other: SoundSummary) {
        self.packets += other.packets;
        self.frames += other.frames;
        self.refused_packets += other.refused_packets;
        self.refused_percent = self.refused_percent.max(other.refused_percent);
        self.moved_s = self.moved_s.max(other.moved_s);
        self.empty_streams.extend(other.empty_streams);
        self.tracks.extend(other.tracks);
    }
}

/// Time of the pass, as sound needs it.
#[derive(Debug, Clone, Copy)]
pub struct SoundTime {
    /// What becomes time 0.
    pub origin: Origin,
    /// Where a clip ends, seconds.
    pub end_s: Option<f64>,
    /// Length that is expected, seconds: a stream without any sound is as long.
    pub expected_s: Option<f64>,
}

/// Streams that belong together, and all that is made of them.
pub struct SoundStage<'a> {
    time: SoundTime,
    streams: Vec<SoundIn>,
    /// Bytes read of each, and those of packets that its decoder refused.
    weights: Vec<(usize, usize)>,
    lanes: Vec<Lane>,
    tracks: Vec<SoundTrack<'a>>,
    copies: Vec<CopyTrack<'a>>,
    /// Who hears the sound of one stream as it was decoded.
    listeners: Option<(usize, &'a [Inspection])>,
    summary: SoundSummary,
}

impl<'a> SoundStage<'a> {
    /// With its streams and nothing made of them.
    pub fn new(time: SoundTime, streams: Vec<SoundIn>) -> Self {
        SoundStage {
            time,
            weights: vec![(0, 0); streams.len()],
            streams,
            lanes: Vec::new(),
            tracks: Vec::new(),
            copies: Vec::new(),
            listeners: None,
            summary: SoundSummary::default(),
        }
    }

    /// Streams of the file that it takes.
    pub fn streams(&self) -> impl Iterator<Item = usize> + '_ {
        self.streams.iter().map(|stream| stream.stream)
    }

    /// The lane of a stream at a rate.
    pub fn lane(&mut self, stream: usize, rate_hz: u32) -> usize {
        let known = self
            .lanes
            .iter()
            .position(|lane| lane.stream == stream && lane.rate_hz == rate_hz);
        known.unwrap_or_else(|| {
            let unit = self.streams.iter().find(|input| input.stream == stream);
            let time = unit.map_or((Ratio { num: 1, den: 1 }, 0.0), |input| (input.unit, input.padding_s));
            self.lanes.push(Lane::new(stream, time, rate_hz, self.time.end_s));
            self.lanes.len() - 1
        })
    }

    /// Lets inspections hear one stream.
    pub fn listen(&mut self, stream: usize, inspections: &'a [Inspection]) {
        self.listeners = Some((stream, inspections));
    }

    /// Adds an encode.
    pub fn add_track(&mut self, track: SoundTrack<'a>) {
        self.tracks.push(track);
    }

    /// Adds a copied track.
    pub fn add_copy(&mut self, copy: CopyTrack<'a>) {
        self.copies.push(copy);
    }

    /// Takes a packet of one of its streams.
    pub fn take(&mut self, packet: &Packet) -> Result<(), AvError> {
        let stream = packet.stream_index();
        self.summary.packets += 1;
        for copy in self.copies.iter_mut().filter(|copy| copy.stream == stream) {
            self.summary.frames += 1;
            copy.take(packet)?;
        }
        let Some(at) = self.streams.iter().position(|input| input.stream == stream) else {
            return Ok(());
        };
        let refused = |input: &SoundIn| input.decoder.as_ref().map_or(0, Decoder::refused_packets);
        let before = refused(&self.streams[at]);
        if let Some(decoder) = &mut self.streams[at].decoder {
            decoder.send(packet)?;
        }
        let answer = self.decode(at);
        let weight = &mut self.weights[at];
        weight.0 += packet.size_bytes();
        if refused(&self.streams[at]) > before {
            weight.1 += packet.size_bytes();
        }
        answer
    }

    fn decode(&mut self, at: usize) -> Result<(), AvError> {
        let SoundStage {
            time,
            streams,
            lanes,
            tracks,
            listeners,
            summary,
            ..
        } = self;
        let input = &mut streams[at];
        let Some(decoder) = &mut input.decoder else {
            return Ok(());
        };
        while let Some(frame) = decoder.receive()? {
            summary.frames += 1;
            let pts = frame.best_pts();
            if let Some((_, inspections)) = listeners.filter(|(stream, _)| *stream == input.stream) {
                let at_s = pts.map(|pts| time.origin.since(pts, input.unit, MICROSECOND) as f64 / 1e6);
                inspections.iter().for_each(|inspection| inspection.hear(&frame, at_s));
            }
            for (number, lane) in lanes.iter_mut().enumerate() {
                if lane.stream != input.stream {
                    continue;
                }
                let is_resampled = frame.sound()?.rate_hz != lane.rate_hz;
                lane.follows(decoder.source_number());
                lane.take(&frame, pts, time.origin, &mut |piece| {
                    for track in tracks.iter_mut().filter(|track| track.is_wanted()) {
                        track.comes_from(input.bits, is_resampled);
                        track.take(number, &piece);
                    }
                })?;
            }
        }
        Ok(())
    }

    /// No more packets: what was measured of each encode, by its number, with the loudness before each full second.
    pub fn measured(mut self) -> Result<Vec<(usize, Loudness, Vec<f32>)>, AvError> {
        self.drain()?;
        let finished = self.tracks.iter_mut().map(|track| {
            track.finish(true);
            Some((track.number, track.loudness()?, track.level().history().to_vec()))
        });
        Ok(finished.flatten().collect())
    }

    /// What decoders and lanes still hold.
    fn drain(&mut self) -> Result<(), AvError> {
        for at in 0..self.streams.len() {
            if let Some(decoder) = &mut self.streams[at].decoder {
                decoder.send_end()?;
            }
            self.decode(at)?;
        }
        let tracks = &mut self.tracks;
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            lane.finish(&mut |piece| {
                for track in tracks.iter_mut().filter(|track| track.is_wanted()) {
                    track.take(number, &piece);
                }
            })?;
        }
        Ok(())
    }

    /// No more packets: everything inside comes out. `whole`: the pass went well, so that nothing is finished in vain.
    pub fn finish(mut self, whole: bool, reached_s: f64) -> Result<SoundSummary, AvError> {
        self.drain()?;
        let SoundStage {
            time,
            streams,
            weights,
            mut lanes,
            mut tracks,
            copies,
            mut summary,
            ..
        } = self;
        for (bytes, refused) in weights {
            let percent = refused as f64 * 100.0 / bytes.max(1) as f64;
            summary.refused_percent = summary.refused_percent.max(percent);
        }
        for input in &streams {
            if let Some(decoder) = &input.decoder {
                summary.refused_packets += decoder.refused_packets();
                if decoder.frames() == 0 {
                    summary.empty_streams.push(input.stream);
                }
            }
        }
        for (number, lane) in lanes.iter_mut().enumerate() {
            let is_empty = summary.empty_streams.contains(&lane.stream);
            // What a damaged file declares may be days; so much of it was really read.
            let expected_s = time.end_s.or(time.expected_s).unwrap_or(1.0).min(reached_s);
            let until = (expected_s * f64::from(lane.rate_hz)).round() as i64;
            let mut sink = |piece: lane::Piece<'_>| {
                for track in tracks.iter_mut().filter(|track| track.is_wanted()) {
                    track.take(number, &piece);
                }
            };
            if is_empty && whole {
                // A track that the file declares and does not fill is silent, not missing.
                lane.fill_up(until, &mut sink);
            }
            summary.moved_s = summary.moved_s.max(lane.moved_s());
        }
        for track in &mut tracks {
            track.finish(whole);
            summary.tracks.push(TrackSummary {
                number: track.number,
                first_s: 0.0,
                end_s: track.end_s(),
                loudness: track.loudness(),
                series: track.level().series(),
                limited_db: track.level().limited_db(),
            });
        }
        for copy in &copies {
            let (first_s, end_s) = copy.finish(whole);
            summary.tracks.push(TrackSummary {
                number: copy.number,
                first_s,
                end_s,
                loudness: None,
                series: None,
                limited_db: 0.0,
            });
        }
        Ok(summary)
    }
}

/// Runs a stage until its packets end.
pub fn run(
    mut stage: SoundStage<'_>,
    packets: Receiver<Packet>,
    whole: &(dyn Fn() -> bool + Sync),
    reached_s: &(dyn Fn() -> f64 + Sync),
) -> Result<SoundSummary, AvError> {
    for packet in packets {
        stage.take(&packet)?;
    }
    stage.finish(whole(), reached_s())
}
