//! The one thread that reads and decodes: packets from the demuxer, pictures to the cascade, sound to its thread.
//!
//! Guarantees: each picture has the time stamp of the source counted from the pass's origin, and lasts until the
//! next one; time stamps go forward. Damage is counted, never hidden.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Packet;
use crate::media::av::packet::rescale;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::pass::clock::Jumps;
use crate::media::pass::clock::Origin;
use crate::media::pass::closed_captions::CaptionFan;
use crate::media::pass::copier::Copied;
use crate::media::pass::copier::Copier;
use crate::media::pass::gpu::decoding::PictureDecoder;
use crate::media::pass::head::Graded;
use crate::media::pass::head::Head;
use crate::media::pass::hold::Hold;
use crate::media::pass::hole::Holes;
use crate::media::pass::rung::Fan;
use crate::media::pass::rung::Picture;
use crate::media::pass::text::Texts;
use crate::media::qc::Opening;
use std::sync::mpsc::SyncSender;

/// Unreadable packets in a row after which the rest of a file counts as lost.
const MAX_BAD_READS: u32 = 200;
/// Sound of one stream is looked for so long after another one is past the end of a clip.
const CLIP_TAIL_S: f64 = 30.0;
/// Silence is put into gaps of sound; what leaps by more than this is a damaged time stamp, and days of silence would be
/// made of it.
const MAX_LEAP_S: f64 = 4.0 * 3600.0;
const OPERATION: &str = "decode";

/// The pictures of a source.
pub struct VideoIn {
    /// Stream in the file.
    pub stream: usize,
    /// Unit of its time stamps.
    pub unit: Ratio,
    /// Where time 0 lies on the clock of what it decodes.
    pub origin: Origin,
    /// Its decoder.
    pub decoder: PictureDecoder,
    /// What is done to each picture.
    pub head: Head,
    /// Unit of the pass.
    pub out_unit: Ratio,
    /// How long a picture lasts when no next one tells, pass units.
    pub usual_duration: i64,
    /// When the next picture is due, where its own time stamp is missing.
    pub next: Option<i64>,
    /// How long the last one stays on.
    pub hold: Hold,
    /// Where SDR pictures go.
    pub sdr: Fan,
    /// Where HDR pictures go.
    pub hdr: Fan,
    /// Where pictures go as they were decoded, before the head.
    pub raw: Fan,
    /// Where captions inside its pictures go.
    pub captions: CaptionFan,
}

/// One stream of sound of a source.
pub struct AudioIn {
    /// Stream in the file.
    pub stream: usize,
    /// The thread that takes its packets; several streams may have the same one.
    pub packets: SyncSender<Packet>,
    /// All packets that are wanted were read.
    pub done: bool,
}

/// What was read and decoded.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Reading {
    /// Its end was reached without one packet before it.
    pub is_empty: bool,
    /// Pictures decoded.
    pub decoded: u64,
    /// Of these, damaged; and packets that gave none, those before the first picture apart.
    pub damaged: u64,
    /// Packets before the first picture that gave none.
    pub undecodable_at_start: u64,
    /// Repeats of a 3:2 pulldown that were left out.
    pub repeats: u64,
    /// Pictures that were of two moments.
    pub deinterlaced: u64,
    /// Pictures handed on.
    pub shown: u64,
    /// First time stamp shown, pass units.
    pub first: Option<i64>,
    /// End of the last picture shown, pass units.
    pub end: i64,
    /// Time stamp of the last picture shown.
    pub last: i64,
    /// End of the latest picture, without pictures of the latest sound, seconds from the origin.
    pub reached_s: f64,
    /// The same, of sound and text too.
    pub heard_s: f64,
    /// Times the head was rebuilt in the middle.
    pub rebuilds: u64,
    /// Jumps of time closed.
    pub jumps: u64,
    /// Places where the demuxer had to find its way again.
    pub resynchronised: u64,
    /// Streams that begin in its middle and go on as none of those before.
    pub late_streams: u64,
    /// Packets of streams that others had gone on in by then.
    pub seam_packets: u64,
    /// The rest of the file could not be read.
    pub lost_rest: bool,
    /// How the stream of pictures begins.
    pub opening: Option<Opening>,
    /// The end of a clip was passed.
    pub past_end: bool,
    /// What is missing in the middle, seconds.
    pub missing_s: f64,
    /// Closed captions are inside the pictures.
    pub has_captions: bool,
    /// What was handed on without being decoded.
    pub copied: Copied,
}

/// A picture that waits for the next one to tell how long it lasts.
struct Pending {
    graded: Graded,
    pts: i64,
    duration: i64,
}

/// What the reader asks and tells while it works.
pub trait Ear {
    /// Asked to stop, or nobody waits for the result any more.
    fn must_end(&self) -> bool;
    /// So far it came.
    fn reached(&mut self, seconds: f64, frames: u64);
}

/// Reads a source.
pub struct Reader<'a> {
    /// The file.
    pub demuxer: &'a mut Demuxer,
    /// Its pictures, if wanted.
    pub video: Option<VideoIn>,
    /// Its sound, as far as it is wanted.
    pub audios: Vec<AudioIn>,
    /// What takes its pictures as they are.
    pub copier: Option<Copier<'a>>,
    /// What becomes time 0.
    pub origin: Origin,
    /// Seconds from the origin where a clip ends.
    pub end_s: Option<f64>,
    /// A clip that begins later than the source: what is before it is left out.
    pub is_clip: bool,
    /// Its text.
    pub texts: Texts<'a>,
    /// What looks for what is missing in its middle.
    pub holes: Option<Holes>,
}

impl Reader<'_> {
    /// Reads to the end of the file or clip.
    pub fn run(&mut self, ear: &mut dyn Ear) -> Result<Reading, Fault> {
        let name = self.demuxer.name().to_owned();
        let mut reading = Reading::default();
        let mut pending = None;
        let answer = self.read_all(ear, &mut reading, &mut pending);
        let answer = answer.and_then(|()| self.finish(&mut reading, &mut pending));
        match answer {
            Ok(()) => Ok(reading),
            Err(refusal) => Err(match self.demuxer.watch().trouble() {
                Some(trouble) => error::source_unreadable("read", &name, trouble),
                None => error::source_refused(OPERATION, &name, &refusal),
            }),
        }
    }

    fn read_all(
        &mut self,
        ear: &mut dyn Ear,
        reading: &mut Reading,
        pending: &mut Option<Pending>,
    ) -> Result<(), AvError> {
        let mut jumps = Jumps::default();
        let may_jump = self.demuxer.may_jump();
        let units: Vec<Ratio> = self.demuxer.streams().map(|stream| stream.time_base()).collect();
        let mut bad_reads = 0;
        let mut is_empty = true;
        let mut latest_s = 0.0_f64;
        let mut video_done = self.video.is_none();
        let mut audio_past_s = 0.0_f64;
        loop {
            // A stream that ended long ago, or has a gap, does not hold up the end of a clip for ever.
            let audio_done = self.audios.iter().all(|audio| audio.done) || audio_past_s > CLIP_TAIL_S;
            let copy_done = self.copier.as_ref().is_none_or(Copier::is_done);
            if ear.must_end() || video_done && audio_done && copy_done {
                break;
            }
            let mut packet = Packet::new()?;
            match self.demuxer.read(&mut packet) {
                Ok(true) => bad_reads = 0,
                Ok(false) => {
                    reading.is_empty = is_empty;
                    break;
                }
                Err(refusal) if self.demuxer.watch().trouble().is_some() || refusal.is_no_memory() => {
                    return Err(refusal);
                }
                Err(_) => {
                    bad_reads += 1;
                    reading.resynchronised += 1;
                    if bad_reads > MAX_BAD_READS {
                        reading.lost_rest = true;
                        break;
                    }
                    continue;
                }
            }
            is_empty = false;
            let stream = packet.stream_index();
            let unit = units.get(stream).copied().unwrap_or(Ratio { num: 1, den: 1 });
            if let Some(holes) = &mut self.holes {
                holes.pass(&packet, unit.value(), || self.demuxer.lost_way() > 0);
            }
            if may_jump {
                jumps.close(&mut packet, unit);
            }
            let micro = crate::media::pass::clock::MICROSECOND;
            let at_s = packet
                .pts()
                .or_else(|| packet.dts())
                .map(|at| self.origin.since(at, unit, micro) as f64 / 1e6);
            let over_s = at_s.map(|at_s| at_s + packet.duration().max(0) as f64 * unit.value());
            let is_sound = self.audios.iter().any(|audio| audio.stream == stream);
            if let Some(at_s) = at_s.filter(|_| is_sound) {
                if at_s > latest_s + MAX_LEAP_S {
                    let why = format!("its time stamps leap from {latest_s:.1} s to {at_s:.1} s");
                    return Err(AvError::unusable("av_read_frame", why));
                }
                latest_s = latest_s.max(at_s);
            }
            if let Some(copier) = self.copier.as_mut().filter(|copier| copier.stream == stream) {
                copier.take(&packet)?;
                reading.copied = copier.copied();
                if self.video.is_none() {
                    reading.past_end = copier.is_done();
                    reading.reached_s = reading.reached_s.max(at_s.unwrap_or(0.0));
                    ear.reached(at_s.unwrap_or(0.0), reading.copied.packets);
                }
            }
            if self.video.as_ref().is_some_and(|video| video.stream == stream) {
                if reading.opening.is_none() {
                    let codec = self.demuxer.stream(stream).and_then(|stream| stream.parameters().ok());
                    let codec = codec.map(|parameters| parameters.codec_name()).unwrap_or_default();
                    reading.opening = Some(Opening::of(&packet, &codec));
                }
                self.decode(Some(&packet), reading, pending)?;
                let last_s = reading.end as f64 * self.video.as_ref().map_or(0.0, |video| video.out_unit.value());
                video_done = reading.past_end;
                ear.reached(last_s, reading.shown);
                reading.reached_s = reading.reached_s.max(last_s);
            } else if let Some(audio) = self.audios.iter_mut().find(|audio| audio.stream == stream) {
                if let Some(past_s) = self.end_s.zip(at_s).map(|(end_s, at_s)| at_s - end_s) {
                    audio.done |= past_s > 1.0;
                    audio_past_s = audio_past_s.max(past_s);
                }
                // A sound thread that gave up has said why elsewhere.
                let _ = audio.packets.send(packet);
                if self.video.is_none() {
                    ear.reached(at_s.unwrap_or(0.0), 0);
                    reading.reached_s = reading.reached_s.max(over_s.unwrap_or(0.0));
                }
            } else {
                self.texts.take(&packet, self.origin);
            }
            if let Some(at_s) = at_s {
                reading.heard_s = reading.heard_s.max(over_s.unwrap_or(at_s));
                self.texts.reached(at_s);
            }
        }
        reading.jumps = jumps.count();
        (reading.late_streams, reading.seam_packets) = self.demuxer.late_streams();
        reading.resynchronised += self.demuxer.lost_way();
        reading.missing_s = self.holes.as_ref().map_or(0.0, Holes::missing_s);
        Ok(())
    }

    /// Decodes what one packet, or the end, brings out.
    fn decode(
        &mut self,
        packet: Option<&Packet>,
        reading: &mut Reading,
        pending: &mut Option<Pending>,
    ) -> Result<(), AvError> {
        let Some(video) = &mut self.video else {
            return Ok(());
        };
        match packet {
            Some(packet) => {
                video.hold.see(packet);
                video.decoder.send(packet)?;
            }
            None => video.decoder.send_end()?,
        }
        let mut ready = Vec::new();
        while let Some(mut frame) = video.decoder.receive()? {
            if reading.decoded == 0 && video.next.is_none() {
                // A recording that begins between two key frames is cut there, not damaged.
                reading.undecodable_at_start = video.decoder.refused_at_start();
            }
            // Renditions are other pictures; what stays in them by chance would be of some only.
            let captions = frame.take_captions();
            // Broken files leave time stamps out; such a frame follows the one before.
            let pts = match frame.best_pts() {
                Some(pts) => video.origin.since(pts, video.unit, video.out_unit),
                None => video.next.unwrap_or(0),
            };
            let fields = 2 + i64::from(frame.repeated_fields());
            video.next = Some(pts + (video.usual_duration * fields + 1) / 2);
            if let Some(constructs) = captions {
                reading.has_captions = true;
                if pts >= 0 || !self.is_clip {
                    video.captions.send(pts, &constructs);
                    self.texts.take_captions(Some((pts, &constructs)))?;
                }
            }
            frame.set_pts(pts);
            if !video.raw.0.is_empty() {
                video.raw.send(&Picture {
                    frame: frame.share()?,
                    pts,
                    duration: video.usual_duration,
                    shape: None,
                })?;
            }
            if video.sdr.0.is_empty() && video.hdr.0.is_empty() {
                // Nobody takes what the head would make; only times are wanted.
                ready.push(Graded {
                    pts: Some(pts),
                    sdr: None,
                    hdr: None,
                    shape: None,
                });
            } else {
                video.head.push(frame, &mut ready)?;
            }
        }
        if packet.is_none() {
            video.head.drain(&mut ready)?;
        }
        reading.decoded = video.decoder.frames();
        reading.has_captions |= video.decoder.has_lost_captions();
        reading.damaged = video.decoder.damaged_frames()
            + video
                .decoder
                .refused_packets()
                .saturating_sub(reading.undecodable_at_start);
        reading.deinterlaced = video.head.deinterlaced();
        reading.repeats = video.head.repeats();
        reading.rebuilds = video.head.rebuilds();
        for frame in ready {
            self.show(frame, reading, pending)?;
        }
        Ok(())
    }

    /// Holds a picture back until the next one says how long it lasts.
    fn show(&mut self, graded: Graded, reading: &mut Reading, pending: &mut Option<Pending>) -> Result<(), AvError> {
        let Some(video) = &self.video else { return Ok(()) };
        let mut pts = graded.pts.unwrap_or(0);
        let end = self.end_s.map(|end_s| (end_s / video.out_unit.value()).round() as i64);
        // Times of a coarse unit are the nearest that there are: a picture so near to an edge of the clip is at it.
        let grain = ((video.unit.value() / video.out_unit.value()).round() as i64).max(1);
        if end.is_some_and(|end| pts + grain > end) {
            // Enough was seen; the reader stops when the last picture before the end is out.
            self.release(pending, end, reading)?;
            reading.past_end = true;
            return Ok(());
        }
        if pts < 0 {
            if self.is_clip {
                // The picture that is on when the clip begins is shown from its beginning.
                *pending = Some(Pending {
                    graded,
                    pts: 0,
                    duration: video.usual_duration,
                });
                return Ok(());
            }
            pts = 0;
        }
        if self.is_clip && pts < grain {
            pts = 0;
        }
        if let Some(before) = pending.as_ref().map(|picture| picture.pts) {
            if pts <= before {
                if self.is_clip && before == 0 && pts == 0 {
                    *pending = None;
                } else {
                    // Two at one time or a step back: the later one follows as closely as the unit allows.
                    pts = before + 1;
                }
            }
            self.release(pending, Some(pts), reading)?;
        }
        *pending = Some(Pending {
            graded,
            pts,
            duration: self.video.as_ref().map_or(0, |video| video.usual_duration),
        });
        Ok(())
    }

    fn release(&self, pending: &mut Option<Pending>, until: Option<i64>, reading: &mut Reading) -> Result<(), AvError> {
        let (Some(mut shown), Some(video)) = (pending.take(), &self.video) else {
            return Ok(());
        };
        if let Some(until) = until {
            shown.duration = (until - shown.pts).max(1);
        }
        reading.first.get_or_insert(shown.pts);
        reading.last = shown.pts;
        reading.end = shown.pts + shown.duration;
        reading.shown += 1;
        for (frame, fan) in [(shown.graded.sdr, &video.sdr), (shown.graded.hdr, &video.hdr)] {
            let Some(mut frame) = frame else { continue };
            frame.set_pts(shown.pts);
            fan.send(&Picture {
                frame,
                pts: shown.pts,
                duration: shown.duration,
                shape: shown.graded.shape,
            })?;
        }
        Ok(())
    }

    fn finish(&mut self, reading: &mut Reading, pending: &mut Option<Pending>) -> Result<(), AvError> {
        self.decode(None, reading, pending)?;
        if let (Some(video), Some(last)) = (&self.video, pending.as_mut())
            && let Some(ticks) = video.hold.ticks()
        {
            last.duration = last.duration.max(rescale(ticks, video.unit, video.out_unit));
        }
        let end = self.video.as_ref().and_then(|video| {
            let end = (self.end_s? / video.out_unit.value()).round() as i64;
            pending
                .as_ref()
                .filter(|picture| picture.pts + picture.duration > end)
                .map(|_| end)
        });
        self.release(pending, end, reading)?;
        if let Some(video) = &self.video {
            reading.reached_s = reading.reached_s.max(reading.end as f64 * video.out_unit.value());
        }
        Ok(())
    }
}
