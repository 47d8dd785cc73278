//! Quality over bitrate, of one size and of many, fitted to trial encodes.
//!
//! Guarantees: pure; quality rises with bitrate. Deliberately absent: making the trials.

use crate::media::product::LadderTrial;

/// Beyond the best trial quality rises so much more slowly.
const SATURATION: f64 = 0.5;
/// Bits grow with the pixels by this power where detail is seen no finer.
const BITS_POWER: f64 = 0.75;
/// Least rise of quality with each doubling of the bitrate, dB.
const LEAST_SLOPE: f64 = 0.2;

/// Quality over bitrate of one size.
#[derive(Debug, Clone)]
struct Curve {
    pixels: f64,
    /// log2 kbit/s, dB, crf; rising.
    points: Vec<(f64, f64, f64)>,
}

impl Curve {
    fn slope(&self, at: usize) -> f64 {
        let (one, other) = (self.points[at], self.points[at + 1]);
        ((other.1 - one.1) / (other.0 - one.0).max(1e-6)).max(LEAST_SLOPE)
    }

    fn psnr_db(&self, log_kbps: f64) -> f64 {
        let (first, last) = (self.points[0], self.points[self.points.len() - 1]);
        if self.points.len() < 2 {
            return first.1 + (log_kbps - first.0);
        }
        if log_kbps <= first.0 {
            return first.1 + (log_kbps - first.0) * self.slope(0);
        }
        if log_kbps >= last.0 {
            return last.1 + (log_kbps - last.0) * self.slope(self.points.len() - 2) * SATURATION;
        }
        let at = self
            .points
            .windows(2)
            .position(|pair| log_kbps <= pair[1].0)
            .unwrap_or(0);
        self.points[at].1 + (log_kbps - self.points[at].0) * self.slope(at)
    }

    fn crf(&self, log_kbps: f64) -> f64 {
        let (first, last) = (self.points[0], self.points[self.points.len() - 1]);
        let span = last.0 - first.0;
        if span.abs() < 1e-6 {
            return first.2;
        }
        first.2 + (log_kbps - first.0) / span * (last.2 - first.2)
    }
}

/// What trials of some sizes say of all sizes.
#[derive(Debug, Clone)]
pub struct Curves {
    /// Smallest first.
    curves: Vec<Curve>,
}

impl Curves {
    /// Fitted to trials; none without any.
    pub fn fit(trials: &[LadderTrial]) -> Option<Self> {
        let mut curves: Vec<Curve> = Vec::new();
        for trial in trials.iter().filter(|trial| trial.kbps > 0.0) {
            let pixels = f64::from(trial.width) * f64::from(trial.height);
            let point = (trial.kbps.log2(), trial.psnr_db, trial.crf);
            match curves.iter_mut().find(|curve| curve.pixels == pixels) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve {
                    pixels,
                    points: vec![point],
                }),
            }
        }
        curves.sort_by(|one, other| one.pixels.total_cmp(&other.pixels));
        for curve in &mut curves {
            curve.points.sort_by(|one, other| one.0.total_cmp(&other.0));
        }
        (!curves.is_empty()).then_some(Curves { curves })
    }

    /// Quality that a picture of so many pixels has at a bitrate, seen at the largest size tried.
    pub fn psnr_db(&self, pixels: f64, kbps: f64) -> f64 {
        self.between(pixels, kbps, Curve::psnr_db) - self.lost_db(pixels)
    }

    /// Constant quality of x264 that comes to a bitrate.
    pub fn crf(&self, pixels: f64, kbps: f64) -> f64 {
        self.between(pixels, kbps, Curve::crf)
    }

    /// Pixels of the largest size tried.
    pub fn largest(&self) -> f64 {
        self.curves.last().map_or(0.0, |curve| curve.pixels)
    }

    /// What a picture smaller than any tried loses by that: as much with each halving as the smallest ones tried.
    fn lost_db(&self, pixels: f64) -> f64 {
        let [first, next, ..] = self.curves.as_slice() else {
            return 0.0;
        };
        let best = |curve: &Curve| curve.points[curve.points.len() - 1].1;
        let per_halving = (best(next) - best(first)) / (next.pixels / first.pixels).log2();
        per_halving.max(0.0) * (first.pixels / pixels).log2().max(0.0)
    }

    fn between(&self, pixels: f64, kbps: f64, of: fn(&Curve, f64) -> f64) -> f64 {
        let log_kbps = kbps.max(1.0).log2();
        let (Some(first), Some(last)) = (self.curves.first(), self.curves.last()) else {
            return 0.0;
        };
        if pixels >= last.pixels {
            // A larger picture needs more bits for the same; finer detail than was tried is not seen in the trials.
            return of(last, log_kbps - BITS_POWER * (pixels / last.pixels).log2());
        }
        if pixels <= first.pixels {
            return of(first, log_kbps + BITS_POWER * (first.pixels / pixels).log2());
        }
        let at = self
            .curves
            .windows(2)
            .position(|pair| pixels <= pair[1].pixels)
            .unwrap_or(0);
        let (small, large) = (&self.curves[at], &self.curves[at + 1]);
        let share = (pixels / small.pixels).log2() / (large.pixels / small.pixels).log2();
        of(small, log_kbps) * (1.0 - share) + of(large, log_kbps) * share
    }
}

#[cfg(test)]
mod tests {
    use super::Curves;
    use crate::media::product::LadderTrial;

    fn trial(height: u32, kbps: f64, psnr_db: f64, crf: f64) -> LadderTrial {
        LadderTrial {
            width: height * 16 / 9,
            height,
            crf,
            kbps,
            psnr_db,
        }
    }

    #[test]
    fn small_pictures_win_at_low_bitrates_and_large_ones_at_high() {
        let curves = Curves::fit(&[
            trial(720, 4000.0, 44.0, 22.0),
            trial(720, 500.0, 34.0, 34.0),
            trial(360, 1000.0, 38.0, 22.0),
            trial(360, 125.0, 33.0, 34.0),
        ])
        .expect("trials");
        let pixels = |height: f64| height * height * 16.0 / 9.0;
        assert!(curves.psnr_db(pixels(360.0), 200.0) > curves.psnr_db(pixels(720.0), 200.0));
        assert!(curves.psnr_db(pixels(360.0), 4000.0) < curves.psnr_db(pixels(720.0), 4000.0));
        let middle = curves.psnr_db(pixels(540.0), 1000.0);
        assert!((30.0..44.0).contains(&middle), "{middle}");
        assert!((curves.crf(pixels(720.0), 4000.0) - 22.0).abs() < 1e-9);
        assert!((curves.psnr_db(pixels(720.0), 500.0) - 34.0).abs() < 1e-9);
    }
}
