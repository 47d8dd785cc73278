//! The real daemon on a real bucket service.

use crate::appliance::Appliance;
use crate::appliance::s3_server::S3Server;
use serde_json::Value;
use std::path::Path;

/// A workflow of everything in the bucket that needs no worker.
pub const NOOP: &str = r#"
name = "noop"
[source]
storage = "archive"
extensions = ["*"]
[output]
storage = "renditions"
[[activity]]
id = "one"
type = "noop"
"#;

/// A daemon that watches the bucket `in` of `server` as storage `archive`.
pub fn watching(server: &S3Server, extra: &str) -> Appliance {
    let appliance = Appliance::new(&server.section("archive", "in", &server.endpoint(), extra));
    appliance.workflow_file("noop", NOOP);
    appliance
}

/// The storage as REST shows it.
pub fn storage(appliance: &Appliance) -> Value {
    appliance.get("/api/v1/storages/archive")
}

/// Waits until the first listing ended.
pub fn listed(appliance: &Appliance) {
    appliance.until("a listing to end", || {
        storage(appliance)["last_scan_at"].is_string().then_some(())
    });
}

/// Puts an object into the bucket that was there for an hour.
pub fn deliver_old(server: &S3Server, key: &str) {
    server.deliver("in", key, b"old");
    set_old(&server.folder("in").join(key));
}

fn set_old(path: &Path) {
    let hour = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
    let file = std::fs::File::options().write(true).open(path).expect("the object");
    file.set_modified(hour).expect("its time is set");
}

#[test]
fn objects_run_once_across_restarts_and_again_when_they_change() {
    let server = S3Server::start(&["in"]);
    deliver_old(&server, "old.mp4");
    let mut appliance = watching(&server, "poll_interval_s = 0.5");
    appliance.start();
    listed(&appliance);
    server.deliver("in", "a/first.mp4", b"one");
    server.deliver("in", "odd %E9+ name.mp4", b"two");
    server.deliver("in", "a/up.mp4.part", b"not yet");
    appliance.ended_tasks(2);
    assert!(appliance.stop().success());
    server.deliver("in", "a/while-down.mp4", b"three");
    appliance.start();
    appliance.ended_tasks(3);
    server.deliver("in", "a/first.mp4", b"one, replaced");
    appliance.ended_tasks(4);
    appliance.kill_9();
    server.deliver("in", "last.mp4", b"four");
    appliance.start();
    appliance.ended_tasks(5);
    let view = storage(&appliance);
    assert_eq!(
        (view["kind"].as_str(), view["watch"].as_str()),
        (Some("s3"), Some("list")),
        "{view}"
    );
    assert_eq!(view["status"], "available", "{view}");
    assert!(view["calls_per_hour"].as_u64() > Some(0), "{view}");
    let explained = appliance
        .get("/api/v1/storages/archive/explain?key=old.mp4")
        .to_string();
    assert!(explained.contains("not_taken"), "{explained}");
    let explained = appliance
        .get("/api/v1/storages/archive/explain?key=a%2Fup.mp4.part")
        .to_string();
    assert!(explained.contains("being written"), "{explained}");
    let explained = appliance
        .get("/api/v1/storages/archive/explain?key=nowhere.mp4")
        .to_string();
    assert!(explained.contains("Nothing stands under this key"), "{explained}");
}

#[test]
fn a_first_listing_of_many_pages_that_is_killed_makes_nothing_of_what_was_there() {
    let server = S3Server::start(&["in"]);
    for number in 0..20_000 {
        let path = server.folder("in").join(format!("{:02}", number % 20));
        if number < 20 {
            std::fs::create_dir(&path).expect("a folder");
        }
        let path = path.join(format!("{number:05}.mp4"));
        std::fs::write(&path, b"old").expect("written");
        set_old(&path);
    }
    let mut appliance = watching(&server, "poll_interval_s = 1");
    appliance.start();
    appliance.until("the listing to be under way", || {
        let view = storage(&appliance);
        (view["scan"]["found"].as_u64() >= Some(3_000) || view["last_scan_at"].is_string()).then_some(())
    });
    appliance.kill_9();
    server.deliver("in", "07/00007a.mp4", b"new");
    appliance.start();
    listed(&appliance);
    appliance.ended_tasks(1);
    appliance.until("all objects to be known", || {
        (storage(&appliance)["objects"].as_u64() == Some(20_001)).then_some(())
    });
    appliance.ended_tasks(1);
}

#[test]
fn a_service_that_is_gone_or_refuses_says_so_and_holds_up_nobody() {
    let mut server = S3Server::start(&["in"]);
    let mut appliance = watching(&server, "poll_interval_s = 0.5");
    appliance.workflow_file(
        "folder",
        &NOOP
            .replace("\"noop\"\n[source]", "\"folder\"\n[source]")
            .replace("archive", "ingest"),
    );
    appliance.start();
    listed(&appliance);
    server.stop();
    let unavailable = |what: &str| {
        appliance.until(what, || {
            let view = storage(&appliance);
            (view["status"] == "unavailable").then(|| {
                view["why"]
                    .as_str()
                    .or(view["note"].as_str())
                    .unwrap_or_default()
                    .to_owned()
            })
        })
    };
    let why = unavailable("the storage to be unavailable");
    assert!(why.contains("StorageNotAnswering"), "{why}");
    server.deliver("in", "while-it-was-down.mp4", b"x");
    let clip = appliance.path("clip");
    std::fs::write(&clip, b"a file").expect("written");
    appliance.deliver(&clip, "beside.mp4");
    appliance.ended_tasks(1);
    server.go_on();
    appliance.ended_tasks(2);
    server.write_keys("wrong");
    let why = unavailable("the storage to be refused");
    assert!(why.contains("StorageDenied"), "{why}");
    server.deliver("in", "while-it-was-refused.mp4", b"y");
    server.write_keys(crate::appliance::s3_server::SECRET_KEY);
    appliance.ended_tasks(3);
}

#[test]
fn what_we_publish_into_a_bucket_starts_nothing() {
    let server = S3Server::start(&["in"]);
    let mut appliance = watching(&server, "poll_interval_s = 0.5");
    appliance.workflow_file(
        "copy",
        "name = \"copy\"\n[source]\nstorage = \"ingest\"\n[[activity]]\nid = \"copy\"\ntype = \"copy\"\n\
         storage = \"archive\"\nprefix = \"made/\"\n",
    );
    appliance.start();
    listed(&appliance);
    let clip = appliance.path("clip");
    std::fs::write(&clip, b"a file").expect("written");
    appliance.deliver(&clip, "clip.mp4");
    let tasks = appliance.ended_tasks(1);
    assert_eq!(tasks[0]["status"], "Succeed", "{:#}", tasks[0]);
    let made = server.keys("in");
    assert_eq!(made.len(), 1, "{made:?}");
    // A listing has seen it when an object that came later has run.
    server.deliver("in", "zz-later.mp4", b"users");
    appliance.ended_tasks(2);
    let path = format!("/api/v1/storages/archive/explain?key={}", made[0].replace('/', "%2F"));
    let explained = appliance.until("our output to be known as ours", || {
        let explained = appliance.get(&path).to_string();
        explained.contains("output that we published").then_some(explained)
    });
    assert!(explained.contains("not_taken"), "{explained}");
    // Somebody else's file under the same name runs.
    server.deliver("in", &made[0], b"another file of a user");
    appliance.ended_tasks(3);
}
