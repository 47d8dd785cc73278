//! Clips whose course is known, and workflows that make something of them.

use crate::appliance::Appliance;
use crate::appliance::clips;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Six seconds: three of a grey wall and a quiet tone, then three of noise and a tone ten times as loud.
pub fn rising() -> PathBuf {
    clips::made(
        "rising.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=gray:size=320x180:rate=25:duration=6,noise=alls=80:allf=t:enable='gte(t,3)'",
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=997:sample_rate=48000:duration=6,volume='if(lt(t,3),0.3,3)':eval=frame",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
            "-g",
            "50",
            "-c:a",
            "aac",
            "-ac",
            "2",
            "-b:a",
            "128k",
        ],
    )
}

/// Eight seconds of pictures, black from 2 to 5, with sound that is silent from a little before 3 to 6.
pub fn faulty() -> PathBuf {
    clips::made(
        "black-and-silent.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=25:duration=8,drawbox=c=black:t=fill:enable='between(t,2,4.99)'",
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=440:sample_rate=48000:duration=8,volume=0:enable='between(t,2.95,5.999)'",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
            "-g",
            "50",
            "-c:a",
            "pcm_s16le",
            "-f",
            "mov",
        ],
    )
}

/// Twenty-five minutes of a tone.
pub fn hours() -> PathBuf {
    clips::made(
        "long-tone.wav",
        &["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=8000:duration=1500"],
    )
}

/// A daemon with one workflow from one folder to the other, and the one task that this clip made, in full.
pub fn run(activities: &str, clip: &Path, extension: &str) -> (Appliance, Value) {
    let mut appliance = Appliance::new("");
    appliance.workflow_file(
        "measure",
        &format!(
            "name = \"measure\"\n[source]\nstorage = \"ingest\"\n[output]\nstorage = \"renditions\"\n{activities}"
        ),
    );
    appliance.start();
    appliance.deliver(clip, &format!("clip.{extension}"));
    let task = appliance.ended_tasks(1).remove(0);
    (appliance, task)
}

/// What a task measured.
pub fn of_task(appliance: &Appliance, task: &Value) -> Value {
    appliance.get(&format!("/api/v1/tasks/{}/series", task["id"].as_str().expect("an id")))
}

/// The same of its media.
pub fn of_media(appliance: &Appliance, task: &Value) -> Value {
    let media = task["media"]["id"].as_str().expect("an id");
    appliance.get(&format!("/api/v1/media/{media}/series"))
}

/// The values of a series, nothing as none.
pub fn values(series: &Value) -> Vec<Option<f64>> {
    series.as_array().expect("values").iter().map(Value::as_f64).collect()
}

/// Time and size of each packet of a kind of track, by the system's ffprobe.
pub fn packets(path: &Path, kind: &str) -> Vec<(f64, f64)> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            kind,
            "-show_entries",
            "packet=pts_time,size",
        ])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .expect("ffprobe is installed");
    let text = String::from_utf8(output.stdout).expect("text");
    let line = |line: &str| {
        let mut fields = line.split(',');
        let pts_s = fields.next()?.parse().ok()?;
        Some((pts_s, fields.next()?.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// Integrated loudness by the system's ffmpeg.
pub fn integrated_lufs(path: &Path) -> f64 {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats", "-i"])
        .arg(path)
        .args(["-filter_complex", "ebur128", "-f", "null", "-"])
        .output()
        .expect("ffmpeg is installed");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = text.split("Integrated loudness:").nth(1).expect("a summary");
    let words: Vec<&str> = summary.split_whitespace().collect();
    words[1].parse().expect("a number")
}
