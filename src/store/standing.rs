//! What the database knows of an object: the media it is, the output it is of.
//!
//! Guarantees: answers for the identity asked about, not for whatever had the key once. Deliberately absent: looking at
//! the storage.

use super::Store;
use super::error::StoreError;
use super::media;
use super::media::MediaRow;
use super::media::Source;
use super::row::Columns;
use crate::base::ids::TaskId;
use crate::objects::uri::ObjectUri;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

/// Whose output stands, or is about to stand, under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// The task that made it.
    pub task: TaskId,
    /// It is being published right now; else it was published there.
    pub reserved: bool,
}

impl Store {
    /// The media that this source is; none: it is none yet.
    ///
    /// # Errors
    /// The database failed.
    pub async fn media_of_source(&self, source: &Source) -> Result<Option<MediaRow>, StoreError> {
        const SQL: &str = "select id from media where storage = :storage and key = :key and size_bytes = :size \
            and mtime_ns = :mtime and etag = :etag";
        let source = source.clone();
        self.read("find a media", move |connection| {
            let named = named_params! {
                ":storage": source.object.storage, ":key": source.object.key,
                ":size": media::size_column(source.size_bytes)?, ":mtime": source.mtime_ns, ":etag": source.etag,
            };
            let id: Option<String> = connection
                .prepare_cached(SQL)?
                .query_row(named, |row| row.get(0))
                .optional()?;
            id.map(|id| media::media_row(connection, &id.into())).transpose()
        })
        .await
    }

    /// The task whose output has this key, or is about to; none: it is nobody's.
    ///
    /// # Errors
    /// The database failed.
    pub async fn maker_of(&self, object: &ObjectUri) -> Result<Option<Maker>, StoreError> {
        const RESERVED: &str = "select o.task_id from publish_intents p join outputs o on o.id = p.output_id \
            where p.storage = :storage and p.key = :key";
        const PUBLISHED: &str = "select o.task_id from output_files f join outputs o on o.id = f.output_id \
            where f.storage = :storage and f.key = :key order by o.id desc limit 1";
        let object = object.clone();
        self.read("find whose output an object is", move |connection| {
            for (sql, reserved) in [(RESERVED, true), (PUBLISHED, false)] {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(named_params! { ":storage": object.storage, ":key": object.key })?;
                if let Some(row) = rows.next()? {
                    return Ok(Some(Maker {
                        task: row.text(0)?.into(),
                        reserved,
                    }));
                }
            }
            Ok(None)
        })
        .await
    }
}
