//! The curves of a tone map: as formulas, and as the tables that its kernel reads between the points of.
//!
//! Guarantees: those of zimg's converter and of libav's `tonemap=hable:desat=0`, by which `media::grading` does the same.

/// Intervals of every table.
pub const STEPS: usize = 4096;
/// White of an SDR picture, cd/m2.
const SDR_WHITE_NITS: f64 = 100.0;
/// Peak of a display for HLG, cd/m2.
const HLG_PEAK_NITS: f64 = 1000.0;
/// System gamma of HLG at that peak, less 1.
const HLG_GAMMA: f64 = 0.2;
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
    /// Light of a signal (0 to 1): of the display, white of SDR is 1; for HLG that of the scene, 0 to 1.
    pub fn light(self, signal: f64) -> f64 {
        let signal = signal.clamp(0.0, 1.0);
        match self {
            Curve::Pq => {
                let powered = signal.powf(1.0 / 78.843_75);
                let part = (powered - 0.835_937_5).max(0.0) / (18.851_562_5 - 18.6875 * powered);
                part.powf(1.0 / 0.159_301_757_812_5) * 10_000.0 / SDR_WHITE_NITS
            }
            Curve::Hlg if signal <= 0.5 => signal * signal / 3.0,
            Curve::Hlg => (((signal - 0.559_910_73) / 0.178_832_77).exp() + 0.284_668_92) / 12.0,
        }
    }
}

/// What scene light of HLG with that luminance is multiplied by to be the display's.
pub fn display_factor(luminance: f64) -> f64 {
    luminance.clamp(0.0, 1.0).powf(HLG_GAMMA) * HLG_PEAK_NITS / SDR_WHITE_NITS
}

/// Hable's curve.
pub fn filmic(light: f64) -> f64 {
    (light * (light * 0.15 + 0.05) + 0.004) / (light * (light * 0.15 + 0.5) + 0.06) - 0.02 / 0.3
}

/// The signal of SDR that shows that light.
pub fn sdr_signal(light: f64) -> f64 {
    light.clamp(0.0, 1.0).powf(1.0 / SDR_GAMMA)
}

/// The kernel's tables, one after the other: light by signal; the display's factor by the fourth root of luminance; the
/// signal of SDR by the square root of light.
pub fn tables(curve: Curve) -> Vec<f32> {
    let points = || (0..=STEPS).map(|step| step as f64 / STEPS as f64);
    points()
        .map(|signal| curve.light(signal))
        .chain(points().map(|root| display_factor(root.powi(4))))
        .chain(points().map(|root| sdr_signal(root * root)))
        .map(|value| value as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Curve;
    use super::STEPS;
    use super::display_factor;
    use super::sdr_signal;
    use super::tables;

    #[test]
    fn known_signals_are_known_light() {
        assert!((Curve::Pq.light(0.508_078) - 1.0).abs() < 1e-3, "100 cd/m2");
        assert!((Curve::Pq.light(1.0) - 100.0).abs() < 1e-6);
        assert!((Curve::Hlg.light(0.75) - 0.264_96).abs() < 1e-4);
        let white = Curve::Hlg.light(0.75);
        assert!(
            (white * display_factor(white) - 2.03).abs() < 0.01,
            "reference white is 203 cd/m2"
        );
        assert!((sdr_signal(0.5) - 0.749).abs() < 1e-3);
    }

    #[test]
    fn tables_hold_their_curves_at_their_points() {
        let table = tables(Curve::Pq);
        assert_eq!(table.len(), 3 * (STEPS + 1));
        assert_eq!(table[STEPS], 100.0);
        assert_eq!(table[2 * STEPS + 1], 10.0);
        assert_eq!(table[3 * STEPS + 2], 1.0);
        assert!(table[..=STEPS].is_sorted() && table[2 * STEPS + 2..].is_sorted());
    }
}
