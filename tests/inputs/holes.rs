//! Sources whose middle is gone: what cannot be read any more is counted, too much of it fails, and recordings that only
//! pause do not.

use crate::room::Room;
use crate::room::Run;
use crate::room::pictures;
use crate::room::rung;
use crate::room::tenths;
use std::ops::Range;
use std::path::Path;
use std::path::PathBuf;

const X264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25";

/// A clip of so many seconds with sound, in the container of its name.
fn clip(room: &Room, name: &str, seconds: u32, how: &str) -> Vec<u8> {
    let path = room.make(
        name,
        &format!("-f lavfi -i testsrc2=s=160x90:r=25:d={seconds} -f lavfi -i sine=r=48000:d={seconds} {how}"),
    );
    std::fs::read(path).expect("the clip")
}

fn written(room: &Room, name: &str, bytes: &[u8]) -> PathBuf {
    let path = room.path(name);
    std::fs::write(&path, bytes).expect("it can be written");
    path
}

/// Where something begins in a file, each time.
fn places(bytes: &[u8], of: &[u8]) -> Vec<usize> {
    (0..bytes.len().saturating_sub(of.len()))
        .filter(|at| bytes[*at..].starts_with(of))
        .collect()
}

fn zeroed(bytes: &[u8], range: Range<usize>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[range].fill(0);
    bytes
}

/// The same with what means nothing, always alike.
fn noisy(bytes: &[u8], range: Range<usize>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for byte in &mut bytes[range] {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = (state >> 32) as u8;
    }
    bytes
}

fn without(bytes: &[u8], range: Range<usize>) -> Vec<u8> {
    [&bytes[..range.start], &bytes[range.end..]].concat()
}

fn warnings(run: &Run) -> String {
    run.report["warnings"].to_string()
}

fn strict(room: &Room, source: &Path) -> Run {
    room.run(&rung(""), source, &[])
}

#[test]
fn a_third_gone_fails_and_partial_takes_the_rest() {
    let room = Room::new();
    let sound = "-c:a aac";
    let kinds = [
        ("a.mkv", format!("{X264} {sound} -cluster_time_limit 500")),
        ("a.ts", format!("{X264} {sound}")),
        ("a.flv", format!("{X264} {sound}")),
        ("a.avi", "-c:v mpeg4 -bf 0 -g 25 -c:a pcm_s16le".to_owned()),
        ("a.asf", "-c:v msmpeg4v2 -g 25 -c:a wmav2".to_owned()),
        ("a.mpg", "-c:v mpeg2video -q:v 4 -bf 2 -g 12 -c:a mp2 -f vob".to_owned()),
        ("m.mp4", format!("{X264} {sound}")),
    ];
    for (name, how) in kinds {
        let bytes = clip(&room, name, 12, &how);
        let range = bytes.len() / 3..bytes.len() * 2 / 3;
        let noise = noisy(&bytes, range.clone());
        let run = strict(&room, &written(&room, &format!("noise-{name}"), &noise));
        assert_eq!(run.codes(), ["SourceDamaged"], "noise in {name}: {}", run.words);
        let source = written(&room, &format!("hole-{name}"), &zeroed(&bytes, range));
        let run = strict(&room, &source);
        assert_eq!(run.codes(), ["SourceDamaged"], "{name}: {}", run.words);
        // What decodes to damage is not taken as a part.
        if name == "m.mp4" {
            continue;
        }
        let run = room.run(&rung("partial = true"), &source, &[]);
        assert_eq!(
            (run.code, run.report["partial"].as_bool()),
            (0, Some(true)),
            "{name}: {}",
            run.words
        );
        assert!(
            warnings(&run).contains("what there is was taken"),
            "{name}: {}",
            warnings(&run)
        );
        let found = pictures(&run.output("low")).len();
        assert!((150..240).contains(&found), "{name}: {found} of 300");
    }
}

#[test]
fn a_small_hole_is_told() {
    let room = Room::new();
    let bytes = clip(
        &room,
        "a.mkv",
        60,
        &format!("{X264} -g 10 -c:a aac -cluster_time_limit 400"),
    );
    let clusters = places(&bytes, b"\x1F\x43\xB6\x75");
    assert!(clusters.len() > 120, "{}", clusters.len());
    let hole = written(&room, "hole.mkv", &zeroed(&bytes, clusters[60]..clusters[61]));
    let run = strict(&room, &hole);
    assert_eq!(run.code, 0, "{}", run.words);
    let told = warnings(&run);
    assert!(
        told.contains("found its way again") && told.contains("0.4 s are missing"),
        "{told}"
    );
    // Four times as much is more than may be damaged.
    let large = written(&room, "large.mkv", &zeroed(&bytes, clusters[60]..clusters[64]));
    assert_eq!(strict(&room, &large).codes(), ["SourceDamaged"]);
}

#[test]
fn a_recording_that_pauses_is_whole() {
    let room = Room::new();
    let bytes = clip(&room, "a.mkv", 12, &format!("{X264} -c:a aac -cluster_time_limit 500"));
    let clusters = places(&bytes, b"\x1F\x43\xB6\x75");
    let (from, to) = (clusters[8], clusters[16]);
    let mut paused = without(&bytes, from..to);
    let segment = places(&bytes, b"\x18\x53\x80\x67")[0];
    assert_eq!(bytes[segment + 4], 1, "a length of eight bytes");
    let length = u64::from_be_bytes(bytes[segment + 4..segment + 12].try_into().expect("eight"));
    paused[segment + 4..segment + 12].copy_from_slice(&(length - (to - from) as u64).to_be_bytes());
    let run = strict(&room, &written(&room, "paused.mkv", &paused));
    assert_eq!(run.code, 0, "{}", run.words);
    assert!(
        warnings(&run).contains("sound was moved") && !warnings(&run).contains("missing"),
        "{}",
        warnings(&run)
    );
    // Television that was not received for a while.
    let bytes = clip(&room, "a.ts", 12, &format!("{X264} -c:a aac"));
    let at = bytes.len() / 3 / 188 * 188;
    let run = strict(
        &room,
        &written(&room, "gap.ts", &without(&bytes, at..at + bytes.len() / 6 / 188 * 188)),
    );
    assert_eq!(run.code, 0, "{}", run.words);
    assert!(warnings(&run).contains("sound was moved"), "{}", warnings(&run));
    // Pictures that stand still for seconds, beside sound that is not wanted; and a scratch beside them.
    let slides = "-vf select='not(mod(n\\,100))' -fps_mode vfr -c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    let bytes = clip(
        &room,
        "slides.mkv",
        40,
        &format!("{slides} -c:a pcm_s16le -cluster_time_limit 500"),
    );
    let silent = "[[activity]]\nid = \"t\"\ntype = \"transcode\"\n[[activity.group]]\nkind = \"file\"\n\
                  [[activity.group.output]]\nname = \"low\"\n\
                  video = { codec = \"h264\", height = 180, preset = \"ultrafast\", bframes = 0 }\n";
    let clusters = places(&bytes, b"\x1F\x43\xB6\x75");
    let mut scratched = bytes.clone();
    scratched[clusters[20] + 20..clusters[20] + 60].fill(0);
    for (name, bytes) in [("slides.mkv", bytes), ("scratch.mkv", scratched)] {
        let run = room.run(silent, &written(&room, name, &bytes), &[]);
        assert_eq!(run.code, 0, "{name}: {}", run.words);
        assert!(!warnings(&run).contains("missing"), "{name}: {}", warnings(&run));
    }
}

/// AVI has no times: what is lost of it must not make what follows come early.
#[test]
fn after_a_hole_in_an_avi_pictures_and_sound_are_where_they_were() {
    let room = Room::new();
    let path = room.make(
        "a.avi",
        "-f lavfi -i color=black:s=160x90:r=25:d=30,drawbox=c=white:t=fill:enable='between(n\\,500\\,504)' \
         -f lavfi -i aevalsrc='if(between(t\\,20\\,20.1)\\,sin(6283*t)\\,0)':s=48000:d=30 \
         -c:v mpeg4 -q:v 2 -bf 0 -g 5 -c:a pcm_s16le",
    );
    let bytes = std::fs::read(path).expect("the clip");
    let index = *places(&bytes, b"idx1").last().expect("an index");
    let chunks: Vec<usize> = places(&bytes[..index], b"00dc");
    let hole = zeroed(&bytes, chunks[200]..chunks[206]);
    let run = strict(&room, &written(&room, "hole.avi", &hole));
    assert_eq!(run.code, 0, "{}", run.words);
    assert!(
        warnings(&run).contains("are missing in its middle"),
        "{}",
        warnings(&run)
    );
    let made = run.output("low");
    let seen = pictures(&made);
    let white = seen.iter().find(|(_, color)| color[1] > 128).map(|(at_s, _)| *at_s);
    let loud = tenths(&made).iter().position(|level| *level > 0.1);
    assert_eq!((white, loud), (Some(20.0), Some(200)), "{} pictures", seen.len());
    // And one that is whole has all its pictures at once after one another.
    let run = strict(&room, &room.path("a.avi"));
    assert_eq!(
        (run.code, pictures(&run.output("low")).len()),
        (0, 750),
        "{}",
        run.words
    );
    assert!(!warnings(&run).contains("missing"), "{}", warnings(&run));
}
