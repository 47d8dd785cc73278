//! A limiter that sees peaks coming, those between samples included.
//!
//! Guarantees: as many samples come out as went in, at the same places; what stays below the ceiling is not touched.

use std::collections::VecDeque;
use std::f64::consts::PI;

/// It begins to turn down so long before a peak.
const AHEAD_S: f64 = 0.005;
/// And is back after so long.
const RELEASE_S: f64 = 0.1;
/// Samples on each side that a value between samples is calculated from.
const REACH: usize = 12;
/// Kept below the ceiling for what the calculation misses.
const MARGIN: f64 = 0.99;

/// Keeps the true peak of all channels below a ceiling, all turned down alike.
#[derive(Debug)]
pub struct Limiter {
    ceiling: f64,
    window: usize,
    release: f64,
    /// Weights of the samples around for each point between two.
    between: Vec<[f64; 2 * REACH]>,
    /// Samples not yet given out, channel by channel.
    waiting: Vec<VecDeque<f64>>,
    /// The latest samples, for points between.
    recent: Vec<[f64; 2 * REACH]>,
    /// Samples since the beginning.
    seen: usize,
    last_peak: f64,
    /// Lowest gain wanted within the window: number and value, ascending.
    lowest: VecDeque<(usize, f64)>,
    envelope: f64,
    averaged: VecDeque<f64>,
    sum: f64,
    deepest: f64,
}

impl Limiter {
    /// For a ceiling as a share of full scale.
    pub fn new(channels: usize, rate_hz: u32, ceiling: f64) -> Self {
        let rate = f64::from(rate_hz);
        // As BS.1770 wants: four points a sample, fewer where rates are high anyway.
        let points = match rate_hz {
            0..96_000 => 4,
            96_000..192_000 => 2,
            _ => 1,
        };
        let window = ((AHEAD_S * rate) as usize).max(2);
        Limiter {
            ceiling: ceiling * MARGIN,
            window,
            release: 1.0 - (-1.0 / (RELEASE_S * rate)).exp(),
            between: (1..points).map(|point| weights(point as f64 / points as f64)).collect(),
            waiting: vec![VecDeque::new(); channels],
            recent: vec![[0.0; 2 * REACH]; channels],
            seen: 0,
            last_peak: 0.0,
            lowest: VecDeque::new(),
            envelope: 1.0,
            averaged: VecDeque::from(vec![1.0; window]),
            sum: window as f64,
            deepest: 1.0,
        }
    }

    /// Most it turned down, as a gain.
    pub fn deepest(&self) -> f64 {
        self.deepest
    }

    /// Takes samples, appends those that are ready.
    pub fn run(&mut self, channels: &[Vec<f64>], out: &mut [Vec<f64>]) {
        let count = channels.first().map_or(0, Vec::len);
        for at in 0..count {
            for (waiting, samples) in self.waiting.iter_mut().zip(channels) {
                waiting.push_back(samples[at]);
            }
            self.step(|channel| channels[channel][at], out);
        }
    }

    /// Appends what is still inside.
    pub fn finish(&mut self, out: &mut [Vec<f64>]) {
        while self.waiting.first().is_some_and(|waiting| !waiting.is_empty()) {
            self.step(|_| 0.0, out);
        }
    }

    fn step(&mut self, sample: impl Fn(usize) -> f64, out: &mut [Vec<f64>]) {
        let mut peak = 0.0_f64;
        for (channel, recent) in self.recent.iter_mut().enumerate() {
            recent.copy_within(1.., 0);
            recent[2 * REACH - 1] = sample(channel);
            // The sample in the middle, and the points between it and the next one.
            peak = peak.max(recent[REACH - 1].abs());
            for weights in &self.between {
                let value: f64 = recent.iter().zip(weights).map(|(sample, weight)| sample * weight).sum();
                peak = peak.max(value.abs());
            }
        }
        // Points between two samples are of both.
        let loudest = peak.max(self.last_peak);
        self.last_peak = peak;
        let wanted = if loudest > self.ceiling {
            self.ceiling / loudest
        } else {
            1.0
        };
        while self.lowest.back().is_some_and(|(_, gain)| *gain >= wanted) {
            self.lowest.pop_back();
        }
        self.lowest.push_back((self.seen, wanted));
        while self
            .lowest
            .front()
            .is_some_and(|(number, _)| number + self.window <= self.seen)
        {
            self.lowest.pop_front();
        }
        let lowest = self.lowest.front().map_or(1.0, |(_, gain)| *gain);
        self.envelope = if lowest < self.envelope {
            lowest
        } else {
            self.envelope + (lowest - self.envelope) * self.release
        };
        self.sum += self.envelope - self.averaged.pop_front().unwrap_or(1.0);
        self.averaged.push_back(self.envelope);
        let gain = self.sum / self.window as f64;
        self.seen += 1;
        // The sample in the middle has number seen - 1 - REACH; its gain stands for that of a window before.
        if self.seen >= REACH + self.window {
            self.deepest = self.deepest.min(gain);
            for (waiting, out) in self.waiting.iter_mut().zip(out) {
                if let Some(sample) = waiting.pop_front() {
                    out.push(sample * gain.min(1.0));
                }
            }
        }
    }
}

/// Weights of `2 * REACH` samples for the point at a share of the way from the `REACH`th to the next.
fn weights(share: f64) -> [f64; 2 * REACH] {
    let mut weights = [0.0; 2 * REACH];
    for (at, weight) in weights.iter_mut().enumerate() {
        let distance = at as f64 - (REACH - 1) as f64 - share;
        let sinc = if distance == 0.0 {
            1.0
        } else {
            (PI * distance).sin() / (PI * distance)
        };
        let window = (PI * distance / (2 * REACH) as f64).cos();
        *weight = sinc * window * window;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::Limiter;
    use crate::media::loudness::Meter;

    fn limited(sound: &[Vec<f64>], rate_hz: u32, ceiling: f64) -> Vec<Vec<f64>> {
        let mut limiter = Limiter::new(sound.len(), rate_hz, ceiling);
        let mut out = vec![Vec::new(); sound.len()];
        let count = sound[0].len();
        for from in (0..count).step_by(1000) {
            let piece: Vec<Vec<f64>> = sound
                .iter()
                .map(|samples| samples[from..(from + 1000).min(count)].to_vec())
                .collect();
            limiter.run(&piece, &mut out);
        }
        limiter.finish(&mut out);
        out
    }

    #[test]
    fn quiet_sound_passes_sample_by_sample() {
        let sound: Vec<f64> = (0..5_000).map(|n| 0.5 * (f64::from(n) * 0.37).sin()).collect();
        let out = limited(std::slice::from_ref(&sound), 48_000, 0.9);
        assert_eq!(out[0].len(), sound.len());
        assert!(
            out[0]
                .iter()
                .zip(&sound)
                .all(|(one, other)| (one - other).abs() < 1e-12)
        );
    }

    #[test]
    fn peaks_between_samples_stay_below_the_ceiling() {
        // A quarter of the rate, between the samples: 3 dB more than any sample shows.
        let tone = |n: usize| (std::f64::consts::PI * (n as f64 / 2.0 + 0.25)).sin();
        let sound: Vec<f64> = (0..48_000)
            .map(|n| tone(n) * if n / 4_800 % 2 == 0 { 0.2 } else { 1.0 })
            .collect();
        let ceiling = 10_f64.powf(-1.0 / 20.0);
        let out = limited(&[sound.clone(), sound], 48_000, ceiling);
        let mut meter = Meter::new(2, 48_000).expect("a meter");
        meter.push_planar(&[&out[0], &out[1]]);
        let peak = meter.result().true_peak_dbtp.expect("a peak");
        assert!(peak <= -1.0 + 0.05, "{peak}");
        assert!(peak > -2.0, "{peak}");
        assert_eq!(out[0].len(), 48_000);
    }
}
