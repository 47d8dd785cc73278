//! A daemon whose library lies in a bucket, and what the tests say to it.

use crate::appliance::Appliance;
use crate::appliance::fault_proxy::FaultProxy;
use crate::appliance::http;
use crate::appliance::http::Reply;
use crate::appliance::s3_server::S3Server;
use serde_json::Value;
use serde_json::json;

pub const MIB: usize = 1 << 20;

/// A workflow that needs no worker, over anything.
const NOOP: &str = "name = \"noop\"\n[source]\nstorage = \"*\"\nprefix = \"\"\nextensions = [\"*\"]\ntrigger = \"manual\"\n\
    [[activity]]\nid = \"one\"\ntype = \"noop\"\n";

/// A daemon with the storage `cloud`, the bucket `media` behind a proxy, where its library lies.
pub struct Cloud {
    pub appliance: Appliance,
    pub server: S3Server,
    pub proxy: FaultProxy,
}

impl Cloud {
    pub fn start() -> Self {
        Self::with("")
    }

    /// With more in its configuration.
    pub fn with(extra: &str) -> Self {
        let server = S3Server::start(&["media"]);
        let proxy = FaultProxy::start(server.port());
        let section = server.section("cloud", "media", &proxy.endpoint(), "watch = \"off\"\npart_mib = 5");
        let library = "[library]\nstorage = \"cloud\"\n";
        let mut appliance = Appliance::new(&format!("{section}\n{library}\n{extra}"));
        appliance.workflow_file("noop", NOOP);
        appliance.start();
        Cloud {
            appliance,
            server,
            proxy,
        }
    }

    /// Any request as admin.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let token = self.appliance.token();
        http::request(self.appliance.port(), method, path, Some(&token), headers, body).expect("the daemon answers")
    }

    /// A request without a token, at an address that the daemon gave out.
    pub fn fetch(&self, method: &str, url: &str, headers: &[(&str, &str)]) -> Reply {
        let path = url.find("/o/").map(|at| &url[at..]).expect("a link");
        http::request(self.appliance.port(), method, path, None, headers, b"").expect("the daemon answers")
    }

    /// Begins an upload by JSON; its path.
    pub fn begin(&self, request: &Value) -> String {
        let reply = self.appliance.post("/api/v1/uploads", request);
        assert_eq!(reply.status, 201, "{}", reply.text());
        format!("/api/v1/uploads/{}", reply.json()["id"].as_str().expect("an id"))
    }

    pub fn patch(&self, path: &str, offset: usize, body: &[u8]) -> Reply {
        self.send(
            "PATCH",
            path,
            &[
                ("Tus-Resumable", "1.0.0"),
                ("Content-Type", "application/offset+octet-stream"),
                ("Upload-Offset", &offset.to_string()),
            ],
            body,
        )
    }

    pub fn offset(&self, path: &str) -> usize {
        let reply = self.send("HEAD", path, &[("Tus-Resumable", "1.0.0")], b"");
        assert_eq!(reply.status, 200);
        let offset = reply.header("upload-offset").expect("an offset");
        offset.parse().expect("a number")
    }

    /// Waits until what stands at `path` has ended.
    pub fn ended(&self, path: &str) -> Value {
        self.appliance.until(&format!("{path} to end"), || {
            let view = self.appliance.get(path);
            matches!(view["status"].as_str(), Some("Success" | "Fail" | "Canceled")).then_some(view)
        })
    }

    /// Sends a file whole; what became of it.
    pub fn upload(&self, key: &str, content: &[u8]) -> Value {
        let wish = json!({"key": key, "register": false, "size_bytes": content.len()});
        let path = self.begin(&wish);
        let reply = self.patch(&path, 0, content);
        assert_eq!(reply.status, 204, "{}", reply.text());
        let view = self.ended(&path);
        assert_eq!(view["status"], "Success", "{view:#}");
        view
    }

    /// Sends a file over what stands under its key.
    pub fn replace(&self, key: &str, content: &[u8]) {
        let path = self
            .begin(&json!({"key": key, "register": false, "size_bytes": content.len(), "on_conflict": "overwrite"}));
        assert_eq!(self.patch(&path, 0, content).status, 204);
        assert_eq!(self.ended(&path)["object"], format!("cloud:{key}"));
    }

    /// The first link to an object of a media.
    pub fn link(&self, media: &str) -> String {
        let urls = self.appliance.get(&format!("/api/v1/media/{media}/urls"));
        urls["items"][0]["url"].as_str().expect("a link").to_owned()
    }

    /// Keys of the bucket, without what is staged.
    pub fn keys(&self) -> Vec<String> {
        self.server.keys("media")
    }

    /// What of ours lies beneath our staging, in the bucket and beside it.
    pub fn left_over(&self) -> Vec<String> {
        let in_bucket = self.keys().into_iter().filter(|key| key.starts_with(".reelmill/"));
        let spooled = self.appliance.files("scratch/incoming").into_iter();
        in_bucket.chain(spooled.map(|name| format!("spool: {name}"))).collect()
    }

    /// Events of a type, newest first.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        let events = self.appliance.get(&format!("/api/v1/events?type={kind}&limit=100"));
        events["items"].as_array().expect("a list").clone()
    }
}

/// Bytes that are nowhere the same.
pub fn bytes(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ count as u64;
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}
