//! Files by address, from servers good and bad.

use crate::desk::Desk;
use crate::desk::bytes;
use crate::server::Server;
use crate::server::Told;
use serde_json::Value;
use serde_json::json;

const OPEN: &str = "[library]\nstorage = \"renditions\"\npull_stall_s = 1\npull_tries = 3\nmax_upload_bytes = 50000000\n\
    [security]\nallow_private_pulls = true\n";
const MIB: usize = 1 << 20;

impl Desk {
    fn pull(&self, request: &Value) -> String {
        let reply = self.appliance.post("/api/v1/pulls", request);
        assert_eq!(reply.status, 201, "{}", reply.text());
        format!("/api/v1/pulls/{}", reply.json()["id"].as_str().expect("an id"))
    }

    fn pulled(&self, request: &Value) -> Value {
        let path = self.pull(request);
        self.ended(&path)
    }
}

#[test]
fn a_file_is_fetched_and_becomes_a_media_that_a_workflow_runs_on() {
    let desk = Desk::with(OPEN);
    let content = bytes(3 * MIB);
    let served = content.clone();
    let server = Server::start(move |asked, _| Told::file(asked, &served, "v1"));
    let url = server
        .url("/media/take%20one.mp4?sig=hidden#t")
        .replace("http://", "http://user:secret@");
    let view =
        desk.pulled(&json!({"url": url, "headers": {"X-Key": "hidden-too"}, "workflow": "noop", "title": "Take"}));
    assert_eq!(view["status"], "Success", "{view:#}");
    assert_eq!(view["object"], "renditions:uploads/take one.mp4");
    assert_eq!(desk.file("uploads/take one.mp4"), content);
    let task = &desk.appliance.ended_tasks(1)[0];
    assert_eq!((&view["tasks"][0], &view["media"]), (&task["id"], &task["media"]["id"]));
    let asked = &server.asked()[0];
    assert_eq!(asked.path, "/media/take%20one.mp4?sig=hidden");
    assert_eq!(asked.header("x-key"), Some("hidden-too"));
    assert_eq!(asked.header("authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
    let facts = desk.facts("UploadByURLComplete");
    assert_eq!(facts[0]["pulled"]["job"], view["id"], "{facts:#?}");
    // What was secret is nowhere to be read.
    let token = desk.appliance.token();
    let everything = [
        view.to_string(),
        desk.appliance.get("/api/v1/events?limit=100").to_string(),
        desk.appliance.get("/api/v1/pulls").to_string(),
        desk.appliance.log(),
    ];
    for text in &everything {
        assert!(
            !text.contains("secret") && !text.contains("hidden") && !text.contains(&token),
            "{text}"
        );
    }
    let database = std::fs::read(desk.appliance.path("state/reelmill.db")).expect("readable");
    let log = std::fs::read(desk.appliance.path("state/reelmill.db-wal")).unwrap_or_default();
    for bytes in [database, log] {
        assert!(!bytes.windows(10).any(|window| window == b"hidden-too"));
    }
}

#[test]
fn user_data_keep_each_digit() {
    let desk = Desk::with(OPEN);
    let server = Server::start(|asked, _| Told::file(asked, b"film", "v1"));
    let request = format!(
        "{{\"url\": {:?}, \"workflow\": \"noop\", \"user_data\": [123456789012345678901234567890, 1.00]}}",
        server.url("/a.mp4")
    );
    let headers = [("Content-Type", "application/json")];
    let reply = desk.send("POST", "/api/v1/pulls", &headers, request.as_bytes());
    assert_eq!(reply.status, 201, "{}", reply.text());
    let task = &desk.appliance.ended_tasks(1)[0];
    assert_eq!(task["user_data"], "[123456789012345678901234567890,1.00]", "{task:#}");
}

#[test]
fn a_fetch_goes_on_after_cuts_and_silence_and_only_with_the_same_content() {
    let desk = Desk::with(OPEN);
    let content = bytes(6 * MIB);
    let served = content.clone();
    let server = Server::start(move |asked, number| match number {
        0 => Told::file(asked, &served, "v1").cut(2 * MIB),
        1 => Told::file(asked, &served, "v1").stall(2 * MIB),
        _ => Told::file(asked, &served, "v1"),
    });
    let view = desk.pulled(&json!({"url": server.url("/a.mp4"), "register": false}));
    assert_eq!(view["status"], "Success", "{view:#}");
    assert!(desk.file("uploads/a.mp4") == content);
    let from: Vec<Option<usize>> = server.asked().iter().map(|asked| asked.from()).collect();
    assert_eq!(from, [None, Some(2 * MIB), Some(4 * MIB)]);
    assert_eq!(server.asked()[1].header("if-range"), Some("\"v1\""));

    // Replaced in between: nothing of the old one is in the new one.
    let (old, new) = (bytes(4 * MIB), content.clone());
    let server = Server::start(move |asked, number| match number {
        0 => Told::file(asked, &old, "old").cut(3 * MIB),
        _ => Told::file(asked, &new, "new"),
    });
    let view = desk.pulled(&json!({"url": server.url("/b.mp4"), "register": false}));
    assert_eq!(view["status"], "Success", "{view:#}");
    assert!(desk.file("uploads/b.mp4") == content);

    // A server that knows no ranges, and says so by sending everything again.
    let served = content.clone();
    let server = Server::start(move |_, number| {
        let told = Told::ok("video/mp4", &served).with("ETag", "\"v1\"");
        if number == 0 { told.cut(MIB) } else { told }
    });
    let view = desk.pulled(&json!({"url": server.url("/c.mp4"), "register": false}));
    assert_eq!(view["status"], "Success", "{view:#}");
    assert!(desk.file("uploads/c.mp4") == content);

    // One that lies about where its part begins, then about the whole.
    let served = content.clone();
    let server = Server::start(move |asked, number| match number {
        0 => Told::file(asked, &served, "v1").cut(2 * MIB),
        1 => {
            let mut told = Told::ok("video/mp4", &served[..2 * MIB]).with("ETag", "\"v1\"");
            told.status = 206;
            told.with("Content-Range", &format!("bytes 0-{}/{}", 2 * MIB - 1, served.len()))
        }
        _ => Told::file(asked, &served, "v1"),
    });
    let view = desk.pulled(&json!({"url": server.url("/d.mp4"), "register": false}));
    assert_eq!(view["status"], "Success", "{view:#}");
    assert!(desk.file("uploads/d.mp4") == content);
}

#[test]
fn what_always_breaks_off_fails_with_its_reason_and_a_retry_goes_on() {
    let desk = Desk::with(OPEN);
    let content = bytes(300_000);
    let served = content.clone();
    let server = Server::start(move |asked, number| {
        let told = Told::file(asked, &served, "v1");
        if number < 3 {
            told.cut(100_000 * usize::from(number == 0))
        } else {
            told
        }
    });
    let path = desk.pull(&json!({"url": server.url("/a.mp4"), "register": false}));
    let view = desk.ended(&path);
    assert_eq!(
        (&view["status"], &view["fault"]["code"]),
        (&"Fail".into(), &"PullCut".into()),
        "{view:#}"
    );
    assert_eq!(view["received_bytes"], 100_000);
    let facts = desk.facts("UploadByURLComplete");
    assert_eq!(facts[0]["fault"]["code"], "PullCut", "{facts:#?}");
    assert_eq!(desk.appliance.post(&format!("{path}/retry"), &json!({})).status, 202);
    let view = desk.ended(&path);
    assert_eq!(view["status"], "Success", "{view:#}");
    assert_eq!(server.asked().last().expect("asked").from(), Some(100_000));
    assert_eq!(desk.file("uploads/a.mp4"), content);
    assert_eq!(desk.appliance.post(&format!("{path}/retry"), &json!({})).status, 409);
    assert_eq!(desk.appliance.post(&format!("{path}/cancel"), &json!({})).status, 409);
}

#[test]
fn what_is_no_media_too_large_or_not_there_fails_at_once() {
    let desk = Desk::with(OPEN);
    let fails = |tell: fn() -> Told, name: &str, code: &str| {
        let server = Server::start(move |_, _| tell());
        let view = desk.pulled(&json!({"url": server.url(name)}));
        assert_eq!(
            (&view["status"], &view["fault"]["code"]),
            (&"Fail".into(), &code.into()),
            "{name} {view:#}"
        );
        assert_eq!(server.asked().len(), 1, "{name}: once is enough");
    };
    fails(
        || Told::ok("text/html; charset=utf-8", b"<html>log in</html>"),
        "/a.mp4",
        "PullNotMedia",
    );
    fails(|| Told::ok("application/octet-stream", b"?"), "/what", "PullNotMedia");
    fails(
        || Told::ok("video/mp4", b"x").with("Content-Encoding", "gzip"),
        "/z.mp4",
        "PullNotMedia",
    );
    fails(|| Told::status(404), "/gone.mp4", "PullRefused");
    fails(|| Told::status(403), "/secret.mp4", "PullRefused");
    fails(
        || {
            let mut told = Told::ok("video/mp4", b"x");
            told.headers[1].1 = "50000001".to_owned();
            told
        },
        "/giant.mp4",
        "PullTooLarge",
    );
    // A giant that does not say so.
    let server = Server::start(|_, _| Told {
        status: 200,
        headers: vec![("Content-Type".to_owned(), "video/mp4".to_owned())],
        body: vec![7; 50_000_001],
        ..Told::default()
    });
    let view = desk.pulled(&json!({"url": server.url("/sneaky.mp4")}));
    assert_eq!(view["fault"]["code"], "PullTooLarge", "{view:#}");
    assert_eq!(
        desk.appliance.files("renditions"),
        Vec::<String>::new(),
        "nothing is left of any"
    );
    assert_eq!(desk.facts("UploadByURLComplete").len(), 7, "each is told");
    // What the servers of Subrip files say, and a good digest.
    let server = Server::start(|_, _| Told::ok("application/octet-stream", b"abc"));
    let good =
        json!({"url": server.url("/a.srt"), "register": false, "digest": "md5:900150983cd24fb0d6963f7d28e17f72"});
    assert_eq!(desk.pulled(&good)["status"], "Success");
    let wrong = json!({"url": server.url("/b.srt"), "register": false, "digest": format!("md5:{}", "0".repeat(32))});
    assert_eq!(desk.pulled(&wrong)["fault"]["code"], "DigestWrong");
}

#[test]
fn redirects_are_followed_a_few_times_and_never_into_forbidden_places() {
    let desk = Desk::with(OPEN);
    let target = Server::start(|asked, _| Told::file(asked, b"film", "v1"));
    let to = target.url("/film.mp4");
    let server = Server::start(move |asked, _| match asked.path.as_str() {
        "/good.mp4" => Told::redirect("/again.mp4"),
        "/again.mp4" => Told::redirect(&to),
        "/metadata.mp4" => Told::redirect("http://169.254.169.254/latest/meta-data"),
        "/file.mp4" => Told::redirect("file:///etc/passwd"),
        "/nowhere.mp4" => Told::status(302),
        _ => Told::redirect("/round.mp4"),
    });
    let with_key =
        |path: &str| json!({"url": server.url(path), "register": false, "headers": {"Authorization": "Bearer x"}});
    assert_eq!(desk.pulled(&with_key("/good.mp4"))["status"], "Success");
    assert_eq!(
        server.asked()[1].header("authorization"),
        Some("Bearer x"),
        "the same host"
    );
    assert_eq!(
        target.asked()[0].header("authorization"),
        None,
        "another host is not given it"
    );
    for (path, code) in [
        ("/metadata.mp4", "PullAddressRefused"),
        ("/file.mp4", "PullRedirected"),
        ("/nowhere.mp4", "PullRedirected"),
        ("/round.mp4", "PullRedirected"),
    ] {
        let view = desk.pulled(&with_key(path));
        assert_eq!(view["fault"]["code"], code, "{path} {view:#}");
    }
}

#[test]
fn without_leave_only_public_addresses_are_asked() {
    let desk = Desk::new();
    let server = Server::start(|asked, _| Told::file(asked, b"film", "v1"));
    let ask = |url: &str| desk.appliance.post("/api/v1/pulls", &json!({"url": url}));
    for url in [
        server.url("/a.mp4").as_str(),
        "http://10.0.0.1/a.mp4",
        "http://192.168.1.1/a.mp4",
        "http://[::1]/a.mp4",
        "http://[::ffff:10.0.0.1]/a.mp4",
        "http://169.254.169.254/a.mp4",
        "http://0x7f000001/a.mp4",
        "ftp://example.com/a.mp4",
        "file:///etc/passwd",
        "nonsense",
    ] {
        let reply = ask(url);
        assert_eq!(reply.status, 422, "{url} {}", reply.text());
    }
    // A name is looked up later, and refused then.
    let port = server.url("").rsplit(':').next().expect("a port").to_owned();
    let view = desk.pulled(&json!({"url": format!("http://localhost:{port}/a.mp4")}));
    assert_eq!(view["fault"]["code"], "PullAddressRefused", "{view:#}");
    assert!(server.asked().is_empty());
    let own = json!({"url": "http://example.com/a.mp4", "headers": {"Range": "bytes=0-1"}});
    assert_eq!(desk.appliance.post("/api/v1/pulls", &own).status, 422);
}

#[test]
fn kill_9_and_stop_in_the_middle_go_on_and_a_cancel_ends_it() {
    let mut desk = Desk::with(&OPEN.replace("pull_stall_s = 1", "pull_stall_s = 60"));
    let content = bytes(40 * MIB);
    let served = content.clone();
    let server = Server::start(move |asked, number| {
        let told = Told::file(asked, &served, "v1");
        match number {
            0 => told.stall(36 * MIB),
            1 => told.stall(2 * MIB),
            _ => told,
        }
    });
    let path = desk.pull(&json!({"url": server.url("/a.mp4"), "register": false}));
    desk.appliance.until("some of it to be durable", || {
        (desk.appliance.get(&path)["received_bytes"].as_u64()? >= 32 << 20).then_some(())
    });
    desk.appliance.kill_9();
    desk.appliance.start();
    desk.appliance
        .until("it to be asked for again", || (server.asked().len() >= 2).then_some(()));
    // An orderly stop keeps what came of the second.
    desk.appliance.stop();
    desk.appliance.start();
    let view = desk.ended(&path);
    assert_eq!(
        (&view["status"], &view["tries"]),
        (&"Success".into(), &0.into()),
        "{view:#}"
    );
    assert!(desk.file("uploads/a.mp4") == content);
    let from: Vec<Option<usize>> = server.asked().iter().map(|asked| asked.from()).collect();
    assert!(from[1] >= Some(32 * MIB) && from[2] >= from[1], "{from:?}");
    assert_eq!(desk.facts("UploadByURLComplete").len(), 1);

    let silent = Server::start(|asked, _| Told::file(asked, &bytes(4 * MIB), "v1").stall(2 * MIB));
    let path = desk.pull(&json!({"url": silent.url("/b.mp4")}));
    desk.appliance
        .until("it to be fetched", || (!silent.asked().is_empty()).then_some(()));
    let reply = desk.appliance.post(&format!("{path}/cancel"), &json!({}));
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (200, &"Canceled".into()),
        "{}",
        reply.text()
    );
    desk.appliance.until("its pieces to be gone", || {
        let files = desk.appliance.files("renditions");
        (!files.iter().any(|file| file.contains(".reelmill"))).then_some(())
    });
    assert_eq!(
        desk.facts("UploadByURLComplete").last().expect("an event")["fault"]["code"],
        "PullCanceled"
    );
}

#[test]
fn busy_servers_are_asked_again_and_the_same_call_makes_one_pull() {
    let desk = Desk::with(OPEN);
    let server = Server::start(|asked, number| match number {
        0 => Told::status(503).with("Retry-After", "1"),
        _ => Told::file(asked, b"film", "v1"),
    });
    let body = json!({"url": server.url("/a.mp4"), "register": false, "key": "deep/er/name.mov"}).to_string();
    let ask = |body: &str| {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "p1")];
        desk.send("POST", "/api/v1/pulls", &headers, body.as_bytes())
    };
    let (first, again) = (ask(&body), ask(&body));
    assert_eq!((first.status, again.status), (201, 200), "{}", again.text());
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!(ask(r#"{"url": "http://example.com/"}"#).status, 409);
    let path = format!("/api/v1/pulls/{}", first.json()["id"].as_str().expect("an id"));
    let view = desk.ended(&path);
    assert_eq!(
        (&view["status"], &view["object"]),
        (&"Success".into(), &"renditions:deep/er/name.mov".into()),
        "{view:#}"
    );
    assert_eq!(server.asked().len(), 2);
    let listed = desk.appliance.get("/api/v1/pulls?status=Success");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let done = desk
        .appliance
        .cli(&["media", "pull", &server.url("/cli.mp4"), "--no-register", "--wait"]);
    assert!(done.status.success(), "{}", crate::appliance::said(&done));
    assert_eq!(desk.file("uploads/cli.mp4"), b"film");
}
