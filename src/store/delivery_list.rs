//! Deliveries as people see them: lists, one with its tries, and sending again.
//!
//! Guarantees: keys of inline addresses never leave this module. Deliberately absent: the outbox itself (`deliveries`).

use super::Store;
use super::deliveries::HELD;
use super::error::StoreError;
use crate::base::clock::UtcMs;
use crate::base::ids::DeliveryId;
use crate::base::ids::EventId;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::events::event_type::EventType;
use crate::workflow::resolved::InlineDestination;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::ToSql;
use rusqlite::named_params;

/// Deliveries sent again by one call at most.
const REPLAY_MAX: usize = 10_000;

/// One delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Id.
    pub id: DeliveryId,
    /// The event it tells.
    pub event: EventId,
    /// Its type.
    pub event_type: String,
    /// Its task.
    pub task: TaskId,
    /// Name in the configuration; empty for an inline one.
    pub destination: String,
    /// Address of an inline one.
    pub inline_url: Option<String>,
    /// `X-Reelmill-Event-Seq`.
    pub seq: i64,
    /// `pending`, `done` or `dead`.
    pub state: String,
    /// Tries since it was made or last sent again.
    pub tries: u32,
    /// How often a user sent it again.
    pub replays: u32,
    /// Earliest next try; none: it ended, or waits behind an earlier one of its task.
    pub next: Option<UtcMs>,
    /// HTTP status of the last try.
    pub last_status: Option<u16>,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was made.
    pub created: UtcMs,
    /// When it was accepted or given up.
    pub ended: Option<UtcMs>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TryRow {
    /// From 1, over all sendings.
    pub number: u32,
    /// When it ended.
    pub at: UtcMs,
    /// How long it took.
    pub took_ms: i64,
    /// HTTP status; none: no answer.
    pub status: Option<u16>,
    /// Why it failed; none: accepted.
    pub error: Option<String>,
    /// First bytes of the answer.
    pub answer: Option<String>,
}

/// Which deliveries a list shows; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// `pending`, `done` or `dead`.
    pub state: Option<String>,
    /// To this destination of the configuration.
    pub destination: Option<String>,
    /// Of this task.
    pub task: Option<TaskId>,
    /// Of events of this media.
    pub media: Option<MediaId>,
    /// Of this event.
    pub event: Option<EventId>,
    /// Of events of this type.
    pub event_type: Option<EventType>,
    /// Made at this time or later.
    pub since: Option<UtcMs>,
    /// Made before this time.
    pub until: Option<UtcMs>,
}

impl Store {
    /// Deliveries that match, newest first, from below `before` on; at most `limit`.
    pub async fn deliveries(
        &self,
        filter: DeliveryFilter,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        self.read("list deliveries", move |connection| {
            list(connection, &filter, before.as_ref(), limit)
        })
        .await
    }

    /// One delivery.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn delivery(&self, id: &DeliveryId) -> Result<DeliveryRow, StoreError> {
        let id = id.clone();
        self.read("show delivery", move |connection| one(connection, &id)).await
    }

    /// Every try of a delivery, oldest first.
    pub async fn delivery_tries(&self, id: &DeliveryId) -> Result<Vec<TryRow>, StoreError> {
        const SQL: &str = "select number, at_ms, took_ms, status, error, answer from delivery_tries \
            where delivery_id = :id order by number";
        let id = id.clone();
        self.read("list delivery tries", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let tries = statement.query_map(named_params! { ":id": id.as_str() }, |row| {
                Ok(TryRow {
                    number: row.get(0)?,
                    at: UtcMs(row.get(1)?),
                    took_ms: row.get(2)?,
                    status: row.get(3)?,
                    error: row.get(4)?,
                    answer: row.get(5)?,
                })
            })?;
            Ok(tries.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Sends a delivery again that was accepted or given up; ring the callback bell afterwards.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while it is still being tried.
    pub async fn replay_delivery(&self, id: &DeliveryId, now: UtcMs) -> Result<DeliveryRow, StoreError> {
        let id = id.clone();
        self.write("replay delivery", move |connection| {
            let row = one(connection, &id)?;
            if !replay(connection, id.as_str(), now)? {
                return Err(StoreError::Conflict(format!(
                    "delivery {id} is {}; only one that is done or dead can be sent again",
                    row.state
                )));
            }
            one(connection, &id)
        })
        .await
    }

    /// Sends everything again that matches, oldest first (dead letters when the filter names no state); at most 10 000
    /// a call. Returns how many; ring the callback bell afterwards.
    pub async fn replay_deliveries(&self, filter: DeliveryFilter, now: UtcMs) -> Result<usize, StoreError> {
        self.write("replay deliveries", move |connection| {
            let filter = DeliveryFilter {
                state: Some(filter.state.unwrap_or_else(|| "dead".to_owned())),
                ..filter
            };
            let mut found = list(connection, &filter, None, REPLAY_MAX)?;
            found.reverse();
            let mut replayed = 0;
            for row in &found {
                if replay(connection, row.id.as_str(), now)? {
                    replayed += 1;
                }
            }
            Ok(replayed)
        })
        .await
    }

    /// Takes a dead letter off the list: it counts as done, with the note that it was discarded, and can still be replayed.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where it is not dead.
    pub async fn discard_delivery(&self, id: &DeliveryId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write("discard delivery", move |connection| {
            let row = one(connection, &id)?;
            if row.state != "dead" {
                return Err(StoreError::Conflict(format!(
                    "delivery {id} is {}; only a dead one can be discarded",
                    row.state
                )));
            }
            discard(connection, id.as_str())
        })
        .await
    }

    /// Does the same with every dead letter that matches; at most 10 000 a call. Returns how many.
    pub async fn discard_deliveries(&self, filter: DeliveryFilter) -> Result<usize, StoreError> {
        self.write("discard deliveries", move |connection| {
            let filter = DeliveryFilter {
                state: Some("dead".to_owned()),
                ..filter
            };
            let found = list(connection, &filter, None, REPLAY_MAX)?;
            for row in &found {
                discard(connection, row.id.as_str())?;
            }
            Ok(found.len())
        })
        .await
    }

    /// How many deliveries are pending and how many are dead.
    pub async fn delivery_counts(&self) -> Result<(i64, i64), StoreError> {
        const SQL: &str = "select (select count(*) from deliveries where state = 'pending'), \
            (select count(*) from deliveries where state = 'dead')";
        self.read("count deliveries", |connection| {
            Ok(connection.query_row(SQL, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
        .await
    }
}

/// A discarded letter leaves its place in the order behind, so that its number is not given to another event.
fn discard(connection: &Connection, id: &str) -> Result<(), StoreError> {
    const SQL: &str = "update deliveries set state = 'done', last_error = 'discarded by hand' \
        where id = :id and state = 'dead'";
    connection.prepare_cached(SQL)?.execute(named_params! { ":id": id })?;
    Ok(())
}

const COLUMNS: &str = "select d.id, e.id, e.type, e.task_id, d.destination, d.inline, d.seq, d.state, d.tries, d.replays, \
    d.next_ms, d.last_status, d.last_error, d.created_ms, d.ended_ms from deliveries d \
    join events e on e.seq = d.event_seq";

fn list(
    connection: &Connection,
    filter: &DeliveryFilter,
    before: Option<&DeliveryId>,
    limit: usize,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // Ids are hex digits: every one sorts below "g".
    let before = before.map_or("g", DeliveryId::as_str);
    let mut sql = format!("{COLUMNS} where d.id < :before");
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":before", &before), (":limit", &limit)];
    if let Some(state) = &filter.state {
        sql.push_str(" and d.state = :state");
        values.push((":state", state));
    }
    if let Some(destination) = &filter.destination {
        sql.push_str(" and d.lane = :destination");
        values.push((":destination", destination));
    }
    let task = filter.task.as_ref().map(TaskId::as_str);
    if let Some(task) = &task {
        sql.push_str(" and d.line = :task");
        values.push((":task", task));
    }
    let media = filter.media.as_ref().map(MediaId::as_str);
    if let Some(media) = &media {
        sql.push_str(" and d.event_seq in (select seq from events where media_id = :media)");
        values.push((":media", media));
    }
    let event = filter.event.as_ref().map(EventId::as_str);
    if let Some(event) = &event {
        sql.push_str(" and d.event_seq = (select seq from events where id = :event)");
        values.push((":event", event));
    }
    let event_type = filter.event_type.map(EventType::as_str);
    if let Some(event_type) = &event_type {
        sql.push_str(" and e.type = :event_type");
        values.push((":event_type", event_type));
    }
    let since = filter.since.map(|at| at.0);
    if let Some(since) = &since {
        sql.push_str(" and d.created_ms >= :since");
        values.push((":since", since));
    }
    let until = filter.until.map(|at| at.0);
    if let Some(until) = &until {
        sql.push_str(" and d.created_ms < :until");
        values.push((":until", until));
    }
    sql.push_str(" order by d.id desc limit :limit");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(values.as_slice())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn one(connection: &Connection, id: &DeliveryId) -> Result<DeliveryRow, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} where d.id = :id"))?;
    let mut rows = statement.query(named_params! { ":id": id.as_str() })?;
    match rows.next()? {
        Some(row) => read(row),
        None => Err(StoreError::not_found("delivery", id.as_str())),
    }
}

fn read(row: &Row<'_>) -> Result<DeliveryRow, StoreError> {
    let inline: Option<String> = row.get(5)?;
    let inline: Option<InlineDestination> = inline.map(|text| serde_json::from_str(&text)).transpose()?;
    let state: String = row.get(7)?;
    let next: i64 = row.get(10)?;
    Ok(DeliveryRow {
        id: row.get::<_, String>(0)?.into(),
        event: row.get::<_, String>(1)?.into(),
        event_type: row.get(2)?,
        task: row.get::<_, String>(3)?.into(),
        destination: row.get(4)?,
        inline_url: inline.map(|inline| inline.url),
        seq: row.get(6)?,
        next: (state == "pending" && next != HELD).then_some(UtcMs(next)),
        state,
        tries: row.get(8)?,
        replays: row.get(9)?,
        last_status: row.get(11)?,
        last_error: row.get(12)?,
        created: UtcMs(row.get(13)?),
        ended: row.get::<_, Option<i64>>(14)?.map(UtcMs),
    })
}

/// Makes an ended delivery pending again, at once or behind earlier pending ones of its task; false: it has not ended.
fn replay(connection: &Connection, id: &str, now: UtcMs) -> Result<bool, StoreError> {
    const SQL: &str = "update deliveries set state = 'pending', tries = 0, replays = replays + 1, since_ms = :now, \
        next_ms = iif(exists (select 1 from deliveries e where e.state = 'pending' and e.lane = deliveries.lane \
        and e.line = deliveries.line and e.seq < deliveries.seq), :held, :now), \
        ended_ms = null where id = :id and state in ('done', 'dead') returning 1";
    let changed: Option<i64> = connection
        .prepare_cached(SQL)?
        .query_row(named_params! { ":id": id, ":now": now.0, ":held": HELD }, |row| {
            row.get(0)
        })
        .optional()?;
    Ok(changed.is_some())
}
