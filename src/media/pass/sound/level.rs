//! How loud an encode is made: one gain for all of it, a slow curve where its range is too wide, a limiter for its
//! peaks; and what came of it.
//!
//! Guarantees: without anything to do samples pass untouched. Deliberately absent: how the gain is found.

use crate::media::loudness::Loudness;
use crate::media::loudness::Meter;
use crate::media::pass::sound::limiter::Limiter;
use crate::media::product::LoudnessSeries;
use std::sync::Arc;

/// What is done to the level of an encode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gain {
    /// For all samples, dB.
    pub db: f64,
    /// Highest true peak, dBTP, where the gain would pass it.
    pub ceiling_dbtp: Option<f64>,
    /// Gain beside `db` at each full second, dB.
    pub curve: Option<Arc<[f32]>>,
}

/// Applies a gain and measures.
#[derive(Debug)]
pub struct Level {
    factor: f64,
    curve: Option<Arc<[f32]>>,
    rate_hz: u32,
    position: u64,
    limiter: Option<Limiter>,
    meter: Option<Meter>,
    /// Loudness of the three seconds before each full second, LUFS; minus infinity: silence.
    history: Vec<f32>,
}

impl Level {
    /// For so many channels; `measures`: tells the loudness afterwards.
    pub fn new(channels: u32, rate_hz: u32, gain: Option<&Gain>, measures: bool) -> Self {
        let factor = gain.map_or(1.0, |gain| decibels(gain.db));
        Level {
            factor,
            curve: gain.and_then(|gain| gain.curve.clone()),
            rate_hz,
            position: 0,
            limiter: gain
                .and_then(|gain| gain.ceiling_dbtp)
                .map(|ceiling| Limiter::new(channels as usize, rate_hz, decibels(ceiling))),
            meter: measures.then(|| Meter::new(channels, rate_hz)).flatten(),
            history: Vec::new(),
        }
    }

    /// Whether samples come out as they went in.
    pub fn is_idle(&self) -> bool {
        self.factor == 1.0 && self.curve.is_none() && self.limiter.is_none()
    }

    /// Takes samples; answers those that are ready.
    pub fn run(&mut self, mut channels: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        if let Some(curve) = &self.curve {
            for samples in &mut channels {
                for (at, sample) in samples.iter_mut().enumerate() {
                    *sample *= self.factor * at_second(curve, self.position + at as u64, self.rate_hz);
                }
            }
        } else if self.factor != 1.0 {
            channels.iter_mut().flatten().for_each(|sample| *sample *= self.factor);
        }
        self.position += channels.first().map_or(0, Vec::len) as u64;
        if let Some(limiter) = &mut self.limiter {
            let mut out = vec![Vec::new(); channels.len()];
            limiter.run(&channels, &mut out);
            channels = out;
        }
        self.measure(&channels);
        channels
    }

    /// What is still inside.
    pub fn finish(&mut self, channels: usize) -> Vec<Vec<f64>> {
        let mut out = vec![Vec::new(); channels];
        if let Some(limiter) = &mut self.limiter {
            limiter.finish(&mut out);
        }
        self.measure(&out);
        out
    }

    fn measure(&mut self, channels: &[Vec<f64>]) {
        let Some(meter) = &mut self.meter else { return };
        let slices: Vec<&[f64]> = channels.iter().map(Vec::as_slice).collect();
        meter.push_planar(&slices);
        self.history
            .extend(meter.passed_seconds().iter().map(|lufs| *lufs as f32));
    }

    /// What was measured of what came out.
    pub fn loudness(&self) -> Option<Loudness> {
        self.meter.as_ref().map(Meter::result)
    }

    /// How loud it was over its length, where it was measured.
    pub fn series(&self) -> Option<LoudnessSeries> {
        self.meter.as_ref().and_then(Meter::series)
    }

    /// Loudness of the three seconds before each full second, LUFS; minus infinity: silence.
    pub fn history(&self) -> &[f32] {
        &self.history
    }

    /// Most the limiter turned down, dB.
    pub fn limited_db(&self) -> f64 {
        self.limiter
            .as_ref()
            .map_or(0.0, |limiter| -20.0 * limiter.deepest().max(1e-6).log10())
    }
}

fn decibels(db: f64) -> f64 {
    10_f64.powf(db / 20.0)
}

/// The factor of a curve at a sample, between its full seconds.
fn at_second(curve: &[f32], sample: u64, rate_hz: u32) -> f64 {
    let at = sample as f64 / f64::from(rate_hz.max(1));
    let second = at as usize;
    let value = |second: usize| f64::from(curve.get(second).or(curve.last()).copied().unwrap_or(0.0));
    let share = at - second as f64;
    decibels(value(second) * (1.0 - share) + value(second + 1) * share)
}

#[cfg(test)]
mod tests {
    use super::Gain;
    use super::Level;
    use super::at_second;

    #[test]
    fn a_gain_is_exact_and_none_touches_nothing() {
        let mut level = Level::new(1, 48_000, None, false);
        assert!(level.is_idle());
        assert_eq!(level.run(vec![vec![0.1, -0.3]]), [[0.1, -0.3]]);
        let gain = Gain {
            db: -20.0,
            ..Gain::default()
        };
        let mut level = Level::new(1, 48_000, Some(&gain), false);
        assert!((level.run(vec![vec![1.0]])[0][0] - 0.1).abs() < 1e-12);
    }

    #[test]
    fn a_curve_goes_straight_from_second_to_second() {
        let curve = [0.0, 20.0, 0.0];
        assert!((at_second(&curve, 48_000, 48_000) - 10.0).abs() < 1e-9);
        assert!((at_second(&curve, 24_000, 48_000) - 10_f64.sqrt()).abs() < 1e-9);
        assert!((at_second(&curve, 480_000, 48_000) - 1.0).abs() < 1e-9);
    }
}
