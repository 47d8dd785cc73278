//! Quality through the real binary: a workflow file with control, likeness and a ladder that the source decides.

use crate::clips;
use crate::room::backend;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const WORKFLOW: &str = r#"
name = "checked"
[[activity]]
id = "qc"
type = "qc"
template = "qc-basic"
silence_min_s = 2.0
[[activity]]
id = "ladder"
type = "transcode"
quality = { every_s = 1.0 }
[[activity.group]]
kind = "hls"
segment_s = 2.0
ladder = { max_rungs = 3, min_bitrate_kbps = 60 }
[[activity.group.output]]
name = "rung"
video = { codec = "h264", preset = "ultrafast" }
audio = { codec = "aac" }
[[activity]]
id = "only-if-refused"
type = "noop"
needs = ["qc"]
when = "failure"
"#;

fn run(root: &Path, workflow: &str, clip: &Path) -> (i32, Value) {
    let file = root.join("checked.toml");
    std::fs::write(&file, workflow).expect("written");
    std::fs::create_dir_all(root.join("scratch")).expect("scratch");
    let output = Command::new(env!("CARGO_BIN_EXE_reelmill"))
        .arg("run")
        .arg(&file)
        .arg(clip)
        .args(["--json", "--threads", "2", "--output"])
        .arg(root.join("out"))
        .arg("--scratch")
        .arg(root.join("scratch"))
        .args(backend::arguments())
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = serde_json::from_str(&said)
        .unwrap_or_else(|wrong| panic!("{wrong}: {said}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap_or(-1), report)
}

fn status<'a>(report: &'a Value, activity: &str) -> &'a str {
    let activities = report["activities"].as_array().expect("activities");
    let found = activities
        .iter()
        .find(|one| one["id"] == activity)
        .expect("the activity");
    found["status"].as_str().expect("a status")
}

#[test]
fn a_workflow_reports_what_was_found_compared_and_decided() {
    let root = tempfile::tempdir().expect("a directory");
    let clip = clips::faulty(root.path());
    let (code, report) = run(root.path(), WORKFLOW, &clip);
    assert_eq!((code, &report["status"]), (0, &Value::from("Succeed")), "{report:#}");
    assert_eq!(status(&report, "only-if-refused"), "Skipped");

    let qc = &report["qc"][0];
    assert_eq!(
        (&qc["activity"], &qc["verdict"]),
        (&Value::from("qc"), &Value::from("warn"))
    );
    let black = qc["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .find(|check| check["check"] == "black");
    assert_eq!(black.expect("answered")["events"][0]["start_s"], 3.0);
    let file = std::fs::read(root.path().join("out/qc.json")).expect("the report as a file");
    let file: Value = serde_json::from_slice(&file).expect("JSON");
    assert_eq!(file["checks"], qc["checks"]);

    let decision = &report["decisions"][0];
    let rungs = decision["rungs"].as_array().expect("rungs");
    assert!(
        rungs.len() == 3 && decision["summary"].as_str().expect("words").starts_with("3 rungs: "),
        "{decision:#}"
    );
    let set = report["outputs"]
        .as_array()
        .expect("outputs")
        .iter()
        .find(|output| output["kind"] == "hls");
    let renditions = set.expect("a set")["renditions"].as_array().expect("renditions");
    for rung in rungs {
        let rendition = renditions.iter().find(|one| one["name"] == rung["name"]).expect("made");
        assert!(rendition["quality"]["psnr_db"].as_f64() > Some(20.0), "{rendition:#}");
        assert!(rendition["quality"]["frames"].as_u64() >= Some(5), "{rendition:#}");
    }
}

#[test]
fn a_refused_source_says_why_and_its_failure_is_followed() {
    let root = tempfile::tempdir().expect("a directory");
    let clip = clips::faulty(root.path());
    let refusing = WORKFLOW.replace(
        "silence_min_s = 2.0",
        "fail_on = [\"freeze\", \"clipping\"]\nfreeze_min_s = 2.0",
    );
    let ladder = refusing.find("[[activity]]\nid = \"ladder\"").expect("the ladder");
    let after = refusing.find("[[activity]]\nid = \"only").expect("the successor");
    let (code, report) = run(
        root.path(),
        &format!("{}{}", &refusing[..ladder], &refusing[after..]),
        &clip,
    );
    assert_eq!(
        (code, status(&report, "qc"), status(&report, "only-if-refused")),
        (1, "Fail", "Success")
    );
    let cause = report["errors"][0]["cause"].as_str().expect("a cause");
    assert!(
        cause.contains("freeze: frozen once") && cause.contains("clipping: clipped once"),
        "{cause}"
    );
    assert_eq!(report["errors"][0]["code"], "QcRejected");
    assert_eq!(report["qc"][0]["verdict"], "fail", "{report:#}");
    assert!(!root.path().join("out/qc.json").exists());
}
