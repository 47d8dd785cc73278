//! Every other address, and the OpenAPI document against the router.

use crate::served::NOOP;
use crate::served::Served;
use crate::served::problem;
use reelmill::store::Store;
use reqwest::Method;
use reqwest::StatusCode;
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn the_rest_answers_in_shape() {
    let served = Served::new().await;
    served.apply(NOOP).await;
    let id = served.start("in/a.mp4").await;
    served.carry_out(&id).await;
    let media = served.get(&format!("/api/v1/tasks/{id}")).await["media"]["id"].clone();
    let media = media.as_str().expect("has an id");
    assert_eq!(
        served.get(&format!("/api/v1/media/{media}")).await["tasks"][0]["id"],
        id.as_str()
    );
    let urls = served.get(&format!("/api/v1/media/{media}/urls?expires_s=60")).await;
    let url = urls["items"][0]["url"].as_str().expect("a link");
    let bytes = served
        .http
        .get(url)
        .send()
        .await
        .expect("answers")
        .text()
        .await
        .expect("is text");
    assert_eq!(bytes, "not looked at");
    for list in [
        "media",
        "templates",
        "events",
        "deliveries",
        "storages",
        "tokens",
        "workflows",
    ] {
        let page = served.get(&format!("/api/v1/{list}")).await;
        for item in page["items"].as_array().expect("a list") {
            assert!(item["id"].is_string(), "{list}: {item}");
        }
        assert!(page.get("next").is_some(), "{list}");
    }
    let explained = served.get("/api/v1/storages/ingest/explain?key=in/a.mp4").await;
    assert_eq!(
        (&explained["state"], &explained["tasks"][0]),
        (&json!("unseen"), &json!(id))
    );
    assert_eq!(
        served.post("/api/v1/storages/ingest/scan", json!({})).await.0,
        StatusCode::ACCEPTED
    );
    let (_, drained) = served.post("/api/v1/system/drain", json!({ "on": true })).await;
    assert_eq!(drained["draining"], true, "{drained}");
    let metrics = served
        .ask(Method::GET, "/metrics")
        .send()
        .await
        .expect("answers")
        .text()
        .await
        .expect("is text");
    assert!(
        metrics.contains("reelmill_draining 1")
            && metrics.contains("reelmill_storage_unavailable{storage=\"ingest\"} 0")
    );
    let file = served.folder.path().join("copy.db");
    let (status, made) = served.post("/api/v1/system/backup", json!({ "file": file })).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert!(Store::open(&file).is_ok(), "the copy is a whole database");
    let large = "x".repeat(2 << 20);
    let refused = served
        .ask(Method::POST, "/api/v1/tasks")
        .json(&json!({ "workflow": large }))
        .send()
        .await
        .expect("answers");
    assert_eq!(problem(refused).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

/// Addresses and verbs as the router's page has them.
fn routed() -> BTreeSet<(String, &'static str)> {
    let page = include_str!("../../src/web/mod.rs");
    let mut routed = BTreeSet::new();
    for route in page.split(".route(").skip(1) {
        let route = route.split(".route_layer(").next().expect("text");
        let path = route.split('"').nth(1).expect("a path").to_owned();
        for verb in ["get", "post", "put", "patch", "delete"] {
            if route.contains(&format!("{verb}(")) {
                routed.insert((path.clone(), verb));
            }
        }
    }
    assert!(routed.len() > 40, "the page was read: {routed:?}");
    routed
}

#[tokio::test]
async fn the_document_has_every_address_of_the_router_and_no_other() {
    let served = Served::new().await;
    let document = served.get("/openapi.json").await;
    let mut documented = BTreeSet::new();
    for (path, verbs) in document["paths"].as_object().expect("has paths") {
        for verb in ["get", "post", "put", "patch", "delete"] {
            if verbs.get(verb).is_some() {
                documented.insert((path.clone(), verb));
            }
        }
    }
    let mut routed = routed();
    // The document itself, and objects, whose links come out of the API.
    routed.remove(&("/openapi.json".to_owned(), "get"));
    routed.remove(&("/o/{*object}".to_owned(), "get"));
    assert_eq!(routed, documented);
}
