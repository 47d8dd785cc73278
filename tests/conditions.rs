//! Do conditions over the source and what came before decide which activities run, in the daemon and without it?

mod appliance;

use appliance::Appliance;
use appliance::clips;
use serde_json::Value;
use std::process::Command;

/// Facts and quality control first; then one way for large pictures, one for small ones, one for silence that was found.
const WORKFLOW: &str = r#"
name = "choice"
[source]
storage = "ingest"
[output]
storage = "renditions"
[[activity]]
id = "facts"
type = "analysis"
[[activity]]
id = "qc"
type = "qc"
[[activity]]
id = "large"
type = "cover"
needs = ["facts"]
when = "height >= 1080 && !hdr"
[[activity]]
id = "small"
type = "cover"
needs = ["facts"]
when = "height < 1080 && duration_s > 5"
[[activity]]
id = "silent"
type = "noop"
needs = ["qc"]
when = "results.qc.status == 'Success' && !has(results.qc.fault) && has_audio"
[[activity]]
id = "after"
type = "noop"
needs = ["large"]
"#;

fn by_activity(list: &Value, of: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            (text(of), text("status"))
        })
        .collect();
    found.sort();
    found
}

fn expected() -> Vec<(String, String)> {
    [
        ("after", "Skipped"),
        ("facts", "Success"),
        ("large", "Skipped"),
        ("qc", "Success"),
        ("silent", "Success"),
        ("small", "Success"),
    ]
    .map(|(activity, status)| (activity.to_owned(), status.to_owned()))
    .to_vec()
}

#[test]
fn the_daemon_runs_what_holds_and_says_why_it_skips_the_rest() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("choice", WORKFLOW);
    appliance.start();
    appliance.deliver(&clips::short(), "a.mp4");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");
    assert_eq!(by_activity(&task["jobs"], "activity"), expected(), "{task:#}");
    let words = task.to_string();
    assert!(
        words.contains("its condition height >= 1080 && !hdr does not hold"),
        "{words}"
    );
    let files = appliance.files("renditions");
    assert_eq!(files, ["a/qc.json", "a/small.jpg"], "only what held was made");
}

#[test]
fn a_run_without_a_daemon_decides_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let workflow = folder.path().join("choice.toml");
    std::fs::write(&workflow, WORKFLOW).expect("written");
    let answer = Command::new(appliance::REELMILL)
        .arg("run")
        .arg(&workflow)
        .arg(clips::short())
        .args(["--json", "--output"])
        .arg(folder.path().join("out"))
        .output()
        .expect("the binary runs");
    let report: Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    assert_eq!(by_activity(&report["activities"], "id"), expected(), "{report:#}");
}

#[test]
fn a_condition_that_names_nothing_known_is_refused_when_it_is_saved() {
    let mut appliance = Appliance::new("");
    appliance.start();
    for (from, to, wanted) in [
        ("height >= 1080", "heigth >= 1080", "did you mean \\\"height\\\""),
        (
            "needs = [\"facts\"]\nwhen = \"height < ",
            "when = \"height < ",
            "needs something in needs",
        ),
        ("height >= 1080 && !hdr", "height + 1080", "yes or no"),
        (
            "results.qc.status",
            "results.facts.status",
            "no activity before this one",
        ),
    ] {
        let text = WORKFLOW.replace(from, to);
        assert_ne!(text, WORKFLOW);
        let file = appliance.path("w.toml");
        std::fs::write(&file, text).expect("written");
        let answer = appliance.cli(&["workflow", "apply", file.to_str().expect("plain"), "--json"]);
        let said = appliance::said(&answer).replace('"', "\\\"");
        assert!(!answer.status.success() && said.contains(wanted), "{wanted}: {said}");
    }
}
