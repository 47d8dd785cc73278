//! Slates before and after, and merged files: pictures, sound and time go on across sources of any shape.

use crate::room::Room;
use crate::room::ffprobe;
use crate::room::levels;
use crate::room::pictures;
use crate::room::rung;
use crate::room::tenths;

fn is_red([red, green, blue]: [u8; 3]) -> bool {
    red > 60 && green < red / 2 && blue < red / 2
}
fn is_green([red, green, blue]: [u8; 3]) -> bool {
    green > 40 && red < green / 2 && blue < green / 2
}
fn is_blue([red, green, blue]: [u8; 3]) -> bool {
    blue > 60 && green < blue / 2 && red < blue / 2
}

#[test]
fn slates_of_other_sizes_and_rates_stand_before_and_after() {
    let room = Room::new();
    room.slate("red.mp4", "red", "320x240", "30", "1", Some(440));
    room.slate("blue.mkv", "blue", "160x284", "24000/1001", "1.001", None);
    let main = room.slate("main.mp4", "lime", "320x180", "25", "2", Some(880));
    let run = room.run(&rung("head = [\"red.mp4\"]\ntail = [\"blue.mkv\"]"), &main, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    let found = pictures(&run.output("low"));
    assert_eq!(found.len(), 30 + 50 + 24);
    let (head, rest) = found.split_at(30);
    let (middle, tail) = rest.split_at(50);
    assert!(head.iter().all(|(_, color)| is_red(*color)), "{head:?}");
    assert!(middle.iter().all(|(_, color)| is_green(*color)), "{middle:?}");
    assert!(tail.iter().all(|(_, color)| is_blue(*color)), "{tail:?}");
    // Each picture is where its source says, counted from where the source before ended.
    let places = (0..30).map(|n| f64::from(n) / 30.0);
    let places = places.chain((0..50).map(|n| 1.0 + f64::from(n) / 25.0));
    let places = places.chain((0..24).map(|n| 3.0 + f64::from(n) * 1001.0 / 24_000.0));
    for ((at_s, _), wanted_s) in found.iter().zip(places) {
        assert!((at_s - wanted_s).abs() < 0.001, "{at_s} is not {wanted_s}");
    }
    // The tall slate is letterboxed into the main size: its sides are black.
    let width = ffprobe(&run.output("low"), "v:0", "stream=width");
    assert_eq!(width, [320.0]);
    let corner = room.make(
        "corner.png",
        &format!(
            "-ss 3.5 -i {} -frames:v 1 -vf crop=40:180:0:0,scale=1:1:flags=area",
            run.output("low").display()
        ),
    );
    let dark = pictures(&corner);
    assert!(dark[0].1.iter().all(|value| *value < 24), "{dark:?}");
    // Sound of the first two in their places; the last has none.
    let loud = tenths(&run.output("low"));
    assert!(loud[1..29].iter().all(|level| *level > 0.03), "{loud:?}");
    assert!(loud.iter().skip(32).all(|level| *level < 0.01), "{loud:?}");
}

#[test]
fn merged_files_keep_their_step_over_many_joints() {
    let room = Room::new();
    let main = room.slate("a.mp4", "lime", "320x180", "30000/1001", "1.001", Some(440));
    let silent = room.slate("b.mp4", "red", "320x180", "25", "0.6", None);
    assert!(silent.exists());
    let list = ["a.mp4", "b.mp4"].repeat(6);
    let run = room.run(&rung(&format!("inputs = {list:?}")), &main, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    let found = pictures(&run.output("low"));
    assert_eq!(found.len(), 30 * 7 + 15 * 6);
    // Tones begin and end with their pictures, after six joints as after one.
    let loud = tenths(&run.output("low"));
    let mut begins_s = 1.001 + 1.001;
    for _ in 0..5 {
        let silent = &loud[(begins_s * 10.0_f64).round() as usize + 1..(begins_s * 10.0).round() as usize + 5];
        assert!(silent.iter().all(|level| *level < 0.02), "from {begins_s}: {silent:?}");
        let heard = ((begins_s + 0.6) * 10.0).round() as usize;
        assert!(
            loud[heard + 1..heard + 9].iter().all(|level| *level > 0.03),
            "from {heard}"
        );
        begins_s += 0.6 + 1.001;
    }
}

#[test]
fn a_part_of_the_source_is_joined_and_turned_slates_stand_upright() {
    let room = Room::new();
    room.slate("wide.mp4", "red", "320x180", "25", "1", None);
    // Stored lying, shown standing.
    let turned = room.make(
        "turned.mp4",
        &format!("-i {} -c copy -metadata:s:v rotate=90", room.path("wide.mp4").display()),
    );
    let main = room.slate("main.mp4", "lime", "180x320", "25", "3", Some(440));
    let name = turned.file_name().and_then(|name| name.to_str()).expect("a name");
    let extra = format!("head = [{name:?}]\nclip = {{ start = \"00:00:01\", end_s = 2.0 }}");
    let run = room.run(&rung(&extra), &main, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    let found = pictures(&run.output("low"));
    assert_eq!(found.len(), 50);
    // It fills the frame: a slate that lay would be letterboxed to a third.
    assert!(found[..25].iter().all(|(_, [red, ..])| *red > 200), "{:?}", found[0]);
    assert!(found[25..].iter().all(|(_, color)| is_green(*color)));
}

/// A flash at 2 s of 3 s of black, and a beep with it; what `how` says of sound is left out of `.m2v` and the like.
fn flash(room: &Room, name: &str, how: &str) {
    let flash = "-f lavfi -i color=black:s=320x180:r=25:d=3,drawbox=c=white:t=fill:enable='between(n\\,50\\,54)'";
    let beep = "-f lavfi -i aevalsrc='if(between(t\\,2\\,2.1)\\,sin(6283*t)\\,0)':s=48000:d=3";
    let sound = if how.contains("-c:a") { beep } else { "" };
    room.make(name, &format!("{flash} {sound} {how}"));
}

/// When something begins, of samples so far apart.
fn beginnings(is_on: impl Iterator<Item = (f64, bool)>) -> Vec<f64> {
    let mut was_on = false;
    let mut found = Vec::new();
    for (at_s, is_on) in is_on {
        if is_on && !was_on {
            found.push(at_s);
        }
        was_on = is_on;
    }
    found
}

#[test]
fn pieces_that_do_not_say_when_pictures_are_shown_stay_with_their_sound_and_lose_no_time() {
    let room = Room::new();
    flash(
        &room,
        "plain.mp4",
        "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac",
    );
    let avc = "-c:v libx264 -preset ultrafast -bf 2 -g 25 -pix_fmt yuv420p";
    let mpeg2 = "-c:v mpeg2video -q:v 2 -bf 2 -g 12";
    let pieces = [
        // Times of decoding alone.
        ("asp.avi", "-c:v mpeg4 -q:v 2 -bf 2 -g 25 -c:a pcm_s16le".to_owned()),
        ("avc.avi", format!("{avc} -c:a pcm_s16le")),
        ("wmv.asf", "-c:v mpeg4 -q:v 2 -bf 2 -g 25 -c:a wmav2".to_owned()),
        ("raw.m2v", mpeg2.to_owned()),
        ("raw.m4v", "-c:v mpeg4 -q:v 2 -bf 2 -g 25".to_owned()),
        // Of some pictures.
        ("ps.mpg", format!("{mpeg2} -f vob -c:a mp2")),
        ("avc.flv", format!("{avc} -c:a aac")),
        // None at all.
        ("raw.h264", avc.to_owned()),
    ];
    for (name, how) in &pieces {
        flash(&room, name, how);
        let is_silent = !how.contains("-c:a");
        // Between two others, first of three, and as the source itself.
        let orders = [
            ("plain.mp4", format!("tail = [{name:?}, \"plain.mp4\"]"), 1),
            ("plain.mp4", format!("inputs = [{name:?}, \"plain.mp4\"]"), 1),
            ("plain.mp4", format!("head = [{name:?}]\ntail = [\"plain.mp4\"]"), 0),
            (*name, "tail = [\"plain.mp4\", \"plain.mp4\"]".to_owned(), 0),
        ];
        for (main, extra, silent) in orders {
            let run = room.run(&rung(&extra), &room.path(main), &[]);
            assert_eq!(run.code, 0, "{name} {extra}: {}", run.words);
            assert!(
                !run.report["warnings"].to_string().contains("moved"),
                "{name} {extra}: {}",
                run.report
            );
            let made = run.output("low");
            let seen = pictures(&made);
            assert_eq!(seen.len(), 225, "{name} {extra}");
            let steps = seen.windows(2).map(|two| two[1].0 - two[0].0);
            assert!(
                steps.clone().all(|step_s| step_s > 0.025 && step_s < 0.1),
                "{name} {extra}: {steps:?}"
            );
            let white = beginnings(seen.iter().map(|(at_s, color)| (*at_s, color[1] > 128)));
            let near = |found: &[f64], wanted: &[f64]| {
                found.len() == wanted.len() && found.iter().zip(wanted).all(|(one, other)| (one - other).abs() < 0.1)
            };
            assert!(near(&white, &[2.0, 5.0, 8.0]), "{name} {extra}: {white:?}");
            if main == *name && is_silent {
                continue;
            }
            let fine = beeps(&made);
            let mut with_sound = white.clone();
            if is_silent {
                with_sound.remove(silent);
            }
            let apart = with_sound
                .iter()
                .zip(&fine)
                .all(|(one, other)| (one - other).abs() < 0.025);
            assert!(
                apart && with_sound.len() == fine.len(),
                "{name} {extra}: {with_sound:?} {fine:?}"
            );
        }
    }
}

/// When beeps begin.
fn beeps(made: &std::path::Path) -> Vec<f64> {
    beginnings(
        levels(made, 80)
            .iter()
            .enumerate()
            .map(|(number, level)| (number as f64 / 100.0, *level > 0.05)),
    )
}

#[test]
fn sound_that_has_a_gap_within_a_piece_is_told_and_a_silent_piece_is_not() {
    let room = Room::new();
    let main = room.slate("main.mp4", "lime", "320x180", "25", "1", Some(440));
    room.slate("silent.mp4", "red", "320x180", "25", "2", None);
    room.make(
        "gap.mkv",
        "-f lavfi -i color=blue:s=320x180:r=25:d=3 -f lavfi -i sine=f=880:r=48000:d=3,aselect='not(between(t\\,1\\,2))' \
         -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le",
    );
    let moved = |list: &str| {
        let run = room.run(&rung(&format!("tail = {list}")), &main, &[]);
        assert_eq!(run.code, 0, "{}", run.words);
        run.report["warnings"].to_string().contains("moved")
    };
    assert!(!moved("[\"silent.mp4\", \"main.mp4\"]"));
    assert!(moved("[\"gap.mkv\"]"));
    assert!(moved("[\"silent.mp4\", \"gap.mkv\"]"));
}

#[test]
fn what_is_not_there_fails_its_job_alone_and_not_again() {
    let room = Room::new();
    let main = room.slate("main.mp4", "lime", "320x180", "25", "1", None);
    let poster = "[[activity]]\nid = \"p\"\ntype = \"snapshot\"\ntemplate = \"poster\"\n";
    let run = room.run(&format!("{}{poster}", rung("tail = [\"nothing.mp4\"]")), &main, &[]);
    assert_eq!(run.codes(), ["SideFileMissing"], "{}", run.words);
    assert_eq!(run.report["errors"][0]["retryable"], false);
    assert_eq!(run.report["outputs"].as_array().map(Vec::len), Some(1), "the poster");
    std::fs::write(room.path("text.mp4"), "no media at all").expect("it can be written");
    let run = room.run(&rung("tail = [\"text.mp4\"]"), &main, &[]);
    assert_eq!(run.codes(), ["SourceNotMedia"], "{}", run.words);
    let run = room.run(&rung("tail = [\"elsewhere:a.mp4\"]"), &main, &[]);
    assert_eq!(run.codes(), ["StorageUnknown"], "{}", run.words);
}

#[test]
fn chapters_of_joined_files_stand_where_their_files_do() {
    let room = Room::new();
    room.slate("head.mp4", "red", "320x180", "25", "1", None);
    let chapters = |name: &str, titles: [&str; 2]| {
        let text = format!(
            ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle={}\n[CHAPTER]\nTIMEBASE=1/1000\n\
             START=1000\nEND=2000\ntitle={}\n",
            titles[0], titles[1]
        );
        std::fs::write(room.path("chapters.txt"), text).expect("written");
        let plain = room.slate("plain.mp4", "lime", "320x180", "25", "2", None);
        room.make(
            name,
            &format!(
                "-i {} -i {} -map 0 -map_chapters 1 -c copy",
                plain.display(),
                room.path("chapters.txt").display()
            ),
        )
    };
    let main = chapters("main.mp4", ["A", "B"]);
    chapters("more.mkv", ["C", "D"]);
    let run = room.run(&rung("head = [\"head.mp4\"]\ninputs = [\"more.mkv\"]"), &main, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    assert_eq!(
        ffprobe(&run.output("low"), "v:0", "chapter=start_time"),
        [0.0, 1.0, 2.0, 3.0, 4.0],
        "of MP4 the first begins at the beginning"
    );
    // Of a part of the main file its part, in its place.
    let part = "head = [\"head.mp4\"]\nclip = { start_s = 1.5 }";
    let run = room.run(&rung(part), &main, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    assert_eq!(ffprobe(&run.output("low"), "v:0", "chapter=start_time"), [0.0, 1.0]);
    assert!(
        run.report
            .to_string()
            .contains("chapters: 1 that are within others, out of order, or outside"),
        "{}",
        run.report
    );
}

#[test]
fn joined_programmes_of_different_loudness_are_one_as_loud_as_was_asked_for() {
    let room = Room::new();
    let programme = |name: &str, volume_db: i32| {
        room.make(
            name,
            &format!(
                "-f lavfi -i color=lime:s=320x180:r=25:d=5 -f lavfi -i sine=f=1000:r=48000:d=5,volume={volume_db}dB \
                 -c:v libx264 -preset ultrafast -c:a aac"
            ),
        )
    };
    let main = programme("loud.mp4", 0);
    programme("quiet.mp4", -12);
    let activity = rung("inputs = [\"quiet.mp4\"]")
        .replace("codec = \"aac\"", "codec = \"aac\", loudness = { target_lufs = -24.0 }");
    let run = room.run(&activity, &main, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    let loud = tenths(&run.output("low"));
    let mean = |from: usize, to: usize| loud[from..to].iter().sum::<f64>() / (to - from) as f64;
    // One gain for all of it: what was quieter stays so.
    let apart_db = 20.0 * (mean(10, 45) / mean(55, 95)).log10();
    assert!((apart_db - 12.0).abs() < 0.5, "{apart_db}");
    let said = std::process::Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-i"])
        .arg(run.output("low"))
        .args(["-af", "ebur128", "-f", "null", "-"])
        .output()
        .expect("ffmpeg is installed")
        .stderr;
    let said = String::from_utf8_lossy(&said).into_owned();
    let lufs = said.rsplit("I:").next().and_then(|rest| rest.split_whitespace().next());
    let lufs: f64 = lufs.and_then(|lufs| lufs.parse().ok()).expect("a loudness");
    assert!((lufs + 24.0).abs() < 0.5, "{lufs}");
}
