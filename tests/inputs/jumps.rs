//! Transport streams in which one recording follows another: the clock begins anew, streams move, codecs change.

use crate::room::Room;
use crate::room::pictures;
use crate::room::rung;
use crate::room::tenths;

/// A red recording and a blue one in one file. `how`: what ffmpeg is told of the second.
fn both(room: &Room, how: &str) -> std::path::PathBuf {
    for (name, color, tone_hz, how) in [("one.mp4", "red", 440, ""), ("two.mp4", "blue", 880, how)] {
        room.slate(name, color, "192x108", "25", "4", Some(tone_hz));
        let part = room.path(name).display().to_string();
        room.make(&format!("{name}.ts"), &format!("-i {part} -c copy {how}"));
    }
    let read = |name: &str| std::fs::read(room.path(name)).expect("it was made");
    let path = room.path("both.ts");
    std::fs::write(&path, [read("one.mp4.ts"), read("two.mp4.ts")].concat()).expect("written");
    path
}

#[test]
fn two_recordings_in_one_file_follow_one_another() {
    let room = Room::new();
    let run = room.run(&rung(""), &both(&room, ""), &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    assert_red_then_blue(&run.output("low"), 0);
}

#[test]
fn a_recording_whose_tables_and_streams_have_other_numbers_goes_on() {
    let room = Room::new();
    let source = both(&room, "-streamid 0:700 -streamid 1:701 -mpegts_pmt_start_pid 0x1200");
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    // What the demuxer still held of the first recording comes when the second is over, and is left out.
    assert_red_then_blue(&run.output("low"), 2);
    let warnings = run.report["warnings"].to_string();
    assert!(warnings.contains("came too late"), "{warnings}");
}

#[test]
fn sound_that_goes_on_in_another_codec_is_no_success_with_half_of_it() {
    let room = Room::new();
    let run = room.run(&rung(""), &both(&room, "-c:a ac3"), &[]);
    assert_eq!(run.codes(), ["SourceDamaged"], "{}", run.words);
    assert!(run.words.contains("sound"), "{}", run.words);
}

/// `lost`: pictures that may be missing between the two.
fn assert_red_then_blue(film: &std::path::Path, lost: usize) {
    let found = pictures(film);
    assert!((200 - lost..=200).contains(&found.len()), "{}", found.len());
    let (first, second) = found.split_at(found.len() - 100);
    assert!(first.iter().all(|(_, [red, _, blue])| red > blue), "{first:?}");
    assert!(second.iter().all(|(_, [red, _, blue])| red < blue), "{second:?}");
    for (number, (at_s, _)) in found.iter().enumerate() {
        assert!(
            (at_s - found[0].0 - number as f64 / 25.0).abs() < 0.06 + lost as f64 / 25.0,
            "{number}: {at_s}"
        );
    }
    let loud = tenths(film);
    assert!(
        loud.len() >= 79 - lost && loud[1..79 - lost].iter().all(|level| *level > 0.02),
        "{loud:?}"
    );
}
