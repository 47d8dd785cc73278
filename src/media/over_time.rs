//! What is measured while time goes by, gathered into steps of equal length.
//!
//! Guarantees: memory and the number of values are bounded: steps are a second long, and twice as long each time there
//! would be more than [`MOST_POINTS`] of them. Deliberately absent: what is measured.

use crate::media::product::BitrateSeries;
use crate::media::product::MOST_POINTS;

/// One value a step, and how two steps become one.
#[derive(Debug, Clone)]
pub struct Steps<T> {
    /// Seconds of each; a power of two.
    step_s: u64,
    values: Vec<T>,
    join: fn(&T, &T) -> T,
}

impl<T: Clone + Default> Steps<T> {
    /// Without values. `join` makes one of two.
    pub fn new(join: fn(&T, &T) -> T) -> Self {
        Steps {
            step_s: 1,
            values: Vec::new(),
            join,
        }
    }

    /// Adds what was measured in a second; what is before the beginning counts to the first.
    pub fn add(&mut self, second: u64, value: &T) {
        while second / self.step_s >= MOST_POINTS as u64 {
            self.halve();
        }
        let at = usize::try_from(second / self.step_s).unwrap_or(0);
        if at >= self.values.len() {
            self.values.resize(at + 1, T::default());
        }
        self.values[at] = (self.join)(&self.values[at], value);
    }

    fn halve(&mut self) {
        let nothing = T::default();
        let joined = self
            .values
            .chunks(2)
            .map(|pair| (self.join)(&pair[0], pair.get(1).unwrap_or(&nothing)));
        self.values = joined.collect();
        self.step_s = self.step_s.saturating_mul(2);
    }

    /// Seconds of each step.
    pub fn step_s(&self) -> f64 {
        self.step_s as f64
    }

    /// The values in the order of time.
    pub fn values(&self) -> &[T] {
        &self.values
    }
}

/// Bits of one track by the time they are played.
#[derive(Debug, Clone)]
pub struct Bits {
    bytes: Steps<u64>,
    total_bytes: u64,
}

impl Default for Bits {
    fn default() -> Self {
        Bits {
            bytes: Steps::new(|left, right| left + right),
            total_bytes: 0,
        }
    }
}

impl Bits {
    /// A packet that is played from `at_s` on.
    pub fn add(&mut self, at_s: f64, size_bytes: usize) {
        let size_bytes = size_bytes as u64;
        self.total_bytes += size_bytes;
        // What is no number, or before the beginning, becomes 0.
        self.bytes.add(at_s as u64, &size_bytes);
    }

    /// What it comes to for a track that is played from `first_s` to `end_s`; none: there is nothing in it.
    pub fn series(&self, first_s: f64, end_s: f64) -> Option<BitrateSeries> {
        let step_s = self.bytes.step_s();
        let mut bytes = self.bytes.values().to_vec();
        if self.total_bytes == 0 || end_s <= 0.0 || !end_s.is_finite() {
            return None;
        }
        let mut last_s = end_s - (bytes.len() - 1) as f64 * step_s;
        if last_s < step_s / 2.0
            && let Some(rest) = bytes.pop()
        {
            // A few pictures say nothing of a rate.
            match bytes.last_mut() {
                Some(last) => {
                    *last += rest;
                    last_s += step_s;
                }
                None => bytes.push(rest),
            }
        }
        // The end of a track is that of its last packet, which may begin in a step of its own.
        let last_s = last_s.max(1e-3);
        let last = bytes.len() - 1;
        let rate = |(at, bytes): (usize, u64)| kbps(bytes, if at == last { last_s } else { step_s });
        let kbps_of_steps: Vec<u32> = bytes.into_iter().enumerate().map(rate).collect();
        Some(BitrateSeries {
            step_s,
            average_kbps: kbps(self.total_bytes, (end_s - first_s).max(1e-3)),
            peak_kbps: kbps_of_steps.iter().copied().max().unwrap_or(0),
            kbps: kbps_of_steps,
        })
    }
}

fn kbps(bytes: u64, seconds: f64) -> u32 {
    (bytes as f64 * 8.0 / 1000.0 / seconds).round() as u32
}

#[cfg(test)]
mod tests {
    use super::Bits;
    use super::Steps;
    use crate::media::product::MOST_POINTS;

    #[test]
    fn steps_double_and_nothing_is_lost() {
        let mut steps: Steps<u64> = Steps::new(|left, right| left + right);
        for second in 0..10_000 {
            steps.add(second, &1);
        }
        assert_eq!(steps.step_s(), 32.0);
        assert_eq!(steps.values().len(), 313);
        assert!(steps.values().len() <= MOST_POINTS);
        assert_eq!(steps.values()[0], 32);
        assert_eq!(steps.values().iter().sum::<u64>(), 10_000);
        // A time stamp that is far off costs nothing but resolution.
        steps.add(u64::MAX, &1);
        assert_eq!(steps.values().iter().sum::<u64>(), 10_001);
    }

    #[test]
    fn a_steady_rate_is_steady_up_to_its_end() {
        let mut bits = Bits::default();
        for picture in 0..103 {
            bits.add(f64::from(picture) * 0.04, 500);
        }
        let series = bits.series(0.0, 4.12).expect("bits");
        assert_eq!(series.step_s, 1.0);
        assert_eq!(series.kbps, [100, 100, 100, 100]);
        assert_eq!((series.average_kbps, series.peak_kbps), (100, 100));
        let mut bits = Bits::default();
        for picture in 0..90 {
            bits.add(f64::from(picture) * 0.04, if picture < 25 { 1000 } else { 500 });
        }
        let series = bits.series(0.0, 3.6).expect("bits");
        assert_eq!(series.kbps, [200, 100, 100, 100]);
        assert_eq!(series.peak_kbps, 200);
    }

    #[test]
    fn what_holds_nothing_has_no_rate() {
        assert_eq!(Bits::default().series(0.0, 5.0), None);
        let mut bits = Bits::default();
        bits.add(f64::NAN, 10);
        assert_eq!(bits.series(0.0, f64::NAN), None);
        assert_eq!(bits.series(0.0, 0.5).expect("bits").kbps.len(), 1);
    }
}
