//! Covers that were chosen: what is told of them, and the media whose cover the best becomes.
//!
//! Guarantees: a media gets its cover in the transaction that ends the job, and only if it has none: what somebody
//! chose stays. Deliberately absent: choosing.

use super::error::StoreError;
use super::jobs::JobRow;
use super::library::description;
use super::library::description::Change;
use super::outputs::OutputRow;
use super::tasks::TaskRow;
use crate::base::clock::UtcMs;
use crate::events::CoverCandidate;
use crate::events::Detail;
use crate::media::product::ProductKind;
use crate::media::spec::MediaWork;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;

/// What stands for the number in a pattern of keys.
const COUNT: &str = "{Count}";

/// Whether its pictures are chosen by their looks; else they are of moments that the definition names.
pub(super) fn is_choice(activity: &Activity) -> bool {
    matches!(&activity.work, Some(MediaWork::Snapshot(spec)) if spec.best.is_some())
}

/// The fact of a choice; no candidates on failure.
pub(super) fn chosen(job: &JobRow, outputs: &[OutputRow]) -> Detail {
    let mut candidates = Vec::new();
    if job.status == JobStatus::Success
        && let Some(result) = &job.result
    {
        let objects = pictures(outputs, result.covers.len());
        candidates = result
            .covers
            .iter()
            .zip(objects)
            .map(|(cover, object)| CoverCandidate {
                score: cover.score,
                time_ms: cover.time_s * 1_000.0,
                object,
            })
            .collect();
    }
    Detail::CoverEnded { candidates }
}

/// The best picture becomes the media's cover, if it has none.
pub(super) fn adopt(
    connection: &Connection,
    task: &TaskRow,
    activity: &Activity,
    job: &JobRow,
    outputs: &[OutputRow],
    now: UtcMs,
) -> Result<(), StoreError> {
    const BARE: &str = "select 1 from media where id = ?1 and cover is null and state <> 'Deleted'";
    if activity.kind != ActivityKind::Cover || job.status != JobStatus::Success {
        return Ok(());
    }
    let Some(best) = pictures(outputs, 1).pop() else {
        return Ok(());
    };
    if !connection.prepare_cached(BARE)?.exists([task.media.as_str()])? {
        return Ok(());
    }
    let change = Change {
        cover: Some(Some(best.to_string())),
        ..Change::default()
    };
    // The event of the choice tells it; nobody described the media otherwise.
    description::write(connection, &task.media, change, now)?;
    Ok(())
}

/// Where the first `count` pictures of the output stand, in their order.
fn pictures(outputs: &[OutputRow], count: usize) -> Vec<ObjectUri> {
    let Some(output) = outputs.iter().find(|output| output.kind == ProductKind::Stills) else {
        return Vec::new();
    };
    match &output.detail.pattern {
        Some(pattern) => (1..=count)
            .map(|number| {
                let key = pattern.replace(COUNT, &format!("{number:05}"));
                ObjectUri::new(output.main.storage.clone(), key)
            })
            .collect(),
        None => vec![output.main.clone()],
    }
}
