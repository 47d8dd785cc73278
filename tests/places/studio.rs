//! A daemon beneath whose `media` folder storages may be made.

use crate::appliance::Appliance;
use crate::appliance::http;
use serde_json::Value;
use serde_json::json;

/// Not started; buckets of this host are allowed, since that is where the tests' service is.
pub fn studio() -> Appliance {
    // The keys belong to [security], which must come before the tables of an array that follow.
    let appliance = Appliance::new("[security]\nstorage_roots = [\"media\"]\nallow_local_buckets = true\n");
    std::fs::create_dir(appliance.path("media")).expect("made");
    appliance
}

/// The definition of a folder beneath `media`, which settles quickly.
pub fn folder(appliance: &Appliance, name: &str, path: &str) -> Value {
    json!({ "name": name, "path": appliance.path(path), "settle_looks": 2, "settle_interval_s": 0.2 })
}

/// Makes a storage, with its folder; must succeed.
pub fn make(appliance: &Appliance, definition: &Value) -> Value {
    let reply = appliance.post("/api/v1/storages?make_folder=true", definition);
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

/// A workflow over a storage that needs no worker, made through the API.
pub fn noop(appliance: &Appliance, name: &str, storage: &str) {
    let definition = json!({
        "name": name,
        "source": { "storage": storage, "extensions": ["*"] },
        "output": { "storage": "renditions" },
        "activity": [{ "id": "one", "type": "noop" }],
    });
    let reply = appliance.post("/api/v1/workflows", &definition);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// DELETE as admin.
pub fn delete(appliance: &Appliance, path: &str) -> http::Reply {
    http::request(appliance.port(), "DELETE", path, Some(&appliance.token()), &[], b"").expect("the daemon answers")
}

/// PUT as admin.
pub fn put(appliance: &Appliance, path: &str, body: &Value) -> http::Reply {
    let headers = [("Content-Type", "application/json")];
    let token = appliance.token();
    let body = body.to_string();
    http::request(appliance.port(), "PUT", path, Some(&token), &headers, body.as_bytes()).expect("the daemon answers")
}

/// Writes a file in one step.
pub fn drop_file(appliance: &Appliance, path: &str, bytes: &[u8]) {
    let target = appliance.path(path);
    std::fs::create_dir_all(target.parent().expect("a folder")).expect("made");
    let beside = appliance.path("delivery.tmp");
    std::fs::write(&beside, bytes).expect("written");
    std::fs::rename(&beside, &target).expect("moved in");
}

/// The storage of this name as REST shows it.
pub fn storage(appliance: &Appliance, name: &str) -> Value {
    appliance.get(&format!("/api/v1/storages/{name}"))
}

/// The code of a refusal.
pub fn code(reply: &http::Reply) -> String {
    reply.json()["code"].as_str().unwrap_or_default().to_owned()
}
