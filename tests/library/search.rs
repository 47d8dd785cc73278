//! Finding media and tasks.

use crate::house::House;
use crate::house::NOOP;
use crate::house::house;
use serde_json::Value;
use serde_json::json;

fn pages(house: &crate::appliance::Appliance, path: &str, query: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = house.get(&format!("{path}?limit=3{query}{cursor}"));
        seen.extend(
            page["items"]
                .as_array()
                .expect("a list")
                .iter()
                .map(crate::house::id_of),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
    }
}

/// "search by name, tag, state, time": arrivals have kind and title, every filter answers, pages neither repeat nor skip,
/// whether the index knows a row or not.
#[test]
fn arrivals_are_found_by_every_filter_page_by_page() {
    let house = house();
    for number in 0..10 {
        house.stand("x", b"not looked at");
        let source = house.path("renditions/x");
        let extension = if number % 2 == 0 { "mpg" } else { "wav" };
        house.deliver(&source, &format!("reel/Take-{number:02}.{extension}"));
    }
    house.ended_tasks(10);
    let all = pages(&house, "/api/v1/media", "");
    assert_eq!(all.len(), 10);
    let oldest_first: Vec<String> = all.iter().rev().cloned().collect();
    let look = |moment: &str| {
        let find = |query: &str| pages(&house, "/api/v1/media", query);
        assert_eq!(find("&search=take"), all, "{moment}");
        assert_eq!(find("&search=take&sort=created_at"), oldest_first, "{moment}");
        assert_eq!(find("&sort=created_at"), oldest_first, "{moment}");
        assert_eq!(find("&search=Take-03.wav").len(), 1, "{moment}");
        assert_eq!(find("&search=ta%2003").len(), 1, "{moment}: short words count too");
        assert_eq!(find("&search=%25").len(), 0, "{moment}: a percent sign is no wildcard");
        assert_eq!(find("&search=%22reel%22").len(), 0, "{moment}: quotes are looked for");
        assert_eq!(find("&type=audio").len(), 5, "{moment}");
        assert_eq!(
            find("&type=audio&search=take&state=Normal&storage=ingest&origin=arrival").len(),
            5,
            "{moment}"
        );
        assert_eq!(find("&storage=ingest"), all, "{moment}");
        assert_eq!(
            find("&storage=renditions").len() + find("&origin=upload").len(),
            0,
            "{moment}"
        );
        assert_eq!(find("&state=Normal"), all, "{moment}");
        assert_eq!(find("&state=Failed").len(), 0, "{moment}");
        assert_eq!(find("&created_after=2020-01-01T00:00:00Z"), all, "{moment}");
        assert_eq!(find("&created_before=2020-01-01T00:00:00Z").len(), 0, "{moment}");
        assert_eq!(
            find("&created_after=2999-01-01T00:00:00Z&search=take").len(),
            0,
            "{moment}"
        );
        let tasks = pages(&house, "/api/v1/tasks", "");
        assert_eq!(pages(&house, "/api/v1/tasks", "&text=take-0"), tasks, "{moment}");
        assert_eq!(pages(&house, "/api/v1/tasks", "&text=TAKE-07").len(), 1, "{moment}");
        assert_eq!(pages(&house, "/api/v1/tasks", "&text=07").len(), 1, "{moment}");
        assert_eq!(
            pages(&house, "/api/v1/tasks", "&text=take-0&status=Failed").len(),
            0,
            "{moment}"
        );
    };
    look("some rows may not be entered yet");
    // Longer than the keeper sleeps: all are entered by now, and nothing may look different.
    std::thread::sleep(std::time::Duration::from_secs(5));
    look("all rows are entered");
    for (query, code) in [
        ("state=Fine", "BadQuery"),
        ("type=film", "BadQuery"),
        ("origin=sea", "BadQuery"),
        ("sort=size", "BadQuery"),
        ("created_after=yesterday", "BadQuery"),
        ("colour=red", "BadQuery"),
    ] {
        let reply = house.ask("GET", &format!("/api/v1/media?{query}"), &[], &Value::Null);
        assert_eq!((reply.status, &reply.json()["code"]), (400, &json!(code)), "{query}");
    }
    let media = house.get(&format!("/api/v1/media/{}", all[0]));
    assert!(
        media["title"].as_str().is_some_and(|title| title.starts_with("Take-")),
        "{media:#}"
    );
    // One view: tasks, events and where there is more.
    assert_eq!(media["tasks"].as_array().map(Vec::len), Some(1));
    assert_eq!(media["events"][0]["type"], "WorkflowTaskComplete", "{media:#}");
    let events = media["links"]["events"].as_str().expect("an address");
    assert_eq!(house.get(events)["items"][0]["id"], media["events"][0]["id"]);
    assert_eq!(
        house.get(&format!("/api/v1/deliveries?media={}", all[0]))["items"],
        json!([])
    );
}

/// Tasks are found by the user data they were started with.
#[test]
fn tasks_are_found_by_their_user_data() {
    let house = house();
    assert!(NOOP.contains("nothing"));
    house.stand("a.mp4", b"x");
    for shot in ["Shot-A", "Shot-B"] {
        let body = json!({ "workflow": "nothing", "object": "renditions:a.mp4", "user_data": shot,
            "skip_path_check": true });
        assert_eq!(house.post("/api/v1/tasks", &body).status, 201);
    }
    house.ended_tasks(2);
    for _ in 0..2 {
        assert_eq!(pages(&house, "/api/v1/tasks", "&text=shot-a").len(), 1);
        assert_eq!(pages(&house, "/api/v1/tasks", "&text=shot-").len(), 2);
        std::thread::sleep(std::time::Duration::from_secs(5));
    }
    let canceled = house.post("/api/v1/tasks/retry", &json!({ "text": "shot-b" }));
    assert_eq!(canceled.json()["tasks"], 0, "it succeeded: {}", canceled.text());
}
