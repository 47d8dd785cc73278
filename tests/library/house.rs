//! A daemon whose library is tried, and what is asked of it often.

use crate::appliance::Appliance;
use crate::appliance::http;
use serde_json::Value;
use serde_json::json;

/// A workflow that does nothing with what arrives.
pub const NOOP: &str = "name = \"nothing\"\n[source]\nstorage = \"ingest\"\nextensions = [\"*\"]\n\
    [[activity]]\nid = \"n\"\ntype = \"noop\"\n";

/// A running daemon with [`NOOP`].
pub fn house() -> Appliance {
    let mut house = Appliance::new("");
    house.workflow_file("nothing", NOOP);
    house.start();
    house
}

/// What library tests ask.
pub trait House {
    /// A file of some bytes in the storage that nobody watches.
    fn stand(&self, key: &str, bytes: &[u8]) -> String;
    /// Any request as admin.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> http::Reply;
    /// Registers an object; its media.
    fn register(&self, object: &str, more: Value) -> Value;
    /// Waits until a media is not being looked at any more.
    fn settled(&self, id: &str) -> Value;
    /// The library's facts of a media, oldest first.
    fn told(&self, id: &str, event_type: &str) -> Vec<Value>;
    /// Ids that a list finds.
    fn found(&self, query: &str) -> Vec<String>;
}

impl House for Appliance {
    fn stand(&self, key: &str, bytes: &[u8]) -> String {
        let path = self.path("renditions").join(key);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, bytes).expect("the file is written");
        format!("renditions:{key}")
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> http::Reply {
        let headers = [&[("Content-Type", "application/json")], headers].concat();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
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

    fn register(&self, object: &str, more: Value) -> Value {
        let mut body = json!({ "object": object });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let reply = self.post("/api/v1/media", &body);
        assert!([200, 201].contains(&reply.status), "{}", reply.text());
        reply.json()
    }

    fn settled(&self, id: &str) -> Value {
        self.until(&format!("media {id} to be looked at"), || {
            let media = self.get(&format!("/api/v1/media/{id}"));
            (media["status"] != "Preparing").then_some(media)
        })
    }

    fn told(&self, id: &str, event_type: &str) -> Vec<Value> {
        let page = self.get(&format!("/api/v1/events?media={id}&type={event_type}&limit=500"));
        let mut items = page["items"].as_array().expect("a list").clone();
        items.reverse();
        items
            .into_iter()
            .map(|item| item["body"]["detail"]["fact"].clone())
            .collect()
    }

    fn found(&self, query: &str) -> Vec<String> {
        let page = self.get(&format!("/api/v1/media?limit=500{query}"));
        page["items"].as_array().expect("a list").iter().map(id_of).collect()
    }
}

/// The id of what an answer shows.
pub fn id_of(item: &Value) -> String {
    item["id"].as_str().expect("has an id").to_owned()
}
