//! One daemon with a receiver of its events, and the calls that the walks make.

use crate::appliance::Appliance;
use crate::appliance::clips;
use crate::appliance::http;
use crate::appliance::receiver::Callback;
use crate::appliance::receiver::Receiver;
use serde_json::Value;
use serde_json::json;

/// A daemon whose unified callback is `receiver`.
pub struct House {
    pub appliance: Appliance,
    pub receiver: Receiver,
}

impl House {
    /// Started, with events in the words of `profile`; `extra` joins the configuration.
    pub fn start(profile: &str, extra: &str) -> Self {
        let receiver = Receiver::start();
        let mut appliance = Appliance::new(&format!(
            "{extra}\n[[destination]]\nname = \"mam\"\nkind = \"http\"\nurl = \"{}\"\nprofile = \"{profile}\"\nevents = []\n\
             [callback]\ndestination = \"mam\"\n",
            receiver.url()
        ));
        appliance.start();
        House { appliance, receiver }
    }

    /// One call; the status and the body, null where there is none.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let text = body.map_or_else(String::new, Value::to_string);
        let reply = http::request(
            self.appliance.port(),
            method,
            path,
            Some(&self.appliance.token()),
            &[("Content-Type", "application/json")],
            text.as_bytes(),
        )
        .expect("the daemon answers");
        let body = match reply.body.is_empty() {
            true => Value::Null,
            false => reply.json(),
        };
        (reply.status, body)
    }

    /// A call that must succeed.
    pub fn did(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.call(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer:#}");
        answer
    }

    /// A call that must be refused with this status; the problem's words.
    pub fn refused(&self, status: u16, method: &str, path: &str, body: Option<&Value>) -> String {
        let (found, answer) = self.call(method, path, body);
        assert_eq!(found, status, "{method} {path}: {answer:#}");
        assert!(
            answer["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()),
            "{answer:#}"
        );
        format!("{} {}", answer["detail"], answer["remedy"])
    }

    /// Makes a workflow of `definition`.
    pub fn workflow(&self, definition: &Value) -> Value {
        self.did("POST", "/api/v1/workflows", Some(definition))
    }

    /// Puts a short clip at `key` of `ingest`.
    pub fn drop_clip(&self, key: &str) {
        self.appliance.deliver(&clips::short(), key);
    }

    /// The task over `key`, once it has ended.
    pub fn task_over(&self, key: &str) -> Value {
        let object = format!("ingest:{key}");
        self.appliance.until(&format!("the task over {key}"), || {
            let tasks = self.appliance.get("/api/v1/tasks?limit=500");
            let found = tasks["items"]
                .as_array()?
                .iter()
                .find(|task| task["media"]["object"] == object.as_str() && !task["ended_at"].is_null())?;
            Some(found.clone())
        })
    }

    /// The task of this id, once it has ended.
    pub fn ended(&self, id: &str) -> Value {
        self.appliance.until(&format!("the end of task {id}"), || {
            let task = self.appliance.get(&format!("/api/v1/tasks/{id}"));
            (!task["ended_at"].is_null()).then_some(task)
        })
    }

    /// The first event of this type that the receiver got and `wanted` accepts.
    pub fn event(&self, event_type: &str, wanted: impl Fn(&Value) -> bool) -> Callback {
        self.appliance.until(&format!("event {event_type}"), || {
            self.receiver
                .of_type(event_type)
                .into_iter()
                .find(|callback| wanted(&callback.json()))
        })
    }

    /// The command line's standard output; it must succeed.
    pub fn cli(&self, args: &[&str]) -> String {
        let output = self.appliance.cli(args);
        assert!(output.status.success(), "{args:?}: {}", crate::appliance::said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// A workflow from `ingest` to `renditions` with one noop.
pub fn noop(name: &str, source: Value) -> Value {
    json!({"name": name, "source": source, "output": {"storage": "renditions"}, "activity": [{"id": "n", "type": "noop"}]})
}

/// The names of what a list holds.
pub fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().expect("a list");
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The text of a field that must be one.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// JSON that stands as a text in a field.
pub fn inside(value: &Value) -> Value {
    serde_json::from_str(&text(value)).unwrap_or_else(|error| panic!("{error}: {value}"))
}
