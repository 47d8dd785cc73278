//! Looking for a file in a storage.

use crate::admin;
use crate::appliance::Appliance;
use crate::appliance::signal;
use crate::refused;
use serde_json::Value;
use serde_json::json;
use std::process::Command;
use std::process::Stdio;

fn keys(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("a list").iter();
    items
        .map(|item| item["key"].as_str().expect("a key").to_owned())
        .collect()
}

#[test]
fn folders_and_files_come_page_by_page() {
    let mut appliance = Appliance::new("");
    for file in ["in/a.mp4", "in/b.mp4", "in/deep/c.mp4", "z.mp4", ".reelmill/x"] {
        let path = appliance.path("renditions").join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, file).expect("written");
    }
    appliance.start();
    let root = appliance.get("/api/v1/objects?storage=renditions");
    assert_eq!(keys(&root), ["in/", "z.mp4"]);
    assert_eq!(
        (&root["items"][0]["kind"], &root["items"][0]["size_bytes"]),
        (&json!("folder"), &json!(null))
    );
    assert_eq!(
        (
            &root["items"][1]["kind"],
            &root["items"][1]["size_bytes"],
            &root["items"][1]["id"]
        ),
        (&json!("file"), &json!(5), &json!("renditions:z.mp4"))
    );
    assert!(
        root["items"][1]["modified_at"]
            .as_str()
            .is_some_and(|at| at.ends_with('Z'))
    );
    let first = appliance.get("/api/v1/objects?storage=renditions&prefix=in/&limit=2");
    assert_eq!(keys(&first), ["in/a.mp4", "in/b.mp4"]);
    let next = first["next"].as_str().expect("another page");
    let second = appliance.get(&format!(
        "/api/v1/objects?storage=renditions&prefix=in/&limit=2&cursor={next}"
    ));
    assert_eq!(keys(&second), ["in/deep/"]);
    assert_eq!(second["next"], json!(null));
    assert_eq!(
        keys(&appliance.get("/api/v1/objects?storage=renditions&prefix=in/b")),
        ["in/b.mp4"]
    );
    assert_eq!(
        keys(&appliance.get("/api/v1/objects?storage=renditions&prefix=none/")),
        Vec::<String>::new()
    );
    for (query, status, code) in [
        ("storage=nowhere", 404, "NotFound"),
        ("storage=renditions&prefix=../", 400, "BadPrefix"),
        ("storage=renditions&delimiter=x", 400, "BadDelimiter"),
        ("storage=renditions&limit=0", 400, "BadLimit"),
        ("prefix=in/", 400, "BadQuery"),
    ] {
        refused(
            &admin(&appliance, "GET", &format!("/api/v1/objects?{query}"), &json!({})),
            status,
            code,
        );
    }
}

/// A bind mount whose server stands still.
struct Hung {
    point: std::path::PathBuf,
    pid: u32,
}

impl Drop for Hung {
    fn drop(&mut self) {
        signal(self.pid, "CONT");
        let _ = Command::new("fusermount").arg("-uz").arg(&self.point).status();
        let _ = Command::new("umount")
            .arg("-l")
            .arg(&self.point)
            .stderr(Stdio::null())
            .status();
        signal(self.pid, "KILL");
    }
}

#[test]
fn a_storage_that_hangs_is_a_problem_in_time() {
    let mut appliance = Appliance::new("");
    let (below, point) = (appliance.path("below"), appliance.path("renditions"));
    std::fs::create_dir(&below).expect("made");
    let mounted = Command::new("bindfs")
        .args(["-f", "-o", "attr_timeout=0,entry_timeout=0,negative_timeout=0"])
        .arg(&below)
        .arg(&point)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = mounted else {
        println!("skipped: bindfs is not installed");
        return;
    };
    let hung = Hung {
        point: point.clone(),
        pid: child.id(),
    };
    std::fs::write(below.join("a.mp4"), "x").expect("written");
    for _ in 0..100 {
        if point.join("a.mp4").exists() || child.try_wait().ok().flatten().is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    if !point.join("a.mp4").exists() {
        println!("skipped: this user cannot mount");
        std::mem::forget(hung);
        return;
    }
    appliance.start();
    assert_eq!(keys(&appliance.get("/api/v1/objects?storage=renditions")), ["a.mp4"]);
    signal(hung.pid, "STOP");
    let reply = admin(&appliance, "GET", "/api/v1/objects?storage=renditions", &json!({}));
    refused(&reply, 503, "StorageHangs");
    assert_eq!(
        keys(&appliance.get("/api/v1/objects?storage=ingest")),
        Vec::<String>::new(),
        "the others answer"
    );
    assert_eq!(appliance.get("/api/v1/tasks")["items"], json!([]));
    signal(hung.pid, "CONT");
    appliance.until("the storage to answer again", || {
        let reply = admin(&appliance, "GET", "/api/v1/objects?storage=renditions", &json!({}));
        (reply.status == 200).then_some(())
    });
    appliance.kill_9();
    drop(hung);
    let _ = child.wait();
}
