//! What the dashboard changes and asks besides lists: priorities, one event, a definition that is not saved.

use crate::served::NOOP;
use crate::served::Served;
use crate::served::problem;
use reelmill::base::ids::JobId;
use reelmill::base::ids::TaskId;
use reelmill::base::progress_board::RunsOn;
use reelmill::web::ports::Live;
use reqwest::Method;
use reqwest::StatusCode;
use serde_json::Value;
use serde_json::json;

impl Served {
    async fn sent(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let reply = self.ask(method, path).json(body).send().await.expect("answers");
        (reply.status(), reply.json().await.expect("is JSON"))
    }

    /// The tasks in the order in which their jobs come to their turn.
    async fn queue(&self) -> Vec<String> {
        let ready = self.store.daemon_jobs_ready(100).await.expect("reads");
        ready.into_iter().map(|job| job.task.into_string()).collect()
    }
}

#[tokio::test]
async fn another_priority_moves_what_waits_and_is_audited() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    served.object("in/b.mp4", b"1");
    let first = served.start("in/a.mp4").await;
    let body = json!({ "workflow": "noop", "object": "ingest:in/b.mp4", "priority": 2 });
    let keyed = || {
        served
            .ask(Method::POST, "/api/v1/tasks")
            .header("idempotency-key", "once")
            .json(&body)
            .send()
    };
    let second: Value = keyed().await.expect("answers").json().await.expect("is JSON");
    let second = second["id"].as_str().expect("an id").to_owned();
    assert_eq!(served.queue().await, [second.clone(), first.clone()]);

    let path = format!("/api/v1/tasks/{first}");
    let (status, task) = served.sent(Method::PATCH, &path, &json!({ "priority": 5 })).await;
    assert_eq!((status, &task["priority"]), (StatusCode::OK, &json!(5)), "{task}");
    assert_eq!(served.queue().await, [first.clone(), second.clone()]);
    let noted = served.get("/api/v1/audit?verb=task.change").await;
    assert_eq!(
        (&noted["items"][0]["subject"], &noted["items"][0]["detail"]),
        (&json!(first), &json!({ "priority": { "old": 0, "new": 5 } })),
        "{noted}"
    );

    // The request that started it is still the same request.
    let of_second = format!("/api/v1/tasks/{second}");
    for priority in [-10, 7] {
        let (status, _) = served
            .sent(Method::PATCH, &of_second, &json!({ "priority": priority }))
            .await;
        assert_eq!(status, StatusCode::OK);
    }
    let again = keyed().await.expect("answers");
    assert_eq!(again.status(), StatusCode::OK);
    let again: Value = again.json().await.expect("is JSON");
    assert_eq!((&again["id"], &again["priority"]), (&json!(second), &json!(7)));

    for (path, body, status, code) in [
        (&path, json!({ "priority": 11 }), 422, "BadPriority"),
        (&path, json!({ "priority": "high" }), 400, "BadBody"),
        (&path, json!({}), 400, "BadBody"),
        (
            &format!("/api/v1/tasks/{}", "0".repeat(32)),
            json!({ "priority": 1 }),
            404,
            "NotFound",
        ),
    ] {
        let (found, said) = problem(
            served
                .ask(Method::PATCH, path)
                .json(&body)
                .send()
                .await
                .expect("answers"),
        )
        .await;
        assert_eq!((found.as_u16(), &said["code"]), (status, &json!(code)), "{body}");
    }
    served.carry_out(&first).await;
    let (status, said) = served.sent(Method::PATCH, &path, &json!({ "priority": 1 })).await;
    assert_eq!(
        (status, &said["code"]),
        (StatusCode::CONFLICT, &json!("Conflict")),
        "{said}"
    );
}

#[tokio::test]
async fn one_event_is_shown_by_its_id() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let task = served.start("in/a.mp4").await;
    served.carry_out(&task).await;
    let listed = served.get("/api/v1/events").await["items"][0].clone();
    let id = listed["id"].as_str().expect("an id");
    assert_eq!(served.get(&format!("/api/v1/events/{id}")).await, listed);
    let none = served.ask(Method::GET, &format!("/api/v1/events/{}", "0".repeat(32)));
    let (status, _) = problem(none.send().await.expect("answers")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let kind = &listed["type"].as_str().expect("a type");
    let of_it = served.get(&format!("/api/v1/events?type={kind}")).await;
    assert_eq!(of_it["items"][0], listed);
    // A misspelt type is no type of which nothing ever happened.
    for list in ["events?type", "deliveries?event_type"] {
        let misspelt = served.ask(Method::GET, &format!("/api/v1/{list}=WorkflowTaskCompleted"));
        let (status, said) = problem(misspelt.send().await.expect("answers")).await;
        assert_eq!(
            (status, &said["code"]),
            (StatusCode::BAD_REQUEST, &json!("BadEventType"))
        );
        assert!(
            said["remedy"].to_string().contains("WorkflowTaskComplete,"),
            "the names are told: {said}"
        );
    }
}

#[tokio::test]
async fn a_definition_is_tried_without_being_saved() {
    let served = Served::new().await;
    served.object("in/a.mp4", b"1234");
    let definition = json!({ "name": "not-yet", "enabled": false, "source": { "storage": "ingest", "prefix": "in/" },
        "activity": [{ "id": "still", "type": "snapshot" }, { "id": "two", "type": "noop", "needs": ["still"] }] });
    let asked = &served;
    let tried = |body: Value| async move { asked.sent(Method::POST, "/api/v1/checks/dry-run", &body).await };
    let (status, told) = tried(json!({ "object": "ingest:in/a.mp4", "definition": definition })).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(
        (&told["workflow"], &told["version"], &told["matches"], &told["exists"]),
        (&json!("not-yet"), &json!(0), &json!(true), &json!(true)),
        "{told}"
    );
    assert_eq!(told["activities"].as_array().map(Vec::len), Some(2), "{told}");
    assert_eq!(told["passes"][0]["activities"], json!(["still"]), "{told}");
    let toml = NOOP.replace("in/", "elsewhere/");
    let (status, told) = tried(json!({ "object": "ingest:in/a.mp4", "toml": toml })).await;
    assert_eq!((status, &told["matches"]), (StatusCode::OK, &json!(false)), "{told}");
    assert_eq!(served.get("/api/v1/workflows?origin=api").await["items"], json!([]));
    assert_eq!(served.get("/api/v1/tasks").await["items"], json!([]));

    let library = json!({ "name": "l", "source": { "library": true }, "activity": [{ "id": "a", "type": "noop" }] });
    let wrong = json!({ "name": "w", "source": { "storage": "ingest" }, "activity": [{ "id": "a", "type": "snapshot", "quality": 101 }] });
    for (body, status, code) in [
        (json!({ "object": "ingest:in/a.mp4" }), 400, "NoDefinition"),
        (
            json!({ "object": "ingest:in/a.mp4", "definition": wrong }),
            422,
            "WorkflowInvalid",
        ),
        (
            json!({ "object": "ingest:in/a.mp4", "toml": "name = " }),
            422,
            "WorkflowInvalid",
        ),
        (
            json!({ "object": "ingest:in/a.mp4", "definition": library }),
            409,
            "WorkflowOfLibrary",
        ),
        (json!({ "object": "nothing", "toml": NOOP }), 422, "BadObject"),
    ] {
        let (found, said) = tried(body.clone()).await;
        assert_eq!(
            (found.as_u16(), &said["code"]),
            (status, &json!(code)),
            "{body}: {said}"
        );
    }
}

#[tokio::test]
async fn reviews_have_titles_and_are_counted() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let task = served.start("in/a.mp4").await;
    let media = served.get(&format!("/api/v1/tasks/{task}")).await["media"]["id"].clone();
    let media = media.as_str().expect("an id");
    let count = || async { served.get("/api/v1/system").await["queue"]["reviews_waiting"].clone() };
    assert_eq!(count().await, json!(0));
    let (status, _) = served
        .sent(
            Method::PATCH,
            &format!("/api/v1/media/{media}"),
            &json!({ "title": "The night train" }),
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    let (status, review) = served
        .sent(Method::POST, &format!("/api/v1/media/{media}/reviews"), &json!({}))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{review}");
    assert_eq!(count().await, json!(1));
    let listed = served.get("/api/v1/reviews").await["items"][0].clone();
    assert_eq!(listed["title"], "The night train", "{listed}");
    let id = listed["id"].as_str().expect("an id");
    served
        .sent(Method::POST, &format!("/api/v1/reviews/{id}/approve"), &json!({}))
        .await;
    assert_eq!(count().await, json!(0));
}

#[tokio::test]
async fn progress_says_where_the_work_is_done() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let task = served.start("in/a.mp4").await;
    let jobs = served.get(&format!("/api/v1/tasks/{task}")).await["jobs"].clone();
    let job = jobs[0]["id"].as_str().expect("an id").to_owned();
    let runs_on = |device: Option<RunsOn>| {
        *served.playing.0.lock().expect("not poisoned") = vec![Live {
            task: TaskId::from(task.as_str()),
            job: JobId::from(job.as_str()),
            percent: 1.0,
            frames: 3,
            fps: 1.0,
            speed: 2.0,
            eta_s: None,
            device,
        }];
    };
    for (device, backend, name) in [
        (None, "software", Value::Null),
        (
            Some(RunsOn {
                ordinal: 1,
                name: "NVIDIA H200".to_owned(),
            }),
            "gpu",
            json!("NVIDIA H200 (1)"),
        ),
        (
            Some(RunsOn {
                ordinal: 1,
                name: String::new(),
            }),
            "gpu",
            json!("device 1"),
        ),
    ] {
        runs_on(device);
        let progress = served.get(&format!("/api/v1/jobs/{job}")).await["progress"].clone();
        assert_eq!(
            (&progress["backend"], &progress["device"]),
            (&json!(backend), &name),
            "{progress}"
        );
    }
}
