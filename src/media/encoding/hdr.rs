//! What HDR10 says of its pictures beside the transfer: the mastering display and the light levels.
//!
//! Guarantees: plain values in the units of SMPTE ST 2086 and CTA-861.3. Deliberately absent: where they come from.

/// The display that the pictures were mastered on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MasteringDisplay {
    /// CIE 1931 x and y of red, green and blue.
    pub primaries: [(f64, f64); 3],
    /// Of white.
    pub white: (f64, f64),
    /// Brightest, cd/m2.
    pub max_luminance: f64,
    /// Darkest, cd/m2.
    pub min_luminance: f64,
}

/// The light of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentLight {
    /// Brightest pixel of all (MaxCLL), cd/m2.
    pub max_content: u32,
    /// Highest average of a frame (MaxFALL), cd/m2.
    pub max_frame_average: u32,
}

/// What HDR10 carries; either may be missing, and HLG has neither.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HdrMetadata {
    /// The mastering display.
    pub mastering: Option<MasteringDisplay>,
    /// The light levels.
    pub light: Option<ContentLight>,
}

impl HdrMetadata {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        self.mastering.is_none() && self.light.is_none()
    }

    /// What `self` leaves open, as `other` says it.
    pub fn or(self, other: HdrMetadata) -> HdrMetadata {
        HdrMetadata {
            mastering: self.mastering.or(other.mastering),
            light: self.light.or(other.light),
        }
    }

    /// The brightest that is to be expected, cd/m2; none when nothing sensible is said.
    pub fn peak_nits(&self) -> Option<f64> {
        let content = self.light.map(|light| f64::from(light.max_content));
        let display = self.mastering.map(|mastering| mastering.max_luminance);
        [content, display]
            .into_iter()
            .flatten()
            .find(|nits| (100.0..=10_000.0).contains(nits))
    }
}

impl std::fmt::Display for HdrMetadata {
    /// Rounded as any carrier rounds: chromaticities to 1/10000, so that copies compare equal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut words = Vec::new();
        if let Some(m) = &self.mastering {
            let [red, green, blue] = m.primaries;
            let points = [red, green, blue, m.white].map(|(x, y)| format!("{x:.4},{y:.4}"));
            words.push(format!("display {} to {:.0} cd/m2", points.join(" "), m.max_luminance));
        }
        if let Some(light) = &self.light {
            words.push(format!("light {},{}", light.max_content, light.max_frame_average));
        }
        if words.is_empty() {
            words.push("none".to_owned());
        }
        f.write_str(&words.join(", "))
    }
}
