//! A short silent animated picture.
//!
//! Deliberately absent: sound.

use serde::Deserialize;
use serde::Serialize;

/// Animated picture formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnimationFormat {
    /// GIF with a palette made for the clip.
    #[default]
    Gif,
    /// Animated WebP.
    Webp,
}

impl AnimationFormat {
    /// File name extension with its dot.
    pub fn extension(self) -> &'static str {
        match self {
            AnimationFormat::Gif => ".gif",
            AnimationFormat::Webp => ".webp",
        }
    }
}

/// A short silent animated picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnimationSpec {
    /// Format.
    #[serde(default)]
    pub format: AnimationFormat,
    /// Frames a second, 1..=60.
    #[serde(default = "AnimationSpec::default_fps")]
    pub fps: f64,
    /// Pixels, 8..=4096; one alone keeps the shape; none: 480 wide at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// See `width`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Where to begin, seconds.
    #[serde(default)]
    pub start_s: f64,
    /// How long, seconds, 0.1..=60.
    #[serde(default = "AnimationSpec::default_duration_s")]
    pub duration_s: f64,
    /// WebP quality, 1..=100.
    #[serde(default = "AnimationSpec::default_quality")]
    pub quality: u8,
}

impl AnimationSpec {
    fn default_fps() -> f64 {
        10.0
    }
    fn default_duration_s() -> f64 {
        3.0
    }
    fn default_quality() -> u8 {
        75
    }
}
