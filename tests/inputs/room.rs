//! A temporary folder with clips, a workflow in it, and the real binary over both.

use crate::backend;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

/// The binary under test.
pub const REELMILL: &str = env!("CARGO_BIN_EXE_reelmill");

/// The folder.
pub struct Room {
    root: tempfile::TempDir,
}

/// How a run ended.
pub struct Run {
    /// Its exit code.
    pub code: i32,
    /// The result object.
    pub report: Value,
    /// What it said to people.
    pub words: String,
}

impl Run {
    /// Path of the only output of an activity named `name`.
    pub fn output(&self, name: &str) -> PathBuf {
        let outputs = self.report["outputs"].as_array().expect("outputs");
        let found = outputs.iter().find(|output| output["name"] == name);
        let found = found.unwrap_or_else(|| panic!("no output {name}: {}", self.words));
        PathBuf::from(found["path"].as_str().expect("a path"))
    }
    /// The codes of what failed.
    pub fn codes(&self) -> Vec<&str> {
        let errors = self.report["errors"].as_array().expect("errors");
        errors.iter().filter_map(|error| error["code"].as_str()).collect()
    }
}

impl Room {
    pub fn new() -> Self {
        Room {
            root: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Makes a file with ffmpeg; the arguments are split at spaces.
    pub fn make(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.path(name);
        let answer = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y"])
            .args(arguments.split_whitespace())
            .arg(&path)
            .output()
            .expect("ffmpeg is installed");
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        path
    }

    /// A clip of one colour (and a tone) at a size and rate.
    pub fn slate(
        &self,
        name: &str,
        color: &str,
        size: &str,
        rate: &str,
        seconds: &str,
        tone_hz: Option<u32>,
    ) -> PathBuf {
        let tone = tone_hz.map_or(String::new(), |tone_hz| {
            format!(" -f lavfi -i sine=f={tone_hz}:r=48000:d={seconds} -c:a aac")
        });
        self.make(
            name,
            &format!("-f lavfi -i color={color}:s={size}:r={rate}:d={seconds}{tone} -c:v libx264 -preset ultrafast -pix_fmt yuv420p"),
        )
    }

    /// Runs a workflow (its activities) over a file.
    pub fn run(&self, activities: &str, input: &Path, more: &[&str]) -> Run {
        let workflow = self.path("w.toml");
        std::fs::write(&workflow, format!("name = \"w\"\n{activities}")).expect("it can be written");
        let answer = Command::new(REELMILL)
            .arg("run")
            .arg(&workflow)
            .arg(input)
            .args(["--json", "--overwrite", "--threads", "2", "--output"])
            .arg(self.path("out"))
            .arg("--scratch")
            .arg(self.root.path())
            .args(backend::arguments())
            .args(more)
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs");
        Run {
            code: answer.status.code().unwrap_or(-1),
            report: serde_json::from_slice(&answer.stdout).unwrap_or_default(),
            words: String::from_utf8_lossy(&answer.stderr).into_owned(),
        }
    }
}

/// One small MP4 rung; `extra` are keys of the activity.
pub fn rung(extra: &str) -> String {
    format!(
        "[[activity]]\nid = \"t\"\ntype = \"transcode\"\n{extra}\n[[activity.group]]\nkind = \"file\"\n\
         [[activity.group.output]]\nname = \"low\"\n\
         video = {{ codec = \"h264\", height = 180, preset = \"ultrafast\", crf = 20.0, bframes = 0 }}\n\
         audio = {{ codec = \"aac\" }}\n"
    )
}

/// One entry for each decoded frame of the pictures: its time and its mean R, G, B.
pub fn pictures(file: &Path) -> Vec<(f64, [u8; 3])> {
    let times = ffprobe(file, "v:0", "frame=best_effort_timestamp_time");
    let raw = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args([
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
            "-vf",
            "scale=1:1:flags=area",
            "-pix_fmt",
            "rgb24",
        ])
        .args(["-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg is installed")
        .stdout;
    let colors = raw.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]);
    times.into_iter().zip(colors).collect()
}

/// Numbers that ffprobe prints of one field.
pub fn ffprobe(file: &Path, stream: &str, field: &str) -> Vec<f64> {
    let answer = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            stream,
            "-show_entries",
            field,
            "-of",
            "csv=p=0",
        ])
        .arg(file)
        .output()
        .expect("ffprobe is installed");
    String::from_utf8_lossy(&answer.stdout)
        .lines()
        .filter_map(|line| line.trim_end_matches(',').parse().ok())
        .collect()
}

/// The loudness of each tenth of a second of the sound, root mean square of full scale.
pub fn tenths(file: &Path) -> Vec<f64> {
    levels(file, 800)
}

/// The same of so many eight thousandths of a second each.
pub fn levels(file: &Path, samples_each: usize) -> Vec<f64> {
    let raw = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args(["-map", "0:a:0", "-ac", "1", "-ar", "8000", "-f", "s16le", "-"])
        .output()
        .expect("ffmpeg is installed")
        .stdout;
    let samples: Vec<f64> = raw
        .chunks_exact(2)
        .map(|two| f64::from(i16::from_le_bytes([two[0], two[1]])) / 32768.0)
        .collect();
    samples
        .chunks(samples_each)
        .map(|chunk| (chunk.iter().map(|value| value * value).sum::<f64>() / chunk.len() as f64).sqrt())
        .collect()
}
