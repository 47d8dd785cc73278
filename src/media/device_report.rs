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
    /// NVIDIA's cards on the bus, whether or not they can be used; 0 also where the bus cannot be looked at.
    #[serde(default)]
    pub cards: u32,
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
                && one.has_room_for(width, height)
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
    /// Most macroblocks (16 by 16 pixels) of a picture, which of some codecs is less than width and height allow; 0:
    /// not known.
    #[serde(default)]
    pub max_macroblocks: u32,
    /// Decoding engines of the device for it.
    pub engines: u32,
}

impl DecodeAbility {
    fn has_room_for(&self, width: u32, height: u32) -> bool {
        let blocks = u64::from(width.div_ceil(16)) * u64::from(height.div_ceil(16));
        self.max_macroblocks == 0 || blocks <= u64::from(self.max_macroblocks)
    }
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

#[cfg(test)]
mod tests {
    use super::DecodeAbility;
    use super::DeviceFacts;

    #[test]
    fn a_picture_must_fit_in_width_height_and_area() {
        let mpeg4 = DecodeAbility {
            codec: "mpeg4".to_owned(),
            chroma: "4:2:0".to_owned(),
            bit_depth: 8,
            min_width: 48,
            min_height: 16,
            max_width: 2032,
            max_height: 1968,
            max_macroblocks: 8192,
            engines: 1,
        };
        let facts = DeviceFacts {
            decode: vec![mpeg4],
            ..DeviceFacts::default()
        };
        let takes = |size| facts.can_decode("mpeg4", "4:2:0", 8, size);
        assert!(takes((1920, 1080)) && takes((48, 16)));
        assert!(!takes((2032, 1968)), "more blocks than it takes");
        assert!(!takes((2048, 64)) && !takes((32, 32)));
        assert!(!facts.can_decode("mpeg4", "4:2:0", 10, (640, 360)));
    }
}
