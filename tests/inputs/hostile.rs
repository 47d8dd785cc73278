//! Sources that ask for more than there is: each limit by a file that passes it.

use crate::room::Room;
use crate::room::rung;

#[test]
fn more_pixels_than_anybody_delivers_are_refused() {
    let room = Room::new();
    // A PNG of 100000 x 100000 pixels, in its header.
    let source = room.make("wide.png", "-f lavfi -i testsrc2=s=64x36 -frames:v 1");
    let mut bytes = std::fs::read(&source).expect("the picture");
    bytes[16..20].copy_from_slice(&100_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&100_000_u32.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    std::fs::write(&source, bytes).expect("it can be written");
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.code, 1, "{}", run.words);
    let code = run.codes()[0];
    assert!(
        ["SourceOverLimit", "SourceUndecodable"].contains(&code),
        "{}",
        run.words
    );
}

#[test]
fn more_streams_than_a_studio_has_are_refused() {
    let room = Room::new();
    let tone = room.make("tone.wav", "-f lavfi -i sine=r=8000:d=0.2");
    let maps = "-map 0 ".repeat(300);
    let source = room.make("many.mkv", &format!("-i {} {maps} -c copy", tone.display()));
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.codes(), ["SourceOverLimit"], "{}", run.words);
}

#[test]
fn a_source_of_years_is_refused() {
    let room = Room::new();
    let clip = room.make(
        "clip.mkv",
        "-f lavfi -i testsrc2=s=64x36:r=25:d=1 -c:v libx264 -preset ultrafast",
    );
    let source = room.make(
        "years.mkv",
        &format!("-i {} -c copy -bsf:v setts=ts=TS*20000000", clip.display()),
    );
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.codes(), ["SourceOverLimit"], "{}", run.words);
}

/// A gap of hours in the middle would be filled with silence, and the reader would wait for all of it.
#[test]
fn sound_that_leaps_by_hours_is_damage() {
    let room = Room::new();
    let clip = room.slate("clip.mp4", "gray", "160x90", "25", "4", Some(440));
    let leap = "setts=ts=if(gte(N\\,100)\\,TS+48000*20000\\,TS)";
    let source = room.make("leap.mp4", &format!("-i {} -c copy -bsf:a {leap}", clip.display()));
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.code, 1, "{}", run.words);
    assert!(run.words.contains("leap"), "{}", run.words);
}

/// As PNG counts it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| match crc & 1 {
            1 => crc >> 1 ^ 0xEDB8_8320,
            _ => crc >> 1,
        })
    })
}
