//! The plain way, what may be wished for, and every moment at which the daemon may die.

use crate::appliance::http;
use crate::appliance::said;
use crate::desk::Desk;
use crate::desk::bytes;
use crate::desk::quiet;
use serde_json::json;

#[test]
fn pieces_may_overlap_and_holes_are_refused() {
    let desk = Desk::new();
    let content = bytes(1000);
    let path =
        desk.begin_plain(&json!({"size_bytes": 1000, "key": "r/a.mp4", "workflow": "noop", "user_data": {"shot": 7}}));
    let reply = desk.put(&path, "bytes 0-399/1000", &content[..400]);
    assert_eq!(
        (reply.status, reply.header("upload-offset")),
        (200, Some("400")),
        "{}",
        reply.text()
    );
    assert_eq!(reply.json()["status"], "Waiting");
    let hole = desk.put(&path, "bytes 500-599/1000", &content[500..600]);
    assert_eq!((hole.status, hole.header("upload-offset")), (409, Some("400")));
    // A piece that was sent before and its answer lost.
    let again = desk.put(&path, "bytes 100-699/1000", &content[100..700]);
    assert_eq!((again.status, again.header("upload-offset")), (200, Some("700")));
    for (range, status) in [
        ("bytes 700-700/1001", 422),
        ("bytes 700-600/1000", 400),
        ("pages 1-2/3", 400),
        ("bytes 700-701/1000", 400),
    ] {
        assert_eq!(desk.put(&path, range, b"x").status, status, "{range}");
    }
    let last = desk.put(&path, "bytes 700-999/1000", &content[700..]);
    assert_eq!(last.status, 200, "{}", last.text());
    let view = last.json();
    assert_eq!(
        (&view["status"], &view["offset"]),
        (&"Success".into(), &1000.into()),
        "{view:#}"
    );
    let task = &desk.appliance.ended_tasks(1)[0];
    assert_eq!(
        (&task["id"], &task["user_data"]),
        (&view["tasks"][0], &"{\"shot\":7}".into()),
        "{task:#}"
    );
    assert_eq!(desk.file("r/a.mp4"), content);
    assert_eq!(
        desk.put(&path, "bytes 700-999/1000", &content[700..]).status,
        200,
        "again, harmless"
    );
    let listed = desk.appliance.get("/api/v1/uploads?status=Success");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn user_data_keep_each_digit() {
    let desk = Desk::new();
    let wish = br#"{"size_bytes": 1, "key": "d.mp4", "workflow": "noop", "title": "D",
        "user_data": {"id": 123456789012345678901234567890, "at": [1.00, 2e400]}}"#;
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "d")];
    let reply = desk.send("POST", "/api/v1/uploads", &headers, wish);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let path = format!("/api/v1/uploads/{}", reply.json()["id"].as_str().expect("an id"));
    // The same once more, and with another last digit.
    assert_eq!(desk.send("POST", "/api/v1/uploads", &headers, wish).status, 200);
    let other = String::from_utf8(wish.to_vec())
        .expect("text")
        .replace("7890,", "7891,");
    let reply = desk.send("POST", "/api/v1/uploads", &headers, other.as_bytes());
    assert_eq!(reply.status, 409, "{}", reply.text());
    assert_eq!(desk.send("PUT", &path, &[], b"x").status, 200);
    let task = &desk.appliance.ended_tasks(1)[0];
    let kept = "{\"id\":123456789012345678901234567890,\"at\":[1.00,2e400]}";
    assert_eq!(task["user_data"], kept, "{task:#}");
    assert_eq!(task["media"]["title"].as_str().unwrap_or("D"), "D");
    for (wrong, word) in [
        (r#"{"key": "d.mp4", "user_data": 1, "user_data": 2}"#, "duplicate"),
        (r#"{"key": "d.mp4", "user_date": 1}"#, "user_date"),
        (r#"{"key": "d.mp4"} 1"#, "trailing"),
    ] {
        let reply = desk.send("POST", "/api/v1/uploads", &headers[..1], wrong.as_bytes());
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(reply.text().contains(word), "{}", reply.text());
    }
}

#[test]
fn a_size_may_be_said_last_and_a_whole_file_sent_at_once() {
    let desk = Desk::new();
    let path = desk.begin_plain(&quiet("open.mp4"));
    assert_eq!(desk.put(&path, "bytes 0-4/*", b"01234").status, 200);
    let end = desk.put(&path, "bytes */5", b"");
    assert_eq!(
        (end.status, &end.json()["status"]),
        (200, &"Success".into()),
        "{}",
        end.text()
    );
    assert_eq!(desk.file("open.mp4"), b"01234");
    let path = desk.begin_plain(&quiet("whole.mp4"));
    let reply = desk.send("PUT", &path, &[], b"all of it");
    assert_eq!(reply.json()["status"], "Success", "{}", reply.text());
    assert_eq!(desk.file("whole.mp4"), b"all of it");
    let reply = desk.appliance.post(
        "/api/v1/uploads",
        &json!({"size_bytes": 0, "key": "empty.srt", "register": false}),
    );
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (201, &"Success".into()),
        "{}",
        reply.text()
    );
}

#[test]
fn a_taken_key_is_treated_as_was_asked() {
    let desk = Desk::new();
    let send = |rule: &str, content: &[u8]| {
        let mut wish = quiet("in/clip.mp4");
        wish["on_conflict"] = rule.into();
        let reply = desk.appliance.post("/api/v1/uploads", &wish);
        if reply.status != 201 {
            return reply;
        }
        let path = format!("/api/v1/uploads/{}", reply.json()["id"].as_str().expect("an id"));
        desk.send("PUT", &path, &[], content)
    };
    assert_eq!(send("version", b"one").json()["object"], "renditions:in/clip.mp4");
    assert_eq!(send("version", b"two").json()["object"], "renditions:in/clip-2.mp4");
    assert_eq!(send("overwrite", b"three").json()["object"], "renditions:in/clip.mp4");
    assert_eq!(desk.file("in/clip.mp4"), b"three");
    assert_eq!(send("fail", b"four").status, 409);
    // Taken while it is sent.
    let path = desk.begin_plain(&json!({"key": "race.mp4", "on_conflict": "fail", "register": false}));
    std::fs::write(desk.appliance.path("renditions/race.mp4"), b"somebody's").expect("written");
    let lost = desk.send("PUT", &path, &[], b"ours");
    assert_eq!(
        (lost.status, &lost.json()["code"]),
        (409, &"KeyTaken".into()),
        "{}",
        lost.text()
    );
    assert_eq!(desk.file("race.mp4"), b"somebody's");
    assert_eq!(
        desk.facts("FileUploadComplete").last().expect("an event")["fault"]["code"],
        "KeyTaken"
    );
}

#[test]
fn what_cannot_come_to_a_good_end_is_refused_with_a_remedy() {
    let desk = Desk::with("");
    let ask = |wish: serde_json::Value| desk.appliance.post("/api/v1/uploads", &wish);
    let nowhere = ask(json!({"key": "a.mp4"}));
    assert_eq!(nowhere.status, 422, "{}", nowhere.text());
    assert!(
        nowhere.json()["remedy"]
            .as_str()
            .expect("text")
            .contains("library.storage")
    );
    for (wish, status) in [
        (json!({"storage": "nowhere", "key": "a.mp4"}), 422),
        (json!({"storage": "renditions", "key": "../a.mp4"}), 422),
        (json!({"storage": "renditions", "key": ".reelmill/uploads/a"}), 422),
        (json!({"storage": "renditions", "on_conflict": "maybe"}), 422),
        (json!({"storage": "renditions", "digest": "sha1:00"}), 422),
        (json!({"storage": "renditions", "workflow": "none"}), 404),
        (json!({"storage": "renditions", "role": "attachment"}), 422),
        (json!({"storage": "renditions", "media": "none"}), 404),
        (json!({"storage": "renditions", "category": "none"}), 404),
        (
            json!({"storage": "renditions", "key": format!("{}.mp4", "x".repeat(252))}),
            422,
        ),
        (json!({"storage": "renditions", "titel": "x"}), 400),
        (json!({"storage": "renditions", "size_bytes": 1_u64 << 60}), 507),
    ] {
        let reply = ask(wish.clone());
        assert_eq!(reply.status, status, "{wish} {}", reply.text());
    }
    assert_eq!(desk.appliance.files("renditions"), Vec::<String>::new());
    // What comes to something else than was said.
    let wrong = format!("md5:{}", "0".repeat(32));
    let path = desk.begin_plain(&json!({"storage": "renditions", "key": "d.mp4", "digest": wrong}));
    let reply = desk.send("PUT", &path, &[], b"abc");
    assert_eq!(
        (reply.status, &reply.json()["code"]),
        (422, &"DigestWrong".into()),
        "{}",
        reply.text()
    );
    assert_eq!(desk.ended(&path)["status"], "Fail");
    assert_eq!(desk.appliance.files("renditions"), Vec::<String>::new());
    let path = desk.begin_plain(
        &json!({"storage": "renditions", "key": "d.mp4", "register": false, "digest": "md5:900150983cd24fb0d6963f7d28e17f72"}),
    );
    assert_eq!(desk.send("PUT", &path, &[], b"abc").json()["status"], "Success");
}

#[test]
fn the_same_call_begins_one_upload_and_attachments_find_their_media() {
    let desk = Desk::new();
    let token = desk.appliance.token();
    let ask = |key: &str, body: &str| {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
        http::request(
            desk.appliance.port(),
            "POST",
            "/api/v1/uploads",
            Some(&token),
            &headers,
            body.as_bytes(),
        )
        .expect("answers")
    };
    let wish = r#"{"size_bytes": 3, "key": "m.mp4", "register": false}"#;
    let first = ask("k1", wish);
    let again = ask("k1", wish);
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!(ask("k1", r#"{"size_bytes": 4}"#).status, 409);
    let path = format!("/api/v1/uploads/{}", first.json()["id"].as_str().expect("an id"));
    let media = desk.send("PUT", &path, &[], b"abc").json()["media"].clone();
    assert_eq!(
        ask("k1", wish).json()["status"],
        "Success",
        "answered with what became of it"
    );

    let path = desk.begin_plain(&json!({"media": media, "key": "m.en.srt", "language": "en", "title": "English"}));
    let view = desk
        .send("PUT", &path, &[], b"1\n00:00:00,000 --> 00:00:01,000\nHi\n")
        .json();
    assert_eq!(
        (&view["status"], &view["media"]),
        (&"Success".into(), &media),
        "{view:#}"
    );
    assert!(view["addition"].is_string());
    assert_eq!(desk.facts("AttachedMediaUploadComplete").len(), 1);
    let path = desk.begin_plain(&json!({"role": "rendition", "media": media, "kind": "720p", "key": "m-720.mp4"}));
    assert_eq!(desk.send("PUT", &path, &[], b"film").json()["status"], "Success");
    assert_eq!(desk.facts("StreamUploadComplete").len(), 1);
}

/// Between the last byte and the event there are three steps; a death after each of them is played.
#[test]
fn a_death_while_it_is_finished_is_made_good() {
    let mut desk = Desk::new();
    let renditions = desk.appliance.path("renditions");
    let mut paths = Vec::new();
    for key in ["whole.mp4", "planned.mp4", "renamed.mp4"] {
        let path = desk.begin_plain(&json!({"size_bytes": 4, "key": key, "register": false}));
        assert_eq!(desk.put(&path, "bytes 0-2/4", b"abc").status, 200);
        paths.push(path);
    }
    desk.appliance.kill_9();
    for (path, key) in paths.iter().zip(["whole.mp4", "planned.mp4", "renamed.mp4"]) {
        let id = path.rsplit('/').next().expect("an id");
        let staged = renditions.join(".reelmill/uploads").join(id);
        std::fs::write(&staged, b"abcd").expect("the last byte came");
        let mtime_ns = std::os::unix::fs::MetadataExt::mtime(&staged.metadata().expect("there")) * 1_000_000_000
            + std::os::unix::fs::MetadataExt::mtime_nsec(&staged.metadata().expect("there"));
        let planned = if key == "whole.mp4" {
            "null".to_owned()
        } else {
            mtime_ns.to_string()
        };
        if key == "renamed.mp4" {
            std::fs::rename(&staged, renditions.join(key)).expect("renamed");
        }
        desk.sql(&format!(
            "update uploads set state = 'finishing', received_bytes = 4, mtime_ns = {planned} where id = '{id}'"
        ));
    }
    desk.appliance.start();
    for (path, key) in paths.iter().zip(["whole.mp4", "planned.mp4", "renamed.mp4"]) {
        let view = desk.ended(path);
        assert_eq!(
            (&view["status"], &view["object"]),
            (&"Success".into(), &format!("renditions:{key}").into()),
            "{view:#}"
        );
        assert_eq!(desk.file(key), b"abcd");
    }
    assert_eq!(desk.facts("FileUploadComplete").len(), 3, "each is told once");
    let mut left = desk.appliance.files("renditions");
    left.retain(|file| file.starts_with(".reelmill"));
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn pieces_that_belong_to_nobody_are_swept_and_unfinished_ones_are_not() {
    let mut desk = Desk::new();
    let path = desk.begin_plain(&json!({"size_bytes": 4, "key": "a.mp4"}));
    assert_eq!(desk.put(&path, "bytes 0-2/4", b"abc").status, 200);
    desk.appliance.stop();
    let folder = desk.appliance.path("renditions/.reelmill/uploads");
    std::fs::write(folder.join("stray"), b"x").expect("written");
    std::fs::write(folder.join("fresh"), b"x").expect("written");
    for old in ["stray", path.rsplit('/').next().expect("an id")] {
        let status = std::process::Command::new("touch")
            .args(["-d", "2 days ago"])
            .arg(folder.join(old))
            .status();
        assert!(status.expect("touch runs").success());
    }
    desk.appliance.start();
    desk.appliance.until("the stray piece to be swept", || {
        (!folder.join("stray").exists()).then_some(())
    });
    assert!(folder.join("fresh").exists(), "somebody may just be beginning it");
    assert_eq!(desk.offset(&path), 3);
}

#[test]
fn what_lands_in_a_watched_storage_runs_what_watches_there_and_nothing_twice() {
    let mut appliance = crate::appliance::Appliance::new("[library]\nstorage = \"ingest\"\n");
    let watcher = "name = \"watcher\"\n[source]\nstorage = \"ingest\"\nprefix = \"in/\"\ntrigger = \"automatic\"\n[[activity]]\nid = \"one\"\ntype = \"noop\"\n";
    appliance.workflow_file("watcher", watcher);
    appliance.start();
    let desk = Desk { appliance };
    desk.appliance.until("the first scan", || {
        desk.appliance.log().contains("the first scan ended").then_some(())
    });
    let named = desk.begin_plain(&json!({"key": "in/named.mp4", "workflow": "watcher"}));
    let view = desk.send("PUT", &named, &[], b"film").json();
    assert_eq!(view["tasks"].as_array().map(Vec::len), Some(1), "{view:#}");
    let plain = desk.begin_plain(&quiet("in/plain.mp4"));
    let other = desk.send("PUT", &plain, &[], b"another film").json();
    assert_eq!(other["tasks"], json!([]));
    // The one that was named, and the one that its place started.
    let tasks = desk.appliance.ended_tasks(2);
    assert_eq!(
        (&tasks[1]["id"], &tasks[1]["trigger"]),
        (&view["tasks"][0], &"API".into())
    );
    assert_eq!(
        (&tasks[0]["media"]["id"], &tasks[0]["trigger"]),
        (&other["media"], &"Workflow".into())
    );
    let taken = desk.appliance.until("the first arrival to be looked at", || {
        let explained = desk.appliance.get("/api/v1/storages/ingest/explain?key=in/named.mp4");
        (explained["state"] == "taken").then_some(explained)
    });
    assert_eq!(taken["tasks"].as_array().map(Vec::len), Some(1), "{taken:#}");
}

#[test]
fn viewers_send_nothing() {
    let desk = Desk::new();
    let made = desk
        .appliance
        .post("/api/v1/tokens", &json!({"name": "eye", "role": "viewer"}));
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    let ask = |method: &str, path: &str| {
        http::request(desk.appliance.port(), method, path, Some(&token), &[], b"")
            .expect("answers")
            .status
    };
    assert_eq!(ask("GET", "/api/v1/uploads"), 200);
    assert_eq!(ask("POST", "/api/v1/uploads"), 403);
    assert_eq!(ask("PUT", "/api/v1/uploads/x"), 403);
    assert_eq!(ask("POST", "/api/v1/pulls"), 403);
}

#[test]
fn the_command_goes_on_where_it_was_interrupted() {
    let desk = Desk::new();
    let file = desk.appliance.path("take.mp4");
    let size_bytes: u64 = 128 << 20;
    let content = std::fs::File::create(&file).expect("made");
    std::os::unix::fs::FileExt::write_all_at(&content, b"the end", size_bytes - 7).expect("written");
    let path = file.to_str().expect("UTF-8").to_owned();
    let args = [
        "media",
        "upload",
        path.as_str(),
        "--key",
        "cli/take.mp4",
        "--no-register",
        "--json",
    ];
    let mut child = std::process::Command::new(crate::appliance::REELMILL)
        .args(args)
        .env("REELMILL_TOKEN", desk.appliance.token())
        .env("REELMILL_SERVER", format!("http://127.0.0.1:{}", desk.appliance.port()))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    let id = desk.appliance.until("the upload to begin", || {
        desk.appliance.get("/api/v1/uploads")["items"][0]["id"]
            .as_str()
            .map(str::to_owned)
    });
    child.kill().expect("it can be killed");
    child.wait().expect("it can be waited for");
    let upload = || {
        let done = desk.appliance.cli(&args);
        assert!(done.status.success(), "{}", said(&done));
        serde_json::from_slice::<serde_json::Value>(&done.stdout).expect("JSON")
    };
    // Whoever was sending is noticed to be gone, and its upload goes on.
    let ended = upload();
    assert_eq!(
        (&ended["id"], &ended["status"]),
        (&id.clone().into(), &"Success".into()),
        "{ended:#}"
    );
    let there = desk.file("cli/take.mp4");
    assert!(there.len() as u64 == size_bytes && there.ends_with(b"the end"));
    assert_eq!(upload()["id"], id, "done is done");
    let missing = desk.appliance.cli(&["media", "upload", "/nowhere.mp4"]);
    assert_eq!(missing.status.code(), Some(2), "{}", said(&missing));
}
