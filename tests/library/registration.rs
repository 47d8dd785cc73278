//! Registration by reference.

use crate::appliance::clips;
use crate::appliance::receiver::Receiver;
use crate::house::House;
use crate::house::house;
use crate::house::id_of;
use serde_json::Value;
use serde_json::json;

/// 002, RegisterMediaComplete: "To register a media asset with the content library, call RegisterMediaInfo. A callback is
/// triggered once the media asset analysis is complete."
#[test]
fn a_registered_object_is_looked_at_and_told_of_once() {
    let receiver = Receiver::start();
    let mut house = crate::appliance::Appliance::new(&format!(
        "[[destination]]\nname = \"mam\"\nurl = \"{}\"\nprofile = \"ims\"\n[callback]\ndestination = \"mam\"\n",
        receiver.url()
    ));
    house.start();
    house.stand("clip.mp4", &std::fs::read(clips::silent()).expect("the clip"));
    let made = house.register(
        "renditions:clip.mp4",
        json!({ "title": "Take 1", "tags": ["day"], "user_data": { "shot": 7 } }),
    );
    assert_eq!((&made["new"], &made["type"]), (&json!(true), &json!("video")));
    assert_eq!(
        (&made["origin"], &made["title"]),
        (&json!("reference"), &json!("Take 1"))
    );
    let id = id_of(&made);
    let media = house.settled(&id);
    assert_eq!(media["status"], "Normal", "{media:#}");
    assert_eq!(media["facts"]["streams"][0]["codec_name"], "h264");
    let facts = house.told(&id, "RegisterMediaComplete");
    assert_eq!(facts.len(), 1, "{facts:#?}");
    assert_eq!(
        (&facts[0]["user_data"], &facts[0]["fault"]),
        (&json!("{\"shot\":7}"), &Value::Null)
    );
    // Its end is told as that of the registration, not of a task, and its workflow stands in no list.
    assert_eq!(house.told(&id, "WorkflowTaskComplete"), Vec::<Value>::new());
    let workflows = house.get("/api/v1/workflows?limit=500");
    assert!(!workflows.to_string().contains("registration"), "{workflows}");
    let reply = house.ask("GET", "/api/v1/workflows/registration", &[], &Value::Null);
    assert_eq!(reply.status, 404, "{}", reply.text());
    let task = house.get(&format!("/api/v1/tasks/{}", made["tasks"][0].as_str().expect("a task")));
    assert_eq!(
        task["activities"][0]["type"]
            .as_str()
            .or(task["activities"][0]["kind"].as_str()),
        Some("analysis")
    );
    let told = house.until("the callback", || {
        receiver.of_type("RegisterMediaComplete").first().cloned()
    });
    let body = &told.json()["MessageBody"];
    assert_eq!(
        (&body["MediaId"], &body["Status"]),
        (&json!(id), &json!("Success")),
        "{body:#}"
    );
    // One input is one media: the same identity answers the same id, and says so.
    let again = house.post("/api/v1/media", &json!({ "object": "renditions:clip.mp4" }));
    assert_eq!(again.status, 200, "{}", again.text());
    assert_eq!(
        (id_of(&again.json()), &again.json()["new"]),
        (id.clone(), &json!(false))
    );
    // New content under the same key is another media.
    house.stand("clip.mp4", &std::fs::read(clips::short()).expect("the clip"));
    assert_ne!(id_of(&house.register("renditions:clip.mp4", json!({}))), id);
}

/// "RegisterMediaComplete with its error if it fails".
#[test]
fn what_cannot_be_read_is_registered_as_failed_with_its_error() {
    let house = house();
    house.stand("broken.mp4", &[7; 4000]);
    let id = id_of(&house.register("renditions:broken.mp4", json!({})));
    let media = house.settled(&id);
    assert_eq!(media["status"], "Failed", "{media:#}");
    assert!(media["fault"]["code"].is_string(), "{media:#}");
    let facts = house.told(&id, "RegisterMediaComplete");
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0]["fault"]["code"], media["fault"]["code"]);
    assert_eq!(house.found("&state=Failed"), std::slice::from_ref(&id));
    // Registered again it is looked at again.
    let again = house.register("renditions:broken.mp4", json!({}));
    assert_eq!(
        (id_of(&again), again["tasks"].as_array().map(Vec::len)),
        (id.clone(), Some(1))
    );
    house.until("the second look", || {
        (house.told(&id, "RegisterMediaComplete").len() == 2).then_some(())
    });
}

/// Images are registered through a probe, texts without a look; a sound is told by its facts.
#[test]
fn pictures_sounds_and_texts_are_media_too() {
    let house = house();
    let picture = clips::made(
        "one.png",
        &["-f", "lavfi", "-i", "color=size=64x48:duration=1", "-frames:v", "1"],
    );
    house.stand("one.png", &std::fs::read(picture).expect("the picture"));
    house.stand("sound.mp4", &std::fs::read(clips::sound_only()).expect("the sound"));
    house.stand("words.srt", b"1\n00:00:00,000 --> 00:00:01,000\nHello\n");
    let picture = id_of(&house.register("renditions:one.png", json!({})));
    let sound = id_of(&house.register("renditions:sound.mp4", json!({})));
    let text = house.register("renditions:words.srt", json!({}));
    assert_eq!(
        (&text["status"], &text["type"], &text["tasks"]),
        (&json!("Normal"), &json!("text"), &json!([]))
    );
    assert_eq!(house.told(&id_of(&text), "RegisterMediaComplete").len(), 1);
    for (id, kind) in [(picture, "image"), (sound, "audio")] {
        let media = house.settled(&id);
        assert_eq!(
            (&media["status"], &media["type"]),
            (&json!("Normal"), &json!(kind)),
            "{media:#}"
        );
        assert!(media["facts"].is_object());
    }
}

/// "a workflow may be named with each of these"; Idempotency-Key on POST.
#[test]
fn a_named_workflow_runs_and_a_key_registers_once() {
    let house = house();
    house.stand("a.mp4", &std::fs::read(clips::silent()).expect("the clip"));
    let body = json!({ "object": "renditions:a.mp4", "workflow": "nothing", "user_data": "{\"a\":1}" });
    let first = house.ask("POST", "/api/v1/media", &[("Idempotency-Key", "k")], &body);
    assert_eq!(first.status, 201, "{}", first.text());
    let first = first.json();
    assert_eq!(first["tasks"].as_array().map(Vec::len), Some(2), "{first:#}");
    let again = house.ask("POST", "/api/v1/media", &[("Idempotency-Key", "k")], &body);
    assert_eq!((again.status, &again.json()["tasks"]), (200, &first["tasks"]));
    let other = json!({ "object": "renditions:a.mp4" });
    let reused = house.ask("POST", "/api/v1/media", &[("Idempotency-Key", "k")], &other);
    assert_eq!(
        (reused.status, &reused.json()["code"]),
        (409, &json!("IdempotencyKeyReused"))
    );
    let tasks = house.ended_tasks(2);
    let run = tasks
        .iter()
        .find(|task| task["workflow"]["name"] == "nothing")
        .expect("its task");
    assert_eq!(
        (&run["status"], &run["user_data"]),
        (&json!("Succeed"), &json!("{\"a\":1}"))
    );
    for (body, code) in [
        (json!({ "object": "renditions:none.mp4" }), "ObjectNotFound"),
        (json!({ "object": "nowhere:a.mp4" }), "StorageUnknown"),
        (json!({ "object": "a.mp4" }), "BadObject"),
        (json!({ "object": "renditions:../a.mp4" }), "BadObject"),
        (json!({ "object": "renditions:a.mp4", "workflow": "none" }), "NotFound"),
        (
            json!({ "object": "renditions:a.mp4", "category": "none" }),
            "CategoryNotFound",
        ),
        (json!({ "object": "renditions:a.mp4", "tags": ["a,b"] }), "BadField"),
        (json!({ "object": "renditions:a.mp4", "colour": "red" }), "BadBody"),
    ] {
        let reply = house.post("/api/v1/media", &body);
        assert_eq!(reply.json()["code"], code, "{body}: {}", reply.text());
    }
}

/// A kill -9 while a media is looked at: the look is finished after the next start, and told once.
#[test]
fn a_registration_survives_a_kill() {
    let mut house = house();
    house.stand("a.mp4", &std::fs::read(clips::short()).expect("the clip"));
    let ids: Vec<String> = (0..6)
        .map(|number| {
            let key = format!("many/{number}.mp4");
            house.stand(&key, &std::fs::read(clips::silent()).expect("the clip"));
            id_of(&house.register(&format!("renditions:{key}"), json!({})))
        })
        .collect();
    house.kill_9();
    house.start();
    for id in &ids {
        assert_eq!(house.settled(id)["status"], "Normal");
        assert_eq!(house.told(id, "RegisterMediaComplete").len(), 1, "{id}");
    }
}
