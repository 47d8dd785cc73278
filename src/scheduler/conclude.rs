//! The end of a pass: intents, publishing, conclusions, in this order.
//!
//! Guarantees: the intents of all jobs of the attempt are on disk before the first file gets its name; each job is
//! concluded in one transaction; what could not be concluded stays the attempt's, for recovery. Deliberately absent:
//! names (`publication`) and the transaction itself (`store::conclusions`).

use crate::base::ids::JobId;
use crate::executor::AttemptEnd;
use crate::media::product::JobProduct;
use crate::scheduler::attempt;
use crate::scheduler::attempt::Ends;
use crate::scheduler::attempt::Fate;
use crate::scheduler::attempt::Leased;
use crate::scheduler::context::Context;
use crate::scheduler::publication;
use crate::scheduler::publication::Prepared;
use crate::store::conclusions::Concluded;
use crate::store::conclusions::Verdict;
use crate::store::jobs::JobResult;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Brings every job of the attempt that has no verdict yet to one, and ends the attempt.
pub(super) async fn finish(context: &Context, leased: &Leased, ends: Ends, end: AttemptEnd) {
    let intent = match context.store.task(&leased.order.task).await {
        Ok(task) => task.intent,
        Err(error) => {
            tracing::error!(%error, "the task of an attempt cannot be read");
            None
        }
    };
    let place = (leased.jobs.as_slice(), &leased.ground);
    let fates = attempt::fates(context.options.retry, place, ends, &end, intent, context.now());
    if let Some(fault) = &end.fault {
        tracing::warn!(%fault, crashed = end.crashed, stopped = end.stopped, "the attempt failed");
    }
    // All intents first, then all files.
    let mut reserved = Vec::new();
    let mut decided = Vec::new();
    for (job, fate) in fates {
        match fate {
            Fate::Verdict(verdict) => decided.push((job, verdict)),
            Fate::Publish(product) => match publication::prepare(context, leased, &job, &product).await {
                Prepared::Reserved => reserved.push((job, product)),
                Prepared::Verdict(verdict) => decided.push((job, *verdict)),
                Prepared::Stale => tracing::warn!(%job, "a job was taken from its attempt before it could publish"),
            },
        }
    }
    // Together, so that jobs to be tried again become ready together and share a pass again.
    join_all(decided.into_iter().map(|(job, verdict)| async move {
        one(context, leased, &job, verdict).await;
    }))
    .await;
    let mut storages = BTreeSet::new();
    for (job, product) in reserved {
        storages.extend(publication::storages_of(context, &job).await);
        if let Some(verdict) = publication::publish(context, leased, &job, Some(&product)).await {
            one(context, leased, &job, verdict).await;
        }
    }
    end_attempt(context, leased, &end, storages.into_iter().collect()).await;
}

/// Concludes one job, and says so to whom it concerns.
pub(super) async fn one(context: &Context, leased: &Leased, job: &JobId, verdict: Verdict) {
    let row = leased.jobs.iter().find(|row| row.id == *job);
    tell(job, row.map_or("", |row| row.activity.as_str()), &verdict);
    let attempt = &leased.order.attempt;
    let concluded = context
        .insist("a conclusion", || {
            let workflow = Arc::clone(&leased.workflow);
            context
                .store
                .conclude(attempt, job, verdict.clone(), workflow, context.now())
        })
        .await;
    match concluded {
        Ok(concluded @ (Concluded::Yes | Concluded::TaskEnded(_))) => {
            context.tally.job(&verdict);
            if let Verdict::Again {
                software: Some(_),
                fault,
                ..
            } = &verdict
            {
                context.tally.fallbacks(attempt::word_of(&fault.code), 1);
            }
            if let Concluded::TaskEnded(status) = concluded {
                tracing::info!(status = status.as_str(), "task ended");
                context.tally.task(Some(status));
            }
            context.bells.callback.ring();
            context.bells.scheduler.ring();
        }
        Ok(Concluded::Stale) => tracing::warn!(%job, "a verdict came too late and was dropped"),
        Err(error) => tracing::error!(%job, %error, "a job could not be concluded; recovery does it at the next start"),
    }
}

/// Ends the attempt's row, then removes its files.
pub(super) async fn end_attempt(context: &Context, leased: &Leased, end: &AttemptEnd, storages: Vec<String>) {
    let attempt = &leased.order.attempt;
    let ended = context
        .insist("the end of an attempt", || {
            let (fault, cost) = (end.fault.clone(), end.cost);
            context
                .store
                .end_attempt(attempt, attempt::outcome(end), fault, cost, context.now())
        })
        .await;
    match ended {
        Ok(true) => {
            context.tally.attempt(attempt::outcome(end), end.cost);
            context.executor.discard(attempt, &storages).await;
        }
        // Intents are left open: their files are still needed.
        Ok(false) => tracing::info!("an attempt still publishes; the next start finishes it"),
        Err(error) => tracing::error!(%error, "an attempt could not be ended; recovery does it at the next start"),
    }
}

/// Stills whose times a job's row keeps.
const STILLS_KEPT: usize = 100;

/// What a job did, beside its outputs.
pub(super) fn result_of(product: &JobProduct) -> JobResult {
    JobResult {
        backend: product.backend.clone(),
        fallback_reason: product.fallback_reason.clone(),
        dropped: product.dropped.clone(),
        warnings: product.warnings.clone(),
        partial: product.partial,
        failed_outputs: product.failed_outputs.clone(),
        qc: product.qc.clone(),
        decisions: product.decisions.clone(),
        opinion: None,
        // A row is no place for the times of ten thousand stills.
        stills: product.stills.iter().take(STILLS_KEPT).copied().collect(),
    }
}

fn tell(job: &JobId, activity: &str, verdict: &Verdict) {
    match verdict {
        Verdict::Success { .. } => tracing::info!(%job, activity, "job succeeded"),
        Verdict::Skipped { reason } => tracing::info!(%job, activity, reason, "job skipped"),
        Verdict::Failed(fault) | Verdict::Rejected { fault, .. } => {
            tracing::warn!(%job, activity, %fault, "job failed");
        }
        Verdict::Again {
            fault, counted: false, ..
        } => tracing::info!(%job, activity, %fault, "job waits for its device"),
        Verdict::Again {
            fault, apart, software, ..
        } => tracing::warn!(%job, activity, %fault, apart, software, "job failed and is tried again"),
        Verdict::Held { ask: Some(_), .. } => tracing::info!(%job, activity, "job waits for a person"),
        Verdict::Held { ask: None, .. } => tracing::info!(%job, activity, "job waits for an answer from outside"),
        Verdict::Requeued => tracing::info!(%job, activity, "job goes back to the queue"),
        Verdict::Canceled => tracing::info!(%job, activity, "job canceled"),
    }
}
