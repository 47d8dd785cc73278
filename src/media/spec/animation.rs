//! A short silent animated picture.
//!
//! Deliberately absent: sound.

use crate::media::spec::PictureFill;
use crate::media::spec::seconds;
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
    /// Animated AVIF.
    Avif,
}

impl AnimationFormat {
    /// File name extension with its dot.
    pub fn extension(self) -> &'static str {
        match self {
            AnimationFormat::Gif => ".gif",
            AnimationFormat::Webp => ".webp",
            AnimationFormat::Avif => ".avif",
        }
    }
}

/// How colours between those of a GIF's palette are imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dither {
    /// Errors spread to neighbours: best for film.
    #[default]
    Sierra,
    /// A fixed pattern: smaller files, no flicker.
    Bayer,
    /// Flat areas of the nearest colour: best for drawings.
    None,
}

impl Dither {
    fn is_default(&self) -> bool {
        *self == Dither::default()
    }
}

/// A short silent animated picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnimationSpec {
    /// Format.
    #[serde(default)]
    pub format: AnimationFormat,
    /// Take what there is of a truncated source, and say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Frames a second, 1..=60.
    #[serde(default = "AnimationSpec::default_fps")]
    pub fps: f64,
    /// Pixels, 8..=4096; one alone keeps the shape; none: 480 wide at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// See `width`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The longer side is `width` and the shorter one `height`, so portrait sources get portrait pictures.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub long_short: bool,
    /// How a frame fills a picture of another shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<PictureFill>,
    /// Where to begin, seconds or `hh:mm:ss[.SSS]`.
    #[serde(default, deserialize_with = "seconds::read")]
    pub start_s: f64,
    /// How long, seconds or `hh:mm:ss[.SSS]`, 0.1..=60; none: up to `end_s`, else 3 s.
    #[serde(
        default,
        deserialize_with = "seconds::read_if",
        skip_serializing_if = "Option::is_none"
    )]
    pub duration_s: Option<f64>,
    /// Where to end, seconds or `hh:mm:ss[.SSS]`; with `pieces` the end of what they are spread over.
    #[serde(
        default,
        deserialize_with = "seconds::read_if",
        skip_serializing_if = "Option::is_none"
    )]
    pub end_s: Option<f64>,
    /// So many pieces, 1..=100, of equal length, `duration_s` together, spread evenly from `start_s` to `end_s` (none:
    /// the end of the source).
    #[serde(default = "AnimationSpec::default_pieces", skip_serializing_if = "is_one")]
    pub pieces: u32,
    /// WebP and AVIF quality, 1..=100.
    #[serde(default = "AnimationSpec::default_quality")]
    pub quality: u8,
    /// Colours of a GIF's palette, 4..=256.
    #[serde(default = "AnimationSpec::default_colors", skip_serializing_if = "is_256")]
    pub colors: u32,
    /// How a GIF imitates the colours between.
    #[serde(default, skip_serializing_if = "Dither::is_default")]
    pub dither: Dither,
    /// How often it is shown, 0..=65535; 0: for ever, the only way for AVIF.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub loops: u32,
}

fn is_one(value: &u32) -> bool {
    *value == 1
}
fn is_256(value: &u32) -> bool {
    *value == 256
}
fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl AnimationSpec {
    fn default_fps() -> f64 {
        10.0
    }
    fn default_pieces() -> u32 {
        1
    }
    fn default_colors() -> u32 {
        256
    }
    fn default_quality() -> u8 {
        75
    }
}
