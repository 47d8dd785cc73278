//! Uploads and pulls into a bucket.

use crate::appliance::fault_proxy::Ill;
use crate::appliance::fault_proxy::Rule;
use crate::cloud::Cloud;
use crate::cloud::MIB;
use crate::cloud::bytes;
use serde_json::json;
use sha2::Digest as _;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;

#[test]
fn an_upload_goes_on_after_kill_9_with_parts_and_the_end_of_one() {
    let mut cloud = Cloud::start();
    let content = bytes(13 * MIB + 777);
    let digest = hex::encode(sha2::Sha256::digest(&content));
    let path = cloud.begin(&json!({
        "key": "in/clip.mp4", "register": false, "size_bytes": content.len(), "digest": format!("sha256:{digest}"),
    }));
    // A piece that is less than a part is kept, to the byte.
    assert_eq!(cloud.patch(&path, 0, &content[..1000]).status, 204);
    assert_eq!(cloud.offset(&path), 1000);
    // Two parts and a piece of the third.
    assert_eq!(cloud.patch(&path, 1000, &content[1000..11 * MIB]).status, 204);
    cloud.appliance.kill_9();
    cloud.appliance.start();
    assert_eq!(cloud.offset(&path), 11 * MIB, "what was answered for is there");
    assert!(
        cloud.keys().iter().all(|key| !key.starts_with("in/")),
        "nothing has its name before it is whole"
    );
    let parts = cloud
        .proxy
        .count(|seen| seen.method == "PUT" && seen.target.contains("partNumber="));
    assert_eq!(parts, 2);
    let last = cloud.patch(&path, 11 * MIB, &content[11 * MIB..]);
    assert_eq!(last.status, 204, "{}", last.text());
    let view = cloud.ended(&path);
    assert_eq!(
        (&view["status"], &view["object"]),
        (&"Success".into(), &"cloud:in/clip.mp4".into()),
        "{view:#}"
    );
    assert_eq!(
        cloud.server.object("media", "in/clip.mp4").expect("it is there"),
        content
    );
    assert_eq!(cloud.left_over(), Vec::<String>::new());
    // The media is the object as it stands there: it can be run at once.
    let media = view["media"].as_str().expect("a media");
    let started = cloud
        .appliance
        .post("/api/v1/tasks", &json!({"workflow": "noop", "media": media}));
    assert_eq!(started.status, 201, "{}", started.text());
    assert_eq!(cloud.appliance.ended_tasks(1)[0]["status"], "Succeed");
    let events = cloud.events("FileUploadComplete");
    assert_eq!(events.len(), 1);
    assert!(events[0].to_string().contains("cloud:in/clip.mp4") || events[0].to_string().contains("in/clip.mp4"));
    let shown = cloud.appliance.get(&format!("/api/v1/media/{media}"));
    assert_eq!(
        (&shown["size_bytes"], &shown["origin"]),
        (&content.len().into(), &"upload".into()),
        "{shown:#}"
    );
}

#[test]
fn many_small_pieces_become_one_object() {
    let cloud = Cloud::start();
    let content = bytes(6 * MIB + 5);
    let path = cloud.begin(&json!({"key": "a.bin", "register": false}));
    let mut at = 0;
    for step in [1, 65_536, 2 * MIB, 1, 3 * MIB, 900_000] {
        let end = (at + step).min(content.len());
        let range = format!("bytes {at}-{}/*", end - 1);
        let reply = cloud.send("PUT", &path, &[("Content-Range", &range)], &content[at..end]);
        assert_eq!(reply.status, 200, "{}", reply.text());
        at = end;
        assert_eq!(cloud.offset(&path), at);
    }
    let range = format!("bytes {at}-{}/{}", content.len() - 1, content.len());
    let reply = cloud.send("PUT", &path, &[("Content-Range", &range)], &content[at..]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(cloud.ended(&path)["status"], "Success");
    assert_eq!(cloud.server.object("media", "a.bin").expect("it is there"), content);
    assert_eq!(cloud.left_over(), Vec::<String>::new());
}

#[test]
fn small_files_and_taken_keys() {
    let cloud = Cloud::start();
    assert_eq!(cloud.upload("a/x.mp4", b"one")["object"], "cloud:a/x.mp4");
    assert_eq!(cloud.upload("a/x.mp4", b"two")["object"], "cloud:a/x-2.mp4");
    assert_eq!(cloud.upload("a/empty.bin", b"")["object"], "cloud:a/empty.bin");
    let fail = json!({"key": "a/x.mp4", "register": false, "size_bytes": 3, "on_conflict": "fail"});
    assert_eq!(cloud.appliance.post("/api/v1/uploads", &fail).status, 409);
    let over = json!({"key": "a/x.mp4", "register": false, "size_bytes": 5, "on_conflict": "overwrite"});
    let path = cloud.begin(&over);
    assert_eq!(cloud.patch(&path, 0, b"three").status, 204);
    assert_eq!(cloud.ended(&path)["status"], "Success");
    assert_eq!(cloud.server.object("media", "a/x.mp4").expect("there"), b"three");
    assert_eq!(cloud.server.object("media", "a/x-2.mp4").expect("there"), b"two");
    // Two large ones for one name, at once.
    let content = bytes(6 * MIB);
    let wish = json!({"key": "big.mov", "register": false, "size_bytes": content.len()});
    let (first, second) = (cloud.begin(&wish), cloud.begin(&wish));
    for path in [&first, &second] {
        assert_eq!(cloud.patch(path, 0, &content[..5 * MIB + 1]).status, 204);
    }
    for path in [&second, &first] {
        assert_eq!(cloud.patch(path, 5 * MIB + 1, &content[5 * MIB + 1..]).status, 204);
    }
    assert_eq!(cloud.ended(&second)["object"], "cloud:big.mov");
    assert_eq!(cloud.ended(&first)["object"], "cloud:big-2.mov");
    assert_eq!(cloud.left_over(), Vec::<String>::new());
}

#[test]
fn what_is_not_what_it_must_come_to_never_appears() {
    let cloud = Cloud::start();
    for size in [1000, 6 * MIB] {
        let content = bytes(size);
        let path = cloud.begin(&json!({
            "key": "a.mp4", "register": false, "size_bytes": size, "digest": format!("md5:{}", "0".repeat(32)),
        }));
        let reply = cloud.patch(&path, 0, &content);
        assert!([204, 422].contains(&reply.status), "{}", reply.text());
        let view = cloud.ended(&path);
        assert_eq!(
            (&view["status"], &view["fault"]["code"]),
            (&"Fail".into(), &"DigestWrong".into()),
            "{view:#}"
        );
        assert_eq!(cloud.keys(), Vec::<String>::new());
    }
    assert_eq!(cloud.left_over(), Vec::<String>::new());
}

#[test]
fn a_cancelled_upload_leaves_nothing_behind() {
    let cloud = Cloud::start();
    let path = cloud.begin(&json!({"key": "a.mp4", "register": false, "size_bytes": 20 * MIB}));
    assert_eq!(cloud.patch(&path, 0, &bytes(11 * MIB)).status, 204);
    assert_eq!(cloud.send("DELETE", &path, &[], b"").status, 204);
    assert_eq!(cloud.left_over(), Vec::<String>::new());
    let aborted = cloud
        .proxy
        .count(|seen| seen.method == "DELETE" && seen.target.contains("uploadId="));
    assert_eq!(aborted, 1);
}

#[test]
fn an_upload_that_the_bucket_forgot_begins_anew() {
    let cloud = Cloud::start();
    let content = bytes(12 * MIB);
    let path = cloud.begin(&json!({"key": "a.mp4", "register": false, "size_bytes": content.len()}));
    assert_eq!(cloud.patch(&path, 0, &content[..7 * MIB]).status, 204);
    cloud.proxy.make(
        Rule::new(Ill::Error(404, "NoSuchUpload"))
            .method("PUT")
            .target("uploadId=")
            .times(1),
    );
    // The next part is not taken; the sender is told, asks, and sends everything again.
    let reply = cloud.patch(&path, 7 * MIB, &content[7 * MIB..]);
    assert_eq!(
        (reply.status, &reply.json()["code"]),
        (503, &"UploadLost".into()),
        "{}",
        reply.text()
    );
    let offset = cloud.offset(&path);
    assert_eq!(offset, 0, "nothing of it is there any more");
    assert_eq!(cloud.patch(&path, 0, &content).status, 204);
    assert_eq!(cloud.ended(&path)["status"], "Success");
    assert_eq!(cloud.server.object("media", "a.mp4").expect("there"), content);
}

#[test]
fn a_kill_9_while_it_gets_its_name_changes_nothing() {
    let mut cloud = Cloud::start();
    let content = bytes(6 * MIB);
    // The copy to its name is carried out and the answer lost, again and again.
    cloud.proxy.make(
        Rule::new(Ill::LostAnswer)
            .method("PUT")
            .target("/a.mp4")
            .not_target(".reelmill"),
    );
    let path = cloud.begin(&json!({"key": "a.mp4", "register": false, "size_bytes": content.len()}));
    let (token, port) = (cloud.appliance.token(), cloud.appliance.port());
    let (last, body) = (path.clone(), content.clone());
    let sending = std::thread::spawn(move || {
        let headers = [
            ("Tus-Resumable", "1.0.0"),
            ("Content-Type", "application/offset+octet-stream"),
            ("Upload-Offset", "0"),
        ];
        // Its answer dies with the daemon.
        let _ = crate::appliance::http::request(port, "PATCH", &last, Some(&token), &headers, &body);
    });
    cloud.appliance.until("the object to stand there", || {
        cloud.server.object("media", "a.mp4").filter(|found| *found == content)
    });
    cloud.appliance.kill_9();
    sending.join().expect("it ends");
    cloud.proxy.heal();
    cloud.appliance.start();
    let view = cloud.ended(&path);
    assert_eq!(
        (&view["status"], &view["object"]),
        (&"Success".into(), &"cloud:a.mp4".into()),
        "{view:#}"
    );
    assert_eq!(cloud.keys(), ["a.mp4"], "no second version");
    assert_eq!(cloud.left_over(), Vec::<String>::new());
}

/// A server that gives `content`, cut off after `cut` bytes the first time.
fn give(content: Vec<u8>, cut: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its number").port();
    std::thread::spawn(move || {
        let mut first = true;
        for stream in listener.incoming() {
            let mut stream = stream.expect("connects");
            let mut head = [0; 4096];
            let count = stream.read(&mut head).expect("reads");
            let head = String::from_utf8_lossy(&head[..count]).to_ascii_lowercase();
            let range = head
                .split("range: bytes=")
                .nth(1)
                .and_then(|rest| rest.split('-').next());
            let from: usize = range.and_then(|digits| digits.parse().ok()).unwrap_or(0);
            let status = if from == 0 { "200 OK" } else { "206 Partial Content" };
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: video/mp4\r\nETag: \"one\"\r\nContent-Length: {}\r\n\
                 Content-Range: bytes {from}-{}/{}\r\nConnection: close\r\n\r\n",
                content.len() - from,
                content.len() - 1,
                content.len()
            );
            let end = if std::mem::take(&mut first) { cut } else { content.len() };
            let _ = stream.write_all(answer.as_bytes());
            let _ = stream.write_all(&content[from..end.max(from)]);
        }
    });
    port
}

#[test]
fn a_pull_goes_on_where_it_broke_off() {
    let cloud = Cloud::with("[security]\nallow_private_pulls = true\n");
    let content = bytes(12 * MIB + 9);
    let port = give(content.clone(), 7 * MIB);
    let asked = json!({"url": format!("http://127.0.0.1:{port}/a.mp4"), "key": "p/a.mp4", "register": false});
    let reply = cloud.appliance.post("/api/v1/pulls", &asked);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let path = format!("/api/v1/pulls/{}", reply.json()["id"].as_str().expect("an id"));
    let view = cloud.ended(&path);
    assert_eq!(view["status"], "Success", "{view:#}");
    assert_eq!(cloud.server.object("media", "p/a.mp4").expect("there"), content);
    let parts = cloud
        .proxy
        .count(|seen| seen.method == "PUT" && seen.target.contains("partNumber="));
    assert_eq!(parts, 3, "no part was sent twice");
    assert_eq!(cloud.left_over(), Vec::<String>::new());
}
