//! Video encodes.

use crate::media::spec::RateControl;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;
use crate::media::spec_check::findings::Findings;
use crate::media::spec_check::overlay::drawn_of;
use crate::media::spec_check::video_codec::codec_of;

/// x264's preset names; NVENC's are mapped from them.
pub const PRESETS: [&str; 9] = [
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
];
pub(super) fn video_of(findings: &mut Findings, path: &str, video: &VideoSpec) {
    for (key, pixels) in [("width", video.width), ("height", video.height)] {
        if let Some(pixels) = pixels.filter(|pixels| !(128..=8192).contains(pixels) || pixels % 2 == 1) {
            findings.add(
                format!("{path}.{key}"),
                format!("{pixels} is out of range, an even number, 128 to 8192"),
            );
        }
    }
    findings.within_if(format!("{path}.fps"), video.fps, 0.1..=240.0);
    findings.one_of(format!("{path}.preset"), &video.preset, &PRESETS);
    findings.within_if(format!("{path}.max_fps"), video.max_fps, 0.1..=240.0);
    findings.within_if(format!("{path}.bitrate_kbps"), video.bitrate_kbps, 10..=200_000);
    findings.within_if(format!("{path}.max_bitrate_kbps"), video.max_bitrate_kbps, 10..=400_000);
    findings.within_if(format!("{path}.bufsize_kbps"), video.bufsize_kbps, 10..=800_000);
    codec_of(findings, path, video);
    findings.within(format!("{path}.gop_s"), video.gop_s, 0.1..=60.0);
    findings.within_if(format!("{path}.gop_frames"), video.gop_frames, 1..=100_000);
    findings.within_if(format!("{path}.bframes"), video.bframes, 0..=16);
    if video.profile.as_deref() == Some("baseline") && video.bframes.is_some_and(|bframes| bframes > 0) {
        findings.add(
            format!("{path}.bframes"),
            "profile \"baseline\" has no B-frames; write bframes = 0",
        );
    }
    drawn_of(findings, path, &video.watermarks, &video.mosaics, video.burn.as_ref());
    let is_drawn_on = !video.watermarks.is_empty() || !video.mosaics.is_empty() || video.burn.is_some();
    if is_drawn_on && video.codec == VideoCodec::Copy {
        findings.add(format!("{path}.codec"), "pictures that are copied cannot be drawn on");
    }
    match video.rate {
        RateControl::Crf => {
            if video.bitrate_kbps.is_some() {
                findings.add(
                    format!("{path}.bitrate_kbps"),
                    "means nothing with rate = \"crf\"; write rate = \"vbr\" or \"cbr\"",
                );
            }
        }
        RateControl::Vbr | RateControl::Cbr => {
            if video.bitrate_kbps.is_none() {
                findings.add(
                    format!("{path}.bitrate_kbps"),
                    "is required by rate = \"vbr\" and \"cbr\"",
                );
            }
            if video.crf.is_some() {
                findings.add(format!("{path}.crf"), "means nothing with rate = \"vbr\" or \"cbr\"");
            }
        }
    }
    if let (Some(bitrate), Some(cap)) = (video.bitrate_kbps, video.max_bitrate_kbps)
        && cap < bitrate
    {
        findings.add(
            format!("{path}.max_bitrate_kbps"),
            format!("{cap} is less than bitrate_kbps, {bitrate}"),
        );
    }
}
