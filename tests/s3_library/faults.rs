//! A bucket that does not answer.

use crate::appliance::fault_proxy::Ill;
use crate::appliance::fault_proxy::Rule;
use crate::cloud::Cloud;
use crate::cloud::MIB;
use crate::cloud::bytes;
use serde_json::json;

#[test]
fn a_dead_bucket_is_told_as_such_and_holds_nobody_up() {
    let cloud = Cloud::start();
    let media = cloud.upload("a.mp4", b"film")["media"]
        .as_str()
        .expect("an id")
        .to_owned();
    let url = cloud.link(&media);
    cloud.proxy.make(Rule::new(Ill::Reset));
    for reply in [
        cloud.fetch("GET", &url, &[]),
        cloud.send("GET", "/api/v1/objects?storage=cloud", &[], b""),
        cloud.appliance.post("/api/v1/media", &json!({"object": "cloud:a.mp4"})),
        cloud
            .appliance
            .post("/api/v1/tasks", &json!({"workflow": "noop", "object": "cloud:a.mp4"})),
    ] {
        let problem = reply.json();
        assert_eq!(
            (reply.status, &problem["code"]),
            (503, &"StorageNotAnswering".into()),
            "{problem:#}"
        );
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
    // What has nothing to do with it goes on.
    assert_eq!(
        cloud.send("GET", "/api/v1/objects?storage=ingest", &[], b"").status,
        200
    );
    cloud.proxy.heal();
    let healed = cloud.appliance.until("the bucket to be asked again", || {
        let reply = cloud.fetch("GET", &url, &[]);
        (reply.status == 200).then_some(reply)
    });
    assert_eq!(healed.body, b"film");
}

#[test]
fn an_upload_outlives_a_bucket_that_is_away_for_a_while() {
    let cloud = Cloud::start();
    let content = bytes(6 * MIB);
    let path = cloud.begin(&json!({"key": "a.mp4", "register": false, "size_bytes": content.len()}));
    // Parts are refused for a moment, the completing is answered by an error once, and an answer is lost.
    cloud.proxy.make(
        Rule::new(Ill::Error(503, "SlowDown"))
            .method("PUT")
            .target("partNumber=")
            .times(2),
    );
    cloud.proxy.make(
        Rule::new(Ill::Error(500, "InternalError"))
            .method("POST")
            .target("uploadId=")
            .times(1),
    );
    cloud
        .proxy
        .make(Rule::new(Ill::LostAnswer).method("PUT").target("/media/a.mp4").times(1));
    let reply = cloud.patch(&path, 0, &content);
    assert_eq!(reply.status, 204, "{}", reply.text());
    let view = cloud.ended(&path);
    assert_eq!(
        (&view["status"], &view["object"]),
        (&"Success".into(), &"cloud:a.mp4".into()),
        "{view:#}"
    );
    assert_eq!(cloud.server.object("media", "a.mp4").expect("there"), content);
    assert_eq!(cloud.keys(), ["a.mp4"]);
    assert_eq!(cloud.left_over(), Vec::<String>::new());
}

#[test]
fn denied_keys_are_named() {
    let cloud = Cloud::start();
    cloud.proxy.make(Rule::new(Ill::Error(403, "SignatureDoesNotMatch")));
    let reply = cloud.appliance.post("/api/v1/media", &json!({"object": "cloud:a.mp4"}));
    let problem = reply.json();
    assert_eq!(
        (reply.status, &problem["code"]),
        (503, &"StorageDenied".into()),
        "{problem:#}"
    );
}
