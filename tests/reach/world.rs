//! An appliance whose tasks need no worker, and small things that all tests here use.

use crate::appliance::Appliance;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Takes everything that comes in, and does nothing with it.
pub const NOOP: &str = r#"
name = "noop"
[source]
storage = "ingest"
extensions = ["*"]
[[activity]]
id = "one"
type = "noop"
"#;

/// An appliance with the workflow and these sections beside the usual ones; not started.
pub fn appliance(sections: &str) -> Appliance {
    let appliance = Appliance::new(&format!(
        "[alerts]\ncheck_interval_s = 0.2\ndisk_low_bytes = 0\n{sections}"
    ));
    appliance.workflow_file("noop", NOOP);
    appliance
}

/// One that can be started anew with other sections: paths in them may say `{root}`.
pub fn configured(sections: &str) -> Appliance {
    let appliance = appliance("");
    reconfigure(&appliance, sections);
    appliance
}

/// Writes the configuration with these sections.
pub fn reconfigure(appliance: &Appliance, sections: &str) {
    let text = std::fs::read_to_string(appliance.config()).expect("there");
    const MARK: &str = "\n# sections of the test\n";
    let head = text.split(MARK).next().expect("a first part");
    let root = appliance.path("").display().to_string();
    let sections = sections.replace("{root}", root.trim_end_matches('/'));
    std::fs::write(appliance.config(), format!("{head}{MARK}{sections}")).expect("written");
}

/// Drops a file in that becomes a task.
pub fn arrive(appliance: &Appliance, key: &str) {
    let file = appliance.path("arrival.tmp");
    std::fs::write(&file, key).expect("written");
    appliance.deliver(&file, key);
}

/// A program in hooks_dir.
pub fn hook(appliance: &Appliance, name: &str, text: &str) {
    let path = appliance.path("hooks").join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("set");
}

/// A program that keeps each event it is told in a file of its own beneath `kept/NAME`: a line of variables, then the body.
pub fn keeping_hook(appliance: &Appliance, name: &str) {
    let folder = appliance.path("kept").join(name);
    std::fs::create_dir_all(&folder).expect("made");
    let line = "$REELMILL_EVENT_TYPE $REELMILL_EVENT_SEQ $REELMILL_ATTEMPT $REELMILL_TIMESTAMP $REELMILL_SIGNATURE";
    let text = format!(
        "{{ echo \"{line}\"; cat; }} > {folder}/$REELMILL_EVENT_ID.new\n\
         mv {folder}/$REELMILL_EVENT_ID.new {folder}/$REELMILL_EVENT_ID\n",
        folder = folder.display()
    );
    hook(appliance, name, &text);
}

/// What such a program was told: its variables and body, by event id.
pub fn kept(appliance: &Appliance, name: &str) -> Vec<(Vec<String>, Value)> {
    let folder = appliance.path("kept").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_none())
        .collect();
    files.sort();
    files.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> (Vec<String>, Value) {
    let text = std::fs::read_to_string(path).expect("readable");
    let (variables, body) = text.split_once('\n').expect("two parts");
    let variables = variables.split(' ').map(str::to_owned).collect();
    (variables, serde_json::from_str(body).expect("the body is JSON"))
}

/// Deliveries that a query finds.
pub fn deliveries(appliance: &Appliance, query: &str) -> Vec<Value> {
    let page = appliance.get(&format!("/api/v1/deliveries?limit=500&{query}"));
    page["items"].as_array().expect("a list").clone()
}

/// A file beneath the appliance's directory.
pub fn write(appliance: &Appliance, name: &str, text: &str) {
    std::fs::write(appliance.path(name), text).expect("written");
    std::fs::set_permissions(appliance.path(name), std::fs::Permissions::from_mode(0o600)).expect("set");
}
