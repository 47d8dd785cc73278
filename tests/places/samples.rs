//! Test clips.

use crate::appliance::s3_server::ACCESS_KEY;
use crate::appliance::s3_server::S3Server;
use crate::appliance::s3_server::SECRET_KEY;
use crate::studio::code;
use crate::studio::folder;
use crate::studio::make;
use crate::studio::noop;
use crate::studio::studio;
use serde_json::json;

#[test]
fn a_test_clip_comes_as_a_file_of_somebody_would() {
    let mut appliance = studio();
    appliance.start();
    make(&appliance, &folder(&appliance, "rushes", "media/rushes"));
    noop(&appliance, "all", "rushes");
    let ask = |body: &serde_json::Value| appliance.post("/api/v1/storages/rushes/sample", body);
    for wrong in [
        json!({ "key": "clip.mov" }),
        json!({ "key": "../clip.mp4" }),
        json!({ "key": ".reelmill/clip.mp4" }),
        json!({ "key": "clip.mp4", "seconds": 61 }),
    ] {
        assert_eq!(ask(&wrong).status, 422, "{wrong}");
    }
    let made = ask(&json!({ "key": "in/clip.mp4", "seconds": 1 }));
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(made.json()["size_bytes"].as_u64() > Some(1_000), "{}", made.text());
    let tasks = appliance.ended_tasks(1);
    assert_eq!(tasks[0]["media"]["object"], "rushes:in/clip.mp4", "{tasks:#?}");
    let again = ask(&json!({ "key": "in/clip.mp4", "seconds": 1 }));
    assert_eq!((again.status, code(&again).as_str()), (409, "KeyTaken"));
    assert_eq!(appliance.files("media"), ["rushes/in/clip.mp4"]);
    assert!(appliance.files("scratch").iter().all(|file| !file.contains("samples")));
    assert_eq!(
        appliance
            .post("/api/v1/storages/nowhere/sample", &json!({ "key": "a.mp4" }))
            .status,
        404
    );
}

#[test]
fn a_test_clip_comes_into_a_bucket() {
    let server = S3Server::start(&["rushes"]);
    let mut appliance = studio();
    appliance.start();
    make(
        &appliance,
        &json!({ "name": "archive", "kind": "s3", "endpoint": server.endpoint(), "bucket": "rushes",
            "path_style": true, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "poll_interval_s": 0.5 }),
    );
    noop(&appliance, "all", "archive");
    let made = appliance.post(
        "/api/v1/storages/archive/sample",
        &json!({ "key": "in/clip.mp4", "seconds": 1 }),
    );
    assert_eq!(made.status, 201, "{}", made.text());
    let tasks = appliance.ended_tasks(1);
    assert_eq!(tasks[0]["media"]["object"], "archive:in/clip.mp4", "{tasks:#?}");
    assert_eq!(server.keys("rushes"), ["in/clip.mp4"]);
}
