//! What the encoder of the stand-in can do: roughly an Ada card, less what the environment takes away.
//!
//! Guarantees: a codec is listed only when libav has the software encoder that does its work; every capability of the
//! header has an answer. Deliberately absent: RGB and 4:4:4 pictures, fields, motion estimation alone.

use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::coder;
use crate::settings::settings;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::GUID;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_BUFFER_FORMAT;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CAPS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::NV_ENC_ERR_UNSUPPORTED_PARAM;

/// What can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    H264,
    Hevc,
    Av1,
}

impl Codec {
    const ALL: [Codec; 3] = [Codec::H264, Codec::Hevc, Codec::Av1];

    /// Its GUID.
    pub fn guid(self) -> GUID {
        match self {
            Codec::H264 => sys::NV_ENC_CODEC_H264_GUID,
            Codec::Hevc => sys::NV_ENC_CODEC_HEVC_GUID,
            Codec::Av1 => sys::NV_ENC_CODEC_AV1_GUID,
        }
    }

    /// As the environment calls it.
    pub fn name(self) -> &'static str {
        match self {
            Codec::H264 => "h264",
            Codec::Hevc => "hevc",
            Codec::Av1 => "av1",
        }
    }

    /// Those of this device.
    pub fn offered() -> Vec<Codec> {
        let asked = settings().encoders.as_ref();
        Codec::ALL
            .into_iter()
            .filter(|codec| asked.is_none_or(|names| names.iter().any(|name| name == codec.name())))
            .filter(|codec| coder::is_there(*codec))
            .collect()
    }

    /// The one of a GUID.
    pub fn of(guid: GUID) -> Answer<Codec> {
        Codec::offered()
            .into_iter()
            .find(|codec| codec.guid() == guid)
            .ok_or_else(|| {
                breach(
                    NV_ENC_ERR_UNSUPPORTED_PARAM,
                    "an encode GUID that nvEncGetEncodeGUIDs does not list",
                )
            })
    }

    /// GUIDs of its profiles, the automatic one among them.
    pub fn profiles(self) -> Vec<GUID> {
        let own = match self {
            Codec::H264 => vec![
                sys::NV_ENC_H264_PROFILE_BASELINE_GUID,
                sys::NV_ENC_H264_PROFILE_MAIN_GUID,
                sys::NV_ENC_H264_PROFILE_HIGH_GUID,
            ],
            Codec::Hevc if self.has_ten_bits() => {
                vec![sys::NV_ENC_HEVC_PROFILE_MAIN_GUID, sys::NV_ENC_HEVC_PROFILE_MAIN10_GUID]
            }
            Codec::Hevc => vec![sys::NV_ENC_HEVC_PROFILE_MAIN_GUID],
            Codec::Av1 => vec![sys::NV_ENC_AV1_PROFILE_MAIN_GUID],
        };
        [vec![sys::NV_ENC_CODEC_PROFILE_AUTOSELECT_GUID], own].concat()
    }

    /// Formats in which pictures are taken.
    pub fn formats(self) -> Vec<NV_ENC_BUFFER_FORMAT> {
        let mut formats = vec![NV_ENC_BUFFER_FORMAT::NV_ENC_BUFFER_FORMAT_NV12];
        if self.has_ten_bits() {
            formats.push(NV_ENC_BUFFER_FORMAT::NV_ENC_BUFFER_FORMAT_YUV420_10BIT);
        }
        formats
    }

    /// Whether pictures of 10 bits are taken.
    pub fn has_ten_bits(self) -> bool {
        self != Codec::H264 && !settings().no_10bit
    }

    /// Whether it looks ahead.
    pub fn has_lookahead(self) -> bool {
        !settings().no_lookahead
    }

    /// Most B-frames between two others.
    pub fn max_bframes(self) -> u32 {
        settings().max_bframes
    }

    /// Width and height, the smallest and the largest.
    pub fn sizes(self) -> ((u32, u32), (u32, u32)) {
        match self {
            Codec::H264 => ((145, 49), (4096, 4096)),
            Codec::Hevc => ((129, 33), (8192, 8192)),
            Codec::Av1 => ((192, 128), (8192, 8192)),
        }
    }

    /// The answer to a question of `nvEncGetEncodeCaps`.
    pub fn capability(self, asked: NV_ENC_CAPS) -> i32 {
        use NV_ENC_CAPS::*;
        let ((min_width, min_height), (max_width, max_height)) = self.sizes();
        let (is_h264, is_hevc) = (self == Codec::H264, self == Codec::Hevc);
        let yes = i32::from;
        let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        match asked {
            NV_ENC_CAPS_NUM_MAX_BFRAMES => number(self.max_bframes()),
            // Bits of the rate control modes, of which constant quality is the mode of number 0.
            NV_ENC_CAPS_SUPPORTED_RATECONTROL_MODES => 3,
            NV_ENC_CAPS_SUPPORT_QPELMV
            | NV_ENC_CAPS_SUPPORT_DYN_RES_CHANGE
            | NV_ENC_CAPS_SUPPORT_DYN_BITRATE_CHANGE => 1,
            NV_ENC_CAPS_SUPPORT_BDIRECT_MODE | NV_ENC_CAPS_SUPPORT_CABAC | NV_ENC_CAPS_SUPPORT_ADAPTIVE_TRANSFORM => {
                yes(is_h264)
            }
            NV_ENC_CAPS_SUPPORT_DYN_FORCE_CONSTQP | NV_ENC_CAPS_SUPPORT_DYN_RCMODE_CHANGE => 1,
            NV_ENC_CAPS_SUPPORT_CUSTOM_VBV_BUF_SIZE => 1,
            NV_ENC_CAPS_LEVEL_MAX if is_h264 => 62,
            NV_ENC_CAPS_LEVEL_MAX if is_hevc => 186,
            NV_ENC_CAPS_LEVEL_MAX => 23,
            NV_ENC_CAPS_LEVEL_MIN if is_h264 => 10,
            NV_ENC_CAPS_LEVEL_MIN if is_hevc => 30,
            NV_ENC_CAPS_WIDTH_MAX => number(max_width),
            NV_ENC_CAPS_HEIGHT_MAX => number(max_height),
            NV_ENC_CAPS_WIDTH_MIN => number(min_width),
            NV_ENC_CAPS_HEIGHT_MIN => number(min_height),
            NV_ENC_CAPS_MB_NUM_MAX => number(max_width / 16 * (max_height / 16)),
            NV_ENC_CAPS_MB_PER_SEC_MAX => number(983_040),
            NV_ENC_CAPS_SUPPORT_SAO => yes(is_hevc),
            NV_ENC_CAPS_SUPPORT_LOOKAHEAD => yes(self.has_lookahead()),
            NV_ENC_CAPS_SUPPORT_TEMPORAL_AQ => 1,
            NV_ENC_CAPS_SUPPORT_10BIT_ENCODE => yes(self.has_ten_bits()),
            NV_ENC_CAPS_DYNAMIC_QUERY_ENCODER_CAPACITY => 100,
            // The middle one of them.
            NV_ENC_CAPS_SUPPORT_BFRAME_REF_MODE if self.max_bframes() > 0 => 2,
            NV_ENC_CAPS_NUM_ENCODER_ENGINES => 1,
            _ => 0,
        }
    }
}

/// The presets of today, fastest first.
pub const PRESETS: [GUID; 7] = [
    sys::NV_ENC_PRESET_P1_GUID,
    sys::NV_ENC_PRESET_P2_GUID,
    sys::NV_ENC_PRESET_P3_GUID,
    sys::NV_ENC_PRESET_P4_GUID,
    sys::NV_ENC_PRESET_P5_GUID,
    sys::NV_ENC_PRESET_P6_GUID,
    sys::NV_ENC_PRESET_P7_GUID,
];
