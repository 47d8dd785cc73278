//! Does a file dropped into a folder become a proved ladder, a sprite, a poster and signed callbacks? Read first: this is
//! the product's story, told through the real binary.

mod appliance;

use appliance::Appliance;
use appliance::clips;
use appliance::receiver::Callback;
use appliance::receiver::Receiver;
use hmac::Mac;
use md5::Digest;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::process::Command;

const AUTH_KEY: &str = "Abc123Abc123";
const SIGNING_KEY: &str = "a-different-secret";

/// A daemon whose unified callback is a signed destination.
fn appliance(receiver: &Receiver) -> Appliance {
    let keys = tempfile::NamedTempFile::new().expect("a file for the key");
    let appliance = Appliance::new("");
    drop(keys);
    let key_file = appliance.path("signing.key");
    std::fs::write(&key_file, SIGNING_KEY).expect("the key is written");
    let mut text = std::fs::read_to_string(appliance.config()).expect("the configuration is readable");
    text.push_str(&format!(
        "[[destination]]\nname = \"mam\"\nkind = \"http\"\nurl = \"{}\"\nprofile = \"ims\"\nauth_key = \"{AUTH_KEY}\"\n\
         signing_key_file = \"{}\"\n\n[callback]\ndestination = \"mam\"\n",
        receiver.url(),
        key_file.display()
    ));
    std::fs::write(appliance.config(), text).expect("the configuration is written");
    appliance
}

#[test]
fn a_dropped_file_becomes_a_ladder_a_sprite_a_poster_and_signed_callbacks() {
    let receiver = Receiver::start();
    let mut appliance = appliance(&receiver);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/workflows/ingest-ladder.toml");
    std::fs::copy(shipped, appliance.path("workflows/ingest-ladder.toml")).expect("the shipped workflow is there");
    appliance.start();
    appliance.deliver(&clips::long(), "films/my clip.mp4");
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed", "{task:#}");

    // The rungs no larger than the 720p source, as MP4 and in one HLS set, sheets with their index, a poster.
    let files = appliance.files("renditions");
    for expected in [
        "films/my clip/720p.mp4",
        "films/my clip/480p.mp4",
        "films/my clip/360p.mp4",
        "films/my clip/hls.m3u8",
        "films/my clip/hls/720p/index.m3u8",
        "films/my clip/sprite-00001.jpg",
        "films/my clip/sprite.vtt",
        "films/my clip/poster.jpg",
    ] {
        assert!(
            files.iter().any(|file| file == expected),
            "{expected} is missing: {files:#?}"
        );
    }
    assert!(
        !files.iter().any(|file| file.contains("1080p") || file.starts_with('.')),
        "{files:#?}"
    );

    for (rung, width, height) in [("720p", 1280, 720), ("480p", 854, 480), ("360p", 640, 360)] {
        let facts = ffprobe(&appliance.path(&format!("renditions/films/my clip/{rung}.mp4")));
        let video = stream(&facts, "video");
        assert_eq!(
            (video["width"].as_u64(), video["height"].as_u64()),
            (Some(width), Some(height)),
            "{rung}"
        );
        assert_eq!(video["codec_name"], "h264");
        assert_eq!(
            video["nb_read_frames"], "600",
            "{rung}: every frame of the source and no other"
        );
        assert_eq!(stream(&facts, "audio")["codec_name"], "aac");
    }
    key_frames_are_in_step(&appliance);
    hls_is_what_its_master_says(&appliance);
    index_points_into_the_sheet(&appliance);
    every_output_is_proved(&appliance, &task);
    callbacks_are_complete_and_signed(&appliance, &receiver, &task);
    metrics_count_what_happened(&appliance);
}

fn ffprobe(path: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-count_frames",
            "-show_streams",
            "-show_format",
            "-of",
            "json",
        ])
        .arg(path)
        .output()
        .expect("ffprobe is installed");
    assert!(
        output.status.success(),
        "{}: {}",
        path.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("ffprobe writes JSON")
}

fn stream<'a>(facts: &'a Value, kind: &str) -> &'a Value {
    facts["streams"]
        .as_array()
        .and_then(|streams| streams.iter().find(|stream| stream["codec_type"] == kind))
        .unwrap_or_else(|| panic!("no {kind} stream in {facts:#}"))
}

fn metrics_count_what_happened(appliance: &Appliance) {
    let numbers = || {
        let reply = appliance::http::get(appliance.port(), "/metrics", Some(&appliance.token()));
        reply.expect("an answer").text()
    };
    let arrived = numbers();
    let arrivals = arrived
        .lines()
        .find_map(|line| line.strip_prefix("reelmill_arrivals_total{storage=\"ingest\"} "))
        .unwrap_or_else(|| panic!("arrivals are not counted: {arrived}"));
    assert_eq!(arrivals, "1", "{arrived}");
    // The receiver has a callback before its try is counted.
    appliance.until("delivered callbacks to be counted", || {
        let numbers = numbers();
        let delivered = numbers
            .lines()
            .find_map(|line| line.strip_prefix("reelmill_delivery_tries_total{result=\"delivered\"} "))?;
        (delivered != "0").then_some(())
    });
}

/// Times of the key frames of a file, as ffprobe prints them.
fn key_frames(path: &Path) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v",
            "-skip_frame",
            "nokey",
            "-show_entries",
            "frame=pts_time",
        ])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .expect("ffprobe is installed");
    // Side data of a frame makes a line of its own, with nothing in it that was asked for.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| line.trim_matches(',').to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

fn key_frames_are_in_step(appliance: &Appliance) {
    let of = |rung: &str| key_frames(&appliance.path(&format!("renditions/films/my clip/{rung}.mp4")));
    let largest = of("720p");
    assert_eq!(largest.len(), 10, "one every two seconds of twenty: {largest:?}");
    assert_eq!(of("480p"), largest);
    assert_eq!(of("360p"), largest);
}

fn hls_is_what_its_master_says(appliance: &Appliance) {
    let master_path = appliance.path("renditions/films/my clip/hls.m3u8");
    let master = std::fs::read_to_string(&master_path).expect("the master is readable");
    let lines: Vec<&str> = master.lines().collect();
    let variants: Vec<(&str, &str)> = lines
        .windows(2)
        .filter(|pair| pair[0].starts_with("#EXT-X-STREAM-INF:"))
        .map(|pair| (pair[0], pair[1]))
        .collect();
    assert_eq!(variants.len(), 3, "{master}");
    let folder = master_path.parent().expect("a folder");
    for (attributes, uri) in variants {
        let value = |name: &str| {
            let at = attributes
                .find(&format!("{name}="))
                .unwrap_or_else(|| panic!("{name} is missing: {attributes}"));
            let rest = &attributes[at + name.len() + 1..];
            match rest.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
                None => rest.split(',').next().unwrap_or_default().to_owned(),
            }
        };
        let playlist = std::fs::read_to_string(folder.join(uri)).unwrap_or_else(|error| panic!("{uri}: {error}"));
        assert!(
            playlist.contains("#EXT-X-ENDLIST") && playlist.contains("#EXT-X-MAP"),
            "{playlist}"
        );
        let peak: u64 = value(":BANDWIDTH").parse().expect("a number");
        let average: u64 = value("AVERAGE-BANDWIDTH").parse().expect("a number");
        assert!(average <= peak, "{attributes}");
        assert_eq!(value("FRAME-RATE"), "30.000", "{attributes}");
        assert!(
            value("CODECS").starts_with("avc1.") && value("CODECS").contains("mp4a.40.2"),
            "{attributes}"
        );
        let facts = ffprobe(&folder.join(uri));
        let video = stream(&facts, "video");
        assert_eq!(value("RESOLUTION"), format!("{}x{}", video["width"], video["height"]));
        assert_eq!(video["nb_read_frames"], "600", "{uri}");
        let seconds: f64 = playlist
            .lines()
            .filter_map(|line| line.strip_prefix("#EXTINF:")?.trim_end_matches(',').parse::<f64>().ok())
            .sum();
        assert!((seconds - 20.0).abs() < 0.05, "{uri} lasts {seconds} s");
    }
}

fn index_points_into_the_sheet(appliance: &Appliance) {
    let vtt = std::fs::read_to_string(appliance.path("renditions/films/my clip/sprite.vtt")).expect("it is readable");
    assert!(vtt.starts_with("WEBVTT"), "{vtt}");
    let cues: Vec<&str> = vtt.lines().filter(|line| line.contains("#xywh=")).collect();
    assert_eq!(cues.len(), 2, "one each ten seconds of twenty: {vtt}");
    assert!(cues[0].starts_with("sprite-00001.jpg#xywh=0,0,"), "{vtt}");
    assert!(vtt.contains("00:00:10.000 -->"), "{vtt}");
}

fn every_output_is_proved(appliance: &Appliance, task: &Value) {
    let outputs = task["outputs"].as_array().expect("a list");
    assert_eq!(
        outputs.len(),
        6,
        "three MP4, the HLS set, the sprite, the poster: {outputs:#?}"
    );
    for output in outputs {
        let output = appliance.get(&format!("/api/v1/outputs/{}", output["id"].as_str().expect("an id")));
        let checks = output["detail"]["proof"]["checks"]
            .as_array()
            .unwrap_or_else(|| panic!("no proof: {output:#}"));
        assert!(checks.len() >= 2, "{output:#}");
        assert!(checks.iter().all(|check| check["ok"] == true), "{output:#}");
    }
}

fn callbacks_are_complete_and_signed(appliance: &Appliance, receiver: &Receiver, task: &Value) {
    let callbacks = appliance.until("the task to be announced", || {
        let accepted = receiver.accepted();
        accepted
            .iter()
            .any(|callback| callback.event_type() == "WorkflowTaskComplete")
            .then_some(accepted)
    });
    let count = |event: &str| {
        callbacks
            .iter()
            .filter(|callback| callback.event_type() == event)
            .count()
    };
    assert_eq!(count("VideoAnalysisComplete"), 1);
    assert_eq!(
        count("MediaConvertOutputGroupComplete"),
        2,
        "the MP4 group and the HLS group"
    );
    assert_eq!(count("MediaConvertComplete"), 1);
    assert_eq!(count("SnapshotComplete"), 2, "the sprite and the poster");
    assert!(count("MediaConvertOutputComplete") >= 4);
    assert_eq!(count("WorkflowTaskComplete"), 1);
    assert_eq!(
        callbacks.last().map(Callback::event_type).as_deref(),
        Some("WorkflowTaskComplete"),
        "the end comes last"
    );
    for callback in &callbacks {
        signatures_hold(receiver, callback);
    }
    let complete = callbacks.last().expect("some came").json();
    let body = &complete["MessageBody"];
    assert!(complete["UserId"].is_u64(), "{complete:#}");
    assert_eq!(body["Status"], "Succeed");
    assert_eq!(body["TaskId"], task["id"]);
    let input: Value = serde_json::from_str(body["TaskInput"].as_str().expect("a JSON string")).expect("valid inside");
    assert!(input["Type"].is_string() && input["Media"].is_string(), "{input}");
    let sprite = callbacks
        .iter()
        .map(Callback::json)
        .find(|event| event["EventType"] == "SnapshotComplete" && event["MessageBody"]["Type"] != "Normal");
    let sprite = sprite.expect("the sprite was announced");
    for field in ["Input", "Output", "TemplateConfig"] {
        let text = sprite["MessageBody"][field]
            .as_str()
            .unwrap_or_else(|| panic!("{field} is a string: {sprite:#}"));
        serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{field}: {error}"));
    }
}

fn signatures_hold(receiver: &Receiver, callback: &Callback) {
    let header = |name: &str| {
        callback
            .header(name)
            .unwrap_or_else(|| panic!("{name} is missing: {callback:?}"))
    };
    let timestamp = header("X-ICE-TIMESTAMP");
    let plain = format!("{}|{timestamp}|{AUTH_KEY}", receiver.url());
    assert_eq!(header("X-ICE-SIGNATURE"), hex::encode(md5::Md5::digest(plain)));
    let timestamp = header("X-Reelmill-Timestamp");
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(SIGNING_KEY.as_bytes()).expect("any length will do");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(&callback.body);
    assert_eq!(
        header("X-Reelmill-Signature"),
        format!("v1={}", hex::encode(mac.finalize().into_bytes()))
    );
}

/// A workflow of one activity that costs nothing.
const NOOP: &str = "name = \"noop\"\n[source]\nstorage = \"ingest\"\n[[activity]]\nid = \"nothing\"\ntype = \"noop\"\n";

#[test]
fn the_same_file_never_runs_twice_and_a_replaced_one_runs_again() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("noop", NOOP);
    appliance.start();
    appliance.deliver(&clips::silent(), "a.mp4");
    appliance.ended_tasks(1);
    for _ in 0..2 {
        assert!(appliance.stop().success(), "{}", appliance.log());
        appliance.start();
        assert!(appliance.cli(&["storage", "scan", "ingest"]).status.success());
    }
    // Another file, so that there is something to wait for that comes after the rescans.
    appliance.deliver(&clips::silent(), "b.mp4");
    appliance.ended_tasks(2);
    appliance.deliver(&clips::sound_only(), "a.mp4");
    let tasks = appliance.ended_tasks(3);
    assert!(tasks[0]["media"].to_string().contains("a.mp4"), "{:#}", tasks[0]);
    assert_ne!(
        tasks[0]["media"]["id"], tasks[2]["media"]["id"],
        "new content is a new media"
    );
}

#[test]
fn files_that_came_while_the_daemon_was_down_run_and_older_ones_do_not() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("noop", NOOP);
    appliance.deliver(&clips::silent(), "old.mp4");
    appliance.start();
    appliance.deliver(&clips::silent(), "seen.mp4");
    appliance.ended_tasks(1);
    assert!(appliance.stop().success());
    appliance.deliver(&clips::silent(), "while-down.mp4");
    appliance.deliver(&clips::silent(), "copying.mp4.part");
    appliance.deliver(&clips::silent(), ".hidden.mp4");
    appliance.start();
    let tasks = appliance.ended_tasks(2);
    assert!(
        tasks[0]["media"].to_string().contains("while-down.mp4"),
        "{:#}",
        tasks[0]
    );
    let explained = appliance.cli(&["storage", "explain", "ingest", "old.mp4"]);
    assert!(
        explained.status.success() && !explained.stdout.is_empty(),
        "{}",
        appliance::said(&explained)
    );
}

#[test]
fn a_growing_file_waits_until_it_has_settled() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file("noop", NOOP);
    appliance.start();
    let bytes = std::fs::read(clips::short()).expect("the clip is readable");
    let target = appliance.path("ingest/growing.mp4");
    let mut file = std::fs::File::create(&target).expect("it is made");
    for piece in bytes.chunks(bytes.len() / 12) {
        std::io::Write::write_all(&mut file, piece).expect("it grows");
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    drop(file);
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(
        task["media"]["size_bytes"].as_u64(),
        Some(bytes.len() as u64),
        "taken whole: {task:#}"
    );
}

#[test]
fn a_task_started_by_hand_is_started_once_for_one_idempotency_key() {
    let mut appliance = Appliance::new("");
    appliance.workflow_file(
        "noop",
        &NOOP.replace("storage = \"ingest\"", "storage = \"ingest\"\ntrigger = \"manual\""),
    );
    appliance.start();
    appliance.deliver(&clips::silent(), "a.mp4");
    let start = || {
        let body = json!({"workflow": "noop", "object": "ingest:a.mp4", "user_data": "{\"shot\":7}"}).to_string();
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "once")];
        appliance::http::request(
            appliance.port(),
            "POST",
            "/api/v1/tasks",
            Some(&appliance.token()),
            &headers,
            body.as_bytes(),
        )
        .expect("the daemon answers")
    };
    let (first, second) = (start(), start());
    assert!(first.status < 300, "{}", first.text());
    assert_eq!(first.json()["id"], second.json()["id"], "{}", second.text());
    let task = appliance.ended_tasks(1).remove(0);
    assert_eq!(task["status"], "Succeed");
    assert!(task.to_string().contains("shot"), "user data is echoed: {task:#}");
}

#[test]
fn nothing_is_answered_without_a_token() {
    let mut appliance = Appliance::new("");
    appliance.start();
    let port = appliance.port();
    for path in ["/api/v1/tasks", "/api/v1/system", "/metrics", "/openapi.json"] {
        assert_eq!(
            appliance::http::get(port, path, None).expect("an answer").status,
            401,
            "{path}"
        );
        assert_eq!(
            appliance::http::get(port, path, Some("guessed"))
                .expect("an answer")
                .status,
            401,
            "{path}"
        );
    }
    assert_eq!(
        appliance::http::get(port, "/healthz", None).expect("an answer").status,
        200
    );
    assert_eq!(
        appliance::http::get(port, "/metrics", Some(&appliance.token()))
            .expect("an answer")
            .status,
        200
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(appliance.path("state/admin.token"))
            .expect("it exists")
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o600, "the token is its owner's alone");
}

#[test]
fn ready_is_told_to_the_service_manager_and_stop_is_clean() {
    let appliance = Appliance::new("");
    let socket_path = appliance.path("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&socket_path).expect("a socket");
    socket.set_read_timeout(Some(appliance::PATIENCE)).expect("a time-out");
    let mut child = Command::new(appliance::REELMILL)
        .args(["serve", "--config"])
        .arg(appliance.config())
        .env("NOTIFY_SOCKET", &socket_path)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut said = String::new();
    while !said.contains("READY=1") {
        let mut buffer = [0_u8; 4096];
        let length = socket.recv(&mut buffer).expect("the daemon notifies");
        said.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    let reply = appliance::http::get(appliance.port(), "/readyz", None).expect("READY means that it answers");
    assert_eq!(reply.status, 200);
    appliance::signal(child.id(), "TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
