//! A second reader of what was made: Debian's ffprobe and ffmpeg.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What ffprobe says of the pictures of a file: its first video stream and all their packets.
pub struct Seen {
    /// The stream.
    pub stream: Value,
    /// Times and flags of the packets, in the order of time.
    pub packets: Vec<(f64, bool, u64)>,
}

impl Seen {
    pub fn word(&self, key: &str) -> String {
        self.stream[key].as_str().unwrap_or_default().to_owned()
    }
    /// Times of the key frames from that of the first picture, milliseconds.
    pub fn keys_ms(&self) -> Vec<i64> {
        let first_s = self.packets.first().map_or(0.0, |(at_s, ..)| *at_s);
        self.packets
            .iter()
            .filter(|(_, is_key, _)| *is_key)
            .map(|(at_s, ..)| ((at_s - first_s) * 1000.0).round() as i64)
            .collect()
    }
    /// Bits a second of the packets.
    pub fn kbps(&self, seconds: f64) -> f64 {
        self.packets.iter().map(|(.., bytes)| *bytes as f64).sum::<f64>() * 8.0 / 1000.0 / seconds
    }
}

/// Looks at a file.
pub fn look(path: &Path) -> Seen {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_streams",
            "-show_packets",
            "-of",
            "json",
        ])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    assert!(output.status.success(), "{}: {output:?}", path.display());
    let said: Value = serde_json::from_slice(&output.stdout).expect("json");
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
    let mut packets: Vec<(f64, bool, u64)> = said["packets"]
        .as_array()
        .expect("packets")
        .iter()
        .map(|packet| {
            (
                number(&packet["pts_time"]).expect("a time"),
                packet["flags"].as_str().expect("flags").contains('K'),
                number(&packet["size"]).expect("a size") as u64,
            )
        })
        .collect();
    packets.sort_by(|one, other| one.0.total_cmp(&other.0));
    Seen {
        stream: said["streams"][0].clone(),
        packets,
    }
}

/// Decodes all of a file; every complaint fails.
pub fn decode(path: &Path) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-xerror", "-i"])
        .arg(path)
        .args(["-map", "0", "-f", "null", "-"])
        .output()
        .expect("ffmpeg runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", path.display());
}

/// A clip of moving bars and a tone, made by ffmpeg.
pub fn clip(directory: &Path, name: &str, arguments: &[&str]) -> std::path::PathBuf {
    let path = directory.join(name);
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .arg(&path)
        .output()
        .expect("ffmpeg runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

/// 320x180 at 25 frames a second with sound, H.264 and AAC.
pub fn plain(directory: &Path, seconds: u32) -> std::path::PathBuf {
    let pictures = format!("testsrc2=s=320x180:r=25:d={seconds}");
    let sound = format!("sine=440:d={seconds}:r=48000");
    clip(
        directory,
        "plain.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            &pictures,
            "-f",
            "lavfi",
            "-i",
            &sound,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-crf",
            "18",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
        ],
    )
}
