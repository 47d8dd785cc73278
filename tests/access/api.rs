//! What the API says of itself, and how it refuses.

use crate::admin;
use crate::appliance::Appliance;
use crate::appliance::http;
use crate::refused;
use serde_json::Value;
use serde_json::json;

#[test]
fn every_refusal_is_a_problem_also_those_of_the_framework() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let token = appliance.token();
    let port = appliance.port();
    let ask = |method: &str, path: &str, kind: &str, body: &[u8]| {
        http::request(port, method, path, Some(&token), &[("Content-Type", kind)], body).expect("answers")
    };
    let json_type = "application/json";
    refused(&ask("GET", "/nowhere", json_type, b""), 404, "NoSuchAddress");
    refused(&ask("GET", "/api/v1/nowhere", json_type, b""), 404, "NoSuchAddress");
    // A browser is shown the dashboard, which says so; beneath the API it is answered like everybody else.
    let browsing = |path: &str, token: Option<&str>| {
        let accept = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
        http::request(port, "GET", path, token, &accept, b"").expect("answers")
    };
    // Pages are built apart from the program: one without them answers as above.
    let has_pages = browsing("/", None).status == 200;
    for token in [Some(token.as_str()), None] {
        let page = browsing("/nowhere/at/all", token);
        if !has_pages {
            let (status, code) = token.map_or((401, "Unauthorized"), |_| (404, "NoSuchAddress"));
            refused(&page, status, code);
            continue;
        }
        let kind = page.header("content-type").unwrap_or_default();
        assert_eq!((page.status, kind), (404, "text/html; charset=utf-8"));
        let text = String::from_utf8_lossy(&page.body).into_owned();
        assert!(text.contains("<div id=\"app\">"), "{text}");
    }
    refused(&browsing("/api/v1/nowhere", Some(&token)), 404, "NoSuchAddress");
    for (method, path, allowed) in [
        ("DELETE", "/api/v1/tasks", "GET"),
        ("PUT", "/healthz", "GET"),
        ("GET", "/api/v1/sessions", "POST"),
        ("POST", "/docs", "GET"),
    ] {
        let reply = ask(method, path, json_type, b"");
        refused(&reply, 405, "MethodNotAllowed");
        let allow = reply.header("allow").unwrap_or_default();
        assert!(allow.contains(allowed), "{method} {path}: {allow:?}");
    }
    refused(
        &ask("POST", "/api/v1/tasks", json_type, &vec![b' '; 2 << 20]),
        413,
        "BodyTooLarge",
    );
    refused(&ask("POST", "/api/v1/tasks", "text/plain", b"{}"), 415, "NotJson");
    refused(&ask("POST", "/api/v1/tasks", json_type, b"{"), 400, "BadBody");
    refused(&ask("GET", "/api/v1/tasks?limit=x", json_type, b""), 400, "BadQuery");
    refused(&ask("GET", "/api/v1/tasks?unknown=x", json_type, b""), 400, "BadQuery");
    refused(&ask("GET", "/api/v1/tasks/%FF", json_type, b""), 400, "BadPath");
    let reply = http::get(port, "/api/v1/tasks", None).expect("answers");
    refused(&reply, 401, "Unauthorized");
    assert!(reply.header("www-authenticate").is_some());
}

#[test]
fn the_page_of_the_api_needs_no_other_host_and_shows_the_document_to_whoever_may_look() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let open = |path: &str| {
        let reply = http::get(appliance.port(), path, None).expect("answers");
        assert_eq!(reply.status, 200, "{path}");
        let policy = reply.header("content-security-policy").unwrap_or_default().to_owned();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("script-src 'self';"),
            "{path}: {policy}"
        );
        reply
    };
    let page = open("/docs").text();
    // What the page loads is all of this host, and there.
    let loaded: Vec<&str> = page
        .split(['"', '\''])
        .filter(|part| part.starts_with('/') || part.contains("://"))
        .collect();
    assert!(loaded.len() >= 4, "{loaded:?}");
    for path in loaded {
        assert!(!open(path).body.is_empty(), "{path}");
    }
    assert!(
        !page.contains("onload") && !page.contains("<script>"),
        "no inline script"
    );
    assert_eq!(
        http::get(appliance.port(), "/openapi.json", None)
            .expect("answers")
            .status,
        401
    );
    let document = appliance.get("/openapi.json");
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1"))
    );
}

#[test]
fn the_document_says_what_is_wrong_as_problems_and_names_every_answer() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let document = appliance.get("/openapi.json");
    for (path, verbs) in document["paths"].as_object().expect("paths") {
        for (verb, operation) in verbs.as_object().expect("verbs") {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name");
                let in_path = path.contains(&format!("{{{name}}}"));
                assert_eq!(parameter["in"] == "path", in_path, "{verb} {path}: {parameter}");
            }
            let responses = operation["responses"].as_object().expect("responses");
            assert!(
                responses.keys().any(|status| status.starts_with(['1', '2', '3'])),
                "{verb} {path}"
            );
            for (status, response) in responses {
                let kinds: Vec<&String> = response["content"]
                    .as_object()
                    .map(|content| content.keys().collect())
                    .unwrap_or_default();
                // An answer to HEAD has no body.
                if verb != "head" && (status.starts_with(['4', '5']) || status == "default") {
                    assert_eq!(kinds, ["application/problem+json"], "{verb} {path} {status}");
                }
            }
        }
    }
    let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
    assert_eq!(schemes["session"]["name"], "reelmill_session");
    let without: Vec<&String> = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .filter(|(_, verbs)| {
            let open = |operation: &Value| operation["security"] == json!([{}]);
            verbs.as_object().expect("verbs").values().any(open)
        })
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        without,
        [
            "/api/v1/hooks/{word}",
            "/api/v1/sessions",
            "/healthz",
            "/hooks/s3/{storage}",
            "/readyz"
        ],
        "open are health, readiness, log-in, late answers of hooks, whose word is their key, and notices of buckets, which have a secret of their own"
    );
    assert_eq!(admin(&appliance, "GET", "/metrics", &json!({})).status, 200);
}

#[test]
fn no_two_shapes_of_the_document_have_the_same_name() {
    // The document keeps one shape a name: a second of the same name takes the place of the first without a word.
    let mut seen = std::collections::BTreeMap::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the sources are there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for derived in text.split("ToSchema)]").skip(1) {
                let words = derived.split(|c: char| !c.is_alphanumeric() && c != '_');
                let mut words = words.skip_while(|word| *word != "struct" && *word != "enum").skip(1);
                let name = words.next().expect("a name").to_owned();
                if let Some(other) = seen.insert(name.clone(), path.clone()) {
                    panic!("{name} is in {} and in {}", other.display(), path.display());
                }
            }
        }
    }
    assert!(seen.len() > 50, "{}", seen.len());
}
