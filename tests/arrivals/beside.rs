//! What lies beside a file: how it is to be run, and its subtitles.

use super::NOTICE;
use super::explained;
use super::is_explained;
use super::not_started;
use super::put;
use super::runs;
use super::start;
use super::watching;
use crate::appliance::clips;
use crate::appliance::workflows::RUNG;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

#[test]
fn an_order_beside_a_file_reaches_its_task_and_nonsense_keeps_it_waiting() {
    let mut appliance = not_started("sidecars = true\n");
    appliance.workflow_file(
        "proxy",
        "name = \"proxy\"\n[source]\nstorage = \"drop\"\nprefix = \"films/\"\nextensions = [\"*\"]\n[output]\nstorage = \"renditions\"\n\
         [[activity]]\nid = \"proxy\"\ntype = \"transcode\"\ntemplate = \"proxy-540p\"\n",
    );
    appliance.workflow_file("notice", NOTICE);
    start(&mut appliance);
    put(
        &appliance,
        "a.mov.reelmill.json",
        r#"{"user_data": {"id": 7, "long": 123456789012345678901234567890}, "priority": 5}"#,
    );
    put(&appliance, "a.mov", "film");
    put(&appliance, "plain.mov", "film");
    for (name, order) in [
        ("b", r#"{"priority": 50}"#),
        ("c", "{\"start\": \"00:0"),
        ("d", r#"{"strat": 1}"#),
        ("e", ""),
        ("f", r#"{"start": 5, "end": 4}"#),
    ] {
        put(&appliance, format!("{name}.reelmill.json"), order);
        put(&appliance, format!("{name}.mov"), "film");
    }
    runs(&appliance, &["a.mov", "plain.mov"]);
    let tasks = appliance.tasks();
    let task = tasks
        .iter()
        .find(|task| task["media"]["object"] == "drop:a.mov")
        .expect("it ran");
    let data = &task["user_data"];
    let data: Value = data
        .as_str()
        .map_or_else(|| data.clone(), |text| serde_json::from_str(text).expect("JSON"));
    assert_eq!(
        (data["id"].as_i64(), task["priority"].as_i64()),
        (Some(7), Some(5)),
        "{task:#}"
    );
    let digits = "\"long\":123456789012345678901234567890";
    assert!(
        task["user_data"].as_str().is_some_and(|text| text.contains(digits)),
        "{task:#}"
    );
    for (key, word) in [
        ("b.mov", "-10 to 10"),
        ("c.mov", "not what it should be"),
        ("d.mov", "strat"),
        ("e.mov", "it is empty"),
        ("f.mov", "after start"),
    ] {
        is_explained(&appliance, key, word);
    }
    // Mended, or taken away: it runs.
    put(&appliance, "b.reelmill.json", r#"{"priority": -3}"#);
    std::fs::remove_file(appliance.path("drop/c.reelmill.json")).expect("removed");
    runs(&appliance, &["a.mov", "b.mov", "c.mov", "plain.mov"]);
    // One that comes later changes nothing, and says so.
    put(&appliance, "plain.reelmill.json", r#"{"priority": 9}"#);
    is_explained(
        &appliance,
        "plain.reelmill.json",
        "one that comes later changes nothing",
    );
    assert_eq!(explained(&appliance, "plain.mov")["state"], "taken");
    // A part of a film: the clip of what is made of it.
    let films = appliance.path("drop/films");
    std::fs::create_dir(&films).expect("made");
    std::fs::write(films.join("g.reelmill.json"), r#"{"start": "00:00:01", "end": 3}"#).expect("written");
    std::fs::copy(clip(), films.join("g.mp4")).expect("copied");
    appliance.until("both tasks of the film to end", || {
        let tasks = appliance.tasks();
        let of_film = tasks
            .iter()
            .filter(|task| task["media"]["object"] == "drop:films/g.mp4");
        let ended = of_film.filter(|task| matches!(task["status"].as_str(), Some("Succeed" | "Failed")));
        (ended.count() == 2).then_some(())
    });
    let made = appliance.files("renditions");
    let made = made
        .iter()
        .find(|file| file.ends_with(".mp4"))
        .unwrap_or_else(|| panic!("{made:?}\n{}", appliance.log()));
    let facts = ffprobe(&appliance.path("renditions").join(made));
    let length: f64 = facts["format"]["duration"]
        .as_str()
        .expect("a length")
        .parse()
        .expect("a number");
    assert!((length - 2.0).abs() < 0.2, "{length} s");
}

#[test]
fn subtitles_beside_a_film_become_its_tracks() {
    let mut appliance = not_started("subtitles = true\n");
    appliance.workflow_file(
        "films",
        &format!(
            "name = \"films\"\n[source]\nstorage = \"drop\"\n[output]\nstorage = \"renditions\"\n[[activity]]\nid = \"ladder\"\ntype = \"transcode\"\n\
             [[activity.group]]\nkind = \"file\"\ncontainer = \"mp4\"\n[[activity.group.output]]\nname = \"240p\"\n{RUNG}\n\
             [[activity.group]]\nkind = \"hls\"\n[[activity.group.output]]\nname = \"240p\"\n{RUNG}\n"
        ),
    );
    start(&mut appliance);
    let srt = "1\n00:00:00,500 --> 00:00:01,500\nhello\n\n2\n00:00:02,000 --> 00:00:03,000\nthere\n\n3\n01:00:00,000 --> 01:00:01,000\nnever\n";
    put(&appliance, "clip.en.srt", srt);
    put(
        &appliance,
        "clip.zh-Hans.vtt",
        "WEBVTT\n\n00:00.500 --> 00:01.500\n\u{4f60}\u{597d}\n",
    );
    put(&appliance, "clip.xx-broken.srt", "this is no subtitle at all");
    put(&appliance, "clip.de.srt", "");
    put(&appliance, "clipping.fr.srt", srt);
    std::fs::copy(clip(), appliance.path("drop/clip.mp4")).expect("copied");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}\n{}", appliance.log());
    let files = appliance.files("renditions");
    let one = |ending: &str| {
        let found = files
            .iter()
            .find(|file| file.ends_with(ending))
            .unwrap_or_else(|| panic!("{ending}: {files:#?}"));
        appliance.path("renditions").join(found)
    };
    let facts = ffprobe(&one("240p.mp4"));
    let streams = facts["streams"].as_array().expect("streams");
    let mut languages: Vec<&str> = streams
        .iter()
        .filter(|stream| stream["codec_type"] == "subtitle")
        .map(|stream| stream["tags"]["language"].as_str().unwrap_or("none"))
        .collect();
    languages.sort_unstable();
    assert!(languages == ["eng", "zho"] || languages == ["chi", "eng"], "{facts:#}");
    let length: f64 = facts["format"]["duration"]
        .as_str()
        .expect("a length")
        .parse()
        .expect("a number");
    assert!(
        (length - 6.0).abs() < 0.2,
        "text after the end makes no film longer: {length} s"
    );
    let master = std::fs::read_to_string(one("hls.m3u8")).expect("a master");
    let choices: Vec<&str> = master.lines().filter(|line| line.contains("TYPE=SUBTITLES")).collect();
    assert_eq!(choices.len(), 2, "{master}");
    assert!(choices.iter().any(|line| line.contains("LANGUAGE=\"en\"")), "{master}");
    assert!(
        choices.iter().any(|line| line.contains("LANGUAGE=\"zh-Hans\"")),
        "{master}"
    );
    let text = files
        .iter()
        .filter(|file| file.ends_with(".vtt"))
        .map(|file| std::fs::read_to_string(appliance.path("renditions").join(file)).expect("readable"));
    let text: String = text.collect();
    assert!(
        text.contains("hello") && text.contains("\u{4f60}\u{597d}") && !text.contains("never"),
        "{text}"
    );
    let said = task.to_string();
    assert!(
        said.contains("clip.xx-broken.srt"),
        "what could not be taken is told: {task:#}"
    );
    is_explained(&appliance, "clip.en.srt", "subtitles of the film of the same name");
}

#[test]
fn without_being_asked_for_neighbours_are_files_like_others() {
    let appliance = watching("");
    for name in ["a.mov", "a.mov.reelmill.json", "a.en.srt", "a.mov.md5", "a.mov.done"] {
        put(&appliance, name, name);
    }
    runs(
        &appliance,
        &["a.mov", "a.mov.reelmill.json", "a.en.srt", "a.mov.md5", "a.mov.done"],
    );
}

/// A film of six seconds, made once: tests of one process would write it side by side.
fn clip() -> &'static Path {
    static CLIP: OnceLock<PathBuf> = OnceLock::new();
    CLIP.get_or_init(clips::short)
}

fn ffprobe(path: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_streams", "-show_format", "-of", "json"])
        .arg(path)
        .output()
        .expect("ffprobe is installed");
    serde_json::from_slice(&output.stdout).expect("ffprobe writes JSON")
}
