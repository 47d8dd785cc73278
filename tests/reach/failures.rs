//! Receivers that fail in every way, dead letters, and what is done about them.

use crate::appliance::receiver::Receiver;
use crate::world::arrive;
use crate::world::configured;
use crate::world::deliveries;
use serde_json::Value;
use serde_json::json;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Mutex;

/// A server that does one thing to whoever connects. Returns its port and what it was sent first.
pub fn server(manner: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || manner(stream));
        }
    });
    port
}

/// Reads a request's head and body.
fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")?
                        .trim()
                        .parse()
                        .ok()
                })
                .unwrap_or(0_usize);
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return text,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

fn destination(name: &str, port: u16) -> String {
    format!(
        "[[destination]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:{port}/hook\"\nprofile = \"native\"\nglobal = true\n\
         retry = \"ims\"\ntimeout_s = 2\nevents = [\"WorkflowTaskComplete\"]\n"
    )
}

#[test]
fn ill_receivers_leave_dead_letters_that_say_why_and_an_alert_until_somebody_acts() {
    let stalls = server(|mut stream| {
        request(&mut stream);
        std::thread::sleep(std::time::Duration::from_secs(30));
    });
    let closes = server(|mut stream| {
        let _ = stream.read(&mut [0; 16]);
    });
    let redirects = server(|mut stream| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    });
    let short = server(|mut stream| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 9999\r\n\r\nhalf an answer");
    });
    let sections: String = [
        ("stalls", stalls),
        ("closes", closes),
        ("redirects", redirects),
        ("short", short),
    ]
    .iter()
    .map(|(name, port)| destination(name, *port))
    .collect();
    let mut appliance = configured(&sections);
    appliance.start();
    arrive(&appliance, "a.bin");
    appliance.ended_tasks(1);
    let names = ["stalls", "closes", "redirects", "short"];
    let dead = appliance.until("all to be given up", || {
        let dead = deliveries(&appliance, "status=dead&event_type=WorkflowTaskComplete");
        (dead.len() == names.len()).then_some(dead)
    });
    let error_of = |name: &str| {
        let one = dead.iter().find(|one| one["destination"] == name).expect("there");
        assert_eq!(one["tries"], 3, "{name}");
        one["last_error"].as_str().expect("a reason").to_owned()
    };
    assert_eq!(error_of("stalls"), "no answer in time");
    assert_eq!(error_of("redirects"), "it answered 307");
    assert_eq!(error_of("short"), "it answered 500");
    let closed = error_of("closes");
    assert!(closed.contains("closed") || closed.contains("reset"), "{closed}");

    // A person is told, and what they ask for is found.
    let alerts = appliance.until("the alerts", || {
        let open = appliance.get("/api/v1/alerts");
        let open = open["items"].as_array().expect("a list").clone();
        (open.len() == names.len()).then_some(open)
    });
    assert!(
        alerts
            .iter()
            .all(|alert| alert["code"] == "DeliveriesDead" && alert["severity"] == "critical")
    );
    assert_eq!(
        appliance.get("/api/v1/system")["alerts"]
            .as_array()
            .expect("a list")
            .len(),
        4
    );
    let shown = appliance.get("/api/v1/destinations/stalls");
    assert_eq!(
        (&shown["health"]["dead"], &shown["origin"]),
        (&json!(1), &json!("file"))
    );
    assert!(
        shown["health"]["p95_ms"].as_i64().expect("tries were made") >= 2_000,
        "{shown}"
    );
    assert!(deliveries(&appliance, "status=dead&until=2020-01-01T00:00:00Z").is_empty());
    assert_eq!(
        deliveries(&appliance, "status=dead&since=2020-01-01T00:00:00Z&destination=closes").len(),
        1
    );

    // One by one and all at once.
    let id = dead[0]["id"].as_str().expect("an id").to_owned();
    let discarded = appliance.post(&format!("/api/v1/deliveries/{id}/discard"), &json!({}));
    assert_eq!((discarded.status, &discarded.json()["status"]), (200, &json!("done")));
    assert_eq!(
        appliance
            .post(&format!("/api/v1/deliveries/{id}/discard"), &json!({}))
            .status,
        409
    );
    let output = appliance.cli(&["delivery", "discard", "--all", "--event-type", "WorkflowTaskComplete"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "3 deliveries\n");
    appliance.until("the alerts to be over", || {
        let open = appliance.get("/api/v1/alerts");
        open["items"].as_array().expect("a list").is_empty().then_some(())
    });
    let over = appliance.get("/api/v1/alerts?status=cleared");
    assert_eq!(over["items"].as_array().expect("a list").len(), 4);
}

#[test]
fn a_receiver_that_comes_back_gets_its_dead_letters_in_order() {
    let receiver = Receiver::start();
    receiver.answer_with(500);
    let port: u16 = receiver
        .url()
        .rsplit(':')
        .next()
        .and_then(|rest| rest.split('/').next()?.parse().ok())
        .expect("a port");
    let mut appliance = configured(&destination("mam", port));
    appliance.start();
    for number in 0..5 {
        arrive(&appliance, &format!("{number}.bin"));
    }
    appliance.ended_tasks(5);
    appliance.until("all to be given up", || {
        (deliveries(&appliance, "status=dead&destination=mam").len() == 5).then_some(())
    });
    receiver.answer_with(200);
    let output = appliance.cli(&["delivery", "replay", "--all", "--destination", "mam"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "5 deliveries\n");
    let got = appliance.until("all to arrive", || {
        let got = receiver.accepted();
        (got.len() == 5).then_some(got)
    });
    assert!(got.iter().all(|one| one.header("X-Reelmill-Replay") == Some("1")));
}

#[test]
fn a_chat_robot_gets_its_form_and_its_no_in_a_yes_is_understood() {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let robot = server(|mut stream| {
        let text = request(&mut stream);
        SAID.lock().expect("no panic").push(text);
        let body = r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#;
        let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    });
    let own = Receiver::start();
    let sections = format!(
        "[[destination]]\nname = \"chat\"\nurl = \"http://127.0.0.1:{robot}/send?key=s3cret\"\ntemplate = \"wecom\"\n\
         global = true\nretry = \"ims\"\nevents = [\"WorkflowTaskComplete\"]\n\
         [[destination]]\nname = \"own\"\nurl = \"{}\"\nbody_template_file = \"body.json\"\nglobal = true\n\
         headers_file = \"headers\"\nevents = [\"WorkflowTaskComplete\"]\n",
        own.url()
    );
    let mut appliance = configured(&sections);
    crate::world::write(
        &appliance,
        "body.json",
        r#"{"what": {{ type }}, "who": {{ task.workflow_name ~ " of " ~ media.key }} }"#,
    );
    crate::world::write(&appliance, "headers", "# of the studio\nX-Studio: seven\n");
    appliance.start();
    arrive(&appliance, "it's \"quoted\".bin");
    appliance.ended_tasks(1);
    let refused = appliance.until("the robot's no to be kept", || {
        deliveries(&appliance, "status=dead&destination=chat").pop()
    });
    assert!(
        refused["last_error"].as_str().expect("a reason").contains("93000"),
        "{refused}"
    );
    let said = SAID.lock().expect("no panic")[0].clone();
    let body: Value = serde_json::from_str(said.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    assert_eq!(body["msgtype"], "markdown");
    assert!(
        body["markdown"]["content"]
            .as_str()
            .expect("text")
            .contains("**noop: Succeed**"),
        "{body}"
    );
    let got = appliance.until("the template to arrive", || own.accepted().pop());
    assert_eq!(got.header("X-Studio"), Some("seven"));
    assert_eq!(
        got.json(),
        json!({"what": "WorkflowTaskComplete", "who": "noop of it's \"quoted\".bin"})
    );
    let shown = appliance.get("/api/v1/destinations/chat").to_string();
    assert!(!shown.contains("s3cret"), "a robot's address is its secret: {shown}");
}

#[test]
fn the_words_of_tencent_are_signed_in_the_body() {
    let receiver = Receiver::start();
    let sections = format!(
        "[[destination]]\nname = \"mps\"\nurl = \"{}\"\nprofile = \"mps\"\nauth_key = \"NotifyKey1\"\nglobal = true\n",
        receiver.url()
    );
    let mut appliance = configured(&sections);
    appliance.start();
    let tested = appliance.post("/api/v1/destinations/mps/test", &json!({}));
    assert_eq!(tested.json()["accepted"], true, "{}", tested.text());
    let body = receiver.accepted().pop().expect("one").json();
    let until = body["Timestamp"].as_i64().expect("a time");
    let digest = std::process::Command::new("sh")
        .args(["-c", &format!("printf '%s' '{until}NotifyKey1' | md5sum")])
        .output()
        .expect("md5sum runs");
    let digest = String::from_utf8_lossy(&digest.stdout)[..32].to_owned();
    assert_eq!(body["Sign"], digest.as_str());
}
