//! Rows of `media`: input identities and their facts.
//!
//! Guarantees: one row an identity (object, size, time, ETag), whoever asks first. Deliberately absent: files and
//! outputs; a media's outputs are those of its tasks.

use super::Store;
use super::error::StoreError;
use super::row::Columns;
use crate::base::clock::UtcMs;
use crate::base::ids::MediaId;
use crate::media::facts::MediaFacts;
use crate::objects::uri::ObjectUri;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

/// What tells one input from another: the object and its content's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The object.
    pub object: ObjectUri,
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970; 0 where the storage has none.
    pub mtime_ns: i64,
    /// ETag of S3 objects, else empty.
    pub etag: String,
}

/// One media.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaRow {
    /// Its id.
    pub id: MediaId,
    /// Its object and identity.
    pub source: Source,
    /// What a probe learned; none before the first attempt.
    pub facts: Option<MediaFacts>,
    /// When it was first met.
    pub created_at: UtcMs,
}

impl Store {
    /// The media with this id.
    pub async fn media(&self, id: &MediaId) -> Result<MediaRow, StoreError> {
        let id = id.clone();
        self.read("read a media", move |connection| media_row(connection, &id))
            .await
    }

    /// Keeps what an attempt learned of a source. Repeating it is harmless; if the process dies before, the next
    /// attempt tells it again.
    pub async fn set_facts(&self, id: &MediaId, facts: &MediaFacts) -> Result<(), StoreError> {
        const SQL: &str = "update media set facts = :facts where id = :id";
        let id = id.clone();
        let facts = serde_json::to_string(facts)?;
        self.write("keep facts", move |connection| {
            let named = named_params! { ":facts": facts, ":id": id.as_str() };
            match connection.prepare_cached(SQL)?.execute(named)? {
                0 => Err(StoreError::not_found("media", id.as_str())),
                _ => Ok(()),
            }
        })
        .await
    }
}

/// The media of `source`, made when it is new.
pub(super) fn media_for(connection: &Connection, source: &Source, now: UtcMs) -> Result<MediaId, StoreError> {
    const FIND: &str = "select id from media where storage = :storage and key = :key and size_bytes = :size \
        and mtime_ns = :mtime and etag = :etag";
    const MAKE: &str = "insert into media (id, storage, key, size_bytes, mtime_ns, etag, created_ms) \
        values (:id, :storage, :key, :size, :mtime, :etag, :now)";
    let size = size_column(source.size_bytes)?;
    let found: Option<String> = connection
        .prepare_cached(FIND)?
        .query_row(
            named_params! {
                ":storage": source.object.storage, ":key": source.object.key, ":size": size,
                ":mtime": source.mtime_ns, ":etag": source.etag,
            },
            |row| row.get(0),
        )
        .optional()?;
    if let Some(id) = found {
        return Ok(id.into());
    }
    let id = MediaId::fresh();
    connection.prepare_cached(MAKE)?.execute(named_params! {
        ":id": id.as_str(), ":storage": source.object.storage, ":key": source.object.key, ":size": size,
        ":mtime": source.mtime_ns, ":etag": source.etag, ":now": now.0,
    })?;
    Ok(id)
}

/// The media with this id.
pub(super) fn media_row(connection: &Connection, id: &MediaId) -> Result<MediaRow, StoreError> {
    const SQL: &str = "select id, storage, key, size_bytes, mtime_ns, etag, facts, created_ms from media where id = ?1";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([id.as_str()])?;
    let row = rows
        .next()?
        .ok_or_else(|| StoreError::not_found("media", id.as_str()))?;
    Ok(MediaRow {
        id: row.text(0)?.into(),
        source: Source {
            object: ObjectUri::new(row.text(1)?, row.text(2)?),
            size_bytes: row.size(3)?,
            mtime_ns: row.get(4)?,
            etag: row.text(5)?,
        },
        facts: row.json(6)?,
        created_at: row.time(7)?,
    })
}

/// A size as SQLite holds it.
pub(super) fn size_column(size_bytes: u64) -> Result<i64, StoreError> {
    i64::try_from(size_bytes).map_err(|_| StoreError::Conflict(format!("a size of {size_bytes} bytes cannot be kept")))
}
