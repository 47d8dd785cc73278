//! Does the API keep its word to callers who race, repeat, search for nonsense, delete in the middle, or set the clock?
//!
//! Workflows here do nothing (`noop`): what is asked is what is kept, answered and told.

#[path = "../appliance/mod.rs"]
mod appliance;

use appliance::Appliance;
use appliance::http;
use appliance::http::Reply;
use appliance::receiver::Receiver;
use appliance::said;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

const NOOP: &str = "name = \"w\"\n[source]\nstorage = \"renditions\"\ntrigger = \"manual\"\nextensions = [\"*\"]\n\
    [[activity]]\nid = \"one\"\ntype = \"noop\"\n";

/// A daemon with one workflow and these objects in `renditions`, which is not watched.
fn appliance(extra: &str, objects: &[&str]) -> Appliance {
    let mut appliance = Appliance::new(extra);
    for object in objects {
        std::fs::write(appliance.path("renditions").join(object), object).expect("written");
    }
    appliance.start();
    let reply = ask(&appliance, "POST", "/api/v1/workflows", "application/toml", &[], NOOP);
    assert_eq!(reply.status, 201, "{}", reply.text());
    appliance
}

fn ask(appliance: &Appliance, method: &str, path: &str, media: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let all = [&[("Content-Type", media)], headers].concat();
    http::request(
        appliance.port(),
        method,
        path,
        Some(&appliance.token()),
        &all,
        body.as_bytes(),
    )
    .expect("the daemon answers")
}

fn post_once(appliance: &Appliance, path: &str, key: &str, body: &Value) -> Reply {
    let headers = [("Idempotency-Key", key)];
    ask(appliance, "POST", path, "application/json", &headers, &body.to_string())
}

fn start(appliance: &Appliance, object: &str) -> String {
    let reply = appliance.post(
        "/api/v1/tasks",
        &json!({ "workflow": "w", "object": format!("renditions:{object}") }),
    );
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["id"].as_str().expect("an id").to_owned()
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("a list");
    items
        .iter()
        .map(|item| item["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Issue, 2: "idempotency token". Twenty clients at once with one key: one task; half of them with another request: refused.
#[test]
fn a_key_that_many_clients_use_at_once_starts_one_task() {
    let appliance = appliance("", &["a.mp4"]);
    let race = |key: &str, differ: bool| -> Vec<Reply> {
        std::thread::scope(|scope| {
            let (appliance, mut racers) = (&appliance, Vec::new());
            for number in 0..20 {
                let priority = if differ { number % 2 } else { 0 };
                let body = json!({ "workflow": "w", "object": "renditions:a.mp4", "priority": priority });
                racers.push(scope.spawn(move || post_once(appliance, "/api/v1/tasks", key, &body)));
            }
            racers
                .into_iter()
                .map(|racer| racer.join().expect("no panic"))
                .collect()
        })
    };
    let count = |replies: &[Reply], status: u16| replies.iter().filter(|reply| reply.status == status).count();
    let made = |replies: &[Reply]| -> BTreeSet<String> {
        let done = replies.iter().filter(|reply| reply.status < 300);
        done.map(|reply| reply.json()["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let same = race("same", false);
    assert_eq!((count(&same, 201), count(&same, 200), made(&same).len()), (1, 19, 1));
    let mixed = race("mixed", true);
    assert_eq!((count(&mixed, 201), count(&mixed, 200), count(&mixed, 409)), (1, 9, 10));
    assert_eq!(made(&mixed).len(), 1);
    assert_eq!(appliance.tasks().len(), 2);
}

/// What was started by a key is answered again after the workflow was disabled and the object is gone, one by one and in
/// batches; what was not is refused.
#[test]
fn a_repeated_call_is_answered_whatever_became_of_its_workflow() {
    let appliance = appliance("", &["a.mp4", "b.mp4"]);
    let one = json!({ "workflow": "w", "object": "renditions:a.mp4" });
    let batch = json!({ "workflow": "w", "objects": ["renditions:a.mp4"] });
    let first = post_once(&appliance, "/api/v1/tasks", "k", &one).json()["id"].clone();
    let many = post_once(&appliance, "/api/v1/tasks/batch", "b", &batch).json()["items"][0]["task"].clone();
    appliance.ended_tasks(2);
    let disabled = appliance.post("/api/v1/workflows/w/disable", &json!({}));
    assert_eq!(disabled.status, 200, "{}", disabled.text());
    std::fs::remove_file(appliance.path("renditions/a.mp4")).expect("there");

    let again = post_once(&appliance, "/api/v1/tasks", "k", &one);
    assert_eq!((again.status, &again.json()["id"]), (200, &first));
    let wider = json!({ "workflow": "w", "objects": ["renditions:a.mp4", "renditions:b.mp4"] });
    let again = post_once(&appliance, "/api/v1/tasks/batch", "b", &wider);
    let items = &again.json()["items"];
    assert_eq!(
        (again.status, &items[0]["status"], &items[0]["task"]),
        (200, &json!("known"), &many),
        "{items}"
    );
    assert_eq!(items[1]["problem"]["code"], "WorkflowDisabled", "{items}");
    let fresh = post_once(&appliance, "/api/v1/tasks/batch", "other", &batch);
    assert_eq!(
        (fresh.status, fresh.json()["code"].as_str()),
        (409, Some("WorkflowDisabled"))
    );
    assert_eq!(appliance.tasks().len(), 2);
}

/// Issue, 1 and 9: "cursor pages". Pages show each row that was there at the beginning once, while others are made and
/// deleted, the one that the cursor stands at included.
#[test]
fn pages_hold_while_rows_are_made_and_deleted() {
    let appliance = appliance("", &["a.mp4"]);
    let body = json!({ "workflow": "w", "object": "renditions:a.mp4", "user_data": "found-by-this" });
    for _ in 0..25 {
        assert_eq!(appliance.post("/api/v1/tasks", &body).status, 201);
    }
    appliance.ended_tasks(25);
    for filter in ["", "&text=found-by-this"] {
        let before = ids(&appliance.get(&format!("/api/v1/tasks?limit=500{filter}")));
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = appliance.get(&format!("/api/v1/tasks?limit=4{filter}{cursor}"));
            seen.extend(ids(&page));
            assert_eq!(appliance.post("/api/v1/tasks", &body).status, 201);
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
            let last = seen.last().expect("a row").clone();
            appliance.until("the task to be forgotten", || {
                let gone = ask(
                    &appliance,
                    "DELETE",
                    &format!("/api/v1/tasks/{last}"),
                    "application/json",
                    &[],
                    "",
                );
                (gone.status == 204).then_some(())
            });
        }
        assert_eq!(seen, before, "{filter}");
    }
}

/// A text that no row can hold finds nothing: least of all does a deletion take it for "all".
#[test]
fn a_search_for_nonsense_deletes_nothing() {
    let appliance = appliance("", &["a.mp4", "É_100%.mp4"]);
    start(&appliance, "a.mp4");
    start(&appliance, "É_100%.mp4");
    appliance.ended_tasks(2);
    for text in ["\0", "a\0", &"x".repeat(60_000)] {
        let reply = appliance.post("/api/v1/tasks/delete", &json!({ "text": text }));
        assert_eq!(
            (reply.status, reply.json()["code"].as_str()),
            (400, Some("BadSearch")),
            "{}",
            reply.text()
        );
    }
    for path in ["/api/v1/tasks?text=a%00", "/api/v1/media?search=%00"] {
        let reply = http::get(appliance.port(), path, Some(&appliance.token())).expect("answers");
        assert_eq!(
            (reply.status, reply.json()["code"].as_str()),
            (400, Some("BadSearch")),
            "{path}"
        );
    }
    for (text, found) in [
        ("%25", 1),
        ("_", 1),
        ("*", 0),
        ("%22", 0),
        ("%C3%A9_1", 1),
        ("MP4", 2),
        ("a%20OR%20b", 0),
    ] {
        let page = appliance.get(&format!("/api/v1/tasks?text={text}"));
        assert_eq!(ids(&page).len(), found, "{text}: {page}");
    }
    let none = appliance.post("/api/v1/tasks/delete", &json!({ "text": "*" }));
    assert_eq!(none.json()["tasks"], 0);
    assert_eq!(appliance.tasks().len(), 2);
}

/// Issue, 9: "bulk cancel, retry, delete by filter", from the command line; running tasks are kept.
#[test]
fn ended_tasks_are_deleted_from_the_command_line_and_running_ones_are_not() {
    let appliance = appliance("", &["a.mp4", "b.mp4", "c.mp4"]);
    let review = NOOP.replace("\"w\"", "\"people\"").replace("noop", "review");
    let reply = ask(
        &appliance,
        "POST",
        "/api/v1/workflows",
        "application/toml",
        &[],
        &review,
    );
    assert_eq!(reply.status, 201, "{}", reply.text());
    let held = appliance
        .post(
            "/api/v1/tasks",
            &json!({ "workflow": "people", "object": "renditions:c.mp4" }),
        )
        .json();
    let held = held["id"].as_str().expect("an id").to_owned();
    let one = start(&appliance, "a.mp4");
    let other = start(&appliance, "b.mp4");
    appliance.until("both to end", || {
        let ended = appliance.get("/api/v1/tasks?status=Succeed");
        (ids(&ended).len() == 2).then_some(())
    });
    let did = |args: &[&str]| {
        let output = appliance.cli(args);
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(did(&["task", "delete", &one]), "");
    let refused = appliance.cli(&["task", "delete", &held]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("has not ended"), "{}", said(&refused));
    let nothing_said = appliance.cli(&["task", "delete"]);
    assert_eq!(nothing_said.status.code(), Some(2), "{}", said(&nothing_said));
    assert_eq!(did(&["task", "delete", "--storage", "elsewhere"]), "0 tasks\n");
    assert!(did(&["task", "list", "--since", "2020-01-01T00:00:00Z"]).contains(&other));
    assert_eq!(did(&["task", "delete", "--until", "2020-01-01T00:00:00Z"]), "0 tasks\n");
    assert_eq!(did(&["task", "delete", "--all"]), "1 tasks\n");
    assert_eq!(ids(&appliance.get("/api/v1/tasks")), [held]);
}

/// Deliveries of a media that was deleted can still be replayed: the asset manager may have lost them; with the task they
/// are gone, and that is said.
#[test]
fn a_delivery_outlives_its_media_and_goes_with_its_task() {
    let receiver = Receiver::start();
    let callback = format!("[callback]\nurl = \"{}\"\nprofile = \"native\"\n", receiver.url());
    let appliance = appliance(&callback, &["a.mp4"]);
    let task = start(&appliance, "a.mp4");
    let shown = format!("/api/v1/tasks/{task}");
    let told = appliance.until("the delivery", || {
        let deliveries = appliance.get(&shown)["deliveries"].as_array().cloned()?;
        deliveries
            .into_iter()
            .find(|delivery| delivery["status"] == "done" && delivery["event_type"] == "WorkflowTaskComplete")
    });
    let media = appliance.get(&shown)["media"]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/media/{media}?what=media");
    let deleted = ask(&appliance, "DELETE", &path, "application/json", &[], "");
    assert_eq!(deleted.status, 202, "{}", deleted.text());
    let gone = appliance.until("the deletion", || {
        let media = appliance.get(&format!("/api/v1/media/{media}"));
        (media["status"] == "Deleted").then_some(media)
    });
    assert_eq!(gone["id"], media.as_str());
    let before = receiver.accepted().len();
    let replay = format!("/api/v1/deliveries/{}/replay", told["id"].as_str().expect("an id"));
    assert_eq!(appliance.post(&replay, &json!({})).status, 202);
    appliance.until("the replay", || {
        let heard = receiver.accepted();
        heard[before..]
            .iter()
            .any(|callback| callback.header("X-Reelmill-Replay") == Some("1"))
            .then_some(())
    });
    let on_media = appliance.post("/api/v1/tasks", &json!({ "workflow": "w", "media": media }));
    assert_eq!(
        (on_media.status, on_media.json()["code"].as_str()),
        (409, Some("MediaDeleted"))
    );
    appliance.until("the task to be forgotten", || {
        let forgotten = ask(&appliance, "DELETE", &shown, "application/json", &[], "");
        (forgotten.status == 204).then_some(())
    });
    assert_eq!(appliance.post(&replay, &json!({})).status, 404);
}

/// Names of every sort come through a batch, a search and a second run as they are.
#[test]
fn names_of_every_sort_run_and_are_found() {
    let long = format!("{}.mp4", "ü".repeat(120));
    let names = [
        long.as_str(),
        "😀 film (1)?.mp4",
        "a\nb.mp4",
        "%41.mp4",
        "%.mp4",
        "\u{202e}gpj.mp4",
        "space end .mp4",
        "-rf.mp4",
        "e\u{301}.mp4",
        "'quote\".mp4",
        "a&b=c#d.mp4",
        "{Name}.mp4",
        "東京タワー.mp4",
    ];
    let appliance = appliance("", &names);
    let batch = json!({ "workflow": "w", "storage": "renditions", "prefix": "", "limit": 500 });
    let reply = appliance.post("/api/v1/tasks/batch", &batch).json();
    assert_eq!(
        (&reply["started"], &reply["refused"]),
        (&json!(names.len()), &json!(0)),
        "{reply:#}"
    );
    let tasks = appliance.ended_tasks(names.len());
    for task in &tasks {
        assert_eq!(task["status"], "Succeed", "{task:#}");
        let again = appliance.post(
            "/api/v1/tasks",
            &json!({ "workflow": "w", "object": task["media"]["object"] }),
        );
        assert_eq!(again.status, 201, "{}", again.text());
        assert_eq!(
            again.json()["media"]["id"],
            task["media"]["id"],
            "the same object is the same media"
        );
    }
    for (text, found) in [
        ("%E6%9D%B1%E4%BA%AC%E3%82%BF", 2),
        ("%F0%9F%98%80%20film", 2),
        ("ÜÜÜ", 2),
    ] {
        let text = text.replace('Ü', "%C3%9C");
        assert_eq!(
            ids(&appliance.get(&format!("/api/v1/tasks?text={text}"))).len(),
            found,
            "{text}"
        );
    }
}

/// A host whose clock ran ahead is corrected: what was made before stays before, page by page, and what waits for its next
/// try does not wait for the clock to come round.
#[test]
fn a_clock_that_is_set_back_changes_no_order_and_holds_nothing_up() {
    let receiver = Receiver::start();
    receiver.answer_with(503);
    let callback = format!("[callback]\nurl = \"{}\"\nprofile = \"native\"\n", receiver.url());
    let mut appliance = appliance(&callback, &["a.mp4", "b.mp4"]);
    let first = start(&appliance, "a.mp4");
    appliance.until("a try that fails", || {
        let deliveries = appliance.get(&format!("/api/v1/tasks/{first}"))["deliveries"]
            .as_array()
            .cloned()?;
        deliveries
            .iter()
            .any(|delivery| delivery["last_status"] == 503)
            .then_some(())
    });
    assert!(appliance.stop().success());
    // As if all of it had happened with the clock a day ahead.
    const DAY_MS: i64 = 86_400_000;
    let ahead = u64::from_str_radix(&first[..12], 16).expect("hex") + DAY_MS.unsigned_abs();
    let renamed = format!("{ahead:012x}{}", &first[12..]);
    let database = rusqlite::Connection::open(appliance.path("state/reelmill.db")).expect("closed by the daemon");
    database
        .execute_batch(&format!(
            "pragma foreign_keys = off; begin; \
             update tasks set id = '{renamed}', created_ms = created_ms + {DAY_MS}; \
             update jobs set task_id = '{renamed}'; update attempts set task_id = '{renamed}'; \
             update events set task_id = '{renamed}'; \
             update deliveries set line = '{renamed}' where line = '{first}'; \
             update deliveries set next_ms = next_ms + {DAY_MS} where next_ms < 9223372036854775807 - {DAY_MS}; commit;"
        ))
        .expect("changed");
    drop(database);
    receiver.answer_with(200);
    appliance.start();
    appliance.until("the delivery", || (!receiver.accepted().is_empty()).then_some(()));
    let second = start(&appliance, "b.mp4");
    assert!(second > renamed, "{second} after {renamed}");
    assert_eq!(ids(&appliance.get("/api/v1/tasks")), [second.clone(), renamed.clone()]);
    let page = appliance.get("/api/v1/tasks?limit=1&text=mp4");
    assert_eq!(ids(&page), [second]);
    let next = page["next"].as_str().expect("another");
    assert_eq!(
        ids(&appliance.get(&format!("/api/v1/tasks?limit=1&text=mp4&cursor={next}"))),
        [renamed]
    );
}
