//! One audio encode.
//!
//! Deliberately absent: which track of the source it is made of.

use serde::Deserialize;
use serde::Serialize;

/// Audio codecs that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioCodec {
    /// AAC-LC.
    Aac,
}

impl AudioCodec {
    /// What a probe calls a stream of it (libav's name).
    pub fn stream_name(self) -> &'static str {
        match self {
            AudioCodec::Aac => "aac",
        }
    }
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
