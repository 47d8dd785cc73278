//! One rendition in its own thread: scale, hand on to the smaller ones it feeds, encode, write.
//!
//! Guarantees: what is handed on does not wait for the encoder here; a failed encoder fails its outputs, and
//! pictures go on flowing to the smaller renditions.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Dict;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Scaler;
use crate::media::av::encode::VideoSetup;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::pass::clock::KeyClock;
use crate::media::pass::clock::Pacer;
use crate::media::pass::clock::exact_rate;
use crate::media::pass::clock::output_unit;
use crate::media::pass::grade::Grade;
use crate::media::pass::output::Health;
use crate::media::pass::output::Output;
use crate::media::pass::output::TrackId;
use crate::media::pass::plan::VideoEncode;
use crate::media::quality::Sampler;
use crate::media::spec::RateControl;
use crate::media::spec::VideoSpec;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;

/// Memory of the pictures that wait in front of one rendition, where more than the fewest fit.
const WAITING_BYTES: u64 = 8 << 20;
/// Fewest and most of them: encoders work in bursts, and a thread that finds nothing waiting leaves a core idle.
const WAITING: (u64, u64) = (2, 6);
/// No key frame but the forced ones.
const NO_GOP_LIMIT: u32 = 1 << 30;

/// One picture on its way through the pass.
#[derive(Debug)]
pub struct Picture {
    /// Pixels.
    pub frame: Frame,
    /// When it is shown, in the pass's unit, from the pass's origin.
    pub pts: i64,
    /// For how long.
    pub duration: i64,
}

impl Picture {
    fn share(&self) -> Result<Picture, AvError> {
        Ok(Picture {
            frame: self.frame.share()?,
            ..*self
        })
    }
}

/// How many pictures of this size may wait in front of a rendition.
pub fn waiting(width: u32, height: u32) -> usize {
    let picture_bytes = u64::from(width.max(1)) * u64::from(height.max(1)) * 3 / 2;
    (WAITING_BYTES / picture_bytes.max(1)).clamp(WAITING.0, WAITING.1) as usize
}

/// Where pictures go from one place.
#[derive(Debug, Default)]
pub struct Fan(pub Vec<SyncSender<Picture>>);

impl Fan {
    /// Sends a picture to all; who does not listen any more is passed over.
    pub fn send(&self, picture: &Picture) -> Result<(), AvError> {
        for sender in &self.0 {
            let _ = sender.send(picture.share()?);
        }
        Ok(())
    }
}

/// The encoder of a rendition with its timing.
#[derive(Debug)]
pub struct VideoTrack {
    encoder: Encoder,
    unit: Ratio,
    rate: Ratio,
    slot_ticks: Option<i64>,
    pacer: Option<Pacer>,
    keys: KeyClock,
    sampler: Option<Sampler>,
}

impl VideoTrack {
    /// Opens the encoder. `unit` is the pass's, `source_rate` the source's nominal frame rate.
    pub fn open(
        encode: &VideoEncode,
        unit: Ratio,
        source_rate: Ratio,
        grade: &Grade,
        threads: u32,
    ) -> Result<Self, Fault> {
        let refused = |refusal: AvError| error::output_refused("open the encoder", &encode.name, &refusal);
        let (rate, own_unit, slot_ticks) = match encode.spec.fps {
            None => (source_rate, unit, None),
            Some(fps) => {
                let rate = exact_rate(fps);
                let own = output_unit(Ratio {
                    num: rate.den,
                    den: rate.num,
                });
                (rate, own, Some(i64::from(own.den / rate.num) * i64::from(rate.den)))
            }
        };
        let setup = VideoSetup {
            encoder: "libx264",
            width: encode.width,
            height: encode.height,
            format: grade.format,
            time_base: own_unit,
            frame_rate: rate,
            color: grade.color,
            threads,
            gop_frames: NO_GOP_LIMIT,
            bframes: Some(encode.spec.bframes_in_a_row()),
        };
        let options = options(&encode.spec).map_err(refused)?;
        let encoder = Encoder::video(&setup, options).map_err(refused)?;
        Ok(VideoTrack {
            encoder,
            unit: own_unit,
            rate,
            slot_ticks,
            pacer: slot_ticks.map(|_| Pacer::new(rate, unit)),
            keys: KeyClock::new(encode.spec.gop_s, own_unit),
            sampler: None,
        })
    }

    /// The same, compared with what goes into it.
    pub fn followed_by(self, sampler: Sampler) -> Self {
        VideoTrack {
            sampler: Some(sampler),
            ..self
        }
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }
    /// Unit of its packets.
    pub fn unit(&self) -> Ratio {
        self.unit
    }
    /// Nominal frames a second.
    pub fn rate(&self) -> Ratio {
        self.rate
    }

    fn encode(&mut self, picture: &Picture, outputs: &Outputs<'_>) -> Result<(), AvError> {
        match (&mut self.pacer, self.slot_ticks) {
            (Some(pacer), Some(ticks)) => {
                for slot in pacer.slots(picture.pts, picture.duration) {
                    self.send(&picture.frame, slot * ticks, ticks)?;
                    self.drain(outputs)?;
                }
                Ok(())
            }
            _ => {
                self.send(&picture.frame, picture.pts, picture.duration)?;
                self.drain(outputs)
            }
        }
    }

    fn send(&mut self, frame: &Frame, pts: i64, duration: i64) -> Result<(), AvError> {
        let mut frame = frame.share()?;
        frame.set_pts(pts);
        frame.ask_key(self.keys.begins(pts, duration));
        if let Some(sampler) = &mut self.sampler {
            sampler.offer(&frame, pts);
        }
        self.encoder.send(&frame, duration)
    }

    fn drain(&mut self, outputs: &Outputs<'_>) -> Result<(), AvError> {
        while let Some(packet) = self.encoder.receive()? {
            if let Some(sampler) = &mut self.sampler {
                sampler.packet(&packet);
            }
            for output in outputs.all {
                output.write(TrackId::Video, packet.share()?, outputs.health);
            }
        }
        Ok(())
    }
}

/// The outputs an encoder writes to.
#[derive(Debug, Clone, Copy)]
pub struct Outputs<'a> {
    /// All of them.
    pub all: &'a [&'a Output],
    /// Whether anybody waits for them.
    pub health: &'a Health,
}

impl Outputs<'_> {
    /// Whether any is worth encoding for.
    pub fn are_wanted(&self) -> bool {
        self.all.iter().any(|output| output.is_wanted(self.health))
    }
    /// Fails all.
    pub fn fail(&self, fault: &Fault) {
        for output in self.all {
            output.fail(fault.clone(), self.health);
        }
    }
    /// Ends one track of all.
    pub fn end_track(&self) {
        for output in self.all {
            output.end_track(self.health);
        }
    }
}

/// Runs one rendition until the pictures end. `whole` tells at the end whether the pass ended well, so that
/// nothing is finished in vain.
pub fn run(
    encode: &VideoEncode,
    grade: Grade,
    track: Option<VideoTrack>,
    pictures: Receiver<Picture>,
    smaller: Fan,
    outputs: Outputs<'_>,
    whole: &(dyn Fn() -> bool + Sync),
) {
    let answer = scale_and_encode(encode, grade, track, pictures, smaller, outputs, whole);
    match answer {
        Ok(()) if whole() => outputs.end_track(),
        Ok(()) => {}
        Err(refusal) => outputs.fail(&error::output_refused("encode", &encode.name, &refusal)),
    }
}

fn scale_and_encode(
    encode: &VideoEncode,
    grade: Grade,
    mut track: Option<VideoTrack>,
    pictures: Receiver<Picture>,
    smaller: Fan,
    outputs: Outputs<'_>,
    whole: &(dyn Fn() -> bool + Sync),
) -> Result<(), AvError> {
    let mut scaler = Scaler::new(
        grade.format,
        encode.width,
        encode.height,
        crate::media::av::scale::Filter::Bicubic,
    )?
    .in_range(grade.color.range);
    for picture in pictures {
        let wanted = track.is_some() && outputs.are_wanted();
        if !wanted && smaller.0.is_empty() {
            continue;
        }
        let scaled = Picture {
            frame: scaler.run(&picture.frame)?,
            ..picture
        };
        smaller.send(&scaled)?;
        if let Some(encoding) = track.as_mut().filter(|_| wanted)
            && let Err(refusal) = encoding.encode(&scaled, &outputs)
        {
            outputs.fail(&error::output_refused("encode", &encode.name, &refusal));
            track = None;
        }
    }
    // The smaller ones learn of the end now, so that all encoders empty themselves side by side.
    drop(smaller);
    if let Some(track) = track.as_mut().filter(|_| outputs.are_wanted() && whole()) {
        track.encoder.send_end()?;
        track.drain(&outputs)?;
        if let Some(sampler) = track.sampler.take() {
            sampler.end();
        }
    }
    Ok(())
}

/// x264's options for a spec.
fn options(spec: &VideoSpec) -> Result<Dict, AvError> {
    let mut options = Dict::new();
    options.set("preset", &spec.preset)?;
    if let Some(profile) = &spec.profile {
        options.set("profile", profile)?;
    }
    options.set("forced-idr", "1")?;
    options.set("sc_threshold", "0")?;
    // A thread of its own for looking ahead keeps some ten more frames; the encoder's threads overlap enough.
    options.set("x264-params", "sync-lookahead=0")?;
    let kbps = |value: u32| (u64::from(value) * 1000).to_string();
    let bitrate = spec.bitrate_kbps.unwrap_or(2000);
    match spec.rate {
        RateControl::Cbr => {
            options.set("b", &kbps(bitrate))?;
            options.set("maxrate", &kbps(bitrate))?;
            options.set("minrate", &kbps(bitrate))?;
            options.set("bufsize", &kbps(spec.bufsize_kbps.unwrap_or(bitrate)))?;
            options.set("nal-hrd", "cbr")?;
        }
        RateControl::Vbr => {
            options.set("b", &kbps(bitrate))?;
            if let Some(most) = spec.max_bitrate_kbps {
                options.set("maxrate", &kbps(most))?;
                options.set("bufsize", &kbps(spec.bufsize_kbps.unwrap_or(most.saturating_mul(2))))?;
            }
        }
        RateControl::Crf => {
            options.set("crf", &spec.crf.unwrap_or(23.0).to_string())?;
            if let Some(most) = spec.max_bitrate_kbps {
                options.set("maxrate", &kbps(most))?;
                options.set("bufsize", &kbps(spec.bufsize_kbps.unwrap_or(most.saturating_mul(2))))?;
            }
        }
    }
    Ok(options)
}
