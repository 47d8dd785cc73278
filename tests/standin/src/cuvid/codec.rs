//! The codecs that the decoders take, with the limits of a Turing's.

use crate::settings::settings;
use ffmpeg_the_third::ffi::AVCodecID;

/// One of them.
#[derive(Debug)]
pub struct Codec {
    /// `cudaVideoCodec`.
    pub number: u32,
    /// As a probe calls it.
    pub name: &'static str,
    /// libav's.
    pub id: AVCodecID,
    /// Bits of a sample.
    pub depths: &'static [u32],
    /// Smallest and largest pictures, pixels.
    pub sizes: [(u32, u32); 2],
    /// Macroblocks of a picture.
    pub max_blocks: u32,
    /// Pictures that others may be made of, at most.
    pub references: usize,
    /// Parts of the stream begin with 0, 0, 1.
    pub has_start_codes: bool,
    /// `cuvidGetDecodeStatus` knows it.
    pub tells_status: bool,
}

/// All of them.
static ALL: [Codec; 10] = [
    Codec {
        number: 0,
        name: "mpeg1video",
        id: AVCodecID::MPEG1VIDEO,
        depths: &[8],
        sizes: [(48, 16), (4080, 4080)],
        max_blocks: 65280,
        references: 2,
        has_start_codes: true,
        tells_status: false,
    },
    Codec {
        number: 1,
        name: "mpeg2video",
        id: AVCodecID::MPEG2VIDEO,
        depths: &[8],
        sizes: [(48, 16), (4080, 4080)],
        max_blocks: 65280,
        references: 2,
        has_start_codes: true,
        tells_status: false,
    },
    Codec {
        number: 2,
        name: "mpeg4",
        id: AVCodecID::MPEG4,
        depths: &[8],
        sizes: [(48, 16), (2032, 2032)],
        max_blocks: 8192,
        references: 2,
        has_start_codes: true,
        tells_status: false,
    },
    Codec {
        number: 3,
        name: "vc1",
        id: AVCodecID::VC1,
        depths: &[8],
        sizes: [(48, 16), (2032, 2032)],
        max_blocks: 8192,
        references: 2,
        has_start_codes: true,
        tells_status: false,
    },
    Codec {
        number: 4,
        name: "h264",
        id: AVCodecID::H264,
        depths: &[8],
        sizes: [(48, 16), (4096, 4096)],
        max_blocks: 65536,
        references: 4,
        has_start_codes: true,
        tells_status: true,
    },
    Codec {
        number: 5,
        name: "mjpeg",
        id: AVCodecID::MJPEG,
        depths: &[8],
        sizes: [(64, 64), (32768, 16384)],
        max_blocks: 67_108_864,
        references: 0,
        has_start_codes: false,
        tells_status: true,
    },
    Codec {
        number: 8,
        name: "hevc",
        id: AVCodecID::HEVC,
        depths: &[8, 10, 12],
        sizes: [(144, 144), (8192, 8192)],
        max_blocks: 262_144,
        references: 6,
        has_start_codes: true,
        tells_status: true,
    },
    Codec {
        number: 9,
        name: "vp8",
        id: AVCodecID::VP8,
        depths: &[8],
        sizes: [(48, 16), (4096, 4096)],
        max_blocks: 65536,
        references: 3,
        has_start_codes: false,
        tells_status: false,
    },
    Codec {
        number: 10,
        name: "vp9",
        id: AVCodecID::VP9,
        depths: &[8, 10, 12],
        sizes: [(128, 128), (8192, 8192)],
        max_blocks: 262_144,
        references: 8,
        has_start_codes: false,
        tells_status: false,
    },
    Codec {
        number: 11,
        name: "av1",
        id: AVCodecID::AV1,
        depths: &[8, 10],
        sizes: [(128, 128), (8192, 8192)],
        max_blocks: 262_144,
        references: 8,
        has_start_codes: false,
        tells_status: false,
    },
];

impl Codec {
    /// The codec of that number.
    pub fn numbered(number: u32) -> Option<&'static Codec> {
        ALL.iter().find(|codec| codec.number == number)
    }

    /// Whether the decoders of this host take it with so many bits.
    pub fn is_taken(&self, depth: u32) -> bool {
        let settings = settings();
        if settings.no_nvdec || !self.depths.contains(&depth) {
            return false;
        }
        let name = match depth {
            8 => self.name.to_owned(),
            depth => format!("{}{depth}", self.name),
        };
        settings.codecs.as_ref().is_none_or(|names| names.contains(&name))
    }

    /// Whether a picture of that size can be.
    pub fn has_size(&self, width: u32, height: u32) -> bool {
        let [least, most] = self.sizes;
        (least.0..=most.0).contains(&width)
            && (least.1..=most.1).contains(&height)
            && u64::from(width) * u64::from(height) / 256 <= u64::from(self.max_blocks)
    }
}
