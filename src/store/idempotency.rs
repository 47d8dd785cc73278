//! Calls that carry an Idempotency-Key and make something else than a task: the same key makes one thing only.
//!
//! Guarantees: the note of what was made is written in the transaction that makes it; the same key with another request
//! is refused. Deliberately absent: what a request is; its caller gives a hash of it.

use super::Store;
use super::error::StoreError;
use crate::base::clock::UtcMs;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

/// The key of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The caller's key, made its own and that of what it makes: two callers may choose the same.
    pub key: String,
    /// SHA-256 of the request, hex.
    pub request_sha256: String,
}

impl Store {
    /// What an earlier call with this key made.
    ///
    /// # Errors
    /// `Conflict` when that was another request.
    pub async fn made_before(&self, once: &Once) -> Result<Option<String>, StoreError> {
        let once = once.clone();
        self.read("look for an earlier call", move |connection| {
            made_before(connection, &once)
        })
        .await
    }
}

/// What an earlier call with this key made; a conflict when that was another request.
pub(super) fn made_before(connection: &Connection, once: &Once) -> Result<Option<String>, StoreError> {
    const SQL: &str = "select request_sha256, answer from idempotency where key = ?1";
    let found: Option<(String, String)> = connection
        .prepare_cached(SQL)?
        .query_row([once.key.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        None => Ok(None),
        Some((sha256, made)) if sha256 == once.request_sha256 => Ok(Some(made)),
        Some(_) => Err(StoreError::Conflict(
            "the Idempotency-Key was used before with another request".to_owned(),
        )),
    }
}

/// Notes what this call made: an id, or JSON.
pub(super) fn note(connection: &Connection, once: &Once, made: &str, now: UtcMs) -> Result<(), StoreError> {
    const SQL: &str =
        "insert into idempotency (key, request_sha256, answer, created_ms) values (:key, :sha, :made, :now)";
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":key": once.key, ":sha": once.request_sha256, ":made": made, ":now": now.0,
    })?;
    Ok(())
}
