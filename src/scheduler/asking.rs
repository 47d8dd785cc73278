//! One question to a program outside: what it is told, and what becomes of its answer.
//!
//! Guarantees: it is told everything it needs to look at the media by itself, under a key that is the same for every
//! repetition. Deliberately absent: reaching it (`executor::hook`), and answers that come later (`store::errands`).

use crate::base::address::Reach;
use crate::base::clock::UtcMs;
use crate::executor::hook::HookAnswer;
use crate::executor::hook::HookOrder;
use crate::executor::hook::HookTarget;
use crate::objects::uri::ObjectUri;
use crate::scheduler::context::Context;
use crate::scheduler::errands;
use crate::scheduler::errands::Errand;
use crate::store::conclusions::Verdict;
use crate::store::error::StoreError;
use crate::store::jobs::JobResult;
use crate::store::jobs::JobRow;
use crate::store::outputs::OutputRow;
use crate::workflow::deed::HookRule;
use crate::workflow::deed::OnReview;
use crate::workflow::opinion::Opinion;
use crate::workflow::opinion::Verdict as Word;
use crate::workflow::resolved::ActivityKind;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The form of the question; a larger number means that something in it means something else.
const VERSION: u32 = 1;
/// Pictures that are listed one by one.
const STILLS: u32 = 500;
/// Links work at least so long.
const LINKS_S: u64 = 24 * 3_600;

/// Asks, and concludes the job with what comes back.
pub(super) async fn run(context: &Context, errand: &Errand, rule: &HookRule, stop: CancellationToken) {
    let order = match compose(context, errand, rule).await {
        Ok(order) => order,
        Err(error) => {
            let fault = error.fault(errand.job.id.to_string());
            let verdict = errands::failed(context, errand, &fault, &stop).await;
            errands::finish(context, errand, verdict).await;
            return;
        }
    };
    tracing::info!(hook = order.name, try_number = order.try_number, "a hook is asked");
    let verdict = match context.executor.ask(order, stop.clone()).await {
        Ok(HookAnswer::Said(opinion)) => verdict_of(rule, opinion),
        Ok(HookAnswer::Later) => Verdict::Held {
            result: None,
            until: Some(context.now().plus_ms(ms(rule.answer_within_s))),
            ask: None,
        },
        Err(fault) => errands::failed(context, errand, &fault, &stop).await,
    };
    errands::finish(context, errand, verdict).await;
}

/// What an opinion comes to.
fn verdict_of(rule: &HookRule, opinion: Opinion) -> Verdict {
    let asks = rule.on_review == OnReview::Ask && opinion.verdict == Word::Review;
    let result = JobResult {
        backend: "none".to_owned(),
        opinion: Some(Box::new(opinion)),
        ..JobResult::default()
    };
    if asks {
        return Verdict::Held {
            result: Some(Box::new(result)),
            until: None,
            ask: Some(rule.review.clone().unwrap_or_default()),
        };
    }
    Verdict::Success {
        result: Some(result),
        files: Vec::new(),
    }
}

async fn compose(context: &Context, errand: &Errand, rule: &HookRule) -> Result<HookOrder, StoreError> {
    let (task, job) = (&errand.leased.task, &errand.job);
    let expires = context
        .now()
        .plus_ms(ms(rule.timeout_s.saturating_add(rule.answer_within_s).max(LINKS_S)));
    let key = format!("{}-{}", job.id, task.runs);
    let mut outputs = Vec::new();
    let mut stills = Vec::new();
    for made in context.store.jobs_of_task(&task.id).await? {
        for output in context.store.outputs_of_job(&made.id).await? {
            if output.published {
                outputs.push(told_output(context, &made, &output, expires));
            }
        }
        if matches!(made.kind, ActivityKind::Snapshot | ActivityKind::Cover) {
            let room = STILLS.saturating_sub(u32::try_from(stills.len()).unwrap_or(STILLS));
            let files = context.store.files_of_job(&made.id, room).await?;
            let pictures = files.iter().filter(|file| is_picture(&file.object));
            stills.extend(pictures.map(|file| told(context, &file.object, expires)));
        }
    }
    let source = &errand.media.source;
    let mut media = told(context, &source.object, expires);
    media["id"] = errand.media.id.as_str().into();
    media["size_bytes"] = source.size_bytes.into();
    media["facts"] = serde_json::to_value(&errand.media.facts)?;
    let request = json!({
        "version": VERSION,
        "id": key,
        "try": job.tries + 1,
        "type": job.kind.as_str(),
        "activity": job.activity,
        "job": job.id.as_str(),
        "task": {
            "id": task.id.as_str(),
            "workflow": task.workflow_name,
            "workflow_id": task.workflow.as_str(),
            "trigger": task.trigger.as_str(),
            "created_at": task.created_at.wire(),
        },
        "user_data": task.user_data,
        "media": media,
        "outputs": outputs,
        "stills": stills,
        "parameters": rule.parameters,
        "answer_url": context.links.answer(&errand.leased.order.attempt),
    });
    Ok(HookOrder {
        attempt: errand.leased.order.attempt.clone(),
        target: target(context, errand, rule).await?,
        name: rule.name().to_owned(),
        timeout: Duration::from_secs(rule.timeout_s),
        key,
        try_number: job.tries + 1,
        request: serde_json::to_vec(&request)?,
        environment: environment(context, errand),
        must_say: job.kind != ActivityKind::Hook,
    })
}

/// Who is asked. This host itself is reached only by the word of a file on it: not by what came through the API, and
/// not by what one run wanted otherwise.
async fn target(context: &Context, errand: &Errand, rule: &HookRule) -> Result<HookTarget, StoreError> {
    if let Some(name) = &rule.exec {
        return Ok(HookTarget::Exec { name: name.clone() });
    }
    let task = &errand.leased.task;
    let changed = task
        .overrides
        .activities
        .iter()
        .any(|other| other.id == errand.activity.id);
    let trusted = !changed && context.store.is_workflow_of_file(&task.id).await?;
    Ok(HookTarget::Http {
        url: rule.url.clone().unwrap_or_default(),
        reach: if trusted { Reach::Loopback } else { Reach::Network },
    })
}

fn environment(context: &Context, errand: &Errand) -> Vec<(String, String)> {
    let source = &errand.media.source.object;
    let path = context
        .executor
        .path_of(source)
        .and_then(|path| path.to_str().map(str::to_owned));
    // What lies in a bucket has no path: programs read it by its link.
    let expires = context.now().plus_ms(ms(LINKS_S));
    let link = context.links.object(source, expires);
    let task = &errand.leased.task;
    let pairs = [
        ("REELMILL_TASK_ID", task.id.as_str()),
        ("REELMILL_JOB_ID", errand.job.id.as_str()),
        ("REELMILL_MEDIA_ID", errand.media.id.as_str()),
        ("REELMILL_ACTIVITY", errand.activity.id.as_str()),
        ("REELMILL_TYPE", errand.activity.kind.as_str()),
        ("REELMILL_WORKFLOW", task.workflow_name.as_str()),
        ("REELMILL_SOURCE", &source.to_string()),
        ("REELMILL_SOURCE_PATH", path.as_deref().unwrap_or_default()),
        ("REELMILL_SOURCE_URL", link.as_deref().unwrap_or_default()),
    ];
    pairs
        .into_iter()
        .filter(|(_, value)| !value.contains('\0'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// An object as a program may reach it.
fn told(context: &Context, object: &ObjectUri, expires: UtcMs) -> Value {
    json!({
        "object": object.to_string(),
        "url": context.links.object(object, expires),
        "path": path(context, object),
    })
}

fn told_output(context: &Context, job: &JobRow, output: &OutputRow, expires: UtcMs) -> Value {
    let numbered = output.detail.pattern.is_some();
    let set = context.links.set(&output.main, numbered, expires);
    let in_storage = |key: &String| ObjectUri::new(output.main.storage.clone(), key.clone()).to_string();
    json!({
        "id": output.id.as_str(),
        "activity": job.activity,
        "type": job.kind.as_str(),
        "name": output.name,
        "group": output.group_name,
        "kind": output.kind,
        "object": output.main.to_string(),
        "url": set.or_else(|| context.links.object(&output.main, expires)),
        "path": path(context, &output.main),
        "size_bytes": output.size_bytes,
        "md5": output.md5,
        "picture_count": output.detail.picture_count,
        "pattern": output.detail.pattern.as_ref().map(in_storage),
        "webvtt": output.detail.webvtt.as_ref().map(in_storage),
    })
}

fn path(context: &Context, object: &ObjectUri) -> Option<String> {
    context.executor.path_of(object)?.to_str().map(str::to_owned)
}

fn is_picture(object: &ObjectUri) -> bool {
    let name = object.file_name().to_ascii_lowercase();
    [".jpg", ".jpeg", ".png", ".webp", ".avif"]
        .iter()
        .any(|extension| name.ends_with(extension))
}

fn ms(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX)
}
