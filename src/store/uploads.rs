//! Rows of `uploads`: files that are being sent to us, piece by piece.
//!
//! Guarantees: `received_bytes` is what was durable when it was written; once whole, an upload ends in one transaction
//! with what becomes of it and its events, or with its failure and that event. Deliberately absent: the pieces
//! (`objects::incoming`), and when an upload has waited long enough (its row says it).

use super::Store;
use super::admission;
use super::admission::Admitted;
use super::admission::Landed;
use super::admission::Wanted;
use super::error::StoreError;
use super::idempotency;
use super::idempotency::Once;
use super::idempotency::OnceKey;
use super::media::Origin;
use super::media::Source;
use super::media::size_column;
use super::row::Columns;
use super::row::serde_word;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::UploadId;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::OnConflict;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::named_params;

/// Where an upload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadState {
    /// More of it may come.
    Open,
    /// Whole, and being put under its name.
    Finishing,
    /// It stands under its name.
    Done,
    /// It could not be kept.
    Failed,
    /// Whoever sent it does not want it any more.
    Canceled,
}

impl UploadState {
    /// All of them.
    pub const ALL: [UploadState; 5] = [
        UploadState::Open,
        UploadState::Finishing,
        UploadState::Done,
        UploadState::Failed,
        UploadState::Canceled,
    ];

    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            UploadState::Open => "open",
            UploadState::Finishing => "finishing",
            UploadState::Done => "done",
            UploadState::Failed => "failed",
            UploadState::Canceled => "canceled",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// One upload.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadRow {
    /// Its id.
    pub id: UploadId,
    /// Where it will stand, or stands.
    pub object: ObjectUri,
    /// What to do when something stands there.
    pub on_conflict: OnConflict,
    /// Bytes of the whole; none: not said yet.
    pub size_bytes: Option<u64>,
    /// Bytes that came and are durable.
    pub received_bytes: u64,
    /// Where it stands.
    pub state: UploadState,
    /// What the whole must come to, `sha256:HEX` or `md5:HEX`.
    pub digest: Option<String>,
    /// Its modification time, once its final key is chosen; 0 where the storage tells it later.
    pub mtime_ns: Option<i64>,
    /// What the storage remembers of its parts, where it goes to a bucket.
    pub pieces: Option<String>,
    /// As a tus client sent it.
    pub metadata: Option<String>,
    /// What becomes of it.
    pub wanted: Wanted,
    /// What became of it.
    pub became: Option<Admitted>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// Who began it.
    pub who: String,
    /// When it was begun.
    pub created_at: UtcMs,
    /// When it is dropped unless more of it comes.
    pub expires_at: UtcMs,
    /// When it ended.
    pub ended_at: Option<UtcMs>,
}

/// An upload to begin.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// A fresh id, under which its pieces lie already.
    pub id: UploadId,
    /// Where it will stand.
    pub object: ObjectUri,
    /// What to do when something stands there.
    pub on_conflict: OnConflict,
    /// Bytes of the whole; none: not said yet.
    pub size_bytes: Option<u64>,
    /// What the whole must come to.
    pub digest: Option<String>,
    /// As a tus client sent it.
    pub metadata: Option<String>,
    /// What becomes of it.
    pub wanted: Wanted,
    /// Who begins it.
    pub who: String,
    /// When it is dropped unless more of it comes.
    pub expires_at: UtcMs,
    /// The key of the call.
    pub once: Option<OnceKey>,
}

/// Which uploads a list shows.
#[derive(Debug, Clone, Default)]
pub struct UploadFilter {
    /// Only those that stand there.
    pub state: Option<UploadState>,
    /// Only those into this storage.
    pub storage: Option<String>,
}

const COLUMNS: &str = "id, storage, key, on_conflict, size_bytes, received_bytes, state, digest, mtime_ns, metadata, \
    wanted, result, fault, who, created_ms, expires_ms, ended_ms, pieces";

impl Store {
    /// Begins an upload, or finds the one that an earlier call with the same key began. If the
    /// process dies before the answer, its pieces are swept.
    pub async fn make_upload(&self, new: NewUpload, now: UtcMs) -> Result<Once<UploadRow>, StoreError> {
        const SQL: &str = "insert into uploads (id, storage, key, on_conflict, size_bytes, state, digest, metadata, \
            wanted, who, created_ms, expires_ms) values (:id, :storage, :key, :conflict, :size, 'open', :digest, \
            :metadata, :wanted, :who, :now, :expires)";
        self.write("begin an upload", move |connection| {
            let made = idempotency::once(connection, new.once.as_ref(), now, || {
                connection.prepare_cached(SQL)?.execute(named_params! {
                    ":id": new.id.as_str(), ":storage": new.object.storage, ":key": new.object.key,
                    ":conflict": conflict_word(new.on_conflict), ":size": size_or_null(new.size_bytes)?,
                    ":digest": new.digest, ":metadata": new.metadata, ":wanted": serde_json::to_string(&new.wanted)?,
                    ":who": new.who, ":now": now.0, ":expires": new.expires_at.0,
                })?;
                Ok(new.id.as_str().to_owned())
            })?;
            let row = |id: String| upload_row(connection, &UploadId::from(id));
            Ok(match made {
                Once::New(id) => Once::New(row(id)?),
                Once::Again(id) => Once::Again(row(id)?),
                Once::Reused => Once::Reused,
            })
        })
        .await
    }

    /// The upload with this id.
    pub async fn upload(&self, id: &UploadId) -> Result<UploadRow, StoreError> {
        let id = id.clone();
        self.read("read an upload", move |connection| upload_row(connection, &id))
            .await
    }

    /// Uploads, newest first, from the one after `after` on.
    pub async fn uploads(
        &self,
        filter: UploadFilter,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<UploadRow>, StoreError> {
        self.read("list uploads", move |connection| {
            let sql = format!(
                "select {COLUMNS} from uploads where (:state is null or state = :state) \
                 and (:storage is null or storage = :storage) and (:after is null or id < :after) \
                 order by id desc limit :limit"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! {
                ":state": filter.state.map(UploadState::as_str), ":storage": filter.storage, ":after": after,
                ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
            })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(upload_of(row)?);
            }
            Ok(found)
        })
        .await
    }

    /// Keeps how much of an open upload is durable and in which `pieces`, and its size where that is known by now; it may
    /// wait until `expires_at` for more. If the process dies before, the sender is told less and sends it again.
    pub async fn upload_received(
        &self,
        id: &UploadId,
        received_bytes: u64,
        pieces: Option<String>,
        size_bytes: Option<u64>,
        expires_at: UtcMs,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update uploads set received_bytes = :received, pieces = :pieces, \
            size_bytes = coalesce(size_bytes, :size), expires_ms = :expires where id = :id and state = 'open'";
        let id = id.clone();
        self.write("keep an offset", move |connection| {
            let changed = connection.prepare_cached(SQL)?.execute(named_params! {
                ":received": size_column(received_bytes)?, ":pieces": pieces, ":size": size_or_null(size_bytes)?,
                ":expires": expires_at.0, ":id": id.as_str(),
            })?;
            must_change(connection, &id, changed)
        })
        .await
    }

    /// An open upload is whole. Whoever finishes uploads goes on with it, after a restart too.
    pub async fn upload_whole(&self, id: &UploadId) -> Result<(), StoreError> {
        const SQL: &str = "update uploads set state = 'finishing' \
            where id = :id and state = 'open' and received_bytes = size_bytes";
        let id = id.clone();
        self.write("finish an upload", move |connection| {
            let changed = connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":id": id.as_str() })?;
            must_change(connection, &id, changed)
        })
        .await
    }

    /// Uploads that are whole and have no name yet, oldest first.
    pub async fn finishing_uploads(&self) -> Result<Vec<UploadRow>, StoreError> {
        let sql = format!("select {COLUMNS} from uploads where state = 'finishing' order by id");
        self.read("look for whole uploads", move |connection| all(connection, &sql, []))
            .await
    }

    /// Chooses the final key of an upload that is being finished, before it is renamed to it.
    pub async fn plan_upload(&self, id: &UploadId, key: &str, mtime_ns: i64) -> Result<(), StoreError> {
        const SQL: &str = "update uploads set key = :key, mtime_ns = :mtime where id = :id and state = 'finishing'";
        let (id, key) = (id.clone(), key.to_owned());
        self.write("choose a key", move |connection| {
            let named = named_params! { ":key": key, ":mtime": mtime_ns, ":id": id.as_str() };
            let changed = connection.prepare_cached(SQL)?.execute(named)?;
            must_change(connection, &id, changed)
        })
        .await
    }

    /// An upload stands under its name: makes of it what is wanted, with its events. If the process dies before, it is
    /// found there and this is done then.
    pub async fn end_upload(&self, id: &UploadId, source: Source, now: UtcMs) -> Result<Admitted, StoreError> {
        const SQL: &str = "update uploads set state = 'done', media_id = :media, result = :result, fault = null, \
            pieces = null, ended_ms = :now where id = :id";
        let id = id.clone();
        self.write("admit an upload", move |connection| {
            let row = upload_row(connection, &id)?;
            if row.state != UploadState::Finishing {
                return Err(not_so(&row));
            }
            let landed = Landed {
                source: &source,
                origin: Origin::Upload,
                media_type: admission::media_type_of(&source.object.key),
                pulled: None,
            };
            let became = admission::admit(connection, &row.wanted, &landed, now)?;
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":media": became.media.as_str(), ":result": serde_json::to_string(&became)?, ":now": now.0,
                ":id": id.as_str(),
            })?;
            Ok(became)
        })
        .await
    }

    /// An upload cannot be kept, or was not wanted long enough: ends it with the event that says so.
    pub async fn fail_upload(&self, id: &UploadId, fault: &Fault, now: UtcMs) -> Result<(), StoreError> {
        const SQL: &str = "update uploads set state = 'failed', fault = :fault, pieces = null, ended_ms = :now \
            where id = :id";
        let (id, fault) = (id.clone(), fault.clone());
        self.write("fail an upload", move |connection| {
            let row = upload_row(connection, &id)?;
            if !matches!(row.state, UploadState::Open | UploadState::Finishing) {
                return Err(not_so(&row));
            }
            let media_type = admission::media_type_of(&row.object.key);
            admission::refuse(connection, &row.wanted, None, media_type, &fault, now)?;
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":fault": serde_json::to_string(&fault)?, ":now": now.0, ":id": id.as_str(),
            })?;
            Ok(())
        })
        .await
    }

    /// Ends an open upload that its sender does not want any more. Its pieces may be removed afterwards.
    pub async fn cancel_upload(&self, id: &UploadId, now: UtcMs) -> Result<(), StoreError> {
        const SQL: &str = "update uploads set state = 'canceled', pieces = null, ended_ms = :now \
            where id = :id and state = 'open'";
        let id = id.clone();
        self.write("cancel an upload", move |connection| {
            let named = named_params! { ":now": now.0, ":id": id.as_str() };
            let changed = connection.prepare_cached(SQL)?.execute(named)?;
            must_change(connection, &id, changed)
        })
        .await
    }

    /// Open uploads that waited too long for more.
    pub async fn expired_uploads(&self, now: UtcMs) -> Result<Vec<UploadRow>, StoreError> {
        let sql = format!("select {COLUMNS} from uploads where state = 'open' and expires_ms <= ?1 order by id");
        self.read("look for expired uploads", move |connection| {
            all(connection, &sql, [now.0])
        })
        .await
    }

    /// When the next open upload expires.
    pub async fn next_upload_expiry(&self) -> Result<Option<UtcMs>, StoreError> {
        const SQL: &str = "select min(expires_ms) from uploads where state = 'open'";
        self.read("look for the next expiry", |connection| {
            let next: Option<i64> = connection.prepare_cached(SQL)?.query_row([], |row| row.get(0))?;
            Ok(next.map(UtcMs))
        })
        .await
    }

    /// Ids of uploads and pulls whose pieces are still wanted; those of pulls that failed since `pulls_since` are, since
    /// a retry goes on with them.
    pub async fn wanted_pieces(&self, pulls_since: UtcMs) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "select id from uploads where state in ('open', 'finishing') \
            union all select id from pulls where state in ('waiting', 'fetching') \
            union all select id from pulls where state = 'failed' and ended_ms > ?1";
        self.read("look for wanted pieces", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let ids = statement.query_map([pulls_since.0], |row| row.get(0))?;
            Ok(ids.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// The upload with this id.
fn upload_row(connection: &Connection, id: &UploadId) -> Result<UploadRow, StoreError> {
    let sql = format!("select {COLUMNS} from uploads where id = ?1");
    let found = all(connection, &sql, [id.as_str()])?;
    found
        .into_iter()
        .next()
        .ok_or_else(|| StoreError::not_found("upload", id.as_str()))
}

fn all(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<Vec<UploadRow>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(upload_of(row)?);
    }
    Ok(found)
}

fn upload_of(row: &Row<'_>) -> Result<UploadRow, StoreError> {
    Ok(UploadRow {
        id: row.text(0)?.into(),
        object: ObjectUri::new(row.text(1)?, row.text(2)?),
        on_conflict: row.word(3, serde_word)?,
        size_bytes: maybe_size(row, 4)?,
        received_bytes: row.size(5)?,
        state: row.word(6, UploadState::parse)?,
        digest: row.get(7)?,
        mtime_ns: row.get(8)?,
        metadata: row.get(9)?,
        wanted: row.whole(10)?,
        became: row.json(11)?,
        fault: row.json(12)?,
        who: row.text(13)?,
        created_at: row.time(14)?,
        expires_at: row.time(15)?,
        ended_at: row.maybe_time(16)?,
        pieces: row.get(17)?,
    })
}

/// A size that may be null.
pub(super) fn maybe_size(row: &Row<'_>, at: usize) -> Result<Option<u64>, StoreError> {
    let size: Option<i64> = row.get(at)?;
    size.map(|size| u64::try_from(size).map_err(|_| StoreError::unreadable(format!("column {at} is a size of {size}"))))
        .transpose()
}

/// A size that may be null, as SQLite holds it.
pub(super) fn size_or_null(size_bytes: Option<u64>) -> Result<Option<i64>, StoreError> {
    size_bytes.map(size_column).transpose()
}

/// The word of a rule in rows.
pub(super) fn conflict_word(rule: OnConflict) -> &'static str {
    match rule {
        OnConflict::Fail => "fail",
        OnConflict::Overwrite => "overwrite",
        OnConflict::Version => "version",
    }
}

/// A change that changed nothing: there is no such upload, or it is not in the state for it.
fn must_change(connection: &Connection, id: &UploadId, changed: usize) -> Result<(), StoreError> {
    match changed {
        0 => Err(not_so(&upload_row(connection, id)?)),
        _ => Ok(()),
    }
}

fn not_so(row: &UploadRow) -> StoreError {
    StoreError::Conflict(format!("upload {} is {}", row.id, row.state.as_str()))
}
