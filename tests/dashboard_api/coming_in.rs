//! Logging in with a token, and what a new installation still needs.

use crate::admin;
use crate::appliance::Appliance;
use crate::appliance::http;
use crate::appliance::http::Reply;
use crate::started;
use serde_json::Value;
use serde_json::json;

fn log_in(appliance: &Appliance, body: &Value) -> Reply {
    http::post(appliance.port(), "/api/v1/sessions", None, body).expect("answers")
}

/// The cookie that a log-in set.
fn cookie(reply: &Reply) -> String {
    let line = reply.header("set-cookie").expect("a cookie");
    line.split(';').next().expect("a value").to_owned()
}

/// Asks with a cookie, and with a CSRF token where one is given.
fn ask(appliance: &Appliance, method: &str, path: &str, cookie: &str, csrf: &str, body: &Value) -> Reply {
    let headers = [
        ("Cookie", cookie),
        ("Content-Type", "application/json"),
        ("X-CSRF-Token", csrf),
    ];
    let text = match method {
        "GET" | "DELETE" => String::new(),
        _ => body.to_string(),
    };
    http::request(appliance.port(), method, path, None, &headers, text.as_bytes()).expect("answers")
}

#[test]
fn a_token_opens_a_session_of_its_role_that_ends_with_it() {
    let appliance = started("");
    let made = appliance.post("/api/v1/tokens", &json!({ "name": "the desk", "role": "operator" }));
    let (id, text) = (made.json()["id"].clone(), made.json()["token"].clone());
    let reply = log_in(&appliance, &json!({ "token": text }));
    assert_eq!(reply.status, 201, "{}", reply.text());
    let line = reply.header("set-cookie").expect("a cookie");
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Strict"), "{line}");
    let (cookie, session) = (cookie(&reply), reply.json());
    let csrf = session["csrf_token"].as_str().expect("a token").to_owned();
    assert_eq!(
        (
            &session["name"],
            &session["role"],
            &session["kind"],
            &session["with"],
            &session["id"]
        ),
        (
            &json!("the desk"),
            &json!("operator"),
            &json!("session"),
            &json!("token"),
            &id
        )
    );
    assert!(!reply.text().contains(text.as_str().expect("a text")));

    let no = json!({});
    assert_eq!(ask(&appliance, "GET", "/api/v1/tasks", &cookie, "", &no).status, 200);
    assert_eq!(
        ask(&appliance, "GET", "/api/v1/sessions/current", &cookie, "", &no).json(),
        session
    );
    let cancel = "/api/v1/tasks/cancel";
    assert_eq!(
        ask(&appliance, "POST", cancel, &cookie, "", &no).json()["code"],
        "CsrfToken"
    );
    assert_eq!(ask(&appliance, "POST", cancel, &cookie, &csrf, &no).status, 202);
    assert_eq!(
        ask(&appliance, "GET", "/api/v1/tokens", &cookie, &csrf, &no).json()["code"],
        "Forbidden",
        "an operator's"
    );
    let password = json!({ "password": "a few good words", "new_password": "some other words" });
    let own = "/api/v1/sessions/current/password";
    assert_eq!(
        ask(&appliance, "PUT", own, &cookie, &csrf, &password).json()["code"],
        "NoUser"
    );

    let deeds = appliance.get("/api/v1/audit?verb=session.create");
    assert_eq!(deeds["items"][0]["who"], "the desk");
    assert_eq!(deeds["items"][0]["detail"]["with"], "token");

    let path = format!("/api/v1/tokens/{}", id.as_str().expect("an id"));
    assert_eq!(admin(&appliance, "DELETE", &path, &no).status, 204);
    assert_eq!(ask(&appliance, "GET", "/api/v1/tasks", &cookie, "", &no).status, 401);
    assert_eq!(
        log_in(&appliance, &json!({ "token": text })).json()["code"],
        "BadCredentials"
    );
}

#[test]
fn guessed_tokens_are_slowed_down_and_noted() {
    let appliance = started("");
    for body in [
        json!({}),
        json!({ "name": "x" }),
        json!({ "password": "x" }),
        json!({ "name": "x", "password": "x", "token": "x" }),
        json!({ "token": 1 }),
        json!({ "tokens": "x" }),
    ] {
        let reply = log_in(&appliance, &body);
        assert_eq!(
            (reply.status, &reply.json()["code"]),
            (400, &json!("BadBody")),
            "{body}"
        );
    }
    for _ in 0..5 {
        let reply = log_in(&appliance, &json!({ "token": "reelmill_guessed" }));
        assert_eq!((reply.status, &reply.json()["code"]), (401, &json!("BadCredentials")));
    }
    let good = json!({ "token": appliance.token() });
    let braked = log_in(&appliance, &good);
    assert_eq!(braked.json()["code"], "TooManyTries", "{}", braked.text());
    appliance.until("the brake to let go", || {
        (log_in(&appliance, &good).status == 201).then_some(())
    });
    let tries = appliance.get("/api/v1/audit?verb=session.refused");
    let tries = tries["items"].as_array().expect("a list").clone();
    assert_eq!(tries.len(), 5, "{tries:?}");
    assert!(tries.iter().all(|deed| deed["detail"]["from"] == "127.0.0.1"));
}

#[test]
fn a_new_installation_says_what_it_still_needs() {
    let appliance = started("");
    let missing = || appliance.get("/api/v1/system")["missing"].clone();
    assert_eq!(
        missing(),
        json!(["user", "workflow"]),
        "the storages of the test are there"
    );
    let user = json!({ "name": "anna", "role": "admin", "password": "a few good words" });
    assert_eq!(appliance.post("/api/v1/users", &user).status, 201);
    assert_eq!(missing(), json!(["workflow"]));
    let workflow = json!({
        "name": "nothing", "source": { "storage": "ingest" }, "enabled": false,
        "activity": [{ "id": "n", "type": "noop" }]
    });
    assert_eq!(appliance.post("/api/v1/workflows", &workflow).status, 201);
    assert_eq!(missing(), json!(["workflow"]), "it is not enabled");
    assert_eq!(
        appliance.post("/api/v1/workflows/nothing/enable", &json!({})).status,
        200
    );
    assert_eq!(missing(), json!([]));
}
