//! Numbered pictures that come one by one.

use crate::appliance::Appliance;
use crate::explained;
use crate::ffmpeg;
use crate::files;
use crate::house;
use crate::look;
use crate::made;
use crate::put;
use std::time::Duration;

/// Pictures numbered from 1.
fn shots(count: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let made = format!("-f lavfi -i testsrc2=s=192x144:r=24 -frames:v {count} shot_%04d.png");
    ffmpeg(folder.path(), &made);
    folder
}

fn drop_in(appliance: &Appliance, shots: &tempfile::TempDir, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        let name = format!("shot_{number:04}.png");
        put(appliance, &shots.path().join(&name), &format!("in/s/{name}"));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_sequence_is_one_task_and_a_late_picture_one_more() {
    let appliance = house("keep");
    let shots = shots(13);
    drop_in(&appliance, &shots, 1..=12);
    let tasks = appliance.ended_tasks(1);
    look(&made(&appliance, &tasks[0])).is_even(12, 24.0);
    assert_eq!(tasks[0]["media"]["object"], "cards:in/s/shot_0001.png");
    let shown = files(&tasks[0]);
    assert_eq!((shown.len(), shown[11].0.as_str()), (12, "in/s/shot_0012.png"));
    assert_eq!(tasks[0]["parts"]["kind"], "sequence");
    let why = explained(&appliance, "in/s/shot_0005.png");
    assert!(why.contains("part of in/s/shot_0001.png"), "{why}");
    drop_in(&appliance, &shots, 13..=13);
    let tasks = appliance.ended_tasks(2);
    look(&made(&appliance, &tasks[0])).is_even(13, 24.0);
    // By hand on the first picture: all of them.
    let body = serde_json::json!({"workflow": "film", "object": "cards:in/s/shot_0001.png"});
    assert_eq!(appliance.post("/api/v1/tasks", &body).status, 201);
    let tasks = appliance.ended_tasks(3);
    look(&made(&appliance, &tasks[0])).is_even(13, 24.0);
}

#[test]
fn a_sequence_that_comes_across_a_kill_is_one_task() {
    let mut appliance = house("keep");
    let shots = shots(12);
    drop_in(&appliance, &shots, 1..=5);
    appliance.until("some of it is seen", || {
        explained(&appliance, "in/s/shot_0001.png")
            .contains("\"seen\"")
            .then_some(())
    });
    appliance.kill_9();
    drop_in(&appliance, &shots, 6..=9);
    appliance.start();
    drop_in(&appliance, &shots, 10..=12);
    let tasks = appliance.ended_tasks(1);
    look(&made(&appliance, &tasks[0])).is_even(12, 24.0);
    // And after the next start it is still the same.
    assert!(appliance.stop().success());
    appliance.start();
    put(&appliance, &shots.path().join("shot_0001.png"), "in/other.png");
    let tasks = appliance.ended_tasks(2);
    assert_eq!(tasks[0]["media"]["object"], "cards:in/other.png");
}

#[test]
fn pictures_that_are_missing_are_told() {
    let appliance = house("keep");
    let shots = shots(12);
    drop_in(&appliance, &shots, 1..=4);
    drop_in(&appliance, &shots, 7..=12);
    let tasks = appliance.ended_tasks(1);
    // As long as if they were there: the picture before stays on.
    let seen = look(&made(&appliance, &tasks[0]));
    let length_s = seen.frames.last().expect("frames") - seen.frames[0];
    assert!((length_s - 11.0 / 24.0).abs() < 0.01, "{:?}", seen.frames);
    let said = "2 pictures of it are missing, numbers 5 to 6";
    assert!(tasks[0]["parts"]["gaps"].to_string().contains(said), "{:#}", tasks[0]);
    let jobs = tasks[0]["jobs"].as_array().expect("jobs");
    let ladder = jobs.iter().find(|job| job["activity"] == "ladder").expect("a ladder");
    assert!(ladder["result"]["warnings"].to_string().contains(said), "{ladder:#}");
    assert!(explained(&appliance, "in/s/shot_0001.png").contains(said));
    assert!(appliance.log().contains(said));
}

#[test]
fn all_pictures_are_moved_when_all_is_published() {
    let appliance = house("move:done/");
    let shots = shots(4);
    drop_in(&appliance, &shots, 1..=4);
    appliance.ended_tasks(1);
    appliance.until("the pictures are moved", || {
        (appliance.files("cards")
            == (1..=4)
                .map(|n| format!("done/in/s/shot_{n:04}.png"))
                .collect::<Vec<_>>())
        .then_some(())
    });
}

#[test]
fn a_deleted_source_takes_all_its_pictures() {
    let appliance = house("keep");
    let shots = shots(4);
    drop_in(&appliance, &shots, 1..=4);
    let tasks = appliance.ended_tasks(1);
    let media = tasks[0]["media"]["id"].as_str().expect("an id");
    assert_eq!(appliance.get(&format!("/api/v1/media/{media}"))["parts"]["count"], 4);
    let gone = crate::appliance::http::request(
        appliance.port(),
        "DELETE",
        &format!("/api/v1/media/{media}?what=source"),
        Some(&appliance.token()),
        &[],
        &[],
    );
    let gone = gone.expect("the daemon answers");
    assert!((200..300).contains(&gone.status), "{}", gone.text());
    appliance.until("the pictures are gone", || {
        appliance.files("cards").is_empty().then_some(())
    });
}
