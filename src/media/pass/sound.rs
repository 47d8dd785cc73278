//! The sound of a pass in its own thread: decode once, then resample and encode once for each distinct encode.
//!
//! Guarantees: sample n of an encode is heard n / rate seconds after the pass's origin: gaps become silence,
//! overlaps are cut, and what is before the origin is left out. Deliberately absent: stretching.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Dict;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::Resampler;
use crate::media::av::sound::Sound;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::pass::clock::MICROSECOND;
use crate::media::pass::clock::Origin;
use crate::media::pass::inspect::Inspection;
use crate::media::pass::output::TrackId;
use crate::media::pass::plan::AudioEncode;
use crate::media::pass::rung::Outputs;
use std::sync::mpsc::Receiver;

/// Packets waiting for the sound thread.
pub const QUEUE: usize = 256;
/// Time stamps may wobble by this; beyond, sound is moved to where they say.
const TOLERANCE_S: f64 = 0.03;
/// Silence is made in pieces of so many samples.
const SILENCE_SAMPLES: i64 = 8192;

/// One encode.
pub struct SoundTrack<'a> {
    name: String,
    /// Of the encode in the plan.
    number: usize,
    rate_hz: u32,
    channels: u32,
    encoder: Encoder,
    resampler: Option<Resampler>,
    waiting: Vec<Vec<f32>>,
    /// Samples that went into `waiting` since the beginning.
    written: i64,
    /// Samples the encoder got.
    encoded: i64,
    /// First sample not wanted any more.
    end: i64,
    outputs: Outputs<'a>,
    failed: bool,
}

/// What came of the sound.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoundSummary {
    /// Frames decoded.
    pub frames: u64,
    /// Packets that gave nothing.
    pub refused_packets: u64,
    /// Where the sound ends, seconds from the origin.
    pub end_s: f64,
    /// Silence put in and sound cut to keep step, seconds.
    pub moved_s: f64,
}

/// Opens the encoder of one encode.
pub fn open_encoder(encode: &AudioEncode) -> Result<Encoder, Fault> {
    let sound = Sound::float_planar(encode.rate_hz, encode.channels);
    let bitrate = u64::from(encode.spec.bitrate_kbps) * 1000;
    Encoder::audio("aac", &sound, bitrate, Dict::new())
        .map_err(|refusal| error::output_refused("open the encoder", "audio", &refusal))
}

impl<'a> SoundTrack<'a> {
    /// Encode `number` of the plan, which feeds outputs, up to `end_s` seconds if a clip says so.
    pub fn new(
        number: usize,
        encode: &AudioEncode,
        encoder: Encoder,
        end_s: Option<f64>,
        outputs: Outputs<'a>,
    ) -> Self {
        SoundTrack {
            number,
            name: format!("audio {} kbit/s", encode.spec.bitrate_kbps),
            rate_hz: encode.rate_hz,
            channels: encode.channels,
            encoder,
            resampler: None,
            waiting: vec![Vec::new(); encode.channels as usize],
            written: 0,
            encoded: 0,
            end: end_s.map_or(i64::MAX, |end_s| (end_s * f64::from(encode.rate_hz)).round() as i64),
            outputs,
            failed: false,
        }
    }

    /// Takes decoded sound that is heard from `time` (in units of `unit`) on; answers the seconds it was moved.
    fn take(&mut self, frame: &Frame, time: Option<i64>, unit: Ratio, origin: Origin) -> Result<f64, AvError> {
        let sound = frame.sound()?;
        if self.resampler.as_ref().is_none_or(|resampler| !resampler.takes(&sound)) {
            self.empty_resampler()?;
            let to = Sound::float_planar(self.rate_hz, self.channels);
            self.resampler = Some(Resampler::open(sound, to)?);
        }
        let rate = Ratio {
            num: 1,
            den: self.rate_hz as i32,
        };
        let delay = self.resampler.as_ref().map_or(0, Resampler::delay);
        let expected = self.written + delay;
        let at = time.map_or(expected, |time| origin.since(time, unit, rate));
        let step = at - expected;
        let tolerance = if self.written == 0 {
            0
        } else {
            (TOLERANCE_S * f64::from(self.rate_hz)) as i64
        };
        let mut skip = 0;
        let mut moved_s = 0.0;
        if step.abs() > tolerance {
            if self.written > 0 {
                moved_s = step.abs() as f64 / f64::from(self.rate_hz);
            }
            if step > 0 {
                self.silence(step)?;
            } else {
                skip = -step;
            }
        }
        if let Some(resampler) = &mut self.resampler
            && let Some(converted) = resampler.run(Some(frame))?
        {
            self.append(&converted, skip);
        }
        self.encode(false)?;
        Ok(moved_s)
    }

    fn empty_resampler(&mut self) -> Result<(), AvError> {
        if let Some(mut resampler) = self.resampler.take()
            && let Some(rest) = resampler.run(None)?
        {
            self.append(&rest, 0);
        }
        Ok(())
    }

    fn append(&mut self, frame: &Frame, skip: i64) {
        let skip = usize::try_from(skip).unwrap_or(0).min(frame.samples());
        let room = usize::try_from(self.end.saturating_sub(self.written).max(0)).unwrap_or(usize::MAX);
        let taken = (frame.samples() - skip).min(room);
        for (channel, waiting) in self.waiting.iter_mut().enumerate() {
            if let Some(samples) = frame.channel(channel) {
                waiting.extend_from_slice(&samples[skip..skip + taken]);
            }
        }
        self.written += taken as i64;
    }

    fn silence(&mut self, samples: i64) -> Result<(), AvError> {
        let mut left = samples.min(self.end.saturating_sub(self.written));
        while left > 0 {
            let piece = left.min(SILENCE_SAMPLES);
            for waiting in &mut self.waiting {
                waiting.resize(waiting.len() + piece as usize, 0.0);
            }
            self.written += piece;
            left -= piece;
            self.encode(false)?;
        }
        Ok(())
    }

    fn encode(&mut self, all: bool) -> Result<(), AvError> {
        let frame_size = self.encoder.frame_size().max(1);
        let mut done = 0;
        let waiting = self.waiting.first().map_or(0, Vec::len);
        while waiting - done >= frame_size || (all && waiting > done) {
            let count = frame_size.min(waiting - done);
            let mut frame = Frame::silence(&Sound::float_planar(self.rate_hz, self.channels), count)?;
            for (channel, samples) in self.waiting.iter().enumerate() {
                if let Some(place) = frame.channel_mut(channel) {
                    place.copy_from_slice(&samples[done..done + count]);
                }
            }
            frame.set_pts(self.encoded);
            self.encoder.send(&frame, 0)?;
            self.encoded += count as i64;
            done += count;
            self.drain()?;
        }
        for samples in &mut self.waiting {
            samples.drain(..done);
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), AvError> {
        while let Some(packet) = self.encoder.receive()? {
            for output in self.outputs.all {
                output.write(TrackId::Audio(self.number), packet.share()?, self.outputs.health);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), AvError> {
        self.empty_resampler()?;
        self.encode(true)?;
        self.encoder.send_end()?;
        self.drain()
    }

    fn guard(&mut self, answer: Result<(), AvError>) {
        if let Err(refusal) = answer {
            self.failed = true;
            self.outputs
                .fail(&error::output_refused("encode", &self.name, &refusal));
        }
    }
}

/// Runs the sound of a pass until its packets end.
pub fn run(
    mut decoder: Decoder,
    unit: Ratio,
    origin: Origin,
    packets: Receiver<Packet>,
    mut tracks: Vec<SoundTrack<'_>>,
    inspections: &[Inspection],
    whole: &(dyn Fn() -> bool + Sync),
) -> Result<SoundSummary, AvError> {
    let mut summary = SoundSummary::default();
    let mut decode = |decoder: &mut Decoder, tracks: &mut Vec<SoundTrack<'_>>| -> Result<(), AvError> {
        while let Some(frame) = decoder.receive()? {
            summary.frames += 1;
            let time = frame.best_pts();
            for inspection in inspections {
                inspection.hear(
                    &frame,
                    time.map(|time| origin.since(time, unit, MICROSECOND) as f64 / 1e6),
                );
            }
            for track in tracks.iter_mut() {
                if track.failed || !track.outputs.are_wanted() {
                    continue;
                }
                match track.take(&frame, time, unit, origin) {
                    Ok(moved_s) => summary.moved_s += moved_s,
                    Err(refusal) => track.guard(Err(refusal)),
                }
            }
        }
        Ok(())
    };
    for packet in packets {
        decoder.send(&packet)?;
        decode(&mut decoder, &mut tracks)?;
    }
    decoder.send_end()?;
    decode(&mut decoder, &mut tracks)?;
    summary.refused_packets = decoder.refused_packets();
    for track in &mut tracks {
        if !track.failed && track.outputs.are_wanted() && whole() {
            let answer = track.finish();
            track.guard(answer);
        }
        summary.end_s = summary.end_s.max(track.written as f64 / f64::from(track.rate_hz));
        if whole() {
            track.outputs.end_track();
        }
    }
    Ok(summary)
}
