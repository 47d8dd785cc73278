//! What VOD says of activities that made something, and of facts.
//!
//! Guarantees: keys and types are those of the published samples, numbers as texts where they have them so;
//! DynamicImageJobInfo is a text of JSON. `Definition` follows the shorter side, AUTO of a set. Deliberately absent:
//! opinions (`judged`) and the library (`library`).

use super::errors;
use super::lower_status;
use crate::events::Detail;
use crate::events::JobBrief;
use crate::events::TaskFact;
use crate::events::ims::error_of;
use crate::events::ims::error_of_output;
use crate::events::ims::failed;
use crate::events::made::FileBrief;
use crate::events::made::MadeOutput;
use crate::events::profile::Deployment;
use crate::media::facts::Ratio;
use crate::media::product::ProductKind;
use crate::objects::uri::ObjectUri;
use crate::workflow::status::JobStatus;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Adds what the event of an activity says beyond its name, time and media.
pub fn body(
    body: &mut Map<String, Value>,
    detail: &Detail,
    event: &TaskFact<'_>,
    (job, status): (Option<&JobBrief>, JobStatus),
    deployment: &Deployment,
) {
    let job_id = job.map_or("", |job| job.id.as_str());
    body.insert("Status".into(), json!(lower_status(status)));
    match detail {
        Detail::AnalysisEnded { facts } => match facts {
            Some(facts) => analysis(body, &FileBrief::from(facts.as_ref()), event.media.size_bytes),
            None => {
                body.insert("Status".into(), json!("fail"));
            }
        },
        Detail::OutputEnded {
            output,
            object,
            size_bytes,
            facts,
            fault,
            ..
        } => {
            let file = facts.as_ref().map(|facts| FileBrief::from(facts.as_ref()));
            let stream = Stream {
                id: output.as_str(),
                object: object.as_ref(),
                size_bytes: *size_bytes,
                file: file.as_ref(),
                is_set: false,
            };
            body.extend(stream.info(deployment));
            if object.is_none() {
                errors(body, error_of_output(fault.as_ref(), job));
                return;
            }
        }
        Detail::TranscodeEnded { outputs } => {
            let some = outputs.iter().any(|output| output.object.is_some());
            let streams: Vec<Value> = outputs
                .iter()
                .flat_map(|output| streams(output, job, deployment))
                .collect();
            body.insert("Status".into(), json!(if some { "success" } else { "fail" }));
            body.insert("StreamInfos".into(), Value::Array(streams));
        }
        Detail::SnapshotEnded {
            snapshot_type,
            count,
            object,
            ..
        } => {
            if let Some(object) = object {
                let info = snapshot_info(snapshot_type, *count, object, job_id, deployment);
                body.insert("SnapshotInfos".into(), json!([info]));
            }
        }
        Detail::CoverEnded { candidates } => {
            if let Some(best) = candidates.first() {
                body.insert("CoverUrl".into(), json!(deployment.urls.object(&best.object)));
            }
            let infos: Vec<Value> = candidates
                .iter()
                .map(|candidate| snapshot_info("Cover", 1, &candidate.object, job_id, deployment))
                .collect();
            body.insert("SnapshotInfos".into(), Value::Array(infos));
        }
        Detail::AnimationEnded {
            object,
            size_bytes,
            file,
            ..
        } => {
            body.insert("JobId".into(), json!(job_id));
            if let Some(object) = object {
                let info = animation_info(object, *size_bytes, file.as_deref(), job, deployment);
                body.insert("DynamicImageJobInfo".into(), json!(info.to_string()));
            }
        }
        Detail::OpinionEnded { .. }
        | Detail::OutputGroupEnded { .. }
        | Detail::QcEnded { .. }
        | Detail::CopyEnded { .. }
        | Detail::TaskProgressed { .. }
        | Detail::Alert { .. }
        | Detail::Library { .. }
        | Detail::Legacy { .. }
        | Detail::TaskStarted
        | Detail::TaskEnded { .. } => {}
    }
    if failed(status) {
        errors(body, error_of(job));
    }
}

/// VideoAnalysisComplete: all texts, as in its sample; pictures have their keys only where there are any.
fn analysis(body: &mut Map<String, Value>, file: &FileBrief, size_bytes: u64) {
    body.insert("Duration".into(), json!(short(file.duration_s.unwrap_or(0.0))));
    if let Some(video) = file.main_video() {
        body.insert("Height".into(), json!(video.height.to_string()));
        body.insert("Width".into(), json!(video.width.to_string()));
        body.insert("Fps".into(), json!(rate(video.rate)));
    }
    body.insert(
        "Bitrate".into(),
        json!(format!("{:.0}", file.bitrate_kbps.unwrap_or(0.0))),
    );
    body.insert("Size".into(), json!(size_bytes.to_string()));
}

/// One stream as VOD lists it.
struct Stream<'a> {
    id: &'a str,
    object: Option<&'a ObjectUri>,
    size_bytes: u64,
    file: Option<&'a FileBrief>,
    is_set: bool,
}

impl Stream<'_> {
    fn info(&self, deployment: &Deployment) -> Map<String, Value> {
        let mut info = Map::new();
        info.insert(
            "Status".into(),
            json!(if self.object.is_some() { "success" } else { "fail" }),
        );
        info.insert("JobId".into(), json!(self.id));
        info.insert("Encrypt".into(), json!(false));
        info.insert("Size".into(), json!(self.size_bytes));
        if let Some(object) = self.object {
            info.insert("FileUrl".into(), json!(deployment.urls.object(object)));
            info.insert("Format".into(), json!(extension(object)));
        }
        let edge = self
            .file
            .and_then(FileBrief::main_video)
            .map(|video| video.width.min(video.height));
        let definition = if self.is_set {
            Some("AUTO")
        } else {
            edge.map(definition)
        };
        if let Some(definition) = definition {
            info.insert("Definition".into(), json!(definition));
        }
        if let Some(file) = self.file {
            info.insert(
                "Bitrate".into(),
                json!(format!("{:.0}", file.bitrate_kbps.unwrap_or(0.0))),
            );
            info.insert("Duration".into(), json!(file.duration_s.unwrap_or(0.0)));
            if let Some(video) = file.main_video() {
                info.insert("Fps".into(), json!(rate(video.rate)));
                info.insert("Height".into(), json!(video.height));
                info.insert("Width".into(), json!(video.width));
            }
        }
        info
    }
}

/// The streams of an output: of a set each rendition, then the set itself.
fn streams(output: &MadeOutput, job: Option<&JobBrief>, deployment: &Deployment) -> Vec<Value> {
    let mut streams: Vec<Value> = Vec::new();
    for rendition in &output.renditions {
        let stream = Stream {
            id: rendition.id.as_str(),
            object: Some(&rendition.object),
            size_bytes: rendition.size_bytes,
            file: Some(&rendition.file),
            is_set: false,
        };
        streams.push(Value::Object(stream.info(deployment)));
    }
    let whole = Stream {
        id: output.id.as_str(),
        object: output.object.as_ref(),
        size_bytes: output.size_bytes,
        file: output.file.as_deref(),
        is_set: output.kind != ProductKind::File,
    };
    let mut info = whole.info(deployment);
    if output.object.is_none() {
        errors(&mut info, error_of_output(output.fault.as_ref(), job));
    }
    streams.push(Value::Object(info));
    streams
}

fn snapshot_info(kind: &str, count: u32, object: &ObjectUri, job_id: &str, deployment: &Deployment) -> Value {
    json!({
        "Status": "success",
        "SnapshotType": format!("{kind}Snapshot"),
        "SnapshotCount": count,
        "SnapshotFormat": object.key.replace("{Count}", "{SnapshotCount}"),
        "SnapshotRegular": deployment.urls.pattern(object).replace("{Count}", "{SnapshotCount}"),
        "JobId": job_id,
    })
}

fn animation_info(
    object: &ObjectUri,
    size_bytes: u64,
    file: Option<&FileBrief>,
    job: Option<&JobBrief>,
    deployment: &Deployment,
) -> Value {
    let video = file.and_then(FileBrief::main_video);
    let asked = |key: &str| {
        job.and_then(|job| job.parameters.get(key))
            .and_then(Value::as_f64)
            .map(short)
    };
    let mut info = Map::new();
    info.insert("JobId".into(), json!(job.map_or("", |job| job.id.as_str())));
    info.insert("Status".into(), json!("success"));
    info.insert("FileURL".into(), json!(deployment.urls.object(object)));
    info.insert("FileSize".into(), json!(size_bytes.to_string()));
    let known = [
        ("Fps", asked("fps").or_else(|| video.map(|video| rate(video.rate)))),
        (
            "Height",
            video.map(|video| video.height.to_string()).or_else(|| asked("height")),
        ),
        (
            "Width",
            video.map(|video| video.width.to_string()).or_else(|| asked("width")),
        ),
    ];
    for (key, value) in known {
        if let Some(value) = value {
            info.insert(key.into(), json!(value));
        }
    }
    Value::Object(info)
}

fn extension(object: &ObjectUri) -> String {
    object
        .file_name()
        .rsplit_once('.')
        .map_or_else(String::new, |(_, after)| after.to_lowercase())
}

/// `30`, `29.97`: no digits that say nothing.
fn rate(rate: Option<Ratio>) -> String {
    short(rate.map_or(0.0, Ratio::value))
}

/// To a thousandth, without closing zeros.
fn short(value: f64) -> String {
    let rounded = (value * 1000.0).round() / 1000.0;
    format!("{rounded}")
}

/// VOD's name of a definition, by the shorter side.
fn definition(short_edge: u32) -> &'static str {
    match short_edge {
        0..360 => "FD",
        360..540 => "LD",
        540..720 => "SD",
        720..1440 => "HD",
        1440..2160 => "2K",
        _ => "4K",
    }
}
