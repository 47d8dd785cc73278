//! Files as broadcasters, shops and broken copies have them: several programmes, encryption, sound files cut short,
//! transparency and covers that have no place.

use crate::room::Room;
use crate::room::pictures;
use crate::room::rung;
use crate::room::tenths;
use std::path::Path;
use std::process::Command;

const PICTURES: &str = "-f lavfi -i testsrc2=s=160x90:r=25:d=2";
const X264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25";

/// Sound alone, in one container.
fn sound(container: &str, codec: &str) -> String {
    format!(
        "[[activity]]\nid = \"t\"\ntype = \"transcode\"\n[[activity.group]]\nkind = \"file\"\n\
         container = \"{container}\"\n[[activity.group.output]]\nname = \"low\"\naudio = {{ {codec} }}\n"
    )
}

fn streams(path: &Path, kind: &str) -> usize {
    let answer = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            kind,
            "-show_entries",
            "stream=index",
            "-of",
            "csv=p=0",
        ])
        .arg(path)
        .output()
        .expect("ffprobe is installed");
    String::from_utf8_lossy(&answer.stdout).lines().count()
}

fn list(report: &serde_json::Value, key: &str) -> String {
    report[key].to_string()
}

#[test]
fn sound_files_that_declare_their_length_are_truncated_when_they_end_before() {
    let room = Room::new();
    let kinds = [
        ("a.wav", "-c:a pcm_s16le -rf64 always"),
        ("a.w64", "-c:a pcm_s16le"),
        ("a.aiff", "-c:a pcm_s16be"),
        ("a.au", "-c:a pcm_s16be"),
        ("a.caf", "-c:a pcm_s16le"),
        ("a.flac", "-c:a flac"),
        ("a.wma", "-c:a wmav2"),
        ("a.flv", "-c:a libmp3lame -flvflags +add_keyframe_index"),
        ("a.rm", "-c:a ac3"),
    ];
    for (name, how) in kinds {
        let whole = room.make(name, &format!("-f lavfi -i sine=r=44100:d=4 {how}"));
        let run = room.run(&sound("wav", "codec = \"pcm\""), &whole, &[]);
        assert_eq!(run.code, 0, "{name}: {}", run.words);
        let bytes = std::fs::read(&whole).expect("the file");
        let cut = room.path(&format!("cut-{name}"));
        std::fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).expect("it can be written");
        let run = room.run(&sound("wav", "codec = \"pcm\""), &cut, &[]);
        assert_eq!(run.codes(), ["SourceTruncated"], "{name}: {}", run.words);
    }
}

/// Containers that know no time of showing: what a decoder puts into order comes out later than the sound beside it.
#[test]
fn pictures_without_a_time_of_their_own_stay_with_their_sound() {
    let room = Room::new();
    let flash = "-f lavfi -i color=black:s=160x90:r=25:d=3,drawbox=c=white:t=fill:enable='between(n\\,50\\,54)'";
    let beep = "-f lavfi -i aevalsrc='if(between(t\\,2\\,2.1)\\,sin(6283*t)\\,0)':s=48000:d=3";
    for (name, how) in [
        ("plain.avi", "-c:v mpeg4 -q:v 2 -bf 0"),
        ("asp.avi", "-c:v mpeg4 -q:v 2 -bf 2 -g 25"),
        ("avc.avi", "-c:v libx264 -preset ultrafast -bf 2 -g 25 -pix_fmt yuv420p"),
    ] {
        let source = room.make(name, &format!("{flash} {beep} {how} -c:a pcm_s16le"));
        for (clip, beginning_s) in [("", 0), ("[activity.clip]\nstart_s = 1.0\nend_s = 2.2", 1)] {
            let run = room.run(&rung(clip), &source, &[]);
            assert_eq!(run.code, 0, "{name}: {}", run.words);
            assert!(!run.words.contains("moved"), "{name} {clip}: {}", run.words);
            let made = run.output("low");
            let seen = pictures(&made);
            let first = seen.first().map(|(time_s, _)| *time_s);
            let white = seen.iter().find(|(_, color)| color[1] > 128).map(|(time_s, _)| *time_s);
            assert_eq!(
                (first, white),
                (Some(0.0), Some(f64::from(2 - beginning_s))),
                "{name} {clip}"
            );
            let loud = tenths(&made).iter().position(|level| *level > 0.1);
            assert_eq!(loud, Some(20 - beginning_s as usize * 10), "{name} {clip}");
        }
    }
    let source = room.make("raw.m2v", &format!("{flash} -c:v mpeg2video -q:v 2 -bf 2 -g 12"));
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    let seen = pictures(&run.output("low"));
    let white = seen.iter().find(|(_, color)| color[1] > 128).map(|(time_s, _)| *time_s);
    assert_eq!((seen[0].0, white, seen.len()), (0.0, Some(2.0), 75));
}

#[test]
fn encrypted_films_are_refused_as_such() {
    let room = Room::new();
    // No box about keys, as where they are exchanged elsewhere: only the sample descriptions tell.
    let key = "76a6c65c5ea762046bd749a2e632ccbb";
    let source = room.make(
        "sealed.mp4",
        &format!("{PICTURES} {X264} -encryption_scheme cenc-aes-ctr -encryption_key {key} -encryption_kid {key}"),
    );
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.codes(), ["SourceEncrypted"], "{}", run.words);
    assert!(list(&run.report, "errors").contains("cenc"), "{}", run.words);
}

/// Not made into something else in silence.
#[test]
fn segments_of_transport_streams_are_asked_for_no_sound_that_they_cannot_hold() {
    let room = Room::new();
    let clip = room.slate("clip.mp4", "gray", "160x90", "25", "1", Some(440));
    let of = |codec: &str| {
        rung("")
            .replace("kind = \"file\"", "kind = \"hls\"\nsegment_format = \"ts\"")
            .replace("codec = \"aac\"", &format!("codec = \"{codec}\""))
    };
    for codec in ["opus", "flac"] {
        let run = room.run(&of(codec), &clip, &[]);
        assert_eq!(run.code, 2, "{codec}: {}", run.words);
        assert!(
            run.words.contains(&format!("ts files hold no {codec}")),
            "{}",
            run.words
        );
    }
    assert_eq!(room.run(&of("ac3"), &clip, &[]).code, 0);
}

#[test]
fn scrambled_broadcasts_are_refused_as_such() {
    let room = Room::new();
    let clear = room.make("clear.ts", &format!("{PICTURES} {X264}"));
    let mut bytes = std::fs::read(&clear).expect("the stream");
    for packet in bytes.chunks_exact_mut(188) {
        // Pictures: the first of ffmpeg's numbers. Their headers stay, what they carry does not.
        if packet[1] & 0x1F == 1 && packet[2] == 0 && packet[3] & 0x10 != 0 {
            packet[3] |= 0x80;
            let from = if packet[3] & 0x20 != 0 {
                5 + usize::from(packet[4])
            } else {
                4
            };
            packet[from..].iter_mut().for_each(|byte| *byte ^= 0x5A);
        }
    }
    let source = room.path("scrambled.ts");
    std::fs::write(&source, bytes).expect("it can be written");
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.codes(), ["SourceEncrypted"], "{}", run.words);
}

#[test]
fn of_several_programmes_one_is_taken_and_the_others_are_told() {
    let room = Room::new();
    let tone = |hz: u32| format!("-f lavfi -i sine=f={hz}:r=48000:d=2");
    let source = room.make(
        "mux.ts",
        &format!(
            "{PICTURES} {} {PICTURES} {} -map 0 -map 1 -map 2 -map 3 {X264} -c:a mp2 \
             -program title=One:program_num=7:st=0:st=1 -program title=Two:program_num=9:st=2:st=3",
            tone(440),
            tone(880)
        ),
    );
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    assert_eq!(
        streams(&run.output("low"), "a"),
        1,
        "the sound of the other programme is none of this film"
    );
    let dropped = list(&run.report, "dropped");
    assert_eq!(dropped.matches("of another programme").count(), 2, "{dropped}");
}

#[test]
fn sound_that_begins_after_the_last_picture_is_no_truncation() {
    let room = Room::new();
    let tone = "-itsoffset 5 -f lavfi -i sine=r=48000:d=2";
    let source = room.make("late.mkv", &format!("{PICTURES} {tone} {X264} -c:a aac"));
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    let length = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"])
        .arg(run.output("low"))
        .output()
        .expect("ffprobe is installed");
    let length_s: f64 = String::from_utf8_lossy(&length.stdout)
        .trim()
        .parse()
        .expect("a length");
    assert!((length_s - 7.0).abs() < 0.1, "{length_s}");
}

#[test]
fn transparency_beside_the_pictures_and_covers_without_a_place_are_told() {
    let room = Room::new();
    let source = room.make(
        "clear.webm",
        "-f lavfi -i testsrc2=s=160x90:r=25:d=1,format=yuva420p -c:v libvpx-vp9 -deadline realtime -cpu-used 8 \
         -pix_fmt yuva420p",
    );
    let run = room.run(&rung(""), &source, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    let dropped = list(&run.report, "dropped");
    assert!(dropped.contains("transparency (beside the vp9)"), "{dropped}");

    let cover = room.make("cover.png", "-f lavfi -i testsrc=s=64x64 -frames:v 1");
    let source = room.make(
        "song.mp3",
        &format!(
            "-f lavfi -i sine=r=44100:d=1 -i {} -map 0 -map 1 -c:a libmp3lame -c:v mjpeg -disposition:v attached_pic",
            cover.display()
        ),
    );
    let both = sound("m4a", "codec = \"aac\"") + &sound("wav", "codec = \"pcm\"").replace("\"t\"", "\"u\"");
    let run = room.run(&both, &source, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    assert!(
        list(&run.report, "dropped").contains("cover picture"),
        "{}",
        run.report["dropped"]
    );
}

/// Pictures with a palette, which may have clear colours in it and mostly has none.
#[test]
fn a_palette_is_told_as_transparency_only_if_it_is() {
    let room = Room::new();
    let clear = "-f lavfi -i color=red:s=160x90:r=25:d=1,format=rgba,geq=r=200:g=0:b=0:a='if(lt(X\\,80)\\,0\\,255)' \
                 -filter_complex [0]split[a][b];[b]palettegen=reserve_transparent=1[p];[a][p]paletteuse";
    let kinds = [
        ("raw.avi", format!("{PICTURES} -c:v rawvideo -pix_fmt pal8"), false),
        ("plain.mov", format!("{PICTURES} -c:v png -pix_fmt pal8"), false),
        (
            "plain.png",
            "-f lavfi -i testsrc2=s=160x90 -frames:v 1 -pix_fmt pal8".to_owned(),
            false,
        ),
        ("plain.gif", PICTURES.to_owned(), false),
        ("clear.mov", format!("{clear} -c:v png -pix_fmt pal8"), true),
        ("clear.apng", format!("{clear} -c:v apng -pix_fmt pal8 -f apng"), true),
    ];
    for (name, how, is_clear) in kinds {
        let source = room.make(name, &how);
        let run = room.run(&rung(""), &source, &[]);
        assert_eq!(run.code, 0, "{name}: {}", run.words);
        let dropped = list(&run.report, "dropped");
        assert_eq!(dropped.contains("transparency"), is_clear, "{name}: {dropped}");
    }
}
