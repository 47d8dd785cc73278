//! A daemon that takes files, and what the tests say to it.

use crate::appliance::Appliance;
use crate::appliance::http;
use crate::appliance::http::Reply;
use serde_json::Value;
use serde_json::json;
use std::io::Write as _;
use std::net::TcpStream;

/// A daemon whose library lies in the storage `renditions`, which nobody watches.
pub struct Desk {
    pub appliance: Appliance,
}

/// A workflow that needs no worker.
const NOOP: &str = "name = \"noop\"\n[source]\nstorage = \"*\"\nprefix = \"\"\ntrigger = \"manual\"\n[[activity]]\nid = \"one\"\ntype = \"noop\"\n";

impl Desk {
    pub fn new() -> Self {
        Self::with("[library]\nstorage = \"renditions\"\n")
    }

    pub fn with(extra: &str) -> Self {
        let mut appliance = Appliance::new(extra);
        appliance.workflow_file("noop", NOOP);
        appliance.start();
        Desk { appliance }
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let token = self.appliance.token();
        http::request(self.appliance.port(), method, path, Some(&token), headers, body).expect("the daemon answers")
    }

    /// The same by tus.
    pub fn tus(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut all = vec![("Tus-Resumable", "1.0.0")];
        all.extend_from_slice(headers);
        let reply = self.send(method, path, &all, body);
        assert_eq!(reply.header("tus-resumable"), Some("1.0.0"), "{}", reply.text());
        reply
    }

    /// Begins an upload by tus; its path.
    pub fn begin(&self, length: usize, metadata: &[(&str, &str)]) -> String {
        let metadata = metadata_of(metadata);
        let length = length.to_string();
        let reply = self.tus(
            "POST",
            "/api/v1/uploads",
            &[("Upload-Length", &length), ("Upload-Metadata", &metadata)],
            b"",
        );
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.header("location").expect("a place").to_owned()
    }

    pub fn patch(&self, path: &str, offset: usize, body: &[u8]) -> Reply {
        self.tus(
            "PATCH",
            path,
            &[
                ("Content-Type", "application/offset+octet-stream"),
                ("Upload-Offset", &offset.to_string()),
            ],
            body,
        )
    }

    pub fn offset(&self, path: &str) -> usize {
        let reply = self.tus("HEAD", path, &[], b"");
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        reply
            .header("upload-offset")
            .expect("an offset")
            .parse()
            .expect("a number")
    }

    /// Begins an upload by JSON; its path.
    pub fn begin_plain(&self, request: &Value) -> String {
        let reply = self.appliance.post("/api/v1/uploads", request);
        assert_eq!(reply.status, 201, "{}", reply.text());
        format!("/api/v1/uploads/{}", reply.json()["id"].as_str().expect("an id"))
    }

    pub fn put(&self, path: &str, range: &str, body: &[u8]) -> Reply {
        self.send("PUT", path, &[("Content-Range", range)], body)
    }

    /// A PATCH of which the head announces `length` bytes and only `body` is sent; the connection stays open.
    pub fn half_patch(&self, path: &str, offset: usize, length: usize, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.appliance.port())).expect("connects");
        let head = format!(
            "PATCH {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\n\
             Content-Type: application/offset+octet-stream\r\nUpload-Offset: {offset}\r\nContent-Length: {length}\r\n\r\n",
            self.appliance.token()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream.write_all(body).expect("sent");
        stream
    }

    /// Waits until what stands at `path` has ended.
    pub fn ended(&self, path: &str) -> Value {
        self.appliance.until(&format!("{path} to end"), || {
            let view = self.appliance.get(path);
            matches!(view["status"].as_str(), Some("Success" | "Fail" | "Canceled")).then_some(view)
        })
    }

    /// Facts of the library of one event type, oldest first.
    pub fn facts(&self, kind: &str) -> Vec<Value> {
        let events = self.appliance.get(&format!("/api/v1/events?type={kind}&limit=100"));
        let mut facts: Vec<Value> = events["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|event| event["body"]["detail"]["fact"].clone())
            .collect();
        facts.reverse();
        facts
    }

    /// Changes the database of a stopped daemon.
    pub fn sql(&self, statement: &str) {
        let database = self.appliance.path("state/reelmill.db");
        let connection = rusqlite::Connection::open(database).expect("opens");
        connection.execute_batch(statement).expect("is done");
    }

    pub fn file(&self, key: &str) -> Vec<u8> {
        let path = self.appliance.path("renditions").join(key);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// A wish that needs no worker.
pub fn quiet(key: &str) -> Value {
    json!({"key": key, "register": false})
}

pub fn metadata_of(pairs: &[(&str, &str)]) -> String {
    let encoded: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name} {}", base64(value.as_bytes())))
        .collect();
    encoded.join(",")
}

pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = DIGITS[number >> (18 - 6 * place) & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// Bytes that are nowhere the same.
pub fn bytes(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
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
