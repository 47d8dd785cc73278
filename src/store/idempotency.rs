//! Calls that carry an Idempotency-Key and make something: made once, however often they are sent.
//!
//! Guarantees: what was made and the key that made it are one transaction; the same key with another request is
//! refused. Deliberately absent: tasks, whose rows hold their key themselves.

use super::error::StoreError;
use super::row::Columns;
use crate::base::clock::UtcMs;
use rusqlite::Connection;
use rusqlite::named_params;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The key of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnceKey {
    /// The caller's own word, made its own.
    pub key: String,
    /// SHA-256 hex of what is asked for.
    pub request_sha256: String,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once<T> {
    /// It was made now.
    New(T),
    /// An earlier call with this key made it.
    Again(T),
    /// The key belongs to another request.
    Reused,
}

/// Makes what is asked for unless it was made before under this key.
pub(super) fn once<T: Serialize + DeserializeOwned>(
    connection: &Connection,
    key: Option<&OnceKey>,
    now: UtcMs,
    make: impl FnOnce() -> Result<T, StoreError>,
) -> Result<Once<T>, StoreError> {
    const KNOWN: &str = "select request_sha256, answer from idempotency where key = ?1";
    const KEEP: &str = "insert into idempotency (key, request_sha256, answer, created_ms) \
        values (:key, :request, :answer, :now)";
    let Some(key) = key else { return Ok(Once::New(make()?)) };
    let mut statement = connection.prepare_cached(KNOWN)?;
    let mut rows = statement.query([&key.key])?;
    if let Some(row) = rows.next()? {
        return Ok(match row.text(0)? == key.request_sha256 {
            true => Once::Again(row.whole(1)?),
            false => Once::Reused,
        });
    }
    let made = make()?;
    connection.prepare_cached(KEEP)?.execute(named_params! {
        ":key": key.key, ":request": key.request_sha256, ":answer": serde_json::to_string(&made)?, ":now": now.0,
    })?;
    Ok(Once::New(made))
}
