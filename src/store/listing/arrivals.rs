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
use crate::store::intake;
use crate::workflow::arrival::Parts;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

/// What is known of one object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Explained {
    /// Its row of the ledger; none: it was never seen.
    pub arrival: Option<ArrivalRow>,
    /// An output of ours stands, or is about to stand, under its key.
    pub ours: bool,
    /// The object whose arrival it is a part of; none: of no other's.
    pub member_of: Option<ObjectUri>,
    /// What it consists of, and what was said of it; none: it is one file, and nothing was.
    pub parts: Option<Parts>,
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
    /// When this content settled; none: it did not yet, or it was there before the storage was first scanned.
    pub settled: Option<UtcMs>,
    /// Since when it is not there any more; none: it is, or nobody noticed yet.
    pub gone: Option<UtcMs>,
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
            const ARRIVAL: &str = "select a.size_bytes, a.state, a.seen_ms, a.gone_ms, a.why_not, a.settled_ms \
                from arrivals a join storages s on s.id = a.storage where s.name = :storage and a.key = :key";
            const OURS: &str = "select exists (select 1 from publish_intents where storage = :storage and key = :key) \
                or exists (select 1 from output_files where storage = :storage and key = :key) \
                or exists (select 1 from own_files where storage = :storage and key = :key)";
            // Groups are few beside objects; only those whose text names the key are read as JSON.
            const MEMBER: &str = "select p.key from arrival_parts p join storages s on s.id = p.storage \
                where s.name = :storage and p.key <> :key and instr(p.parts, json_quote(:key)) > 0 \
                and exists (select 1 from json_each(p.parts, '$.members') where value ->> 'key' = :key) limit 1";
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
                    settled: plain::<Option<i64>>(row, "settled_ms")?.map(UtcMs),
                    gone: plain::<Option<i64>>(row, "gone_ms")?.map(UtcMs),
                    why_not: plain(row, "why_not")?,
                })
            })?
            .pop();
            let ours = connection
                .prepare_cached(OURS)?
                .query_row(of_object, |row| row.get(0))?;
            let member_of: Option<String> = connection
                .prepare_cached(MEMBER)?
                .query_row(of_object, |row| row.get(0))
                .optional()?;
            let parts = intake::parts_of(connection, &object)?;
            let parts = parts.map(|parts| serde_json::from_str(&parts)).transpose()?;
            let mut statement = connection.prepare_cached(TASKS)?;
            let tasks = collect(statement.query(of_object)?, |row| {
                Ok(TaskId::from(row.get::<_, String>(0)?))
            })?;
            Ok(Explained {
                arrival,
                ours,
                parts,
                member_of: member_of.map(|key| ObjectUri::new(&object.storage, key)),
                tasks,
            })
        })
        .await
    }
}
