//! Output groups, their outputs, and what of the source they take.

use crate::media::spec::Clip;
use crate::media::spec::GroupKind;
use crate::media::spec::GroupSpec;
use crate::media::spec::OutputSpec;
use crate::media::spec::TranscodeSpec;
use crate::media::spec_check::audio::audio_of;
use crate::media::spec_check::findings::Findings;
use crate::media::spec_check::findings::name;
use crate::media::spec_check::ladder;
use crate::media::spec_check::overlay::drawn_of;
use crate::media::spec_check::qc;
use crate::media::spec_check::set;
use crate::media::spec_check::video::video_of;
use std::collections::BTreeSet;

pub(super) fn transcode(findings: &mut Findings, spec: &TranscodeSpec) {
    if spec.groups.is_empty() {
        findings.add("group", "a transcode needs at least one [[activity.group]]");
    }
    if let Some(clip) = spec.clip {
        clip_of(findings, clip);
    }
    if let Some(quality) = &spec.quality {
        qc::quality(findings, quality);
    }
    drawn_of(findings, "", &spec.watermarks, &spec.mosaics, spec.burn.as_ref());
    let mut names = BTreeSet::new();
    for (at, group) in spec.groups.iter().enumerate() {
        let path = format!("group[{at}]");
        if !group.name.is_empty() {
            name(findings, format!("{path}.name"), &group.name);
            if !names.insert(group.name.as_str()) {
                findings.add(format!("{path}.name"), format!("{:?} names two groups", group.name));
            }
        }
        group_of(findings, &path, group);
    }
}

fn clip_of(findings: &mut Findings, clip: Clip) {
    findings.within("clip.start_s".to_owned(), clip.start_s, 0.0..=604_800.0);
    if let Some(end_s) = clip.end_s.filter(|end_s| *end_s <= clip.start_s) {
        findings.add(
            "clip.end_s",
            format!("{end_s} is not after clip.start_s, {}", clip.start_s),
        );
    }
}

fn group_of(findings: &mut Findings, path: &str, group: &GroupSpec) {
    findings.within(format!("{path}.segment_s"), group.segment_s, 1.0..=60.0);
    if group.kind != GroupKind::File && group.container.is_some() {
        findings.add(
            format!("{path}.container"),
            "only groups of kind \"file\" take a container",
        );
    }
    set::options(findings, path, group);
    if group.outputs.is_empty() {
        findings.add(
            format!("{path}.output"),
            "a group needs at least one [[activity.group.output]]",
        );
    }
    if group.outputs.len() > 30 {
        findings.add(
            format!("{path}.output"),
            format!("{} outputs are more than 30", group.outputs.len()),
        );
    }
    if let Some(ladder) = &group.ladder {
        ladder::ladder(findings, path, group, ladder);
    }
    let mut names = BTreeSet::new();
    for (at, output) in group.outputs.iter().enumerate() {
        let path = format!("{path}.output[{at}]");
        name(findings, format!("{path}.name"), &output.name);
        if !names.insert(output.name.as_str()) {
            findings.add(
                format!("{path}.name"),
                format!("{:?} names two outputs of the group", output.name),
            );
        }
        output_of(findings, &path, group, output);
    }
}

fn output_of(findings: &mut Findings, path: &str, group: &GroupSpec, output: &OutputSpec) {
    if let Some(rendition) = &output.rendition {
        set::rendition(findings, &format!("{path}.rendition"), group, output, rendition);
    }
    if output.video.is_none() && output.audio.is_none() && !set::is_subtitle(output) {
        findings.add(path, "an output needs video, audio or both");
    }
    if let (Some(container), true) = (
        group.container.filter(|container| container.is_audio_only()),
        output.video.is_some(),
    ) {
        findings.add(
            format!("{path}.video"),
            format!(
                "{} files hold no video; take container = \"mp4\"",
                container.extension().trim_start_matches('.')
            ),
        );
    }
    if let Some(video) = &output.video {
        video_of(findings, &format!("{path}.video"), &ladder::as_rung(group, video));
        if group.kind.is_set() && video.gop_s > group.segment_s {
            findings.add(
                format!("{path}.video.gop_s"),
                format!(
                    "{} is longer than segment_s, {}: segments begin at key frames",
                    video.gop_s, group.segment_s
                ),
            );
        }
    }
    if let Some(audio) = &output.audio {
        audio_of(findings, &format!("{path}.audio"), audio);
    }
}
