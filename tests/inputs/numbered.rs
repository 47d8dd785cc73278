//! Numbered pictures and single ones as sources.

use crate::room::REELMILL;
use crate::room::Room;
use crate::room::pictures;
use crate::room::rung;
use std::process::Command;

const POSTER: &str = "[[activity]]\nid = \"p\"\ntype = \"snapshot\"\ntimes = [\"0.2\"]\n";

/// Twelve pictures that grow brighter, numbered from 98.
fn shots(room: &Room, extension: &str, more: &str) {
    room.make(
        &format!("shot_%04d.{extension}"),
        &format!("-f lavfi -i color=black:s=160x90:r=24:d=0.5,geq=lum='40+N*16':cb=128:cr=128 -start_number 98 {more}"),
    );
}

#[test]
fn numbered_pictures_are_a_film() {
    for (extension, more) in [
        ("png", ""),
        ("dpx", ""),
        ("tiff", ""),
        ("jpg", "-q:v 2"),
        ("exr", ""),
        ("bmp", ""),
    ] {
        let room = Room::new();
        shots(&room, extension, more);
        let run = room.run(
            &format!("{}{POSTER}", rung("")),
            &room.path(&format!("shot_%04d.{extension}")),
            &["--fps", "24"],
        );
        assert_eq!(run.code, 0, "{extension}: {}", run.words);
        let found = pictures(&run.output("low"));
        assert_eq!(found.len(), 12, "{extension}");
        for (number, (at_s, _)) in found.iter().enumerate() {
            assert!((at_s - number as f64 / 24.0).abs() < 0.001, "{extension}: {at_s}");
        }
        let brighter = found.windows(2).all(|pair| pair[1].1[1] > pair[0].1[1]);
        assert!(brighter, "{extension}: {found:?}");
    }
}

#[test]
fn a_missing_number_is_told_and_the_picture_before_stays_on() {
    let room = Room::new();
    shots(&room, "png", "");
    for number in [101, 102] {
        std::fs::remove_file(room.path(&format!("shot_{number:04}.png"))).expect("it was there");
    }
    let run = room.run(&rung(""), &room.path("shot_*.png"), &["--fps", "24"]);
    assert_eq!(run.code, 0, "{}", run.words);
    assert!(
        run.words.contains("shot_0101.png to shot_0102.png are missing"),
        "{}",
        run.words
    );
    let found = pictures(&run.output("low"));
    assert_eq!(found.len(), 10);
    assert!((found[3].0 - 5.0 / 24.0).abs() < 0.001, "{found:?}");
}

#[test]
fn a_family_is_probed_and_one_that_is_not_there_is_bad_usage() {
    let room = Room::new();
    shots(&room, "png", "");
    let probe = |pattern: &str| {
        Command::new(REELMILL)
            .args(["probe", "--json", "--fps", "12"])
            .arg(room.path(pattern))
            .output()
            .expect("the binary runs")
    };
    let facts: serde_json::Value = serde_json::from_slice(&probe("shot_%04d.png").stdout).expect("facts");
    assert_eq!(facts["duration_s"], 1.0);
    assert_eq!(facts["streams"][0]["frame_count"], 12);
    assert_eq!(probe("none_%04d.png").status.code(), Some(2));
}

#[test]
fn one_picture_gives_pictures_and_no_film() {
    let room = Room::new();
    let source = room.make("one.png", "-f lavfi -i testsrc2=s=64x36 -frames:v 1");
    let still = "[[activity]]\nid = \"p\"\ntype = \"snapshot\"\ntemplate = \"poster\"\n";
    let run = room.run(&format!("{}{still}", rung("")), &source, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    assert_eq!(run.report["outputs"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        run.report["activities"][0]["reason"],
        "the source is a single picture, not a film"
    );
}
