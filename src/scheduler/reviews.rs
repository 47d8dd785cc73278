//! Questions that nobody answered in time: reviews by people, and answers that were promised for later.
//!
//! Guarantees: each ends once, by its rule, also when its time ran out while the daemon was down. Deliberately absent:
//! asking (`alone`, `errands`), and deciding, which people do through the store.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::scheduler::context::Context;
use crate::scheduler::errands;
use crate::store::conclusions::Concluded;
use crate::store::error::StoreError;

/// Questions ended in one go.
const BATCH: u32 = 256;

/// Ends a batch of them; says whether there may be more.
pub(super) async fn run(context: &Context) -> Result<bool, StoreError> {
    let now = context.now();
    let reviews = context.store.reviews_due(now, BATCH).await?;
    let answers = context.store.overdue(now, BATCH).await?;
    if reviews.is_empty() && answers.is_empty() {
        return Ok(false);
    }
    let mut moved = false;
    for review in &reviews {
        let concluded = context.store.expire_review(review, now).await?;
        tracing::info!(%review, "nobody decided a review in time");
        moved |= note(context, concluded);
    }
    for job in &answers {
        let verdict = errands::after_fault(context, job, &silent(job)).await?;
        tracing::warn!(%job, "an answer that was promised for later did not come in time");
        let concluded = context.store.conclude_awaited(job, None, verdict, now).await?;
        moved |= note(context, concluded);
    }
    context.bells.callback.ring();
    // When nothing moved, asking again at once would only turn in circles.
    Ok(moved)
}

fn note(context: &Context, concluded: Concluded) -> bool {
    if let Concluded::TaskEnded(status) = concluded {
        context.tally.task(Some(status));
    }
    concluded != Concluded::Stale
}

fn silent(job: &JobId) -> Fault {
    Fault::new(
        "HookSilent",
        Blame::Host,
        "ask hook",
        job.to_string(),
        "the answer that was promised for later did not come in time",
        "Look at the log of the service; give it more time with answer_within_s.",
    )
}
