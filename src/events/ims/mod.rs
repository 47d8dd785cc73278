//! The `ims` profile: `{EventType, UserId, EventTime, MessageBody}` as Alibaba IMS sends it.
//!
//! Guarantees: key spellings, string or number, stringified sub-objects and each event's own spelling of its status
//! are those of the published samples. Decided where a sample is wrong or silent: the group event is called
//! `MediaConvertOutputGroupComplete`; `ErrorCode` and `ErrorMessage` stand only in failures (and in those of every
//! event); `TriggerSource` is Console, Workflow or API; MediaConvert events carry the workflow's own `UserData`
//! `{"ImsSrc":"Workflow","TaskId":...}`, all others what the caller gave with the task.
//! Deliberately absent: anything a receiver of the cloud would not expect; ids of ours travel in headers.

pub mod file_meta;
pub mod judged;
pub mod legacy;
pub mod library;
pub mod template_config;

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::Event;
use crate::events::EventType;
use crate::events::JobBrief;
use crate::events::Purpose;
use crate::events::TaskFact;
use crate::events::ims::file_meta::OutputFile;
use crate::events::profile::Deployment;
use crate::events::profile::Rendered;
use crate::media::facts::MediaFacts;
use crate::objects::uri::ObjectUri;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The one queue there is, where the cloud has pipelines.
const PIPELINE: &str = "default";

/// `event` as IMS would send it; none where it has no such event: quality control, hooks, copies and alerts.
pub fn render(event: &Event, deployment: &Deployment) -> Option<Rendered> {
    let body = match &event.detail {
        Detail::Library { fact } => library::body(event, fact, deployment),
        _ => task_body(&event.of_task()?, deployment)?,
    };
    let event_type = event.event_type().as_str();
    Some(Rendered {
        event_type: event_type.to_owned(),
        body: json!({
            "EventType": event_type,
            "UserId": deployment.user_id,
            "EventTime": event.at.wire(),
            "MessageBody": body,
        }),
    })
}

fn task_body(event: &TaskFact<'_>, deployment: &Deployment) -> Option<Map<String, Value>> {
    let mut body = Map::new();
    match event.detail {
        Detail::TaskStarted => task(&mut body, event, "Processing", &[]),
        Detail::TaskProgressed { percent } => {
            task(&mut body, event, "Processing", &[]);
            body.insert("Percent".into(), json!(percent.clamp(0.0, 100.0) as u32));
        }
        Detail::TaskEnded { status, activities, .. } => task(&mut body, event, task_status(*status), activities),
        Detail::AnalysisEnded { facts } => analysis(&mut body, event, deployment, facts.as_deref()),
        Detail::OutputEnded { .. } => output(&mut body, event, deployment),
        Detail::OutputGroupEnded { group, name, ok } => {
            body.insert("JobId".into(), job_id(event));
            body.insert("Name".into(), json!(name));
            body.insert("Status".into(), json!(if *ok { "Success" } else { "Failed" }));
            body.insert("TaskId".into(), json!(group.as_str()));
            body.insert("TriggerSource".into(), json!(event.task.trigger.as_str()));
            body.insert("UserData".into(), json!(convert_user_data(event)));
            if !ok {
                errors(&mut body, event.job);
            }
        }
        Detail::TranscodeEnded { .. } => {
            let status = event.job.map_or(JobStatus::Success, |job| job.status);
            body.insert("FinishTime".into(), json!(finish_time(event)));
            body.insert("JobId".into(), job_id(event));
            body.insert("Status".into(), json!(convert_status(status)));
            body.insert("TriggerSource".into(), json!(event.task.trigger.as_str()));
            body.insert("UserData".into(), json!(convert_user_data(event)));
            if failed(status) {
                errors(&mut body, event.job);
            }
        }
        Detail::SnapshotEnded {
            snapshot_type,
            count,
            object,
            ..
        } => picture(
            &mut body,
            event,
            deployment,
            object.as_ref(),
            Some((snapshot_type, *count)),
        ),
        Detail::AnimationEnded { object, .. } => picture(&mut body, event, deployment, object.as_ref(), None),
        Detail::OpinionEnded { .. } => {
            return match event.event_type() {
                EventType::AIMediaAuditComplete => Some(judged::audit(event)),
                EventType::MediaAiAnalysisComplete => Some(judged::analysis(event)),
                _ => None,
            };
        }
        Detail::CoverEnded { candidates } => return Some(judged::cover(event, candidates, deployment)),
        Detail::Legacy { fact } => return Some(legacy::body(event, fact, deployment)),
        Detail::QcEnded { .. } | Detail::CopyEnded { .. } | Detail::Alert { .. } | Detail::Library { .. } => {
            return None;
        }
    }
    Some(body)
}

fn task(body: &mut Map<String, Value>, event: &TaskFact<'_>, status: &str, activities: &[ActivityBrief]) {
    let input = json!({"Type": "Media", "Media": event.media.id.as_str()});
    body.insert("TaskInput".into(), json!(input.to_string()));
    body.insert("TaskId".into(), json!(event.task.id.as_str()));
    body.insert("WorkflowId".into(), json!(event.task.workflow.as_str()));
    body.insert("Status".into(), json!(status));
    body.insert("CreateTime".into(), json!(event.task.created_at.wire()));
    caller_user_data(body, event);
    if event.event_type() == EventType::WorkflowTaskComplete && status != "Succeed" {
        let culprit = activities
            .iter()
            .map(|activity| &activity.job)
            .find(|job| job.status == JobStatus::Fail)
            .or_else(|| {
                activities
                    .iter()
                    .map(|activity| &activity.job)
                    .find(|job| failed(job.status))
            });
        errors(body, culprit);
    }
}

fn analysis(body: &mut Map<String, Value>, event: &TaskFact<'_>, deployment: &Deployment, facts: Option<&MediaFacts>) {
    let status = event.job.map_or(JobStatus::Success, |job| job.status);
    let ok = facts.is_some() && !failed(status);
    body.insert("Status".into(), json!(if ok { "Success" } else { "Fail" }));
    body.insert("FileUrl".into(), json!(deployment.urls.object(&event.media.object)));
    body.insert("MediaId".into(), json!(event.media.id.as_str()));
    body.insert("MetaInfo".into(), file_meta::meta_info(event.media.size_bytes, facts));
    caller_user_data(body, event);
    if !ok {
        errors(body, event.job);
    }
}

fn output(body: &mut Map<String, Value>, event: &TaskFact<'_>, deployment: &Deployment) {
    let Detail::OutputEnded {
        output,
        name,
        object,
        size_bytes,
        facts,
        fault,
        ..
    } = event.detail
    else {
        return;
    };
    let url = object.as_ref().map(|object| deployment.urls.object(object));
    body.insert("JobId".into(), job_id(event));
    body.insert("MediaId".into(), json!(event.media.id.as_str()));
    if let (Some(object), Some(url), Some(facts)) = (object, &url, facts) {
        let file = OutputFile {
            output,
            object,
            url,
            size_bytes: *size_bytes,
            facts,
            made_at: event.at,
        };
        body.insert("OutFileMeta".into(), file_meta::out_file_meta(&file, deployment));
    }
    body.insert("Name".into(), json!(name));
    if let Some(url) = &url {
        body.insert("OutputUrl".into(), json!(url));
    }
    let status = match event.job.map(|job| job.status) {
        _ if object.is_some() => "Success",
        Some(JobStatus::Skipped) => "Skipped",
        _ => "Failed",
    };
    body.insert("Status".into(), json!(status));
    body.insert("TaskId".into(), json!(output.as_str()));
    body.insert("TriggerSource".into(), json!(event.task.trigger.as_str()));
    body.insert("UserData".into(), json!(convert_user_data(event)));
    if status == "Failed" {
        let (code, message) = error_of_output(fault.as_ref(), event.job);
        body.insert("ErrorCode".into(), json!(code));
        body.insert("ErrorMessage".into(), json!(message));
    }
}

/// SnapshotComplete with `snapshot`, DynamicImageComplete without: type and number of pictures.
fn picture(
    body: &mut Map<String, Value>,
    event: &TaskFact<'_>,
    deployment: &Deployment,
    object: Option<&ObjectUri>,
    snapshot: Option<(&String, u32)>,
) {
    let job = event.job;
    let status = job.map_or(JobStatus::Success, |job| job.status);
    body.insert("JobId".into(), job_id(event));
    body.insert("TriggerSource".into(), json!(event.task.trigger.as_str()));
    body.insert("Name".into(), json!(job.map_or("", |job| job.activity.as_str())));
    if let Some((snapshot_type, _)) = snapshot {
        body.insert("Type".into(), json!(snapshot_type));
    }
    let input = storage_object(
        &event.media.object,
        &deployment.urls.object(&event.media.object),
        deployment,
    );
    let output = object.map_or_else(
        || json!({}),
        |object| storage_object(object, &deployment.urls.pattern(object), deployment),
    );
    body.insert("Input".into(), json!(input.to_string()));
    body.insert("Output".into(), json!(output.to_string()));
    if let Some((_, count)) = snapshot {
        body.insert("Count".into(), json!(count));
    }
    let parameters = job.map_or(&Value::Null, |job| &job.parameters);
    let config = match snapshot {
        Some((snapshot_type, _)) => template_config::snapshot(snapshot_type, parameters),
        None => template_config::animation(parameters),
    };
    body.insert("TemplateConfig".into(), json!(config.to_string()));
    let template = job.and_then(|job| job.template.as_deref()).unwrap_or_default();
    body.insert("TemplateId".into(), json!(template));
    body.insert("PipelineId".into(), json!(PIPELINE));
    body.insert("Status".into(), json!(if failed(status) { "Fail" } else { "Success" }));
    if failed(status) {
        errors(body, job);
    }
    caller_user_data(body, event);
    let submitted = job.map_or(event.at, |job| job.submitted_at);
    body.insert("SubmitTime".into(), json!(submitted.wire()));
    body.insert("FinishTime".into(), json!(finish_time(event)));
}

/// An input or output as the clouds stringify it.
fn storage_object(object: &ObjectUri, url: &str, deployment: &Deployment) -> Value {
    json!({
        "type": "OSS",
        "media": url,
        "ossFile": {"Bucket": object.storage, "Location": deployment.region, "Object": object.key},
    })
}

pub(crate) fn job_id(event: &TaskFact<'_>) -> Value {
    json!(event.job.map_or("", |job| job.id.as_str()))
}

pub(crate) fn finish_time(event: &TaskFact<'_>) -> String {
    let finished: Option<UtcMs> = event.job.and_then(|job| job.finished_at);
    finished.unwrap_or(event.at).wire()
}

/// Whether the job it tells of came to nothing.
pub(crate) fn has_failed(event: &TaskFact<'_>) -> bool {
    event.job.is_some_and(|job| failed(job.status))
}

/// What the cloud puts into the MediaConvert events of workflow runs; those of a job submitted alone echo its caller's.
fn convert_user_data(event: &TaskFact<'_>) -> String {
    if event.task.purpose == Purpose::Job {
        return event.task.user_data.clone().unwrap_or_default();
    }
    json!({"ImsSrc": "Workflow", "TaskId": event.task.id.as_str()}).to_string()
}

pub(crate) fn caller_user_data(body: &mut Map<String, Value>, event: &TaskFact<'_>) {
    if let Some(user_data) = &event.task.user_data {
        body.insert("UserData".into(), json!(user_data));
    }
}

pub(crate) fn errors(body: &mut Map<String, Value>, job: Option<&JobBrief>) {
    let (code, message) = error_of(job);
    body.insert("ErrorCode".into(), json!(code));
    body.insert("ErrorMessage".into(), json!(message));
}

/// Code and sentence of why a job has no result.
pub(crate) fn error_of(job: Option<&JobBrief>) -> (String, String) {
    match job {
        Some(JobBrief { fault: Some(fault), .. }) => (fault.code.clone(), fault.to_string()),
        Some(job) if job.status == JobStatus::Canceled => {
            ("Canceled".to_owned(), format!("{} was canceled.", job.activity))
        }
        Some(job) => (
            "NotSucceeded".to_owned(),
            format!("{} ended as {}.", job.activity, job.status.as_str()),
        ),
        None => ("Canceled".to_owned(), "The task was canceled.".to_owned()),
    }
}

/// Code and sentence of why one output of a job is missing.
pub(crate) fn error_of_output(fault: Option<&Fault>, job: Option<&JobBrief>) -> (String, String) {
    match fault {
        Some(fault) => (fault.code.clone(), fault.to_string()),
        None => error_of(job),
    }
}

/// Whether a cloud would call it a failure.
pub(crate) fn failed(status: JobStatus) -> bool {
    matches!(status, JobStatus::Fail | JobStatus::Canceled)
}

/// Status of MediaConvertComplete.
fn convert_status(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Fail => "Error",
        JobStatus::Canceled => "Cancelled",
        _ => "Complete",
    }
}

/// Status of WorkflowTaskComplete; the clouds know no canceled task.
pub(crate) fn task_status(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Succeed => "Succeed",
        _ => "Failed",
    }
}

#[cfg(test)]
mod tests;
