//! The media whose cover the best picture of a cover activity becomes.
//!
//! Guarantees: a media gets its cover in the transaction that ends the job, and only if it has none: what somebody
//! chose stays. Deliberately absent: choosing, and what is told of it (`made`).

use super::error::StoreError;
use super::jobs::JobRow;
use super::library::description;
use super::library::description::Change;
use super::outputs::OutputRow;
use super::tasks::TaskRow;
use crate::base::clock::UtcMs;
use crate::media::product::ProductKind;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;

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
    // Files are numbered by rank, and the main object is the first of them.
    let Some(output) = outputs.iter().find(|output| output.kind == ProductKind::Stills) else {
        return Ok(());
    };
    if !connection.prepare_cached(BARE)?.exists([task.media.as_str()])? {
        return Ok(());
    }
    let change = Change {
        cover: Some(Some(output.main.to_string())),
        ..Change::default()
    };
    // The event of the choice tells it; nobody described the media otherwise.
    description::write(connection, &task.media, change, now)?;
    Ok(())
}
