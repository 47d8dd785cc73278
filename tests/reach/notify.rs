//! An address of one run alone, in its user data: who listens there is told. Callers may not name this host's loopback, so
//! the whole test runs in a network of its own, where another address is this host too.

use crate::appliance::Appliance;
use crate::appliance::receiver::Receiver;
use crate::world::NOOP;
use serde_json::json;
use std::net::TcpListener;
use std::process::Command;

/// Set in the process that runs within.
const WITHIN: &str = "REELMILL_TEST_OWN_NETWORK";
/// An address that counts as another host of the network.
const ADDRESS: &str = "10.77.0.1";

/// Seed 000 and the clouds' `UserData`: a `NotifyAddress` is told of its run, and of no other; the workflow's own
/// destination is not told of that run.
#[test]
fn an_address_of_one_run_is_told_of_that_run() {
    if std::env::var_os(WITHIN).is_none() {
        return again_within("notify::an_address_of_one_run_is_told_of_that_run");
    }
    let unified = Receiver::start();
    let listener = TcpListener::bind((ADDRESS, 0)).expect("the address is this host's");
    let port = listener.local_addr().expect("bound").port();
    let own = Receiver::listen(listener);
    let mut appliance = Appliance::new(&format!("[callback]\nurl = \"{}\"\nprofile = \"ims\"\n", unified.url()));
    appliance.workflow_file("noop", NOOP);
    std::fs::write(appliance.path("ingest/a.bin"), "a").expect("written");
    // So that it is older than the daemon by more than a tick of the file system's clock.
    std::thread::sleep(std::time::Duration::from_millis(100));
    appliance.start();
    let start = |user_data: serde_json::Value| {
        let body = json!({ "workflow": "noop", "object": "ingest:a.bin", "user_data": user_data });
        let reply = appliance.post("/api/v1/tasks", &body);
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["id"].as_str().expect("an id").to_owned()
    };
    let told = json!({ "NotifyAddress": format!("http://{ADDRESS}:{port}/run"), "ref": 7 });
    let mine = start(told.clone());
    let other = start(json!("plain"));
    let complete = appliance.until("the address to be told", || own.of_type("WorkflowTaskComplete").pop());
    assert_eq!(complete.path, "/run");
    let body = &complete.json()["MessageBody"];
    assert_eq!(body["TaskId"], mine.as_str(), "{body:#}");
    let echoed = body["UserData"].as_str().expect("a text");
    assert_eq!(serde_json::from_str::<serde_json::Value>(echoed).expect("JSON"), told);
    // The unified one hears of both as before.
    let both = appliance.until("the unified one to be told", || {
        let both = unified.of_type("WorkflowTaskComplete");
        (both.len() == 2).then_some(both)
    });
    let mut tasks: Vec<_> = both
        .iter()
        .map(|told| told.json()["MessageBody"]["TaskId"].as_str().expect("an id").to_owned())
        .collect();
    tasks.sort_unstable();
    assert_eq!(tasks, [mine, other]);
    assert_eq!(own.accepted().len(), 1);
}

/// Runs one test of this program in a network of its own.
fn again_within(test: &str) {
    let script =
        format!("ip link set lo up && ip addr add {ADDRESS}/32 dev lo && exec \"$0\" --exact {test} --nocapture");
    let own = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "true"])
        .status();
    if !own.is_ok_and(|status| status.success()) {
        let text = "no network of one's own can be made here (unshare)";
        assert!(
            std::env::var_os("REELMILL_REQUIRE_MOUNTS").is_none_or(|value| value != "1"),
            "{text}"
        );
        println!("skipped: {text}");
        return;
    }
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "sh", "-c", &script])
        .arg(program)
        .env(WITHIN, "1")
        .output()
        .expect("it starts");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
