//! Jobs that the daemon does beside its loop: asking programs outside, and copying between storages.
//!
//! Guarantees: so many at once and no more; they hold none of the capacity of workers; each is an attempt like any
//! other, under a lease, so that a cancel stops it and a death gives it back. Deliberately absent: what they do
//! (`asking`, `copying`).

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::executor::AttemptEnd;
use crate::media::spec::Backend;
use crate::scheduler::asking;
use crate::scheduler::attempt::Leased;
use crate::scheduler::capacity::Weight;
use crate::scheduler::conclude;
use crate::scheduler::context::Context;
use crate::scheduler::context::Live;
use crate::scheduler::copying;
use crate::scheduler::ground::Ground;
use crate::scheduler::order;
use crate::scheduler::retry::NextTry;
use crate::store::attempts::Lease;
use crate::store::conclusions::Verdict;
use crate::store::error::StoreError;
use crate::store::jobs::JobRow;
use crate::store::jobs::ReadyJob;
use crate::store::media::MediaRow;
use crate::workflow::deed::Deed;
use crate::workflow::resolved::Activity;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// One errand whose lease is committed.
pub(super) struct Errand {
    pub leased: Leased,
    pub job: JobRow,
    pub activity: Activity,
    pub media: MediaRow,
}

/// Starts as many errands as may run at once.
pub(super) async fn run(context: &Arc<Context>, driven: &mut JoinSet<()>) -> Result<(), StoreError> {
    // A sweep knows no attempts but those to keep.
    if !context.swept.load(Ordering::Acquire) {
        return Ok(());
    }
    let kinds = [
        (false, Weight::Asking, context.options.asking),
        (true, Weight::Copying, context.options.copying),
    ];
    for (copies, weight, most) in kinds {
        let room = most.saturating_sub(context.count(weight));
        if room == 0 {
            continue;
        }
        let limit = u32::try_from(room).unwrap_or(u32::MAX);
        for ready in context.store.errands_ready(copies, context.now(), limit).await? {
            match start(context, driven, &ready, weight).await {
                Ok(()) => {}
                Err(error @ (StoreError::Sqlite { .. } | StoreError::Undone { .. } | StoreError::Closed { .. })) => {
                    return Err(error);
                }
                Err(error) => tracing::error!(job = %ready.id, %error, "an errand cannot be run"),
            }
        }
    }
    Ok(())
}

async fn start(
    context: &Arc<Context>,
    driven: &mut JoinSet<()>,
    ready: &ReadyJob,
    weight: Weight,
) -> Result<(), StoreError> {
    let now = context.now();
    let task = context.store.task(&ready.task).await?;
    if task.intent.is_some() {
        return Ok(());
    }
    let workflow = context.workflow(&task).await?;
    let media = context.store.media(&task.media).await?;
    let job = context.store.job(&ready.id).await?;
    let activity = workflow
        .activities
        .get(job.ordinal)
        .cloned()
        .ok_or_else(|| StoreError::unreadable("a job has no activity in its workflow"))?;
    let attempt = AttemptId::fresh();
    let lease = Lease {
        attempt: attempt.clone(),
        task: task.id.clone(),
        jobs: vec![job.id.clone()],
        threads: 0,
        device: None,
        expires_at: now.plus_ms(context.options.lease_ms),
    };
    let Some(number) = context.store.lease(lease, Arc::clone(&workflow), now).await? else {
        return Ok(());
    };
    context.bells.callback.ring();
    let stop = CancellationToken::new();
    context.enter(
        &attempt,
        Live {
            stop: stop.clone(),
            threads: 0,
            weight,
            scratch_bytes: 0,
            publishing: false,
        },
    );
    let order = order::over(context, attempt, task.id.clone(), &media);
    let errand = Errand {
        leased: Leased {
            order,
            number,
            task,
            workflow,
            jobs: vec![job.clone()],
            ground: Ground::software(Backend::Auto),
        },
        job,
        activity,
        media,
    };
    driven.spawn(drive(Arc::clone(context), errand, stop));
    Ok(())
}

/// Does one errand to its end.
async fn drive(context: Arc<Context>, errand: Errand, stop: CancellationToken) {
    let attempt = errand.leased.order.attempt.clone();
    let span = tracing::info_span!(
        "errand",
        task = %errand.leased.order.task, media = %errand.media.id, %attempt, number = errand.leased.number,
        activity = %errand.activity.id
    );
    let life = async {
        match &errand.activity.deed {
            Some(Deed::Hook(rule)) => asking::run(&context, &errand, rule, stop).await,
            Some(Deed::Copy(rule)) => copying::run(&context, &errand, rule, stop).await,
            Some(Deed::Review(_)) | None => {
                let fault = bug(&errand.job, "its activity has nothing for the daemon to do");
                finish(&context, &errand, Verdict::Failed(fault)).await;
            }
        }
    };
    // A bug in here must cost this errand, not the daemon, and must not be met again and again.
    if AssertUnwindSafe(life.instrument(span)).catch_unwind().await.is_err() {
        tracing::error!(%attempt, "a bug ended an errand");
        let fault = bug(&errand.job, "the daemon's own code failed while it did this");
        finish(&context, &errand, Verdict::Failed(fault)).await;
    }
    context.leave(&attempt);
}

/// Concludes the job of an errand that has published nothing, and ends its attempt.
pub(super) async fn finish(context: &Context, errand: &Errand, verdict: Verdict) {
    let fault = match &verdict {
        Verdict::Failed(fault) | Verdict::Again { fault, .. } => Some(fault.clone()),
        _ => None,
    };
    let stopped = matches!(verdict, Verdict::Canceled | Verdict::Requeued);
    conclude::one(context, &errand.leased, &errand.job.id, verdict).await;
    let end = AttemptEnd {
        fault,
        crashed: false,
        stopped,
        cost: None,
    };
    conclude::end_attempt(context, &errand.leased, &end, Vec::new()).await;
}

/// What a failure comes to: another try, or the end. One that was stopped goes back, or is cancelled.
pub(super) async fn failed(context: &Context, errand: &Errand, fault: &Fault, stop: &CancellationToken) -> Verdict {
    if stop.is_cancelled() {
        let task = context.store.task(&errand.leased.order.task).await;
        return match task.map(|task| task.intent) {
            Ok(Some(crate::store::intents::Intent::Cancel)) => Verdict::Canceled,
            _ => Verdict::Requeued,
        };
    }
    verdict_of(context, fault, errand.job.tries)
}

/// The same for a job that waited.
pub(super) async fn after_fault(context: &Context, job: &JobId, fault: &Fault) -> Result<Verdict, StoreError> {
    let row = context.store.job(job).await?;
    Ok(verdict_of(context, fault, row.tries))
}

fn verdict_of(context: &Context, fault: &Fault, tries: u32) -> Verdict {
    match context.options.retry.next(fault, tries, false) {
        NextTry::After { delay_ms, .. } => Verdict::Again {
            fault: fault.clone(),
            not_before: context.now().plus_ms(delay_ms),
            apart: false,
            software: None,
            counted: true,
        },
        NextTry::No => Verdict::Failed(fault.clone()),
    }
}

fn bug(job: &JobRow, cause: &str) -> Fault {
    Fault::new(
        "SchedulerBug",
        Blame::Bug,
        "run job",
        job.activity.clone(),
        cause,
        "Report this with the daemon's log.",
    )
}
