//! Who may come in, what is remembered of it, what is forgotten, and what the API says of itself: the real daemon.

mod api;
#[path = "../appliance/mod.rs"]
mod appliance;
mod browse;
mod history;
mod people;
mod retention;

use appliance::Appliance;
use appliance::http;
use appliance::http::Reply;
use serde_json::Value;
use serde_json::json;

/// A workflow that needs no worker.
const NOOP: &str = "name = \"nothing\"\n[source]\nstorage = \"ingest\"\nextensions = [\"bin\"]\n\
                    [[activity]]\nid = \"n\"\ntype = \"noop\"\n";

/// A log-in of a browser.
struct Browser {
    port: u16,
    cookie: String,
    csrf: String,
}

impl Browser {
    /// Logs in; the cookie must be one that scripts and other sites cannot use.
    fn log_in(appliance: &Appliance, name: &str, password: &str) -> Self {
        let reply = log_in(appliance, name, password);
        assert_eq!(reply.status, 201, "{}", reply.text());
        let line = reply.header("set-cookie").expect("a cookie").to_owned();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
            assert!(line.contains(part), "{part} of {line}");
        }
        assert!(!line.contains("Secure"), "people come by plain HTTP here: {line}");
        let cookie = line.split(';').next().expect("a value").to_owned();
        let value = cookie.split('=').nth(1).expect("a value");
        assert!(!reply.text().contains(value), "only the browser sees it");
        Browser {
            port: appliance.port(),
            csrf: reply.json()["csrf_token"].as_str().expect("a token").to_owned(),
            cookie,
        }
    }

    /// Asks with the cookie alone.
    fn bare(&self, method: &str, path: &str, body: &Value) -> Reply {
        let headers = [("Cookie", self.cookie.as_str()), ("Content-Type", "application/json")];
        let body = if method == "GET" {
            String::new()
        } else {
            body.to_string()
        };
        http::request(self.port, method, path, None, &headers, body.as_bytes()).expect("answers")
    }

    /// Asks as a page of ours does.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Reply {
        let headers = [
            ("Cookie", self.cookie.as_str()),
            ("Content-Type", "application/json"),
            ("X-CSRF-Token", self.csrf.as_str()),
        ];
        http::request(self.port, method, path, None, &headers, body.to_string().as_bytes()).expect("answers")
    }
}

fn log_in(appliance: &Appliance, name: &str, password: &str) -> Reply {
    let body = json!({ "name": name, "password": password });
    http::post(appliance.port(), "/api/v1/sessions", None, &body).expect("answers")
}

/// A request of the admin token.
fn admin(appliance: &Appliance, method: &str, path: &str, body: &Value) -> Reply {
    let headers = [("Content-Type", "application/json")];
    let token = appliance.token();
    http::request(
        appliance.port(),
        method,
        path,
        Some(&token),
        &headers,
        body.to_string().as_bytes(),
    )
    .expect("answers")
}

fn make_user(appliance: &Appliance, name: &str, role: &str, password: &str) -> String {
    let body = json!({ "name": name, "role": role, "password": password });
    let reply = appliance.post("/api/v1/users", &body);
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert!(!reply.text().contains(password) && !reply.text().contains("argon2"));
    reply.json()["id"].as_str().expect("an id").to_owned()
}

/// Checks that a refusal is a problem of this status and code.
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json"),
        "{}",
        reply.text()
    );
    let problem = reply.json();
    assert_eq!(
        (reply.status, problem["code"].as_str(), problem["status"].as_u64()),
        (status, Some(code), Some(u64::from(status))),
        "{problem}"
    );
    for field in ["title", "detail", "remedy"] {
        assert!(
            problem[field].as_str().is_some_and(|text| !text.is_empty()),
            "{problem}"
        );
    }
}

/// The audit log, newest first.
fn deeds(appliance: &Appliance, query: &str) -> Vec<Value> {
    let page = appliance.get(&format!("/api/v1/audit?limit=500{query}"));
    page["items"].as_array().expect("a list").clone()
}
