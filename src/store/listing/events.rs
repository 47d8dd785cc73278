//! Events, as lists and as a stream that can be resumed.
//!
//! Guarantees: the sequence is the order of commit, so a reader that remembers the last one it saw misses nothing.
//! Deliberately absent: wire profiles.

use super::Conditions;
use super::collect;
use super::plain;
use super::time;
use crate::base::clock::UtcMs;
use crate::store::Store;
use crate::store::error::StoreError;
use rusqlite::Row;
use rusqlite::params_from_iter;
use serde_json::Value;

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this type.
    pub kind: Option<String>,
    /// Of this task.
    pub task: Option<String>,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// Order of commit.
    pub seq: i64,
    /// Stable id.
    pub id: String,
    /// Its task.
    pub task: String,
    /// Its media.
    pub media: String,
    /// Its job; none for facts of the task.
    pub job: Option<String>,
    /// Its name.
    pub kind: String,
    /// When it became true.
    pub at: UtcMs,
    /// All of it, the serde form of `events::Event`.
    pub body: Value,
}

const EVENT: &str = "select seq, id, task_id, media_id, job_id, type, at_ms, body from events";

fn event_of(row: &Row<'_>) -> Result<EventRow, StoreError> {
    let body: String = row.get("body")?;
    Ok(EventRow {
        seq: plain(row, "seq")?,
        id: plain(row, "id")?,
        task: plain(row, "task_id")?,
        media: plain(row, "media_id")?,
        job: plain(row, "job_id")?,
        kind: plain(row, "type")?,
        at: time(row, "at_ms")?,
        body: serde_json::from_str(&body)?,
    })
}

impl Store {
    /// Up to `limit` events before the one with this sequence, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_events(
        &self,
        filter: EventFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        self.read("list events", move |connection| {
            let mut conditions = Conditions::default();
            conditions.when("type = ?", filter.kind);
            conditions.when("task_id = ?", filter.task);
            conditions.when("seq < ?", before);
            let sql = format!("{EVENT}{} order by seq desc limit {limit}", conditions.sql);
            let mut statement = connection.prepare_cached(&sql)?;
            collect(statement.query(params_from_iter(conditions.values()))?, event_of)
        })
        .await
    }

    /// Up to `limit` events after the one with this sequence, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn events_after(&self, seq: i64, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.read("read new events", move |connection| {
            let sql = format!("{EVENT} where seq > ?1 order by seq limit {limit}");
            let mut statement = connection.prepare_cached(&sql)?;
            collect(statement.query([seq])?, event_of)
        })
        .await
    }

    /// The sequence of the newest event; 0 when there is none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn last_event_seq(&self) -> Result<i64, StoreError> {
        self.read("find the newest event", |connection| {
            const SQL: &str = "select coalesce(max(seq), 0) from events";
            Ok(connection.prepare_cached(SQL)?.query_row([], |row| row.get(0))?)
        })
        .await
    }
}
