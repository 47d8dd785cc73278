//! How much every sample of a line counts for every sample of the line that it is scaled to.
//!
//! Guarantees: those of libswscale's bicubic (B 0, C 0.6, widened where pictures get smaller) and area filters, whose
//! pictures these come close to; weights of a sample always sum up to the same number, so that what is even stays even;
//! no weight lies outside the line. Deliberately absent: pixels.

/// Fractional bits of weights along rows.
pub const ACROSS_BITS: u32 = 14;
/// Fractional bits of weights down columns.
pub const DOWN_BITS: u32 = 12;
/// From here on every source sample is to count the same.
const AREA_RATIO: u32 = 2;

/// How neighbours are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    /// Sharp and smooth.
    Bicubic,
    /// Every source sample counts by how much of it is covered.
    Area,
}

impl Filter {
    /// Area where both edges are at least halved, else bicubic.
    pub fn between(from: (u32, u32), to: (u32, u32)) -> Self {
        if from.0 / to.0.max(1) >= AREA_RATIO && from.1 / to.1.max(1) >= AREA_RATIO {
            Filter::Area
        } else {
            Filter::Bicubic
        }
    }

    /// How far a sample reaches, in samples of the source; `step`: source samples a sample of the result.
    fn reach(self, step: f64) -> f64 {
        match self {
            Filter::Bicubic => 2.0 * step.max(1.0),
            Filter::Area => (step.max(1.0) + 1.0) / 2.0,
        }
    }

    /// Weight at a distance, in samples of the source.
    fn weight(self, distance: f64, step: f64) -> f64 {
        const C: f64 = 0.6;
        let step = step.max(1.0);
        match self {
            Filter::Area => (0.5 - (distance - step / 2.0)).clamp(0.0, 1.0),
            Filter::Bicubic => {
                let d = distance / step;
                if d < 1.0 {
                    ((2.0 - C) * d - (3.0 - C)) * d * d + 1.0
                } else if d < 2.0 {
                    ((-C * d + 5.0 * C) * d - 8.0 * C) * d + 4.0 * C
                } else {
                    0.0
                }
            }
        }
    }
}

/// The weights of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    taps: usize,
    first: Vec<u32>,
    /// Those of a sample one after the other.
    values: Vec<i32>,
}

impl Weights {
    /// For a line of `source` samples made one of `result`; both at least 1. The weights of a sample sum up to
    /// 2^`bits`.
    pub fn new(source: u32, result: u32, filter: Filter, bits: u32) -> Self {
        let last = source.max(1) - 1;
        let step = f64::from(source.max(1)) / f64::from(result.max(1));
        if source == result {
            return Weights {
                taps: 1,
                first: (0..result).collect(),
                values: vec![1 << bits; result as usize],
            };
        }
        let lines: Vec<(u32, Vec<i32>)> = (0..result)
            .map(|at| line((f64::from(at) + 0.5) * step - 0.5, step, filter, last, bits))
            .collect();
        let taps = lines.iter().map(|(_, weights)| weights.len()).max().unwrap_or(1);
        let mut first = Vec::with_capacity(lines.len());
        let mut values = Vec::with_capacity(lines.len() * taps);
        for (begin, weights) in lines {
            // All have the same number, and none lies beyond the end.
            let moved = begin.min(source.max(1) - taps as u32);
            first.push(moved);
            let before = (begin - moved) as usize;
            values.extend(std::iter::repeat_n(0, before));
            values.extend(&weights);
            values.extend(std::iter::repeat_n(0, taps - before - weights.len()));
        }
        Weights { taps, first, values }
    }

    /// The same line read from its other end.
    pub fn reversed(mut self) -> Self {
        self.first.reverse();
        self.values = self.values.rchunks_exact(self.taps).flatten().copied().collect();
        self
    }

    /// Samples of the result.
    pub fn count(&self) -> usize {
        self.first.len()
    }

    /// Weights of each.
    pub fn taps(&self) -> usize {
        self.taps
    }

    /// The source's samples that count for one of the result, and by how much.
    pub fn of(&self, at: usize) -> impl Iterator<Item = (usize, i32)> + '_ {
        let weights = &self.values[at * self.taps..(at + 1) * self.taps];
        (self.first[at] as usize..).zip(weights.iter().copied())
    }

    /// As kernels read them: first samples, then the first weights of all, the second of all ...
    pub fn table(&self) -> Vec<i32> {
        let mut table: Vec<i32> = self.first.iter().map(|first| *first as i32).collect();
        for tap in 0..self.taps {
            table.extend(self.values.iter().skip(tap).step_by(self.taps));
        }
        table
    }
}

/// First sample and weights of one sample of the result, without zeros at the ends.
fn line(centre: f64, step: f64, filter: Filter, last: u32, bits: u32) -> (u32, Vec<i32>) {
    let reach = filter.reach(step);
    let (begin, end) = ((centre - reach).floor() as i64, (centre + reach).ceil() as i64);
    let inside = |at: i64| at.clamp(0, i64::from(last));
    let origin = inside(begin);
    let mut weights = vec![0.0; (inside(end) - origin + 1) as usize];
    for at in begin..=end {
        // What would lie outside counts for the sample at the edge.
        weights[(inside(at) - origin) as usize] += filter.weight((at as f64 - centre).abs(), step);
    }
    let sum: f64 = weights.iter().sum();
    let one = f64::from(1_u32 << bits);
    let (mut exact, mut given) = (0.0, 0);
    let whole: Vec<i32> = weights
        .iter()
        .map(|weight| {
            exact += weight / sum * one;
            let value = exact.round() as i32 - given;
            given += value;
            value
        })
        .collect();
    let skipped = whole.iter().take_while(|weight| **weight == 0).count();
    let kept = whole.len() - whole.iter().rev().take_while(|weight| **weight == 0).count();
    (origin as u32 + skipped as u32, whole[skipped..kept].to_vec())
}

#[cfg(test)]
mod tests {
    use super::Filter;
    use super::Weights;

    #[test]
    fn weights_sum_up_and_stay_inside() {
        for filter in [Filter::Bicubic, Filter::Area] {
            for (source, result) in [
                (1920, 1280),
                (7, 3),
                (3, 7),
                (1, 5),
                (2, 64),
                (640, 11),
                (5, 5),
                (4000, 1),
            ] {
                let weights = Weights::new(source, result, filter, 14);
                assert_eq!(weights.count(), result as usize);
                for at in 0..weights.count() {
                    let sum: i32 = weights.of(at).map(|(_, weight)| weight).sum();
                    assert_eq!(sum, 1 << 14, "{filter:?} {source}->{result} at {at}");
                    assert!(weights.of(at).all(|(sample, _)| sample < source as usize));
                }
                assert_eq!(weights.table().len(), result as usize * (1 + weights.taps()));
            }
        }
    }

    #[test]
    fn halving_by_area_is_the_mean_of_two() {
        let weights = Weights::new(8, 4, Filter::Area, 14);
        assert_eq!(weights.taps(), 2);
        assert_eq!(weights.of(3).collect::<Vec<_>>(), [(6, 8192), (7, 8192)]);
        let backward = weights.reversed();
        assert_eq!(backward.of(0).collect::<Vec<_>>(), [(6, 8192), (7, 8192)]);
        assert_eq!(
            backward.table(),
            [6, 4, 2, 0, 8192, 8192, 8192, 8192, 8192, 8192, 8192, 8192]
        );
    }

    #[test]
    fn the_filter_follows_the_smaller_ratio() {
        assert_eq!(Filter::between((1920, 1080), (960, 540)), Filter::Area);
        assert_eq!(Filter::between((1920, 1080), (1280, 540)), Filter::Bicubic);
        assert_eq!(Filter::between((1920, 1080), (1280, 720)), Filter::Bicubic);
    }
}
