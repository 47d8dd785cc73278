//! Findings of quality control with their times, also of what failed by them.

use crate::scene;
use serde_json::Value;
use serde_json::json;

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("checks");
    checks
        .iter()
        .find(|check| check["check"] == name)
        .unwrap_or(&Value::Null)
}

/// Whether a check has one stretch there.
fn stands_at(check: &Value, start_s: f64, end_s: f64) -> bool {
    let events = check["events"].as_array().expect("events");
    let is = |found: &Value, wanted: f64| found.as_f64().is_some_and(|found| (found - wanted).abs() < 0.05);
    events.len() == 1 && is(&events[0]["start_s"], start_s) && is(&events[0]["end_s"], end_s)
}

#[test]
fn what_fails_a_source_stays_to_be_looked_at() {
    let qc = "[[activity]]\nid = \"look\"\ntype = \"qc\"\nfail_on = [\"black\"]\n";
    let (appliance, task) = scene::run(qc, &scene::faulty(), "mov");
    assert_eq!(task["status"], "Failed", "{task:#}");
    let job = &task["jobs"][0];
    assert_eq!(
        (&job["status"], &job["fault"]["code"]),
        (&"Fail".into(), &"QcRejected".into())
    );
    let where_it_was = if crate::appliance::backend::is_gpu() {
        "gpu-decode"
    } else {
        "software"
    };
    assert_eq!(job["result"]["backend"], where_it_was);
    assert_eq!(job["result"]["qc"]["verdict"], "fail", "{job:#}");
    assert!(stands_at(check(&job["result"]["qc"], "black"), 2.0, 5.0), "{job:#}");
    assert!(task["outputs"].as_array().expect("outputs").is_empty());

    let media = task["media"]["id"].as_str().expect("an id");
    let media = appliance.get(&format!("/api/v1/media/{media}"));
    assert_eq!(media["qc"][0]["said"]["verdict"], "fail", "{media:#}");
    let told = task["events"]
        .as_array()
        .expect("events")
        .iter()
        .find(|event| event["type"] == "QcComplete");
    assert!(told.is_some(), "{:#}", task["events"]);

    for series in [scene::of_task(&appliance, &task), scene::of_media(&appliance, &task)] {
        let report = &series["qc"][0];
        assert_eq!(
            (&report["status"], &report["verdict"]),
            (&"Fail".into(), &"fail".into()),
            "{series:#}"
        );
        assert_eq!(check(report, "black")["verdict"], "fail");
        assert!(stands_at(check(report, "black"), 2.0, 5.0), "{report:#}");
        assert_eq!(check(report, "silence")["verdict"], "warn");
        assert!(stands_at(check(report, "silence"), 3.0, 6.0), "{report:#}");
        let lufs = scene::values(&report["loudness"]["short_term_lufs"]);
        let peaks = scene::values(&report["loudness"]["true_peak_dbtp"]);
        assert_eq!(lufs.len(), 8);
        let is_silent: Vec<bool> = peaks.iter().map(Option::is_none).collect();
        assert_eq!(
            is_silent,
            [false, false, false, true, true, true, false, false],
            "{peaks:?}"
        );
        assert_eq!(series["loudness"]["of"], "source");
        assert!(series["outputs"].as_array().expect("outputs").is_empty());
    }

    // Done again, it is judged again, and what it said before is gone meanwhile.
    let id = task["id"].as_str().expect("an id");
    let again = appliance.post(&format!("/api/v1/tasks/{id}/retry"), &json!({}));
    assert!((200..300).contains(&again.status), "{}", again.text());
    let again = appliance.until("the second run", || {
        let task = appliance.get(&format!("/api/v1/tasks/{id}"));
        (task["runs"] == 2 && task["status"] == "Failed").then_some(task)
    });
    assert_eq!(again["jobs"][0]["result"]["qc"], job["result"]["qc"]);
    let reports = scene::of_media(&appliance, &task)["qc"].as_array().map(Vec::len);
    assert_eq!(reports, Some(1));
}

#[test]
fn a_source_that_passes_has_its_report_and_its_loudness_too() {
    let qc = "[[activity]]\nid = \"look\"\ntype = \"qc\"\nchecks = [\"black\", \"loudness\"]\n\
              [[activity]]\nid = \"picky\"\ntype = \"qc\"\nchecks = [\"black\"]\n";
    let (appliance, task) = scene::run(qc, &scene::rising(), "mp4");
    assert_eq!(task["status"], "Succeed", "{task:#}");
    let series = scene::of_task(&appliance, &task);
    let reports = series["qc"].as_array().expect("reports");
    assert_eq!(reports.len(), 2);
    assert_eq!(
        reports[0]["loudness"]["short_term_lufs"].as_array().map(Vec::len),
        Some(6)
    );
    assert!(
        reports[1]["loudness"].is_null(),
        "nobody asked for it: {:#}",
        reports[1]
    );
    assert_eq!(check(&reports[0], "black")["verdict"], "pass");
    assert_eq!(series["loudness"]["job"], reports[0]["job"]);
}
