//! Tasks: paging, starting once, wishes.

use crate::served::NOOP;
use crate::served::Served;
use crate::served::problem;
use reelmill::base::ids::JobId;
use reelmill::base::ids::TaskId;
use reelmill::web::ports::Live;
use reqwest::Method;
use reqwest::StatusCode;
use serde_json::Value;
use serde_json::json;

#[tokio::test]
async fn lists_page_to_their_end_without_repeating() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let mut started = Vec::new();
    for number in 0..7 {
        started.push(served.start(&format!("in/{number}.mp4")).await);
    }
    started.reverse();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = served.get(&format!("/api/v1/tasks?limit=3{cursor}")).await;
        for item in page["items"].as_array().expect("a list") {
            seen.push(item["id"].as_str().expect("has an id").to_owned());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, started, "newest first");
    let found = served.get("/api/v1/tasks?text=in/4&status=Init&workflow=noop").await;
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        served.get("/api/v1/tasks?text=%25").await["items"],
        json!([]),
        "a percent sign is no wildcard"
    );
    for (query, code) in [
        ("limit=0", "BadLimit"),
        ("limit=501", "BadLimit"),
        ("cursor=zzz", "BadCursor"),
        ("status=Done", "BadStatus"),
        ("colour=red", "BadQuery"),
    ] {
        let request = served.ask(Method::GET, &format!("/api/v1/tasks?{query}"));
        let (status, body) = problem(request.send().await.expect("answers")).await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::BAD_REQUEST, &json!(code)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_task_starts_once_for_a_key_and_only_when_it_can_run() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    served.object("in/a.mp4", b"1234");
    served.object("out/b.mp4", b"12");
    let body = json!({ "workflow": "noop", "object": "ingest:in/a.mp4", "user_data": { "shot": 7 }, "priority": 3 });
    let keyed = |key: &str, body: &Value| {
        served
            .ask(Method::POST, "/api/v1/tasks")
            .header("idempotency-key", key)
            .json(body)
            .send()
    };
    let first = keyed("k1", &body).await.expect("answers");
    assert_eq!(first.status(), StatusCode::CREATED);
    let first: Value = first.json().await.expect("is JSON");
    assert_eq!(
        (&first["user_data"], &first["media"]["size_bytes"]),
        (&json!("{\"shot\":7}"), &json!(4))
    );
    let again = keyed("k1", &body).await.expect("answers");
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.json::<Value>().await.expect("is JSON")["id"], first["id"]);
    let other = json!({ "workflow": "noop", "object": "ingest:in/a.mp4" });
    let (status, reused) = problem(keyed("k1", &other).await.expect("answers")).await;
    assert_eq!(
        (status, &reused["code"]),
        (StatusCode::CONFLICT, &json!("IdempotencyKeyReused"))
    );
    assert_eq!(
        keyed("k2", &other).await.expect("answers").status(),
        StatusCode::CREATED
    );
    for (body, code) in [
        (
            json!({ "workflow": "noop", "object": "ingest:in/none.mp4" }),
            "ObjectNotFound",
        ),
        (json!({ "workflow": "noop", "object": "in/a.mp4" }), "BadObject"),
        (
            json!({ "workflow": "noop", "object": "ingest:out/b.mp4" }),
            "ObjectNotTaken",
        ),
        (
            json!({ "workflow": "noop", "object": "elsewhere:in/a.mp4", "skip_path_check": true }),
            "StorageUnknown",
        ),
        (
            json!({ "workflow": "noop", "object": "ingest:in/a.mp4", "priority": 11 }),
            "BadPriority",
        ),
        (json!({ "workflow": "none", "object": "ingest:in/a.mp4" }), "NotFound"),
        (
            json!({ "workflow": "noop", "object": "ingest:in/a.mp4", "prioriti": 1 }),
            "BadBody",
        ),
        (
            json!({ "workflow": "noop", "object": "ingest:in/../in/a.mp4" }),
            "InvalidKey",
        ),
    ] {
        let (status, answer) = served.post("/api/v1/tasks", body.clone()).await;
        assert!(status.is_client_error(), "{body}: {status} {answer}");
        if code != "InvalidKey" {
            assert_eq!(answer["code"], code, "{body}");
        }
    }
    let skipped = json!({ "workflow": "noop", "object": "ingest:out/b.mp4", "skip_path_check": true });
    assert_eq!(served.post("/api/v1/tasks", skipped).await.0, StatusCode::CREATED);
    served.post("/api/v1/workflows/noop/disable", json!({})).await;
    let (status, answer) = served.post("/api/v1/tasks", other).await;
    assert_eq!(
        (status, &answer["code"]),
        (StatusCode::CONFLICT, &json!("WorkflowDisabled"))
    );
    let late = keyed("k1", &body).await.expect("answers");
    assert_eq!(late.status(), StatusCode::OK, "what was started is still answered");
}

#[tokio::test]
async fn user_data_come_back_with_each_digit() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    served.object("in/a.mp4", b"1234");
    let answer = served
        .ask(Method::POST, "/api/v1/tasks")
        .header("content-type", "application/json")
        .body(
            "{\"workflow\": \"noop\", \"object\": \"ingest:in/a.mp4\", \
             \"user_data\": {\"id\": 123456789012345678901234567890, \"at\": 1.00}}",
        )
        .send();
    let made = answer.await.expect("answers");
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.expect("is JSON");
    assert_eq!(
        made["user_data"],
        json!("{\"id\":123456789012345678901234567890,\"at\":1.00}")
    );
}

#[tokio::test]
async fn a_task_shows_everything_of_it_and_takes_wishes() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let id = served.start("in/a.mp4").await;
    let task = served.get(&format!("/api/v1/tasks/{id}")).await;
    assert_eq!(task["activities"][0]["id"], "one");
    let job = task["jobs"][0]["id"].as_str().expect("has a job").to_owned();
    served.playing.0.lock().expect("not poisoned").push(Live {
        task: TaskId::from(id.as_str()),
        job: JobId::from(job.as_str()),
        percent: 12.5,
        frames: 3,
        fps: 1.0,
        speed: 2.0,
        eta_s: None,
        device: None,
    });
    assert_eq!(
        served.get(&format!("/api/v1/jobs/{job}")).await["progress"]["percent"],
        12.5
    );
    let (status, asked) = served.post(&format!("/api/v1/tasks/{id}/cancel"), json!({})).await;
    assert_eq!((status, &asked["intent"]), (StatusCode::ACCEPTED, &json!("cancel")));
    let (status, refused) = served.post(&format!("/api/v1/tasks/{id}/retry"), json!({})).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::CONFLICT, &json!("IllegalChange"))
    );
    let done = served.start("in/b.mp4").await;
    served.carry_out(&done).await;
    let shown = served.get(&format!("/api/v1/tasks/{done}")).await;
    assert_eq!(shown["status"], "Succeed");
    assert_eq!(shown["events"][0]["type"], "WorkflowTaskComplete");
    let third = served.start("in/c.mp4").await;
    let (_, many) = served.post("/api/v1/tasks/cancel", json!({ "text": "in/" })).await;
    assert_eq!(many["tasks"], 2, "what has ended is not asked");
    assert_eq!(served.get(&format!("/api/v1/tasks/{third}")).await["intent"], "cancel");
    let missing = served
        .ask(Method::GET, "/api/v1/tasks/0123")
        .send()
        .await
        .expect("answers");
    assert_eq!(problem(missing).await.0, StatusCode::NOT_FOUND);
}
