//! The system's ffprobe as a witness: are the pictures, the length and the step of sound and pictures of an output
//! those of its source?

use crate::row::list;
use crate::row::text;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Sound and pictures may be apart by this more than in the source, besides half a frame of the AAC encoder.
const STEP_S: f64 = 0.040 + 0.024;

/// What ffprobe says of a file; null when it refuses it.
fn ffprobe(arguments: &[&str], file: &Path) -> Value {
    let answer = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json"])
        .args(arguments)
        .arg(file)
        .output()
        .expect("ffprobe is installed");
    serde_json::from_slice(&answer.stdout).unwrap_or_default()
}

/// Length of a file as its container says.
pub fn container_length_s(file: &Path) -> Option<f64> {
    text(
        &ffprobe(&["-show_entries", "format=duration"], file)["format"],
        "duration",
    )
    .parse()
    .ok()
}

/// Pictures that ffprobe decodes of a stream.
fn pictures(file: &Path, stream: &str) -> Option<u64> {
    let answer = ffprobe(
        &[
            "-count_frames",
            "-select_streams",
            stream,
            "-show_entries",
            "stream=nb_read_frames",
        ],
        file,
    );
    text(list(&answer, "streams").first()?, "nb_read_frames").parse().ok()
}

/// First and last time of a stream as decoded, seconds.
fn span_s(file: &Path, stream: &str) -> Option<(f64, f64)> {
    let fields = "frame=best_effort_timestamp_time,pkt_duration_time,nb_samples:stream=sample_rate";
    let answer = ffprobe(&["-select_streams", stream, "-show_entries", fields], file);
    let rate_hz: Option<f64> = list(&answer, "streams")
        .first()
        .and_then(|one| text(one, "sample_rate").parse().ok());
    let mut span: Option<(f64, f64)> = None;
    for frame in list(&answer, "frames") {
        // A frame without a time follows the one before.
        let said_s = text(frame, "best_effort_timestamp_time").parse().ok();
        let Some(from_s) = said_s.or(span.map(|(_, last_s)| last_s)) else {
            continue;
        };
        let length_s = match (frame["nb_samples"].as_f64(), rate_hz) {
            (Some(samples), Some(rate_hz)) => samples / rate_hz,
            _ => text(frame, "pkt_duration_time").parse().unwrap_or(0.0),
        };
        let until_s = from_s + length_s;
        span = Some(span.map_or((from_s, until_s), |(first_s, last_s)| {
            (first_s.min(from_s), last_s.max(until_s))
        }));
    }
    span
}

/// What ffprobe has to say against the outputs of a run; nothing when it failed, or when all is well.
pub fn objections(source: &Path, report: &Value, is_part: bool) -> Vec<String> {
    let mut objections = Vec::new();
    let streams = list(&report["facts"], "streams");
    let main = |kind: &str| {
        let usable = |stream: &&Value| {
            text(stream, "type") == kind && stream["decodable"] == true && stream["attached_picture"] != true
        };
        let all: Vec<&Value> = streams.iter().filter(usable).collect();
        let default = all.iter().find(|stream| kind == "audio" && stream["default"] == true);
        default.or(all.first()).map(|stream| stream["index"].to_string())
    };
    let (video, audio) = (main("video"), main("audio"));
    let wanted = video
        .as_ref()
        .filter(|_| !is_part)
        .and_then(|index| pictures(source, index));
    for output in list(report, "outputs") {
        let mut of_video = None;
        let mut of_audio = None;
        for rendition in list(output, "renditions") {
            let inside = text(&rendition["place"], "inside");
            let Some(path) = list(output, "files")
                .iter()
                .map(|file| text(file, "path"))
                .find(|path| path.ends_with(inside))
            else {
                objections.push(format!("{inside} is no file of its set"));
                continue;
            };
            let path = Path::new(path);
            let Some(stream) = list(&rendition["facts"], "streams").first() else {
                // Subtitles are text.
                if !std::fs::read_to_string(path).is_ok_and(|text| text.contains(".vtt") || text.starts_with("WEBVTT"))
                {
                    objections.push(format!("{inside} holds nothing"));
                }
                continue;
            };
            match text(stream, "type") {
                "video" => {
                    let found = pictures(path, "v:0");
                    if found.is_none() || wanted.is_some() && found != wanted {
                        objections.push(format!("{inside} has {found:?} pictures, the source {wanted:?}"));
                    }
                    of_video = of_video.or(span_s(path, "v:0"));
                }
                _ => of_audio = of_audio.or(span_s(path, "a:0")),
            }
        }
        let (Some(made_video), Some(made_audio), false) = (of_video, of_audio, is_part) else {
            continue;
        };
        let source_spans = (
            video.as_ref().and_then(|index| span_s(source, index)),
            audio.as_ref().and_then(|index| span_s(source, index)),
        );
        let (Some(video), Some(audio)) = source_spans else {
            continue;
        };
        // Sound that begins later is led by silence, so only a late beginning is wrong.
        let begin_s = (made_audio.0 - made_video.0) - (audio.0 - video.0).max(0.0);
        if begin_s > STEP_S {
            objections.push(format!("sound begins {begin_s:.3} s later than in the source"));
        }
        let (source_s, made_s) = (audio.1 - video.1, made_audio.1 - made_video.1);
        if (source_s - made_s).abs() > STEP_S {
            objections.push(format!(
                "sound ends {made_s:.3} s after the pictures, in the source {source_s:.3} s"
            ));
        }
    }
    objections
}
