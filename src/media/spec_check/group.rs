//! Output groups, their outputs, and what of the source they take.

use crate::media::language;
use crate::media::spec::AudioCodec;
use crate::media::spec::Clip;
use crate::media::spec::Container;
use crate::media::spec::GroupKind;
use crate::media::spec::GroupSpec;
use crate::media::spec::Moment;
use crate::media::spec::OutputSpec;
use crate::media::spec::SegmentFormat;
use crate::media::spec::TranscodeSpec;
use crate::media::spec::VideoCodec;
use crate::media::spec_check::audio::audio_fits;
use crate::media::spec_check::audio::audio_of;
use crate::media::spec_check::container::cannot_hold;
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
    joined_of(findings, spec);
    subtitles_of(findings, spec);
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

/// More text tracks than any film has.
const MAX_SUBTITLES: usize = 60;

fn subtitles_of(findings: &mut Findings, spec: &TranscodeSpec) {
    if spec.subtitles.len() > MAX_SUBTITLES {
        findings.add(
            "subtitle",
            format!("{} are more than {MAX_SUBTITLES}", spec.subtitles.len()),
        );
    }
    for (at, text) in spec.subtitles.iter().enumerate() {
        if text.source.is_empty() {
            findings.add(
                format!("subtitle[{at}].source"),
                "is missing: a SRT, WebVTT or ASS file as \"storage:key\"",
            );
        }
        if let Some(said) = text.language.as_deref().filter(|said| language::tag(said).is_none()) {
            findings.add(
                format!("subtitle[{at}].language"),
                format!("{said:?} is no language; write it like \"en\" or \"zh-Hans\""),
            );
        }
    }
}

/// The clouds join 50 files at most.
const MAX_JOINED: usize = 49;

fn joined_of(findings: &mut Findings, spec: &TranscodeSpec) {
    let joined = spec.joined();
    if joined.is_empty() {
        return;
    }
    let count = joined.before.len() + joined.after.len();
    if count > MAX_JOINED {
        findings.add(
            "inputs",
            format!("{count} files are joined to the source; at most {MAX_JOINED} can be"),
        );
    }
    for (key, names) in [("head", &spec.head), ("inputs", &spec.inputs), ("tail", &spec.tail)] {
        if names.iter().any(String::is_empty) {
            findings.add(key, "a name is empty; write storage:key");
        }
    }
    let outputs = || spec.groups.iter().flat_map(|group| &group.outputs);
    let copies = outputs().any(|output| {
        output
            .video
            .as_ref()
            .is_some_and(|video| video.codec == VideoCodec::Copy)
            || output
                .audio
                .as_ref()
                .is_some_and(|audio| audio.codec == AudioCodec::Copy)
    });
    if copies {
        findings.add(
            "head",
            "files can be joined only where pictures and sound are encoded, not copied",
        );
    }
}

fn clip_of(findings: &mut Findings, clip: Clip) {
    findings.within("clip.start_s".to_owned(), clip.start_s, 0.0..=604_800.0);
    if clip.start.is_some() && clip.start_s != 0.0 {
        findings.add("clip.start", "give either start or start_s");
    }
    if clip.end.is_some() && clip.end_s.is_some() {
        findings.add("clip.end", "give either end or end_s");
    }
    let seconds = |moment: Option<Moment>| match moment {
        Some(Moment::Seconds(at_s)) => Some(at_s),
        _ => None,
    };
    if let (Some(start_s), Some(end_s)) = (
        seconds(clip.start.or(Some(Moment::Seconds(clip.start_s)))),
        seconds(clip.end.or(clip.end_s.map(Moment::Seconds))),
    ) && clip.start.or(clip.end).is_some()
        && end_s <= start_s
    {
        findings.add("clip.end", format!("{end_s} s is not after the start, {start_s} s"));
    }
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
    if let Some(video) = &output.video {
        video_of(findings, &format!("{path}.video"), &ladder::as_rung(group, video));
        if let Some(why) = cannot_hold(group, video.codec) {
            findings.add(format!("{path}.video"), why);
        }
        let (key, gop_s) = match (video.gop_frames, video.fps) {
            (Some(frames), Some(fps)) => ("gop_frames", f64::from(frames) / fps),
            // How long that many frames last only the source can tell.
            (Some(_), None) => ("gop_frames", 0.0),
            (None, _) => ("gop_s", video.gop_s),
        };
        if group.kind.is_set() && video.codec != VideoCodec::Copy && gop_s > group.segment_s {
            findings.add(
                format!("{path}.video.{key}"),
                format!(
                    "{gop_s} s are longer than segment_s, {}: segments begin at key frames",
                    group.segment_s
                ),
            );
        }
    }
    if let Some(audio) = &output.audio {
        audio_of(findings, &format!("{path}.audio"), audio);
        let is_of_ts = group.kind == GroupKind::Hls && group.segment_format == SegmentFormat::Ts;
        let usual = (output.video.is_some() || group.kind != GroupKind::File).then_some(Container::Mp4);
        let segments = is_of_ts.then_some(Container::Ts).or(usual);
        if let Some(container) = group.container.or(segments) {
            audio_fits(findings, &format!("{path}.audio"), container, audio);
        }
    }
}
