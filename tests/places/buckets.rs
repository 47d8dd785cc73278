//! Buckets.

use crate::appliance::http;
use crate::appliance::s3_server::ACCESS_KEY;
use crate::appliance::s3_server::S3Server;
use crate::appliance::s3_server::SECRET_KEY;
use crate::studio::code;
use crate::studio::delete;
use crate::studio::make;
use crate::studio::noop;
use crate::studio::put;
use crate::studio::storage;
use crate::studio::studio;
use serde_json::Value;
use serde_json::json;

fn bucket(server: &S3Server) -> Value {
    json!({
        "name": "archive", "kind": "s3", "endpoint": server.endpoint(), "bucket": "rushes", "path_style": true,
        "access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "poll_interval_s": 0.5, "notify_secret": "let-me-tell",
    })
}

#[test]
fn objects_of_a_bucket_that_was_made_run_and_its_keys_are_never_shown() {
    let server = S3Server::start(&["rushes"]);
    let mut appliance = studio();
    appliance.start();
    let view = make(&appliance, &bucket(&server));
    assert_eq!(
        view["secrets"],
        json!(["access_key", "secret_key", "notify_secret"]),
        "{view}"
    );
    noop(&appliance, "all", "archive");
    // What the first listing finds is old.
    appliance.until("the first listing", || {
        storage(&appliance, "archive")["last_scan_at"].is_string().then_some(())
    });
    server.deliver("rushes", "a/first.mp4", b"one");
    appliance.ended_tasks(1);
    assert!(appliance.stop().success());
    server.deliver("rushes", "a/while-down.mp4", b"two");
    appliance.start();
    appliance.ended_tasks(2);
    for shown in [
        storage(&appliance, "archive").to_string(),
        appliance.get("/api/v1/storages").to_string(),
        appliance.get("/api/v1/audit").to_string(),
        appliance.log(),
    ] {
        for secret in [ACCESS_KEY, SECRET_KEY, "let-me-tell"] {
            assert!(!shown.contains(secret), "{secret} is shown: {shown}");
        }
    }
    for file in appliance.files("state") {
        let bytes = std::fs::read(appliance.path("state").join(&file)).unwrap_or_default();
        let lies_open = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(
            !lies_open(SECRET_KEY) && !lies_open("let-me-tell"),
            "a key lies open in {file}"
        );
    }
    // What stands in a workflow's source is in use.
    assert_eq!(code(&delete(&appliance, "/api/v1/storages/archive")), "StorageInUse");
}

#[test]
fn a_trial_tells_each_step_and_keys_change_without_a_restart() {
    let server = S3Server::start(&["rushes"]);
    let mut appliance = studio();
    appliance.start();
    let mut wrong = bucket(&server);
    wrong["secret_key"] = json!("a-wrong-one");
    make(&appliance, &wrong);
    let trial = || {
        let reply = appliance.post("/api/v1/storages/archive/test", &json!({}));
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    let refused = trial();
    assert_eq!(
        (&refused["ok"], &refused["steps"][0]["ok"]),
        (&json!(false), &json!(false)),
        "{refused}"
    );
    assert!(
        refused["steps"][0]["remedy"]
            .as_str()
            .is_some_and(|text| text.contains("secret_key")),
        "{refused}"
    );
    let mut change = bucket(&server);
    // Left out: it stays as it was.
    change.as_object_mut().expect("a table").remove("access_key");
    assert_eq!(put(&appliance, "/api/v1/storages/archive", &change).status, 200);
    let taken = trial();
    let steps: Vec<&str> = taken["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|step| step["step"].as_str())
        .collect();
    assert_eq!(
        (taken["ok"].as_bool(), steps),
        (Some(true), vec!["list", "write", "read", "remove"]),
        "{taken}"
    );
    assert!(server.keys("rushes").is_empty(), "the trial left something");
    assert_eq!(delete(&appliance, "/api/v1/storages/archive").status, 204);
}

#[test]
fn its_notifications_come_in_with_the_secret_that_was_given_and_end_with_it() {
    let server = S3Server::start(&["rushes"]);
    let mut appliance = studio();
    appliance.start();
    let mut slow = bucket(&server);
    slow["poll_interval_s"] = json!(3_600);
    make(&appliance, &slow);
    noop(&appliance, "all", "*");
    appliance.until("the first listing", || {
        storage(&appliance, "archive")["last_scan_at"].is_string().then_some(())
    });
    server.deliver("rushes", "told.mp4", b"one");
    let told = json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "rushes"}, "object": {"key": "told.mp4"}}}]});
    let tell = |secret: &str| {
        let body = told.to_string();
        let headers = [("Content-Type", "application/json")];
        http::request(
            appliance.port(),
            "POST",
            "/hooks/s3/archive",
            Some(secret),
            &headers,
            body.as_bytes(),
        )
        .expect("answered")
        .status
    };
    assert_eq!(tell("wrong"), 403);
    assert_eq!(tell("let-me-tell"), 204);
    appliance.ended_tasks(1);
    assert_eq!(delete(&appliance, "/api/v1/storages/archive").status, 204);
    assert_eq!(tell("let-me-tell"), 404);
}

#[test]
fn a_service_on_this_host_needs_leave() {
    let server = S3Server::start(&["rushes"]);
    let mut appliance = crate::appliance::Appliance::new("");
    appliance.start();
    let refused = appliance.post("/api/v1/storages", &bucket(&server));
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("allow_local_buckets"), "{}", refused.text());
}
