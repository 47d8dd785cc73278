//! Parts of a source: exact to the frame and the sample, by seconds, clock and timecode.

use crate::room::Room;
use crate::room::ffprobe;
use crate::room::pictures;
use crate::room::rung;
use crate::room::tenths;

/// Each picture of the clip has a grey of its own: its number times 4.
fn counted(room: &Room, name: &str, rate: &str, more: &str) -> std::path::PathBuf {
    room.make(
        name,
        &format!(
            "-f lavfi -i color=black:s=160x90:r={rate}:d=2,geq=lum='N*4':cb=128:cr=128 {more} -c:v libx264 -preset ultrafast -qp 0 -g 12 -pix_fmt yuv420p -color_range pc"
        ),
    )
}

fn numbers(file: &std::path::Path) -> Vec<i64> {
    pictures(file)
        .iter()
        .map(|(_, [_, green, _])| (f64::from(*green) / 4.0).round() as i64)
        .collect()
}

#[test]
fn a_timecode_is_the_frame_of_that_label() {
    let room = Room::new();
    let source = counted(&room, "tc.mov", "25", "-timecode 10:00:00:05");
    let run = room.run(
        &rung("clip = { start = \"10:00:00:15\", end = \"10:00:01:15\" }"),
        &source,
        &[],
    );
    assert_eq!(run.code, 0, "{}", run.words);
    let found = numbers(&run.output("low"));
    assert_eq!(found.len(), 25);
    assert!((found[0] - 10).abs() <= 1 && (found[24] - 34).abs() <= 1, "{found:?}");
}

#[test]
fn a_source_without_timecode_counts_from_its_first_frame() {
    let room = Room::new();
    let source = counted(&room, "ntsc.mp4", "30000/1001", "");
    let run = room.run(
        &rung("clip = { start = \"00:00:00;10\", end = \"00:00:01;00\" }"),
        &source,
        &[],
    );
    assert_eq!(run.code, 0, "{}", run.words);
    let found = numbers(&run.output("low"));
    assert_eq!(found.len(), 20);
    assert!((found[0] - 10).abs() <= 1, "{found:?}");
    let run = room.run(&rung("clip = { start = \"10:00:00:00\" }"), &source, &[]);
    assert_eq!(run.codes(), ["ClipOutsideSource"], "{}", run.words);
}

#[test]
fn sound_alone_is_cut_to_the_sample() {
    let room = Room::new();
    // Silence, one second of tone, silence.
    let source = room.make(
        "tone.wav",
        "-f lavfi -i sine=f=440:r=48000:d=3,volume=enable='not(between(t,1,2))':volume=0",
    );
    let run = room.run(
        &rung("clip = { start = \"00:00:01\", end = \"00:00:02\" }"),
        &source,
        &[],
    );
    assert_eq!(run.code, 0, "{}", run.words);
    let output = &run.report["outputs"][0];
    let path = std::path::PathBuf::from(output["path"].as_str().expect("a path"));
    let loud = tenths(&path);
    assert!(loud[..10].iter().all(|level| *level > 0.05), "{loud:?}");
    let length_s = ffprobe(&path, "a:0", "stream=duration");
    assert!((length_s[0] - 1.0).abs() < 0.03, "{length_s:?}");
}

#[test]
fn sound_beyond_the_end_of_a_clip_is_not_said_to_have_been_moved() {
    let room = Room::new();
    let source = counted(&room, "sound.mp4", "25", "-f lavfi -i sine=r=48000:d=2 -c:a aac");
    let clip = "clip = { start_s = 0.4, end_s = 0.8 }";
    let run = room.run(&rung(clip), &source, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    assert_eq!(run.report["warnings"], serde_json::json!([]), "{}", run.words);
    let loud = tenths(&run.output("low"));
    assert!(
        loud.len() >= 4 && loud[..4].iter().all(|level| *level > 0.05),
        "{loud:?}"
    );
}

#[test]
fn a_clip_of_a_stream_without_an_index_begins_where_it_was_asked_to() {
    let room = Room::new();
    for (name, codec) in [
        ("long-groups.ts", "-c:v libx264 -preset ultrafast -qp 0 -g 100 -bf 2"),
        ("program.mpg", "-c:v mpeg2video -qscale:v 2 -g 12 -bf 2 -s 160x96"),
    ] {
        // Brighter by one with each picture; the longest group of the first is four seconds.
        let source = room.make(
            name,
            &format!(
                "-f lavfi -i color=black:s=160x90:r=25:d=6,geq=lum='16+N':cb=128:cr=128 -f lavfi -i sine=d=6 {codec} -c:a mp2"
            ),
        );
        let run = room.run(&rung("clip = { start_s = 3.0, end_s = 4.0 }"), &source, &[]);
        assert_eq!(run.code, 0, "{name}: {}", run.words);
        let found = pictures(&run.output("low"));
        assert!((24..=26).contains(&found.len()), "{name}: {}", found.len());
        let first = f64::from(found[0].1[1]);
        // Number 75 of 16 + N in limited range.
        let wanted = 75.0 * 255.0 / 219.0;
        assert!((first - wanted).abs() < 4.0, "{name}: {first} is not {wanted}");
        assert!(found[0].0 < 0.05, "{name}: {:?}", found[0]);
    }
}
