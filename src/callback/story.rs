//! What the log says of a delivery, with the ids of what it tells of: it belongs to the story of its task.
//!
//! Guarantees: one line a try that ended something; a try that is made again says so where one looks closely (debug).
//! Deliberately absent: bodies and secrets.

use crate::store::deliveries::DueDelivery;
use crate::store::deliveries::Outcome;
use tracing::field::display;

/// Tells how a try of `delivery` to `lane` ended.
pub(super) fn tell(lane: &str, delivery: &DueDelivery, outcome: Outcome, error: Option<&str>) {
    let event = delivery.event.as_ref().ok();
    let task = event
        .and_then(|event| event.task.as_ref())
        .map(|task| display(&task.id));
    let job = event.and_then(|event| event.job.as_ref()).map(|job| display(&job.id));
    let media = event
        .and_then(|event| event.media.as_ref())
        .map(|media| display(&media.id));
    let delivery = display(&delivery.id);
    match outcome {
        Outcome::Done => tracing::info!(task, job, media, lane, delivery, "callback delivered"),
        Outcome::Again(_) => {
            tracing::debug!(
                task,
                job,
                media,
                lane,
                delivery,
                error,
                "callback not taken; sent again"
            );
        }
        Outcome::Dead => {
            tracing::warn!(
                task,
                job,
                media,
                lane,
                delivery,
                error,
                "callback given up; replay it when the receiver works"
            );
        }
    }
}
