//! The `vod` profile: flat events as ApsaraVideo VOD sends them.
//!
//! Guarantees: WorkflowTaskComplete as published, with the `EventType` and `EventTime` its table requires, and
//! `TaskInput` properly escaped; `UserId` is a string, statuses of activities' own events are lower case.
//! Deliberately absent: TranscodeComplete (its stream list is not part of the fact it would be made from; every
//! rendition is told by StreamTranscodeComplete) and output groups, which VOD does not have. Such events have no form
//! here and make no delivery.

use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::TaskFact;
use crate::events::ims::error_of;
use crate::events::ims::failed;
use crate::events::ims::file_meta;
use crate::events::ims::task_status;
use crate::events::profile::Deployment;
use crate::events::profile::Rendered;
use crate::media::facts::MediaFacts;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobStatus;
use md5::Digest;
use md5::Md5;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// `event` as VOD would send it; none where VOD has no such event.
pub fn render(event: &TaskFact<'_>, deployment: &Deployment) -> Option<Rendered> {
    let event_type = name(event.detail)?;
    let mut body = Map::new();
    body.insert("EventType".into(), json!(event_type));
    body.insert("EventTime".into(), json!(event.at.wire()));
    body.insert("UserId".into(), json!(deployment.user_id.to_string()));
    match event.detail {
        Detail::TaskStarted => task(&mut body, event, deployment, "Processing", &[]),
        Detail::TaskEnded { status, activities, .. } => {
            task(&mut body, event, deployment, task_status(*status), activities);
            body.insert("FinishTime".into(), json!(event.at.wire()));
        }
        detail => {
            body.insert("VideoId".into(), json!(event.media.id.as_str()));
            let status = event.job.map_or(JobStatus::Success, |job| job.status);
            activity_body(&mut body, detail, event, deployment, status);
            if failed(status) {
                let (code, message) = error_of(event.job);
                body.insert("ErrorCode".into(), json!(code));
                body.insert("ErrorMessage".into(), json!(message));
            }
            body.insert("TriggerSource".into(), json!(event.task.trigger.as_str()));
            if let Some(user_data) = &event.task.user_data {
                body.insert("Extend".into(), json!(user_data));
            }
        }
    }
    Some(Rendered {
        event_type: event_type.to_owned(),
        body: Value::Object(body),
    })
}

fn name(detail: &Detail) -> Option<&'static str> {
    match detail {
        Detail::TaskStarted => Some("WorkflowTaskStart"),
        Detail::TaskEnded { .. } => Some("WorkflowTaskComplete"),
        Detail::AnalysisEnded { .. } => Some("VideoAnalysisComplete"),
        Detail::OutputEnded { .. } => Some("StreamTranscodeComplete"),
        Detail::SnapshotEnded { .. } => Some("SnapshotComplete"),
        Detail::AnimationEnded { .. } => Some("DynamicImageComplete"),
        Detail::OutputGroupEnded { .. }
        | Detail::TranscodeEnded { .. }
        | Detail::QcEnded { .. }
        | Detail::OpinionEnded { .. }
        | Detail::CoverEnded { .. }
        | Detail::CopyEnded { .. }
        | Detail::TaskProgressed { .. }
        | Detail::Alert { .. }
        | Detail::Library { .. }
        | Detail::Legacy { .. } => None,
    }
}

fn task(
    body: &mut Map<String, Value>,
    event: &TaskFact<'_>,
    deployment: &Deployment,
    status: &str,
    activities: &[ActivityBrief],
) {
    let mut results = Map::new();
    for activity in activities {
        let (key, value) = activity_result(activity, event, deployment);
        results.insert(key, value);
    }
    let input = json!({
        "Type": "Media",
        "Media": event.media.id.as_str(),
        "Title": event.media.object.file_name(),
        "StorageLocation": event.media.object.storage,
    });
    body.insert("Status".into(), json!(status));
    body.insert("TaskId".into(), json!(event.task.id.as_str()));
    body.insert("VideoId".into(), json!(event.media.id.as_str()));
    body.insert("ActivityResults".into(), json!(Value::Object(results).to_string()));
    body.insert("TaskInput".into(), json!(input.to_string()));
    body.insert("ModifiedTime".into(), json!(event.at.wire()));
    body.insert("CreateTime".into(), json!(event.task.created_at.wire()));
    body.insert("WorkflowId".into(), json!(event.task.workflow.as_str()));
    if let Some(user_data) = &event.task.user_data {
        body.insert("UserData".into(), json!(user_data));
    }
}

/// One entry of `ActivityResults`: its key names the node, its `Result` is a string holding the activity's event.
fn activity_result(activity: &ActivityBrief, event: &TaskFact<'_>, deployment: &Deployment) -> (String, Value) {
    let job = &activity.job;
    let ended = job.finished_at.unwrap_or(event.at);
    let mut message = Map::new();
    let event_type = match &activity.event {
        Some(detail) => {
            activity_body(&mut message, detail, event, deployment, job.status);
            name(detail).unwrap_or(match detail.as_ref() {
                Detail::QcEnded { .. } => "QcComplete",
                _ => "TranscodeComplete",
            })
        }
        None => "ActivityComplete",
    };
    message.insert("Status".into(), json!(lower_status(job.status)));
    message.insert("VideoId".into(), json!(event.media.id.as_str()));
    message.insert("EventType".into(), json!(event_type));
    message.insert("EventTime".into(), json!(ended.wire()));
    if failed(job.status) {
        let (code, sentence) = error_of(Some(job));
        message.insert("ErrorCode".into(), json!(code));
        message.insert("ErrorMessage".into(), json!(sentence));
    }
    let trigger = json!({"ActivityInstanceId": job.id.as_str(), "BizType": "ice-workflow"});
    message.insert("TriggerSource".into(), json!(trigger.to_string()));
    let result = json!({
        "RequestId": job.id.as_str(),
        "EventType": event_type,
        "UserId": deployment.user_id,
        "MessageBody": message,
    });
    let node = format!("Vod{}", node_type(job.kind));
    let value = json!({
        "ActivityId": node,
        "ActivityInstanceId": job.id.as_str(),
        "EndTime": ended.wire(),
        "Result": result.to_string(),
        "StartTime": activity.started_at.unwrap_or(job.submitted_at).wire(),
        "Status": if failed(job.status) { "Failed" } else { "Succeed" },
    });
    (format!("{node}_{}", node_digits(&job.activity)), value)
}

/// What an activity's own event says beyond status and ids.
fn activity_body(
    body: &mut Map<String, Value>,
    detail: &Detail,
    event: &TaskFact<'_>,
    deployment: &Deployment,
    status: JobStatus,
) {
    body.insert("Status".into(), json!(lower_status(status)));
    match detail {
        Detail::AnalysisEnded { facts } => {
            let meta = file_meta::meta_info(event.media.size_bytes, facts.as_deref());
            if let Value::Object(meta) = meta {
                body.extend(meta);
            }
        }
        Detail::OutputEnded {
            output,
            object,
            size_bytes,
            facts,
            ..
        } => {
            body.insert("JobId".into(), json!(output.as_str()));
            if let Some(object) = object {
                body.insert("FileUrl".into(), json!(deployment.urls.object(object)));
                let extension = object.file_name().rsplit_once('.').map_or("", |(_, after)| after);
                body.insert("Format".into(), json!(extension));
            } else {
                body.insert("Status".into(), json!("fail"));
            }
            body.insert("Size".into(), json!(size_bytes));
            body.insert("Encrypt".into(), json!(false));
            if let Some(facts) = facts {
                stream_facts(body, facts);
            }
        }
        Detail::SnapshotEnded {
            snapshot_type,
            count,
            object,
            ..
        } => {
            let info = json!({
                "Status": lower_status(status),
                "SnapshotType": format!("{snapshot_type}Snapshot"),
                "SnapshotCount": count,
                "SnapshotFormat": object.as_ref().and_then(|object| object.file_name().rsplit_once('.')).map(|(_, after)| after),
                "SnapshotRegular": object.as_ref().map(|object| deployment.urls.pattern(object).replace("{Count}", "{SnapshotCount}")),
            });
            body.insert("SnapshotInfos".into(), json!([info]));
        }
        Detail::AnimationEnded {
            object: Some(object), ..
        } => {
            body.insert("FileUrl".into(), json!(deployment.urls.object(object)));
        }
        Detail::AnimationEnded { object: None, .. }
        | Detail::OutputGroupEnded { .. }
        | Detail::TranscodeEnded { .. }
        | Detail::QcEnded { .. }
        | Detail::OpinionEnded { .. }
        | Detail::CoverEnded { .. }
        | Detail::CopyEnded { .. }
        | Detail::TaskProgressed { .. }
        | Detail::Alert { .. }
        | Detail::Library { .. }
        | Detail::Legacy { .. }
        | Detail::TaskStarted
        | Detail::TaskEnded { .. } => {}
    }
}

fn stream_facts(body: &mut Map<String, Value>, facts: &MediaFacts) {
    let video = facts.main_video().map(|(_, video)| video);
    let fps = video.and_then(|video| video.average_frame_rate.or(video.frame_rate));
    body.insert(
        "Bitrate".into(),
        json!(format!("{:.0}", facts.bitrate_kbps.unwrap_or(0.0))),
    );
    body.insert("Duration".into(), json!(facts.duration_s.unwrap_or(0.0)));
    body.insert(
        "Fps".into(),
        json!(format!("{:.2}", fps.map_or(0.0, |rate| rate.value()))),
    );
    body.insert("Height".into(), json!(video.map_or(0, |video| video.height)));
    body.insert("Width".into(), json!(video.map_or(0, |video| video.width)));
}

fn lower_status(status: JobStatus) -> &'static str {
    if failed(status) { "fail" } else { "success" }
}

fn node_type(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::Analysis => "Analysis",
        ActivityKind::Transcode => "Transcode",
        ActivityKind::Snapshot => "Snapshot",
        ActivityKind::DynamicImage => "DynamicImage",
        ActivityKind::Cover => "Cover",
        ActivityKind::Qc => "Qc",
        ActivityKind::Review => "Audit",
        ActivityKind::Hook => "Hook",
        ActivityKind::Moderation => "Moderation",
        ActivityKind::Recognition => "Recognition",
        ActivityKind::ContentAnalysis => "ContentAnalysis",
        ActivityKind::Copy => "Copy",
        ActivityKind::Noop => "Noop",
    }
}

/// Five hex digits that are the same in every task of a workflow.
fn node_digits(activity: &str) -> String {
    let mut digits = hex::encode(Md5::digest(activity.as_bytes()));
    digits.truncate(5);
    digits
}
