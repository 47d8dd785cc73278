//! Media: every input identity that was ever taken.
//!
//! Guarantees: pages by key, newest first. Deliberately absent: deleting them, which comes with the library.

use super::Conditions;
use super::bytes;
use super::collect;
use super::json_or_none;
use super::only;
use super::plain;
use super::time;
use crate::base::clock::UtcMs;
use crate::base::ids::MediaId;
use crate::media::facts::MediaFacts;
use crate::objects::uri::ObjectUri;
use crate::store::Store;
use crate::store::error::StoreError;
use rusqlite::Row;
use rusqlite::named_params;
use rusqlite::params_from_iter;

/// Which media.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaFilter {
    /// Of this storage.
    pub storage: Option<String>,
    /// Whose key contains this text.
    pub text: Option<String>,
}

/// One media.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaRow {
    /// Id.
    pub id: MediaId,
    /// The object.
    pub object: ObjectUri,
    /// Bytes.
    pub size_bytes: u64,
    /// Facts; none until the first attempt told them.
    pub facts: Option<MediaFacts>,
    /// When it was first taken.
    pub created: UtcMs,
}

const MEDIA: &str = "select id, storage, key, size_bytes, facts, created_ms from media";

fn media_of(row: &Row<'_>) -> Result<MediaRow, StoreError> {
    Ok(MediaRow {
        id: MediaId::from(plain::<String>(row, "id")?),
        object: ObjectUri::new(plain::<String>(row, "storage")?, plain::<String>(row, "key")?),
        size_bytes: bytes(row, "size_bytes")?,
        facts: json_or_none(row, "facts")?,
        created: time(row, "created_ms")?,
    })
}

impl Store {
    /// Up to `limit` media made before the one named `before`, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_media(
        &self,
        filter: MediaFilter,
        before: Option<String>,
        limit: usize,
    ) -> Result<Vec<MediaRow>, StoreError> {
        self.read("list media", move |connection| {
            let mut conditions = Conditions::default();
            conditions.when("storage = ?", filter.storage);
            conditions.when("key like ? escape '\\'", filter.text.as_deref().map(super::containing));
            conditions.when("id < ?", before);
            let sql = format!("{MEDIA}{} order by id desc limit {limit}", conditions.sql);
            let mut statement = connection.prepare_cached(&sql)?;
            collect(statement.query(params_from_iter(conditions.values()))?, media_of)
        })
        .await
    }

    /// One media.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn show_media(&self, id: &MediaId) -> Result<MediaRow, StoreError> {
        let id = id.clone();
        self.read("show a media", move |connection| {
            let mut statement = connection.prepare_cached(&format!("{MEDIA} where id = :id"))?;
            only(
                statement.query(named_params! { ":id": id.as_str() })?,
                media_of,
                "media",
                id.as_str(),
            )
        })
        .await
    }
}
