//! The daemon and its NVIDIA devices, played by the stand-in driver: which of them carries what, what happens when one is
//! lost, breaks for good or comes back, and what is said of it in results, events, numbers and `/api/v1/system`; how
//! busy, full and warm they are.
//!
//! There is no GPU in it (see `standin/README.md`).

#[path = "../appliance/mod.rs"]
mod appliance;
mod meters;
mod rack;

use crate::rack::Rack;

#[test]
fn two_devices_are_filled_by_load_and_each_carries_no_more_than_it_may() {
    let mut rack = Rack::new("attempts = 1", &[("STANDIN_DEVICES", "2")]);
    rack.workflow("gpu");
    rack.start();
    let gpu = rack.system();
    assert_eq!(gpu["devices"].as_array().map(Vec::len), Some(2), "{gpu:#}");
    assert_eq!(gpu["devices"][1]["name"], "Stand-in (no GPU)");
    assert_eq!(gpu["devices"][1]["work"]["attempts_limit"], 1);
    // Together, so that both are ready when work begins.
    rack.drain(true);
    rack.deliver("one.mp4");
    rack.deliver("two.mp4");
    rack.appliance.until("both to be queued", || {
        (rack.appliance.tasks().len() == 2).then_some(())
    });
    rack.drain(false);
    let mut given = Vec::new();
    for task in rack.appliance.ended_tasks(2) {
        assert_eq!(Rack::made(&task), ("gpu".to_owned(), None), "{task:#}");
        given.push(task["attempts"][0]["device"].clone());
    }
    let mut there = [gpu["devices"][0]["uuid"].clone(), gpu["devices"][1]["uuid"].clone()];
    given.sort_by_key(serde_json::Value::to_string);
    there.sort_by_key(serde_json::Value::to_string);
    assert_eq!(given, there, "each attempt says which it was given");
    let log = rack.appliance.log();
    assert!(log.contains("device=0") && log.contains("device=1"), "{log}");
    assert_eq!(rack.number("reelmill_gpu_fallbacks_total"), None);
    assert_eq!(rack.violations(), "");
}

#[test]
fn sessions_are_counted_before_anything_fails_for_want_of_one() {
    // The workflow has one encode: with one session one attempt runs at a time, though the device takes four.
    let mut rack = Rack::new("attempts = 4", &[("STANDIN_SESSIONS", "1")]);
    rack.workflow("gpu");
    rack.start();
    assert_eq!(rack.system()["devices"][0]["work"]["sessions_limit"], 1);
    rack.drain(true);
    rack.deliver("one.mp4");
    rack.deliver("two.mp4");
    rack.appliance.until("both to be queued", || {
        (rack.appliance.tasks().len() == 2).then_some(())
    });
    rack.drain(false);
    rack.appliance.until("both tasks to end", || {
        let work = &rack.system()["devices"][0]["work"];
        assert!(
            work["attempts"].as_u64() <= Some(1) && work["sessions"].as_u64() <= Some(1),
            "{work}"
        );
        let tasks = rack.appliance.tasks();
        tasks.iter().all(|task| task["status"] == "Succeed").then_some(())
    });
    for task in rack.appliance.ended_tasks(2) {
        assert_eq!(Rack::made(&task), ("gpu".to_owned(), None), "{task:#}");
    }
    let log = rack.appliance.log();
    assert!(
        !log.contains("waits for its device"),
        "nobody was refused a session: {log}"
    );
}

#[test]
fn after_a_worker_died_on_its_device_the_next_works_in_software_and_says_why() {
    let mut rack = Rack::new("", &[("STANDIN_CRASH_AT", "5")]);
    rack.workflow("auto");
    rack.start();
    rack.deliver("one.mp4");
    let task = rack.appliance.ended_tasks(1).remove(0);
    let (backend, reason) = Rack::made(&task);
    assert_eq!(backend, "software", "{task:#}");
    let reason = reason.expect("it says why");
    assert!(
        reason.starts_with("device 0: ") && reason.contains("died of signal"),
        "{reason}"
    );
    let job = Rack::ladder(&task);
    assert_eq!(job["tries"], 1, "one attempt failed, one did it");
    assert_eq!(rack.number("reelmill_gpu_fallbacks_total{reason=\"crash\"}"), Some(1.0));
    let told = rack.told("MediaConvertOutputComplete");
    assert_eq!(told["job"]["backend"], "software");
    assert_eq!(told["job"]["fallback_reason"], reason);
}

#[test]
fn a_device_that_keeps_failing_gets_no_work_until_a_look_finds_it_well() {
    let mut rack = Rack::new("", &[("STANDIN_LOST_AT", "5")]);
    // Beneath the folder of kernels, which is the one that a caged worker can read.
    let broken = rack.appliance.path("scratch/kernels/broken");
    rack.appliance
        .set_variable("STANDIN_BROKEN_WHILE", &broken.display().to_string());
    rack.workflow("auto");
    rack.start();
    for count in 1..=3 {
        rack.deliver(&format!("{count}.mp4"));
        let task = rack.appliance.ended_tasks(count).remove(0);
        let (backend, reason) = Rack::made(&task);
        assert_eq!(backend, "software", "{task:#}");
        assert!(reason.is_some(), "{task:#}");
        let log = rack.appliance.log();
        assert_eq!(
            Rack::ladder(&task)["tries"],
            0,
            "the same worker did it once more\n{log}"
        );
    }
    assert_eq!(
        rack.number("reelmill_gpu_fallbacks_total{reason=\"device_failed\"}"),
        Some(3.0)
    );
    let aside = rack.system()["devices"][0]["work"]["set_aside"].clone();
    assert!(aside["why"].is_string(), "{aside}");
    assert_eq!(rack.gauge("reelmill_gpu_set_aside"), Some(1.0));
    let raised = rack.told("AlertRaised");
    assert_eq!(raised["alert"]["code"], "DeviceDrained", "{raised:#}");
    assert!(
        raised["alert"]["cause"].as_str().is_some_and(|cause| !cause.is_empty()),
        "{raised:#}"
    );

    rack.deliver("4.mp4");
    let task = rack.appliance.ended_tasks(4).remove(0);
    let (backend, reason) = Rack::made(&task);
    assert_eq!(backend, "software");
    assert!(
        reason.is_some_and(|reason| reason.contains("gets no work at present")),
        "{task:#}"
    );
    assert_eq!(
        rack.number("reelmill_gpu_fallbacks_total{reason=\"set_aside\"}"),
        Some(1.0)
    );

    std::fs::write(&broken, "0").expect("the folder of kernels is there");
    let looked_at = rack.look();
    assert!(
        rack.system()["devices"][0]["work"]["set_aside"]["why"].is_string(),
        "it is still broken"
    );
    std::fs::remove_file(&broken).expect("it is there");
    assert_ne!(rack.look(), looked_at);
    assert!(
        rack.system()["devices"][0]["work"]["set_aside"].is_null(),
        "a person asked, and it answers well"
    );
    assert_eq!(rack.gauge("reelmill_gpu_set_aside"), Some(0.0));
    let cleared = rack.told("AlertCleared");
    assert_eq!(cleared["alert"]["id"], raised["alert"]["id"], "{cleared:#}");
    assert_eq!(
        rack.appliance.log().matches("a device gets no more work").count(),
        1,
        "told once"
    );
}

#[test]
fn a_host_without_a_driver_works_in_software_and_refuses_what_must_have_a_device() {
    let mut rack = Rack::without_driver();
    rack.workflow("auto");
    rack.workflow("gpu");
    rack.start();
    let gpu = rack.system();
    assert_eq!(gpu["devices"].as_array().map(Vec::len), Some(0), "{gpu:#}");
    assert!(gpu["missing"][0]["remedy"].is_string(), "{gpu:#}");
    assert_eq!(
        gpu["missing"].as_array().map(Vec::len),
        Some(1),
        "no word of NVML: {gpu:#}"
    );
    rack.deliver("one.mp4");
    let tasks = rack.appliance.ended_tasks(2);
    let of = |workflow: &str| {
        let task = tasks.iter().find(|task| task["workflow"]["name"] == workflow);
        task.unwrap_or_else(|| panic!("a task of {workflow}: {tasks:#?}"))
            .clone()
    };
    let auto = of("auto");
    assert_eq!(
        Rack::made(&auto),
        ("software".to_owned(), Some("no NVIDIA driver".to_owned())),
        "{auto:#}"
    );
    assert!(auto["attempts"][0]["device"].is_null(), "{auto:#}");
    let gpu = of("gpu");
    assert_eq!(gpu["status"], "Failed");
    let fault = &Rack::ladder(&gpu)["fault"];
    assert_eq!(fault["code"], "BackendUnavailable", "{gpu:#}");
    assert!(
        fault["remedy"].as_str().is_some_and(|remedy| remedy.len() > 10),
        "{fault}"
    );
    assert_eq!(
        rack.number("reelmill_gpu_fallbacks_total"),
        None,
        "nothing was fallen back from"
    );
    assert!(!rack.metrics().contains("reelmill_gpu_utilization"));
}

#[test]
fn where_devices_are_switched_off_none_is_looked_at() {
    let mut rack = Rack::new("devices = \"none\"", &[]);
    rack.workflow("auto");
    rack.begin();
    rack.deliver("one.mp4");
    let task = rack.appliance.ended_tasks(1).remove(0);
    assert_eq!(
        Rack::made(&task),
        ("software".to_owned(), None),
        "as the operator wants it"
    );
    assert!(rack.system()["looked_at"].is_null());
    let refused = rack
        .appliance
        .post("/api/v1/system/devices/look", &serde_json::json!({}));
    assert_eq!(refused.status, 409, "{}", refused.text());
}
