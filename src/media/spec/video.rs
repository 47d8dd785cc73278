//! One video encode: codec, size, timing and rate control.
//!
//! Deliberately absent: which encoder carries it out.

use crate::media::spec::overlay::BurnSpec;
use crate::media::spec::overlay::MosaicSpec;
use crate::media::spec::overlay::WatermarkSpec;
use serde::Deserialize;
use serde::Serialize;

/// Bits of a sample where a definition leaves them open.
const USUAL_BITS: u8 = 8;
/// Bits of a sample of a mezzanine.
const MEZZANINE_BITS: u8 = 10;

/// Video codecs that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoCodec {
    /// H.264 / AVC.
    H264,
    /// H.265 / HEVC, 8 or 10 bit.
    Hevc,
    /// AV1, 8 or 10 bit.
    Av1,
    /// VP9, 8 or 10 bit.
    Vp9,
    /// Apple ProRes, 10 bit 4:2:2 or 4:4:4, every picture a key frame.
    Prores,
    /// Avid DNxHR, 8 or 10 bit 4:2:2 or 10 bit 4:4:4, every picture a key frame.
    Dnxhr,
    /// MPEG-2 video.
    Mpeg2,
    /// The source's own packets, not decoded.
    Copy,
}

impl VideoCodec {
    /// What a probe calls a stream of it (libav's name); empty for a copy, which has the source's.
    pub fn stream_name(self) -> &'static str {
        match self {
            VideoCodec::H264 => "h264",
            VideoCodec::Hevc => "hevc",
            VideoCodec::Av1 => "av1",
            VideoCodec::Vp9 => "vp9",
            VideoCodec::Prores => "prores",
            VideoCodec::Dnxhr => "dnxhd",
            VideoCodec::Mpeg2 => "mpeg2video",
            VideoCodec::Copy => "",
        }
    }

    /// The word of definitions, `h264`.
    pub fn word(self) -> &'static str {
        match self {
            VideoCodec::H264 => "h264",
            VideoCodec::Hevc => "hevc",
            VideoCodec::Av1 => "av1",
            VideoCodec::Vp9 => "vp9",
            VideoCodec::Prores => "prores",
            VideoCodec::Dnxhr => "dnxhr",
            VideoCodec::Mpeg2 => "mpeg2",
            VideoCodec::Copy => "copy",
        }
    }

    /// Every picture is a key frame.
    pub fn is_intra_only(self) -> bool {
        matches!(self, VideoCodec::Prores | VideoCodec::Dnxhr)
    }

    /// Has pictures that are reordered.
    pub fn has_bframes(self) -> bool {
        matches!(self, VideoCodec::H264 | VideoCodec::Hevc | VideoCodec::Mpeg2)
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
    /// Most frames a second: a faster source is brought down to this, or to a whole part of its own rate near it
    /// (50 to 25 under 30). Slower ones keep their timing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fps: Option<f64>,
    /// x264's preset names, `ultrafast` .. `veryslow`, brought to those of the codec's encoder. ProRes, DNxHR and
    /// MPEG-2 have none.
    #[serde(default = "VideoSpec::default_preset")]
    pub preset: String,
    /// Profile, by codec: `baseline`, `main`, `high`, `high10`, `high422`; `main`, `main10`, `main422-10`;
    /// `proxy`, `lt`, `standard`, `hq`, `4444`; `lb`, `sq`, `hq`, `hqx`, `444`; `main`, `422`. None: what fits the depth;
    /// `standard`; `sq`; `main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Level the stream keeps to, `4.1`; none: the lowest that the size and rate need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Bits of a sample, 8 or 10; none: what the profile says, else 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<u8>,
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
    /// Less is better: 0..=51 of H.264 and HEVC (23 and 28 when left out), 0..=63 of AV1 and VP9 (35 and 32).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crf: Option<f64>,
    /// The source is read twice, first to learn where the bits are needed. For `vbr`; costs nearly as much again.
    #[serde(default)]
    pub two_pass: bool,
    /// `bitrate_kbps` and `max_bitrate_kbps` are never above the source's own bitrate.
    #[serde(default)]
    pub clamp_to_source: bool,
    /// Seconds between key frames, 0.1..=60. Decided once a source frame and forced on every rendition.
    #[serde(default = "VideoSpec::default_gop_s")]
    pub gop_s: f64,
    /// Frames between key frames, 1..=100000, instead of `gop_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gop_frames: Option<u32>,
    /// B-frames in a row, 0..=16; none: 3, or none where the profile has none (2 of MPEG-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bframes: Option<u32>,
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
    pub(crate) fn default_preset() -> String {
        "veryfast".to_owned()
    }
    pub(crate) fn default_gop_s() -> f64 {
        2.0
    }

    /// Bits of a sample of what comes out; of a copy, the usual ones.
    pub fn bits(&self) -> u8 {
        let by_profile = match (self.codec, self.profile.as_deref()) {
            (VideoCodec::Prores, _) => Some(MEZZANINE_BITS),
            (VideoCodec::Dnxhr, Some("hqx" | "444")) => Some(MEZZANINE_BITS),
            (VideoCodec::Hevc, Some("main10" | "main422-10")) => Some(MEZZANINE_BITS),
            (VideoCodec::H264, Some("high10")) => Some(MEZZANINE_BITS),
            _ => None,
        };
        self.bit_depth.or(by_profile).unwrap_or(USUAL_BITS)
    }

    /// B-frames in a row that the encoder may use.
    pub fn bframes_in_a_row(&self) -> u32 {
        match (self.codec, self.profile.as_deref()) {
            (codec, _) if !codec.has_bframes() => 0,
            (VideoCodec::H264, Some("baseline")) => 0,
            (VideoCodec::Mpeg2, _) => self.bframes.unwrap_or(2),
            _ => self.bframes.unwrap_or(3),
        }
    }
}

fn yes() -> bool {
    true
}
