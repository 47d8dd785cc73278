//! What a daemon that died left behind, brought to a clean state at start.
//!
//! Guarantees: attempts with committed intents are published to their end, whatever a user asked meanwhile; all
//! others give their jobs back without a try counted; scratch and staging of everything else is swept. Repeating it
//! after another death is harmless. Deliberately absent: any other way of doing things: conclusions here are those
//! of every day.

use crate::base::ids::AttemptId;
use crate::executor::AttemptEnd;
use crate::media::spec::Backend;
use crate::scheduler::attempt::Leased;
use crate::scheduler::capacity::Weight;
use crate::scheduler::conclude;
use crate::scheduler::context::Context;
use crate::scheduler::context::Live;
use crate::scheduler::ground::Ground;
use crate::scheduler::order;
use crate::scheduler::publication;
use crate::store::attempts::OpenAttempt;
use crate::store::attempts::Outcome;
use crate::store::error::StoreError;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Recovers. Publishing goes on in the background, since an output storage may be away.
pub(super) async fn run(context: &Arc<Context>, driven: &mut JoinSet<()>) -> Result<(), StoreError> {
    let open = context.store.open_attempts().await?;
    let (publishing, lost): (Vec<OpenAttempt>, Vec<OpenAttempt>) =
        open.into_iter().partition(|attempt| attempt.publishing);
    for attempt in &lost {
        tracing::info!(task = %attempt.task, attempt = %attempt.id, jobs = attempt.held.len(), "jobs of a lost attempt go back to the queue");
        context
            .store
            .end_attempt(&attempt.id, Outcome::Lost, None, None, context.now())
            .await?;
    }
    let keep: Vec<AttemptId> = publishing.iter().map(|attempt| attempt.id.clone()).collect();
    for attempt in publishing {
        context.enter(
            &attempt.id,
            Live {
                stop: CancellationToken::new(),
                threads: 0,
                weight: Weight::Light,
                scratch_bytes: 0,
                publishing: true,
            },
        );
        driven.spawn(resume(Arc::clone(context), attempt));
    }
    let sweeper = Arc::clone(context);
    // A storage that hangs must not keep the daemon from starting; only new attempts wait, since a sweep knows no
    // attempts but those to keep.
    driven.spawn(async move {
        sweeper.executor.sweep(&keep).await;
        sweeper.swept.store(true, Ordering::Release);
        sweeper.bells.scheduler.ring();
    });
    Ok(())
}

/// Publishes and concludes what an attempt had reserved.
async fn resume(context: Arc<Context>, open: OpenAttempt) {
    let attempt = open.id.clone();
    let span = tracing::info_span!("recovery", task = %open.task, %attempt);
    let life = async {
        tracing::info!("an attempt that was publishing is brought to its end");
        match leased(&context, &open).await {
            Ok(leased) => finish(&context, &leased, &open).await,
            Err(error) => tracing::error!(%error, "an attempt that was publishing cannot be resumed"),
        }
    };
    life.instrument(span).await;
    context.leave(&attempt);
}

async fn finish(context: &Context, leased: &Leased, open: &OpenAttempt) {
    let mut storages = BTreeSet::new();
    for job in &open.held {
        let reserved = publication::storages_of(context, job).await;
        // Not reserved: its pass ended without a word on disk, and it runs again.
        if reserved.is_empty() {
            continue;
        }
        storages.extend(reserved);
        if let Some(verdict) = publication::publish(context, leased, job, None).await {
            conclude::one(context, leased, job, verdict).await;
        }
    }
    let end = AttemptEnd {
        fault: None,
        crashed: false,
        stopped: false,
        cost: None,
    };
    conclude::end_attempt(context, leased, &end, storages.into_iter().collect()).await;
}

/// The attempt as it was before the death, as far as concluding needs it.
async fn leased(context: &Context, open: &OpenAttempt) -> Result<Leased, StoreError> {
    let task = context.store.task(&open.task).await?;
    let workflow = context.workflow(&task).await?;
    let media = context.store.media(&task.media).await?;
    let mut jobs = context.store.jobs_of_task(&open.task).await?;
    jobs.retain(|job| open.held.contains(&job.id));
    Ok(Leased {
        order: order::over(context, open.id.clone(), open.task.clone(), &media),
        number: 0,
        ground: Ground::software(Backend::Auto),
        task,
        workflow,
        jobs,
    })
}
