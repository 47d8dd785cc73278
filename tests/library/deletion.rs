//! Deleting, with the daemon killed on the way.

use crate::appliance::Appliance;
use crate::appliance::clips;
use crate::appliance::workflows;
use crate::house::House;
use crate::house::house;
use crate::house::id_of;
use serde_json::Value;
use serde_json::json;

/// A daemon with one clip that was made into a ladder, a sprite and a poster.
fn with_outputs() -> (Appliance, String) {
    let mut house = Appliance::new("");
    house.workflow_file("small", &workflows::small("small"));
    house.start();
    house.deliver(&clips::silent(), "reel/clip.mp4");
    let task = house.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let media = task["media"]["id"].as_str().expect("an id").to_owned();
    (house, media)
}

fn delete(house: &Appliance, id: &str, query: &str) -> (u16, Value) {
    let reply = house.ask("DELETE", &format!("/api/v1/media/{id}{query}"), &[], &Value::Null);
    (reply.status, reply.json())
}

fn ended(house: &Appliance, id: &str, count: usize) -> Value {
    house.until("the deletion to be told", || {
        let told = house.told(id, "DeleteMediaComplete");
        assert!(told.len() <= count, "{told:#?}");
        (told.len() == count).then(|| told.last().expect("one").clone())
    })
}

/// 002, DeleteMediaComplete: "A media asset is deleted", DeleteType, FileURLs. Outputs first, then the source, then the
/// record; what others made and what stands beside stays; no trigger takes it for news.
#[test]
fn outputs_source_and_record_go_one_by_one() {
    let (house, id) = with_outputs();
    std::fs::write(house.path("renditions/reel/clip/mine.txt"), b"mine").expect("written");
    std::fs::write(house.path("renditions/reel/clip-beside.mp4"), b"mine").expect("written");
    assert_eq!(delete(&house, &id, "?what=everything").0, 400);
    let (status, answer) = delete(&house, &id, "?what=outputs");
    assert_eq!((status, &answer["status"]), (202, &json!("deleting")), "{answer}");
    let told = ended(&house, &id, 1);
    assert_eq!(
        (&told["delete_type"], &told["fault"]),
        (&json!("outputs"), &Value::Null),
        "{told:#}"
    );
    assert_eq!(
        told["objects"].as_array().map(Vec::len),
        Some(4),
        "ladder, HLS set, sprite, poster: {told:#}"
    );
    assert_eq!(
        house.files("renditions"),
        ["reel/clip-beside.mp4", "reel/clip/mine.txt"]
    );
    let media = house.get(&format!("/api/v1/media/{id}"));
    assert_eq!((&media["outputs"], &media["status"]), (&json!([]), &json!("Normal")));
    assert!(house.path("ingest/reel/clip.mp4").exists());

    delete(&house, &id, "?what=source");
    let told = ended(&house, &id, 2);
    assert_eq!(
        (&told["delete_type"], &told["objects"][0]["key"]),
        (&json!("source"), &json!("reel/clip.mp4"))
    );
    assert!(!house.path("ingest/reel/clip.mp4").exists() && house.path("ingest/reel").exists());
    assert_eq!(delete(&house, &id, "").0, 202);
    ended(&house, &id, 3);
    let media = house.get(&format!("/api/v1/media/{id}"));
    assert_eq!(
        (&media["status"], &media["title"]),
        (&json!("Deleted"), &json!("")),
        "its task names it"
    );
    assert_eq!(
        (
            house.found("").len(),
            house.found("&search=clip").len(),
            house.found("&state=Deleted").len()
        ),
        (0, 0, 1)
    );
    assert_eq!(delete(&house, &id, "").0, 404);
    assert_eq!(house.tasks().len(), 1, "a deleted source is no news");
    // The same name with new content is a new media and does run.
    house.deliver(&clips::short(), "reel/clip.mp4");
    house.ended_tasks(2);
    assert_eq!(house.found("").len(), 1);
}

/// All of it, while a storage is away and the daemon is killed: finished after the next start and told once.
#[test]
fn a_deletion_survives_a_storage_that_is_away_and_a_kill() {
    let (mut house, id) = with_outputs();
    std::fs::rename(house.path("renditions"), house.path("away")).expect("moved away");
    assert_eq!(delete(&house, &id, "?what=all").0, 202);
    house.until("the first try to fail", || {
        house.log().contains("could not be removed").then_some(())
    });
    house.kill_9();
    assert!(house.path("ingest/reel/clip.mp4").exists(), "the source goes last");
    std::fs::rename(house.path("away"), house.path("renditions")).expect("moved back");
    house.start();
    let told = ended(&house, &id, 1);
    assert_eq!(
        (&told["delete_type"], &told["fault"]),
        (&json!("all"), &Value::Null),
        "{told:#}"
    );
    assert_eq!(told["objects"].as_array().map(Vec::len), Some(5), "{told:#}");
    assert_eq!(house.files("renditions"), Vec::<String>::new());
    assert_eq!(house.files("ingest"), Vec::<String>::new());
    house.kill_9();
    house.start();
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(house.told(&id, "DeleteMediaComplete").len(), 1);
    assert_eq!(house.tasks().len(), 1);
}

/// Many at once, with kills in between: each is deleted, each is told once.
#[test]
fn many_deletions_survive_kills() {
    let mut house = house();
    let ids: Vec<String> = (0..120)
        .map(|number| {
            let key = format!("many/{number}.srt");
            house.stand(&key, b"words");
            id_of(&house.register(&format!("renditions:{key}"), json!({})))
        })
        .collect();
    let reply = house.post("/api/v1/media/delete", &json!({ "ids": ids, "what": "all" }));
    assert_eq!(
        (reply.status, reply.json()["deleting"].as_array().map(Vec::len)),
        (202, Some(120))
    );
    for _ in 0..3 {
        house.kill_9();
        house.start();
    }
    house.until("all of them to go", || house.found("").is_empty().then_some(()));
    assert_eq!(house.files("renditions"), Vec::<String>::new());
    for id in &ids {
        assert_eq!(house.told(id, "DeleteMediaComplete").len(), 1, "{id}");
    }
    let again = house.post("/api/v1/media/delete", &json!({ "ids": [ids[0]] })).json();
    assert_eq!(
        (&again["deleting"], &again["refused"][0]["code"]),
        (&json!([]), &json!("NotFound"))
    );
    assert_eq!(house.post("/api/v1/media/delete", &json!({ "ids": [] })).status, 422);
}

/// Refused while tasks of it run, or with their cancel; something else under the name by now stays.
#[test]
fn running_tasks_keep_a_media_and_other_content_stays() {
    let mut house = Appliance::new("");
    house.workflow_file("small", &workflows::small("small"));
    house.start();
    house.deliver(&clips::long(), "clip.mp4");
    let media = house.until("a task to run", || {
        let tasks = house.tasks();
        let task = tasks.first().filter(|task| task["status"] == "Processing")?;
        task["media"]["id"].as_str().map(str::to_owned)
    });
    let (status, refused) = delete(&house, &media, "?what=all");
    assert_eq!((status, &refused["code"]), (409, &json!("TasksRunning")), "{refused}");
    assert_eq!(delete(&house, &media, "?what=all&cancel=true").0, 202);
    let (status, other) = delete(&house, &media, "?what=source&cancel=true");
    assert_eq!((status, &other["code"]), (409, &json!("DeletingAlready")), "{other}");
    let told = ended(&house, &media, 1);
    assert_eq!(
        (&told["delete_type"], &told["fault"]),
        (&json!("all"), &Value::Null),
        "{told:#}"
    );
    assert_eq!(house.tasks()[0]["status"], "Canceled");
    assert_eq!(house.files("ingest"), Vec::<String>::new());

    house.stand("b.srt", b"words");
    let id = id_of(&house.register("renditions:b.srt", json!({})));
    house.stand("b.srt", b"other words");
    delete(&house, &id, "?what=all");
    let told = ended(&house, &id, 1);
    assert_eq!((&told["objects"], &told["fault"]), (&json!([]), &Value::Null));
    assert_eq!(house.files("renditions"), ["b.srt"]);
}

/// What cannot be removed is told with its error, and the media stays.
#[test]
fn a_deletion_that_fails_says_so() {
    let house = house();
    house.stand("a.srt", b"words");
    let id = id_of(&house.register("renditions:a.srt", json!({})));
    std::fs::rename(house.path("renditions"), house.path("away")).expect("moved away");
    delete(&house, &id, "?what=all");
    let told = ended(&house, &id, 1);
    assert!(told["fault"]["code"].is_string(), "{told:#}");
    std::fs::rename(house.path("away"), house.path("renditions")).expect("moved back");
    assert_eq!(house.found(""), std::slice::from_ref(&id));
    delete(&house, &id, "?what=all");
    assert_eq!(ended(&house, &id, 2)["fault"], Value::Null);
    assert_eq!(house.files("renditions"), Vec::<String>::new());
}
