//! The outbox: from events to deliveries, what is due, what became of each try.
//!
//! Guarantees: an event is dispatched once; of one lane and task only the earliest pending delivery is ever due, the
//! later ones are held until it ended; a try and the change it makes are one commit. Deliberately absent: where
//! destinations are and how long to wait (`callback`), and lists for people (`delivery_list`).
//!
//! A lane is what order and breaker go by: a destination, or one inline address.

use super::Store;
use super::alerts;
use super::alerts::Severity;
use super::error::StoreError;
use crate::base::clock::UtcMs;
use crate::base::ids::DeliveryId;
use crate::events::Event;
use crate::workflow::resolved::CallbackRule;
use crate::workflow::resolved::InlineDestination;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

/// `next_ms` of a delivery that waits behind an earlier one.
pub(super) const HELD: i64 = i64::MAX;

/// Code of the alert that tells of dead letters; its subject is their lane.
pub const DELIVERIES_DEAD: &str = "DeliveriesDead";

/// An event whose deliveries are not made yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Undispatched {
    /// Order of commit.
    pub seq: i64,
    /// The event and whom it is for; why it cannot be read, where another version of the program wrote it.
    pub told: Result<(Event, CallbackRule), String>,
}

/// The deliveries of one event, decided.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// The event.
    pub event_seq: i64,
    /// What order is kept by: [`Event::line`].
    pub line: String,
    /// To whom; may be nobody.
    pub deliveries: Vec<NewDelivery>,
}

/// One delivery to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Name in the configuration; empty for an inline one.
    pub destination: String,
    /// The address of an inline one.
    pub inline: Option<InlineDestination>,
    /// What order and breaker go by.
    pub lane: String,
    /// Why it cannot even be tried: it begins as a dead letter.
    pub dead: Option<String>,
}

/// A delivery whose time has come.
#[derive(Debug, Clone, PartialEq)]
pub struct DueDelivery {
    /// Id.
    pub id: DeliveryId,
    /// Name in the configuration; empty for an inline one.
    pub destination: String,
    /// The address of an inline one.
    pub inline: Option<InlineDestination>,
    /// Place within (lane, line), from 1.
    pub seq: i64,
    /// Tries made since it was made or last replayed.
    pub tries: u32,
    /// How often a user sent it again.
    pub replays: u32,
    /// Since when it is tried.
    pub since: UtcMs,
    /// What order is kept by.
    pub line: String,
    /// What it tells; why that cannot be read, where another version of the program wrote it.
    pub event: Result<Event, String>,
}

/// A lane with pending deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// When its first delivery is due.
    pub next: UtcMs,
}

/// A try that was made.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Of this delivery.
    pub delivery: DeliveryId,
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
    /// What follows.
    pub outcome: Outcome,
}

/// What follows a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted.
    Done,
    /// To be tried again, not before.
    Again(UtcMs),
    /// Given up.
    Dead,
}

impl Store {
    /// Events not dispatched yet, in their order; at most `limit`.
    pub async fn undispatched(&self, limit: usize) -> Result<Vec<Undispatched>, StoreError> {
        const SQL: &str = "select seq, body, callback from events where dispatched = 0 order by seq limit :limit";
        self.read("undispatched events", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":limit": i64::try_from(limit).unwrap_or(i64::MAX) })?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                let event = read_json(&row.get::<_, String>(1)?);
                let rule = read_json(&row.get::<_, String>(2)?);
                events.push(Undispatched {
                    seq: row.get(0)?,
                    told: event.and_then(|event| Ok((event, rule?))),
                });
            }
            Ok(events)
        })
        .await
    }

    /// Makes the deliveries of events and marks them dispatched, in one commit. An event that was dispatched already is
    /// passed over, so doing it twice makes nothing twice.
    pub async fn dispatch(&self, batch: Vec<Dispatch>, now: UtcMs) -> Result<(), StoreError> {
        const MARK: &str = "update events set dispatched = 1 where seq = :seq and dispatched = 0";
        self.write("dispatch events", move |connection| {
            for dispatch in &batch {
                let fresh = connection
                    .prepare_cached(MARK)?
                    .execute(named_params! { ":seq": dispatch.event_seq })?;
                if fresh == 1 {
                    for delivery in &dispatch.deliveries {
                        insert(connection, dispatch, delivery, now)?;
                    }
                }
            }
            Ok(())
        })
        .await
    }

    /// Lanes that have deliveries to try, now or later.
    pub async fn pending_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        const SQL: &str = "select lane, min(next_ms) from deliveries \
            where state = 'pending' and next_ms < :held group by lane";
        self.read("pending lanes", |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let lanes = statement.query_map(named_params! { ":held": HELD }, |row| {
                Ok(Lane {
                    name: row.get(0)?,
                    next: UtcMs(row.get(1)?),
                })
            })?;
            Ok(lanes.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Deliveries of a lane that are due, longest due first, at most one a task beyond what a user sent again; at most
    /// `limit`.
    pub async fn due_deliveries(&self, lane: &str, now: UtcMs, limit: usize) -> Result<Vec<DueDelivery>, StoreError> {
        const SQL: &str = "select d.id, d.destination, d.inline, d.seq, d.tries, d.replays, d.since_ms, d.line, e.body \
            from deliveries d join events e on e.seq = d.event_seq \
            where d.state = 'pending' and d.lane = :lane and d.next_ms <= :now order by d.next_ms, d.id limit :limit";
        let lane = lane.to_owned();
        self.read("due deliveries", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = statement.query(named_params! { ":lane": lane, ":now": now.0, ":limit": limit })?;
            let mut due = Vec::new();
            while let Some(row) = rows.next()? {
                let inline: Option<String> = row.get(2)?;
                due.push(DueDelivery {
                    id: row.get::<_, String>(0)?.into(),
                    destination: row.get(1)?,
                    inline: inline.map(|text| serde_json::from_str(&text)).transpose()?,
                    seq: row.get(3)?,
                    tries: row.get(4)?,
                    replays: row.get(5)?,
                    since: UtcMs(row.get(6)?),
                    line: row.get(7)?,
                    event: read_json(&row.get::<_, String>(8)?),
                });
            }
            Ok(due)
        })
        .await
    }

    /// Keeps a try and does what follows of it. If the process dies before the commit, the try never happened: the
    /// delivery is sent again, under the same event id.
    pub async fn record_try(&self, tried: Tried) -> Result<(), StoreError> {
        self.write("record a delivery try", move |connection| record(connection, &tried))
            .await
    }

    /// Gives up every pending delivery of `lane` that is tried since before `before`: the receiver takes nothing at all.
    /// Returns how many.
    pub async fn expire_lane(&self, lane: &str, before: UtcMs, reason: &str, now: UtcMs) -> Result<usize, StoreError> {
        const EXPIRE: &str = "update deliveries set state = 'dead', ended_ms = :now, \
            last_error = coalesce(last_error, :reason) \
            where state = 'pending' and lane = :lane and since_ms < :before";
        const RELEASE: &str = "update deliveries set next_ms = :now \
            where state = 'pending' and lane = :lane and next_ms = :held and not exists (select 1 from deliveries e \
            where e.state = 'pending' and e.lane = deliveries.lane and e.line = deliveries.line \
            and e.seq < deliveries.seq)";
        let (lane, reason) = (lane.to_owned(), reason.to_owned());
        self.write("expire deliveries", move |connection| {
            let expired = connection.prepare_cached(EXPIRE)?.execute(named_params! {
                ":lane": lane, ":before": before.0, ":reason": reason, ":now": now.0,
            })?;
            if expired > 0 {
                given_up(connection, &lane, &reason, now)?;
                connection
                    .prepare_cached(RELEASE)?
                    .execute(named_params! { ":lane": lane, ":now": now.0, ":held": HELD })?;
            }
            Ok(expired)
        })
        .await
    }

    /// Ends the alerts of lanes without dead letters, and without replayed ones that are still tried. Returns how many.
    pub async fn clear_dead_alerts(&self, now: UtcMs) -> Result<usize, StoreError> {
        const SQL: &str = "select subject from alerts a where code = :code and cleared_ms is null \
            and not exists (select 1 from deliveries d where d.state = 'dead' and d.lane = a.subject) \
            and not exists (select 1 from deliveries d where d.state = 'pending' and d.lane = a.subject \
            and d.replays > 0)";
        self.write("clear alerts of deliveries", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let over = statement.query_map(named_params! { ":code": DELIVERIES_DEAD }, |row| row.get(0))?;
            let over: Vec<String> = over.collect::<Result<_, _>>()?;
            for subject in &over {
                alerts::clear(connection, DELIVERIES_DEAD, subject, now)?;
            }
            Ok(over.len())
        })
        .await
    }

    /// The receiver of `lane` works again: what waits only because it did not is due now.
    pub async fn hasten_lane(&self, lane: &str, now: UtcMs) -> Result<(), StoreError> {
        const SQL: &str = "update deliveries set next_ms = :now \
            where state = 'pending' and lane = :lane and next_ms > :now and next_ms < :held \
            and (last_status is null or last_status >= 500)";
        let lane = lane.to_owned();
        self.write("hasten deliveries", move |connection| {
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":lane": lane, ":now": now.0, ":held": HELD })?;
            Ok(())
        })
        .await
    }
}

/// One row that cannot be read must not hold all others up.
fn read_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn insert(connection: &Connection, dispatch: &Dispatch, delivery: &NewDelivery, now: UtcMs) -> Result<(), StoreError> {
    const SQL: &str = "insert into deliveries \
        (id, event_seq, destination, inline, lane, line, seq, state, since_ms, next_ms, last_error, created_ms, \
         ended_ms) \
        values (:id, :event, :destination, :inline, :lane, :line, \
         (select coalesce(max(seq), 0) + 1 from deliveries where lane = :lane and line = :line), \
         iif(:dead is null, 'pending', 'dead'), :now, \
         iif(exists (select 1 from deliveries where state = 'pending' and lane = :lane and line = :line), :held, :now), \
         :dead, :now, iif(:dead is null, null, :now))";
    let inline = delivery.inline.as_ref().map(serde_json::to_string).transpose()?;
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":id": DeliveryId::fresh().as_str(),
        ":event": dispatch.event_seq,
        ":destination": delivery.destination,
        ":inline": inline,
        ":lane": delivery.lane,
        ":line": dispatch.line,
        ":dead": delivery.dead,
        ":held": HELD,
        ":now": now.0,
    })?;
    match &delivery.dead {
        Some(cause) => given_up(connection, &delivery.lane, cause, now),
        None => Ok(()),
    }
}

fn record(connection: &Connection, tried: &Tried) -> Result<(), StoreError> {
    const KEEP: &str = "insert into delivery_tries (delivery_id, number, at_ms, took_ms, status, error, answer) \
        values (:id, (select coalesce(max(number), 0) + 1 from delivery_tries where delivery_id = :id), \
         :at, :took, :status, :error, :answer)";
    const CHANGE: &str = "update deliveries set state = :state, tries = tries + 1, next_ms = :next, \
        last_status = :status, last_error = :error, ended_ms = :ended where id = :id and state = 'pending'";
    let (state, next, ended) = match tried.outcome {
        Outcome::Done => ("done", tried.at.0, Some(tried.at.0)),
        Outcome::Dead => ("dead", tried.at.0, Some(tried.at.0)),
        Outcome::Again(next) => ("pending", next.0, None),
    };
    let id = tried.delivery.as_str();
    let changed = connection.prepare_cached(CHANGE)?.execute(named_params! {
        ":id": id,
        ":state": state,
        ":next": next,
        ":status": tried.status,
        ":error": tried.error,
        ":ended": ended,
    })?;
    if changed == 0 {
        // Its event was pruned while the try was under way, or it expired: nobody waits for this result.
        return Ok(());
    }
    connection.prepare_cached(KEEP)?.execute(named_params! {
        ":id": id,
        ":at": tried.at.0,
        ":took": tried.took_ms,
        ":status": tried.status,
        ":error": tried.error,
        ":answer": tried.answer,
    })?;
    if ended.is_some() {
        let lane = release_next(connection, id, tried.at)?;
        if let (Outcome::Dead, Some(lane)) = (tried.outcome, lane) {
            let cause = tried.error.as_deref().unwrap_or("it was not accepted");
            given_up(connection, &lane, cause, tried.at)?;
        }
    }
    Ok(())
}

/// Somebody should look at a lane.
fn given_up(connection: &Connection, lane: &str, cause: &str, now: UtcMs) -> Result<(), StoreError> {
    let cause = format!("deliveries were given up, the last because {cause}");
    let remedy = "Look at them with GET /api/v1/deliveries?status=dead, put the receiver in order, then replay or discard \
        them.";
    alerts::raise(
        connection,
        DELIVERIES_DEAD,
        lane,
        Severity::Critical,
        &cause,
        remedy,
        now,
    )?;
    Ok(())
}

/// The earliest pending delivery of the same lane and task need not wait any longer. Returns the lane.
fn release_next(connection: &Connection, ended: &str, now: UtcMs) -> Result<Option<String>, StoreError> {
    const PLACE: &str = "select lane, line from deliveries where id = :id";
    const RELEASE: &str = "update deliveries set next_ms = :now where next_ms = :held and id = \
        (select id from deliveries where state = 'pending' and lane = :lane and line = :line order by seq limit 1)";
    let place: Option<(String, String)> = connection
        .prepare_cached(PLACE)?
        .query_row(named_params! { ":id": ended }, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((lane, line)) = &place {
        connection
            .prepare_cached(RELEASE)?
            .execute(named_params! { ":lane": lane, ":line": line, ":held": HELD, ":now": now.0 })?;
    }
    Ok(place.map(|(lane, _)| lane))
}

#[cfg(test)]
mod tests;
