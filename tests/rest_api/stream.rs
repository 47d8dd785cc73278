//! The stream of events.

use crate::served::NOOP;
use crate::served::Served;
use crate::served::problem;
use reqwest::Method;
use reqwest::Response;
use reqwest::StatusCode;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;

/// Reads a stream until it told the end of so many tasks; every event it told.
async fn events_until(mut response: Response, ends: usize) -> Vec<(i64, Value)> {
    let mut text = String::new();
    loop {
        let found: Vec<(i64, Value)> = text
            .split("\n\n")
            .filter(|block| block.contains("event: event"))
            .filter_map(|block| {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                Some((
                    field("id: ")?.parse().ok()?,
                    serde_json::from_str(field("data: ")?).ok()?,
                ))
            })
            .collect();
        if found
            .iter()
            .filter(|(_, event)| event["type"] == "WorkflowTaskComplete")
            .count()
            >= ends
        {
            return found;
        }
        let chunk = response.chunk().await.expect("goes on").expect("is open");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
}

#[tokio::test]
async fn a_stream_resumes_where_it_was_left() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let open = |last: Option<i64>| {
        let mut request = served.ask(Method::GET, "/api/v1/events/stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        async move { request.send().await.expect("answers") }
    };
    let live = open(None).await;
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let first = served.start("in/a.mp4").await;
    served.carry_out(&first).await;
    let seen = events_until(live, 1).await;
    let second = served.start("in/b.mp4").await;
    served.carry_out(&second).await;
    let all = events_until(open(Some(0)).await, 2).await;
    assert_eq!(all[..seen.len()], seen[..]);
    let last = seen.last().expect("one came").0;
    let missed = events_until(open(Some(last)).await, 1).await;
    assert!(
        missed
            .iter()
            .all(|(seq, event)| *seq > last && event["task"] == second.as_str())
    );
    let listed = served.get("/api/v1/events?limit=1").await;
    assert_eq!(listed["items"][0]["task"], second.as_str(), "newest first");
    let request = served
        .ask(Method::GET, "/api/v1/events/stream")
        .header("last-event-id", "x");
    assert_eq!(
        problem(request.send().await.expect("answers")).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked() {
    let served = Served::new().await;
    let (_, made) = served
        .post("/api/v1/tokens", json!({ "name": "wall", "role": "viewer" }))
        .await;
    let token = made["token"].as_str().expect("is shown once");
    let open = || {
        served
            .http
            .get(format!("{}/api/v1/events/stream", served.url))
            .bearer_auth(token)
            .send()
    };
    let mut stream = open().await.expect("answers");
    let hello = stream.chunk().await.expect("goes on").expect("is open");
    assert!(String::from_utf8_lossy(&hello).contains("event: hello"));
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().expect("has an id"));
    let revoked = served.ask(Method::DELETE, &path).send().await.expect("answers");
    assert_eq!(revoked.status(), StatusCode::NO_CONTENT);
    let ended = async { while stream.chunk().await.expect("ends in order").is_some() {} };
    tokio::time::timeout(Duration::from_secs(60), ended)
        .await
        .expect("the stream ends");
    assert_eq!(open().await.expect("answers").status(), StatusCode::UNAUTHORIZED);
}
