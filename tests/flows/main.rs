//! Workflows, starting tasks and templates as users meet them: a real daemon, through REST and the command line.
//!
//! Each block cites the sentence of the seed documents that it shows. Most workflows here do nothing (`noop`), since
//! what is asked is what runs, when, and under which name; where something must be made, the clip is tiny.

#[path = "../appliance/mod.rs"]
mod appliance;
mod batches;
mod dry_run;
mod starting;
mod templates;
mod workflows;

use appliance::Appliance;
use appliance::http;
use appliance::http::Reply;
use appliance::said;
use serde_json::Value;

/// A workflow of one noop over a folder of `ingest`; `source` is appended to its `[source]`.
pub fn noop(name: &str, source: &str) -> String {
    format!(
        "name = \"{name}\"\n[source]\nstorage = \"ingest\"\n{source}\n\
         [[activity]]\nid = \"one\"\ntype = \"noop\"\n"
    )
}

impl Appliance {
    /// Any request as admin.
    pub fn ask(&self, method: &str, path: &str, media_type: &str, body: &str) -> Reply {
        let headers = [("Content-Type", media_type)];
        http::request(
            self.port(),
            method,
            path,
            Some(&self.token()),
            &headers,
            body.as_bytes(),
        )
        .expect("the daemon answers")
    }

    /// Applies a TOML definition, which must be good.
    pub fn apply(&self, definition: &str) -> Value {
        let reply = self.ask("POST", "/api/v1/workflows", "application/toml", definition);
        assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
        reply.json()
    }

    /// A request that must be refused with this status and code; its words.
    pub fn refused(&self, reply: &Reply, status: u16, code: &str) -> String {
        let body = reply.json();
        assert_eq!((reply.status, body["code"].as_str()), (status, Some(code)), "{body}");
        assert!(body["remedy"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        body["detail"].as_str().expect("a detail").to_owned()
    }

    /// POST that must be answered with this status.
    pub fn posted(&self, path: &str, body: &Value, status: u16) -> Value {
        let reply = self.post(path, body);
        assert_eq!(reply.status, status, "POST {path}: {}", reply.text());
        reply.json()
    }

    /// Writes an object into a storage.
    pub fn object(&self, storage: &str, key: &str, content: &[u8]) {
        let path = self.path(storage).join(key);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, content).expect("the object is written");
    }

    /// A command that must succeed; what it printed.
    pub fn did(&self, args: &[&str]) -> String {
        let output = self.cli(args);
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A command that must fail with this code; what it said.
    pub fn did_not(&self, args: &[&str], code: i32) -> String {
        let output = self.cli(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Waits for the end of one task; the task in full.
    pub fn ended(&self, id: &str) -> Value {
        self.until("the task to end", || {
            let task = self.get(&format!("/api/v1/tasks/{id}"));
            matches!(task["status"].as_str(), Some("Succeed" | "Failed" | "Canceled")).then_some(task)
        })
    }
}

/// The `name` (or other field) of every item of a list.
pub fn each<'a>(list: &'a Value, pointer: &str) -> Vec<&'a str> {
    list["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default())
        .collect()
}
