//! What users asked of tasks, carried out.
//!
//! Guarantees: a cancel stops what runs and lets finish what publishes; a wish stays in the store until it is
//! fulfilled. Deliberately absent: asking.

use crate::scheduler::context::Context;
use crate::store::error::StoreError;
use crate::store::intents::Intent;
use crate::store::wishes::Wish;

/// Carries out every open wish.
pub(super) async fn run(context: &Context) -> Result<(), StoreError> {
    for wish in context.store.wishes().await? {
        if let Err(error) = fulfil(context, &wish).await {
            match error {
                StoreError::Sqlite { .. } | StoreError::Undone { .. } | StoreError::Closed { .. } => return Err(error),
                other => {
                    tracing::error!(task = %wish.task, error = %other, "what was asked of a task cannot be done");
                    context.store.drop_wish(&wish.task).await?;
                }
            }
        }
    }
    Ok(())
}

async fn fulfil(context: &Context, wish: &Wish) -> Result<(), StoreError> {
    let task = context.store.task(&wish.task).await?;
    let workflow = context.workflow(&task).await?;
    match wish.intent {
        Intent::Cancel => {
            tracing::info!(task = %wish.task, media = %task.media, "the task is cancelled as asked");
            let canceling = context.store.fulfil_cancel(&wish.task, workflow, context.now()).await?;
            for attempt in canceling.running {
                context.stop(&attempt);
            }
            context.tally.task(canceling.ended);
        }
        Intent::Retry => {
            tracing::info!(task = %wish.task, media = %task.media, "the task is tried again as asked");
            context.store.fulfil_retry(&wish.task, workflow, context.now()).await?;
        }
    }
    context.bells.callback.ring();
    Ok(())
}
