//! Ranges of the specs: what serde cannot say about them.
//!
//! Guarantees: every problem is found, not the first alone, and each names the key, the value and the range; a spec
//! that passes is one that the engine can act on. Deliberately absent: what only the source can tell (no video
//! stream, a clip beyond its end).

use crate::base::reader::Wrong;
use crate::media::spec::AnimationSpec;
use crate::media::spec::AudioSpec;
use crate::media::spec::Clip;
use crate::media::spec::Container;
use crate::media::spec::GroupKind;
use crate::media::spec::GroupSpec;
use crate::media::spec::MediaWork;
use crate::media::spec::OutputSpec;
use crate::media::spec::RateControl;
use crate::media::spec::SnapshotMode;
use crate::media::spec::SnapshotSpec;
use crate::media::spec::TranscodeSpec;
use crate::media::spec::VideoSpec;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

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
/// Profiles of H.264, 8 bit 4:2:0.
pub const PROFILES: [&str; 3] = ["baseline", "main", "high"];
/// Sample rates that AAC has, Hz.
const SAMPLE_RATES_HZ: [u32; 13] = [
    7_350, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
];

/// Everything out of range in what one job wants. Paths begin at the activity's own keys.
pub fn check(work: &MediaWork) -> Vec<Wrong> {
    let mut findings = Findings::default();
    match work {
        MediaWork::Analysis => {}
        MediaWork::Transcode(spec) => transcode(&mut findings, spec),
        MediaWork::Snapshot(spec) => snapshot(&mut findings, spec),
        MediaWork::DynamicImage(spec) => animation(&mut findings, spec),
    }
    findings.0
}

/// The moment that an entry of `times` means; none: neither seconds nor per cent.
pub fn moment_is_valid(text: &str) -> bool {
    let number = |text: &str| {
        text.parse::<f64>()
            .ok()
            .filter(|value| value.is_finite() && *value >= 0.0)
    };
    match text.strip_suffix('%') {
        Some(percent) => number(percent).is_some_and(|percent| percent <= 100.0),
        None => number(text).is_some(),
    }
}

#[derive(Default)]
struct Findings(Vec<Wrong>);

impl Findings {
    fn add(&mut self, path: impl Into<String>, why: impl Into<String>) {
        self.0.push(Wrong::at(path, why));
    }

    fn within<T: PartialOrd + Display>(&mut self, path: String, value: T, range: RangeInclusive<T>) {
        if !range.contains(&value) {
            let why = format!("{value} is out of range, {} to {}", range.start(), range.end());
            self.add(path, why);
        }
    }

    fn within_if<T: PartialOrd + Display + Copy>(&mut self, path: String, value: Option<T>, range: RangeInclusive<T>) {
        if let Some(value) = value {
            self.within(path, value, range);
        }
    }

    fn one_of(&mut self, path: String, word: &str, known: &[&str]) {
        if !known.contains(&word) {
            self.add(path, format!("{word:?} is not one of {}", known.join(", ")));
        }
    }
}

fn transcode(findings: &mut Findings, spec: &TranscodeSpec) {
    if spec.groups.is_empty() {
        findings.add("group", "a transcode needs at least one [[activity.group]]");
    }
    if let Some(clip) = spec.clip {
        clip_of(findings, clip);
    }
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
    if output.video.is_none() && output.audio.is_none() {
        findings.add(path, "an output needs video, audio or both");
    }
    if group.container == Some(Container::M4a) && output.video.is_some() {
        findings.add(
            format!("{path}.video"),
            "an m4a file holds no video; take container = \"mp4\"",
        );
    }
    if let Some(video) = &output.video {
        video_of(findings, &format!("{path}.video"), video);
        if group.kind == GroupKind::Hls && video.gop_s > group.segment_s {
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

fn video_of(findings: &mut Findings, path: &str, video: &VideoSpec) {
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
    if let Some(profile) = &video.profile {
        findings.one_of(format!("{path}.profile"), profile, &PROFILES);
    }
    findings.within_if(format!("{path}.bitrate_kbps"), video.bitrate_kbps, 10..=200_000);
    findings.within_if(format!("{path}.max_bitrate_kbps"), video.max_bitrate_kbps, 10..=400_000);
    findings.within_if(format!("{path}.bufsize_kbps"), video.bufsize_kbps, 10..=800_000);
    findings.within_if(format!("{path}.crf"), video.crf, 0.0..=51.0);
    findings.within(format!("{path}.gop_s"), video.gop_s, 0.1..=60.0);
    findings.within(format!("{path}.bframes"), video.bframes, 0..=16);
    if video.profile.as_deref() == Some("baseline") && video.bframes > 0 {
        findings.add(
            format!("{path}.bframes"),
            "profile \"baseline\" has no B-frames; write bframes = 0",
        );
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

fn audio_of(findings: &mut Findings, path: &str, audio: &AudioSpec) {
    findings.within(format!("{path}.bitrate_kbps"), audio.bitrate_kbps, 8..=1000);
    if let Some(rate) = audio.sample_rate_hz.filter(|rate| !SAMPLE_RATES_HZ.contains(rate)) {
        let known = SAMPLE_RATES_HZ.map(|rate| rate.to_string()).join(", ");
        findings.add(
            format!("{path}.sample_rate_hz"),
            format!("{rate} is not one of {known}"),
        );
    }
    if let Some(channels) = audio.channels.filter(|channels| ![1, 2, 6, 8].contains(channels)) {
        findings.add(
            format!("{path}.channels"),
            format!("{channels} is not one of 1, 2, 6, 8"),
        );
    }
}

fn snapshot(findings: &mut Findings, spec: &SnapshotSpec) {
    let path = |key: &str| key.to_owned();
    findings.within_if(path("interval_s"), spec.interval_s, 0.04..=3_600.0);
    findings.within_if(path("count"), spec.count, 1..=10_000);
    findings.within(path("start_s"), spec.start_s, 0.0..=604_800.0);
    for (at, text) in spec.times.iter().enumerate().filter(|(_, text)| !moment_is_valid(text)) {
        findings.add(
            format!("times[{at}]"),
            format!("{text:?} is neither seconds (\"3.5\") nor per cent of the duration (\"10%\")"),
        );
    }
    if !spec.times.is_empty() && (spec.interval_s.is_some() || spec.count.is_some()) {
        findings.add("times", "replaces interval_s and count; write one or the other");
    }
    if spec.mode == SnapshotMode::Sprite && spec.interval_s.is_none() && spec.count.is_none() && spec.times.is_empty() {
        findings.add("interval_s", "a sprite needs interval_s, count or times");
    }
    findings.within_if(path("width"), spec.width, 8..=8192);
    findings.within_if(path("height"), spec.height, 8..=8192);
    findings.within(path("quality"), spec.quality, 1..=100);
    findings.within(path("columns"), spec.columns, 1..=100);
    findings.within(path("lines"), spec.lines, 1..=100);
    findings.within_if(path("cell_width"), spec.cell_width, 8..=4096);
    findings.within_if(path("cell_height"), spec.cell_height, 8..=4096);
    findings.within(path("padding"), spec.padding, 0..=1024);
    findings.within(path("margin"), spec.margin, 0..=1024);
    findings.within_if(path("black_level"), spec.black_level, 30..=100);
    let digits = spec.color.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        findings.add("color", format!("{:?} is not of the form \"#rrggbb\"", spec.color));
    }
}

fn animation(findings: &mut Findings, spec: &AnimationSpec) {
    let path = |key: &str| key.to_owned();
    findings.within(path("fps"), spec.fps, 1.0..=60.0);
    findings.within_if(path("width"), spec.width, 8..=4096);
    findings.within_if(path("height"), spec.height, 8..=4096);
    findings.within(path("start_s"), spec.start_s, 0.0..=604_800.0);
    findings.within(path("duration_s"), spec.duration_s, 0.1..=60.0);
    findings.within(path("quality"), spec.quality, 1..=100);
}

/// Names become parts of file names and of playlists: plain ones only.
fn name(findings: &mut Findings, path: String, name: &str) {
    let plain = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        findings.add(
            path,
            format!("{name:?} is not a name of 1 to 64 letters, digits, - and _"),
        );
    }
}
