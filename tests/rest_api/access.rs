//! Who may come in, and what they may do.

use crate::served::Served;
use crate::served::problem;
use reqwest::Method;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn without_a_token_only_the_open_addresses_answer() {
    let served = Served::new().await;
    let bare = |path: &str| served.http.get(format!("{}{path}", served.url)).send();
    for open in [
        "/healthz",
        "/readyz",
        "/",
        "/tasks",
        "/media/0123",
        "/docs",
        "/docs/page.css",
        "/docs/page.js",
        "/docs/swagger-ui.css",
        "/docs/swagger-ui-bundle.js",
    ] {
        let response = bare(open).await.expect("answers");
        assert_eq!(response.status(), StatusCode::OK, "{open}");
    }
    // The page names its parts by what they hold; they are open as well, and nobody's page may frame it or feed it.
    let page = bare("/").await.expect("answers");
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let page = page.text().await.expect("text");
    let parts: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(parts.len() >= 2, "{page}");
    for part in parts {
        assert_eq!(bare(part).await.expect("answers").status(), StatusCode::OK, "{part}");
    }
    assert_eq!(
        bare("/assets/..%2Findex.html").await.expect("answers").status(),
        StatusCode::NOT_FOUND
    );
    let document = served.get("/openapi.json").await;
    let paths = document["paths"].as_object().expect("has paths");
    assert!(paths.len() > 30);
    for path in paths
        .keys()
        .map(String::as_str)
        .chain(["/openapi.json", "/api/v2", "/nowhere"])
    {
        // The last has a secret of its own, which tests/s3_trigger tries.
        let open = [
            "/healthz",
            "/readyz",
            "/api/v1/sessions",
            "/api/v1/hooks/{word}",
            "/hooks/s3/{storage}",
        ];
        if open.contains(&path) {
            continue;
        }
        let (status, body) = problem(bare(path).await.expect("answers")).await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::UNAUTHORIZED, &json!("Unauthorized")),
            "{path}"
        );
    }
    for wrong in ["Bearer nonsense", "Basic YTpi", "Bearer ", "bearer"] {
        let request = served
            .http
            .get(format!("{}/api/v1/tasks", served.url))
            .header("authorization", wrong);
        let (status, _) = problem(request.send().await.expect("answers")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    let (status, _) = problem(bare("/o/ingest/in/a.mp4").await.expect("answers")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = problem(served.ask(Method::GET, "/nowhere").send().await.expect("answers")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = problem(
        served
            .ask(Method::DELETE, "/api/v1/tasks")
            .send()
            .await
            .expect("answers"),
    )
    .await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn roles_may_do_what_they_may_and_revoked_tokens_nothing() {
    let served = Served::new().await;
    let mut tokens = Vec::new();
    for role in ["viewer", "operator"] {
        let (status, made) = served
            .post("/api/v1/tokens", json!({ "name": role, "role": role }))
            .await;
        assert_eq!(status, StatusCode::CREATED);
        tokens.push((
            made["token"].as_str().expect("is shown once").to_owned(),
            made["id"].clone(),
        ));
    }
    let listed = served.get("/api/v1/tokens").await;
    assert!(!listed.to_string().contains(&tokens[0].0), "a list never shows a token");
    let status_of = |token: &str, method: Method, path: &str| {
        let request = served
            .http
            .request(method, format!("{}{path}", served.url))
            .bearer_auth(token)
            .json(&json!({}));
        async move { request.send().await.expect("answers").status() }
    };
    let (viewer, operator) = (tokens[0].0.as_str(), tokens[1].0.as_str());
    assert_eq!(status_of(viewer, Method::GET, "/api/v1/tasks").await, StatusCode::OK);
    assert_eq!(
        status_of(viewer, Method::POST, "/api/v1/tasks/cancel").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status_of(operator, Method::POST, "/api/v1/tasks/cancel").await,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        status_of(operator, Method::GET, "/api/v1/tokens").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status_of(operator, Method::POST, "/api/v1/system/drain").await,
        StatusCode::FORBIDDEN
    );
    let id = tokens[0].1.as_str().expect("has an id");
    let revoke = served
        .ask(Method::DELETE, &format!("/api/v1/tokens/{id}"))
        .send()
        .await
        .expect("answers");
    assert_eq!(revoke.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        status_of(viewer, Method::GET, "/api/v1/tasks").await,
        StatusCode::UNAUTHORIZED
    );
}
