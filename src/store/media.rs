//! Rows of `media`: input identities and their facts.
//!
//! Guarantees: one row an identity (object, size, time, ETag), whoever asks first; one that was deleted comes back under
//! its old id. Deliberately absent: files and outputs (a media's outputs are those of its tasks), and what people say of
//! a media (`library`).

use super::Store;
use super::error::StoreError;
use super::row::Columns;
use super::search;
use crate::base::clock::UtcMs;
use crate::base::ids::MediaId;
use crate::events::library::MediaType;
use crate::media::facts::MediaFacts;
use crate::media::facts::StreamKind;
use crate::objects::uri::ObjectUri;
use crate::workflow::arrival::Parts;
use crate::workflow::arrival::PartsKind;
use crate::workflow::selector;
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

/// How a media came here first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A trigger saw it.
    Arrival,
    /// It was sent to us.
    Upload,
    /// It was fetched by address.
    Pull,
    /// Somebody named an object that was there.
    Reference,
}

impl Origin {
    /// All of them.
    pub const ALL: [Origin; 4] = [Origin::Arrival, Origin::Upload, Origin::Pull, Origin::Reference];

    /// The word in rows and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Arrival => "arrival",
            Origin::Upload => "upload",
            Origin::Pull => "pull",
            Origin::Reference => "reference",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// How a media stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaState {
    /// It is being looked at.
    Preparing,
    /// Nothing is wrong with it.
    Normal,
    /// It could not be read.
    Failed,
    /// A review said that it must not be shown.
    Blocked,
    /// It is not of the library any more; its row stays for the tasks that name it.
    Deleted,
}

impl MediaState {
    /// All of them.
    pub const ALL: [MediaState; 5] = [
        MediaState::Preparing,
        MediaState::Normal,
        MediaState::Failed,
        MediaState::Blocked,
        MediaState::Deleted,
    ];

    /// The word in rows and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            MediaState::Preparing => "Preparing",
            MediaState::Normal => "Normal",
            MediaState::Failed => "Failed",
            MediaState::Blocked => "Blocked",
            MediaState::Deleted => "Deleted",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
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
    /// What it consists of and what was said of it beside it; none: it is one file, and nothing was.
    pub parts: Option<Parts>,
}

impl Store {
    /// The media with this id.
    pub async fn media(&self, id: &MediaId) -> Result<MediaRow, StoreError> {
        let id = id.clone();
        self.read("read a media", move |connection| media_row(connection, &id))
            .await
    }

    /// Keeps what an attempt learned of a source, and with it what kind of media it is. Repeating it is harmless; if
    /// the process dies before, the next attempt tells it again.
    pub async fn set_facts(&self, id: &MediaId, facts: &MediaFacts) -> Result<(), StoreError> {
        const TYPE: &str = "select media_type from media where id = ?1";
        const SQL: &str = "update media set facts = :facts, media_type = :type where id = :id";
        let id = id.clone();
        let text = serde_json::to_string(facts)?;
        let heard = Heard::of(facts);
        self.write("keep facts", move |connection| {
            let known: Option<String> = connection
                .prepare_cached(TYPE)?
                .query_row([id.as_str()], |row| row.get(0))
                .optional()?;
            let known = known.ok_or_else(|| StoreError::not_found("media", id.as_str()))?;
            let media_type = heard.refine(MediaType::parse(&known));
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":facts": text, ":type": media_type.map_or("", MediaType::as_str), ":id": id.as_str(),
            })?;
            Ok(())
        })
        .await
    }
}

/// What of the facts tells the kind of a media.
#[derive(Debug, Clone, Copy)]
struct Heard {
    still: bool,
    pictures: bool,
    sound: bool,
}

impl Heard {
    fn of(facts: &MediaFacts) -> Self {
        Heard {
            still: facts.is_still(),
            pictures: facts.main_video().is_some(),
            sound: facts
                .streams
                .iter()
                .any(|stream| matches!(stream.kind, StreamKind::Audio(_))),
        }
    }

    /// The kind, where its name says `known`. A GIF or WebP that moves stays the picture that its name says.
    fn refine(self, known: Option<MediaType>) -> Option<MediaType> {
        match known {
            Some(MediaType::Image | MediaType::Text) => known,
            _ if self.still => Some(MediaType::Image),
            _ if self.pictures => Some(MediaType::Video),
            _ if self.sound => Some(MediaType::Audio),
            _ => known,
        }
    }
}

/// What files with these extensions are. What is not here, or has none, is known when somebody looked into it.
const KINDS: [(MediaType, &[&str]); 4] = [
    (
        MediaType::Video,
        &[
            "3gp", "asf", "avi", "dat", "dv", "flv", "f4v", "m2t", "m3u8", "m4v", "mj2", "mjpeg", "mkv", "mov", "mp4",
            "mpd", "mpe", "mpg", "mpeg", "mts", "mxf", "ogv", "qt", "rm", "rmvb", "swf", "ts", "vob", "wmv", "webm",
            "m2ts",
        ],
    ),
    (
        MediaType::Audio,
        &[
            "aac", "ac3", "acm", "aif", "aiff", "amr", "ape", "caf", "eac3", "flac", "m4a", "mka", "mp2", "mp3", "oga",
            "ogg", "opus", "ra", "wav", "wma",
        ],
    ),
    (
        MediaType::Image,
        &[
            "avif", "bmp", "dpx", "exr", "gif", "heic", "heif", "jp2", "jpe", "jpeg", "jpg", "png", "tga", "tif",
            "tiff", "webp",
        ],
    ),
    (
        MediaType::Text,
        &[
            "ass", "dfxp", "itt", "lrc", "sbv", "scc", "smi", "srt", "ssa", "stl", "sub", "ttml", "txt", "vtt", "xml",
        ],
    ),
];

/// What the object's name says it is; none: nothing.
pub fn type_by_name(key: &str) -> Option<MediaType> {
    let extension = selector::extension_of(key)?;
    KINDS
        .iter()
        .find(|(_, extensions)| extensions.contains(&extension.as_str()))
        .map(|(media_type, _)| *media_type)
}

/// A media that was asked for by its source.
pub(super) struct Entered {
    /// Its id.
    pub id: MediaId,
    /// It was not of the library before.
    pub new: bool,
}

/// The media of `source`, made when it is new.
pub(super) fn media_for(
    connection: &Connection,
    source: &Source,
    origin: Origin,
    now: UtcMs,
) -> Result<MediaId, StoreError> {
    Ok(enter(connection, source, origin, type_by_name(&source.object.key), now)?.id)
}

/// The media of `source`, made when it is new, and taken back into the library when it was deleted. Its title is its
/// file name until somebody says better; the search finds it from now on (`search`).
pub(super) fn enter(
    connection: &Connection,
    source: &Source,
    origin: Origin,
    media_type: Option<MediaType>,
    now: UtcMs,
) -> Result<Entered, StoreError> {
    const FIND: &str = "select id, state from media where storage = :storage and key = :key and size_bytes = :size \
        and mtime_ns = :mtime and etag = :etag";
    const MAKE: &str = "insert into media (id, storage, key, size_bytes, mtime_ns, etag, created_ms, modified_ms, origin, \
        media_type, title) values (:id, :storage, :key, :size, :mtime, :etag, :now, :now, :origin, :type, :title)";
    const BACK: &str = "update media set state = 'Normal', modified_ms = :now, origin = :origin, title = :title \
        where id = :id";
    let size = size_column(source.size_bytes)?;
    let found = connection
        .prepare_cached(FIND)?
        .query_row(
            named_params! {
                ":storage": source.object.storage, ":key": source.object.key, ":size": size,
                ":mtime": source.mtime_ns, ":etag": source.etag,
            },
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
        )
        .optional()?;
    if let Some((id, state)) = found {
        let new = state == MediaState::Deleted.as_str();
        if new {
            connection.prepare_cached(BACK)?.execute(named_params! {
                ":now": now.0, ":origin": origin.as_str(), ":title": source.object.file_name(), ":id": id,
            })?;
            let id = MediaId::from(id.as_str());
            search::renew_media(connection, &id)?;
        }
        return Ok(Entered { id: id.into(), new });
    }
    let id = MediaId::fresh();
    connection.prepare_cached(MAKE)?.execute(named_params! {
        ":id": id.as_str(), ":storage": source.object.storage, ":key": source.object.key, ":size": size,
        ":mtime": source.mtime_ns, ":etag": source.etag, ":now": now.0, ":origin": origin.as_str(),
        ":type": media_type.map_or("", MediaType::as_str), ":title": source.object.file_name(),
    })?;
    Ok(Entered { id, new: true })
}

/// Keeps what the media of `source` consists of, in the caller's transaction. Pictures that are a film are one.
pub(super) fn keep_parts(connection: &Connection, source: &Source, parts: &str) -> Result<(), StoreError> {
    const SQL: &str = "update media set parts = :parts, media_type = coalesce(:type, media_type) where storage = :storage and key = :key and size_bytes = :size \
        and mtime_ns = :mtime and etag = :etag";
    let is_film = serde_json::from_str::<Parts>(parts)?.kind == PartsKind::Sequence;
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":parts": parts, ":type": is_film.then_some(MediaType::Video.as_str()), ":storage": source.object.storage, ":key": source.object.key,
        ":size": size_column(source.size_bytes)?, ":mtime": source.mtime_ns, ":etag": source.etag,
    })?;
    Ok(())
}

/// The media with this id.
pub(super) fn media_row(connection: &Connection, id: &MediaId) -> Result<MediaRow, StoreError> {
    const SQL: &str = "select id, storage, key, size_bytes, mtime_ns, etag, facts, created_ms, parts from media \
        where id = ?1";
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
        parts: row.json(8)?,
    })
}

/// A size as SQLite holds it.
pub(super) fn size_column(size_bytes: u64) -> Result<i64, StoreError> {
    i64::try_from(size_bytes).map_err(|_| StoreError::Conflict(format!("a size of {size_bytes} bytes cannot be kept")))
}
