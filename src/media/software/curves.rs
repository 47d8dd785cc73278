//! The curves of a tone map: as formulas, and as the tables that its kernel reads between the points of.
//!
//! Guarantees: those of zimg's converter and of libav's `tonemap=hable:desat=0`, by which `media::grading` does the same.

/// Intervals of every table.
pub const STEPS: usize = 4096;
/// White of an SDR picture, cd/m2.
const SDR_WHITE_NITS: f64 = 100.0;
/// Peak of a display for HLG, cd/m2.
const HLG_PEAK_NITS: f64 = 1000.0;
/// System gamma of HLG at that peak.
const HLG_GAMMA: f64 = 1.2;
/// Signal above which nothing gets brighter.
pub const STRONGEST: f64 = 1.25;
/// Light above white that still has a signal of its own; white is 1.
pub const BRIGHTEST: f64 = 4.0;
/// A screen for SDR, ITU-R BT.1886 with a perfect black.
const SDR_GAMMA: f64 = 2.4;

/// How an HDR picture's signal is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// SMPTE ST 2084.
    Pq,
    /// ARIB STD-B67.
    Hlg,
}

impl Curve {
    /// Light of a signal on its display; white of SDR is 1. Signals a little above 1 occur, in HLG by intention.
    pub fn light(self, signal: f64) -> f64 {
        let signal = signal.clamp(0.0, STRONGEST);
        match self {
            Curve::Pq => {
                let powered = signal.powf(1.0 / 78.843_75);
                let part = (powered - 0.835_937_5).max(0.0) / (18.851_562_5 - 18.6875 * powered);
                part.powf(1.0 / 0.159_301_757_812_5) * 10_000.0 / SDR_WHITE_NITS
            }
            Curve::Hlg => {
                let scene = if signal <= 0.5 {
                    signal * signal / 3.0
                } else {
                    (((signal - 0.559_910_73) / 0.178_832_77).exp() + 0.284_668_92) / 12.0
                };
                // Each colour by itself, as zimg does it, not by the luminance of all.
                scene.powf(HLG_GAMMA) * HLG_PEAK_NITS / SDR_WHITE_NITS
            }
        }
    }
}

/// Hable's curve.
pub fn filmic(light: f64) -> f64 {
    (light * (light * 0.15 + 0.05) + 0.004) / (light * (light * 0.15 + 0.5) + 0.06) - 0.02 / 0.3
}

/// The signal of SDR that shows that light. Colours outside of BT.709 have light below 0, and signals to match.
pub fn sdr_signal(light: f64) -> f64 {
    light.abs().min(BRIGHTEST).powf(1.0 / SDR_GAMMA).copysign(light)
}

/// The kernel's tables, one after the other: light by 4/5 of the signal; the signal of SDR by half the square root of light.
pub fn tables(curve: Curve) -> Vec<f32> {
    let points = || (0..=STEPS).map(|step| step as f64 / STEPS as f64);
    points()
        .map(|part| curve.light(part * STRONGEST))
        .chain(points().map(|root| sdr_signal(root * root * BRIGHTEST)))
        .map(|value| value as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Curve;
    use super::STEPS;
    use super::sdr_signal;
    use super::tables;

    #[test]
    fn known_signals_are_known_light() {
        assert!((Curve::Pq.light(0.508_078) - 1.0).abs() < 1e-3, "100 cd/m2");
        assert!((Curve::Pq.light(1.0) - 100.0).abs() < 1e-6);
        assert!(
            (Curve::Hlg.light(0.75) - 2.03).abs() < 0.01,
            "reference white is 203 cd/m2"
        );
        assert!((sdr_signal(0.5) - 0.749).abs() < 1e-3 && sdr_signal(-0.5) == -sdr_signal(0.5));
    }

    #[test]
    fn tables_hold_their_curves_at_their_points() {
        let table = tables(Curve::Pq);
        assert_eq!(table.len(), 2 * (STEPS + 1));
        // The point nearest to a signal of 1 lies a little below it.
        assert!((99.0..=100.0).contains(&table[STEPS * 4 / 5]));
        assert_eq!(table[STEPS + 1 + STEPS / 2], 1.0);
        assert!(table[..=STEPS].is_sorted() && table[STEPS + 1..].is_sorted());
    }
}
