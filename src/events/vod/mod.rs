//! The `vod` profile: flat events as ApsaraVideo VOD sends them.
//!
//! Guarantees: WorkflowTaskComplete as published, with the `EventType` and `EventTime` its table requires, and
//! `TaskInput` properly escaped; `UserId` is a string, statuses of activities' own events are lower case. An output is
//! StreamTranscodeComplete here, and all of a transcode TranscodeComplete, which succeeded when one stream did. A cover
//! is a SnapshotComplete with `CoverUrl`; recognition and content analysis are AIVideoTagComplete. Events of the seed
//! that VOD does not have (streams and media that are registered, starts and progress) are told flat under their own
//! names. Deliberately absent: output groups, quality control, hooks, copies, alerts and the older transcode calls, for
//! which VOD has no event; such events have no form here and make no delivery.

mod activity;
mod judged;
mod library;

use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::Event;
use crate::events::TaskFact;
use crate::events::ims::error_of;
use crate::events::ims::failed;
use crate::events::ims::task_status;
use crate::events::profile::Deployment;
use crate::events::profile::Rendered;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobStatus;
use md5::Digest;
use md5::Md5;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// `event` as VOD would send it; none where VOD has no such event.
pub fn render(event: &Event, deployment: &Deployment) -> Option<Rendered> {
    let event_type = name(&event.detail, event.job.as_ref().map(|job| job.kind))?;
    let mut body = Map::new();
    body.insert("EventType".into(), json!(event_type));
    body.insert("EventTime".into(), json!(event.at.wire()));
    body.insert("UserId".into(), json!(deployment.user_id.to_string()));
    match &event.detail {
        Detail::Library { fact } => library::body(&mut body, event, fact, deployment),
        _ => of_task(&mut body, &event.of_task()?, deployment),
    }
    Some(Rendered {
        event_type: event_type.to_owned(),
        body: Value::Object(body),
    })
}

fn of_task(body: &mut Map<String, Value>, event: &TaskFact<'_>, deployment: &Deployment) {
    match event.detail {
        Detail::TaskStarted => task(body, event, deployment, "Processing", &[]),
        Detail::TaskProgressed { percent } => {
            task(body, event, deployment, "Processing", &[]);
            body.insert("Percent".into(), json!(percent.clamp(0.0, 100.0) as u32));
        }
        Detail::TaskEnded { status, activities, .. } => {
            task(body, event, deployment, task_status(*status), activities);
            body.insert("FinishTime".into(), json!(event.at.wire()));
        }
        detail => {
            let status = event.job.map_or(JobStatus::Success, |job| job.status);
            if matches!(detail, Detail::OpinionEnded { .. }) {
                judged::body(body, event, event.job, detail);
            } else {
                body.insert("VideoId".into(), json!(event.media.id.as_str()));
                activity::body(body, detail, event, (event.job, status), deployment);
            }
            body.insert("TriggerSource".into(), json!(event.task.trigger.as_str()));
            if let Some(user_data) = &event.task.user_data {
                body.insert("Extend".into(), json!(user_data));
            }
        }
    }
}

/// What VOD calls it; `kind` is that of the job it is about.
fn name(detail: &Detail, kind: Option<ActivityKind>) -> Option<&'static str> {
    match detail {
        Detail::OutputEnded { .. } => Some("StreamTranscodeComplete"),
        Detail::TranscodeEnded { .. } => Some("TranscodeComplete"),
        Detail::CoverEnded { .. } => Some("SnapshotComplete"),
        Detail::OpinionEnded { .. } => match kind {
            Some(ActivityKind::Moderation) => Some("AIMediaAuditComplete"),
            Some(ActivityKind::Recognition | ActivityKind::ContentAnalysis) => Some("AIVideoTagComplete"),
            _ => None,
        },
        Detail::TaskStarted
        | Detail::TaskProgressed { .. }
        | Detail::TaskEnded { .. }
        | Detail::AnalysisEnded { .. }
        | Detail::SnapshotEnded { .. }
        | Detail::AnimationEnded { .. }
        | Detail::Library { .. } => Some(detail.event_type(kind).as_str()),
        Detail::OutputGroupEnded { .. }
        | Detail::QcEnded { .. }
        | Detail::CopyEnded { .. }
        | Detail::Alert { .. }
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
    let event_type = match activity.event.as_deref() {
        Some(detail @ Detail::OpinionEnded { .. }) => {
            judged::body(&mut message, event, Some(job), detail);
            name(detail, Some(job.kind)).unwrap_or("HookComplete")
        }
        Some(detail @ Detail::Library { fact }) => {
            library::fact(&mut message, event.media.id.as_str(), fact, deployment);
            name(detail, Some(job.kind)).unwrap_or("CreateAuditComplete")
        }
        Some(detail) => {
            activity::body(&mut message, detail, event, (Some(job), job.status), deployment);
            name(detail, Some(job.kind)).unwrap_or(detail.event_type(Some(job.kind)).as_str())
        }
        None => "ActivityComplete",
    };
    message.insert("Status".into(), json!(lower_status(job.status)));
    message.insert("VideoId".into(), json!(event.media.id.as_str()));
    message.insert("EventType".into(), json!(event_type));
    message.insert("EventTime".into(), json!(ended.wire()));
    if failed(job.status) {
        errors(&mut message, error_of(Some(job)));
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

fn errors(body: &mut Map<String, Value>, (code, message): (String, String)) {
    body.insert("ErrorCode".into(), json!(code));
    body.insert("ErrorMessage".into(), json!(message));
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
