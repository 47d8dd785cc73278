//! Bare streams, which have no container and no time stamps: their rate is the one that their headers say.

use crate::room::REELMILL;
use crate::room::Room;
use crate::room::ffprobe;
use crate::room::rung;
use std::path::Path;
use std::process::Command;

const CODECS: [(&str, &str); 4] = [
    ("h264", "-c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p"),
    (
        "hevc",
        "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=2 -pix_fmt yuv420p",
    ),
    ("m2v", "-c:v mpeg2video -bf 2"),
    ("m4v", "-c:v mpeg4 -bf 2"),
];

/// What the facts of a file say of its pictures a second.
fn rates(file: &Path) -> Vec<(u64, u64)> {
    let answer = Command::new(REELMILL)
        .args(["probe", "--json"])
        .arg(file)
        .output()
        .expect("the binary runs");
    let facts: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("facts");
    let video = &facts["streams"][0];
    let number = |rate: &str, part: &str| video[rate][part].as_u64().unwrap_or(0);
    ["average_frame_rate", "frame_rate"]
        .map(|rate| (number(rate, "num"), number(rate, "den")))
        .to_vec()
}

#[test]
fn bare_streams_keep_the_rate_of_their_headers() {
    let room = Room::new();
    for (codec, how) in CODECS {
        for (num, den) in [(24_000, 1001), (25, 1), (30_000, 1001), (50, 1), (60, 1)] {
            let rate = format!("{num}/{den}");
            let frames = 2 * (num + den / 2) / den;
            let source = room.make(
                &format!("clip-{num}.{codec}"),
                &format!("-f lavfi -i testsrc2=s=320x180:r={rate} -frames:v {frames} {how}"),
            );
            assert_eq!(rates(&source), [(num, den), (num, den)], "{codec} of {rate}");
            let run = room.run(&rung(""), &source, &[]);
            assert_eq!(run.code, 0, "{codec} of {rate}: {}", run.words);
            let steps: Vec<f64> = ffprobe(&run.output("low"), "v:0", "frame=pts_time")
                .windows(2)
                .map(|two| two[1] - two[0])
                .collect();
            let frame_s = den as f64 / num as f64;
            assert_eq!(steps.len() + 1, frames as usize, "{codec} of {rate}");
            let is_even = steps.iter().all(|step_s| (step_s - frame_s).abs() < 0.001);
            assert!(is_even, "{codec} of {rate}: {steps:?}");
        }
    }
}

/// Whether the libav inside is 6.1 or later, which tells rates of headers from its own.
fn tells_frame_rates() -> bool {
    let answer = Command::new(REELMILL)
        .args(["check", "--json"])
        .output()
        .expect("the binary runs");
    let words = String::from_utf8_lossy(&answer.stdout);
    let (_, version) = words.split_once("libavcodec ").expect("a version");
    let mut numbers = version
        .split(['.', ','])
        .map(|part| part.parse::<u32>().expect("a number"));
    (numbers.next(), numbers.next()) >= (Some(60), Some(31))
}

#[test]
fn a_rate_that_nobody_says_is_told_as_assumed() {
    let room = Room::new();
    let pictures = "-f lavfi -i testsrc2=s=320x180:r=30 -frames:v 20";
    let silent = room.make(
        "silent.obu",
        &format!("{pictures} -pix_fmt yuv420p -c:v libsvtav1 -preset 12"),
    );
    let saying = room.make("saying.h264", &format!("{pictures} -c:v libx264 -preset ultrafast"));
    let warnings = |source: &Path| {
        let run = room.run(&rung(""), source, &[]);
        assert_eq!(run.code, 0, "{}", run.words);
        run.report["warnings"].to_string()
    };
    assert!(!warnings(&saying).contains("assumed"));
    // Before 6.1 libav does not tell the one from the other.
    assert_eq!(warnings(&silent).contains("25 were assumed"), tells_frame_rates());
}
