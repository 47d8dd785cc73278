//! What became of one object that a trigger saw: the answer to "why was this not triggered?".
//!
//! Guarantees: answers for every object ever seen, out of the ledger. Deliberately absent: looking at the storage.

use super::bytes;
use super::collect;
use super::plain;
use super::time;
use crate::base::clock::UtcMs;
use crate::base::ids::TaskId;
use crate::objects::uri::ObjectUri;
use crate::store::Store;
use crate::store::error::StoreError;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

/// What is known of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// When its present content was first seen; none: it was never seen.
    pub arrival: Option<ArrivalRow>,
    /// Why nothing of its storage is triggered now.
    pub frozen: Option<String>,
    /// Tasks that ran over it, newest first, at most ten.
    pub tasks: Vec<TaskId>,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivalRow {
    /// Bytes.
    pub size_bytes: u64,
    /// How far it came.
    pub state: ArrivalState,
    /// When it was first seen with this content.
    pub seen: UtcMs,
    /// Why nothing runs on it.
    pub why_not: Option<String>,
}

/// How far an arrival came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrivalState {
    /// Seen, not settled yet.
    Seen,
    /// Settled; workflows are about to be matched.
    Settled,
    /// Tasks were made from it.
    Taken,
    /// Nothing runs on it.
    NotTaken,
}

impl Store {
    /// What is known of `object`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn explain_object(&self, object: &ObjectUri) -> Result<Explained, StoreError> {
        let object = object.clone();
        self.read("explain an object", move |connection| {
            const ARRIVAL: &str = "select a.size_bytes, a.state, a.seen_ms, a.why_not \
                from arrivals a join storages s on s.id = a.storage where s.name = :storage and a.key = :key";
            const FROZEN: &str = "select frozen from storages where name = :storage";
            const TASKS: &str = "select t.id from tasks t join media m on m.id = t.media_id \
                where m.storage = :storage and m.key = :key order by t.id desc limit 10";
            let of_object = named_params! { ":storage": object.storage, ":key": object.key };
            let mut statement = connection.prepare_cached(ARRIVAL)?;
            let arrival = collect(statement.query(of_object)?, |row| {
                let state: i64 = plain(row, "state")?;
                Ok(ArrivalRow {
                    size_bytes: bytes(row, "size_bytes")?,
                    state: match state {
                        0 => ArrivalState::Seen,
                        1 => ArrivalState::Settled,
                        2 => ArrivalState::Taken,
                        _ => ArrivalState::NotTaken,
                    },
                    seen: time(row, "seen_ms")?,
                    why_not: plain(row, "why_not")?,
                })
            })?
            .pop();
            let frozen: Option<Option<String>> = connection
                .prepare_cached(FROZEN)?
                .query_row(named_params! { ":storage": object.storage }, |row| row.get(0))
                .optional()?;
            let mut statement = connection.prepare_cached(TASKS)?;
            let tasks = collect(statement.query(of_object)?, |row| {
                Ok(TaskId::from(row.get::<_, String>(0)?))
            })?;
            Ok(Explained {
                arrival,
                frozen: frozen.flatten(),
                tasks,
            })
        })
        .await
    }

    /// Why triggering is stopped for each storage that is frozen.
    ///
    /// # Errors
    /// The database failed.
    pub async fn frozen_storages(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.read("list frozen storages", |connection| {
            const SQL: &str = "select name, frozen from storages where frozen is not null";
            let mut statement = connection.prepare_cached(SQL)?;
            collect(statement.query([])?, |row| Ok((row.get(0)?, row.get(1)?)))
        })
        .await
    }
}
