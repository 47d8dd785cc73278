//! Is a backup of a running daemon whole, and does a restored one know everything again and nothing twice?

mod appliance;

use appliance::Appliance;
use appliance::reelmill;
use appliance::said;
use serde_json::Value;
use std::os::unix::fs::MetadataExt;

const NOOP: &str = "name = \"nothing\"\n[source]\nstorage = \"ingest\"\ntrigger = \"automatic\"\nextensions = [\"bin\"]\n\
                    [[activity]]\nid = \"n\"\ntype = \"noop\"\n";

/// Any user that is not root.
const DAEMON: u32 = 65_534;

fn ids(tasks: &[Value]) -> Vec<String> {
    tasks.iter().map(|task| task["id"].to_string()).collect()
}

fn put(appliance: &Appliance, key: &str) {
    let beside = appliance.path("delivery.tmp");
    std::fs::write(&beside, key).expect("written");
    std::fs::rename(&beside, appliance.path("ingest").join(key)).expect("moved in");
}

#[test]
fn what_was_backed_up_is_known_again_and_what_lay_there_is_not_run_again() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("nothing", NOOP);
    appliance.start();
    appliance.until("the first scan to end", || {
        appliance.log().contains("the first scan ended").then_some(())
    });
    put(&appliance, "first.bin");
    let known = ids(&appliance.ended_tasks(1));

    let copy = appliance.path("copy.db");
    let copy = copy.to_str().expect("plain");
    let config = appliance.config();
    let restore = ["--config", config.to_str().expect("plain"), "restore", copy];
    let made = appliance.cli(&["backup", copy]);
    assert!(made.status.success(), "{}", said(&made));
    let again = appliance.cli(&["backup", copy]);
    assert!(!again.status.success(), "an existing file stays: {}", said(&again));
    let running = reelmill(&restore);
    assert_eq!(running.status.code(), Some(2), "{}", said(&running));
    assert!(
        said(&running).contains("another reelmill process"),
        "{}",
        said(&running)
    );

    // After the backup: forgotten by the restore, and then an arrival like any other.
    put(&appliance, "second.bin");
    appliance.ended_tasks(2);
    assert!(appliance.stop().success());
    let foreign = appliance.config();
    let refused = reelmill(&[
        "--config",
        config.to_str().expect("plain"),
        "restore",
        foreign.to_str().expect("plain"),
    ]);
    assert!(!refused.status.success(), "not a database: {}", said(&refused));
    // Root restores for a daemon that is someone else; only root can be tried that way.
    let state = appliance.path("state");
    let as_root = std::fs::metadata(&state).expect("there").uid() == 0;
    if as_root {
        std::os::unix::fs::chown(&state, Some(DAEMON), Some(DAEMON)).expect("given away");
    }
    let restored = reelmill(&restore);
    assert!(restored.status.success(), "{}", said(&restored));
    assert!(said(&restored).contains(".before-restore-"), "{}", said(&restored));
    for name in ["reelmill.db", "reelmill.db.lock"] {
        let owner = std::fs::metadata(state.join(name)).expect("there").uid();
        assert!(!as_root || owner == DAEMON, "{name} belongs to {owner}");
    }

    appliance.start();
    let tasks = appliance.ended_tasks(2);
    assert_eq!(
        ids(&tasks)[1..],
        known[..],
        "the first task is the one that was backed up"
    );
    assert_eq!(tasks[0]["media"]["object"], "ingest:second.bin");
}
