//! Stills and sprite sheets.
//!
//! Deliberately absent: the times they come to, which depend on the source.

use crate::media::spec::PictureFill;
use crate::media::spec::seconds;
use serde::Deserialize;
use serde::Serialize;

/// Stills, or a sprite sheet of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SnapshotMode {
    /// Files of one picture each.
    #[default]
    Normal,
    /// Sheets of many cells with a WebVTT index.
    Sprite,
}

/// Which frame stands for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameType {
    /// The key frame where every moment has one of its own close by, else the very frame; explicit `times` always
    /// get the very frame.
    #[default]
    Auto,
    /// The key frame at or before it: cheap, and labelled with its true time. Moments between the same two key
    /// frames share one picture. The very frame where key frames are too few, or do not say when they are shown
    /// (AVI, ASF and program streams of reordered frames).
    Intra,
    /// The very frame shown at that time.
    Normal,
}

impl FrameType {
    fn is_auto(&self) -> bool {
        *self == FrameType::Auto
    }
}

/// What the WebVTT of a sprite names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VttOf {
    /// Parts of sheets (`IsSptFrag=true` of the clouds).
    #[default]
    Sheet,
    /// Files of one picture each; no sheets are made (`IsSptFrag=false`).
    Stills,
}

impl VttOf {
    fn is_sheet(&self) -> bool {
        *self == VttOf::Sheet
    }
}

/// Still picture formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureFormat {
    /// JPEG.
    #[default]
    Jpg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl PictureFormat {
    /// File name extension with its dot.
    pub fn extension(self) -> &'static str {
        match self {
            PictureFormat::Jpg => ".jpg",
            PictureFormat::Png => ".png",
            PictureFormat::Webp => ".webp",
        }
    }
}

/// Stills and sprites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotSpec {
    /// Stills or sheets.
    #[serde(default)]
    pub mode: SnapshotMode,
    /// Take what there is of a truncated source, and say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Seconds between pictures, 0.04..=3600; none or 0 with `count`: spread evenly; none alone: one picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<f64>,
    /// At most so many pictures, 1..=10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Look at moments all over the source and keep so many pictures, the best to look at, 1..=20: a cover. `count` and
    /// `interval_s` are of no account then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<u32>,
    /// Explicit moments in seconds, `hh:mm:ss[.SSS]` or per cent of the duration (`"3.5"`, `"00:01:02.5"`, `"10%"`);
    /// replaces interval and count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<String>,
    /// Where to begin, seconds or `hh:mm:ss[.SSS]`.
    #[serde(default, deserialize_with = "seconds::read")]
    pub start_s: f64,
    /// Which frame.
    #[serde(default, skip_serializing_if = "FrameType::is_auto")]
    pub frame_type: FrameType,
    /// Pixels of a still, 8..=8192; one alone keeps the shape; none: the source's size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// See `width`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How a frame fills a still or cell of another shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<PictureFill>,
    /// Picture format.
    #[serde(default)]
    pub format: PictureFormat,
    /// WebP without loss; `quality` is then of no account. PNG always is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lossless: bool,
    /// JPEG and WebP quality, 1..=100.
    #[serde(default = "SnapshotSpec::default_quality")]
    pub quality: u8,
    /// Cells in a row of a sheet, 1..=100.
    #[serde(default = "SnapshotSpec::default_cells")]
    pub columns: u32,
    /// Rows of a sheet, 1..=100; more cells go to further sheets.
    #[serde(default = "SnapshotSpec::default_cells")]
    pub lines: u32,
    /// Pixels of a cell, 8..=4096; one alone keeps the shape; none: 160 wide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell_width: Option<u32>,
    /// See `cell_width`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell_height: Option<u32>,
    /// Pixels between cells, 0..=1024.
    #[serde(default)]
    pub padding: u32,
    /// Pixels around the sheet, 0..=1024.
    #[serde(default)]
    pub margin: u32,
    /// Colour of padding, margin, unused cells and what shows beside a fitted frame: `#rrggbb`, a name of CSS, or
    /// `random` (one for each source).
    #[serde(default = "SnapshotSpec::default_color")]
    pub color: String,
    /// Pass over frames darker than this, per cent of black pixels 30..=100 (`BlackLevel` of the clouds); none: take any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub black_level: Option<u8>,
    /// Luma 1..=255 below which a pixel counts as black (`PixelBlackThreshold`); none: 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_black_threshold: Option<u8>,
    /// The cells of a sprite are files of the output, too (`KeepCellPic`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_cells: bool,
    /// What the WebVTT of a sprite names.
    #[serde(default, skip_serializing_if = "VttOf::is_sheet")]
    pub vtt: VttOf,
    /// A sprite gets an HLS image playlist (`EXT-X-IMAGES-ONLY`) beside it; needs equal steps from the beginning on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub image_playlist: bool,
}

impl SnapshotSpec {
    /// Whether it can make one still only, which then has no number in its name.
    pub fn is_lone(&self) -> bool {
        if !self.times.is_empty() {
            self.times.len() == 1 || self.count == Some(1)
        } else if let Some(best) = self.best {
            best == 1
        } else {
            let steps = self.interval_s.is_some_and(|interval_s| interval_s > 0.0);
            self.count == Some(1) || (self.count.is_none() && !steps)
        }
    }

    fn default_quality() -> u8 {
        85
    }
    /// Cells in a row, and rows, where nothing says how many.
    pub fn default_cells() -> u32 {
        10
    }
    /// Colour where nothing says which.
    pub fn default_color() -> String {
        "#000000".to_owned()
    }
}
