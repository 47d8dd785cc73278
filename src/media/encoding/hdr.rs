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
