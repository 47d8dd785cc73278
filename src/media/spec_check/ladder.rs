//! Ladders left to the source, and the output that is their pattern.

use crate::media::spec::AutoLadder;
use crate::media::spec::GroupSpec;
use crate::media::spec::RateControl;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;
use crate::media::spec_check::findings::Findings;
use std::borrow::Cow;

pub(super) fn ladder(findings: &mut Findings, path: &str, group: &GroupSpec, ladder: &AutoLadder) {
    let key = |key: &str| format!("{path}.ladder.{key}");
    findings.within(key("min_rungs"), ladder.min_rungs, 1..=8);
    findings.within(key("max_rungs"), ladder.max_rungs, 1..=8);
    if ladder.min_rungs > ladder.max_rungs {
        findings.add(
            key("min_rungs"),
            format!("{} is more than max_rungs, {}", ladder.min_rungs, ladder.max_rungs),
        );
    }
    findings.within_if(key("max_height"), ladder.max_height, 128..=4320);
    findings.within(key("max_bitrate_kbps"), ladder.max_bitrate_kbps, 50..=200_000);
    findings.within(key("min_bitrate_kbps"), ladder.min_bitrate_kbps, 30..=200_000);
    if ladder.min_bitrate_kbps > ladder.max_bitrate_kbps {
        findings.add(
            key("min_bitrate_kbps"),
            format!(
                "{} is more than max_bitrate_kbps, {}",
                ladder.min_bitrate_kbps, ladder.max_bitrate_kbps
            ),
        );
    }
    findings.within(key("target_psnr_db"), ladder.target_psnr_db, 30.0..=50.0);
    let patterns: Vec<(usize, &VideoSpec)> = group
        .outputs
        .iter()
        .enumerate()
        .filter_map(|(at, output)| Some((at, output.video.as_ref()?)))
        .collect();
    if patterns.len() != 1 {
        findings.add(
            format!("{path}.output"),
            format!(
                "a group with a ladder has one output with video, the pattern of all rungs, not {}",
                patterns.len()
            ),
        );
    }
    for (at, video) in patterns {
        pattern(findings, &format!("{path}.output[{at}].video"), video);
    }
}

fn pattern(findings: &mut Findings, path: &str, video: &VideoSpec) {
    let decided = [
        ("width", video.width.is_some()),
        ("height", video.height.is_some()),
        ("bitrate_kbps", video.bitrate_kbps.is_some()),
        ("max_bitrate_kbps", video.max_bitrate_kbps.is_some()),
        ("bufsize_kbps", video.bufsize_kbps.is_some()),
        ("crf", video.crf.is_some()),
        ("upscale", video.upscale),
    ];
    for (key, _) in decided.into_iter().filter(|(_, is_written)| *is_written) {
        findings.add(format!("{path}.{key}"), "is for the ladder to decide; leave it out");
    }
    if video.codec.is_intra_only() || matches!(video.codec, VideoCodec::Copy | VideoCodec::Mpeg2) {
        findings.add(
            format!("{path}.codec"),
            format!(
                "there are no ladders of {}; take h264, hevc, av1 or vp9",
                video.codec.word()
            ),
        );
    }
}

/// The pattern as one of its rungs will be, for the checks that all encodes share.
pub(super) fn as_rung<'a>(group: &GroupSpec, video: &'a VideoSpec) -> Cow<'a, VideoSpec> {
    if group.ladder.is_none() || video.rate == RateControl::Crf || video.bitrate_kbps.is_some() {
        return Cow::Borrowed(video);
    }
    Cow::Owned(VideoSpec {
        bitrate_kbps: Some(1000),
        ..video.clone()
    })
}
