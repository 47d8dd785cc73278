//! Truncated sources and failed rungs, where the activity accepts less: what there is, told as such.

use crate::room::Room;
use crate::room::pictures;
use crate::room::rung;
use std::path::PathBuf;

/// The first part of a file whose index stands before its data.
fn cut(room: &Room) -> PathBuf {
    let whole = room.make(
        "whole.mp4",
        "-f lavfi -i testsrc2=s=320x180:r=25:d=4 -c:v libx264 -preset ultrafast -g 10 -movflags +faststart",
    );
    let bytes = std::fs::read(whole).expect("the clip");
    let path = room.path("cut.mp4");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("it can be written");
    path
}

#[test]
fn what_there_is_of_a_truncated_source_is_taken_where_that_is_asked_for() {
    let room = Room::new();
    let source = cut(&room);
    let poster = "[[activity]]\nid = \"p\"\ntype = \"snapshot\"\ntimes = [\"100%\"]\npartial = true\n";
    let strict = "[[activity]]\nid = \"s\"\ntype = \"snapshot\"\ntimes = [\"10%\"]\n";
    let run = room.run(&format!("{}{poster}{strict}", rung("partial = true")), &source, &[]);
    assert_eq!(run.codes(), ["SourceTruncated"], "the strict one alone: {}", run.words);
    assert_eq!(run.report["errors"][0]["activity"], "s");
    assert_eq!(run.report["partial"], true);
    let found = pictures(&run.output("low"));
    assert!((30..70).contains(&found.len()), "about half of 100: {}", found.len());
    assert_eq!(run.report["outputs"].as_array().map(Vec::len), Some(2));

    // Without a transcode in the attempt as well.
    let run = room.run(poster, &source, &[]);
    assert_eq!(
        (run.code, run.report["partial"].as_bool()),
        (0, Some(true)),
        "{}",
        run.words
    );
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.codes(), ["SourceTruncated"]);
}
