//! The encoder of one rendition with its timing and key frames.
//!
//! Guarantees: key frames stand where the clock of the pass wants them, whatever the encoder can be asked for; of two
//! readings of a source, the second finds what the first learned or a fault that says why not. Deliberately absent:
//! scaling and threads.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::DeviceTrouble;
use crate::media::av::Encoder;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::encode::VideoSetup;
use crate::media::cuda::Gpu;
use crate::media::encoding;
use crate::media::encoding::CaptionsBy;
use crate::media::encoding::Engine;
use crate::media::encoding::KeyFrames;
use crate::media::encoding::caption_message::MAX_BYTES;
use crate::media::encoding::caption_message::with_captions;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::encoding::nvenc;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::overlay::Drawing;
use crate::media::pass::clock::KeyClock;
use crate::media::pass::clock::Pacer;
use crate::media::pass::clock::output_unit;
use crate::media::pass::closed_captions::CaptionQueue;
use crate::media::pass::gpu::encoder::GpuEncoder;
use crate::media::pass::gpu::encoding::PictureEncoder;
use crate::media::pass::gpu::interleaving::Interleaving;
use crate::media::pass::gpu::marking::Marking;
use crate::media::pass::gpu::transfer;
use crate::media::pass::grade::Grade;
use crate::media::pass::output::TrackId;
use crate::media::pass::plan::VideoEncode;
use crate::media::pass::rung::Outputs;
use crate::media::pass::rung::Picture;
use crate::media::quality::Sampler;
use crate::media::spec::VideoSpec;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

const OPEN: &str = "open the encoder";
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
    /// The device whose encoder makes it; none: one of libav's does.
    pub device: Option<Arc<Gpu>>,
}

/// Everything needed to open an encoder of libav's, once or again.
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
    fn open(&self) -> Result<PictureEncoder, AvError> {
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
        let encoder = Encoder::video_with_statistics(&self.setup, options, self.statistics.as_deref())?;
        Ok(PictureEncoder::Host(Box::new(encoder)))
    }
}

/// The encoder of a rendition with its timing.
#[derive(Debug)]
pub struct VideoTrack {
    /// Of libav's encoders; the device's are never opened again.
    recipe: Option<Recipe>,
    encoder: PictureEncoder,
    /// Where pictures go that were drawn on, on their way into the device's encoder.
    interleaving: Option<Interleaving>,
    turn: Turn,
    unit: Ratio,
    rate: Ratio,
    slot_ticks: Option<i64>,
    pacer: Option<Pacer>,
    key_frames: KeyFrames,
    keys: KeyClock,
    has_begun: bool,
    learned: String,
    drawing: Option<Drawing>,
    /// What draws onto pictures that lie on the device.
    marking: Option<Marking>,
    sampler: Option<Sampler>,
    captions: Option<CaptionQueue>,
    /// Captions of pictures that are in the encoder, by time stamp, where they are put into what it makes of them.
    said: BTreeMap<i64, Vec<u8>>,
    /// Captions of pictures that had no place for them, for the next.
    owed: Vec<u8>,
}

impl VideoTrack {
    /// Opens the encoder.
    pub fn open(encode: &VideoEncode, opening: &Opening) -> Result<Self, Fault> {
        match &opening.device {
            Some(gpu) => Self::open_on_device(encode, opening, gpu),
            None => Self::open_on_host(encode, opening),
        }
    }

    fn open_on_host(encode: &VideoEncode, opening: &Opening) -> Result<Self, Fault> {
        let spec = &encode.spec;
        let engine = Engine::find(spec.codec, &encode.name)?;
        let timing = Timing::of(engine.counts_frames(), spec, opening);
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
        let encoder = recipe
            .open()
            .map_err(|refusal| error::output_refused(OPEN, &encode.name, &refusal))?;
        Ok(Self::with(encode, opening, timing, (Some(recipe), encoder, key_frames)))
    }

    fn open_on_device(encode: &VideoEncode, opening: &Opening, gpu: &Arc<Gpu>) -> Result<Self, Fault> {
        let timing = Timing::of(false, &encode.spec, opening);
        let setup = nvenc::setup(&nvenc::Wanted {
            spec: &encode.spec,
            size: (encode.width, encode.height),
            frame_rate: timing.rate,
            is_steady: encode.spec.fps.is_some(),
            color: opening.grade.color,
            hdr: &opening.grade.metadata,
        });
        let color = opening.grade.color;
        let layout = setup.as_ref().map(|setup| setup.layout());
        let interleaving = layout
            .ok()
            .map(|layout| Interleaving::new(gpu, layout, (encode.width, encode.height)));
        let encoder = setup
            .map_err(|why| AvError::device("nvEncInitializeEncoder", DeviceTrouble::Absent, why))
            .and_then(|setup| GpuEncoder::open(gpu, setup, color))
            .map_err(|refusal| error::output_refused(OPEN, &encode.name, &refusal))?;
        let encoder = PictureEncoder::Device(Box::new(encoder));
        Ok(VideoTrack {
            interleaving,
            ..Self::with(encode, opening, timing, (None, encoder, KeyFrames::Asked))
        })
    }

    fn with(
        encode: &VideoEncode,
        opening: &Opening,
        timing: Timing,
        (recipe, encoder, key_frames): (Option<Recipe>, PictureEncoder, KeyFrames),
    ) -> Self {
        VideoTrack {
            recipe,
            encoder,
            interleaving: None,
            turn: opening.turn.clone(),
            unit: timing.unit,
            rate: timing.rate,
            slot_ticks: timing.slot_ticks,
            pacer: timing.slot_ticks.map(|_| Pacer::new(timing.rate, opening.unit)),
            key_frames,
            keys: match encode.spec.gop_frames {
                Some(frames) => KeyClock::counting(frames),
                None => KeyClock::new(encode.spec.gop_s, timing.unit),
            },
            has_begun: false,
            learned: String::new(),
            drawing: None,
            marking: None,
            sampler: None,
            captions: None,
            said: BTreeMap::new(),
            owed: Vec::new(),
        }
    }

    /// With what is drawn onto its pictures, and onto nobody else's.
    pub fn drawn_on(self, drawing: Option<Drawing>) -> Self {
        VideoTrack { drawing, ..self }
    }

    /// Drawn on where its pictures lie.
    pub fn marked_by(self, marking: Option<Marking>) -> Self {
        VideoTrack { marking, ..self }
    }

    /// Compared with what goes into it.
    pub fn followed_by(self, sampler: Sampler) -> Self {
        VideoTrack {
            sampler: Some(sampler),
            ..self
        }
    }

    /// With the closed captions of the source, for which its pictures must have a place.
    pub fn captioned(self, captions: CaptionQueue) -> Self {
        VideoTrack {
            captions: Some(captions),
            ..self
        }
    }

    /// Whether its pictures have a place for closed captions.
    pub fn writes_captions(&self) -> bool {
        self.captions_by().is_some()
    }

    fn captions_by(&self) -> Option<CaptionsBy> {
        self.engine().and_then(Engine::captions)
    }

    /// The encoder.
    pub fn encoder(&self) -> &PictureEncoder {
        &self.encoder
    }
    /// Takes pictures as they lie on the device; otherwise it wants them on the host, planar.
    pub fn takes_surfaces(&self) -> bool {
        matches!(self.encoder, PictureEncoder::Device(_)) && (self.drawing.is_none() || self.marking.is_some())
    }
    /// Unit of its packets.
    pub fn unit(&self) -> Ratio {
        self.unit
    }
    /// Nominal frames a second.
    pub fn rate(&self) -> Ratio {
        self.rate
    }
    /// Works to learn, not to write.
    pub fn is_first_reading(&self) -> bool {
        matches!(self.turn, Turn::First(..))
    }
    /// Keeps why a first reading failed, for the second; the first cause stays.
    pub fn tell(&self, fault: &Fault) {
        if let Turn::First(_, slot) = &self.turn {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.get_or_insert_with(|| fault.clone());
        }
    }

    /// Encodes a picture, as often as its slots of time want.
    pub fn encode(&mut self, picture: &Picture, outputs: &Outputs<'_>) -> Result<(), AvError> {
        if let Some(captions) = &mut self.captions {
            captions.reach(picture.pts);
        }
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
        let (Turn::First(path, _), Some(engine)) = (&self.turn, self.engine()) else {
            return Ok(());
        };
        if engine.keeps_statistics() {
            return Ok(());
        }
        if engine == Engine::Vpx {
            // It tells all at the end.
            self.learned.extend(self.encoder.statistics());
        }
        std::fs::write(path, &self.learned).map_err(|cause| AvError::new(-cause.raw_os_error().unwrap_or(5), "write"))
    }

    fn send(&mut self, frame: &Frame, pts: i64, duration: i64, outputs: &Outputs<'_>) -> Result<(), AvError> {
        let mut frame = frame.share()?;
        if let Some(drawing) = &mut self.drawing {
            let at_s = pts as f64 * self.unit.value();
            match self.marking.as_mut().filter(|_| frame.device_pixels().is_some()) {
                Some(marking) => frame = marking.draw(drawing, &frame, at_s)?,
                None => drawing.draw(&mut frame, at_s)?,
            }
        }
        frame.set_pts(pts);
        let is_key = self.keys.begins(pts, duration);
        if is_key && self.has_begun && self.key_frames == KeyFrames::Anew {
            self.encoder.send_end()?;
            self.drain(outputs)?;
            if let Some(recipe) = &self.recipe {
                self.encoder = recipe.open()?;
            }
        }
        self.has_begun = true;
        if let Some(sampler) = &mut self.sampler {
            sampler.offer(&frame, pts);
        }
        if let Some(interleaving) = self.interleaving.as_mut().filter(|_| self.drawing.is_some())
            && transfer::surface_of(&frame).is_none()
        {
            frame = interleaving.put(&frame)?;
            frame.set_pts(pts);
        }
        if let Some(constructs) = self.captions.as_mut().and_then(CaptionQueue::take) {
            match self.captions_by() {
                Some(CaptionsBy::Encoder) => frame.set_captions(&constructs)?,
                Some(CaptionsBy::Message(_)) => {
                    self.said.insert(pts, constructs);
                }
                None => {}
            }
        }
        let is_asked = is_key && self.key_frames == KeyFrames::Asked;
        self.encoder.send(&mut frame, duration, is_asked)?;
        self.drain(outputs)
    }

    fn drain(&mut self, outputs: &Outputs<'_>) -> Result<(), AvError> {
        while let Some(mut packet) = self.encoder.receive()? {
            if self.is_first_reading() {
                if !self.engine().is_some_and(Engine::keeps_statistics) {
                    self.learned.extend(self.encoder.statistics());
                }
                continue;
            }
            self.straighten(&mut packet);
            self.caption(&mut packet)?;
            if let Some(sampler) = &mut self.sampler {
                sampler.packet(&packet);
            }
            for output in outputs.all {
                output.write(TrackId::Video, packet.share()?, outputs.health);
            }
        }
        Ok(())
    }

    /// Puts captions into what the encoder made of the picture of their time, or of the next that has a place for them.
    fn caption(&mut self, packet: &mut Packet) -> Result<(), AvError> {
        let said = packet.pts().and_then(|pts| self.said.remove(&pts));
        self.owed.extend(said.unwrap_or_default());
        let room = self.owed.len().min(MAX_BYTES);
        if room > 0
            && let Some(CaptionsBy::Message(codec)) = self.captions_by()
            && let Some(bytes) = with_captions(codec, packet.data(), &self.owed[..room])
        {
            *packet = packet.with_data(&bytes)?;
            self.owed.drain(..room);
        }
        Ok(())
    }

    fn engine(&self) -> Option<Engine> {
        self.recipe.as_ref().map(|recipe| recipe.engine)
    }

    /// Where packets come in the order in which they are shown, they are decoded when they are shown: what some
    /// encoders say instead begins anew with each GOP.
    fn straighten(&self, packet: &mut Packet) {
        if self.engine().is_some_and(Engine::keeps_order) {
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
    /// `counts_frames`: time stamps must do so.
    fn of(counts_frames: bool, spec: &VideoSpec, opening: &Opening) -> Self {
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
        if counts_frames {
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
