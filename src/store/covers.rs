//! The picture by which a media is shown: the best of a cover activity, or a still of a snapshot.
//!
//! Guarantees: a media gets its cover in the transaction that ends the job; what a person chose stays, and a cover
//! activity's choice is not undone by a plain still. Deliberately absent: choosing, and what is told of it (`made`).

use super::error::StoreError;
use super::jobs::JobRow;
use super::library::description;
use super::library::description::Change;
use super::made;
use super::outputs::OutputRow;
use super::tasks::TaskRow;
use crate::base::clock::UtcMs;
use crate::media::product::ProductKind;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;
use rusqlite::named_params;

/// `media.cover_rank` of the first of several stills, which may be black.
const FIRST_STILL: i64 = 0;
/// Of a still that was made alone, a poster.
const POSTER: i64 = 1;
/// Of the best picture of a cover activity.
const BEST: i64 = 2;
/// Of what a person chose.
const PERSON: i64 = 3;

/// The picture that the job made becomes the media's cover, if that has none or one that was chosen with less care.
pub(super) fn adopt(
    connection: &Connection,
    task: &TaskRow,
    activity: &Activity,
    job: &JobRow,
    outputs: &[OutputRow],
    now: UtcMs,
) -> Result<(), StoreError> {
    const WANTS_ONE: &str = "select 1 from media where id = :id and (cover is null or cover_rank < :rank) \
        and state <> 'Deleted'";
    if job.status != JobStatus::Success {
        return Ok(());
    }
    // Files are numbered by rank, or by time, and the main object is the first of them.
    let Some(output) = outputs.iter().find(|output| output.kind == ProductKind::Stills) else {
        return Ok(());
    };
    let rank = match activity.kind {
        ActivityKind::Cover => BEST,
        ActivityKind::Snapshot if made::numbered_keys(connection, output)?.len() > 1 => FIRST_STILL,
        ActivityKind::Snapshot => POSTER,
        _ => return Ok(()),
    };
    let wants = connection
        .prepare_cached(WANTS_ONE)?
        .exists(named_params! { ":id": task.media.as_str(), ":rank": rank })?;
    if !wants {
        return Ok(());
    }
    let change = Change {
        cover: Some(Some(output.main.to_string())),
        ..Change::default()
    };
    // The event of the choice tells it; nobody described the media otherwise.
    description::write(connection, &task.media, change, now)?;
    ranked(connection, task.media.as_str(), rank)
}

/// A person chose the cover.
pub(super) fn chosen_by_a_person(connection: &Connection, media: &str) -> Result<(), StoreError> {
    ranked(connection, media, PERSON)
}

fn ranked(connection: &Connection, media: &str, rank: i64) -> Result<(), StoreError> {
    const SQL: &str = "update media set cover_rank = :rank where id = :id";
    connection
        .prepare_cached(SQL)?
        .execute(named_params! { ":rank": rank, ":id": media })?;
    Ok(())
}
