//! Folders.

use crate::appliance::Appliance;
use crate::appliance::said;
use crate::studio::code;
use crate::studio::delete;
use crate::studio::drop_file;
use crate::studio::folder;
use crate::studio::make;
use crate::studio::noop;
use crate::studio::put;
use crate::studio::storage;
use crate::studio::studio;
use serde_json::json;

#[test]
fn a_file_dropped_into_a_storage_made_a_moment_ago_runs() {
    let mut appliance = studio();
    appliance.start();
    let view = make(&appliance, &folder(&appliance, "rushes", "media/rushes"));
    assert_eq!(
        (view["origin"].as_str(), view["kind"].as_str()),
        (Some("api"), Some("folder")),
        "{view}"
    );
    drop_file(&appliance, "media/rushes/first.mxf.txt", b"one");
    noop(&appliance, "all", "rushes");
    drop_file(&appliance, "media/rushes/day/second.txt", b"two");
    appliance.until("the second to run", || {
        let keys: Vec<String> = appliance
            .tasks()
            .iter()
            .map(|task| task["media"]["object"].as_str().unwrap_or_default().to_owned())
            .collect();
        keys.contains(&"rushes:day/second.txt".to_owned()).then_some(())
    });
    let before = appliance.tasks().len();
    assert!(appliance.stop().success());
    drop_file(&appliance, "media/rushes/while-down.txt", b"three");
    appliance.start();
    appliance.ended_tasks(before + 1);
    appliance.kill_9();
    appliance.start();
    drop_file(&appliance, "media/rushes/after.txt", b"four");
    appliance.ended_tasks(before + 2);
    assert_eq!(storage(&appliance, "rushes")["status"], "available");
}

#[test]
fn what_comes_before_the_first_scan_is_new_though_the_daemon_dies() {
    let mut appliance = studio();
    std::fs::create_dir(appliance.path("media/rushes")).expect("made");
    drop_file(&appliance, "media/rushes/old.txt", b"old");
    appliance.start();
    noop(&appliance, "all", "*");
    // Grain of the clock that stamps files.
    std::thread::sleep(std::time::Duration::from_millis(100));
    make(&appliance, &folder(&appliance, "rushes", "media/rushes"));
    appliance.kill_9();
    drop_file(&appliance, "media/rushes/new.txt", b"new");
    appliance.start();
    let tasks = appliance.ended_tasks(1);
    assert_eq!(tasks[0]["media"]["object"], "rushes:new.txt", "{tasks:#?}");
}

#[test]
fn one_that_is_used_stays_and_one_that_goes_leaves_its_files() {
    let mut appliance = studio();
    appliance.start();
    make(&appliance, &folder(&appliance, "rushes", "media/rushes"));
    noop(&appliance, "all", "rushes");
    drop_file(&appliance, "media/rushes/a.txt", b"one");
    appliance.ended_tasks(1);
    let refused = delete(&appliance, "/api/v1/storages/rushes");
    assert_eq!((refused.status, code(&refused).as_str()), (409, "StorageInUse"));
    assert!(refused.text().contains("workflow all"), "{}", refused.text());
    assert_eq!(storage(&appliance, "rushes")["status"], "available");
    assert_eq!(appliance.post("/api/v1/workflows/all/disable", &json!({})).status, 200);
    assert_eq!(delete(&appliance, "/api/v1/workflows/all").status, 204);
    assert_eq!(delete(&appliance, "/api/v1/storages/rushes").status, 204);
    assert_eq!(delete(&appliance, "/api/v1/storages/rushes").status, 404);
    assert!(appliance.path("media/rushes/a.txt").is_file());
    let listed = appliance.get("/api/v1/storages");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2), "{listed}");
    // Another place of the same name knows nothing of the one before: its first scan finds what is old to it.
    drop_file(&appliance, "media/other/b.txt", b"two");
    std::thread::sleep(std::time::Duration::from_millis(100));
    make(&appliance, &folder(&appliance, "rushes", "media/other"));
    appliance.until("the first scan", || {
        storage(&appliance, "rushes")["last_scan_at"].is_string().then_some(())
    });
    let explained = appliance.get("/api/v1/storages/rushes/explain?key=a.txt");
    assert_eq!(explained["state"], "unseen", "{explained}");
    noop(&appliance, "all", "rushes");
    assert!(appliance.stop().success());
    appliance.start();
    appliance.until("it to be known again", || {
        (storage(&appliance, "rushes")["objects"] == 1).then_some(())
    });
    assert_eq!(appliance.tasks().len(), 1);
}

#[test]
fn what_is_refused_says_why_and_changes_nothing() {
    let mut appliance = studio();
    std::fs::create_dir_all(appliance.path("elsewhere")).expect("made");
    std::os::unix::fs::symlink(appliance.path("elsewhere"), appliance.path("media/link")).expect("made");
    appliance.start();
    let post = |body: &serde_json::Value| appliance.post("/api/v1/storages", body);
    let of_file = post(&folder(&appliance, "ingest", "media/x"));
    assert_eq!((of_file.status, code(&of_file).as_str()), (409, "StorageOfFile"));
    for (path, words) in [
        ("elsewhere", "storage_roots"),
        ("media/link", "storage_roots"),
        ("media/../elsewhere", "storage_roots"),
        ("state", "storage_roots"),
        ("media/missing", "make_folder"),
    ] {
        let refused = post(&folder(&appliance, "new", path));
        assert_eq!(refused.status, 422, "{path}: {}", refused.text());
        assert!(refused.text().contains(words), "{path}: {}", refused.text());
    }
    let mut wrong = folder(&appliance, "new", "media");
    wrong["settle_looks"] = json!(1_000);
    wrong["access_key"] = json!("AK");
    let refused = post(&wrong).text();
    assert!(
        refused.contains("settle_looks") && refused.contains("access_key"),
        "{refused}"
    );
    assert_eq!(post(&json!({ "name": "new", "pth": "/x" })).status, 400);
    assert_eq!(delete(&appliance, "/api/v1/storages/ingest").status, 409);
    assert!(!appliance.path("media/missing").exists());
    make(&appliance, &folder(&appliance, "new", "media/new"));
    let again = post(&folder(&appliance, "new", "media/new"));
    assert_eq!(again.status, 200, "{}", again.text());
    let other = post(&folder(&appliance, "new", "media/other"));
    assert_eq!(code(&other), "StorageExists");
    let same = post(&folder(&appliance, "second", "media/new"));
    assert!(same.text().contains("already"), "{}", same.text());
    let kind = put(&appliance, "/api/v1/storages/new", &json!({ "kind": "s3" }));
    assert_eq!(code(&kind), "StorageKindFixed");
    let mut changed = folder(&appliance, "new", "media/new");
    changed["watch"] = json!("poll");
    assert_eq!(put(&appliance, "/api/v1/storages/new", &changed).status, 200);
    assert_eq!(storage(&appliance, "new")["settings"]["watch"], "poll");
    let ground = appliance.get("/api/v1/system/storages");
    assert_eq!(ground["roots"][0]["is_there"], true, "{ground}");
}

#[test]
fn one_within_another_changes_hands_and_nothing_runs_twice() {
    let mut appliance = studio();
    for number in 0..12 {
        drop_file(&appliance, &format!("media/nas/day/{number}.txt"), b"old");
    }
    drop_file(&appliance, "media/nas/top.txt", b"old");
    appliance.start();
    std::thread::sleep(std::time::Duration::from_millis(100));
    make(&appliance, &folder(&appliance, "nas", "media/nas"));
    noop(&appliance, "all", "*");
    drop_file(&appliance, "media/nas/day/new.txt", b"new");
    appliance.ended_tasks(1);
    make(&appliance, &folder(&appliance, "day", "media/nas/day"));
    drop_file(&appliance, "media/nas/day/inner.txt", b"new");
    let tasks = appliance.ended_tasks(2);
    assert_eq!(tasks[0]["media"]["object"], "day:inner.txt", "{tasks:#?}");
    let scanned = |name: &str| {
        let before = storage(&appliance, name)["last_scan_at"].clone();
        // It is told in whole seconds.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        appliance.post(&format!("/api/v1/storages/{name}/scan"), &json!({}));
        appliance.until("a scan", || {
            let now = storage(&appliance, name);
            (now["last_scan_at"] != before && now["scan"].is_null() || now["frozen"].is_string()).then_some(now)
        })
    };
    let outer = scanned("nas");
    assert_eq!(outer["status"], "available", "{outer}");
    assert_eq!(delete(&appliance, "/api/v1/storages/day").status, 204);
    let outer = scanned("nas");
    assert_eq!(outer["status"], "available", "{outer}");
    drop_file(&appliance, "media/nas/day/last.txt", b"new");
    let tasks = appliance.ended_tasks(3);
    assert_eq!(tasks[0]["media"]["object"], "nas:day/last.txt", "{tasks:#?}");
}

#[test]
fn the_command_line_makes_tries_and_removes_one() {
    let mut appliance = studio();
    appliance.start();
    let file = appliance.path("storage.toml");
    let text = format!(
        "name = \"rushes\"\npath = \"{}\"\n",
        appliance.path("media/rushes").display()
    );
    std::fs::write(&file, text).expect("written");
    let file = file.to_str().expect("plain");
    let refused = appliance.cli(&["storage", "create", file]);
    assert_eq!(refused.status.code(), Some(2), "{}", crate::appliance::said(&refused));
    for args in [
        &["storage", "create", file, "--make-folder"][..],
        &["storage", "show", "rushes"],
        &["storage", "test", "rushes"],
        &["storage", "apply", file],
        &["storage", "delete", "rushes"],
    ] {
        let done = appliance.cli(args);
        assert!(done.status.success(), "{args:?}: {}", crate::appliance::said(&done));
    }
    assert_eq!(appliance.files("media"), [""; 0], "the trial left something");
    let gone = appliance.cli(&["storage", "show", "rushes"]);
    assert!(!gone.status.success(), "{}", crate::appliance::said(&gone));
}

#[test]
fn workflow_files_and_the_library_may_name_a_storage_that_was_made() {
    let mut appliance = studio();
    appliance.start();
    make(&appliance, &folder(&appliance, "rushes", "media/rushes"));
    assert!(appliance.stop().success());
    appliance.workflow_file(
        "dailies",
        "name = \"dailies\"\n[source]\nstorage = \"rushes\"\nextensions = [\"*\"]\n[[activity]]\nid = \"n\"\ntype = \"noop\"\n",
    );
    let plain = std::fs::read_to_string(appliance.config()).expect("the configuration");
    let file = appliance.config();
    let with_library = |name: &str| {
        let text = format!("{plain}\n[library]\nstorage = \"{name}\"\n");
        std::fs::write(&file, text).expect("written");
    };
    let config = appliance.config().display().to_string();
    let check = |appliance: &Appliance| said(&appliance.cli(&["check", "--start", "--config", &config]));
    // One that nobody made is refused, and it is said what to do.
    with_library("rushs");
    let told = check(&appliance);
    assert!(
        told.contains("there is no storage \"rushs\"") && told.contains("rushes") && told.contains("make the storage"),
        "{told}"
    );
    with_library("rushes");
    let told = check(&appliance);
    assert!(!told.contains("there is no storage"), "{told}");
    appliance.start();
    drop_file(&appliance, "media/rushes/day.txt", b"one");
    let tasks = appliance.ended_tasks(1);
    assert_eq!(tasks[0]["workflow"]["name"], "dailies", "{:#}", tasks[0]);
    // The library needs it as long as the configuration says so.
    std::fs::remove_file(appliance.path("workflows/dailies.toml")).expect("removed");
    assert!(appliance.stop().success());
    appliance.start();
    let refused = delete(&appliance, "/api/v1/storages/rushes");
    assert_eq!((refused.status, code(&refused).as_str()), (409, "StorageInUse"));
    assert!(refused.text().contains("library.storage"), "{}", refused.text());
}
