//! The archive of events in a storage: one line an event, whatever dies.

use crate::appliance::Appliance;
use crate::appliance::files_beneath;
use crate::world::arrive;
use crate::world::configured;
use crate::world::deliveries;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Into the very storage that is watched, by a workflow that takes every file.
const SECTIONS: &str = r#"
[[destination]]
name = "vault"
kind = "storage"
storage = "ingest"
prefix = "audit/events"
profile = "native"
global = true
"#;

fn lines(appliance: &Appliance) -> Vec<Value> {
    let folder = appliance.path("ingest/audit/events");
    let mut lines = Vec::new();
    for file in files_beneath(&folder) {
        assert_eq!(file.len(), "2026-01-02.jsonl".len(), "{file}");
        let text = std::fs::read_to_string(folder.join(&file)).expect("readable");
        for line in text.lines().filter(|_| text.ends_with('\n')) {
            lines.push(serde_json::from_str(line).expect("each line is JSON"));
        }
    }
    lines
}

#[test]
fn every_event_has_exactly_one_line_after_kill_9_and_starts_nothing() {
    const TASKS: usize = 40;
    let mut appliance = configured(SECTIONS);
    appliance.start();
    for round in 0..4 {
        for number in 0..TASKS / 4 {
            arrive(&appliance, &format!("in/{round}-{number}.bin"));
        }
        // Somewhere between the arrivals, the tasks, the lines and the rows of the deliveries.
        std::thread::sleep(Duration::from_millis(600 + 170 * round));
        appliance.kill_9();
        appliance.start();
    }
    appliance.ended_tasks(TASKS);
    appliance.until("everything to be archived", || {
        let pending = deliveries(&appliance, "destination=vault&status=pending").is_empty();
        let told = lines(&appliance);
        let ends = told
            .iter()
            .filter(|line| line["type"] == "WorkflowTaskComplete")
            .count();
        (pending && ends >= TASKS).then_some(())
    });
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines(&appliance) {
        assert_eq!(line["id"], line["body"]["id"]);
        *by_id.entry(line["id"].as_str().expect("an id").to_owned()).or_default() += 1;
    }
    assert!(by_id.values().all(|count| *count == 1), "{by_id:?}");
    // A replay of what is there adds nothing.
    let one = deliveries(&appliance, "destination=vault&status=done").remove(0);
    let path = format!("/api/v1/deliveries/{}/replay", one["id"].as_str().expect("an id"));
    assert_eq!(appliance.post(&path, &serde_json::json!({})).status, 202);
    let before = lines(&appliance).len();
    let again = appliance.until("the replay to be done", || {
        let shown = appliance.get(&format!("/api/v1/deliveries/{}", one["id"].as_str().expect("an id")));
        (shown["status"] == "done").then_some(shown)
    });
    assert_eq!(
        again["history"].as_array().expect("tries").last().expect("one")["answer"],
        "it is there already"
    );
    assert_eq!(lines(&appliance).len(), before);
    assert_eq!(appliance.tasks().len(), TASKS, "no archive was taken for an arrival");
}
