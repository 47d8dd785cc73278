//! Several files as one media, through the real daemon: one arrival, one film without a seam, one fate.

#[path = "../appliance/mod.rs"]
mod appliance;
mod beside;
mod camera;
mod cards;
mod pictures;

use appliance::Appliance;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A watched storage of all kinds of groups.
const CARDS: &str = r#"
[[storage]]
name = "cards"
kind = "folder"
path = "cards"
settle_looks = 2
settle_interval_s = 0.5
poll_interval_s = 1
groups = ["sequences", "gopro", "p2", "xdcam", "avchd"]
sequence_fps = 24
"#;

/// Films from there, as one small MP4 each; `after` is what becomes of sources.
fn film(after: &str) -> String {
    format!(
        r#"
name = "film"
[source]
storage = "cards"
prefix = "in/"
extensions = ["*"]
after = "{after}"
[output]
storage = "renditions"
[[activity]]
id = "ladder"
type = "transcode"
[[activity.group]]
kind = "file"
container = "mp4"
[[activity.group.output]]
name = "small"
video = {{ codec = "h264", height = 128, preset = "ultrafast", rate = "crf", crf = 30.0, bframes = 0 }}
audio = {{ codec = "aac", bitrate_kbps = 64 }}
[[activity]]
id = "sheet"
type = "snapshot"
mode = "sprite"
interval_s = 1
"#
    )
}

/// A daemon that makes films of what comes into `cards/in`.
fn house(after: &str) -> Appliance {
    house_of("film", &film(after), "")
}

/// A daemon with this workflow over `cards`, with these keys more of its section.
fn house_of(name: &str, workflow: &str, keys: &str) -> Appliance {
    let mut appliance = Appliance::new(&format!("{CARDS}{keys}"));
    std::fs::create_dir_all(appliance.path("cards/in")).expect("the folder is made");
    appliance.workflow_file(name, workflow);
    appliance.start();
    appliance.until("the first scan", || {
        let storages = appliance.get("/api/v1/storages");
        let cards = storages["items"]
            .as_array()?
            .iter()
            .find(|one| one["id"] == "cards")?
            .clone();
        (!cards["last_scan_at"].is_null()).then_some(())
    });
    appliance
}

/// Makes something with the system's ffmpeg in `folder`.
fn ffmpeg(folder: &Path, arguments: &str) {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
        .args(arguments.split_ascii_whitespace())
        .current_dir(folder)
        .output()
        .expect("ffmpeg is installed");
    assert!(
        output.status.success(),
        "ffmpeg {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Puts a file of `from` under a key of the storage, whole at once.
fn put(appliance: &Appliance, from: &Path, key: &str) {
    let to = appliance.path("cards").join(key);
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("the folder is made");
    let beside = appliance.path("delivery.tmp");
    std::fs::copy(from, &beside).expect("it is copied");
    std::fs::rename(&beside, &to).expect("it is moved in");
}

/// Puts a file with this text under a key of the storage, whole at once.
fn put_text(appliance: &Appliance, key: &str, text: &str) {
    let beside = appliance.path("text.tmp");
    std::fs::write(&beside, text).expect("it is written");
    let to = appliance.path("cards").join(key);
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("the folder is made");
    std::fs::rename(&beside, &to).expect("it is moved in");
}

/// When each frame of a file is shown, and how many streams of sound it has, each with its length.
struct Seen {
    frames: Vec<f64>,
    sounds: Vec<f64>,
}

fn look(path: &Path) -> Seen {
    let probe = |arguments: &[&str]| -> String {
        let output = Command::new("ffprobe")
            .args(["-v", "error"])
            .args(arguments)
            .arg(path)
            .output()
            .expect("ffprobe runs");
        assert!(
            output.status.success(),
            "{}: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    };
    let numbers = |text: String| -> Vec<f64> {
        let lines = text.lines().filter_map(|line| line.trim_end_matches(',').parse().ok());
        lines.collect()
    };
    let mut frames = numbers(probe(&[
        "-select_streams",
        "v:0",
        "-show_entries",
        "packet=pts_time",
        "-of",
        "csv=p=0",
    ]));
    frames.sort_by(f64::total_cmp);
    Seen {
        frames,
        sounds: numbers(probe(&[
            "-select_streams",
            "a",
            "-show_entries",
            "stream=duration",
            "-of",
            "csv=p=0",
        ])),
    }
}

impl Seen {
    /// So many frames at this rate, none missing and none late.
    fn is_even(&self, count: usize, fps: f64) {
        assert_eq!(self.frames.len(), count);
        for (number, at_s) in self.frames.iter().enumerate() {
            let due_s = self.frames[0] + number as f64 / fps;
            assert!((at_s - due_s).abs() < 0.002, "frame {number} at {at_s}, due at {due_s}");
        }
    }
}

/// The film that a task made.
fn made(appliance: &Appliance, task: &Value) -> PathBuf {
    assert_eq!(task["status"], "Succeed", "{task:#}\n{}", appliance.log());
    let outputs = task["outputs"].as_array().expect("outputs");
    let main = outputs
        .iter()
        .filter_map(|output| output["object"].as_str())
        .find(|object| object.ends_with(".mp4"));
    let key = main.expect("an MP4").split_once(':').expect("an object").1;
    appliance.path("renditions").join(key)
}

/// Keys of the files that a task shows as its source, with their roles.
fn files(task: &Value) -> Vec<(String, String)> {
    let files = task["parts"]["files"].as_array().cloned().unwrap_or_default();
    let word = |file: &Value, name: &str| file[name].as_str().unwrap_or_default().to_owned();
    files
        .iter()
        .map(|file| {
            (
                word(file, "object").trim_start_matches("cards:").to_owned(),
                word(file, "role"),
            )
        })
        .collect()
}

/// Why an object did, or did not, run.
fn explained(appliance: &Appliance, key: &str) -> String {
    appliance
        .get(&format!("/api/v1/storages/cards/explain?key={key}"))
        .to_string()
}
