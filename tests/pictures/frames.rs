//! Whatever the container, the codec and the way it was reached: is it the frame its label claims?

use crate::bench::Bench;
use crate::bench::GOP;
use crate::bench::animation;
use crate::bench::product;
use crate::bench::snapshot;
use crate::numbered_clip;
use crate::numbered_clip::FPS;
use reelmill::media::av::Decoder;
use reelmill::media::av::Packet;
use reelmill::media::av::Source;
use reelmill::media::limits::Limits;
use reelmill::media::picture::Picture;
use reelmill::media::picture_tap::PictureTap;
use reelmill::media::probe;
use reelmill::media::product::Place;
use reelmill::media::spec::PictureFormat;
use reelmill::media::tap::FrameTap;
use reelmill::media::tap::TapOrder;
use std::path::Path;
use std::process::Command;

/// Sequential and indexed containers, with and without frames out of order.
const CONTAINERS: [(&str, &[&str]); 6] = [
    ("b.mp4", &["-bf", "3"]),
    ("nob.mp4", &["-bf", "0", "-movflags", "+faststart"]),
    ("b.mkv", &["-bf", "3"]),
    ("b.ts", &["-bf", "3"]),
    ("b.mov", &["-bf", "2", "-c:v", "mpeg4", "-q:v", "2"]),
    ("fragments.mp4", &["-bf", "3", "-movflags", "+frag_keyframe+empty_moov"]),
];

#[test]
fn exact_cells_show_the_frame_of_their_label() {
    for (name, arguments) in CONTAINERS {
        let bench = Bench::new();
        let clip = bench.clip(name, 500, arguments);
        let work = snapshot(r#"{"mode":"sprite","interval_s":1.5,"frame_type":"normal","columns":4,"lines":2}"#);
        let made = bench.one(&clip, work);
        let cells = bench.cells(&made.outputs[0]);
        let expected: Vec<(f64, u32)> = (0..14)
            .map(|n| (f64::from(n) * 1.5, (f64::from(n) * 37.5).floor() as u32))
            .collect();
        assert_eq!(cells, expected, "{name}");
        assert_eq!(made.outputs[0].files.len(), 3, "{name}: eight cells a sheet");
        assert!(made.warnings.is_empty(), "{name}: {:?}", made.warnings);
    }
}

#[test]
fn key_frame_cells_say_their_true_time() {
    for (name, arguments) in CONTAINERS {
        let bench = Bench::new();
        let clip = bench.clip(name, 500, arguments);
        let cells = bench.cells(
            &bench
                .one(&clip, snapshot(r#"{"mode":"sprite","interval_s":5}"#))
                .outputs[0],
        );
        assert_eq!(cells.len(), 4, "{name}");
        for (number, (label_s, shown)) in cells.iter().enumerate() {
            assert_eq!(
                f64::from(*shown),
                (label_s * f64::from(FPS)).round(),
                "{name}: the label is true"
            );
            let asked_s = number as f64 * 5.0;
            assert!(
                *label_s <= asked_s && asked_s - label_s < 2.0,
                "{name}: {label_s} for {asked_s}"
            );
        }
        if !arguments.contains(&"mpeg4") {
            // Key frames stand at even seconds.
            assert_eq!(cells, [(0.0, 0), (4.0, 100), (10.0, 250), (14.0, 350)], "{name}");
        }
    }
}

#[test]
fn moments_closer_than_key_frames_get_one_picture_a_key_frame() {
    for name in ["a.mp4", "a.ts"] {
        let bench = Bench::new();
        let clip = bench.clip(name, 250, &[]);
        let made = bench.one(
            &clip,
            snapshot(r#"{"mode":"sprite","interval_s":1,"frame_type":"intra"}"#),
        );
        let cells = bench.cells(&made.outputs[0]);
        assert_eq!(
            cells,
            [(0.0, 0), (2.0, 50), (4.0, 100), (6.0, 150), (8.0, 200)],
            "{name}"
        );
        assert_eq!(made.warnings.len(), 1, "{name}: {:?}", made.warnings);
    }
}

#[test]
fn more_pictures_than_there_are_frames_are_one_of_each() {
    for name in ["a.mp4", "a.ts"] {
        let bench = Bench::new();
        let clip = bench.clip(name, 10, &["-bf", "0"]);
        for frame_type in ["normal", "auto"] {
            let of = |mode: &str, count: u32| {
                let json = format!(r#"{{"mode":"{mode}","count":{count},"frame_type":"{frame_type}"}}"#);
                bench.one(&clip, snapshot(&json))
            };
            let sprite = of("sprite", 25);
            let cells = bench.cells(&sprite.outputs[0]);
            assert!(
                cells.iter().map(|(_, shown)| *shown).eq(0..10),
                "{name} {frame_type}: {cells:?}"
            );
            let stills = of("normal", 25);
            assert_eq!(stills.outputs[0].picture_count, Some(10), "{name} {frame_type}");
            for made in [sprite, stills] {
                let told = made
                    .warnings
                    .iter()
                    .filter(|line| line.contains("25 pictures were asked for"));
                assert_eq!(told.count(), 1, "{name} {frame_type}: {:?}", made.warnings);
            }
            let each = of("normal", 10);
            assert_eq!(each.outputs[0].picture_count, Some(10), "{name} {frame_type}");
            assert!(each.warnings.is_empty(), "{name} {frame_type}: {:?}", each.warnings);
        }
    }
}

#[test]
fn files_with_a_single_key_frame_are_decoded_to_the_moments() {
    for name in ["a.mp4", "a.mkv", "a.ts"] {
        let bench = Bench::new();
        let clip = bench.clip(name, 250, &["-g", "9999", "-keyint_min", "9999"]);
        let cells = bench.cells(
            &bench
                .one(&clip, snapshot(r#"{"mode":"sprite","interval_s":3}"#))
                .outputs[0],
        );
        assert_eq!(cells, [(0.0, 0), (3.0, 75), (6.0, 150), (9.0, 225)], "{name}");
    }
}

#[test]
fn variable_frame_rates_are_honoured() {
    for name in ["vfr.mp4", "vfr.mkv"] {
        let bench = Bench::new();
        // Frames 0..49 in 0..2 s, then one every half second.
        let timing = "setpts='if(lt(N,50),N/25,2+(N-50)/2)/TB'";
        let clip = bench.clip(
            name,
            80,
            &["-vf", timing, "-fps_mode", "vfr", "-enc_time_base", "1/1000"],
        );
        let made = bench.one(
            &clip,
            snapshot(r#"{"mode":"sprite","interval_s":1.3,"frame_type":"normal"}"#),
        );
        for (label_s, shown) in bench.cells(&made.outputs[0]) {
            let expected = if label_s < 2.0 {
                (label_s * 25.0).floor()
            } else {
                50.0 + ((label_s - 2.0) * 2.0).floor()
            };
            assert_eq!(shown, expected as u32, "{name} at {label_s}");
        }
    }
}

#[test]
fn a_tap_takes_the_same_frames_as_the_exact_way() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4", 300, &[]);
    // Content with key frames, and still exact because all frames go by.
    let work = snapshot(r#"{"mode":"sprite","interval_s":1.7}"#);
    let limits = Limits::default();
    let source = Source::from_file(std::fs::File::open(&clip).expect("opens"), "a.mp4").expect("a size");
    let mut opened = probe::open(source, &limits).expect("probes");
    let order = TapOrder {
        facts: opened.facts.clone(),
        scratch: bench.root.path().to_owned(),
        directory: "tap".to_owned(),
        source_name: "a.mp4".to_owned(),
    };
    let mut tap = Box::new(PictureTap::open(&order, &work).expect("frames are needed"));
    let stream = opened.demuxer.stream(0).expect("a stream");
    let unit_s = stream.time_base().value();
    let mut decoder =
        Decoder::open(&stream.parameters().expect("copied"), stream.time_base(), 1, &limits).expect("opens");
    let mut more = true;
    while more {
        let mut packet = Packet::new().expect("memory");
        more = opened.demuxer.read(&mut packet).expect("reads");
        if more {
            decoder.send(&packet)
        } else {
            decoder.send_end()
        }
        .expect("takes it");
        while let Some(frame) = decoder.receive().expect("decodes") {
            let pts_s = frame.best_pts().expect("a time") as f64 * unit_s;
            if tap.wants(pts_s, 0.04) {
                tap.take(&frame, pts_s).expect("taken");
            }
        }
    }
    let cells = bench.cells(&product(tap.end(12.0)).outputs[0]);
    let expected: Vec<(f64, u32)> = (0..8)
        .map(|n| {
            (
                f64::from(n) * 1.7,
                (f64::from(n) * 1.7 * f64::from(FPS) + 0.01).floor() as u32,
            )
        })
        .collect();
    assert_eq!(cells, expected);
}

#[test]
fn a_poster_passes_over_black() {
    for frame_type in ["normal", "intra"] {
        let bench = Bench::new();
        let clip = bench.root.path().join("dark.mp4");
        numbered_clip::make(&clip, 250, 90, &GOP);
        let json = format!(r#"{{"times":["0"],"black_level":95,"frame_type":"{frame_type}"}}"#);
        let made = bench.one(&clip, snapshot(&json));
        let file = &made.outputs[0].files[0];
        assert_eq!(file.place, Place::Main);
        let picture = Picture::decode(
            &std::fs::read(bench.root.path().join(&file.scratch_path)).expect("read"),
            PictureFormat::Jpg,
        );
        let shown = numbered_clip::number(
            &picture.expect("a picture"),
            0,
            0,
            numbered_clip::WIDTH,
            numbered_clip::HEIGHT,
        );
        let expected = if frame_type == "intra" { 100 } else { 90 };
        assert_eq!(shown, Some(expected), "{frame_type}");
    }
}

#[test]
fn turned_clips_come_out_upright() {
    let bench = Bench::new();
    let flat = bench.clip("flat.mp4", 50, &[]);
    let turned = bench.root.path().join("turned.mp4");
    let copy = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&flat)
        .args(["-c", "copy", "-metadata:s:v:0", "rotate=90"])
        .arg(&turned)
        .status();
    assert!(copy.expect("ffmpeg runs").success());
    let made = bench.one(&turned, snapshot(r#"{"times":["1"],"format":"png"}"#));
    let bytes = std::fs::read(bench.root.path().join(&made.outputs[0].files[0].scratch_path)).expect("read");
    let picture = Picture::decode(&bytes, PictureFormat::Png).expect("a picture");
    assert_eq!(
        (picture.width(), picture.height()),
        (numbered_clip::HEIGHT, numbered_clip::WIDTH)
    );
    // What ffmpeg itself shows.
    let shown = Command::new("ffmpeg")
        .args(["-v", "error", "-ss", "1", "-i"])
        .arg(&turned)
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .expect("ffmpeg runs");
    let theirs = Picture::new(picture.width(), picture.height(), shown.stdout).expect("the same size");
    let error: u64 = picture
        .rgb()
        .iter()
        .zip(theirs.rgb())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    assert!(error / (theirs.rgb().len() as u64) < 8, "mean difference {error}");
}

#[test]
fn animations_show_the_right_frames_in_order() {
    for format in ["gif", "webp"] {
        for name in ["a.mp4", "a.ts"] {
            let bench = Bench::new();
            let clip = bench.clip(name, 250, &["-bf", "3"]);
            let json = format!(r#"{{"format":"{format}","start_s":3.2,"duration_s":2,"fps":5,"width":320}}"#);
            let made = bench.one(&clip, animation(&json));
            let file = &made.outputs[0].files[0];
            assert_eq!(
                (made.outputs[0].picture_count, &file.place),
                (Some(10), &Place::Main),
                "{format} {name}"
            );
            let shown = frames_of(&bench.root.path().join(&file.scratch_path), format);
            let expected: Vec<Option<u32>> = (0..10).map(|n| Some(80 + n * 5)).collect();
            assert_eq!(shown, expected, "{format} of {name}");
        }
    }
}

fn frames_of(path: &Path, format: &str) -> Vec<Option<u32>> {
    let (width, height) = (numbered_clip::WIDTH, numbered_clip::HEIGHT);
    let rgb: Vec<Vec<u8>> = if format == "gif" {
        let raw = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(path)
            .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
            .output()
            .expect("ffmpeg runs")
            .stdout;
        raw.chunks_exact((width * height * 3) as usize)
            .map(<[u8]>::to_vec)
            .collect()
    } else {
        use image::AnimationDecoder;
        let decoder = image::codecs::webp::WebPDecoder::new(std::io::Cursor::new(std::fs::read(path).expect("read")));
        let frames = decoder.expect("a WebP").into_frames().collect_frames().expect("frames");
        frames
            .into_iter()
            .map(|frame| {
                image::DynamicImage::ImageRgba8(frame.into_buffer())
                    .into_rgb8()
                    .into_raw()
            })
            .collect()
    };
    rgb.into_iter()
        .map(|rgb| {
            numbered_clip::number(
                &Picture::new(width, height, rgb).expect("sized right"),
                0,
                0,
                width,
                height,
            )
        })
        .collect()
}

#[test]
fn the_clock_is_that_of_the_whole_file_also_when_pictures_begin_late() {
    for name in ["late.mp4", "late.mkv", "late.ts"] {
        let bench = Bench::new();
        let sound = [
            "-f",
            "lavfi",
            "-i",
            "sine=duration=10",
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-c:a",
            "aac",
        ];
        let late = ["-vf", "setpts=PTS+1/TB", "-enc_time_base", "1/1000"];
        let clip = bench.root.path().join(name);
        numbered_clip::make(&clip, 225, 0, &[&sound[..], &GOP, &late].concat());
        let work = snapshot(r#"{"mode":"sprite","times":["0","3.02","8.02"],"frame_type":"normal"}"#);
        let cells = bench.cells(&bench.one(&clip, work).outputs[0]);
        let shown: Vec<u32> = cells.iter().map(|(_, shown)| *shown).collect();
        // Sound begins a little before 0 (priming), so a frame's rounding either way is right.
        assert_eq!(shown[0], 0, "{name}: before the first frame there is the first frame");
        assert!(
            shown[1].abs_diff(50) <= 1 && shown[2].abs_diff(175) <= 1,
            "{name}: {cells:?}"
        );
    }
}

#[test]
fn a_trimmed_file_begins_with_its_first_shown_frame() {
    let bench = Bench::new();
    let whole = bench.clip("whole.mp4", 250, &["-bf", "2"]);
    let trimmed = bench.root.path().join("trimmed.mp4");
    let cut = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-ss", "1", "-i"])
        .arg(&whole)
        .args(["-c", "copy"])
        .arg(&trimmed)
        .status();
    assert!(cut.expect("ffmpeg runs").success());
    for frame_type in ["normal", "intra"] {
        let json = format!(r#"{{"mode":"sprite","times":["0","3"],"frame_type":"{frame_type}"}}"#);
        let cells = bench.cells(&bench.one(&trimmed, snapshot(&json)).outputs[0]);
        // The key frame at 0 s of the whole lies before the edit list's start and is never shown.
        assert_eq!(cells, [(0.0, 25), (3.0, 100)], "{frame_type}");
    }
}
