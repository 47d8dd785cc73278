//! What is forgotten by hand and with time, and what never is.

use crate::NOOP;
use crate::admin;
use crate::appliance::Appliance;
use crate::appliance::clips;
use crate::appliance::workflows;
use crate::refused;
use reelmill::base::clock::UtcMs;
use reelmill::scheduler::pruning;
use reelmill::scheduler::pruning::Keeping;
use reelmill::store::Store;
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const DAY: Duration = Duration::from_secs(86_400);

fn put(appliance: &Appliance, key: &str) {
    let beside = appliance.path("delivery.tmp");
    std::fs::write(&beside, key).expect("written");
    std::fs::rename(&beside, appliance.path("ingest").join(key)).expect("moved in");
}

fn scanned(appliance: &Appliance) {
    appliance.until("the first scan to end", || {
        appliance.log().contains("the first scan ended").then_some(())
    });
}

#[test]
fn ended_tasks_are_deleted_by_filter_and_their_sources_are_not_run_again() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("nothing", NOOP);
    appliance.start();
    scanned(&appliance);
    for key in ["a.bin", "b.bin", "c.bin"] {
        put(&appliance, key);
    }
    let tasks = appliance.ended_tasks(3);
    let one = tasks[0]["id"].as_str().expect("an id");
    let path = format!("/api/v1/tasks/{one}");
    assert_eq!(admin(&appliance, "DELETE", &path, &json!({})).status, 204);
    refused(&admin(&appliance, "GET", &path, &json!({})), 404, "NotFound");
    refused(&admin(&appliance, "DELETE", &path, &json!({})), 404, "NotFound");
    let none = appliance.post("/api/v1/tasks/delete", &json!({ "status": "Failed" }));
    assert_eq!(none.json(), json!({ "tasks": 0, "more": false }));
    refused(
        &appliance.post("/api/v1/tasks/delete", &json!({ "statuses": "x" })),
        400,
        "BadBody",
    );
    let gone = appliance.post(
        "/api/v1/tasks/delete",
        &json!({ "workflow": "nothing", "status": "Succeed" }),
    );
    assert_eq!(gone.json(), json!({ "tasks": 2, "more": false }), "{}", gone.text());
    assert_eq!(appliance.tasks().len(), 0);
    assert_eq!(appliance.get("/api/v1/events")["items"], json!([]));
    let media = appliance.get("/api/v1/media");
    assert_eq!(media["items"].as_array().map(Vec::len), Some(3), "media stay");
    // What ran once is known, however its task went.
    assert_eq!(appliance.post("/api/v1/storages/ingest/scan", &json!({})).status, 202);
    put(&appliance, "d.bin");
    appliance.ended_tasks(1);
    let explained = appliance.get("/api/v1/storages/ingest/explain?key=a.bin");
    assert_eq!(explained["state"], "taken", "{explained}");
}

#[test]
fn what_has_not_ended_is_not_deleted() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("small", &workflows::small("small"));
    appliance.start();
    assert_eq!(
        appliance.post("/api/v1/system/drain", &json!({ "on": true })).status,
        200
    );
    std::fs::copy(clips::short(), appliance.path("ingest/a.mp4")).expect("copied");
    let body = json!({ "workflow": "small", "object": "ingest:a.mp4" });
    let started = appliance.post("/api/v1/tasks", &body);
    assert_eq!(started.status, 201, "{}", started.text());
    let path = format!("/api/v1/tasks/{}", started.json()["id"].as_str().expect("an id"));
    refused(&admin(&appliance, "DELETE", &path, &json!({})), 409, "Conflict");
    let answer = appliance.post("/api/v1/tasks/delete", &json!({}));
    assert_eq!(answer.json(), json!({ "tasks": 0, "more": false }));
    assert_eq!(admin(&appliance, "GET", &path, &json!({})).status, 200);
}

#[tokio::test]
async fn after_years_rows_are_gone_files_stand_and_are_still_known_as_ours() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("small", &workflows::small("small"));
    appliance.start();
    scanned(&appliance);
    appliance.deliver(&clips::short(), "in/a.mp4");
    appliance.ended_tasks(1);
    let published = appliance.files("renditions");
    assert!(published.len() > 3, "{published:?}");
    assert_eq!(
        appliance
            .post("/api/v1/tokens", &json!({ "name": "x", "role": "viewer" }))
            .status,
        201
    );
    assert!(appliance.stop().success());

    let open = || Store::open(&appliance.path("state/reelmill.db")).expect("opens");
    let store = open();
    let keeping = Keeping {
        events: Some(90 * DAY),
        deliveries: Some(30 * DAY),
        tasks: Some(365 * DAY),
        audit: Some(730 * DAY),
        gauges: Some(30 * DAY),
        uploads: Some(30 * DAY),
    };
    let stop = CancellationToken::new();
    let in_days = |days: i64| UtcMs::now().plus_ms(days * 86_400_000);
    assert_eq!(
        pruning::round(&store, keeping, in_days(20), &stop).await,
        0,
        "nothing is old yet"
    );
    assert!(pruning::round(&store, keeping, in_days(1_000), &stop).await > 3);
    assert_eq!(
        pruning::round(&store, keeping, in_days(1_000), &stop).await,
        0,
        "one round is enough"
    );
    store.close().await;
    drop(store);

    // The storage of the outputs is watched from now on, by a workflow that takes whatever is there.
    let config = std::fs::read_to_string(appliance.config()).expect("readable");
    std::fs::write(
        appliance.config(),
        config.replace("watch = \"off\"", "settle_interval_s = 0.2"),
    )
    .expect("written");
    appliance.workflow_file(
        "all",
        "name = \"all\"\n[source]\nstorage = \"renditions\"\nextensions = [\"*\"]\nexisting = \"process\"\n\
         [[activity]]\nid = \"n\"\ntype = \"noop\"\n",
    );
    std::fs::write(appliance.path("renditions/theirs.mp4"), "a user's").expect("written");
    appliance.start();
    let tasks = appliance.ended_tasks(1);
    assert_eq!(
        tasks[0]["media"]["object"], "renditions:theirs.mp4",
        "the only one that is not ours"
    );
    for key in &published {
        let explained = appliance.until(&format!("{key} to be looked at"), || {
            let explained = appliance.get(&format!("/api/v1/storages/renditions/explain?key={key}"));
            (explained["state"] == "not_taken" || explained["state"] == "taken").then_some(explained)
        });
        let why = explained["explanation"].as_str().expect("a sentence");
        assert!(why.contains("ourselves"), "{key}: {explained}");
    }
    assert_eq!(
        appliance.files("renditions").len(),
        published.len() + 1,
        "no file was touched"
    );
    assert_eq!(
        appliance.get("/api/v1/audit")["items"].as_array().map(Vec::len),
        Some(0)
    );
}
