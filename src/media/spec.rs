//! What is wanted of one source, as plain data: the parameters of each media activity, complete and resolved.
//!
//! Guarantees: every field is a value the engine can act on without asking anyone; unknown keys are refused
//! when these are read from a definition. Deliberately absent: names of final objects, storages, templates
//! and tasks. Ranges follow IMS MediaConvert and Tencent MPS (`packaging/` documents cite them); `check`
//! names the key, the value and the range.

use serde::Deserialize;
use serde::Serialize;

/// Which hardware a pass may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The best there is, falling back to software with the reason recorded.
    #[default]
    Auto,
    /// Every stage NVIDIA hardware can do, or fail.
    Gpu,
    /// The CPU only.
    Software,
}

/// A part of the source, in seconds of its own timeline (0 = first frame shown).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// First moment taken.
    pub start_s: f64,
    /// First moment no longer taken; none: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_s: Option<f64>,
}

/// Renditions of the source, in one or more output groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscodeSpec {
    /// Output groups; at least one.
    #[serde(rename = "group")]
    pub groups: Vec<GroupSpec>,
    /// Part of the source to take; none: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// Publish what succeeded when a rung fails or the source is truncated, and say so.
    #[serde(default)]
    pub partial: bool,
}

/// How the outputs of a group are packaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// One file an output.
    File,
    /// HLS: master playlist, media playlists, fMP4 segments.
    Hls,
}

/// Container of a `file` group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// ISO base media, `moov` first.
    Mp4,
    /// The same for audio alone.
    M4a,
}

impl Container {
    /// File name extension with its dot.
    pub fn extension(self) -> &'static str {
        match self {
            Container::Mp4 => ".mp4",
            Container::M4a => ".m4a",
        }
    }
}

/// One output group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    /// Name of the group in events and of its manifest (`{Name}`). Empty: the manifest of an HLS set is named `hls`,
    /// and events tell the kind in capitals, `HLS` or `FILE`.
    #[serde(default)]
    pub name: String,
    /// Packaging.
    pub kind: GroupKind,
    /// Container of `file` groups; none: mp4, or m4a when an output has no video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// Target length of a segment in seconds, 1..=60. Segments begin at key frames only.
    #[serde(default = "GroupSpec::default_segment_s")]
    pub segment_s: f64,
    /// The renditions.
    #[serde(rename = "output")]
    pub outputs: Vec<OutputSpec>,
}

impl GroupSpec {
    fn default_segment_s() -> f64 {
        4.0
    }
}

/// One rendition of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// `{Name}` in paths; unique in its group: letters, digits, `-`, `_`, 1..=64.
    pub name: String,
    /// Video encode; none: no video in this output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoSpec>,
    /// Audio encode; none: no audio in this output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<AudioSpec>,
}

/// Video codecs that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoCodec {
    /// H.264 / AVC, 8 bit 4:2:0.
    H264,
}

/// Rate control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RateControl {
    /// Constant bitrate: `bitrate_kbps`, buffer filled.
    Cbr,
    /// Average `bitrate_kbps` under `max_bitrate_kbps` over `bufsize_kbps`.
    Vbr,
    /// Constant quality `crf`, capped when `max_bitrate_kbps` is given.
    #[default]
    Crf,
}

/// One video encode. Equal values in different groups are encoded once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoSpec {
    /// Codec.
    pub codec: VideoCodec,
    /// Pixels, even, 128..=8192; with `height` alone the width follows the source's shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels, even, 128..=8192.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// `width` bounds the long edge and `height` the short one, so portrait sources get portrait renditions.
    #[serde(default = "yes")]
    pub long_short: bool,
    /// May enlarge. Otherwise a rung larger than the source is made at the source's size, or dropped when
    /// another rung already has that size.
    #[serde(default)]
    pub upscale: bool,
    /// Frames a second of the output; none: the source's own timing, variable rates included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fps: Option<f64>,
    /// x264's preset names, `ultrafast` .. `veryslow`.
    #[serde(default = "VideoSpec::default_preset")]
    pub preset: String,
    /// `baseline`, `main`, `high`; none: the encoder's choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Rate control.
    #[serde(default)]
    pub rate: RateControl,
    /// 10..=200000; required by cbr and vbr.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate_kbps: Option<u32>,
    /// Cap of vbr and crf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bitrate_kbps: Option<u32>,
    /// Decoder buffer the cap is measured over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bufsize_kbps: Option<u32>,
    /// 0..=51, less is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crf: Option<f64>,
    /// Seconds between key frames, 0.1..=60. Decided once a source frame and forced on every rendition.
    #[serde(default = "VideoSpec::default_gop_s")]
    pub gop_s: f64,
    /// B-frames in a row, 0..=16.
    #[serde(default = "VideoSpec::default_bframes")]
    pub bframes: u32,
}

impl VideoSpec {
    fn default_preset() -> String {
        "veryfast".to_owned()
    }
    fn default_gop_s() -> f64 {
        2.0
    }
    fn default_bframes() -> u32 {
        3
    }
}

/// Audio codecs that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioCodec {
    /// AAC-LC.
    Aac,
}

/// One audio encode, made once for all outputs that ask for the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioSpec {
    /// Codec.
    pub codec: AudioCodec,
    /// 8..=1000, all channels together.
    #[serde(default = "AudioSpec::default_bitrate_kbps")]
    pub bitrate_kbps: u32,
    /// Hz; none: the source's where the codec has it, else 48000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_rate_hz: Option<u32>,
    /// 1, 2, 6 or 8; none: the source's, at most 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u32>,
}

impl AudioSpec {
    fn default_bitrate_kbps() -> u32 {
        128
    }
}

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
    /// The key frame at or before it: cheap, and labelled with its true time.
    #[default]
    Intra,
    /// The very frame shown at that time.
    Normal,
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
    /// Seconds between pictures, 0.04..=3600; none with `count`: spread evenly; none alone: one picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<f64>,
    /// At most so many pictures, 1..=10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Explicit moments in seconds or per cent of the duration (`"3.5"`, `"10%"`); replaces interval and count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<String>,
    /// Where to begin, seconds.
    #[serde(default)]
    pub start_s: f64,
    /// Which frame.
    #[serde(default)]
    pub frame_type: FrameType,
    /// Pixels of a still, 8..=8192; one alone keeps the shape; none: the source's size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// See `width`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Picture format.
    #[serde(default)]
    pub format: PictureFormat,
    /// JPEG quality, 1..=100.
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
    /// Colour of padding, margin and unused cells, `#rrggbb`.
    #[serde(default = "SnapshotSpec::default_color")]
    pub color: String,
    /// Pass over frames darker than this, per cent of black pixels 30..=100 (`BlackLevel` of the clouds); none: take any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub black_level: Option<u8>,
}

impl SnapshotSpec {
    fn default_quality() -> u8 {
        85
    }
    fn default_cells() -> u32 {
        10
    }
    fn default_color() -> String {
        "#000000".to_owned()
    }
}

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

fn yes() -> bool {
    true
}

/// What one job wants of the pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "spec", rename_all = "snake_case")]
pub enum MediaWork {
    /// Facts of the source only.
    Analysis,
    /// Renditions.
    Transcode(TranscodeSpec),
    /// Stills or sprite sheets; a cover is one still.
    Snapshot(SnapshotSpec),
    /// GIF or animated WebP.
    DynamicImage(AnimationSpec),
}
