//! Pixels that an encode is made of.
//!
//! Guarantees: pure. Deliberately absent: how pictures get there.

use crate::media::av::PixelFormat;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;

/// Pixel format of the frames that the encoder of a spec takes; [`PixelFormat::NONE`] for a copy, which takes none.
pub fn pixel_format(spec: &VideoSpec) -> PixelFormat {
    let deep = spec.bits() > 8;
    match (spec.codec, spec.profile.as_deref(), deep) {
        (VideoCodec::Copy, ..) => PixelFormat::NONE,
        (VideoCodec::Prores, Some("4444"), _) | (VideoCodec::Dnxhr, Some("444"), _) => PixelFormat::YUV444P10,
        (VideoCodec::Prores, ..) => PixelFormat::YUV422P10,
        (VideoCodec::Dnxhr, _, true) | (VideoCodec::Hevc, Some("main422-10"), _) => PixelFormat::YUV422P10,
        (VideoCodec::H264, Some("high422"), true) => PixelFormat::YUV422P10,
        (VideoCodec::Dnxhr, _, false) | (VideoCodec::H264, Some("high422"), false) => PixelFormat::YUV422P,
        (VideoCodec::Mpeg2, Some("422"), _) => PixelFormat::YUV422P,
        (VideoCodec::Mpeg2, ..) | (_, _, false) => PixelFormat::YUV420P,
        (_, _, true) => PixelFormat::YUV420P10,
    }
}

/// Whether PQ and HLG pictures stay what they are in this encode, instead of being brought to SDR: at 10 bits, in the
/// codecs whose players expect it. H.264 is taken for SDR everywhere, whatever its depth.
pub fn keeps_hdr(spec: &VideoSpec) -> bool {
    let may = matches!(
        spec.codec,
        VideoCodec::Hevc | VideoCodec::Av1 | VideoCodec::Vp9 | VideoCodec::Prores | VideoCodec::Dnxhr
    );
    may && spec.bits() > 8
}

/// Pixel format that a decoder finds in an encode that was fed with `fed`: ProRes does not say how deep 4:4:4 pictures
/// were, and is read as 12 bit.
pub fn read_back_format(spec: &VideoSpec, fed: PixelFormat) -> PixelFormat {
    if spec.codec == VideoCodec::Prores && fed == PixelFormat::YUV444P10 {
        PixelFormat::planar(12, (0, 0))
    } else {
        fed
    }
}

#[cfg(test)]
mod tests {
    use super::keeps_hdr;
    use super::pixel_format;
    use crate::media::spec::VideoSpec;

    fn spec(text: &str) -> VideoSpec {
        toml::from_str(text).expect("a spec")
    }

    #[test]
    fn depth_and_profile_decide() {
        let table = [
            ("codec = \"h264\"", "yuv420p", false),
            ("codec = \"h264\"\nprofile = \"high10\"", "yuv420p10le", false),
            (
                "codec = \"h264\"\nprofile = \"high422\"\nbit_depth = 10",
                "yuv422p10le",
                false,
            ),
            ("codec = \"hevc\"", "yuv420p", false),
            ("codec = \"hevc\"\nbit_depth = 10", "yuv420p10le", true),
            ("codec = \"hevc\"\nprofile = \"main422-10\"", "yuv422p10le", true),
            ("codec = \"av1\"\nbit_depth = 10", "yuv420p10le", true),
            ("codec = \"vp9\"", "yuv420p", false),
            ("codec = \"prores\"", "yuv422p10le", true),
            ("codec = \"prores\"\nprofile = \"4444\"", "yuv444p10le", true),
            ("codec = \"dnxhr\"", "yuv422p", false),
            ("codec = \"dnxhr\"\nprofile = \"hqx\"", "yuv422p10le", true),
            ("codec = \"dnxhr\"\nprofile = \"444\"", "yuv444p10le", true),
            ("codec = \"mpeg2\"\nprofile = \"422\"", "yuv422p", false),
        ];
        for (text, name, keeps) in table {
            let spec = spec(text);
            assert_eq!(pixel_format(&spec).name().as_deref(), Some(name), "{text}");
            assert_eq!(keeps_hdr(&spec), keeps, "{text}");
        }
    }
}
