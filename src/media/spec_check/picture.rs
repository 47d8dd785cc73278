//! Stills, sprites and animated pictures.

use crate::media::spec::AnimationSpec;
use crate::media::spec::SnapshotMode;
use crate::media::spec::SnapshotSpec;
use crate::media::spec_check::findings::Findings;
use crate::media::spec_check::moment_is_valid;

pub(super) fn snapshot(findings: &mut Findings, spec: &SnapshotSpec) {
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

pub(super) fn animation(findings: &mut Findings, spec: &AnimationSpec) {
    let path = |key: &str| key.to_owned();
    findings.within(path("fps"), spec.fps, 1.0..=60.0);
    findings.within_if(path("width"), spec.width, 8..=4096);
    findings.within_if(path("height"), spec.height, 8..=4096);
    findings.within(path("start_s"), spec.start_s, 0.0..=604_800.0);
    findings.within(path("duration_s"), spec.duration_s, 0.1..=60.0);
    findings.within(path("quality"), spec.quality, 1..=100);
}
