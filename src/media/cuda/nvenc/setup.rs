//! What an encoder is asked for, and what comes out of it, as plain data.
//!
//! Guarantees: units in names; nothing of the driver's own types. Deliberately absent: definitions of jobs, from which
//! `media::encoding::nvenc` makes this.

use crate::media::cuda::surface::Layout;

/// Codecs that NVENC makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// H.264.
    H264,
    /// HEVC.
    Hevc,
    /// AV1.
    Av1,
}

impl Codec {
    /// As a probe calls it, `h264`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::H264 => "h264",
            Codec::Hevc => "hevc",
            Codec::Av1 => "av1",
        }
    }

    /// Whether packets come in another order than they are shown. AV1's do not: pictures that are not shown travel
    /// in one packet with the next that is.
    pub fn reorders(self) -> bool {
        self != Codec::Av1
    }
}

/// Profile of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// H.264 without B-frames and CABAC.
    Baseline,
    /// H.264, HEVC and AV1 of 8 bits (AV1: of 10 too).
    Main,
    /// H.264.
    High,
    /// HEVC of 10 bits.
    Main10,
}

/// Rate control. Bits a second, and bits of the decoder's buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// The same at every moment.
    Constant {
        /// Bits a second.
        bitrate: u32,
        /// Bits over which it is kept.
        buffer: u32,
    },
    /// An average, under a cap if there is one.
    Average {
        /// Bits a second.
        bitrate: u32,
        /// Cap in bits a second; none: the driver's own.
        cap: Option<u32>,
        /// Bits over which the cap is kept; none: the driver's own.
        buffer: Option<u32>,
    },
    /// The same quality everywhere, under a cap if there is one.
    Quality {
        /// On NVENC's scale (CQ) from above 0 to 51, less is better.
        level: f64,
        /// Cap in bits a second.
        cap: Option<u32>,
        /// Bits over which the cap is kept.
        buffer: Option<u32>,
    },
}

/// How many B-frames may stand in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BFrames {
    /// So many are asked for; fewer, with a note, where the device has not so many.
    Asked(u32),
    /// So many are usual; fewer where the device has not so many.
    Usual(u32),
    /// What the preset has.
    OfPreset,
}

/// What the numbers of the pictures mean: code points of H.273, as they are written into the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// Primaries.
    pub primaries: u32,
    /// Transfer.
    pub transfer: u32,
    /// Matrix.
    pub matrix: u32,
    /// 0..255 instead of 16..235.
    pub is_full_range: bool,
}

/// A message that travels with every key frame: an SEI message of H.264 and HEVC, a metadata OBU of AV1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Number of its kind in the codec's standard.
    pub kind: u32,
    /// Its payload, without the bytes that prevent start codes.
    pub payload: Vec<u8>,
}

/// How an encoder is opened.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodeSetup {
    /// Codec.
    pub codec: Codec,
    /// Profile.
    pub profile: Profile,
    /// Level as the codec's header writes it (NV_ENC_LEVEL); none: the lowest that the size and rate need.
    pub level: Option<u32>,
    /// Pixels across, even.
    pub width: u32,
    /// Pixels down, even.
    pub height: u32,
    /// Pictures are `P016` instead of `Nv12`, and samples of the stream have 10 bits.
    pub is_ten_bit: bool,
    /// Nominal frames a second as a fraction, for rate control.
    pub frame_rate: (u32, u32),
    /// All frames last equally long.
    pub is_steady: bool,
    /// Preset, 1 (fastest) to 7.
    pub preset: u32,
    /// Looks ahead and spreads bits within and across pictures, where the device can.
    pub is_careful: bool,
    /// Rate control.
    pub rate: Rate,
    /// Every picture is analysed in full before it is encoded (NVENC's two passes, not two readings of the source).
    pub is_analysed_twice: bool,
    /// B-frames.
    pub bframes: BFrames,
    /// Written into the stream.
    pub signal: Signal,
    /// Written before every key frame.
    pub messages: Vec<Message>,
}

impl EncodeSetup {
    /// How pictures given to it must lie.
    pub fn layout(&self) -> Layout {
        if self.is_ten_bit { Layout::P016 } else { Layout::Nv12 }
    }
}

/// A coded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// Annex B, or OBUs of AV1.
    pub bytes: Vec<u8>,
    /// When it is shown: what it was sent with.
    pub pts: i64,
    /// When it is decoded, in the same unit; never above `pts`, always above that of the picture before.
    pub dts: i64,
    /// How long it is shown: what it was sent with.
    pub duration: i64,
    /// Decoding can begin here.
    pub is_key: bool,
}
