//! Stills, sprites and animated pictures.

use crate::media::color_name;
use crate::media::spec::AnimationFormat;
use crate::media::spec::AnimationSpec;
use crate::media::spec::Dither;
use crate::media::spec::FrameType;
use crate::media::spec::PictureFill;
use crate::media::spec::PictureFormat;
use crate::media::spec::SnapshotMode;
use crate::media::spec::SnapshotSpec;
use crate::media::spec::VttOf;
use crate::media::spec_check::findings::Findings;
use crate::media::spec_check::moment_is_valid;

pub(super) fn snapshot(findings: &mut Findings, spec: &SnapshotSpec) {
    let path = |key: &str| key.to_owned();
    let steps = spec.interval_s.filter(|interval_s| *interval_s != 0.0);
    findings.within_if(path("interval_s"), steps, 0.04..=3_600.0);
    if spec.interval_s == Some(0.0) && spec.count.is_none() {
        findings.add("interval_s", "0 spreads count pictures evenly, so it needs count");
    }
    findings.within_if(path("count"), spec.count, 1..=10_000);
    findings.within_if(path("count"), spec.best, 1..=20);
    findings.within(path("start_s"), spec.start_s, 0.0..=604_800.0);
    for (at, text) in spec.times.iter().enumerate().filter(|(_, text)| !moment_is_valid(text)) {
        findings.add(
            format!("times[{at}]"),
            format!("{text:?} is neither seconds (\"3.5\") nor a time (\"00:01:02.5\") nor per cent of the duration (\"10%\")"),
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
    findings.within_if(path("pixel_black_threshold"), spec.pixel_black_threshold, 1..=u8::MAX);
    if spec.pixel_black_threshold.is_some() && spec.black_level.is_none() {
        findings.add(
            "pixel_black_threshold",
            "says which pixels black_level counts, so it needs black_level",
        );
    }
    if !color_name::is_color(&spec.color) {
        findings.add(
            "color",
            format!(
                "{:?} is neither \"#rrggbb\" nor a colour of CSS nor \"random\"",
                spec.color
            ),
        );
    }
    if spec.lossless && spec.format == PictureFormat::Jpg {
        findings.add("lossless", "there is no JPEG without loss; take png or webp");
    }
    let is_sprite = spec.mode == SnapshotMode::Sprite;
    let (width, height) = if is_sprite {
        (spec.cell_width, spec.cell_height)
    } else {
        (spec.width, spec.height)
    };
    needs_both_sides(findings, spec.fill, width, height);
    sprite_only(findings, spec, is_sprite);
}

fn needs_both_sides(findings: &mut Findings, fill: Option<PictureFill>, width: Option<u32>, height: Option<u32>) {
    if fill.is_some() && (width.is_none() || height.is_none()) {
        findings.add("fill", "says what to do with another shape, so it needs both sides");
    }
}

fn sprite_only(findings: &mut Findings, spec: &SnapshotSpec, is_sprite: bool) {
    let stills = spec.vtt == VttOf::Stills;
    // What was written as it is without being written cannot be told, and does no harm.
    let cells = SnapshotSpec::default_cells();
    for (key, is_set) in [
        ("keep_cells", spec.keep_cells),
        ("image_playlist", spec.image_playlist),
        ("vtt", stills),
        ("columns", spec.columns != cells),
        ("lines", spec.lines != cells),
        ("cell_width", spec.cell_width.is_some()),
        ("cell_height", spec.cell_height.is_some()),
        ("padding", spec.padding != 0),
        ("margin", spec.margin != 0),
    ] {
        if is_set && !is_sprite {
            findings.add(key, "is for mode = \"sprite\"");
        }
    }
    // Stills have nothing beside them but where both sides are given.
    if !is_sprite && spec.color != SnapshotSpec::default_color() && (spec.width.is_none() || spec.height.is_none()) {
        findings.add(
            "color",
            "shows beside a frame of another shape than the still's, so it needs width and height, or mode = \"sprite\"",
        );
    }
    if stills && spec.keep_cells {
        findings.add("keep_cells", "vtt = \"stills\" keeps the cells already");
    }
    if !spec.image_playlist {
        return;
    }
    // An image playlist knows tiles of equal length, edge to edge, from the beginning of the film on.
    for (key, is_wrong, why) in [
        (
            "times",
            !spec.times.is_empty(),
            "takes interval_s or count instead of times",
        ),
        ("start_s", spec.start_s > 0.0, "begins with the film"),
        ("padding", spec.padding > 0, "knows no space between tiles"),
        ("margin", spec.margin > 0, "knows no space around tiles"),
        (
            "frame_type",
            spec.frame_type == FrameType::Intra,
            "has tiles of one length, which key frames are not; take normal",
        ),
        (
            "format",
            spec.format == PictureFormat::Webp,
            "takes jpg or png, which its players know",
        ),
    ] {
        if is_wrong {
            findings.add(key, format!("an image playlist {why}"));
        }
    }
}

pub(super) fn animation(findings: &mut Findings, spec: &AnimationSpec) {
    let path = |key: &str| key.to_owned();
    findings.within(path("fps"), spec.fps, 1.0..=60.0);
    findings.within_if(path("width"), spec.width, 8..=4096);
    findings.within_if(path("height"), spec.height, 8..=4096);
    findings.within(path("start_s"), spec.start_s, 0.0..=604_800.0);
    findings.within_if(path("duration_s"), spec.duration_s, 0.1..=60.0);
    findings.within(path("quality"), spec.quality, 1..=100);
    findings.within(path("colors"), spec.colors, 4..=256);
    findings.within(path("loops"), spec.loops, 0..=65_535);
    findings.within(path("pieces"), spec.pieces, 1..=100);
    needs_both_sides(findings, spec.fill, spec.width, spec.height);
    if let Some(end_s) = spec.end_s {
        let length_s = end_s - spec.start_s;
        if length_s <= 0.0 {
            findings.add("end_s", format!("{end_s} is not after start_s, {}", spec.start_s));
        } else if spec.pieces == 1 && spec.duration_s.is_some() {
            findings.add("end_s", "says the same as duration_s; write one or the other");
        } else if spec.pieces == 1 && !(0.1..=60.0).contains(&length_s) {
            findings.add(
                "end_s",
                format!("the clip would last {length_s} s, out of range, 0.1 to 60"),
            );
        }
    }
    if spec.format == AnimationFormat::Avif && spec.loops != 0 {
        findings.add("loops", "an animated AVIF is shown for ever; leave it 0");
    }
    if spec.format != AnimationFormat::Gif && (spec.colors != 256 || spec.dither != Dither::default()) {
        findings.add("colors", "colors and dither are for a GIF's palette");
    }
    if spec.long_short && (spec.width.is_none() || spec.height.is_none()) {
        findings.add("long_short", "turns width and height to the source, so it needs both");
    }
}
