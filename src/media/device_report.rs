//! What NVIDIA devices a host has and what each of them can do, as plain data.
//!
//! Guarantees: what is missing stands beside what is there, each piece with its remedy; abilities are what the driver
//! answered, never a table of card names. Deliberately absent: asking the driver, which is `cuda`'s affair.

use serde::Deserialize;
use serde::Serialize;

/// All devices of a host.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DeviceReport {
    /// Version of the kernel driver, `550.54.14`, where it could be read.
    pub driver_version: Option<String>,
    /// Newest CUDA version that the driver speaks, `12.4`.
    pub cuda_version: Option<String>,
    /// The devices, by ordinal.
    pub devices: Vec<DeviceFacts>,
    /// What prevents all of them from being used, or one of the driver's libraries from being opened.
    pub missing: Vec<MissingPiece>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DeviceFacts {
    /// Number within the driver, from 0.
    pub ordinal: u32,
    /// `GPU-` and 32 hex digits in groups: the same across reboots, where ordinals may change.
    pub uuid: String,
    /// The driver's name of it.
    pub name: String,
    /// Compute capability, major and minor.
    pub compute_capability: (u32, u32),
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Of which nobody used any when it was looked at.
    pub memory_free_bytes: u64,
    /// What its decoders take.
    pub decode: Vec<DecodeAbility>,
    /// What its encoders make; empty on devices without any.
    pub encode: Vec<EncodeAbility>,
    /// Encoder sessions that could be opened at once when it was looked at, counted up to a bound; none: not tried.
    pub encoder_sessions_free: Option<u32>,
    /// What of it cannot be used.
    pub missing: Vec<MissingPiece>,
}

impl DeviceFacts {
    /// Whether its decoders take pictures of this codec, chroma, depth and size.
    pub fn can_decode(&self, codec: &str, chroma: &str, bit_depth: u32, (width, height): (u32, u32)) -> bool {
        self.decode.iter().any(|one| {
            one.codec == codec
                && one.chroma == chroma
                && one.bit_depth == bit_depth
                && (one.min_width..=one.max_width).contains(&width)
                && (one.min_height..=one.max_height).contains(&height)
        })
    }

    /// What its encoders can do for a codec.
    pub fn encoder_of(&self, codec: &str) -> Option<&EncodeAbility> {
        self.encode.iter().find(|one| one.codec == codec)
    }
}

/// One kind of stream that the decoders of a device take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodeAbility {
    /// As a probe calls it: `h264`, `hevc`, `av1`, `vp9`, `vp8`, `mpeg2video`, `mpeg1video`, `mpeg4`, `vc1`, `mjpeg`.
    pub codec: String,
    /// `4:2:0`, `4:2:2`, `4:4:4` or `4:0:0`.
    pub chroma: String,
    /// Bits of a sample.
    pub bit_depth: u32,
    /// Narrowest picture, pixels.
    pub min_width: u32,
    /// Lowest picture, pixels.
    pub min_height: u32,
    /// Widest picture, pixels.
    pub max_width: u32,
    /// Highest picture, pixels.
    pub max_height: u32,
    /// Decoding engines of the device for it.
    pub engines: u32,
}

/// What the encoders of a device can do for one codec.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EncodeAbility {
    /// `h264`, `hevc` or `av1`.
    pub codec: String,
    /// Narrowest picture, pixels.
    pub min_width: u32,
    /// Lowest picture, pixels.
    pub min_height: u32,
    /// Widest picture, pixels.
    pub max_width: u32,
    /// Highest picture, pixels.
    pub max_height: u32,
    /// Most B-frames in a row; 0: none.
    pub max_bframes: u32,
    /// B-frames may be references.
    pub bframe_references: bool,
    /// 10 bits a sample.
    pub ten_bit: bool,
    /// Looks ahead.
    pub lookahead: bool,
    /// Spreads bits over time.
    pub temporal_aq: bool,
    /// Average rate with a constant quality and a cap.
    pub custom_vbv: bool,
    /// Encoding engines of the device.
    pub engines: u32,
}

/// Something that should be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingPiece {
    /// What: `libcuda.so.1`, `NVENC`, `/dev/nvidiactl`.
    pub piece: String,
    /// Why it cannot be used, without a closing full stop.
    pub cause: String,
    /// What to do, a sentence with its full stop.
    pub remedy: String,
}
