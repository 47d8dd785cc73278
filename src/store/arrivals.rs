//! Rows of `arrivals`, the ledger that makes "once" true.
//!
//! Guarantees: an identity that settled once never settles again, whoever reports it how often; another identity under
//! the same key replaces the row and settles anew; rows of objects that are there are never removed. Deliberately
//! absent: looking at storages (`trigger`), and what becomes of settled rows (`intake`).

use super::Store;
use super::error::StoreError;
use super::row::Columns;
use crate::base::clock::UtcMs;
use crate::workflow::arrival::Arrival;
use crate::workflow::arrival::Member;
use crate::workflow::arrival::Parts;
use rusqlite::Connection;
use rusqlite::named_params;
use std::collections::HashSet;

/// An object that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// It; of a group under the key of its first file, as large as all of them and as young as the youngest.
    pub arrival: Arrival,
    /// What it consists of and what was said of it; none: it is one file, and nothing was.
    pub parts: Option<Parts>,
}

impl From<Arrival> for Settled {
    fn from(arrival: Arrival) -> Self {
        Settled { arrival, parts: None }
    }
}

impl Settled {
    /// The file of its key by itself.
    pub fn own(&self) -> (u64, i64) {
        let own = self
            .parts
            .as_ref()
            .and_then(|parts| own_member(parts, &self.arrival.key));
        own.map_or((self.arrival.size_bytes, self.arrival.mtime_ns), |own| {
            (own.size_bytes, own.mtime_ns)
        })
    }

    /// Files that belong to it, but for that of its own key.
    pub fn others(&self) -> impl Iterator<Item = &Member> {
        let group = self.parts.as_ref().filter(|parts| parts.is_group());
        let all = group
            .into_iter()
            .flat_map(|parts| parts.members.iter().chain(&parts.attendants));
        all.filter(|member| member.key != self.arrival.key)
    }
}

fn own_member<'a>(parts: &'a Parts, key: &str) -> Option<&'a Member> {
    parts
        .members
        .iter()
        .find(|member| member.key == key)
        .filter(|_| parts.is_group())
}

/// A remembered object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its key.
    pub key: String,
    /// Bytes, of the file of this key alone.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970, of that file alone.
    pub mtime_ns: i64,
    /// Its identity settled at some time.
    pub settled: bool,
    /// It is not there any more.
    pub gone: bool,
}

impl Store {
    /// Rows of a storage by key, after `after` (empty: from the first); fewer than `limit` are the last.
    pub async fn ledger_page(&self, storage: i64, after: &str, limit: u32) -> Result<Vec<LedgerRow>, StoreError> {
        const SQL: &str = "select a.key, a.size_bytes, a.mtime_ns, a.state <> 0, a.gone_ms is not null, p.parts \
            from arrivals a left join arrival_parts p on p.storage = a.storage and p.key = a.key \
            where a.storage = :storage and a.key > :after order by a.key limit :limit";
        let after = after.to_owned();
        self.read("read the ledger", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":storage": storage, ":after": after, ":limit": limit })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let key = row.text(0)?;
                let parts: Option<Parts> = row.json(5)?;
                let own = parts.as_ref().and_then(|parts| own_member(parts, &key));
                found.push(LedgerRow {
                    size_bytes: own.map_or_else(|| row.size(1), |own| Ok(own.size_bytes))?,
                    mtime_ns: own.map_or_else(|| row.get(2), |own| Ok(own.mtime_ns))?,
                    key,
                    settled: row.get(3)?,
                    gone: row.get(4)?,
                });
            }
            Ok(found)
        })
        .await
    }

    /// Remembers objects that were seen and have not settled. One that settled with the same identity stays as it is.
    /// If the process dies before, the next scan sees them again. Answers those that were seen with the same identity
    /// before, each with since when: a restart makes nothing younger.
    pub async fn see_arrivals(&self, storage: i64, seen: Vec<Arrival>) -> Result<Vec<(String, UtcMs)>, StoreError> {
        const SINCE: &str = "select seen_ms from arrivals where storage = :storage and key = :key and state = 0 \
            and size_bytes = :size and mtime_ns = :mtime and etag = :etag";
        self.write("note arrivals", move |connection| {
            let mut before = Vec::new();
            for arrival in &seen {
                if put_new(connection, storage, arrival, State::Seen, None)? {
                    continue;
                }
                let mut statement = connection.prepare_cached(SINCE)?;
                let mut rows = statement.query(named_params! {
                    ":storage": storage, ":key": arrival.key, ":size": size_column(arrival)?,
                    ":mtime": arrival.mtime_ns, ":etag": arrival.etag,
                })?;
                if let Some(row) = rows.next()? {
                    before.push((arrival.key.clone(), row.time(0)?));
                } else {
                    put(connection, storage, arrival, State::Seen, None)?;
                }
            }
            Ok(before)
        })
        .await
    }

    /// Remembers what the first scan found: it triggers nothing. Answers the keys of those that are remembered as seen
    /// with the same identity already: they came while that scan went on, and stay news. Repeating it is harmless.
    pub async fn record_existing(&self, storage: i64, found: Vec<Arrival>) -> Result<HashSet<String>, StoreError> {
        const NEWS: &str = "select 1 from arrivals where storage = :storage and key = :key and size_bytes = :size \
            and mtime_ns = :mtime and state = 0";
        self.write("note existing objects", move |connection| {
            let mut news = HashSet::new();
            for arrival in &found {
                if put_new(connection, storage, arrival, State::NotTaken, Some("existing"))? {
                    continue;
                }
                let seen = connection.prepare_cached(NEWS)?.exists(named_params! {
                    ":storage": storage, ":key": arrival.key, ":size": size_column(arrival)?, ":mtime": arrival.mtime_ns,
                })?;
                if seen {
                    news.insert(arrival.key.clone());
                } else {
                    put(connection, storage, arrival, State::NotTaken, Some("existing"))?;
                }
            }
            Ok(news)
        })
        .await
    }

    /// Makes settled objects ready for intake, and notes the other files of groups as part of them; answers how many are
    /// new. One whose identity settled before is not made ready again. If the process dies before the answer, they settle
    /// again and nothing is doubled.
    pub async fn settle_arrivals(&self, storage: i64, settled: Vec<Settled>, now: UtcMs) -> Result<usize, StoreError> {
        self.write("settle arrivals", move |connection| {
            let mut new = 0;
            for one in &settled {
                new += usize::from(put_whole(connection, storage, one, State::Settled(now), None)?);
            }
            Ok(new)
        })
        .await
    }

    /// Remembers groups that the first scan found, like [`record_existing`](Self::record_existing) does single objects.
    pub async fn record_existing_groups(&self, storage: i64, found: Vec<Settled>) -> Result<(), StoreError> {
        self.write("note existing groups", move |connection| {
            for one in &found {
                put_whole(connection, storage, one, State::NotTaken, Some("existing"))?;
            }
            Ok(())
        })
        .await
    }

    /// Remembers objects that settled and on which nothing is to run, each with why.
    pub async fn set_aside(&self, storage: i64, aside: Vec<(Arrival, String)>) -> Result<(), StoreError> {
        self.write("set objects aside", move |connection| {
            for (arrival, why) in &aside {
                put(connection, storage, arrival, State::NotTaken, Some(why))?;
            }
            Ok(())
        })
        .await
    }

    /// Says why objects that were seen are waited with.
    pub async fn explain_waiting(&self, storage: i64, waiting: Vec<(Vec<String>, String)>) -> Result<(), StoreError> {
        const SQL: &str = "update arrivals set why_not = :why where storage = :storage and key = :key and state = 0 \
            and why_not is not :why";
        self.write("explain waiting objects", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            for (keys, why) in &waiting {
                for key in keys {
                    statement.execute(named_params! { ":why": why, ":storage": storage, ":key": key })?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Forgets objects that vanished before they settled.
    pub async fn forget_unsettled(&self, storage: i64, keys: Vec<String>) -> Result<(), StoreError> {
        const SQL: &str = "delete from arrivals where storage = :storage and key = :key and state = 0";
        self.write("forget vanished objects", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            for key in &keys {
                statement.execute(named_params! { ":storage": storage, ":key": key })?;
            }
            Ok(())
        })
        .await
    }

    /// Remembers which settled objects are gone and which are back.
    pub async fn mark_gone(
        &self,
        storage: i64,
        gone: Vec<String>,
        back: Vec<String>,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update arrivals set gone_ms = :gone where storage = :storage and key = :key";
        self.write("note gone objects", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            for (keys, at) in [(&gone, Some(now.0)), (&back, None)] {
                for key in keys {
                    statement.execute(named_params! { ":gone": at, ":storage": storage, ":key": key })?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Keys of objects that are taken for gone since `since` or later, by key, after `after` (empty: from the first).
    pub async fn gone_page(
        &self,
        storage: i64,
        since: UtcMs,
        after: &str,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "select key from arrivals where storage = :storage and key > :after and gone_ms >= :since \
            order by key limit :limit";
        let after = after.to_owned();
        self.read("read what is gone", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! {
                ":storage": storage, ":after": after, ":since": since.0, ":limit": limit,
            })?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(row.text(0)?);
            }
            Ok(keys)
        })
        .await
    }

    /// Removes rows of objects that have been gone since before `before`; answers how many. Never those in work.
    pub async fn prune_gone(&self, before: UtcMs) -> Result<usize, StoreError> {
        const SQL: &str = "delete from arrivals where gone_ms < ?1 and state <> 1";
        self.write("prune the ledger", move |connection| {
            Ok(connection.prepare_cached(SQL)?.execute([before.0])?)
        })
        .await
    }
}

/// `arrivals.state` as triggers write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Seen,
    /// At this moment.
    Settled(UtcMs),
    NotTaken,
}

impl State {
    fn column(self) -> i64 {
        match self {
            State::Seen => 0,
            State::Settled(_) => 1,
            State::NotTaken => 3,
        }
    }

    fn settled_ms(self) -> Option<i64> {
        match self {
            State::Settled(at) => Some(at.0),
            State::Seen | State::NotTaken => None,
        }
    }
}

/// Writes an arrival with its parts, and the other files of its group as part of it.
fn put_whole(
    connection: &Connection,
    storage: i64,
    settled: &Settled,
    state: State,
    why_not: Option<&str>,
) -> Result<bool, StoreError> {
    const PARTS: &str = "insert into arrival_parts (storage, key, parts) values (:storage, :key, :parts) \
        on conflict (storage, key) do update set parts = excluded.parts";
    const PART: &str = "insert into arrivals \
        (storage, key, size_bytes, mtime_ns, etag, state, arrival_seq, gone_ms, seen_ms, why_not) \
        values (:storage, :key, :size, :mtime, :etag, 3, 0, null, :seen, :why_not) \
        on conflict (storage, key) do update set size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, \
        etag = excluded.etag, state = 3, arrival_seq = 0, gone_ms = null, why_not = excluded.why_not, settled_ms = null";
    let arrival = &settled.arrival;
    let is_new = put(connection, storage, arrival, state, why_not)?;
    if let Some(parts) = &settled.parts {
        let parts = serde_json::to_string(parts)?;
        let named = named_params! { ":storage": storage, ":key": arrival.key, ":parts": parts };
        connection.prepare_cached(PARTS)?.execute(named)?;
    }
    let why_part = format!("It is part of {}.", arrival.key);
    for member in settled.others() {
        forget_parts(connection, storage, &member.key)?;
        connection.prepare_cached(PART)?.execute(named_params! {
            ":storage": storage, ":key": member.key, ":size": size_in_row(member.size_bytes)?,
            ":mtime": member.mtime_ns, ":etag": member.etag, ":seen": arrival.seen_at.0, ":why_not": why_part,
        })?;
    }
    Ok(is_new)
}

fn forget_parts(connection: &Connection, storage: i64, key: &str) -> Result<(), StoreError> {
    const SQL: &str = "delete from arrival_parts where storage = ?1 and key = ?2";
    connection
        .prepare_cached(SQL)?
        .execute(rusqlite::params![storage, key])?;
    Ok(())
}

/// Writes a row that has not settled where there was none: what most rows of a first scan are, in one step. Answers
/// whether there was none.
fn put_new(
    connection: &Connection,
    storage: i64,
    arrival: &Arrival,
    state: State,
    why_not: Option<&str>,
) -> Result<bool, StoreError> {
    const NEW: &str = "insert into arrivals \
        (storage, key, size_bytes, mtime_ns, etag, state, arrival_seq, gone_ms, seen_ms, why_not) \
        values (:storage, :key, :size, :mtime, :etag, :state, 0, null, :seen, :why_not) \
        on conflict (storage, key) do nothing";
    let made = connection.prepare_cached(NEW)?.execute(named_params! {
        ":storage": storage, ":key": arrival.key, ":size": size_column(arrival)?, ":mtime": arrival.mtime_ns,
        ":etag": arrival.etag, ":state": state.column(), ":seen": arrival.seen_at.0, ":why_not": why_not,
    })?;
    Ok(made > 0)
}

/// Writes one row unless its identity settled before (then the row only learns that the object is there); answers
/// whether it was written.
fn put(
    connection: &Connection,
    storage: i64,
    arrival: &Arrival,
    state: State,
    why_not: Option<&str>,
) -> Result<bool, StoreError> {
    const SAME: &str = "update arrivals set gone_ms = null where storage = :storage and key = :key \
        and size_bytes = :size and mtime_ns = :mtime and etag = :etag and state <> 0";
    const PUT: &str = "insert into arrivals \
        (storage, key, size_bytes, mtime_ns, etag, state, arrival_seq, gone_ms, seen_ms, why_not, settled_ms) \
        values (:storage, :key, :size, :mtime, :etag, :state, :seq, null, :seen, :why_not, :settled) \
        on conflict (storage, key) do update set size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, \
        etag = excluded.etag, state = excluded.state, arrival_seq = excluded.arrival_seq, gone_ms = null, \
        seen_ms = excluded.seen_ms, why_not = excluded.why_not, settled_ms = excluded.settled_ms";
    if !matches!(state, State::Settled(_)) && put_new(connection, storage, arrival, state, why_not)? {
        return Ok(true);
    }
    let size = size_column(arrival)?;
    let known = connection.prepare_cached(SAME)?.execute(named_params! {
        ":storage": storage, ":key": arrival.key, ":size": size, ":mtime": arrival.mtime_ns, ":etag": arrival.etag,
    })?;
    if known > 0 {
        return Ok(false);
    }
    let seq = match state {
        State::Settled(_) => next_seq(connection)?,
        State::Seen | State::NotTaken => 0,
    };
    // Another content: what the one before consisted of is not said of it.
    forget_parts(connection, storage, &arrival.key)?;
    connection.prepare_cached(PUT)?.execute(named_params! {
        ":storage": storage, ":key": arrival.key, ":size": size, ":mtime": arrival.mtime_ns, ":etag": arrival.etag,
        ":state": state.column(), ":seq": seq, ":seen": arrival.seen_at.0, ":why_not": why_not,
        ":settled": state.settled_ms(),
    })?;
    Ok(true)
}

fn size_column(arrival: &Arrival) -> Result<i64, StoreError> {
    size_in_row(arrival.size_bytes)
}

fn size_in_row(size_bytes: u64) -> Result<i64, StoreError> {
    i64::try_from(size_bytes).map_err(|_| StoreError::unreadable(format!("a size of {size_bytes} bytes")))
}

pub(super) fn next_seq(connection: &Connection) -> Result<i64, StoreError> {
    const SQL: &str = "update counters set value = value + 1 where name = 'arrival' returning value";
    Ok(connection.prepare_cached(SQL)?.query_row([], |row| row.get(0))?)
}

#[cfg(test)]
mod tests;
