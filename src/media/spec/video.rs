//! One video encode: codec, size, timing and rate control.
//!
//! Deliberately absent: which encoder carries it out.

use crate::media::spec::overlay::BurnSpec;
use crate::media::spec::overlay::MosaicSpec;
use crate::media::spec::overlay::WatermarkSpec;
use serde::Deserialize;
use serde::Serialize;

/// Video codecs that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoCodec {
    /// H.264 / AVC, 8 bit 4:2:0.
    H264,
}

impl VideoCodec {
    /// What a probe calls a stream of it (libav's name).
    pub fn stream_name(self) -> &'static str {
        match self {
            VideoCodec::H264 => "h264",
        }
    }
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
    /// Marks drawn onto it, the first at the bottom; at most 20.
    #[serde(default, rename = "watermark", skip_serializing_if = "Vec::is_empty")]
    pub watermarks: Vec<WatermarkSpec>,
    /// Boxes that hide what is beneath them; at most 10.
    #[serde(default, rename = "mosaic", skip_serializing_if = "Vec::is_empty")]
    pub mosaics: Vec<MosaicSpec>,
    /// Subtitles drawn into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn: Option<BurnSpec>,
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

fn yes() -> bool {
    true
}
