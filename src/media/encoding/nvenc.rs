//! A video spec as NVENC is asked for it, or why NVENC cannot make it.
//!
//! Guarantees: pure; what [`supports`] takes, [`setup`] has words for. `two_pass` is NVENC's own analysis of every picture
//! in full before it is encoded: the source is read once. Deliberately absent: whether NVENC shall be used.

use crate::media::av::Color;
use crate::media::av::color;
use crate::media::cuda::nvenc::BFrames;
use crate::media::cuda::nvenc::Codec;
use crate::media::cuda::nvenc::EncodeSetup;
use crate::media::cuda::nvenc::Profile;
use crate::media::cuda::nvenc::Rate;
use crate::media::cuda::nvenc::Signal;
use crate::media::device_report::DeviceFacts;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::encoding::hdr_message;
use crate::media::encoding::preset;
use crate::media::facts::Ratio;
use crate::media::spec::RateControl;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;

/// The worst quality of AV1 in a spec and on NVENC's scale.
const AV1_WORST: (f64, f64) = (63.0, 51.0);

/// What an encode is beside its spec.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Parameters.
    pub spec: &'a VideoSpec,
    /// Pixels across and down.
    pub size: (u32, u32),
    /// Nominal frames a second.
    pub frame_rate: Ratio,
    /// All frames last equally long.
    pub is_steady: bool,
    /// Written into the stream.
    pub color: Color,
    /// What HDR pictures carry, if this encode keeps them.
    pub hdr: &'a HdrMetadata,
}

/// Whether the encoders of a device make this; a sentence without full stop says why not.
pub fn supports(spec: &VideoSpec, (width, height): (u32, u32), device: &DeviceFacts) -> Result<(), String> {
    if device.encode.is_empty() {
        return Err(format!("{} has no encoder (NVENC)", device.name));
    }
    let codec = codec_of(spec)?;
    let word = spec.codec.word();
    let ability = device
        .encoder_of(codec.name())
        .ok_or_else(|| format!("NVENC of {} does not make {word}", device.name))?;
    if spec.bits() > 8 && !ability.ten_bit {
        return Err(format!("NVENC of {} makes {word} of 8 bits only", device.name));
    }
    if width < ability.min_width || height < ability.min_height {
        let (least_width, least_height) = (ability.min_width, ability.min_height);
        return Err(format!(
            "NVENC makes {word} from {least_width}x{least_height} on; this rendition is {width}x{height}"
        ));
    }
    if width > ability.max_width || height > ability.max_height {
        let (most_width, most_height) = (ability.max_width, ability.max_height);
        return Err(format!(
            "NVENC makes {word} up to {most_width}x{most_height}; this rendition is {width}x{height}"
        ));
    }
    Ok(())
}

/// How NVENC is opened for it; a sentence without full stop says why it cannot be.
pub fn setup(wanted: &Wanted<'_>) -> Result<EncodeSetup, String> {
    let spec = wanted.spec;
    let codec = codec_of(spec)?;
    let is_ten_bit = spec.bits() > 8;
    let positive = |number: i32| u32::try_from(number).unwrap_or(1).max(1);
    Ok(EncodeSetup {
        codec,
        profile: match (codec, spec.profile.as_deref()) {
            (Codec::H264, Some("baseline")) => Profile::Baseline,
            (Codec::H264, Some("main")) => Profile::Main,
            (Codec::H264, _) => Profile::High,
            (Codec::Hevc, _) if is_ten_bit => Profile::Main10,
            (Codec::Hevc | Codec::Av1, _) => Profile::Main,
        },
        level: spec.level.as_deref().and_then(|level| level_of(codec, level)),
        width: wanted.size.0,
        height: wanted.size.1,
        is_ten_bit,
        frame_rate: (positive(wanted.frame_rate.num), positive(wanted.frame_rate.den)),
        is_steady: wanted.is_steady,
        preset: preset::nvenc(&spec.preset),
        is_careful: preset::is_careful(&spec.preset),
        rate: rate_of(codec, spec),
        is_analysed_twice: spec.two_pass,
        bframes: match (codec, spec.bframes) {
            // Its number of pictures that are not shown is no matter of definitions.
            (Codec::Av1, _) => BFrames::OfPreset,
            (_, Some(_)) => BFrames::Asked(spec.bframes_in_a_row()),
            (_, None) => BFrames::Usual(spec.bframes_in_a_row()),
        },
        signal: signal_of(wanted.color),
        messages: hdr_message::messages(codec, wanted.hdr),
    })
}

/// Codec, where NVENC makes it in this profile.
fn codec_of(spec: &VideoSpec) -> Result<Codec, String> {
    match (spec.codec, spec.profile.as_deref()) {
        (VideoCodec::H264, Some(profile @ ("high10" | "high422"))) => {
            Err(format!("NVENC does not make H.264 of profile {profile}"))
        }
        (VideoCodec::H264, _) if spec.bits() > 8 => Err("NVENC makes H.264 of 8 bits only".to_owned()),
        (VideoCodec::Hevc, Some(profile @ "main422-10")) => {
            Err(format!("NVENC does not make HEVC of profile {profile}"))
        }
        (VideoCodec::H264, _) => Ok(Codec::H264),
        (VideoCodec::Hevc, _) => Ok(Codec::Hevc),
        (VideoCodec::Av1, _) => Ok(Codec::Av1),
        (other, _) => Err(format!("NVENC does not make {}", other.word())),
    }
}

/// `4.1` as the header of the codec has it.
fn level_of(codec: Codec, level: &str) -> Option<u32> {
    let (major, minor) = level.split_once('.')?;
    let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    match codec {
        Codec::H264 => Some(major * 10 + minor),
        Codec::Hevc => Some(major * 30 + minor * 3),
        Codec::Av1 => Some(major.checked_sub(2)? * 4 + minor),
    }
}

fn rate_of(codec: Codec, spec: &VideoSpec) -> Rate {
    let bits = |kbps: u32| kbps.saturating_mul(1000);
    let cap = spec.max_bitrate_kbps.map(bits);
    // As for the other encoders: without a word of its own, a buffer of two seconds of the cap.
    let buffer = cap.map(|cap| spec.bufsize_kbps.map_or(cap.saturating_mul(2), bits));
    let bitrate = bits(spec.bitrate_kbps.unwrap_or(2000));
    match spec.rate {
        RateControl::Cbr => Rate::Constant {
            bitrate,
            buffer: spec.bufsize_kbps.map_or(bitrate, bits),
        },
        RateControl::Vbr => Rate::Average { bitrate, cap, buffer },
        RateControl::Crf => Rate::Quality {
            level: match codec {
                Codec::H264 => spec.crf.unwrap_or(23.0),
                Codec::Hevc => spec.crf.unwrap_or(28.0),
                Codec::Av1 => spec.crf.unwrap_or(35.0) * AV1_WORST.1 / AV1_WORST.0,
            },
            cap,
            buffer,
        },
    }
}

fn signal_of(said: Color) -> Signal {
    let code = |value: i32| u32::try_from(value).unwrap_or(color::UNSPECIFIED as u32);
    Signal {
        primaries: code(said.primaries),
        transfer: code(said.transfer),
        matrix: code(said.matrix),
        is_full_range: said.range == color::FULL,
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;
    use super::setup;
    use super::supports;
    use crate::media::av::Color;
    use crate::media::cuda::nvenc::BFrames;
    use crate::media::cuda::nvenc::EncodeSetup;
    use crate::media::cuda::nvenc::Profile;
    use crate::media::cuda::nvenc::Rate;
    use crate::media::device_report::DeviceFacts;
    use crate::media::device_report::EncodeAbility;
    use crate::media::encoding::hdr::HdrMetadata;
    use crate::media::facts::Ratio;
    use crate::media::spec::VideoSpec;

    fn spec(text: &str) -> VideoSpec {
        toml::from_str(text).expect("a spec")
    }

    fn of(text: &str) -> EncodeSetup {
        setup(&Wanted {
            spec: &spec(text),
            size: (1280, 720),
            frame_rate: Ratio { num: 30_000, den: 1001 },
            is_steady: true,
            color: Color::BT709,
            hdr: &HdrMetadata::default(),
        })
        .expect("a setup")
    }

    fn device() -> DeviceFacts {
        let ability = |codec: &str, ten_bit| EncodeAbility {
            codec: codec.to_owned(),
            min_width: 145,
            min_height: 49,
            max_width: 4096,
            max_height: 4096,
            ten_bit,
            ..EncodeAbility::default()
        };
        DeviceFacts {
            name: "a card".to_owned(),
            encode: vec![ability("h264", false), ability("hevc", true)],
            ..DeviceFacts::default()
        }
    }

    #[test]
    fn what_it_cannot_make_is_told_in_a_sentence() {
        let refused = [
            ("codec=\"vp9\"", (1280, 720), "NVENC does not make vp9"),
            ("codec=\"prores\"", (1280, 720), "NVENC does not make prores"),
            ("codec=\"h264\"\nprofile=\"high422\"", (1280, 720), "profile high422"),
            ("codec=\"h264\"\nprofile=\"high10\"", (1280, 720), "profile high10"),
            ("codec=\"h264\"\nbit_depth=10", (1280, 720), "8 bits only"),
            (
                "codec=\"hevc\"\nprofile=\"main422-10\"",
                (1280, 720),
                "profile main422-10",
            ),
            ("codec=\"av1\"", (1280, 720), "of a card does not make av1"),
            ("codec=\"hevc\"", (128, 72), "from 145x49 on"),
            ("codec=\"h264\"", (8192, 4320), "up to 4096x4096"),
        ];
        for (text, size, words) in refused {
            let why = supports(&spec(text), size, &device()).expect_err(text);
            assert!(why.contains(words), "{text}: {why}");
        }
        for text in [
            "codec=\"h264\"",
            "codec=\"hevc\"\nbit_depth=10",
            "codec=\"hevc\"\nprofile=\"main10\"",
        ] {
            assert_eq!(supports(&spec(text), (1280, 720), &device()), Ok(()), "{text}");
        }
        let without = DeviceFacts {
            name: "H200".to_owned(),
            ..DeviceFacts::default()
        };
        let why = supports(&spec("codec=\"h264\""), (1280, 720), &without).expect_err("no NVENC");
        assert_eq!(why, "H200 has no encoder (NVENC)");
    }

    #[test]
    fn rates_keep_their_meaning() {
        let constant = of("codec=\"h264\"\nrate=\"cbr\"\nbitrate_kbps=800");
        let buffer = 800_000;
        assert_eq!(
            constant.rate,
            Rate::Constant {
                bitrate: 800_000,
                buffer
            }
        );
        let capped = of("codec=\"hevc\"\nrate=\"vbr\"\nbitrate_kbps=800\nmax_bitrate_kbps=1000\ntwo_pass=true");
        let (cap, buffer) = (Some(1_000_000), Some(2_000_000));
        let bitrate = 800_000;
        assert_eq!(capped.rate, Rate::Average { bitrate, cap, buffer });
        assert!(capped.is_analysed_twice);
        let quality = |text: &str| match of(text).rate {
            Rate::Quality { level, cap, .. } => (level, cap),
            other => panic!("{other:?}"),
        };
        assert_eq!(quality("codec=\"h264\"\nmax_bitrate_kbps=900"), (23.0, Some(900_000)));
        assert_eq!(quality("codec=\"av1\"\ncrf=63"), (51.0, None));
    }

    #[test]
    fn levels_profiles_and_b_frames_are_in_its_numbers() {
        let level = |text: &str| of(text).level;
        assert_eq!(level("codec=\"h264\"\nlevel=\"4.1\""), Some(41));
        assert_eq!(level("codec=\"hevc\"\nlevel=\"4.1\""), Some(123));
        assert_eq!(level("codec=\"av1\"\nlevel=\"4.1\""), Some(9));
        assert_eq!(level("codec=\"hevc\""), None);
        let baseline = of("codec=\"h264\"\nprofile=\"baseline\"");
        assert_eq!(
            (baseline.profile, baseline.bframes),
            (Profile::Baseline, BFrames::Usual(0))
        );
        assert_eq!(of("codec=\"hevc\"\nbframes=5").bframes, BFrames::Asked(5));
        assert_eq!(of("codec=\"av1\"").bframes, BFrames::OfPreset);
        let slow = of("codec=\"hevc\"\nbit_depth=10\npreset=\"slower\"");
        assert_eq!((slow.preset, slow.is_careful, slow.profile), (6, true, Profile::Main10));
        assert_eq!((slow.signal.primaries, slow.signal.is_full_range), (1, false));
    }
}
