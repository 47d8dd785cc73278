//! What a decoder of the device may be asked to decode.

use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoCodec_enum as Number;

/// A codec of the device's decoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// MPEG-1.
    Mpeg1,
    /// MPEG-2.
    Mpeg2,
    /// MPEG-4 part 2.
    Mpeg4,
    /// VC-1, advanced profile.
    Vc1,
    /// H.264.
    H264,
    /// JPEG, picture by picture.
    Jpeg,
    /// HEVC.
    Hevc,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// AV1.
    Av1,
}

impl Codec {
    /// All of them.
    pub const ALL: [Codec; 10] = [
        Codec::H264,
        Codec::Hevc,
        Codec::Av1,
        Codec::Vp9,
        Codec::Vp8,
        Codec::Mpeg2,
        Codec::Mpeg1,
        Codec::Mpeg4,
        Codec::Vc1,
        Codec::Jpeg,
    ];

    /// As a probe calls it.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Mpeg1 => "mpeg1video",
            Codec::Mpeg2 => "mpeg2video",
            Codec::Mpeg4 => "mpeg4",
            Codec::Vc1 => "vc1",
            Codec::H264 => "h264",
            Codec::Jpeg => "mjpeg",
            Codec::Hevc => "hevc",
            Codec::Vp8 => "vp8",
            Codec::Vp9 => "vp9",
            Codec::Av1 => "av1",
        }
    }

    /// The codec of that name.
    pub fn named(name: &str) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.name() == name)
    }

    /// The colours that its headers state are the pictures'; those of the older codecs are often what the parser
    /// assumes where nothing is said.
    pub fn states_colour(self) -> bool {
        matches!(self, Codec::H264 | Codec::Hevc | Codec::Vp9 | Codec::Av1)
    }

    /// Pictures and headers begin with start codes in its streams, so that headers may be sent as part of them. The others
    /// know theirs from the container, or need none.
    pub(super) fn has_start_codes(self) -> bool {
        matches!(
            self,
            Codec::H264 | Codec::Hevc | Codec::Mpeg4 | Codec::Vc1 | Codec::Mpeg1 | Codec::Mpeg2
        )
    }

    pub(super) fn number(self) -> Number {
        match self {
            Codec::Mpeg1 => Number::cudaVideoCodec_MPEG1,
            Codec::Mpeg2 => Number::cudaVideoCodec_MPEG2,
            Codec::Mpeg4 => Number::cudaVideoCodec_MPEG4,
            Codec::Vc1 => Number::cudaVideoCodec_VC1,
            Codec::H264 => Number::cudaVideoCodec_H264,
            Codec::Jpeg => Number::cudaVideoCodec_JPEG,
            Codec::Hevc => Number::cudaVideoCodec_HEVC,
            Codec::Vp8 => Number::cudaVideoCodec_VP8,
            Codec::Vp9 => Number::cudaVideoCodec_VP9,
            Codec::Av1 => Number::cudaVideoCodec_AV1,
        }
    }
}
