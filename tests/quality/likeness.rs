//! PSNR and SSIM against libavfilter's own, and what a transcode says of its renditions.

use crate::clips;
use crate::room::Room;
use crate::room::transcode;
use reelmill::media::av::Decoder;
use reelmill::media::av::Demuxer;
use reelmill::media::av::Frame;
use reelmill::media::av::Packet;
use reelmill::media::av::Source;
use reelmill::media::limits::Limits;
use reelmill::media::product::JobEnd;
use reelmill::media::quality::Likeness;
use reelmill::media::quality::Tally;
use std::path::Path;
use std::path::PathBuf;

/// 3 s of 160x90, nearly lossless.
pub fn source(directory: &Path) -> PathBuf {
    let path = directory.join("source.mp4");
    let pictures = "testsrc2=s=160x90:r=25:d=3,noise=alls=12:allf=t,format=yuv420p";
    clips::ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            pictures,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-crf",
            "4",
            "-g",
            "25",
        ],
        &path,
    );
    path
}

pub fn pictures(path: &Path) -> Vec<Frame> {
    let file = std::fs::File::open(path).expect("open");
    let limits = Limits::default();
    let mut demuxer = Demuxer::open(Source::from_file(file, "x").expect("size"), &limits).expect("a container");
    let stream = demuxer.stream(0).expect("pictures");
    let mut decoder = Decoder::open(
        &stream.parameters().expect("parameters"),
        stream.time_base(),
        1,
        &limits,
    )
    .expect("a decoder");
    let (mut packet, mut frames) = (Packet::new().expect("memory"), Vec::new());
    while demuxer.read(&mut packet).expect("readable") {
        decoder.send(&packet).expect("sent");
        while let Some(frame) = decoder.receive().expect("decoded") {
            frames.push(frame);
        }
    }
    decoder.send_end().expect("sent");
    while let Some(frame) = decoder.receive().expect("decoded") {
        frames.push(frame);
    }
    frames
}

/// Number after `key` in the last line that has it.
fn number(text: &str, key: &str) -> f64 {
    let line = text.lines().rev().find(|line| line.contains(key)).expect(key);
    let rest = &line[line.find(key).expect(key) + key.len()..];
    rest.split_whitespace()
        .next()
        .expect("a number")
        .parse()
        .expect("a number")
}

fn compared_by_ffmpeg(made: &Path, source: &Path, filter: &str) -> String {
    clips::ffmpeg_says(&[
        "-i",
        &made.to_string_lossy(),
        "-i",
        &source.to_string_lossy(),
        "-lavfi",
        filter,
    ])
}

#[test]
fn psnr_and_ssim_are_those_of_ffmpeg() {
    let room = Room::new();
    let source = source(room.path());
    for (name, format) in [("poor.mp4", "yuv420p"), ("deep.mkv", "yuv422p10le")] {
        let (first, second) = (room.path().join(format!("a-{name}")), room.path().join(name));
        let path = source.to_string_lossy();
        clips::ffmpeg(
            &[
                "-i",
                &path,
                "-pix_fmt",
                format,
                "-c:v",
                "libx264",
                "-crf",
                "6",
                "-preset",
                "ultrafast",
            ],
            &first,
        );
        clips::ffmpeg(
            &["-i", &path, "-pix_fmt", format, "-c:v", "libx264", "-crf", "36"],
            &second,
        );
        let mut tally = Tally::default();
        let (ours, theirs) = (pictures(&second), pictures(&first));
        assert_eq!((ours.len(), theirs.len()), (75, 75));
        for (one, other) in ours.iter().zip(&theirs) {
            tally.add(&Likeness::of(one, other).expect("comparable"), 0.0);
        }
        let found = tally.quality(true, true).expect("pictures");
        let psnr = compared_by_ffmpeg(&second, &first, "psnr");
        let ssim = compared_by_ffmpeg(&second, &first, "ssim");
        let near = |ours: Option<f64>, theirs: f64, most: f64| {
            let ours = ours.expect("measured");
            assert!((ours - theirs).abs() <= most, "{name}: {ours} is not {theirs}");
        };
        near(found.psnr_db, number(&psnr, "average:"), 0.01);
        near(found.psnr_y_db, number(&psnr, "PSNR y:"), 0.01);
        near(found.psnr_min_db, number(&psnr, "min:"), 0.01);
        near(found.ssim, number(&ssim, "All:"), 0.0005);
        near(found.ssim_y, number(&ssim, "SSIM Y:"), 0.0005);
    }
}

const RUNGS: &str = r#"
quality = { every_s = 0.2 }
[[group]]
kind = "file"
[[group.output]]
name = "good"
video = { codec = "h264", preset = "ultrafast", crf = 12, gop_s = 1.0 }
[[group.output]]
name = "poor"
video = { codec = "h264", preset = "ultrafast", crf = 38, gop_s = 1.0 }
[[group]]
kind = "hls"
[[group.output]]
name = "poor"
video = { codec = "h264", preset = "ultrafast", crf = 38, gop_s = 1.0 }
"#;

#[test]
fn renditions_are_compared_with_what_they_were_made_of() {
    let room = Room::new();
    let source = source(room.path());
    let product = room.success(&source, &transcode(RUNGS));
    assert!(product.warnings.is_empty(), "{:?}", product.warnings);
    let (good, poor) = (
        product.outputs[0].quality.clone().expect("rated"),
        product.outputs[1].quality.clone().expect("rated"),
    );
    assert!(good.frames >= 10 && good.frames == poor.frames, "{good:?}");
    assert_eq!(
        product.outputs[2].renditions[0].quality,
        Some(poor.clone()),
        "made once, compared once"
    );
    assert!(product.outputs[2].quality.is_none());
    for (name, said) in [("good", &good), ("poor", &poor)] {
        let made = room.path().join(format!("scratch/job-0/0/{name}.mp4"));
        let stats = room.path().join(format!("{name}.log"));
        let whole = compared_by_ffmpeg(&made, &source, &format!("psnr=stats_file={}", stats.display()));
        let whole_db = number(&whole, "average:");
        let said_db = said.psnr_db.expect("measured");
        assert!(
            (said_db - whole_db).abs() < 1.5,
            "{name}: {said_db} of samples, {whole_db} of all"
        );
        // The worst picture is the same picture to ffmpeg.
        let frame = (said.worst_at_s.expect("known") * 25.0).round() as usize + 1;
        let stats = std::fs::read_to_string(&stats).expect("statistics");
        let line = stats
            .lines()
            .find(|line| line.starts_with(&format!("n:{frame} ")))
            .expect("the picture");
        let worst_db = number(line, "psnr_avg:");
        assert!(
            (said.psnr_min_db.expect("measured") - worst_db).abs() < 0.1,
            "{name}: {said:?}, {line}"
        );
    }
    assert!(good.psnr_db > poor.psnr_db && good.ssim > poor.ssim);
}

#[test]
fn a_rendition_below_the_least_fails_its_job() {
    let room = Room::new();
    let source = source(room.path());
    let asked = |least: &str| transcode(&RUNGS.replace("every_s = 0.2", least));
    let ends = room
        .carry_out(
            &source,
            &[
                asked("every_s = 0.2, min_psnr_db = 34.0"),
                asked("every_s = 0.2, min_ssim = 0.2"),
            ],
        )
        .expect("carried out");
    let JobEnd::Failed { fault } = &ends[0].1 else {
        panic!("{:?}", ends[0].1)
    };
    assert_eq!(fault.code, "OutputTooPoor");
    assert!(
        fault.cause.contains("poor: psnr_db of") && !fault.cause.contains("good:"),
        "{fault}"
    );
    let JobEnd::Success(product) = &ends[1].1 else {
        panic!("{:?}", ends[1].1)
    };
    let checks = &product.outputs[2].proof.checks;
    assert!(
        checks.iter().any(|check| check.name == "poor/ssim" && check.ok),
        "{checks:?}"
    );
}

#[test]
fn a_changed_frame_rate_compares_the_pictures_that_were_encoded() {
    let room = Room::new();
    let source = source(room.path());
    let product = room.success(
        &source,
        &transcode(&RUNGS.replace("gop_s = 1.0", "gop_s = 1.0, fps = 10.0")),
    );
    let good = product.outputs[0].quality.clone().expect("rated");
    assert!(good.frames >= 5 && good.psnr_db > Some(38.0), "{good:?}");
}
