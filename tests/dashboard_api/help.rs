//! What helps to find out what is wrong: the host, settings, logs of attempts, the diagnostics bundle.

use crate::admin;
use crate::appliance::Appliance;
use crate::appliance::reelmill;
use crate::started;
use serde_json::Value;
use serde_json::json;
use std::io::Read as _;

const SECRET: &str = "hunter2-never-told";

/// The files of a bundle by their names without the folder.
fn opened(bytes: &[u8]) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let mut files = Vec::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a name").display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        files.push((name.split_once('/').expect("a folder").1.to_owned(), text));
    }
    files
}

fn find<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    let found = files.iter().find(|(known, _)| known == name);
    found.map_or_else(|| panic!("{name} is missing"), |(_, text)| text.as_str())
}

#[test]
fn the_bundle_tells_what_is_wrong_and_no_secret() {
    let extra = format!(
        "[[destination]]\nname = \"mam\"\nurl = \"http://192.0.2.1/x?key={SECRET}\"\n\
         auth_key = \"{SECRET}\"\n"
    );
    let appliance = started(&extra);
    let user = json!({ "name": "anna", "role": "admin", "password": SECRET });
    assert_eq!(appliance.post("/api/v1/users", &user).status, 201);
    let made = appliance
        .post("/api/v1/tokens", &json!({ "name": "t", "role": "viewer" }))
        .json();
    let token = made["token"].as_str().expect("a token").to_owned();
    let reply = admin(&appliance, "POST", "/api/v1/system/diagnostics", &json!({}));
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("application/gzip"))
    );
    let files = opened(&reply.body);
    for (name, text) in &files {
        for secret in [SECRET, token.as_str(), appliance.token().as_str(), "$argon2"] {
            assert!(!text.contains(secret), "{name} holds a secret");
        }
    }
    let settings: Value = serde_json::from_str(find(&files, "settings.json")).expect("JSON");
    assert!(settings["items"].as_array().is_some_and(|items| items.len() > 40));
    let checks: Value = serde_json::from_str(find(&files, "checks.json")).expect("JSON");
    assert!(checks["findings"].is_array(), "{checks}");
    let database: Value = serde_json::from_str(find(&files, "database.json")).expect("JSON");
    assert!(
        database["form"].as_i64() > Some(0) && database["size_bytes"].as_i64() > Some(0),
        "{database}"
    );
    assert!(find(&files, "metrics.txt").contains("reelmill_"));

    let viewer = crate::http::request(
        appliance.port(),
        "POST",
        "/api/v1/system/diagnostics",
        Some(&token),
        &[],
        b"",
    );
    assert_eq!(viewer.expect("answers").status, 403);
}

#[test]
fn settings_say_where_they_come_from() {
    let appliance = started("");
    let settings = appliance.get("/api/v1/settings");
    let of = |id: &str| -> Value {
        let items = settings["items"].as_array().expect("a list");
        items.iter().find(|item| item["id"] == id).cloned().expect(id)
    };
    let listen = of("server.listen");
    assert_eq!(listen["source"], "file");
    assert!(
        listen["line"].is_u64() && listen["help"].as_str().is_some_and(|help| !help.is_empty()),
        "{listen}"
    );
    assert_eq!(of("server.region")["source"], "default");
    assert_eq!(of("storage[0].name")["value"], "ingest");
}

#[test]
fn the_host_is_looked_at_all_the_time() {
    let appliance = started("");
    let host = appliance.until("two looks", || {
        let host = appliance.get("/api/v1/system/host");
        (host["samples"].as_array()?.len() >= 2).then_some(host)
    });
    let now = &host["now"];
    assert!(
        now["cpu_percent"].is_number() && now["memory_bytes"].as_u64() > now["memory_available_bytes"].as_u64(),
        "{now}"
    );
    let rooms = appliance.until("the rooms", || {
        let rooms = appliance.get("/api/v1/system")["host"]["rooms"].clone();
        (rooms.as_array()?.len() >= 4).then_some(rooms)
    });
    assert!(
        rooms
            .as_array()
            .expect("rooms")
            .iter()
            .any(|room| room["name"] == "renditions"),
        "{rooms}"
    );
}

#[test]
fn a_failed_attempt_leaves_its_log() {
    let workflow = "name = \"facts\"\n[source]\nstorage = \"ingest\"\n[[activity]]\nid = \"a\"\ntype = \"cover\"\n";
    let mut appliance = Appliance::new("");
    std::fs::write(appliance.path("workflows/facts.toml"), workflow).expect("written");
    appliance.start();
    std::fs::write(appliance.path("ingest/broken.mp4"), vec![7_u8; 40_000]).expect("written");
    let started = appliance.post(
        "/api/v1/tasks",
        &json!({ "workflow": "facts", "object": "ingest:broken.mp4" }),
    );
    assert!(started.status < 300, "{}", started.text());
    let id = started.json()["id"].as_str().expect("an id").to_owned();
    let attempt = appliance.until("an attempt that ended", || {
        let task = appliance.get(&format!("/api/v1/tasks/{id}"));
        let attempt = task["attempts"].as_array()?.first()?.clone();
        attempt["ended_at"].is_string().then_some(attempt)
    });
    let path = format!("/api/v1/attempts/{}/log", attempt["id"].as_str().expect("an id"));
    let log = appliance.get(&path);
    let text = log["text"].as_str().expect("a text");
    assert!(text.contains("ingest:broken.mp4") && text.contains("failed"), "{text}");
    let none = admin(&appliance, "GET", "/api/v1/attempts/nothing/log", &json!({}));
    assert_eq!(none.status, 404);
}

#[test]
fn without_the_daemon_the_command_helps_itself() {
    let appliance = Appliance::new("");
    let file = appliance.path("help.tar.gz");
    let config = appliance.config();
    let output = reelmill(&[
        "--config",
        &config.display().to_string(),
        "diagnostics",
        &file.display().to_string(),
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = opened(&std::fs::read(&file).expect("the bundle"));
    assert!(find(&files, "checks.json").contains("configuration"));
    assert!(find(&files, "about.json").contains("daemon"));
}
