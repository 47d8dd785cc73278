//! The `mps` profile: notifications of Tencent MPS, in the form that its ParseNotification reads.
//!
//! Guarantees: `{EventType: "WorkflowTask", WorkflowTaskEvent, EditMediaTaskEvent, ScheduleTaskEvent, SessionId,
//! SessionContext}` with every documented key; numbers are numbers, times of a media are seconds, bit rates bit/s,
//! paths begin with a slash, and of the `*Task` keys of a result the one of its `Type` is filled and the others are
//! null. Decided where the documents are silent: a storage is told as type COS with its name as `Bucket`; a
//! `Definition` is the template's name where that is a number, else 0; the error numbers are 60000 for the source, 40000
//! for the request, 70000 for this host, and `ErrCodeExt` is our code. `SessionContext` is the caller's user data.
//! Deliberately absent: everything but ends, starts and progress of tasks, which is all that MPS notifies of (the media
//! library, reviews, single activities and alerts have no form here); and `Timestamp` and `Sign`, which belong to one
//! try of one delivery and are added when it is made.

mod judged;
mod media;
mod processing;

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::Event;
use crate::events::JobBrief;
use crate::events::TaskFact;
use crate::events::made::FileBrief;
use crate::events::profile::Deployment;
use crate::events::profile::Rendered;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;
use serde_json::Value;
use serde_json::json;

/// `event` as MPS would send it; none where MPS sends nothing.
pub fn render(event: &Event, deployment: &Deployment) -> Option<Rendered> {
    let fact = event.of_task()?;
    let task = match fact.detail {
        Detail::TaskStarted => of_task(&fact, "PROCESSING", None, &[], None, deployment),
        Detail::TaskProgressed { .. } => of_task(&fact, "PROCESSING", None, &[], None, deployment),
        Detail::TaskEnded {
            status,
            activities,
            source,
        } => of_task(
            &fact,
            "FINISH",
            Some(*status),
            activities,
            source.as_deref(),
            deployment,
        ),
        _ => return None,
    };
    Some(Rendered {
        event_type: "WorkflowTask".to_owned(),
        body: json!({
            "EventType": "WorkflowTask",
            "WorkflowTaskEvent": task,
            "EditMediaTaskEvent": null,
            "ScheduleTaskEvent": null,
            "SessionId": "",
            "SessionContext": fact.task.user_data.as_deref().unwrap_or_default(),
        }),
    })
}

fn of_task(
    fact: &TaskFact<'_>,
    word: &str,
    ended: Option<TaskStatus>,
    activities: &[ActivityBrief],
    source: Option<&FileBrief>,
    deployment: &Deployment,
) -> Value {
    let told: Vec<&ActivityBrief> = activities
        .iter()
        .filter(|activity| activity.job.status != JobStatus::Skipped)
        .collect();
    let of_kind = |kinds: &[ActivityKind]| -> Vec<&ActivityBrief> {
        told.iter()
            .copied()
            .filter(|activity| kinds.contains(&activity.job.kind))
            .collect()
    };
    // Of the task itself MPS tells only what is wrong with its source; everything else stands with its activity.
    let spoilt = told
        .iter()
        .filter_map(|activity| activity.job.fault.as_ref())
        .find(|fault| fault.blame == Blame::Source);
    let canceled = ended == Some(TaskStatus::Canceled);
    let message = match spoilt {
        Some(fault) => fault.to_string(),
        None if canceled => "The task was canceled.".to_owned(),
        None => String::new(),
    };
    let mut processing = Vec::new();
    for activity in of_kind(&[
        ActivityKind::Transcode,
        ActivityKind::Snapshot,
        ActivityKind::DynamicImage,
    ]) {
        processing.extend(processing::results(activity, deployment));
    }
    let reviews = of_kind(&[ActivityKind::Moderation]);
    let analyses = of_kind(&[ActivityKind::Cover, ActivityKind::ContentAnalysis]);
    let recognitions = of_kind(&[ActivityKind::Recognition]);
    json!({
        "TaskId": fact.task.id.as_str(),
        "Status": word,
        "ErrCode": spoilt.map_or(0, error_number),
        "Message": message,
        "InputInfo": media::input(&fact.media.object, deployment),
        "MetaData": source.map(|source| media::meta_data(source, fact.media.size_bytes)),
        "MediaProcessResultSet": processing,
        "AiContentReviewResultSet": reviews.into_iter().flat_map(|one| judged::reviews(one, source)).collect::<Vec<_>>(),
        "AiAnalysisResultSet": analyses.into_iter().flat_map(|one| judged::analyses(one, deployment)).collect::<Vec<_>>(),
        "AiRecognitionResultSet": recognitions.into_iter().map(judged::recognition).collect::<Vec<_>>(),
        "AiQualityControlTaskResult": of_kind(&[ActivityKind::Qc]).first().map(|one| judged::quality(one, source)),
        "SmartSubtitlesTaskResult": [],
        "SmartEraseTaskResult": null,
    })
}

/// What every `*Task` of a result begins with.
fn outcome(job: &JobBrief, fault: Option<&Fault>) -> Value {
    let fault = fault.or(job.fault.as_ref());
    let (status, code, number, message) = match (job.status, fault) {
        (JobStatus::Canceled, _) => ("FAIL", "Canceled", 70000, "The task was canceled.".to_owned()),
        (_, Some(fault)) => ("FAIL", fault.code.as_str(), error_number(fault), fault.to_string()),
        (JobStatus::Fail, None) => ("FAIL", "InternalError", 70000, String::new()),
        _ => ("SUCCESS", "", 0, String::new()),
    };
    json!({"Status": status, "ErrCodeExt": code, "ErrCode": number, "Message": message})
}

/// The same with input and output.
fn task_result(job: &JobBrief, fault: Option<&Fault>, input: Value, output: Value) -> Value {
    let mut result = outcome(job, fault);
    result["Input"] = input;
    result["Output"] = output;
    result
}

fn error_number(fault: &Fault) -> i64 {
    match fault.blame {
        Blame::Source => 60000,
        Blame::Request => 40000,
        Blame::Host | Blame::Bug => 70000,
    }
}

/// The template as MPS numbers them.
fn definition(job: &JobBrief) -> u64 {
    job.template.as_deref().and_then(|name| name.parse().ok()).unwrap_or(0)
}
