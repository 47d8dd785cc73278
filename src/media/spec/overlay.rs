//! What is drawn onto a rendition: watermarks, boxes that hide what is beneath them, subtitles.
//!
//! Guarantees: part of the video encode, so that equal pictures are encoded once. Deliberately absent: the files;
//! a name here is `storage:key`, and the bytes come with the order.

use crate::media::spec::extent::Extent;
use serde::Deserialize;
use serde::Serialize;

/// What a watermark is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatermarkKind {
    /// A PNG, JPEG or WebP file.
    #[default]
    Image,
    /// An SVG, from a file or written out.
    Svg,
    /// A line of text, or several.
    Text,
}

/// From where a place on the picture is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Corner {
    /// Left and top edge.
    TopLeft,
    /// Right and top edge.
    #[default]
    TopRight,
    /// Left and bottom edge.
    BottomLeft,
    /// Right and bottom edge.
    BottomRight,
    /// The middle; `x` and `y` go right and down from there.
    Center,
}

/// A mark on every picture, or on those of a span of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatermarkSpec {
    /// What it is drawn from.
    #[serde(default)]
    pub kind: WatermarkKind,
    /// The file, `storage:key`, of kinds `image` and `svg`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The SVG itself, at most 2000000 characters; instead of `image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svg: Option<String>,
    /// The text, at most 500 characters; `\n` begins a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// From where `x` and `y` count.
    #[serde(default)]
    pub corner: Corner,
    /// Distance from that edge: pixels, or a part of the width.
    #[serde(default = "nothing")]
    pub x: Extent,
    /// Distance from that edge: pixels, or a part of the height.
    #[serde(default = "nothing")]
    pub y: Extent,
    /// Width: pixels, or a part of the rendition's; one of both keeps the shape; none: 12 % of the rendition's width,
    /// and of text the size its font gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Extent>,
    /// Height: pixels, or a part of the rendition's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<Extent>,
    /// 0 (not seen) to 1.
    #[serde(default = "WatermarkSpec::default_opacity")]
    pub opacity: f64,
    /// Seconds of the output where it appears first; negative: counted from the end.
    #[serde(default)]
    pub start_s: f64,
    /// For how long; none: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// It appears again every so many seconds; needs `duration_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_s: Option<f64>,
    /// Height of letters of text: pixels, or a part of the rendition's height.
    #[serde(default = "WatermarkSpec::default_font_size")]
    pub font_size: Extent,
    /// Name of an installed font family, or `sans-serif`, `serif`, `monospace`.
    #[serde(default = "WatermarkSpec::default_font")]
    pub font: String,
    /// Colour of text, `#rrggbb`.
    #[serde(default = "WatermarkSpec::default_color")]
    pub color: String,
    /// Width of the border around letters in pixels, 0..=4096.
    #[serde(default)]
    pub border: u32,
    /// Its colour, `#rrggbb`.
    #[serde(default = "WatermarkSpec::default_border_color")]
    pub border_color: String,
}

impl WatermarkSpec {
    /// Width of a mark without a size of its own, as a part of the rendition's.
    pub const DEFAULT_WIDTH: Extent = Extent::Part(0.12);

    fn default_opacity() -> f64 {
        1.0
    }
    fn default_font_size() -> Extent {
        Extent::Part(0.05)
    }
    fn default_font() -> String {
        "sans-serif".to_owned()
    }
    fn default_color() -> String {
        "#ffffff".to_owned()
    }
    fn default_border_color() -> String {
        "#000000".to_owned()
    }
}

/// How a box hides what is beneath it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MosaicKind {
    /// Unsharp.
    #[default]
    Blur,
    /// Large squares of one colour.
    Pixelate,
}

/// A box that hides what is beneath it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MosaicSpec {
    /// How.
    #[serde(default)]
    pub kind: MosaicKind,
    /// Left edge: pixels, or a part of the width.
    pub x: Extent,
    /// Top edge: pixels, or a part of the height.
    pub y: Extent,
    /// Width: pixels, or a part of the rendition's.
    pub width: Extent,
    /// Height: pixels, or a part of the rendition's.
    pub height: Extent,
    /// 1..=100: radius of the blur or edge of the squares, in tenths of a per cent of the rendition's height.
    #[serde(default = "MosaicSpec::default_strength")]
    pub strength: u32,
    /// Seconds of the output where it begins; negative: counted from the end.
    #[serde(default)]
    pub start_s: f64,
    /// For how long; none: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
}

impl MosaicSpec {
    fn default_strength() -> u32 {
        30
    }
}

/// Subtitles drawn into the pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurnSpec {
    /// `track:LANGUAGE` or `track:NUMBER` (from 0, among the source's subtitles), else a SRT, WebVTT or ASS file,
    /// `storage:key`.
    pub source: String,
    /// Font family; none: the subtitles' own, else `sans-serif`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub font: Option<String>,
    /// Height of letters: pixels, or a part of the rendition's height; none: the subtitles' own, else 5 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub font_size: Option<Extent>,
    /// Colour of the letters, `#rrggbb`; none: the subtitles' own, else white.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Colour of their border, `#rrggbb`; none: the subtitles' own, else black.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub border_color: Option<String>,
    /// Distance from the lower edge: pixels, or a part of the rendition's height, at most 90 %; none: the subtitles'
    /// own, else 5 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Extent>,
}

impl BurnSpec {
    /// The source's track that is meant; none: a file.
    pub fn track(&self) -> Option<&str> {
        self.source.strip_prefix("track:")
    }
}

fn nothing() -> Extent {
    Extent::Pixels(0)
}
