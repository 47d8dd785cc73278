//! Many tasks with one call.

use crate::appliance::Appliance;
use crate::appliance::http;
use crate::noop;
use serde_json::Value;
use serde_json::json;

/// The issue: "batch start over a prefix or list with one call".
#[test]
fn a_batch_runs_over_a_prefix_page_by_page() {
    let mut appliance = Appliance::new("");
    appliance.start();
    appliance.apply(&noop("w", "prefix = \"in/\"\ntrigger = \"manual\""));
    for number in 0..5 {
        appliance.object("ingest", &format!("in/{number}.mp4"), b"1");
        appliance.object("ingest", &format!("in/deep/{number}.mp4"), b"2");
    }
    appliance.object("ingest", "in/notes.txt", b"3");
    appliance.object("ingest", "out/x.mp4", b"4");
    let call = |cursor: &Value| {
        let body = json!({ "workflow": "w", "storage": "ingest", "prefix": "in/", "limit": 4, "cursor": cursor, "priority": 3, "user_data": "b" });
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "night")];
        let token = appliance.token();
        let reply = http::request(
            appliance.port(),
            "POST",
            "/api/v1/tasks/batch",
            Some(&token),
            &headers,
            body.to_string().as_bytes(),
        );
        let reply = reply.expect("answers");
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    let (mut cursor, mut items, mut calls) = (Value::Null, Vec::new(), 0);
    loop {
        let page = call(&cursor);
        calls += 1;
        assert!(
            page["items"].as_array().is_some_and(|items| items.len() <= 4),
            "bounded"
        );
        items.extend(page["items"].as_array().expect("items").clone());
        cursor = page["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!((items.len(), calls), (11, 3));
    let refused: Vec<&Value> = items.iter().filter(|item| item["status"] == "refused").collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (&refused[0]["object"], &refused[0]["problem"]["code"]),
        (&json!("ingest:in/notes.txt"), &json!("ObjectNotTaken"))
    );
    let tasks = appliance.ended_tasks(10);
    assert!(
        tasks
            .iter()
            .all(|task| task["priority"] == 3 && task["user_data"] == "b" && task["status"] == "Succeed")
    );
    // The same call again starts nothing.
    let again = call(&Value::Null);
    let known: Vec<&str> = again["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["status"].as_str().expect("a status"))
        .collect();
    assert_eq!(known, ["known"; 4], "{again}");
    assert_eq!(again["started"], 0);
    assert_eq!(appliance.tasks().len(), 10);
}

#[test]
fn a_batch_takes_a_list_and_refuses_each_by_itself() {
    let mut appliance = Appliance::new("");
    appliance.start();
    appliance.apply(&noop("w", "prefix = \"in/\"\ntrigger = \"manual\""));
    for key in ["in/a.mp4", "in/b.mp4", "out/c.mp4"] {
        appliance.object("ingest", key, b"1");
    }
    let objects = [
        "ingest:in/a.mp4",
        "ingest:in/none.mp4",
        "nonsense",
        "ingest:out/c.mp4",
        "nowhere:x",
        "ingest:in/b.mp4",
        "ingest:in/a.mp4",
    ];
    let told = appliance.posted(
        "/api/v1/tasks/batch",
        &json!({ "workflow": "w", "objects": objects }),
        200,
    );
    let items = told["items"].as_array().expect("items");
    let codes: Vec<&str> = items
        .iter()
        .map(|item| item["problem"]["code"].as_str().unwrap_or("started"))
        .collect();
    assert_eq!(
        codes,
        [
            "started",
            "ObjectNotFound",
            "BadObject",
            "ObjectNotTaken",
            "ObjectNotTaken",
            "started",
            "Repeated"
        ]
    );
    assert_eq!(
        (&told["started"], &told["refused"], &told["next"]),
        (&json!(2), &json!(5), &Value::Null)
    );
    appliance.ended_tasks(2);
    // By command: a list of a file, and a prefix.
    let list = appliance.path("list.txt");
    std::fs::write(&list, "# tonight\ningest:in/a.mp4\n\ningest:in/b.mp4\n").expect("written");
    let shown = appliance.did(&[
        "task",
        "start",
        "w",
        "--list",
        list.to_str().expect("text"),
        "--priority",
        "-2",
    ]);
    assert_eq!(
        shown.lines().filter(|line| line.contains("  started  ")).count(),
        2,
        "{shown}"
    );
    let shown = appliance.did(&["task", "start", "w", "--prefix", "ingest:in/"]);
    assert_eq!(shown.lines().count(), 2, "{shown}");
    let said = appliance.cli(&["task", "start", "w", "--prefix", "ingest:"]);
    assert_eq!(said.status.code(), Some(1), "one of all was refused");
    assert!(String::from_utf8_lossy(&said.stderr).contains("2 started, 1 refused"));
    appliance.ended_tasks(8);
    for (body, code) in [
        (json!({ "workflow": "w" }), "BadBatch"),
        (
            json!({ "workflow": "w", "objects": [], "storage": "ingest" }),
            "BadBatch",
        ),
        (
            json!({ "workflow": "w", "objects": vec!["ingest:x"; 501] }),
            "TooManyObjects",
        ),
        (
            json!({ "workflow": "w", "objects": ["ingest:in/a.mp4"], "priority": 99 }),
            "BadPriority",
        ),
        (json!({ "workflow": "w", "storage": "nowhere" }), "StorageUnknown"),
    ] {
        appliance.refused(&appliance.post("/api/v1/tasks/batch", &body), 422, code);
    }
    appliance.did(&["workflow", "disable", "w"]);
    let asleep = appliance.post(
        "/api/v1/tasks/batch",
        &json!({ "workflow": "w", "objects": ["ingest:in/a.mp4"] }),
    );
    appliance.refused(&asleep, 409, "WorkflowDisabled");
}
