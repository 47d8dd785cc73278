//! The encoder of one rendition with its timing and key frames.
//!
//! Guarantees: key frames stand where the clock of the pass wants them, whatever the encoder can be asked for; of two
//! readings of a source, the second finds what the first learned or a fault that says why not. Deliberately absent:
//! scaling and threads.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::encode::VideoSetup;
use crate::media::cuda::Gpu;
use crate::media::encoding;
use crate::media::encoding::Engine;
use crate::media::encoding::KeyFrames;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::overlay::Drawing;
use crate::media::pass::clock::KeyClock;
use crate::media::pass::clock::Pacer;
use crate::media::pass::clock::output_unit;
use crate::media::pass::grade::Grade;
use crate::media::pass::output::TrackId;
use crate::media::pass::plan::VideoEncode;
use crate::media::pass::rung::Outputs;
use crate::media::pass::rung::Picture;
use crate::media::quality::Sampler;
use crate::media::spec::VideoSpec;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// No key frame but the forced ones.
const NO_GOP_LIMIT: u32 = 1 << 30;
/// The same for encoders that keep a number for every frame of a GOP, or know no more.
const LONGEST_GOP: u32 = 1 << 20;
/// libav's MPEG-2 encoder takes no more.
const LONGEST_MPEG2_GOP: u32 = 600;

/// Which reading of the source an encoder is opened for.
#[derive(Debug, Clone, Default)]
pub enum Turn {
    /// The only one.
    #[default]
    Only,
    /// The first of two: what it learns goes to this file, why it could not into the slot.
    First(PathBuf, Arc<Mutex<Option<Fault>>>),
    /// The second, which reads that file.
    Second(PathBuf),
}

/// What opening a track needs beside its plan.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The pass's unit.
    pub unit: Ratio,
    /// The source's nominal frame rate.
    pub source_rate: Ratio,
    /// What kind of pictures it is fed with.
    pub grade: Grade,
    /// Threads of the encoder's own.
    pub threads: u32,
    /// Which reading of the source.
    pub turn: Turn,
    /// The device whose encoder it is; none: one in software.
    pub gpu: Option<Arc<Gpu>>,
}

/// Everything needed to open the encoder, once or again.
#[derive(Debug)]
struct Recipe {
    engine: Engine,
    spec: VideoSpec,
    setup: VideoSetup<'static>,
    hdr: HdrMetadata,
    turn: Turn,
    statistics: Option<String>,
}

impl Recipe {
    fn open(&self) -> Result<Encoder, AvError> {
        let options = encoding::options(&encoding::Wanted {
            engine: self.engine,
            spec: &self.spec,
            width: self.setup.width,
            threads: self.setup.threads,
            hdr: &self.hdr,
            reading: match &self.turn {
                Turn::Only => encoding::Reading::Only,
                Turn::First(path, _) => encoding::Reading::First(path),
                Turn::Second(path) => encoding::Reading::Second(path),
            },
        })?;
        Encoder::video_with_statistics(&self.setup, options, self.statistics.as_deref())
    }
}

/// The encoder of a rendition with its timing.
#[derive(Debug)]
pub struct VideoTrack {
    recipe: Recipe,
    encoder: Encoder,
    unit: Ratio,
    rate: Ratio,
    slot_ticks: Option<i64>,
    pacer: Option<Pacer>,
    key_frames: KeyFrames,
    keys: KeyClock,
    has_begun: bool,
    learned: String,
    drawing: Option<Drawing>,
    sampler: Option<Sampler>,
}

impl VideoTrack {
    /// Opens the encoder.
    pub fn open(encode: &VideoEncode, opening: &Opening) -> Result<Self, Fault> {
        let refused = |refusal: AvError| error::output_refused("open the encoder", &encode.name, &refusal);
        let spec = &encode.spec;
        let engine = Engine::find(spec.codec, &encode.name)?;
        let timing = Timing::of(engine, spec, opening);
        let key_frames = engine.key_frames(spec);
        let setup = VideoSetup {
            encoder: engine.name(),
            width: encode.width,
            height: encode.height,
            format: opening.grade.format,
            time_base: timing.unit,
            frame_rate: timing.rate,
            color: opening.grade.color,
            threads: opening.threads,
            gop_frames: match (key_frames, engine) {
                (KeyFrames::Counted(frames), _) => frames,
                (KeyFrames::Every, _) => 0,
                (_, Engine::Mpeg2) => LONGEST_MPEG2_GOP,
                (_, Engine::SvtAv1 | Engine::Aom) => LONGEST_GOP,
                _ => NO_GOP_LIMIT,
            },
            bframes: spec.codec.has_bframes().then(|| spec.bframes_in_a_row()),
            usual_duration: matches!(engine, Engine::Vpx | Engine::Aom)
                .then(|| (1.0 / timing.rate.value() / timing.unit.value()).round().max(1.0) as u32),
        };
        let statistics = match &opening.turn {
            Turn::Second(path) if !engine.keeps_statistics() => Some(
                std::fs::read_to_string(path)
                    .map_err(|cause| error::output_io("read what the first reading learned", path, &cause))?,
            ),
            _ => None,
        };
        let recipe = Recipe {
            engine,
            spec: spec.clone(),
            setup,
            hdr: opening.grade.metadata,
            turn: opening.turn.clone(),
            statistics,
        };
        let encoder = recipe.open().map_err(refused)?;
        Ok(VideoTrack {
            recipe,
            encoder,
            unit: timing.unit,
            rate: timing.rate,
            slot_ticks: timing.slot_ticks,
            pacer: timing.slot_ticks.map(|_| Pacer::new(timing.rate, opening.unit)),
            key_frames,
            keys: match spec.gop_frames {
                Some(frames) => KeyClock::counting(frames),
                None => KeyClock::new(spec.gop_s, timing.unit),
            },
            has_begun: false,
            learned: String::new(),
            drawing: None,
            sampler: None,
        })
    }

    /// With what is drawn onto its pictures, and onto nobody else's.
    pub fn drawn_on(self, drawing: Option<Drawing>) -> Self {
        VideoTrack { drawing, ..self }
    }

    /// Compared with what goes into it.
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
    /// Takes pictures as they lie on the device.
    pub fn takes_surfaces(&self) -> bool {
        false
    }
    /// Works to learn, not to write.
    pub fn is_first_reading(&self) -> bool {
        matches!(self.recipe.turn, Turn::First(..))
    }
    /// Keeps why a first reading failed, for the second; the first cause stays.
    pub fn tell(&self, fault: &Fault) {
        if let Turn::First(_, slot) = &self.recipe.turn {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.get_or_insert_with(|| fault.clone());
        }
    }

    /// Encodes a picture, as often as its slots of time want.
    pub fn encode(&mut self, picture: &Picture, outputs: &Outputs<'_>) -> Result<(), AvError> {
        match (&mut self.pacer, self.slot_ticks) {
            (Some(pacer), Some(ticks)) => {
                for slot in pacer.slots(picture.pts, picture.duration) {
                    self.send(&picture.frame, slot * ticks, ticks, outputs)?;
                }
                Ok(())
            }
            _ => self.send(&picture.frame, picture.pts, picture.duration, outputs),
        }
    }

    /// Takes what is still inside.
    pub fn finish(&mut self, outputs: &Outputs<'_>) -> Result<(), AvError> {
        self.encoder.send_end()?;
        self.drain(outputs)?;
        if let Some(sampler) = self.sampler.take() {
            sampler.end();
        }
        let Turn::First(path, _) = &self.recipe.turn else {
            return Ok(());
        };
        if self.recipe.engine.keeps_statistics() {
            return Ok(());
        }
        if self.recipe.engine == Engine::Vpx {
            // It tells all at the end.
            self.learned.extend(self.encoder.statistics());
        }
        std::fs::write(path, &self.learned).map_err(|cause| AvError::new(-cause.raw_os_error().unwrap_or(5), "write"))
    }

    fn send(&mut self, frame: &Frame, pts: i64, duration: i64, outputs: &Outputs<'_>) -> Result<(), AvError> {
        let mut frame = frame.share()?;
        if let Some(drawing) = &mut self.drawing {
            drawing.draw(&mut frame, pts as f64 * self.unit.value())?;
        }
        frame.set_pts(pts);
        let is_key = self.keys.begins(pts, duration);
        if is_key && self.has_begun && self.key_frames == KeyFrames::Anew {
            self.encoder.send_end()?;
            self.drain(outputs)?;
            self.encoder = self.recipe.open()?;
        }
        frame.ask_key(is_key && self.key_frames == KeyFrames::Asked);
        self.has_begun = true;
        if let Some(sampler) = &mut self.sampler {
            sampler.offer(&frame, pts);
        }
        self.encoder.send(&frame, duration)?;
        self.drain(outputs)
    }

    fn drain(&mut self, outputs: &Outputs<'_>) -> Result<(), AvError> {
        while let Some(mut packet) = self.encoder.receive()? {
            if self.is_first_reading() {
                if !self.recipe.engine.keeps_statistics() {
                    self.learned.extend(self.encoder.statistics());
                }
                continue;
            }
            self.straighten(&mut packet);
            if let Some(sampler) = &mut self.sampler {
                sampler.packet(&packet);
            }
            for output in outputs.all {
                output.write(TrackId::Video, packet.share()?, outputs.health);
            }
        }
        Ok(())
    }

    /// Where packets come in the order in which they are shown, they are decoded when they are shown: what some
    /// encoders say instead begins anew with each GOP.
    fn straighten(&self, packet: &mut Packet) {
        if self.recipe.engine.keeps_order() {
            let (pts, duration) = (packet.pts(), packet.duration());
            packet.set_times(pts, pts, duration);
        }
    }
}

/// Unit and rate of an encode.
struct Timing {
    unit: Ratio,
    rate: Ratio,
    slot_ticks: Option<i64>,
}

impl Timing {
    fn of(engine: Engine, spec: &VideoSpec, opening: &Opening) -> Self {
        let Some(fps) = spec.fps else {
            return Timing {
                unit: opening.unit,
                rate: opening.source_rate,
                slot_ticks: None,
            };
        };
        let rate = Ratio::of_rate(fps);
        let slot = Ratio {
            num: rate.den,
            den: rate.num,
        };
        if engine.counts_frames() {
            return Timing {
                unit: slot,
                rate,
                slot_ticks: Some(1),
            };
        }
        let unit = output_unit(slot);
        Timing {
            unit,
            rate,
            slot_ticks: Some(i64::from(unit.den / rate.num) * i64::from(rate.den)),
        }
    }
}
