//! Animated pictures: the frames, lengths and repetitions asked for, read by Debian's ffprobe and ffmpeg.

use crate::bench::Bench;
use crate::bench::animation;
use crate::numbered_clip;
use reelmill::media::picture::Picture;
use reelmill::media::product::JobProduct;
use reelmill::media::spec_check;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

fn file_of(bench: &Bench, made: &JobProduct) -> PathBuf {
    let path = bench.root.path().join(&made.outputs[0].files[0].scratch_path);
    if let Some(folder) = std::env::var_os("REELMILL_KEEP_PICTURES") {
        let name = path.file_name().expect("a name");
        std::fs::copy(&path, Path::new(&folder).join(name)).expect("copied");
    }
    path
}

/// Frames as ffprobe counts them, and the seconds it gives them.
fn probed(path: &Path) -> (usize, f64) {
    let said = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-count_frames",
            "-show_entries",
            "stream=nb_read_frames,duration:format=duration",
        ])
        .args(["-select_streams", "v:0", "-of", "default=nw=1"])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let value = |key: &str| {
        said.lines()
            .filter_map(|line| line.strip_prefix(key))
            .find(|value| *value != "N/A")
            .map(str::to_owned)
    };
    let frames = value("nb_read_frames=").and_then(|text| text.parse().ok());
    let seconds = value("duration=").and_then(|text| text.parse().ok());
    (frames.expect(&said), seconds.unwrap_or(0.0))
}

fn numbers(path: &Path) -> Vec<Option<u32>> {
    let (width, height) = (numbered_clip::WIDTH, numbered_clip::HEIGHT);
    let raw = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .expect("ffmpeg runs")
        .stdout;
    raw.chunks_exact((width * height * 3) as usize)
        .map(|rgb| {
            let picture = Picture::new(width, height, rgb.to_vec()).expect("sized right");
            numbered_clip::number(&picture, 0, 0, width, height)
        })
        .collect()
}

#[test]
fn gif_and_avif_last_as_long_and_show_the_frames_asked_for() {
    for format in ["gif", "avif"] {
        let bench = Bench::new();
        let clip = bench.clip("a.mp4", 250, &["-bf", "3"]);
        let json = format!(r#"{{"format":"{format}","start_s":"00:00:03.2","end_s":"5.2","fps":5,"width":320}}"#);
        let made = bench.one(&clip, animation(&json));
        let path = file_of(&bench, &made);
        let (frames, seconds) = probed(&path);
        assert_eq!((frames, made.outputs[0].picture_count), (10, Some(10)), "{format}");
        assert!((seconds - 2.0).abs() < 0.02, "{format}: {seconds} s");
        let expected: Vec<Option<u32>> = (0..10).map(|n| Some(80 + n * 5)).collect();
        assert_eq!(numbers(&path), expected, "{format}");
    }
}

#[test]
fn pieces_are_spread_over_the_film() {
    for format in ["gif", "avif"] {
        let bench = Bench::new();
        let clip = bench.clip("a.mp4", 500, &[]);
        let json = format!(r#"{{"format":"{format}","pieces":4,"duration_s":1.6,"fps":5,"width":320}}"#);
        let path = file_of(&bench, &bench.one(&clip, animation(&json)));
        // 20 s in four shares of 5 s, 0.4 s from the middle of each.
        let starts_s = [2.3, 7.3, 12.3, 17.3];
        let wanted = starts_s.iter().flat_map(|start_s| [*start_s, start_s + 0.2]);
        let expected: Vec<Option<u32>> = wanted.map(|moment_s| Some((moment_s * 25.0 + 0.01) as u32)).collect();
        assert_eq!(numbers(&path), expected[..].to_vec(), "{format}");
    }
}

#[test]
fn loops_colours_and_dither_reach_the_file() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4", 100, &["-vf", "hue=h=t*90,noise=alls=40:allf=t"]);
    let gif = |more: &str| {
        let json = format!(r#"{{"duration_s":1,"fps":5,"width":160{more}}}"#);
        std::fs::read(file_of(&bench, &bench.one(&clip, animation(&json)))).expect("read")
    };
    let repeats = |bytes: &[u8]| {
        let at = bytes.windows(11).position(|word| word == b"NETSCAPE2.0")?;
        Some(u16::from_le_bytes([bytes[at + 13], bytes[at + 14]]))
    };
    assert_eq!(repeats(&gif("")), Some(0), "for ever");
    assert_eq!(repeats(&gif(r#","loops":1"#)), None, "once");
    assert_eq!(repeats(&gif(r#","loops":4"#)), Some(3), "three more times");
    let (all, few) = (gif("").len(), gif(r#","colors":8,"dither":"none""#).len());
    assert!(few * 2 < all, "eight colours: {few} bytes, 256: {all}");
}

#[test]
fn sizes_follow_the_format_and_the_source() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4", 50, &["-vf", "transpose=1"]);
    for (json, size) in [
        (r#"{"format":"avif","duration_s":0.4,"fps":5,"width":71}"#, "72,126"),
        (
            r#"{"format":"gif","duration_s":0.4,"fps":5,"width":160,"height":90,"long_short":true}"#,
            "90,160",
        ),
        (
            r#"{"format":"gif","duration_s":0.4,"fps":5,"width":100,"height":100,"fill":"blur"}"#,
            "100,100",
        ),
    ] {
        let path = file_of(&bench, &bench.one(&clip, animation(json)));
        let said = Command::new("ffprobe")
            .args([
                "-v",
                "error",
                "-select_streams",
                "v:0",
                "-show_entries",
                "stream=width,height",
                "-of",
                "csv=p=0",
            ])
            .arg(&path)
            .output()
            .expect("ffprobe runs");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert_eq!(said.lines().next(), Some(size), "{json}");
    }
}

#[test]
fn bad_specs_are_refused_by_key() {
    for (json, key) in [
        (r#"{"start_s":5,"end_s":5}"#, "end_s"),
        (r#"{"start_s":5,"end_s":90}"#, "end_s"),
        (r#"{"duration_s":2,"end_s":4}"#, "end_s"),
        (r#"{"colors":3}"#, "colors"),
        (r#"{"colors":300}"#, "colors"),
        (r#"{"format":"webp","colors":16}"#, "colors"),
        (r#"{"format":"avif","loops":2}"#, "loops"),
        (r#"{"pieces":0}"#, "pieces"),
        (r#"{"long_short":true,"width":100}"#, "long_short"),
        (r#"{"fill":"crop"}"#, "fill"),
        (r#"{"duration_s":0.05}"#, "duration_s"),
    ] {
        let found: Vec<String> = spec_check::check(&animation(json))
            .into_iter()
            .map(|wrong| wrong.path)
            .collect();
        assert!(found.iter().any(|path| path == key), "{json}: {found:?}");
    }
    for fine in [
        r#"{"pieces":5,"start_s":10,"end_s":600,"duration_s":10}"#,
        r#"{"end_s":"00:00:02.5"}"#,
    ] {
        assert!(spec_check::check(&animation(fine)).is_empty(), "{fine}");
    }
}
