//! Changing workflows.

use crate::served::NOOP;
use crate::served::Served;
use crate::served::problem;
use reqwest::Method;
use reqwest::StatusCode;
use serde_json::Value;
use serde_json::json;

#[tokio::test]
async fn workflows_are_changed_by_their_rules() {
    let served = Served::new().await;
    let made = served.apply(NOOP).await;
    assert_eq!(
        (&made["version"], &made["origin"], &made["enabled"]),
        (&json!(1), &json!("api"), &json!(true))
    );
    assert_eq!(served.apply(NOOP).await["version"], 1, "the same again is nothing new");
    let send = |method: Method, path: &str, body: String| {
        let request = served
            .ask(method, path)
            .header("content-type", "application/toml")
            .body(body);
        async move { request.send().await.expect("answers") }
    };
    let edited = format!("{NOOP}[[activity]]\nid = \"two\"\ntype = \"noop\"\nneeds = [\"one\"]\n");
    let (status, body) = problem(send(Method::POST, "/api/v1/workflows", edited.clone()).await).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::CONFLICT, &json!("WorkflowEnabled"))
    );
    let refused = served
        .ask(Method::DELETE, "/api/v1/workflows/noop")
        .send()
        .await
        .expect("answers");
    assert_eq!(problem(refused).await.1["code"], "WorkflowEnabled");
    // The second time nothing changes, and somebody did it all the same.
    for verb in ["disable", "disable", "enable", "enable", "disable"] {
        served.post(&format!("/api/v1/workflows/noop/{verb}"), json!({})).await;
    }
    let noted = served.get("/api/v1/audit?limit=5").await;
    let noted: Vec<(&Value, &Value)> = noted["items"]
        .as_array()
        .expect("deeds")
        .iter()
        .map(|deed| (&deed["verb"], &deed["subject"]))
        .collect();
    let wanted = ["disable", "enable", "enable", "disable", "disable"].map(|verb| json!(format!("workflow.{verb}")));
    let noop = json!("noop");
    assert_eq!(noted, wanted.iter().map(|verb| (verb, &noop)).collect::<Vec<_>>());
    let put = send(Method::PUT, "/api/v1/workflows/noop", edited).await;
    assert_eq!(put.json::<Value>().await.expect("is JSON")["version"], 2);
    let (status, copied) = served
        .post("/api/v1/workflows/noop/copy", json!({ "name": "noop2" }))
        .await;
    assert_eq!((status, &copied["enabled"]), (StatusCode::CREATED, &json!(false)));
    let cut = served
        .ask(Method::DELETE, "/api/v1/workflows/noop2/activities/two")
        .send()
        .await
        .expect("answers");
    let cut: Value = cut.json().await.expect("is JSON");
    assert_eq!(cut["resolved"]["activities"].as_array().map(Vec::len), Some(1), "{cut}");
    assert_eq!(
        served.get("/api/v1/workflows?name=OOP2").await["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let first = served.get("/api/v1/workflows?limit=1").await;
    let next = first["next"].as_str().expect("there is another");
    let second = served.get(&format!("/api/v1/workflows?limit=1&cursor={next}")).await;
    assert_eq!(
        (&first["items"][0]["name"], &second["items"][0]["name"]),
        (&json!("noop2"), &json!("noop"))
    );
    for (bad, word) in [
        (NOOP.replace("ingest", "elsewhere"), "elsewhere"),
        (NOOP.replace("type = \"noop\"", "type = \"nooop\""), "one"),
        (NOOP.replace("id = \"one\"", "id = \"one\"\nneeds = [\"one\"]"), "one"),
        (NOOP.replace("[source]", "colour = \"red\"\n[source]"), "colour"),
    ] {
        let (status, body) = problem(send(Method::POST, "/api/v1/workflows", bad).await).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(body["detail"].as_str().expect("text").contains(word), "{body}");
    }
    let gone = served
        .ask(Method::DELETE, "/api/v1/workflows/noop2")
        .send()
        .await
        .expect("answers");
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
}
