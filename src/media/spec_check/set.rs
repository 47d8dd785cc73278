//! What is particular to sets: segments, seals, and how outputs stand to one another.

use crate::media::language;
use crate::media::spec::EncryptionSpec;
use crate::media::spec::GroupKind;
use crate::media::spec::GroupSpec;
use crate::media::spec::OutputSpec;
use crate::media::spec::RenditionKind;
use crate::media::spec::RenditionSpec;
use crate::media::spec::SegmentFormat;
use crate::media::spec::VideoCodec;
use crate::media::spec_check::findings::Findings;

pub(super) fn is_subtitle(output: &OutputSpec) -> bool {
    kind_of(output) == Some(RenditionKind::Subtitle)
}

fn kind_of(output: &OutputSpec) -> Option<RenditionKind> {
    output.rendition.as_ref()?.kind
}

pub(super) fn options(findings: &mut Findings, path: &str, group: &GroupSpec) {
    if group.kind != GroupKind::Hls && group.segment_format == SegmentFormat::Ts {
        findings.add(
            format!("{path}.segment_format"),
            "only groups of kind \"hls\" have transport stream segments",
        );
    }
    if group.kind != GroupKind::Hls && group.single_file {
        findings.add(
            format!("{path}.single_file"),
            "only groups of kind \"hls\" have segments that are parts of one file",
        );
    }
    if let Some(encryption) = &group.encryption {
        if group.kind != GroupKind::Hls {
            findings.add(
                format!("{path}.encryption"),
                "aes-128 seals groups of kind \"hls\" only",
            );
        }
        sealed(findings, &format!("{path}.encryption"), encryption);
    }
    if !group.kind.is_set() {
        return;
    }
    common_key_frames(findings, path, group);
    if !group.outputs.is_empty() && group.outputs.iter().all(is_subtitle) {
        findings.add(format!("{path}.output"), "subtitles need pictures or sound beside them");
    }
}

/// Renditions of a set are switched at key frames that all of them have.
fn common_key_frames(findings: &mut Findings, path: &str, group: &GroupSpec) {
    let mut videos = group
        .outputs
        .iter()
        .filter_map(|output| Some((output.name.as_str(), output.video.as_ref()?)));
    let Some((first, video)) = videos.next() else { return };
    for (name, other) in videos {
        let copied = [video, other].iter().any(|video| video.codec == VideoCodec::Copy);
        let counted = video.gop_frames.is_some() || other.gop_frames.is_some();
        let differs = if counted {
            (video.gop_frames, video.fps, video.max_fps) != (other.gop_frames, other.fps, other.max_fps)
        } else {
            video.gop_s != other.gop_s
        };
        let why = match (copied, differs, counted) {
            (true, ..) => format!("{name:?} cannot stand beside {first:?}: a copy has key frames of its own"),
            (false, true, true) => format!(
                "{name:?} differs from {first:?}: gop_frames, fps and max_fps are the same for all renditions of a set"
            ),
            (false, true, false) => format!(
                "{name:?} has another gop_s than {first:?}: renditions of a set are switched at common key frames"
            ),
            (false, false, _) => continue,
        };
        findings.add(format!("{path}.output"), why);
    }
}

fn sealed(findings: &mut Findings, path: &str, encryption: &EncryptionSpec) {
    if encryption.key_uri.is_some() && encryption.key.is_none() {
        findings.add(
            format!("{path}.key"),
            "a key_uri needs a key: a random one would be known to nobody",
        );
    }
    if let Some(uri) = &encryption.key_uri
        && (uri.is_empty() || !is_quotable(uri))
    {
        findings.add(
            format!("{path}.key_uri"),
            "must be a URI without quotation marks, spaces or control characters",
        );
    }
    if let Some(key) = &encryption.key
        && key
            .split_once(':')
            .is_none_or(|(storage, key)| storage.is_empty() || key.is_empty())
    {
        findings.add(format!("{path}.key"), "must name a file of 16 bytes as storage:key");
    }
    if let Some(iv) = &encryption.iv
        && (iv.len() != 32 || !iv.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        findings.add(format!("{path}.iv"), "must be 32 hex digits");
    }
}

/// Fits into a quoted string of a playlist.
fn is_quotable(text: &str) -> bool {
    !text.contains(|letter: char| letter == '"' || letter.is_whitespace() || letter.is_control())
}

pub(super) fn rendition(
    findings: &mut Findings,
    path: &str,
    group: &GroupSpec,
    output: &OutputSpec,
    rendition: &RenditionSpec,
) {
    if !group.kind.is_set() {
        findings.add(path, "outputs of a group of kind \"file\" stand alone");
        return;
    }
    let wrong = match rendition.kind {
        Some(RenditionKind::Video) if output.video.is_none() => Some("a rendition of type \"video\" needs video"),
        Some(RenditionKind::Audio) if output.audio.is_none() || output.video.is_some() => {
            Some("a rendition of type \"audio\" is audio alone")
        }
        Some(RenditionKind::Subtitle) if output.audio.is_some() || output.video.is_some() => {
            Some("a rendition of type \"subtitle\" has neither video nor audio")
        }
        Some(RenditionKind::Hybrid) if output.video.is_none() || output.audio.is_none() => {
            Some("a rendition of type \"hybrid\" needs video and audio")
        }
        Some(RenditionKind::Hybrid) if group.kind != GroupKind::Hls || group.segment_format != SegmentFormat::Ts => {
            Some("only segment_format = \"ts\" holds video and audio together")
        }
        _ => None,
    };
    if let Some(wrong) = wrong {
        findings.add(format!("{path}.type"), wrong);
    }
    if rendition.forced && rendition.kind != Some(RenditionKind::Subtitle) {
        findings.add(format!("{path}.forced"), "only subtitles are forced");
    }
    for (key, text) in [
        ("audio_group", &rendition.audio_group),
        ("subtitle_group", &rendition.subtitle_group),
    ] {
        if let Some(text) = text
            && (text.is_empty() || text.len() > 64 || !is_quotable(text))
        {
            findings.add(
                format!("{path}.{key}"),
                "must be 1 to 64 characters without quotation marks, spaces or control characters",
            );
        }
    }
    if let Some(name) = &rendition.name
        && (name.is_empty() || name.chars().count() > 128 || !is_quotable(&name.replace(' ', "")))
    {
        findings.add(
            format!("{path}.name"),
            "must be 1 to 128 characters without quotation marks or control characters",
        );
    }
    if let Some(language) = &rendition.language
        && language::tag(language).is_none()
    {
        findings.add(
            format!("{path}.language"),
            format!("{language:?} is no RFC 5646 language"),
        );
    }
    let there = |wanted: RenditionKind, of: fn(&RenditionSpec) -> &Option<String>, id: &String| {
        group.outputs.iter().any(|other| {
            let is_kind = kind_of(other) == Some(wanted);
            is_kind
                && other
                    .rendition
                    .as_ref()
                    .is_some_and(|other| of(other).as_ref() == Some(id))
        })
    };
    if let Some(id) = &rendition.audio_group
        && output.audio.is_none()
        && !there(RenditionKind::Audio, |other| &other.audio_group, id)
    {
        findings.add(
            format!("{path}.audio_group"),
            format!("no output of type \"audio\" is in {id:?}"),
        );
    }
    if let Some(id) = &rendition.subtitle_group
        && rendition.kind != Some(RenditionKind::Subtitle)
        && !there(RenditionKind::Subtitle, |other| &other.subtitle_group, id)
    {
        findings.add(
            format!("{path}.subtitle_group"),
            format!("no output of type \"subtitle\" is in {id:?}"),
        );
    }
}
