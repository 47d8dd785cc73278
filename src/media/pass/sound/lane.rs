//! The decoded sound of one stream at one rate, laid on the pass's clock.
//!
//! Guarantees: sample n is heard n / rate seconds after the pass's origin; what comes out has no holes: gaps are
//! silence, overlaps are cut, what is before the origin or after the end is left out. A clock that runs a little off is
//! followed by stretching, inaudibly. Memory does not grow.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::Resampler;
use crate::media::av::sound::Place;
use crate::media::av::sound::SampleFormat;
use crate::media::facts::Ratio;
use crate::media::pass::clock::Origin;
use crate::media::pass::splice::REST_S;

/// Beyond this, sound is moved to where its time stamps say at once.
const TOLERANCE_S: f64 = 0.03;
/// An offset that stays beyond this is made good by stretching.
const DRIFT_S: f64 = 0.005;
/// Offsets are averaged over so many seconds.
const DRIFT_WINDOW_S: f64 = 2.0;
/// Most that sound is stretched or squeezed by.
const STRETCH: f64 = 0.005;
/// Silence is made in pieces of so many samples.
const SILENCE_SAMPLES: i64 = 8192;

/// What a lane hands on.
#[derive(Debug)]
pub enum Piece<'a> {
    /// Samples, channel by channel.
    Sound(&'a [Place], &'a [&'a [f64]]),
    /// So many samples of silence.
    Silence(usize),
}

/// Takes what a lane hands on.
pub type Sink<'a> = dyn FnMut(Piece<'_>) + 'a;

/// One stream at one rate.
#[derive(Debug)]
pub struct Lane {
    /// The source's stream.
    pub stream: usize,
    /// Hz.
    pub rate_hz: u32,
    unit: Ratio,
    /// Samples that the encoder of the source put before its beginning.
    padding: i64,
    resampler: Option<Resampler>,
    places: Vec<Place>,
    /// Samples handed on since the origin.
    written: i64,
    /// First sample not wanted any more.
    end: i64,
    /// Samples to come that are before the origin, or a second time.
    skip: i64,
    has_begun: bool,
    drift: f64,
    stretching: i64,
    moved_s: f64,
    /// Which of several joined sources is heard.
    source: u32,
    /// The next frame is the first of another of them.
    is_seam: bool,
    /// Samples by which sound was off where it began, and is moved though nothing is wrong with it.
    of_seam: i64,
}

impl Lane {
    /// For a stream with time stamps in `unit`, up to `end_s` seconds if a clip says so.
    /// `padding_s`: what its encoder put before its beginning.
    pub fn new(stream: usize, (unit, padding_s): (Ratio, f64), rate_hz: u32, end_s: Option<f64>) -> Self {
        Lane {
            stream,
            rate_hz,
            unit,
            padding: (padding_s * f64::from(rate_hz)).round() as i64,
            resampler: None,
            places: Vec::new(),
            written: 0,
            end: end_s.map_or(i64::MAX, |end_s| (end_s * f64::from(rate_hz)).round() as i64),
            skip: 0,
            has_begun: false,
            drift: 0.0,
            stretching: 0,
            moved_s: 0.0,
            source: 0,
            is_seam: false,
            of_seam: 0,
        }
    }

    /// Which of several joined sources the frames to come are of.
    pub fn follows(&mut self, source: u32) {
        self.is_seam |= source != self.source;
        self.source = source;
    }

    /// Silence put in, sound cut and stretched to keep step within a source, seconds. Where one follows another there may be
    /// silence, and the last frame of the one before may reach beyond its end.
    pub fn moved_s(&self) -> f64 {
        self.moved_s
    }

    /// Takes decoded sound that is heard from `time` on; without a time it follows what was before.
    pub fn take(
        &mut self,
        frame: &Frame,
        time: Option<i64>,
        origin: Origin,
        sink: &mut Sink<'_>,
    ) -> Result<(), AvError> {
        if self.written >= self.end {
            // Beyond a clip nothing is written that later time stamps could be compared with.
            return Ok(());
        }
        let sound = frame.sound()?;
        if sound.rate_hz == 0 || sound.channels() == 0 {
            return Ok(());
        }
        if self.resampler.as_ref().is_none_or(|resampler| !resampler.takes(&sound)) {
            self.empty(sink)?;
            self.places = sound.places();
            let to = sound.converted(self.rate_hz, SampleFormat::DOUBLE_PLANAR)?;
            self.resampler = Some(Resampler::open(sound, to)?);
        }
        let rate = Ratio {
            num: 1,
            den: self.rate_hz as i32,
        };
        let mut at = time.map(|time| origin.since(time, self.unit, rate));
        // Containers that count milliseconds round the encoder's delay with all else.
        let tick = (self.unit.value() * f64::from(self.rate_hz)).ceil() as i64;
        if !self.has_begun && self.padding > 0 && at.is_some_and(|at| (at + self.padding).abs() <= tick) {
            at = Some(-self.padding);
        }
        let is_seam = std::mem::take(&mut self.is_seam);
        let expected = self.written - self.skip + self.resampler.as_ref().map_or(0, Resampler::delay);
        let mut step = at.map_or(0, |at| at - expected);
        if !self.has_begun || step.abs() > self.samples(TOLERANCE_S) {
            if self.has_begun {
                // What is still inside the resampler belongs before the gap.
                self.reopen(sink)?;
                step = at.map_or(0, |at| at - (self.written - self.skip));
                let is_of_seam = is_seam && step >= -self.samples(REST_S);
                if !is_of_seam {
                    self.moved_s += step.abs() as f64 / f64::from(self.rate_hz);
                }
            }
            self.of_seam = 0;
            self.skip -= step;
            if self.skip < 0 {
                self.silence(-self.skip, sink);
                self.skip = 0;
            }
            self.has_begun = true;
            self.drift = 0.0;
            self.stretching = 0;
        } else {
            if is_seam {
                self.of_seam = step.abs();
            }
            self.follow(step, frame.samples() as f64 / f64::from(frame.sound()?.rate_hz))?;
        }
        let out = match &mut self.resampler {
            Some(resampler) => resampler.run(Some(frame))?,
            None => None,
        };
        if let Some(out) = out {
            self.hand_on(&out, sink);
        }
        Ok(())
    }

    /// Notes by how much the time stamps are off, and stretches when they stay so.
    fn follow(&mut self, step: i64, length_s: f64) -> Result<(), AvError> {
        if self.stretching > 0 {
            self.stretching -= (length_s * f64::from(self.rate_hz)) as i64;
            return Ok(());
        }
        let share = (length_s / DRIFT_WINDOW_S).min(1.0);
        self.drift += (step as f64 - self.drift) * share;
        if self.drift.abs() > self.samples(DRIFT_S) as f64 {
            let delta = self.drift.round() as i64;
            let distance = (delta.abs() as f64 / STRETCH) as i64;
            if let Some(resampler) = &mut self.resampler {
                resampler.compensate(delta, distance)?;
            }
            self.stretching = distance;
            let of_seam = self.of_seam.min(delta.abs());
            self.of_seam -= of_seam;
            self.moved_s += (delta.abs() - of_seam) as f64 / f64::from(self.rate_hz);
            self.drift = 0.0;
        }
        Ok(())
    }

    /// The stream is over: what is inside comes out.
    pub fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), AvError> {
        self.empty(sink)
    }

    /// Silence up to a place, where sound ends too early for others.
    pub fn fill_up(&mut self, until: i64, sink: &mut Sink<'_>) {
        self.silence((until - self.written).max(0), sink);
    }

    fn reopen(&mut self, sink: &mut Sink<'_>) -> Result<(), AvError> {
        let Some(resampler) = &self.resampler else {
            return Ok(());
        };
        let fresh = resampler.fresh()?;
        self.empty(sink)?;
        self.resampler = Some(fresh);
        Ok(())
    }

    fn empty(&mut self, sink: &mut Sink<'_>) -> Result<(), AvError> {
        if let Some(mut resampler) = self.resampler.take()
            && let Some(rest) = resampler.run(None)?
        {
            self.hand_on(&rest, sink);
        }
        Ok(())
    }

    fn hand_on(&mut self, frame: &Frame, sink: &mut Sink<'_>) {
        let count = frame.samples();
        let skip = usize::try_from(self.skip).unwrap_or(0).min(count);
        self.skip -= skip as i64;
        let room = usize::try_from(self.end.saturating_sub(self.written).max(0)).unwrap_or(usize::MAX);
        let taken = (count - skip).min(room);
        if taken == 0 {
            return;
        }
        let channels: Vec<&[f64]> = (0..self.places.len())
            .filter_map(|channel| frame.double_channel(channel))
            .map(|samples| &samples[skip..skip + taken])
            .collect();
        self.written += taken as i64;
        sink(Piece::Sound(&self.places, &channels));
    }

    fn silence(&mut self, samples: i64, sink: &mut Sink<'_>) {
        let mut left = samples.min(self.end.saturating_sub(self.written));
        while left > 0 {
            let piece = left.min(SILENCE_SAMPLES);
            self.written += piece;
            left -= piece;
            sink(Piece::Silence(piece as usize));
        }
    }

    fn samples(&self, seconds: f64) -> i64 {
        (seconds * f64::from(self.rate_hz)) as i64
    }
}
