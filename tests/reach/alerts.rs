//! What a person is told of by itself: storages, disks, and that it is over.

use crate::appliance::Appliance;
use crate::world::configured;
use crate::world::keeping_hook;
use crate::world::kept;
use crate::world::reconfigure;
use serde_json::Value;

const WATCHER: &str = r#"
[[destination]]
name = "watcher"
kind = "exec"
program = "watcher"
profile = "native"
events = ["AlertRaised", "AlertCleared"]
"#;

fn open(appliance: &Appliance) -> Vec<Value> {
    let page = appliance.get("/api/v1/alerts");
    page["items"].as_array().expect("a list").clone()
}

#[test]
fn a_storage_that_goes_away_is_told_of_and_its_return_too() {
    let mut appliance = configured(WATCHER);
    keeping_hook(&appliance, "watcher");
    appliance.start();
    // Only of a storage that was seen it can be said that it is another one now.
    appliance.until("the storage to be seen", || {
        let seen = appliance.get("/api/v1/storages/renditions");
        (seen["status"] == "available").then_some(())
    });
    let (here, away) = (appliance.path("renditions"), appliance.path("renditions.away"));
    std::fs::rename(&here, &away).expect("moved");
    let alert = appliance.until("an alert", || open(&appliance).pop());
    assert_eq!(
        (&alert["code"], &alert["subject"]),
        (&"StorageFrozen".into(), &"renditions".into())
    );
    let output = appliance.cli(&["alert", "acknowledge", alert["id"].as_str().expect("an id")]);
    assert!(output.status.success(), "{}", crate::appliance::said(&output));
    let output = appliance.cli(&["alert", "list"]);
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        listed.contains("StorageFrozen") && listed.contains("renditions"),
        "{listed}"
    );
    // Still so after a restart: the same episode.
    appliance.kill_9();
    appliance.start();
    std::thread::sleep(std::time::Duration::from_secs(1));
    let still = open(&appliance);
    assert_eq!((still.len(), &still[0]["id"]), (1, &alert["id"]));
    assert_eq!(still[0]["acknowledged_by"], "first start");
    std::fs::rename(&away, &here).expect("moved back");
    appliance.until("the alert to be over", || open(&appliance).is_empty().then_some(()));
    let told = appliance.until("both to be told", || {
        let told = kept(&appliance, "watcher");
        (told.len() == 2).then_some(told)
    });
    let types: Vec<&str> = told.iter().map(|(variables, _)| variables[0].as_str()).collect();
    assert_eq!(types, ["AlertRaised", "AlertCleared"]);
    let text = told[0].1.to_string();
    assert!(text.contains("StorageFrozen") && text.contains("renditions"), "{text}");
}

#[test]
fn a_disk_that_is_low_is_told_of_until_it_is_not() {
    let mut appliance = configured(WATCHER);
    keeping_hook(&appliance, "watcher");
    let plain = std::fs::read_to_string(appliance.config()).expect("there");
    let low = plain.replace(
        "disk_low_bytes = 0",
        "disk_low_bytes = 4611686018427387904\ndisk_low_percent = 100.0",
    );
    assert_ne!(plain, low);
    std::fs::write(appliance.config(), low).expect("written");
    appliance.start();
    let alerts = appliance.until("four disks to be low", || {
        let open = open(&appliance);
        (open.len() == 4).then_some(open)
    });
    let mut subjects: Vec<&str> = alerts.iter().filter_map(|alert| alert["subject"].as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(
        subjects,
        ["scratch_dir", "state_dir", "storage ingest", "storage renditions"]
    );
    assert!(alerts.iter().all(|alert| alert["code"] == "DiskLow"));
    assert!(appliance.stop().success());
    reconfigure(&appliance, WATCHER);
    std::fs::write(appliance.config(), plain).expect("written");
    appliance.start();
    appliance.until("them to be over", || open(&appliance).is_empty().then_some(()));
    appliance.until("all to be told", || {
        (kept(&appliance, "watcher").len() == 8).then_some(())
    });
}

#[test]
fn a_backup_that_cannot_be_written_is_told_of_until_one_can() {
    let mut appliance = configured("");
    appliance.start();
    let to = |file: String| {
        appliance
            .post("/api/v1/system/backup", &serde_json::json!({ "file": file }))
            .status
    };
    let nowhere = to("/proc/nowhere/copy.db".to_owned());
    assert!(nowhere >= 400, "{nowhere}");
    assert_eq!(open(&appliance)[0]["code"], "BackupFailed");
    assert_eq!(to(appliance.path("copy.db").display().to_string()), 201);
    assert!(open(&appliance).is_empty());
}
