//! What each video codec has and has not: profiles, depths, levels, rate control, presets.
//!
//! Guarantees: what passes here, the encoder of the codec has an option for. Deliberately absent: ranges that are the
//! same for all.

use crate::media::spec::RateControl;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;
use crate::media::spec_check::findings::Findings;

/// Profiles of a codec.
pub fn profiles_of(codec: VideoCodec) -> &'static [&'static str] {
    match codec {
        VideoCodec::H264 => &["baseline", "main", "high", "high10", "high422"],
        VideoCodec::Hevc => &["main", "main10", "main422-10"],
        VideoCodec::Prores => &["proxy", "lt", "standard", "hq", "4444"],
        VideoCodec::Dnxhr => &["lb", "sq", "hq", "hqx", "444"],
        VideoCodec::Mpeg2 => &["main", "422"],
        VideoCodec::Av1 | VideoCodec::Vp9 | VideoCodec::Copy => &[],
    }
}

/// Levels of a codec.
pub fn levels_of(codec: VideoCodec) -> &'static [&'static str] {
    match codec {
        VideoCodec::H264 => &[
            "1.0", "1.1", "1.2", "1.3", "2.0", "2.1", "2.2", "3.0", "3.1", "3.2", "4.0", "4.1", "4.2", "5.0", "5.1",
            "5.2", "6.0", "6.1", "6.2",
        ],
        VideoCodec::Hevc => &[
            "1.0", "2.0", "2.1", "3.0", "3.1", "4.0", "4.1", "5.0", "5.1", "5.2", "6.0", "6.1", "6.2",
        ],
        VideoCodec::Av1 => &[
            "2.0", "2.1", "3.0", "3.1", "4.0", "4.1", "5.0", "5.1", "5.2", "5.3", "6.0", "6.1", "6.2", "6.3",
        ],
        VideoCodec::Vp9 => &[
            "1.0", "1.1", "2.0", "2.1", "3.0", "3.1", "4.0", "4.1", "5.0", "5.1", "5.2", "6.0", "6.1", "6.2",
        ],
        _ => &[],
    }
}

/// Frame rates that MPEG-2 has.
const MPEG2_RATES: [f64; 8] = [23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0];

pub(super) fn codec_of(findings: &mut Findings, path: &str, video: &VideoSpec) {
    if video.codec == VideoCodec::Copy {
        copy(findings, path, video);
        return;
    }
    form(findings, path, video);
    rate(findings, path, video);
    let word = video.codec.word();
    if let Some(bframes) = video.bframes.filter(|bframes| *bframes > 0)
        && !video.codec.has_bframes()
    {
        findings.add(
            format!("{path}.bframes"),
            format!("{bframes} means nothing with codec = \"{word}\", which has no B-frames to count"),
        );
    }
    let has_presets = !video.codec.is_intra_only() && video.codec != VideoCodec::Mpeg2;
    if !has_presets && video.preset != VideoSpec::default_preset() {
        findings.add(
            format!("{path}.preset"),
            format!("codec = \"{word}\" has no presets; leave it out"),
        );
    }
    if video.codec == VideoCodec::Mpeg2 {
        mpeg2(findings, path, video);
    }
    let dnxhr_too_small = [(video.width, 256), (video.height, 120)]
        .into_iter()
        .any(|(edge, least)| edge.is_some_and(|edge| edge < least));
    if video.codec == VideoCodec::Dnxhr && dnxhr_too_small {
        findings.add(path, "DNxHR pictures are at least 256x120");
    }
}

fn mpeg2(findings: &mut Findings, path: &str, video: &VideoSpec) {
    if let Some(fps) = video.fps
        && !MPEG2_RATES.iter().any(|rate| (rate - fps).abs() < 0.01)
    {
        let known = MPEG2_RATES.map(|rate| rate.to_string()).join(", ");
        findings.add(
            format!("{path}.fps"),
            format!("{fps} is no rate of MPEG-2, which has {known}"),
        );
    }
    // Its encoder makes a key frame after 600 frames at the latest.
    findings.within(format!("{path}.gop_s"), video.gop_s, 0.1..=10.0);
    findings.within_if(format!("{path}.gop_frames"), video.gop_frames, 1..=600);
}

/// Profile, depth and level.
fn form(findings: &mut Findings, path: &str, video: &VideoSpec) {
    let word = video.codec.word();
    if let Some(profile) = &video.profile {
        match profiles_of(video.codec) {
            [] => findings.add(
                format!("{path}.profile"),
                format!("codec = \"{word}\" has none to choose; bit_depth decides"),
            ),
            known => findings.one_of(format!("{path}.profile"), profile, known),
        }
    }
    if let Some(level) = &video.level {
        match levels_of(video.codec) {
            [] => findings.add(
                format!("{path}.level"),
                format!("means nothing with codec = \"{word}\"; leave it out"),
            ),
            known => findings.one_of(format!("{path}.level"), level, known),
        }
    }
    let Some(bits) = video.bit_depth else { return };
    if ![8, 10].contains(&bits) {
        findings.add(format!("{path}.bit_depth"), format!("{bits} is neither 8 nor 10"));
        return;
    }
    let wrong = match (video.codec, video.profile.as_deref(), bits) {
        (VideoCodec::H264, Some("baseline" | "main" | "high"), 10) => Some("write profile = \"high10\""),
        (VideoCodec::H264, Some("high10"), 8) => Some("write profile = \"high\""),
        (VideoCodec::Hevc, Some("main"), 10) => Some("write profile = \"main10\""),
        (VideoCodec::Hevc, Some("main10" | "main422-10"), 8) => Some("write profile = \"main\""),
        (VideoCodec::Prores, _, 8) => Some("ProRes has 10"),
        (VideoCodec::Dnxhr, Some("hqx" | "444"), 8) => Some("write profile = \"hq\""),
        (VideoCodec::Dnxhr, None | Some("lb" | "sq" | "hq"), 10) => Some("write profile = \"hqx\""),
        (VideoCodec::Mpeg2, _, 10) => Some("MPEG-2 has 8"),
        _ => None,
    };
    if let Some(wrong) = wrong {
        findings.add(
            format!("{path}.bit_depth"),
            format!("{bits} bits are not what the profile has; {wrong}"),
        );
    }
}

/// Rate control.
fn rate(findings: &mut Findings, path: &str, video: &VideoSpec) {
    let word = video.codec.word();
    if video.codec.is_intra_only() {
        let keys = [
            ("rate", video.rate != RateControl::Crf),
            ("bitrate_kbps", video.bitrate_kbps.is_some()),
            ("max_bitrate_kbps", video.max_bitrate_kbps.is_some()),
            ("bufsize_kbps", video.bufsize_kbps.is_some()),
            ("crf", video.crf.is_some()),
            ("two_pass", video.two_pass),
        ];
        for (key, _) in keys.iter().filter(|(_, is_set)| *is_set) {
            findings.add(
                format!("{path}.{key}"),
                format!("means nothing with codec = \"{word}\", whose profile decides the bitrate"),
            );
        }
        return;
    }
    let crf = match video.codec {
        VideoCodec::Av1 => 1.0..=63.0,
        VideoCodec::Vp9 => 0.0..=63.0,
        VideoCodec::Mpeg2 => 1.0..=31.0,
        _ => 0.0..=51.0,
    };
    findings.within_if(format!("{path}.crf"), video.crf, crf);
    let wrong = match (video.codec, video.rate) {
        (VideoCodec::Av1, RateControl::Cbr) => Some((
            "rate",
            "AV1 has no constant bitrate here; write rate = \"vbr\", or \"crf\" with max_bitrate_kbps",
        )),
        (VideoCodec::Av1, RateControl::Vbr)
            if video
                .max_bitrate_kbps
                .is_some_and(|cap| Some(cap) <= video.bitrate_kbps) =>
        {
            Some((
                "max_bitrate_kbps",
                "must be above bitrate_kbps for AV1; leave it out otherwise",
            ))
        }
        (VideoCodec::Mpeg2, RateControl::Crf) if video.max_bitrate_kbps.is_some() => Some((
            "max_bitrate_kbps",
            "MPEG-2 at constant quality has no cap; write rate = \"vbr\" with bitrate_kbps",
        )),
        _ => None,
    };
    if let Some((key, wrong)) = wrong {
        findings.add(format!("{path}.{key}"), wrong);
    }
    if video.two_pass && video.rate != RateControl::Vbr {
        findings.add(
            format!("{path}.two_pass"),
            "spends an average where it is needed; write rate = \"vbr\" with bitrate_kbps",
        );
    } else if video.two_pass && video.codec == VideoCodec::Av1 {
        findings.add(
            format!("{path}.two_pass"),
            "AV1 is not read twice here; its encoder looks ahead instead. Leave it out",
        );
    }
}

/// Nothing of a copy can be chosen.
fn copy(findings: &mut Findings, path: &str, video: &VideoSpec) {
    let keys = [
        ("width", video.width.is_some()),
        ("height", video.height.is_some()),
        ("upscale", video.upscale),
        ("fps", video.fps.is_some()),
        ("max_fps", video.max_fps.is_some()),
        ("preset", video.preset != VideoSpec::default_preset()),
        ("profile", video.profile.is_some()),
        ("level", video.level.is_some()),
        ("bit_depth", video.bit_depth.is_some()),
        ("rate", video.rate != RateControl::Crf),
        ("bitrate_kbps", video.bitrate_kbps.is_some()),
        ("max_bitrate_kbps", video.max_bitrate_kbps.is_some()),
        ("bufsize_kbps", video.bufsize_kbps.is_some()),
        ("crf", video.crf.is_some()),
        ("two_pass", video.two_pass),
        ("clamp_to_source", video.clamp_to_source),
        ("gop_s", video.gop_s != VideoSpec::default_gop_s()),
        ("gop_frames", video.gop_frames.is_some()),
        ("bframes", video.bframes.is_some()),
        ("watermark", !video.watermarks.is_empty()),
        ("mosaic", !video.mosaics.is_empty()),
        ("burn", video.burn.is_some()),
    ];
    for (key, _) in keys.iter().filter(|(_, is_set)| *is_set) {
        findings.add(
            format!("{path}.{key}"),
            "means nothing with codec = \"copy\": the source's packets are taken as they are",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::codec_of;
    use crate::media::spec::VideoSpec;
    use crate::media::spec_check::findings::Findings;

    /// Keys that are refused.
    fn refused(text: &str) -> Vec<String> {
        let spec: VideoSpec = toml::from_str(text).expect("a spec");
        let mut findings = Findings::default();
        codec_of(&mut findings, "video", &spec);
        findings.0.into_iter().map(|wrong| wrong.path).collect()
    }

    #[test]
    fn combinations_that_no_encoder_has_are_refused() {
        let table: [(&str, &[&str]); 18] = [
            ("codec=\"h264\"\nprofile=\"high10\"\nlevel=\"4.1\"", &[]),
            ("codec=\"h264\"\nprofile=\"main10\"", &["video.profile"]),
            ("codec=\"h264\"\nlevel=\"4.3\"", &["video.level"]),
            ("codec=\"hevc\"\nprofile=\"main\"\nbit_depth=10", &["video.bit_depth"]),
            ("codec=\"hevc\"\nbit_depth=12", &["video.bit_depth"]),
            ("codec=\"hevc\"\nrate=\"vbr\"\nbitrate_kbps=900\ntwo_pass=true", &[]),
            ("codec=\"hevc\"\ntwo_pass=true", &["video.two_pass"]),
            ("codec=\"av1\"\nrate=\"cbr\"\nbitrate_kbps=900", &["video.rate"]),
            (
                "codec=\"av1\"\nrate=\"vbr\"\nbitrate_kbps=900\nmax_bitrate_kbps=900",
                &["video.max_bitrate_kbps"],
            ),
            (
                "codec=\"av1\"\nrate=\"vbr\"\nbitrate_kbps=900\ntwo_pass=true",
                &["video.two_pass"],
            ),
            ("codec=\"av1\"\ncrf=63\nbframes=2", &["video.bframes"]),
            ("codec=\"vp9\"\nprofile=\"0\"", &["video.profile"]),
            (
                "codec=\"prores\"\nprofile=\"hq\"\nbitrate_kbps=900",
                &["video.bitrate_kbps"],
            ),
            (
                "codec=\"prores\"\npreset=\"slow\"\nbit_depth=8",
                &["video.bit_depth", "video.preset"],
            ),
            ("codec=\"dnxhr\"\nbit_depth=10", &["video.bit_depth"]),
            (
                "codec=\"mpeg2\"\ncrf=4\nmax_bitrate_kbps=900\nfps=15",
                &["video.max_bitrate_kbps", "video.fps"],
            ),
            ("codec=\"copy\"", &[]),
            ("codec=\"copy\"\nheight=720\ncrf=20", &["video.height", "video.crf"]),
        ];
        for (text, wanted) in table {
            assert_eq!(refused(text), wanted, "{text}");
        }
    }
}
