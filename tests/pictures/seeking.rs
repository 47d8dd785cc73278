//! Sources that make it hard to find a frame: open GOPs, indexes that lie or are missing, times that begin below
//! zero, a single frame. The frame shown is the frame of the label, however it was reached.

use crate::bench::Bench;
use crate::bench::product;
use crate::bench::snapshot;
use crate::numbered_clip;
use crate::numbered_clip::FPS;
use reelmill::media::picture::Picture;
use reelmill::media::product::JobProduct;
use reelmill::media::spec::PictureFormat;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

const EXACT: &str = r#"{"mode":"sprite","interval_s":0.84,"frame_type":"normal"}"#;
const AUTO: &str = r#"{"mode":"sprite","interval_s":0.84}"#;
const INTRA: &str = r#"{"mode":"sprite","interval_s":4,"frame_type":"intra"}"#;

/// 10 s at 25 a second, 0.84 s apart: twelve moments, each the start of a frame.
fn every_21st() -> Vec<(f64, u32)> {
    (0..12).map(|n| (f64::from(n) * 0.84, n * 21)).collect()
}

fn close(cells: &[(f64, u32)], expected: &[(f64, u32)], name: &str) {
    let same = |(a, b): (&(f64, u32), &(f64, u32))| (a.0 - b.0).abs() < 0.002 && a.1 == b.1;
    assert!(
        cells.len() == expected.len() && cells.iter().zip(expected).all(same),
        "{name}: {cells:?} should be {expected:?}"
    );
}

/// Whatever the labels are, they are true.
fn labels_are_true(bench: &Bench, made: &JobProduct, name: &str) -> usize {
    let cells = bench.cells(&made.outputs[0]);
    for (label_s, shown) in &cells {
        assert_eq!(
            f64::from(*shown),
            (label_s * f64::from(FPS)).round(),
            "{name}: {cells:?}"
        );
    }
    cells.len()
}

fn ffmpeg(arguments: &[&str], out: &Path) {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .arg(out)
        .status();
    assert!(status.expect("ffmpeg runs").success(), "{arguments:?}");
}

#[test]
fn key_frames_that_others_lean_over_and_refresh_without_any() {
    let open = [
        "-bf",
        "3",
        "-x264-params",
        "open_gop=1:keyint=50:min-keyint=50:scenecut=0",
    ];
    let refresh = ["-x264-params", "intra-refresh=1:keyint=50:scenecut=0"];
    for (kind, arguments) in [("open", &open[..]), ("refresh", &refresh[..])] {
        for extension in ["mp4", "mkv", "ts"] {
            let bench = Bench::new();
            let name = format!("{kind}.{extension}");
            let clip = bench.clip(&name, 250, arguments);
            close(
                &bench.cells(&bench.one(&clip, snapshot(EXACT)).outputs[0]),
                &every_21st(),
                &name,
            );
            let auto = bench.one(&clip, snapshot(AUTO));
            assert_eq!(
                labels_are_true(&bench, &auto, &name),
                12,
                "{name}: unless told otherwise every moment gets a cell: {:?}",
                auto.warnings
            );
            labels_are_true(&bench, &bench.one(&clip, snapshot(INTRA)), &name);
        }
    }
}

#[test]
fn an_index_that_calls_every_frame_a_key_frame_is_seen_through() {
    let bench = Bench::new();
    let clip = bench.clip("lying.mp4", 250, &["-bf", "2"]);
    let mut bytes = std::fs::read(&clip).expect("read");
    let at = bytes
        .windows(4)
        .position(|word| word == b"stss")
        .expect("a sync sample box");
    bytes[at..at + 4].copy_from_slice(b"free");
    std::fs::write(&clip, bytes).expect("written");
    for json in [EXACT, AUTO] {
        let cells = bench.cells(&bench.one(&clip, snapshot(json)).outputs[0]);
        close(&cells, &every_21st(), json);
    }
    let made = bench.one(&clip, snapshot(INTRA));
    assert_eq!(labels_are_true(&bench, &made, "intra"), 3);
}

/// AVI, ASF and program streams give key frames of reordered pictures a time of decoding and none of showing; what a
/// program stream has for an index is where the probe happened to read.
#[test]
fn containers_that_say_little_of_time_show_the_frames_of_their_labels() {
    let mpeg2 = ["-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-f", "vob"];
    for (name, arguments) in [
        ("old.mpg", &mpeg2[..]),
        ("old.avi", &["-c:v", "mpeg4", "-q:v", "3", "-bf", "2"]),
        ("old.asf", &["-bf", "2", "-f", "asf"]),
    ] {
        let bench = Bench::new();
        let clip = bench.clip(name, 250, arguments);
        let intra = bench.cells(&bench.one(&clip, snapshot(INTRA)).outputs[0]);
        assert_eq!(intra.len(), 3, "{name}: {intra:?}");
        assert_eq!(intra[0].1, 0, "{name}: the first frame is shown first: {intra:?}");
        let labels: Vec<String> = intra.iter().map(|(label_s, _)| format!("\"{label_s}\"")).collect();
        let exact = format!(
            r#"{{"mode":"sprite","frame_type":"normal","times":[{}]}}"#,
            labels.join(",")
        );
        let exact = bench.cells(&bench.one(&clip, snapshot(&exact)).outputs[0]);
        close(&intra, &exact, name);
        if name != "old.asf" {
            let cells = bench.cells(&bench.one(&clip, snapshot(EXACT)).outputs[0]);
            close(&cells, &every_21st(), name);
        }
    }
}

/// Its pictures say when they are decoded, and that by their number alone.
#[test]
fn a_raw_stream_of_reordered_pictures_begins_with_its_first() {
    let bench = Bench::new();
    let clip = bench.clip("raw.m2v", 250, &["-c:v", "mpeg2video", "-q:v", "3", "-bf", "2"]);
    for json in [EXACT, AUTO] {
        let cells = bench.cells(&bench.one(&clip, snapshot(json)).outputs[0]);
        close(&cells, &every_21st(), json);
    }
}

/// Who asks for a beginning and leaves the frames open does not see what is before it.
#[test]
fn no_key_frame_from_before_the_beginning_is_shown() {
    for name in ["a.mp4", "a.mkv", "a.ts"] {
        let bench = Bench::new();
        // Key frames at even seconds.
        let clip = bench.clip(name, 250, &[]);
        let lone = bench.one(&clip, snapshot(r#"{"start_s":3,"format":"png"}"#));
        let bytes = std::fs::read(bench.root.path().join(&lone.outputs[0].files[0].scratch_path)).expect("read");
        let still = Picture::decode(&bytes, PictureFormat::Png).expect("a picture");
        let shown = numbered_clip::number(&still, 0, 0, still.width(), still.height());
        assert_eq!((shown, lone.stills[0].time_s), (Some(75), 3.0), "{name}");

        let json = r#"{"mode":"sprite","interval_s":3,"start_s":3}"#;
        let made = bench.one(&clip, snapshot(json));
        assert_eq!(labels_are_true(&bench, &made, name), 3);
        let cells = bench.cells(&made.outputs[0]);
        assert!(cells[0].0 >= 3.0 && cells[0].0 <= 4.0, "{name}: {cells:?}");
        let asked = json.replace("3}", r#"3,"frame_type":"intra"}"#);
        let cells = bench.cells(&bench.one(&clip, snapshot(&asked)).outputs[0]);
        assert_eq!(cells[0], (2.0, 50), "{name}: what was asked for");

        let clip = bench.clip(&format!("one-{name}"), 250, &["-g", "9999", "-keyint_min", "9999"]);
        let cells = bench.cells(&bench.one(&clip, snapshot(json)).outputs[0]);
        assert_eq!(cells, [(3.0, 75), (6.0, 150), (9.0, 225)], "{name}");
    }
}

/// Written to a pipe: no index, no duration.
fn streamed(bench: &Bench, format: &str) -> PathBuf {
    let whole = bench.clip("whole.mp4", 250, &["-bf", "3"]);
    let out = bench.root.path().join(format!("streamed.{format}"));
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(&whole)
        .args([
            "-c",
            "copy",
            "-f",
            if format == "mkv" { "matroska" } else { format },
            "pipe:1",
        ])
        .stdout(Stdio::from(std::fs::File::create(&out).expect("created")))
        .status();
    assert!(status.expect("ffmpeg runs").success());
    out
}

#[test]
fn streams_without_index_or_duration_are_read_through() {
    for format in ["mkv", "flv"] {
        let bench = Bench::new();
        let clip = streamed(&bench, format);
        for json in [EXACT, AUTO] {
            let cells = bench.cells(&bench.one(&clip, snapshot(json)).outputs[0]);
            close(&cells, &every_21st(), format);
        }
        // What depends on the length needs the file to be looked through first.
        let spread = snapshot(r#"{"mode":"sprite","count":5,"frame_type":"normal"}"#);
        let cells = bench.cells(&bench.one(&clip, spread).outputs[0]);
        // FLV counts from the first frame to the beginning of the last.
        let length_s = if format == "flv" { 9.96 } else { 10.0 };
        let spread: Vec<(f64, u32)> = (0..5)
            .map(|n| f64::from(n) * length_s / 5.0)
            .map(|label_s| (label_s, (label_s * 25.0 + 0.02) as u32))
            .collect();
        close(&cells, &spread, format);
        let halfway = snapshot(r#"{"mode":"sprite","times":["50%","99"]}"#);
        let made = bench.one(&clip, halfway);
        // The only cell covers the beginning, too.
        close(
            &bench.cells(&made.outputs[0]),
            &[(0.0, (length_s * 12.5) as u32)],
            format,
        );
        assert_eq!(
            made.warnings.len(),
            1,
            "{format}: 99 s is beyond the end: {:?}",
            made.warnings
        );
    }
}

#[test]
fn times_may_begin_below_zero_or_far_above() {
    for (name, arguments) in [
        ("negative.mov", &["-use_editlist", "0", "-bf", "3"][..]),
        ("far.mkv", &["-output_ts_offset", "3600"][..]),
        ("far.ts", &["-output_ts_offset", "90000"][..]),
        ("offsets.mp4", &["-movflags", "+negative_cts_offsets", "-bf", "3"][..]),
        ("offset.mp4", &["-output_ts_offset", "7", "-bf", "3"][..]),
    ] {
        let bench = Bench::new();
        let clip = bench.clip(name, 250, arguments);
        let cells = bench.cells(&bench.one(&clip, snapshot(EXACT)).outputs[0]);
        close(&cells, &every_21st(), name);
        // Some of these claim to last as long as their last time stamp.
        let spread = r#"{"mode":"sprite","count":5,"frame_type":"normal"}"#;
        let cells = bench.cells(&bench.one(&clip, snapshot(spread)).outputs[0]);
        close(&cells, &[(0.0, 0), (2.0, 50), (4.0, 100), (6.0, 150), (8.0, 200)], name);
        labels_are_true(&bench, &bench.one(&clip, snapshot(INTRA)), name);
    }
}

#[test]
fn a_source_of_one_frame_gives_it_whatever_is_asked() {
    let bench = Bench::new();
    let clip = bench.clip("one.mp4", 1, &[]);
    let pictures: Vec<PathBuf> = ["one.png", "one.jpg", "one.gif"]
        .iter()
        .map(|name| {
            let out = bench.root.path().join(name);
            ffmpeg(&["-i", &clip.to_string_lossy(), "-frames:v", "1", "-update", "1"], &out);
            out
        })
        .collect();
    for source in [clip].iter().chain(&pictures) {
        let name = source.display().to_string();
        for json in [
            r#"{"format":"png"}"#,
            r#"{"format":"png","times":["50%"]}"#,
            r#"{"format":"png","times":["3.5"]}"#,
            r#"{"format":"png","count":9}"#,
            r#"{"format":"png","interval_s":5}"#,
        ] {
            let made = product(bench.alone(source, &[snapshot(json)]).0.remove(0));
            assert_eq!(made.outputs[0].picture_count, Some(1), "{name} {json}");
            let still = std::fs::read(bench.root.path().join("job0/still-00001.png")).expect("read");
            let still = Picture::decode(&still, PictureFormat::Png).expect("a picture");
            let shown = numbered_clip::number(&still, 0, 0, still.width(), still.height());
            assert_eq!(shown, Some(0), "{name} {json}");
        }
    }
}
