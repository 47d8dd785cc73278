//! Rows of `additions`: files that were added to a media, attachments and renditions made elsewhere.
//!
//! Guarantees: an object is added to a media once; adding it again says anew what it is. Deliberately absent: the
//! files themselves, and the events of files that come in (`admission`).

use crate::base::clock::UtcMs;
use crate::base::ids::AdditionId;
use crate::base::ids::MediaId;
use crate::events::library::MediaType;
use crate::events::library::Role;
use crate::objects::uri::ObjectUri;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::media::Source;
use crate::store::media::size_column;
use crate::store::row::Columns;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

/// One addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdditionRow {
    /// Id.
    pub id: AdditionId,
    /// The media that it was added to.
    pub media: MediaId,
    /// Attachment or rendition.
    pub role: Role,
    /// What it is.
    pub media_type: MediaType,
    /// `subtitle`, `watermark`, `image`, `other`; or the name of a rendition.
    pub kind: String,
    /// Where it stands.
    pub object: ObjectUri,
    /// Bytes.
    pub size_bytes: u64,
    /// Its title; may be empty.
    pub title: String,
    /// BCP 47.
    pub language: Option<String>,
    /// The caller's JSON text.
    pub user_data: Option<String>,
    /// When it was added.
    pub created_at: UtcMs,
    /// Its modification time then, nanoseconds since 1970; none: not noted.
    pub mtime_ns: Option<i64>,
    /// Its ETag then; none or empty: it has none.
    pub etag: Option<String>,
}

/// An addition to enter.
pub(in crate::store) struct NewAddition<'a> {
    pub media: &'a MediaId,
    pub role: Role,
    pub media_type: MediaType,
    pub kind: &'a str,
    pub source: &'a Source,
    pub title: &'a str,
    pub language: Option<&'a str>,
    pub user_data: Option<&'a str>,
}

/// The most of one role that a media may have.
pub const MOST: i64 = 500;

const COLUMNS: &str = "select id, media_id, role, media_type, kind, storage, key, size_bytes, title, language, user_data, \
    created_ms, mtime_ns, etag from additions";

impl Store {
    /// What was added to a media, oldest first; of one role, or of both.
    ///
    /// # Errors
    /// The database failed.
    pub async fn additions(&self, media: &MediaId, role: Option<Role>) -> Result<Vec<AdditionRow>, StoreError> {
        let media = media.clone();
        self.read("list additions", move |connection| of_media(connection, &media, role))
            .await
    }

    /// One addition of a media.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn addition(&self, media: &MediaId, role: Role, id: &AdditionId) -> Result<AdditionRow, StoreError> {
        let (media, id) = (media.clone(), id.clone());
        self.read("show an addition", move |connection| {
            find(connection, &media, role, &id)
        })
        .await
    }

    /// Takes an addition from its media; its file stays. Answers what it was.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn drop_addition(&self, media: &MediaId, role: Role, id: &AdditionId) -> Result<AdditionRow, StoreError> {
        let (media, id) = (media.clone(), id.clone());
        self.write("take an addition away", move |connection| {
            let found = find(connection, &media, role, &id)?;
            connection
                .prepare_cached("delete from additions where id = ?1")?
                .execute([id.as_str()])?;
            Ok(found)
        })
        .await
    }
}

/// What was added to a media, oldest first.
pub(in crate::store) fn of_media(
    connection: &Connection,
    media: &MediaId,
    role: Option<Role>,
) -> Result<Vec<AdditionRow>, StoreError> {
    let sql = format!("{COLUMNS} where media_id = ?1 order by id");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([media.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let addition = read(row)?;
        if role.is_none_or(|role| role == addition.role) {
            found.push(addition);
        }
    }
    Ok(found)
}

fn find(connection: &Connection, media: &MediaId, role: Role, id: &AdditionId) -> Result<AdditionRow, StoreError> {
    let sql = format!("{COLUMNS} where id = :id and media_id = :media and role = :role");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(named_params! {
        ":id": id.as_str(), ":media": media.as_str(), ":role": role.as_str(),
    })?;
    match rows.next()? {
        Some(row) => read(row),
        None => Err(StoreError::not_found(role.as_str(), id.as_str())),
    }
}

/// Adds an object to a media of the library; one that was added before keeps its id.
///
/// # Errors
/// `NotFound` for the media; `Conflict` when it has as many as it may.
pub(in crate::store) fn enter(
    connection: &Connection,
    new: &NewAddition<'_>,
    now: UtcMs,
) -> Result<AdditionId, StoreError> {
    const MEDIA: &str = "select 1 from media where id = ?1 and state <> 'Deleted'";
    const COUNT: &str = "select count(*) from additions where media_id = ?1";
    const KNOWN: &str = "select id from additions where media_id = :media and storage = :storage and key = :key";
    const PUT: &str = "insert into additions (id, media_id, role, media_type, kind, storage, key, size_bytes, title, \
        language, user_data, created_ms, mtime_ns, etag) values (:id, :media, :role, :type, :kind, :storage, :key, \
        :size, :title, :language, :user_data, :now, :mtime, :etag) on conflict (id) do update set role = excluded.role, \
        media_type = excluded.media_type, kind = excluded.kind, size_bytes = excluded.size_bytes, \
        title = excluded.title, language = excluded.language, user_data = excluded.user_data, \
        mtime_ns = excluded.mtime_ns, etag = excluded.etag";
    let object = &new.source.object;
    if !connection.prepare_cached(MEDIA)?.exists([new.media.as_str()])? {
        return Err(StoreError::not_found("media", new.media.as_str()));
    }
    let known: Option<String> = connection
        .prepare_cached(KNOWN)?
        .query_row(
            named_params! { ":media": new.media.as_str(), ":storage": object.storage, ":key": object.key },
            |row| row.get(0),
        )
        .optional()?;
    let count: i64 = connection
        .prepare_cached(COUNT)?
        .query_row([new.media.as_str()], |row| row.get(0))?;
    if known.is_none() && count >= MOST {
        return Err(StoreError::Conflict(format!("the media has {count} additions already")));
    }
    let id = known.map_or_else(AdditionId::fresh, AdditionId::from);
    connection.prepare_cached(PUT)?.execute(named_params! {
        ":id": id.as_str(), ":media": new.media.as_str(), ":role": new.role.as_str(),
        ":type": new.media_type.as_str(), ":kind": new.kind, ":storage": object.storage, ":key": object.key,
        ":size": size_column(new.source.size_bytes)?, ":title": new.title, ":language": new.language,
        ":user_data": new.user_data, ":now": now.0, ":mtime": new.source.mtime_ns, ":etag": new.source.etag,
    })?;
    Ok(id)
}

fn read(row: &Row<'_>) -> Result<AdditionRow, StoreError> {
    Ok(AdditionRow {
        id: row.text(0)?.into(),
        media: row.text(1)?.into(),
        role: row.word(2, Role::parse)?,
        media_type: row.word(3, MediaType::parse)?,
        kind: row.text(4)?,
        object: ObjectUri::new(row.text(5)?, row.text(6)?),
        size_bytes: row.size(7)?,
        title: row.text(8)?,
        language: row.get(9)?,
        user_data: row.get(10)?,
        created_at: row.time(11)?,
        mtime_ns: row.get(12)?,
        etag: row.get(13)?,
    })
}
