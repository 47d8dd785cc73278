//! Tells how far a task is, for those who asked to hear it.
//!
//! Guarantees: asks the store at most forty times an attempt, and not at all when nobody listened as the attempt
//! began. Deliberately absent: which tenth of the task that is, and whether it was told (`store::milestones`).

use crate::base::ids::JobId;
use crate::scheduler::attempt::Leased;
use crate::scheduler::context::Context;
use std::sync::Arc;

/// How much of an attempt may be a tenth of its task, or a little more: the store is asked that often.
const ASK_PERCENT: f64 = 2.5;

/// What was said of one attempt.
pub(super) struct Milestones {
    heard: bool,
    last_step: u32,
}

impl Milestones {
    /// For an attempt that begins.
    pub async fn of(context: &Context, leased: &Leased) -> Self {
        let heard = context.store.progress_is_heard(&leased.task, &leased.workflow).await;
        Milestones {
            heard: heard.unwrap_or_else(|error| {
                tracing::warn!(%error, "it cannot be read who listens; the progress of this attempt is not announced");
                false
            }),
            last_step: 0,
        }
    }

    /// The attempt came so far; the board says it already.
    pub async fn reach(&mut self, context: &Context, leased: &Leased, percent: f64) {
        let step = (percent / ASK_PERCENT) as u32;
        if !self.heard || step <= self.last_step {
            return;
        }
        self.last_step = step;
        let task = &leased.order.task;
        let running: Vec<(JobId, f64)> = context
            .board
            .all()
            .into_iter()
            .filter(|(_, running)| running.task == *task)
            .flat_map(|(_, running)| running.jobs.into_iter().map(move |job| (job, running.percent)))
            .collect();
        let workflow = Arc::clone(&leased.workflow);
        match context
            .store
            .tell_progress(task, running, workflow, context.now())
            .await
        {
            Ok(true) => context.bells.callback.ring(),
            Ok(false) => {}
            // Progress is news of the moment: the next step tells more.
            Err(error) => tracing::warn!(%error, "progress could not be announced"),
        }
    }
}
