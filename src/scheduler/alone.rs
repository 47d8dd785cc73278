//! What the daemon does at once: jobs that do nothing, questions to people, and the `after` rules of sources.
//!
//! Guarantees: such jobs are done in groups that share a commit; a source is touched only when its task succeeded
//! and no other task needs it. Deliberately absent: anything that reads media.

use crate::base::backoff;
use crate::base::ids::TaskId;
use crate::scheduler::context::Context;
use crate::scheduler::parting;
use crate::store::conclusions::Concluded;
use crate::store::error::StoreError;
use crate::store::jobs::ReadyJob;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::resolved::AfterRule;
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;

/// Jobs that share a commit.
const BATCH: u32 = 256;
/// Tries of an `after` rule before it is left to people.
const AFTER_TRIES: u32 = 12;

/// Does a batch of jobs; says whether there may be more.
pub(super) async fn run(context: &Context) -> Result<bool, StoreError> {
    let ready = context.store.daemon_jobs_ready(BATCH).await?;
    let more = ready.len() >= BATCH as usize;
    if ready.is_empty() {
        return Ok(false);
    }
    let mut moved = false;
    for concluded in join_all(ready.iter().map(|job| one(context, job))).await {
        let concluded = concluded?;
        moved |= concluded != Concluded::Stale;
        if let Concluded::TaskEnded(status) = concluded {
            context.tally.task(Some(status));
        }
    }
    context.bells.callback.ring();
    // Successors may be noops too. When nothing moved, asking again at once would only turn in circles.
    Ok(moved && (more || !ready.is_empty()))
}

async fn one(context: &Context, ready: &ReadyJob) -> Result<Concluded, StoreError> {
    let task = context.store.task(&ready.task).await?;
    let workflow = context.workflow(&task).await?;
    if ready.kind == ActivityKind::Review {
        let asked = context.store.ask_for_job(&ready.id, workflow, context.now()).await?;
        if asked != Concluded::Stale {
            tracing::info!(task = %ready.task, job = %ready.id, media = %task.media, "a person is asked for a review");
        }
        return Ok(asked);
    }
    context.store.conclude_noop(&ready.id, workflow, context.now()).await
}

/// Has the `after` rules that are due carried out, one after the other, beside the loop: a copy within a bucket may take
/// minutes, and a share may be slow.
pub(super) async fn afters(context: &Arc<Context>, driven: &mut JoinSet<()>) -> Result<(), StoreError> {
    if context.parting.load(Ordering::Acquire) || context.store.afters_due(context.now()).await?.is_empty() {
        return Ok(());
    }
    context.parting.store(true, Ordering::Release);
    let context = Arc::clone(context);
    let parting = Parting(Arc::clone(&context));
    driven.spawn(async move {
        let _parting = parting;
        // What is given up here is due again after the start.
        if let Some(Err(error)) = context.last_call.run_until_cancelled(all_afters(&context)).await {
            tracing::error!(%error, "what became of after rules cannot be kept in the database; trying again");
        }
    });
    Ok(())
}

/// Rules are being carried out as long as it lives, however that ends.
struct Parting(Arc<Context>);

impl Drop for Parting {
    fn drop(&mut self) {
        self.0.parting.store(false, Ordering::Release);
    }
}

async fn all_afters(context: &Context) -> Result<(), StoreError> {
    // Looked up one by one: meanwhile another task may have come to need a source.
    while let Some((task, tries)) = context.store.afters_due(context.now()).await?.into_iter().next() {
        after(context, &task, tries).await?;
    }
    Ok(())
}

async fn after(context: &Context, id: &TaskId, tries: u32) -> Result<(), StoreError> {
    let task = context.store.task(id).await?;
    let workflow = context.workflow(&task).await?;
    let media = context.store.media(&task.media).await?;
    let rule = &workflow.source.after;
    if *rule == AfterRule::Keep {
        return context.store.after_done(id, context.now()).await;
    }
    match parting::part(context, &media, rule).await {
        Ok(()) => {
            tracing::info!(task = %id, source = %media.source.object, ?rule, "the source's after rule is done");
            context.store.after_done(id, context.now()).await
        }
        Err(fault) => {
            tracing::warn!(task = %id, %fault, "the source's after rule failed");
            let wait_ms = backoff::delay_ms(tries + 1, 2_000, 900_000);
            let again = fault.retryable && tries + 1 < AFTER_TRIES;
            context
                .store
                .after_failed(id, again.then(|| context.now().plus_ms(wait_ms)))
                .await
        }
    }
}
