//! Reading events: lists, one, and what came after a number.
//!
//! Guarantees: `seq` is the order of commit and never repeats, so whoever reads on after the last one seen misses
//! nothing. Deliberately absent: writing (`announce`) and whom they are sent to (`deliveries`).

use super::Store;
use super::error::StoreError;
use crate::base::ids::EventId;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::events::Event;
use crate::events::event_type::EventType;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::ToSql;
use rusqlite::named_params;

/// One event with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Order of commit, from 1.
    pub seq: i64,
    /// The event.
    pub event: Event,
}

/// Which events a list shows; all that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of this task.
    pub task: Option<TaskId>,
    /// Of this media.
    pub media: Option<MediaId>,
    /// Of this type, by name.
    pub event_type: Option<EventType>,
}

impl Store {
    /// Events that match, newest first, from below `before_seq` on; at most `limit`.
    pub async fn events(
        &self,
        filter: EventFilter,
        before_seq: Option<i64>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.read("list events", move |connection| {
            let before = before_seq.unwrap_or(i64::MAX);
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let task = filter.task.as_ref().map(TaskId::as_str);
            let media = filter.media.as_ref().map(MediaId::as_str);
            let kind = filter.event_type.map(EventType::as_str);
            // The index that narrows most is named, and absent filters leave no trace: each shape is its own statement.
            let index = match (task, media, kind) {
                (Some(_), _, _) => "indexed by events_by_task",
                (None, Some(_), _) => "indexed by events_by_media",
                (None, None, Some(_)) => "indexed by events_by_type",
                (None, None, None) => "",
            };
            let mut sql = format!("select seq, body from events {index} where seq < :before");
            let mut values: Vec<(&str, &dyn ToSql)> = vec![(":before", &before), (":limit", &limit)];
            for (name, column, value) in [
                (":task", "task_id", &task),
                (":media", "media_id", &media),
                (":type", "type", &kind),
            ] {
                if let Some(value) = value {
                    sql.push_str(&format!(" and {column} = {name}"));
                    values.push((name, value));
                }
            }
            sql.push_str(" order by seq desc limit :limit");
            list(connection, &sql, &values)
        })
        .await
    }

    /// Events after `seq`, oldest first; at most `limit`. What a follower reads on with.
    pub async fn events_after(&self, seq: i64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.read("follow events", move |connection| {
            list(
                connection,
                "select seq, body from events where seq > :after order by seq limit :limit",
                named_params! { ":after": seq, ":limit": i64::try_from(limit).unwrap_or(i64::MAX) },
            )
        })
        .await
    }

    /// The number of the newest event, 0 before the first: where a follower begins who wants only new ones.
    pub async fn last_event_seq(&self) -> Result<i64, StoreError> {
        self.read("last event", |connection| {
            Ok(connection.query_row("select coalesce(max(seq), 0) from events", [], |row| row.get(0))?)
        })
        .await
    }

    /// The event with this id.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn event(&self, id: &EventId) -> Result<StoredEvent, StoreError> {
        let id = id.clone();
        self.read("show event", move |connection| {
            let found = list(
                connection,
                "select seq, body from events where id = :id",
                named_params! { ":id": id.as_str() },
            )?;
            found
                .into_iter()
                .next()
                .ok_or_else(|| StoreError::not_found("event", id.as_str()))
        })
        .await
    }
}

fn list(connection: &Connection, sql: &str, named: &[(&str, &dyn ToSql)]) -> Result<Vec<StoredEvent>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(named)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(stored(row)?);
    }
    Ok(events)
}

fn stored(row: &Row<'_>) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        seq: row.get(0)?,
        event: serde_json::from_str(&row.get::<_, String>(1)?)?,
    })
}
