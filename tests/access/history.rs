//! Numbers by the minute.

use crate::admin;
use crate::appliance::Appliance;
use crate::refused;
use serde_json::Value;
use serde_json::json;

#[test]
fn numbers_are_kept_from_the_first_minute_and_read_in_spans() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let names: Vec<String> = appliance.until("the first numbers", || {
        let page = appliance.get("/api/v1/metrics?limit=500");
        let names: Vec<String> = page["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|item| item["id"].as_str().expect("a name").to_owned())
            .collect();
        (!names.is_empty()).then_some(names)
    });
    for name in [
        "tasks.waiting",
        "tasks.running",
        "attempts.running",
        "tasks.ended_per_minute",
        "deliveries.pending",
        "daemon.cpu_percent",
        "daemon.memory_bytes",
        "storage.free_bytes:ingest",
        "storage.size_bytes:renditions",
        "state.free_bytes",
    ] {
        assert!(names.iter().any(|known| known == name), "{name} of {names:?}");
    }
    let of = |query: &str| -> Value { appliance.get(&format!("/api/v1/metrics/history?{query}")) };
    let memory = of("name=daemon.memory_bytes");
    let points = memory["items"].as_array().expect("points");
    assert!(!points.is_empty());
    let value = points[0]["value"].as_f64().expect("a number");
    assert!(value > 1e6 && points[0]["min"].as_f64() <= Some(value), "{memory}");
    assert_eq!(of("name=daemon.memory_bytes&step=3600")["step_s"], 3600);
    assert_eq!(of("name=none")["items"], json!([]));
    assert_eq!(
        of("name=daemon.memory_bytes&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z")["items"],
        json!([])
    );
    for (query, code) in [
        (
            "name=x&from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&step=60",
            "BadStep",
        ),
        ("name=x&step=59", "BadStep"),
        ("name=x&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "BadTime"),
        ("name=x&from=yesterday", "BadTime"),
        ("from=2026-01-02T00:00:00Z", "BadQuery"),
    ] {
        let reply = admin(
            &appliance,
            "GET",
            &format!("/api/v1/metrics/history?{query}"),
            &json!({}),
        );
        refused(&reply, 400, code);
    }
}
