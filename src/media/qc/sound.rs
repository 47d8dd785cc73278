//! What is looked for in decoded sound: silence, clipping, cancelling channels, loudness.
//!
//! Guarantees: sound is measured as it was decoded, in its own rate and channels; silence is found to the sample.
//! Deliberately absent: judging; sound whose rate or channels change in the middle is measured up to there.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::Resampler;
use crate::media::av::sound::Sound;
use crate::media::loudness::Loudness;
use crate::media::loudness::Meter;
use crate::media::product::LoudnessSeries;
use crate::media::qc::span::Run;
use crate::media::qc::span::Spans;
use crate::media::spec::QcCheck;
use crate::media::spec::QcSpec;

/// Samples looked at together.
const BLOCK: usize = 1024;
/// Time stamps may wobble by this; beyond, the clock follows them.
const TOLERANCE_S: f64 = 0.03;
/// Clipped samples nearer than this are one stretch.
const CLIPPING_JOINS_S: f64 = 0.25;
/// Time over which two channels are compared.
const PHASE_BLOCK_S: f64 = 0.1;
/// Power below which channels are not compared, full scale squared: -50 dB.
const PHASE_FLOOR: f64 = 1e-5;

/// What is found in sound.
pub struct SoundScan {
    spec: QcSpec,
    shape: Option<Shape>,
    meter: Option<Meter>,
    interleaved: Vec<f32>,
    resampler: Option<Resampler>,
    end_s: f64,
    first_s: Option<f64>,
    changed: bool,
    refused: Option<String>,
    clipped_in_a_row: Vec<u32>,
    phase: Phase,
    peak: f32,
    /// Silent stretches.
    pub silence: Run,
    /// Clipped stretches.
    pub clipping: Spans,
    /// Cancelling stretches.
    pub cancelling: Run,
    /// Samples clipped.
    pub clipped: u64,
}

/// What the track was when it began.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    rate_hz: u32,
    channels: u32,
}

#[derive(Default)]
struct Phase {
    since_s: f64,
    samples: usize,
    both: f64,
    left: f64,
    right: f64,
}

impl SoundScan {
    /// For one track.
    pub fn new(spec: &QcSpec) -> Self {
        SoundScan {
            silence: Run::new(spec.silence_min_s),
            clipping: Spans::default(),
            cancelling: Run::new(spec.phase_min_s),
            clipped: 0,
            spec: spec.clone(),
            shape: None,
            meter: None,
            interleaved: Vec::new(),
            resampler: None,
            end_s: 0.0,
            first_s: None,
            changed: false,
            refused: None,
            clipped_in_a_row: Vec::new(),
            phase: Phase::default(),
            peak: 0.0,
        }
    }

    /// Why sound could not be measured, if it came to that.
    pub fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }
    /// Rate or channels changed in the middle.
    pub fn has_changed(&self) -> bool {
        self.changed
    }
    /// When it begins.
    pub fn first_s(&self) -> Option<f64> {
        self.first_s
    }
    /// When it ends.
    pub fn end_s(&self) -> f64 {
        self.end_s
    }
    /// Channels; 0 before any sound.
    pub fn channels(&self) -> u32 {
        self.shape.map_or(0, |shape| shape.channels)
    }
    /// Largest sample, dBFS.
    pub fn sample_peak_dbfs(&self) -> Option<f64> {
        (self.peak > 0.0).then(|| 20.0 * f64::from(self.peak).log10())
    }

    /// Loudness of what was heard; none: it was not measured.
    pub fn loudness(&self) -> Option<Loudness> {
        self.meter.as_ref().map(Meter::result)
    }

    /// How its loudness went; none: it was not measured.
    pub fn loudness_series(&self) -> Option<LoudnessSeries> {
        self.meter.as_ref().and_then(Meter::series)
    }

    /// Hears decoded sound that is heard from `at_s` on, where its time is known.
    pub fn hear(&mut self, frame: &Frame, at_s: Option<f64>) {
        if self.refused.is_none()
            && let Err(refusal) = self.measure(frame, at_s)
        {
            self.refused = Some(refusal.to_string());
        }
    }

    /// The sound ends.
    pub fn end(&mut self) {
        self.compare_channels();
        self.silence.ends(self.end_s);
        self.cancelling.ends(self.end_s);
    }

    fn measure(&mut self, frame: &Frame, at_s: Option<f64>) -> Result<(), AvError> {
        let sound = frame.sound()?;
        let (rate_hz, channels) = (sound.rate_hz, sound.channels());
        if rate_hz == 0 || channels == 0 {
            return Ok(());
        }
        let shape = Shape { rate_hz, channels };
        match self.shape {
            None => {
                self.shape = Some(shape);
                self.clipped_in_a_row = vec![0; channels as usize];
                if self.spec.looks_for(QcCheck::Loudness) {
                    self.meter = Meter::new(channels, rate_hz);
                }
            }
            Some(known) if known != shape => {
                self.changed = true;
                return Ok(());
            }
            Some(_) => {}
        }
        let converted;
        let frame = if frame.channel(0).is_some() {
            frame
        } else {
            if self.resampler.as_ref().is_none_or(|resampler| !resampler.takes(&sound)) {
                self.resampler = Some(Resampler::open(sound, Sound::float_planar(rate_hz, channels))?);
            }
            match self.resampler.as_mut().map(|resampler| resampler.run(Some(frame))) {
                Some(Ok(Some(frame))) => {
                    converted = frame;
                    &converted
                }
                Some(Err(refusal)) => return Err(refusal),
                _ => return Ok(()),
            }
        };
        let planes: Vec<&[f32]> = (0..channels as usize)
            .map_while(|channel| frame.channel(channel))
            .collect();
        if planes.len() != channels as usize {
            return Ok(());
        }
        let step_s = 1.0 / f64::from(rate_hz);
        let start_s = match (self.first_s, at_s) {
            (None, at_s) => at_s.unwrap_or(0.0),
            (Some(_), Some(at_s)) if (at_s - self.end_s).abs() > TOLERANCE_S => {
                // Nothing is known of what was left out.
                self.silence.ends(self.end_s);
                self.cancelling.ends(self.end_s);
                at_s
            }
            (Some(_), _) => self.end_s,
        };
        // What is before the beginning is the encoder's, and is not heard.
        let skip = ((-start_s / step_s).ceil().max(0.0) as usize).min(frame.samples());
        let planes: Vec<&[f32]> = planes.iter().map(|samples| &samples[skip..]).collect();
        let start_s = start_s + skip as f64 * step_s;
        self.end_s = start_s;
        if planes[0].is_empty() {
            return Ok(());
        }
        self.first_s.get_or_insert(start_s);
        let mut from = 0;
        while from < planes[0].len() {
            let until = (from + BLOCK).min(planes[0].len());
            let block: Vec<&[f32]> = planes.iter().map(|samples| &samples[from..until]).collect();
            self.block(&block, start_s + from as f64 * step_s, step_s);
            from = until;
        }
        self.end_s = start_s + planes[0].len() as f64 * step_s;
        if let Some(meter) = &mut self.meter {
            meter.resume_at(start_s);
            self.interleaved.clear();
            for at in 0..planes[0].len() {
                self.interleaved.extend(planes.iter().map(|samples| samples[at]));
            }
            meter.push(&self.interleaved);
        }
        Ok(())
    }

    fn block(&mut self, block: &[&[f32]], start_s: f64, step_s: f64) {
        let peak = block
            .iter()
            .flat_map(|samples| samples.iter())
            .fold(0.0_f32, |most, sample| most.max(sample.abs()));
        self.peak = self.peak.max(peak);
        let floor = level(self.spec.silence_db);
        if peak <= floor {
            self.silence.holds(start_s, 0.0);
        } else {
            let loud = |at: usize| block.iter().any(|samples| samples[at].abs() > floor);
            let length = block[0].len();
            let first = (0..length).find(|at| loud(*at)).unwrap_or(0);
            let last = (0..length).rev().find(|at| loud(*at)).unwrap_or(0);
            if first > 0 {
                self.silence.holds(start_s, 0.0);
            }
            self.silence.ends(start_s + first as f64 * step_s);
            if last + 1 < length {
                self.silence.holds(start_s + (last + 1) as f64 * step_s, 0.0);
            }
        }
        let clipped_from = level(self.spec.clipping_db);
        if peak >= clipped_from || self.clipped_in_a_row.iter().any(|count| *count > 0) {
            self.look_for_clipping(block, clipped_from, start_s, step_s);
        }
        if let [left, right] = block {
            self.phase_of(left, right, start_s, step_s);
        }
    }

    fn look_for_clipping(&mut self, block: &[&[f32]], clipped_from: f32, start_s: f64, step_s: f64) {
        let least = self.spec.clipping_samples;
        for (samples, in_a_row) in block.iter().zip(&mut self.clipped_in_a_row) {
            for (at, sample) in samples.iter().enumerate() {
                if sample.abs() < clipped_from {
                    *in_a_row = 0;
                    continue;
                }
                *in_a_row += 1;
                if *in_a_row < least {
                    continue;
                }
                let count = if *in_a_row == least { least } else { 1 };
                self.clipped += u64::from(count);
                let end_s = start_s + (at + 1) as f64 * step_s;
                let from_s = end_s - f64::from(count) * step_s;
                self.clipping.join(from_s, end_s, f64::from(count), CLIPPING_JOINS_S);
            }
        }
    }

    fn phase_of(&mut self, left: &[f32], right: &[f32], start_s: f64, step_s: f64) {
        if self.phase.samples == 0 {
            self.phase.since_s = start_s;
        }
        for (left, right) in left.iter().zip(right) {
            let (left, right) = (f64::from(*left), f64::from(*right));
            self.phase.both += left * right;
            self.phase.left += left * left;
            self.phase.right += right * right;
        }
        self.phase.samples += left.len();
        if self.phase.samples as f64 * step_s >= PHASE_BLOCK_S {
            self.compare_channels();
        }
    }

    fn compare_channels(&mut self) {
        let phase = std::mem::take(&mut self.phase);
        if phase.samples == 0 {
            return;
        }
        let floor = PHASE_FLOOR * phase.samples as f64;
        let correlation = phase.both / (phase.left * phase.right).sqrt();
        if phase.left > floor && phase.right > floor && correlation <= self.spec.phase_correlation {
            self.cancelling.holds(phase.since_s, correlation);
        } else {
            self.cancelling.ends(phase.since_s);
        }
    }
}

fn level(db: f64) -> f32 {
    10f64.powf(db / 20.0) as f32
}
