//! Chapters of a recording that a camera cut, as one film.

use crate::explained;
use crate::ffmpeg;
use crate::files;
use crate::house;
use crate::look;
use crate::made;
use crate::put;

/// A recording of 6 s in chapters of 2 s, called as a GoPro calls them.
fn chapters() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=256x144:r=25:d=6 -f lavfi -i sine=r=48000:d=6 -c:v libx264 -preset ultrafast \
         -pix_fmt yuv420p -g 50 -bf 0 -c:a aac -f segment -segment_time 2 -reset_timestamps 1 -segment_start_number 1 \
         GH%02d0123.MP4",
    );
    folder
}

#[test]
fn chapters_become_one_film_without_a_seam() {
    let appliance = house("keep");
    let card = chapters();
    std::fs::write(card.path().join("GH010123.THM"), "a thumbnail").expect("written");
    for name in ["GH010123.THM", "GH030123.MP4", "GH020123.MP4"] {
        put(&appliance, &card.path().join(name), &format!("in/{name}"));
    }
    appliance.until("it is waited for the first chapter", || {
        explained(&appliance, "in/GH020123.MP4")
            .contains("GH010123.MP4 is not there")
            .then_some(())
    });
    assert!(appliance.tasks().is_empty());
    put(&appliance, &card.path().join("GH010123.MP4"), "in/GH010123.MP4");
    let tasks = appliance.ended_tasks(1);
    let seen = look(&made(&appliance, &tasks[0]));
    seen.is_even(150, 25.0);
    assert!((seen.sounds[0] - 6.0).abs() < 0.1, "{:?}", seen.sounds);
    let word = |name: &str, role: &str| (format!("in/{name}"), role.to_owned());
    assert_eq!(
        files(&tasks[0]),
        [
            word("GH010123.MP4", "film"),
            word("GH020123.MP4", "film"),
            word("GH030123.MP4", "film"),
            word("GH010123.THM", "beside")
        ]
    );
    let media = tasks[0]["media"]["id"].as_str().expect("an id");
    let facts = &appliance.get(&format!("/api/v1/media/{media}"))["facts"];
    assert!(
        (facts["duration_s"].as_f64().expect("a length") - 6.0).abs() < 0.1,
        "{facts:#}"
    );
    // The sheet has a picture of every second of the whole: the pictures begin 21 ms after the sound, and end in second 6.
    let sheet = tasks[0]["outputs"]
        .as_array()
        .expect("outputs")
        .iter()
        .find(|output| output["kind"] == "sprite");
    let sheet = sheet.unwrap_or_else(|| panic!("a sheet: {:#}", tasks[0]["outputs"]));
    let vtt = appliance
        .files("renditions")
        .into_iter()
        .find(|file| file.ends_with(".vtt"))
        .expect("its captions");
    let cues = std::fs::read_to_string(appliance.path("renditions").join(vtt)).expect("text");
    assert_eq!(cues.matches("-->").count(), 7, "{sheet:#}\n{cues}");
}

#[test]
fn a_chapter_that_changes_before_the_work_begins_fails_the_source_and_runs_anew() {
    let mut appliance = house("keep");
    let card = chapters();
    for name in ["GH010123.MP4", "GH020123.MP4"] {
        put(&appliance, &card.path().join(name), &format!("in/{name}"));
    }
    appliance.ended_tasks(1);
    assert!(appliance.stop().success());
    // The daemon does not see it go: what is asked for by hand is the source as it was.
    std::fs::copy(
        card.path().join("GH030123.MP4"),
        appliance.path("cards/in/GH020123.MP4"),
    )
    .expect("replaced");
    appliance.start();
    let tasks = appliance.ended_tasks(2);
    look(&made(&appliance, &tasks[0])).is_even(100, 25.0);
    assert_ne!(tasks[0]["media"]["id"], tasks[1]["media"]["id"]);
    let again = appliance.post(
        &format!("/api/v1/tasks/{}/retry", tasks[1]["id"].as_str().expect("an id")),
        &serde_json::json!({}),
    );
    if again.status < 300 {
        let failed = appliance.until("the old source to fail", || {
            let task = appliance.get(&format!("/api/v1/tasks/{}", tasks[1]["id"].as_str()?));
            (task["status"] == "Failed").then_some(task)
        });
        assert!(failed.to_string().contains("SourceChanged"), "{failed:#}");
    }
}
