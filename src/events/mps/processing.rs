//! `MediaProcessResultSet`: transcodes, sets, animated pictures, stills and sprites.
//!
//! Guarantees: one item an output, whether it was made or not; all files of stills and sprites are listed by path.
//! Stills at named times are SnapshotByTimeOffset, others SampleSnapshot. `Progress` is 100 of what succeeded.
//! Deliberately absent: CoverBySnapshot; a cover is an analysis (`judged`).

use super::definition;
use super::media;
use super::task_result;
use crate::base::fault::Fault;
use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::JobBrief;
use crate::events::made::FileBrief;
use crate::events::made::MadeOutput;
use crate::events::profile::Deployment;
use crate::media::product::ProductKind;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::ActivityKind;
use serde_json::Value;
use serde_json::json;

/// Keys of the results that an item may have.
const TASKS: [&str; 6] = [
    "TranscodeTask",
    "AnimatedGraphicTask",
    "SnapshotByTimeOffsetTask",
    "SampleSnapshotTask",
    "ImageSpriteTask",
    "AdaptiveDynamicStreamingTask",
];

/// The items of an activity.
pub fn results(activity: &ActivityBrief, deployment: &Deployment) -> Vec<Value> {
    let job = &activity.job;
    match activity.event.as_deref() {
        Some(Detail::TranscodeEnded { outputs }) if !outputs.is_empty() => outputs
            .iter()
            .map(|output| transcoded(activity, output, deployment))
            .collect(),
        Some(Detail::SnapshotEnded {
            snapshot_type,
            count,
            object,
            webvtt,
            file_count,
            times_s,
        }) => {
            let shot = Shot {
                is_sprite: snapshot_type == "Sprite",
                count: *count,
                object: object.as_ref(),
                webvtt: webvtt.as_ref(),
                file_count: *file_count,
                times_s,
            };
            vec![shot.item(activity, deployment)]
        }
        Some(Detail::AnimationEnded {
            object,
            size_bytes,
            md5,
            file,
        }) => {
            let output = object.as_ref().map(|object| {
                let video = file.as_deref().and_then(FileBrief::main_video);
                let start_s = number(job, "start_s");
                let end_s = match number(job, "end_s") {
                    0.0 => start_s + number(job, "duration_s"),
                    end_s => end_s,
                };
                json!({
                    "Storage": media::storage(object, deployment),
                    "Path": media::path(&object.key),
                    "Definition": definition(job),
                    "Container": extension(object),
                    "Height": video.map_or(0, |video| video.height),
                    "Width": video.map_or(0, |video| video.width),
                    "Bitrate": media::bits(file.as_ref().and_then(|file| file.bitrate_kbps)),
                    "Size": size_bytes,
                    "Md5": md5.as_deref().unwrap_or_default(),
                    "StartTimeOffset": start_s,
                    "EndTimeOffset": end_s,
                })
            });
            let input = json!({
                "Definition": definition(job),
                "StartTimeOffset": number(job, "start_s"),
                "EndTimeOffset": number(job, "end_s"),
                "OutputStorage": object.as_ref().map(|object| media::storage(object, deployment)),
                "OutputObjectPath": path_of(object.as_ref()),
                "ExtInfo": "",
            });
            vec![item(
                "AnimatedGraphics",
                "AnimatedGraphicTask",
                timed(activity, None, input, json!(output)),
            )]
        }
        // Canceled before it made anything: it is told by what it would have been.
        _ => {
            let input = json!({"Definition": definition(job)});
            let made = match job.kind {
                ActivityKind::DynamicImage => item(
                    "AnimatedGraphics",
                    "AnimatedGraphicTask",
                    timed(activity, None, input, Value::Null),
                ),
                ActivityKind::Snapshot => item(
                    "SampleSnapshot",
                    "SampleSnapshotTask",
                    timed(activity, None, input, Value::Null),
                ),
                _ => item("Transcode", "TranscodeTask", progressed(job, None, input, Value::Null)),
            };
            vec![made]
        }
    }
}

fn transcoded(activity: &ActivityBrief, output: &MadeOutput, deployment: &Deployment) -> Value {
    let job = &activity.job;
    let storage = output.object.as_ref().map(|object| media::storage(object, deployment));
    let package = match output.kind {
        ProductKind::Hls | ProductKind::Cmaf => Some("HLS"),
        ProductKind::Dash => Some("MPEG-DASH"),
        _ => None,
    };
    if let Some(package) = package {
        let input = json!({
            "Definition": definition(job),
            "WatermarkSet": [],
            "OutputStorage": storage,
            "OutputObjectPath": path_of(output.object.as_ref()),
            "SubStreamObjectName": "",
            "SegmentObjectName": "",
        });
        let made = output.object.as_ref().map(|object| {
            json!({
                "Definition": definition(job),
                "Package": package,
                "Path": media::path(&object.key),
                "Storage": storage,
            })
        });
        let result = timed(activity, output.fault.as_ref(), input, json!(made));
        return item("AdaptiveDynamicStreaming", "AdaptiveDynamicStreamingTask", result);
    }
    let input = json!({
        "Definition": definition(job),
        "RawParameter": null,
        "OverrideParameter": null,
        "WatermarkSet": [],
        "BlindWatermark": null,
        "MosaicSet": [],
        "StartTimeOffset": 0.0,
        "EndTimeOffset": 0.0,
        "OutputStorage": storage,
        "OutputObjectPath": path_of(output.object.as_ref()),
        "SegmentObjectName": "",
        "ObjectNumberFormat": null,
        "HeadTailParameter": null,
    });
    let made = output.object.as_ref().map(|object| {
        let file = output.file.as_deref();
        let video = file.and_then(FileBrief::main_video);
        json!({
            "OutputStorage": storage,
            "Path": media::path(&object.key),
            "Definition": definition(job),
            "Bitrate": media::bits(file.and_then(|file| file.bitrate_kbps)),
            "Height": video.map_or(0, |video| video.height),
            "Width": video.map_or(0, |video| video.width),
            "Size": output.size_bytes,
            "Duration": file.and_then(|file| file.duration_s).unwrap_or(0.0),
            "Container": extension(object),
            "Md5": output.md5.as_deref().unwrap_or_default(),
            "AudioStreamSet": file.map_or_else(Vec::new, media::audio_streams),
            "VideoStreamSet": file.map_or_else(Vec::new, media::video_streams),
            "CallBackExtInfo": "",
        })
    });
    let result = progressed(job, output.fault.as_ref(), input, json!(made));
    item("Transcode", "TranscodeTask", result)
}

/// A result of a transcode, which has no times of its own.
fn progressed(job: &JobBrief, fault: Option<&Fault>, input: Value, output: Value) -> Value {
    let percent = if output.is_null() { 0 } else { 100 };
    let mut result = task_result(job, fault, input, output);
    result["Progress"] = json!(percent);
    result
}

/// Stills or a sprite.
struct Shot<'a> {
    is_sprite: bool,
    count: u32,
    object: Option<&'a ObjectUri>,
    webvtt: Option<&'a ObjectUri>,
    file_count: u32,
    times_s: &'a [f64],
}

impl Shot<'_> {
    fn item(&self, activity: &ActivityBrief, deployment: &Deployment) -> Value {
        let job = &activity.job;
        let storage = self.object.map(|object| media::storage(object, deployment));
        let paths = self.paths();
        let by_time = job.parameters.get("times").is_some();
        let mut input = json!({
            "Definition": definition(job),
            "OutputStorage": storage,
            "OutputObjectPath": path_of(self.object),
            "ObjectNumberFormat": {"InitialValue": 1, "Increment": 1, "MinLength": 5, "PlaceHolder": "0"},
            "ExtInfo": "",
        });
        let (kind, key, output) = if self.is_sprite {
            input["WebVttObjectName"] = json!(path_of(self.webvtt));
            let output = json!({
                "Definition": definition(job),
                "Height": number(job, "cell_height") as i64,
                "Width": number(job, "cell_width") as i64,
                "TotalCount": self.count,
                "ImagePathSet": paths,
                "WebVttPath": path_of(self.webvtt),
                "Storage": storage,
            });
            ("ImageSprites", "ImageSpriteTask", output)
        } else if by_time {
            input["ExtTimeOffsetSet"] = job.parameters.get("times").cloned().unwrap_or_default();
            input["TimeOffsetSet"] = json!([]);
            input["WatermarkSet"] = json!([]);
            let pictures: Vec<Value> = paths
                .iter()
                .enumerate()
                .map(|(at, path)| {
                    json!({
                        "TimeOffset": self.times_s.get(at).copied().unwrap_or(0.0),
                        "Path": path,
                        "WaterMarkDefinition": [],
                    })
                })
                .collect();
            let output = json!({"Definition": definition(job), "PicInfoSet": pictures, "Storage": storage});
            ("SnapshotByTimeOffset", "SnapshotByTimeOffsetTask", output)
        } else {
            input["WatermarkSet"] = json!([]);
            let interval_s = number(job, "interval_s");
            let (sampled, interval) = if interval_s > 0.0 {
                ("Time", interval_s.round() as i64)
            } else {
                ("Percent", 100 / i64::from(self.count.max(1)))
            };
            let output = json!({
                "Definition": definition(job),
                "SampleType": sampled,
                "Interval": interval,
                "Storage": storage,
                "ImagePathSet": paths,
                "WaterMarkDefinition": [],
            });
            ("SampleSnapshot", "SampleSnapshotTask", output)
        };
        let output = if self.object.is_some() { output } else { Value::Null };
        item(kind, key, timed(activity, None, input, output))
    }

    /// Every file.
    fn paths(&self) -> Vec<String> {
        let Some(object) = self.object else {
            return Vec::new();
        };
        if self.file_count == 0 {
            return vec![media::path(&object.key)];
        }
        (1..=self.file_count)
            .map(|number| media::path(&object.key.replace("{Count}", &format!("{number:05}"))))
            .collect()
    }
}

fn item(kind: &str, key: &str, result: Value) -> Value {
    let mut item = json!({"Type": kind});
    for task in TASKS {
        item[task] = Value::Null;
    }
    item[key] = result;
    item
}

/// A result with the times it took.
fn timed(activity: &ActivityBrief, fault: Option<&Fault>, input: Value, output: Value) -> Value {
    let job = &activity.job;
    let mut result = task_result(job, fault, input, output);
    let began = activity.started_at.unwrap_or(job.submitted_at);
    result["BeginProcessTime"] = json!(began.wire());
    result["FinishTime"] = json!(job.finished_at.map(|at| at.wire()).unwrap_or_default());
    result
}

fn path_of(object: Option<&ObjectUri>) -> String {
    object.map_or_else(String::new, |object| media::path(&object.key))
}

fn extension(object: &ObjectUri) -> String {
    object
        .file_name()
        .rsplit_once('.')
        .map_or_else(String::new, |(_, after)| after.to_lowercase())
}

fn number(job: &JobBrief, key: &str) -> f64 {
    job.parameters.get(key).and_then(Value::as_f64).unwrap_or(0.0)
}
