//! Compares an encode with what went into it, while it is made: of the stretches between key frames, those that hold
//! a picture chosen for it are decoded again.
//!
//! Guarantees: memory is bounded by one such stretch and the pictures chosen in it; some forty pictures are compared
//! however long the source is, spread evenly and not only key frames. Deliberately absent: containers; what is
//! decoded are the packets that outputs are given.

use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Frame;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::facts::Ratio;
use crate::media::limits::Limits;
use crate::media::pass::gpu::transfer;
use crate::media::product::Quality;
use crate::media::quality::likeness::Likeness;
use crate::media::quality::likeness::Tally;
use crate::media::spec::QualityMetric;
use crate::media::spec::QualitySpec;
use crate::media::vmaf::Meter;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Pictures compared, where the length is known.
const PICTURES: f64 = 40.0;
/// Pictures chosen within one stretch, at most.
const AT_ONCE: usize = 8;
/// A stretch larger than this is passed over.
const STRETCH_BYTES: usize = 64 << 20;
/// Where in its stretch of time a picture is chosen, turn by turn: never twice at one distance from a key frame.
const GOLDEN: f64 = 0.618_033_988_75;

/// Where the result is found when the encode is done.
#[derive(Debug, Clone, Default)]
pub struct Slot(Arc<Mutex<Option<Result<Quality, String>>>>);

impl Slot {
    /// The result; none: the encode did not come to its end. The error says why there is nothing to say.
    pub fn take(&self) -> Option<Result<Quality, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A picture that is to be compared.
#[derive(Debug)]
struct Chosen {
    meant: Frame,
    /// The one shown before it, where motion counts.
    before: Option<Frame>,
}

/// VMAF of the pictures compared so far.
#[derive(Debug)]
struct Vmaf {
    meter: Meter,
    frames: u32,
    sum: f64,
    least: f64,
}

/// Follows one encode.
#[derive(Debug)]
pub struct Sampler {
    spec: QualitySpec,
    unit: Ratio,
    parameters: Parameters,
    slot: Slot,
    every_s: f64,
    turn: u32,
    due_s: f64,
    /// Pictures chosen, by time stamp.
    chosen: BTreeMap<i64, Chosen>,
    /// The last picture offered, where motion counts.
    last: Option<Frame>,
    /// Packets since the last key frame.
    stretch: Vec<Packet>,
    stretch_bytes: usize,
    tally: Tally,
    /// None: it is not asked for. The error says why there is none.
    vmaf: Option<Result<Vmaf, String>>,
    trouble: Option<String>,
}

impl Sampler {
    /// For an encode whose packets have these parameters and time stamps in `unit`; `length_s` if it is known.
    pub fn new(spec: &QualitySpec, unit: Ratio, parameters: Parameters, length_s: Option<f64>, slot: Slot) -> Self {
        let every_s = spec.every_s.max(length_s.unwrap_or(0.0) / PICTURES);
        let vmaf = spec.wants(QualityMetric::Vmaf).then(|| {
            let meter = Meter::open(parameters.height())?;
            Ok(Vmaf {
                meter,
                frames: 0,
                sum: 0.0,
                least: 100.0,
            })
        });
        let mut sampler = Sampler {
            spec: spec.clone(),
            unit,
            parameters,
            slot,
            // Something is compared in the shortest clip.
            every_s: length_s.map_or(every_s, |length_s| every_s.min(length_s.max(0.1))),
            turn: 0,
            due_s: 0.0,
            chosen: BTreeMap::new(),
            last: None,
            stretch: Vec::new(),
            stretch_bytes: 0,
            tally: Tally::default(),
            vmaf,
            trouble: None,
        };
        sampler.choose_next();
        sampler
    }

    fn choose_next(&mut self) {
        let within = ((f64::from(self.turn) + 0.5) * GOLDEN).fract();
        self.due_s = (f64::from(self.turn) + within) * self.every_s;
        self.turn += 1;
    }

    /// A picture goes into the encoder with this time stamp.
    pub fn offer(&mut self, frame: &Frame, pts: i64) {
        let at_s = pts as f64 * self.unit.value();
        let counts_motion = matches!(self.vmaf, Some(Ok(_)));
        let before = match counts_motion {
            true => std::mem::replace(&mut self.last, frame.share().ok()),
            false => None,
        };
        if at_s + 1e-9 < self.due_s || self.trouble.is_some() {
            return;
        }
        while self.due_s <= at_s + 1e-9 {
            self.choose_next();
        }
        if self.chosen.len() < AT_ONCE
            && let Ok(meant) = transfer::to_host(frame)
        {
            let before = before.and_then(|before| transfer::to_host(&before).ok());
            self.chosen.insert(pts, Chosen { meant, before });
        }
        // Of a source of unknown length fewer and fewer are looked at.
        if f64::from(self.turn) > 2.0 * PICTURES {
            self.every_s *= 2.0;
            self.turn /= 2;
            self.choose_next();
        }
    }

    /// A packet comes out.
    pub fn packet(&mut self, packet: &Packet) {
        if self.trouble.is_some() {
            return;
        }
        if packet.is_key() {
            self.compare();
        }
        self.stretch_bytes += packet.size_bytes();
        if self.stretch_bytes > STRETCH_BYTES {
            self.stretch.clear();
        } else if let Ok(packet) = packet.share() {
            self.stretch.push(packet);
        }
    }

    /// No more packets come.
    pub fn end(mut self) {
        self.compare();
        let psnr = self.spec.wants(QualityMetric::Psnr);
        let ssim = self.spec.wants(QualityMetric::Ssim);
        let result = match (self.tally.quality(psnr, ssim), self.trouble) {
            (Some(quality), _) => Ok(with_vmaf(quality, self.vmaf)),
            (None, Some(trouble)) => Err(trouble),
            (None, None) => Err("no picture of it could be compared".to_owned()),
        };
        *self.slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }

    /// Decodes the stretch that has just ended, if a picture was chosen in it.
    fn compare(&mut self) {
        let stretch = std::mem::take(&mut self.stretch);
        self.stretch_bytes = 0;
        let Some(last) = stretch.iter().filter_map(Packet::pts).max() else {
            return;
        };
        if self.chosen.first_key_value().is_none_or(|(pts, _)| *pts > last) {
            return;
        }
        if let Err(refusal) = self.decode(&stretch) {
            self.trouble = Some(format!("it could not be decoded again: {refusal}"));
        }
        // What was not found in its stretch will not be found.
        self.chosen = self.chosen.split_off(&(last + 1));
    }

    fn decode(&mut self, stretch: &[Packet]) -> Result<(), AvError> {
        let mut decoder = Decoder::open(&self.parameters, self.unit, 1, &Limits::default())?;
        for packet in stretch {
            decoder.send(packet)?;
            self.take(&mut decoder)?;
        }
        decoder.send_end()?;
        self.take(&mut decoder)
    }

    fn take(&mut self, decoder: &mut Decoder) -> Result<(), AvError> {
        while let Some(frame) = decoder.receive()? {
            let Some(pts) = frame.best_pts() else { continue };
            let Some(wanted) = self.chosen.remove(&pts) else {
                continue;
            };
            if let Some(Ok(vmaf)) = &mut self.vmaf
                && let Err(why) = vmaf.add(&wanted, &frame)
            {
                self.vmaf = Some(Err(why));
            }
            match Likeness::of(&wanted.meant, &frame) {
                Some(likeness) => self.tally.add(&likeness, pts as f64 * self.unit.value()),
                None => self.trouble = Some("its pictures are of a kind that is not compared".to_owned()),
            }
        }
        Ok(())
    }
}

impl Vmaf {
    fn add(&mut self, chosen: &Chosen, made: &Frame) -> Result<(), String> {
        let score = self.meter.score(chosen.before.as_ref(), &chosen.meant, made)?;
        self.frames += 1;
        self.sum += score;
        self.least = self.least.min(score);
        Ok(())
    }
}

fn with_vmaf(quality: Quality, vmaf: Option<Result<Vmaf, String>>) -> Quality {
    let rounded = |score: f64| Some((score * 1e4).round() / 1e4);
    match vmaf {
        None => quality,
        Some(Ok(vmaf)) => Quality {
            vmaf: rounded(vmaf.sum / f64::from(vmaf.frames.max(1))),
            vmaf_min: rounded(vmaf.least),
            vmaf_model: Some(vmaf.meter.model()),
            ..quality
        },
        Some(Err(why)) => Quality {
            vmaf_missing: Some(why),
            ..quality
        },
    }
}
