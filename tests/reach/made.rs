//! Destinations that are made, changed and removed while the daemon runs, and keys that are exchanged.

use crate::appliance::http;
use crate::appliance::receiver::Receiver;
use crate::world::arrive;
use crate::world::configured;
use crate::world::deliveries;
use crate::world::keeping_hook;
use crate::world::kept;
use crate::world::write;
use serde_json::Value;
use serde_json::json;
use std::process::Command;

/// `v1=` of a time and a body by a key, computed by another program.
fn signature(timestamp: &str, body: &[u8], key: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("signed");
    std::fs::write(&file, [timestamp.as_bytes(), b".", body].concat()).expect("written");
    let output = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", key])
        .arg(&file)
        .output()
        .expect("openssl runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    format!("v1={}", text.rsplit(' ').next().expect("a digest").trim())
}

#[test]
fn one_that_is_made_works_at_once_keeps_its_secrets_and_survives_a_restart() {
    let mut appliance = configured("");
    keeping_hook(&appliance, "keep");
    appliance.start();
    let (port, token) = (appliance.port(), appliance.token());
    let definition = json!({
        "name": "made", "kind": "exec", "program": "keep", "profile": "native", "global": true,
        "signing_key": "s3cret-key", "headers": {"X-Token": "s3cret-token"},
    });
    let made = appliance.post("/api/v1/destinations", &definition);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(
        appliance.post("/api/v1/destinations", &definition).status,
        200,
        "the same again"
    );
    let other = json!({"name": "made", "kind": "exec", "program": "keep"});
    assert_eq!(appliance.post("/api/v1/destinations", &other).status, 409);
    let shown = appliance.get("/api/v1/destinations/made");
    assert_eq!(
        (&shown["origin"], &shown["secrets"]),
        (&json!("api"), &json!(["signing_key"]))
    );
    assert!(!shown.to_string().contains("s3cret"), "{shown}");
    // What came back changes nothing when it is sent again.
    let mut back = definition.clone();
    back["headers"] = shown["headers"].clone();
    back.as_object_mut().expect("an object").remove("signing_key");
    let path = "/api/v1/destinations/made";
    let json_type = [("Content-Type", "application/json")];
    let put = |body: &Value| {
        http::request(port, "PUT", path, Some(&token), &json_type, body.to_string().as_bytes()).expect("answers")
    };
    assert_eq!(put(&back).status, 200);
    appliance.kill_9();
    appliance.start();
    arrive(&appliance, "a.bin");
    appliance.ended_tasks(1);
    let told = appliance.until("it to be told", || {
        let told = kept(&appliance, "keep");
        told.into_iter()
            .find(|(variables, _)| variables[0] == "WorkflowTaskComplete")
    });
    let body = told.1.to_string().into_bytes();
    assert_eq!(
        told.0[4],
        signature(&told.0[3], &body, "s3cret-key"),
        "the secret is still known"
    );
    let database = std::fs::read(appliance.path("state/reelmill.db")).expect("readable");
    let log = std::fs::read(appliance.path("state/reelmill.db-wal")).unwrap_or_default();
    for bytes in [database, log] {
        assert!(
            !bytes.windows(6).any(|window| window == b"s3cret"),
            "a secret lies open in the database"
        );
    }
    // What cannot work is refused when it is saved, not when it is needed.
    for (ill, code) in [
        (json!({"kind": "exec", "program": "none"}), "ProgramRefused"),
        (json!({"kind": "exec", "program": "../keep"}), "ProgramRefused"),
        (
            json!({"kind": "http", "url": "http://127.0.0.1:1/"}),
            "CallbackUrlRefused",
        ),
        (
            json!({"kind": "http", "url": "http://169.254.169.254/"}),
            "CallbackUrlRefused",
        ),
        (
            json!({"kind": "storage", "storage": "none", "prefix": "x"}),
            "DestinationRefused",
        ),
        (
            json!({"kind": "mail", "smtp": "127.0.0.1:25", "from": "a@b.c", "to": ["a@b.c"]}),
            "DestinationRefused",
        ),
        (
            json!({"kind": "exec", "program": "keep", "body_template": "{{ a.b.c }}"}),
            "TemplateRefused",
        ),
    ] {
        let said = put(&ill);
        assert_eq!(
            (said.status, &said.json()["code"]),
            (422, &json!(code)),
            "{ill}: {}",
            said.text()
        );
    }
    assert_eq!(put(&json!({"kindd": "exec"})).status, 400);
    let gone = http::request(port, "DELETE", path, Some(&token), &[], b"").expect("answers");
    assert_eq!(gone.status, 204);
    assert_eq!(http::get(port, path, Some(&token)).expect("answers").status, 404);
    arrive(&appliance, "b.bin");
    appliance.ended_tasks(2);
    assert!(
        deliveries(&appliance, "status=dead").is_empty(),
        "a global one that is gone is nobody's loss"
    );
}

#[test]
fn a_workflow_and_a_run_can_name_one_that_was_made() {
    let mut appliance = configured("");
    keeping_hook(&appliance, "keep");
    appliance.start();
    let definition = json!({"name": "made", "kind": "exec", "program": "keep", "profile": "native"});
    assert_eq!(appliance.post("/api/v1/destinations", &definition).status, 201);
    let workflow = json!({
        "name": "told", "source": {"storage": "ingest", "trigger": "manual", "extensions": ["*"]},
        "callback": {"destination": "made"}, "activity": [{"id": "one", "type": "noop"}], "enabled": true,
    });
    let made = appliance.post("/api/v1/workflows", &workflow);
    assert!((200..300).contains(&made.status), "{}", made.text());
    assert!(!made.text().contains("there is no destination"), "{}", made.text());
    arrive(&appliance, "a.bin");
    appliance.ended_tasks(1);
    let run = |workflow: &str, user_data: Value| {
        let body = json!({"workflow": workflow, "object": "ingest:a.bin", "user_data": user_data});
        let said = appliance.post("/api/v1/tasks", &body);
        assert!((200..300).contains(&said.status), "{}", said.text());
    };
    run("told", json!({}));
    run("noop", json!({"NotifyAddress": "made"}));
    let told = appliance.until("both to be told", || {
        let told = kept(&appliance, "keep");
        let ends: Vec<Value> = told
            .into_iter()
            .filter(|(variables, _)| variables[0] == "WorkflowTaskComplete")
            .map(|(_, body)| body["task"]["workflow_name"].clone())
            .collect();
        (ends.len() == 2).then_some(ends)
    });
    assert!(
        told.contains(&json!("told")) && told.contains(&json!("noop")),
        "{told:?}"
    );
}

#[test]
fn keys_are_exchanged_without_a_signature_that_nobody_knows() {
    let receiver = Receiver::start();
    let sections = format!(
        "[[destination]]\nname = \"file\"\nurl = \"{}\"\nprofile = \"native\"\nsigning_key_file = \"new.key\"\n\
         old_signing_key_file = \"old.key\"\n",
        receiver.url()
    );
    let mut appliance = configured(&sections);
    write(&appliance, "new.key", "first\n");
    write(&appliance, "old.key", "nothing yet\n");
    keeping_hook(&appliance, "keep");
    appliance.start();
    let tested = |name: &str| {
        let said = appliance
            .post(&format!("/api/v1/destinations/{name}/test"), &json!({}))
            .json();
        assert_eq!(said["accepted"], true, "{said}");
    };
    let signed_by = |key: &str| {
        tested("file");
        let got = receiver.accepted().pop().expect("one");
        let timestamp = got.header("X-Reelmill-Timestamp").expect("a time").to_owned();
        let header = got.header("X-Reelmill-Signature").expect("signed").to_owned();
        header
            .split(',')
            .any(|part| part == signature(&timestamp, &got.body, key))
    };
    assert!(signed_by("first"));
    // By files alone: the old key moves over, the new one comes in its place.
    write(&appliance, "old.key", "first\n");
    write(&appliance, "new.key", "second\n");
    appliance.until("the new key to sign", || signed_by("second").then_some(()));
    assert!(signed_by("first"), "the old one signs as well");
    // On SIGHUP the section itself; what is wrong changes nothing.
    let config = std::fs::read_to_string(appliance.config()).expect("there");
    std::fs::write(
        appliance.config(),
        config.replace("old_signing_key_file", "old_singing_key_file"),
    )
    .expect("written");
    crate::appliance::signal(appliance.pid(), "HUP");
    appliance.until("the refusal to be logged", || {
        appliance.log().contains("could not be read again").then_some(())
    });
    assert!(signed_by("first") && signed_by("second"));
    let finished = config.replace("old_signing_key_file = \"old.key\"\n", "");
    std::fs::write(appliance.config(), finished).expect("written");
    crate::appliance::signal(appliance.pid(), "HUP");
    appliance.until("the old key to rest", || (!signed_by("first")).then_some(()));
    assert!(signed_by("second"));

    // One that was made, by command.
    let definition = json!({
        "name": "made", "kind": "exec", "program": "keep", "profile": "native", "signing_key": "first",
    });
    assert_eq!(appliance.post("/api/v1/destinations", &definition).status, 201);
    let output = appliance.cli(&["callback", "rotate", "made"]);
    assert!(output.status.success(), "{}", crate::appliance::said(&output));
    let fresh = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(fresh.len() >= 40, "{fresh}");
    let signatures = || {
        for file in std::fs::read_dir(appliance.path("kept/keep")).expect("there") {
            std::fs::remove_file(file.expect("readable").path()).expect("removed");
        }
        let output = appliance.cli(&["destination", "test", "made"]);
        assert!(output.status.success(), "{}", crate::appliance::said(&output));
        let (variables, body) = kept(&appliance, "keep").pop().expect("one");
        let body = body.to_string().into_bytes();
        let by = |key: &str| {
            variables[4]
                .split(',')
                .any(|part| part == signature(&variables[3], &body, key))
        };
        (by("first"), by(&fresh))
    };
    assert_eq!(signatures(), (true, true));
    assert!(
        appliance
            .cli(&["callback", "rotate", "made", "--finish"])
            .status
            .success()
    );
    assert_eq!(signatures(), (false, true));
    let refused = appliance.cli(&["callback", "rotate", "file"]);
    assert!(
        !refused.status.success(),
        "those of the file are exchanged in their files"
    );
    let listed = appliance.cli(&["destination", "list"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("made") && listed.contains("file"), "{listed}");
}
