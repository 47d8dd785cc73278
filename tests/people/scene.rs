//! What every test here does: put a file in, look at jobs, and wait.

use crate::appliance::Appliance;
use crate::appliance::http;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

/// A workflow over everything that arrives beneath `prefix` of the storage `ingest`, told to the unified callback.
pub fn workflow(name: &str, prefix: &str, activities: &str) -> String {
    format!(
        "name = \"{name}\"\n[source]\nstorage = \"ingest\"\nprefix = \"{prefix}\"\nextensions = [\"*\"]\n\
         [output]\nstorage = \"renditions\"\n{activities}\n"
    )
}

/// The unified callback.
pub fn told_to(url: &str) -> String {
    format!("[callback]\nurl = \"{url}\"\nprofile = \"ims\"\n")
}

/// Puts `bytes` in as `key` of the storage `ingest`.
pub fn arrive(appliance: &Appliance, key: &str, bytes: &[u8]) {
    let path = appliance.path("made-here");
    std::fs::write(&path, bytes).expect("the file is written");
    appliance.deliver(&path, key);
}

/// Puts an executable into the hooks directory.
pub fn hook(appliance: &Appliance, name: &str, script: &str) {
    let path = appliance.path("hooks").join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the hook is written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is made executable");
}

/// The task over `key`, in full, as soon as `wanted` holds for it.
pub fn task_when(appliance: &Appliance, key: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    appliance.until(&format!("{key} to be {what}"), || {
        let object = format!("ingest:{key}");
        let task = appliance
            .tasks()
            .into_iter()
            .find(|task| task["media"]["object"] == object)?;
        let task = appliance.get(&format!("/api/v1/tasks/{}", task["id"].as_str().expect("an id")));
        wanted(&task).then_some(task)
    })
}

/// The ended task over `key`.
pub fn ended(appliance: &Appliance, key: &str) -> Value {
    task_when(appliance, key, "ended", |task| {
        matches!(task["status"].as_str(), Some("Succeed" | "Failed" | "Canceled")) && task["intent"].is_null()
    })
}

/// The job of an activity.
pub fn job<'a>(task: &'a Value, activity: &str) -> &'a Value {
    task["jobs"]
        .as_array()
        .and_then(|jobs| jobs.iter().find(|job| job["activity"] == activity))
        .unwrap_or_else(|| panic!("no job {activity} in {task:#}"))
}

/// Statuses of the jobs, by activity, in the order of the workflow.
pub fn statuses(task: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let jobs = task["jobs"].as_array().expect("a list");
    jobs.iter()
        .map(|job| (text(&job["activity"]), text(&job["status"])))
        .collect()
}

/// The same, to compare with.
pub fn as_expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(activity, status): &(&str, &str)| ((*activity).to_owned(), (*status).to_owned());
    pairs.iter().map(own).collect()
}

/// POST as admin, which must answer `status`.
pub fn post(appliance: &Appliance, path: &str, body: &Value, status: u16) -> Value {
    let reply = appliance.post(path, body);
    assert_eq!(reply.status, status, "POST {path}: {}", reply.text());
    reply.json()
}

/// POST with a header more.
pub fn post_once(appliance: &Appliance, path: &str, body: &Value, key: &str) -> http::Reply {
    http::request(
        appliance.port(),
        "POST",
        path,
        Some(&appliance.token()),
        &[("Content-Type", "application/json"), ("Idempotency-Key", key)],
        body.to_string().as_bytes(),
    )
    .expect("the daemon answers")
}

/// Text of a field of a value.
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no text {field} in {value:#}"))
}
