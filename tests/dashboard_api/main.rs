//! What the dashboard asks the server besides the things it shows: the real daemon.

#[path = "../appliance/mod.rs"]
mod appliance;
mod coming_in;
mod definitions;
mod help;

use appliance::Appliance;
use appliance::http;
use appliance::http::Reply;
use serde_json::Value;

/// A daemon that runs.
fn started(extra: &str) -> Appliance {
    let mut appliance = Appliance::new(extra);
    appliance.start();
    appliance
}

/// A request of the admin token with a JSON body.
fn admin(appliance: &Appliance, method: &str, path: &str, body: &Value) -> Reply {
    let headers = [("Content-Type", "application/json")];
    let token = appliance.token();
    let text = match method {
        "GET" | "DELETE" => String::new(),
        _ => body.to_string(),
    };
    http::request(appliance.port(), method, path, Some(&token), &headers, text.as_bytes()).expect("answers")
}
