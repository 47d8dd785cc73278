//! How old a file is does not begin anew with the daemon.

use crate::studio::drop_file;
use crate::studio::folder;
use crate::studio::make;
use crate::studio::studio;
use serde_json::Value;

#[test]
fn the_age_of_a_file_goes_on_while_the_daemon_starts_again() {
    let mut appliance = studio();
    appliance.start();
    let mut slow = folder(&appliance, "slow", "media/slow");
    slow["min_age_s"] = serde_json::json!(3_600);
    make(&appliance, &slow);
    drop_file(&appliance, "media/slow/a.txt", b"one");
    let since = |appliance: &crate::appliance::Appliance| -> Option<Value> {
        let storage = appliance.get("/api/v1/storages/slow");
        let young = storage["waiting"].as_array()?.iter().find(|one| one["why"].is_string())?;
        Some(young["why"].clone())
    };
    let before = appliance.until("the file to be too young", || since(&appliance));
    assert!(before.as_str().is_some_and(|why| why.contains("3600")), "{before}");
    let first = appliance.get("/api/v1/storages/slow/explain?key=a.txt")["seen_at"].clone();
    assert!(appliance.stop().success());
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    appliance.start();
    // The sentence names since when it is waited for, and so does the ledger.
    assert_eq!(appliance.until("the file to be too young", || since(&appliance)), before);
    let again = appliance.get("/api/v1/storages/slow/explain?key=a.txt")["seen_at"].clone();
    assert_eq!(again, first);
}
