//! Rows of `pulls`: files that are fetched by address.
//!
//! Guarantees: a pull that was asked for ends with its file admitted, or with the event that says why not, in one
//! transaction with the row; what came of it survives a restart. Deliberately absent: fetching, when to try again,
//! and reading the sealed request.

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
use super::uploads::conflict_word;
use super::uploads::maybe_size;
use super::uploads::size_or_null;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::events::library::Pulled;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::OnConflict;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::named_params;
use serde::Deserialize;
use serde::Serialize;

/// Where a pull stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    /// For its turn, or for its next try.
    Waiting,
    /// It is being fetched, or put under its name.
    Fetching,
    /// It stands under its name.
    Done,
    /// It could not be had.
    Failed,
    /// Nobody wants it any more.
    Canceled,
}

impl PullState {
    /// All of them.
    pub const ALL: [PullState; 5] = [
        PullState::Waiting,
        PullState::Fetching,
        PullState::Done,
        PullState::Failed,
        PullState::Canceled,
    ];

    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            PullState::Waiting => "waiting",
            PullState::Fetching => "fetching",
            PullState::Done => "done",
            PullState::Failed => "failed",
            PullState::Canceled => "canceled",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// What is asked of the server; may hold secrets, so it is kept sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The whole address.
    pub url: String,
    /// Headers to send along.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Request")
    }
}

/// What a request is sealed for.
pub fn seal_purpose(id: &JobId) -> String {
    format!("pull:{id}")
}

/// One pull.
#[derive(Debug, Clone, PartialEq)]
pub struct PullRow {
    /// Its id.
    pub id: JobId,
    /// The address as it may be shown.
    pub url: String,
    /// JSON of [`Request`], sealed.
    pub request: String,
    /// Where it will stand, or stands.
    pub object: ObjectUri,
    /// What to do when something stands there.
    pub on_conflict: OnConflict,
    /// Where it stands.
    pub state: PullState,
    /// Tries that failed since it last went on.
    pub tries: u32,
    /// Earliest next try.
    pub next_at: UtcMs,
    /// Bytes that came and are durable.
    pub received_bytes: u64,
    /// Bytes of the whole, as the server said.
    pub size_bytes: Option<u64>,
    /// What the bytes that came belong to.
    pub validator: Option<String>,
    /// What the whole must come to, `sha256:HEX` or `md5:HEX`.
    pub digest: Option<String>,
    /// Its modification time, once its final key is chosen; 0 where the storage tells it later.
    pub mtime_ns: Option<i64>,
    /// What the storage remembers of its parts, where it goes to a bucket.
    pub pieces: Option<String>,
    /// What becomes of it.
    pub wanted: Wanted,
    /// What became of it.
    pub became: Option<Admitted>,
    /// Why it, or its last try, failed.
    pub fault: Option<Fault>,
    /// Who asked for it.
    pub who: String,
    /// When it was asked for.
    pub created_at: UtcMs,
    /// When it ended.
    pub ended_at: Option<UtcMs>,
}

impl PullRow {
    /// What its events say of the fetching.
    fn pulled(&self) -> Pulled {
        Pulled {
            job: self.id.clone(),
            url: self.url.clone(),
        }
    }
}

/// A pull to make.
#[derive(Debug, Clone)]
pub struct NewPull {
    /// A fresh id, for which its request is sealed.
    pub id: JobId,
    /// The address as it may be shown.
    pub url: String,
    /// JSON of [`Request`], sealed.
    pub request: String,
    /// Where it will stand.
    pub object: ObjectUri,
    /// What to do when something stands there.
    pub on_conflict: OnConflict,
    /// What the whole must come to.
    pub digest: Option<String>,
    /// What becomes of it.
    pub wanted: Wanted,
    /// Who asks for it.
    pub who: String,
    /// The key of the call.
    pub once: Option<OnceKey>,
}

/// What came of a pull so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Bytes that are durable.
    pub received_bytes: u64,
    /// Bytes of the whole, as the server says.
    pub size_bytes: Option<u64>,
    /// What they belong to.
    pub validator: Option<String>,
    /// In which parts they are, where they go to a bucket.
    pub pieces: Option<String>,
}

const COLUMNS: &str = "id, url, request, storage, key, on_conflict, state, tries, next_ms, received_bytes, size_bytes, \
    validator, digest, mtime_ns, wanted, result, fault, who, created_ms, ended_ms, pieces";

impl Store {
    /// Makes a pull that is due at once, or finds the one that an earlier call with the same key made; says whether it
    /// is new.
    pub async fn make_pull(&self, new: NewPull, now: UtcMs) -> Result<Once<PullRow>, StoreError> {
        const SQL: &str = "insert into pulls (id, url, request, storage, key, on_conflict, state, next_ms, digest, \
            wanted, who, created_ms) values (:id, :url, :request, :storage, :key, :conflict, 'waiting', :now, :digest, \
            :wanted, :who, :now)";
        self.write("make a pull", move |connection| {
            let made = idempotency::once(connection, new.once.as_ref(), now, || {
                connection.prepare_cached(SQL)?.execute(named_params! {
                    ":id": new.id.as_str(), ":url": new.url, ":request": new.request, ":storage": new.object.storage,
                    ":key": new.object.key, ":conflict": conflict_word(new.on_conflict), ":now": now.0,
                    ":digest": new.digest, ":wanted": serde_json::to_string(&new.wanted)?, ":who": new.who,
                })?;
                Ok(new.id.as_str().to_owned())
            })?;
            let row = |id: String| pull_row(connection, &JobId::from(id));
            Ok(match made {
                Once::New(id) => Once::New(row(id)?),
                Once::Again(id) => Once::Again(row(id)?),
                Once::Reused => Once::Reused,
            })
        })
        .await
    }

    /// The pull with this id.
    pub async fn pull(&self, id: &JobId) -> Result<PullRow, StoreError> {
        let id = id.clone();
        self.read("read a pull", move |connection| pull_row(connection, &id))
            .await
    }

    /// Pulls, newest first, from the one after `after` on.
    pub async fn pulls(
        &self,
        state: Option<PullState>,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<PullRow>, StoreError> {
        let sql = format!(
            "select {COLUMNS} from pulls where (:state is null or state = :state) \
             and (:after is null or id < :after) order by id desc limit :limit"
        );
        self.read("list pulls", move |connection| {
            all(
                connection,
                &sql,
                named_params! {
                    ":state": state.map(PullState::as_str), ":after": after,
                    ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
                },
            )
        })
        .await
    }

    /// Gives back what a daemon that died was fetching: due at once.
    pub async fn requeue_pulls(&self, now: UtcMs) -> Result<usize, StoreError> {
        const SQL: &str = "update pulls set state = 'waiting', next_ms = :now where state = 'fetching'";
        self.write("give pulls back", move |connection| {
            Ok(connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":now": now.0 })?)
        })
        .await
    }

    /// Takes up to `limit` pulls that are due, longest due first: they are being fetched from now on.
    pub async fn take_pulls(&self, now: UtcMs, limit: usize) -> Result<Vec<PullRow>, StoreError> {
        const TAKE: &str = "update pulls set state = 'fetching' where id = ?1";
        let sql = format!(
            "select {COLUMNS} from pulls where state = 'waiting' and next_ms <= :now order by next_ms, id limit :limit"
        );
        self.write("take pulls", move |connection| {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut due = all(connection, &sql, named_params! { ":now": now.0, ":limit": limit })?;
            for pull in &mut due {
                connection.prepare_cached(TAKE)?.execute([pull.id.as_str()])?;
                pull.state = PullState::Fetching;
            }
            Ok(due)
        })
        .await
    }

    /// When the next pull is due.
    pub async fn next_pull_at(&self) -> Result<Option<UtcMs>, StoreError> {
        const SQL: &str = "select min(next_ms) from pulls where state = 'waiting'";
        self.read("look for the next pull", |connection| {
            let next: Option<i64> = connection.prepare_cached(SQL)?.query_row([], |row| row.get(0))?;
            Ok(next.map(UtcMs))
        })
        .await
    }

    /// Of these pulls, those that are not being fetched any more: somebody ended them.
    pub async fn pulls_ended(&self, ids: Vec<JobId>) -> Result<Vec<JobId>, StoreError> {
        const SQL: &str = "select state = 'fetching' from pulls where id = ?1";
        self.read("look for ended pulls", move |connection| {
            let mut ended = Vec::new();
            for id in ids {
                let fetching: Option<bool> = rusqlite::OptionalExtension::optional(
                    connection
                        .prepare_cached(SQL)?
                        .query_row([id.as_str()], |row| row.get(0)),
                )?;
                if fetching != Some(true) {
                    ended.push(id);
                }
            }
            Ok(ended)
        })
        .await
    }

    /// Keeps what came of a pull so far. If the process dies before, less of it is known, and fetched again.
    ///
    /// # Errors
    /// `Conflict` when somebody ended it.
    pub async fn pull_received(&self, id: &JobId, fetched: Fetched) -> Result<(), StoreError> {
        const SQL: &str = "update pulls set received_bytes = :received, size_bytes = :size, validator = :validator, \
            pieces = :pieces where id = :id and state = 'fetching'";
        let id = id.clone();
        self.write("keep what came", move |connection| {
            let changed = connection.prepare_cached(SQL)?.execute(named_params! {
                ":received": size_column(fetched.received_bytes)?, ":size": size_or_null(fetched.size_bytes)?,
                ":validator": fetched.validator, ":pieces": fetched.pieces, ":id": id.as_str(),
            })?;
            must_change(connection, &id, changed)
        })
        .await
    }

    /// Lets a pull wait for another try, or, without a fault, for its next turn.
    pub async fn delay_pull(
        &self,
        id: &JobId,
        tries: u32,
        next_at: UtcMs,
        fault: Option<&Fault>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update pulls set state = 'waiting', tries = :tries, next_ms = :next, \
            fault = coalesce(:fault, fault) where id = :id and state = 'fetching'";
        let (id, fault) = (id.clone(), fault.map(serde_json::to_string).transpose()?);
        self.write("delay a pull", move |connection| {
            let named = named_params! { ":tries": tries, ":next": next_at.0, ":fault": fault, ":id": id.as_str() };
            let changed = connection.prepare_cached(SQL)?.execute(named)?;
            must_change(connection, &id, changed)
        })
        .await
    }

    /// Chooses the final key of a whole pull, before it is renamed to it. From then on it cannot be cancelled.
    pub async fn plan_pull(&self, id: &JobId, key: &str, mtime_ns: i64) -> Result<(), StoreError> {
        const SQL: &str = "update pulls set key = :key, mtime_ns = :mtime where id = :id and state = 'fetching'";
        let (id, key) = (id.clone(), key.to_owned());
        self.write("choose a key", move |connection| {
            let named = named_params! { ":key": key, ":mtime": mtime_ns, ":id": id.as_str() };
            let changed = connection.prepare_cached(SQL)?.execute(named)?;
            must_change(connection, &id, changed)
        })
        .await
    }

    /// A pull stands under its name: makes of it what is wanted, with its events. If the process dies before, it is
    /// found there and this is done then.
    pub async fn end_pull(&self, id: &JobId, source: Source, now: UtcMs) -> Result<Admitted, StoreError> {
        const SQL: &str = "update pulls set state = 'done', media_id = :media, result = :result, fault = null, \
            pieces = null, ended_ms = :now where id = :id";
        let id = id.clone();
        self.write("admit a pull", move |connection| {
            let row = pull_row(connection, &id)?;
            if row.state != PullState::Fetching {
                return Err(not_so(&row));
            }
            let landed = Landed {
                source: &source,
                origin: Origin::Pull,
                media_type: admission::media_type_of(&source.object.key),
                pulled: Some(&row.pulled()),
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

    /// A pull failed for good: ends it with the event that says so.
    pub async fn fail_pull(&self, id: &JobId, fault: &Fault, now: UtcMs) -> Result<(), StoreError> {
        let (id, fault) = (id.clone(), fault.clone());
        self.write("fail a pull", move |connection| {
            let row = pull_row(connection, &id)?;
            match row.state {
                PullState::Fetching => end_badly(connection, &row, PullState::Failed, &fault, now),
                _ => Err(not_so(&row)),
            }
        })
        .await
    }

    /// Ends a pull that nobody wants any more, with the event that `fault` tells; one that is being put under its name
    /// goes on. Its pieces may be removed afterwards.
    pub async fn cancel_pull(&self, id: &JobId, fault: &Fault, now: UtcMs) -> Result<PullRow, StoreError> {
        let (id, fault) = (id.clone(), fault.clone());
        self.write("cancel a pull", move |connection| {
            let row = pull_row(connection, &id)?;
            match row.state {
                PullState::Waiting | PullState::Fetching if row.mtime_ns.is_none() => {
                    end_badly(connection, &row, PullState::Canceled, &fault, now)?;
                }
                PullState::Waiting | PullState::Fetching => {
                    return Err(StoreError::Conflict(format!(
                        "pull {id} is whole and being put under its name"
                    )));
                }
                _ => return Err(not_so(&row)),
            }
            pull_row(connection, &id)
        })
        .await
    }

    /// Wants a pull again that failed or was cancelled: due at once. It goes on with what came of it.
    pub async fn retry_pull(&self, id: &JobId, now: UtcMs) -> Result<PullRow, StoreError> {
        const SQL: &str = "update pulls set state = 'waiting', tries = 0, next_ms = :now, fault = null, \
            ended_ms = null, mtime_ns = null where id = :id and state in ('failed', 'canceled')";
        let id = id.clone();
        self.write("retry a pull", move |connection| {
            let named = named_params! { ":now": now.0, ":id": id.as_str() };
            let changed = connection.prepare_cached(SQL)?.execute(named)?;
            must_change(connection, &id, changed)?;
            pull_row(connection, &id)
        })
        .await
    }
}

fn end_badly(
    connection: &Connection,
    row: &PullRow,
    state: PullState,
    fault: &Fault,
    now: UtcMs,
) -> Result<(), StoreError> {
    // What another try can go on with is remembered; everything else is dropped with the pieces themselves.
    const SQL: &str = "update pulls set state = :state, fault = :fault, ended_ms = :now, \
        pieces = case when :kept then pieces end where id = :id";
    let kept = state == PullState::Failed && fault.retryable;
    let media_type = admission::media_type_of(&row.object.key);
    admission::refuse(connection, &row.wanted, Some(&row.pulled()), media_type, fault, now)?;
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":state": state.as_str(), ":fault": serde_json::to_string(fault)?, ":now": now.0, ":kept": kept,
        ":id": row.id.as_str(),
    })?;
    Ok(())
}

/// The pull with this id.
fn pull_row(connection: &Connection, id: &JobId) -> Result<PullRow, StoreError> {
    let sql = format!("select {COLUMNS} from pulls where id = ?1");
    let found = all(connection, &sql, [id.as_str()])?;
    found
        .into_iter()
        .next()
        .ok_or_else(|| StoreError::not_found("pull", id.as_str()))
}

fn all(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<Vec<PullRow>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(pull_of(row)?);
    }
    Ok(found)
}

fn pull_of(row: &Row<'_>) -> Result<PullRow, StoreError> {
    Ok(PullRow {
        id: row.text(0)?.into(),
        url: row.text(1)?,
        request: row.text(2)?,
        object: ObjectUri::new(row.text(3)?, row.text(4)?),
        on_conflict: row.word(5, serde_word)?,
        state: row.word(6, PullState::parse)?,
        tries: row.count(7)?,
        next_at: row.time(8)?,
        received_bytes: row.size(9)?,
        size_bytes: maybe_size(row, 10)?,
        validator: row.get(11)?,
        digest: row.get(12)?,
        mtime_ns: row.get(13)?,
        wanted: row.whole(14)?,
        became: row.json(15)?,
        fault: row.json(16)?,
        who: row.text(17)?,
        created_at: row.time(18)?,
        ended_at: row.maybe_time(19)?,
        pieces: row.get(20)?,
    })
}

fn must_change(connection: &Connection, id: &JobId, changed: usize) -> Result<(), StoreError> {
    match changed {
        0 => Err(not_so(&pull_row(connection, id)?)),
        _ => Ok(()),
    }
}

fn not_so(row: &PullRow) -> StoreError {
    StoreError::Conflict(format!("pull {} is {}", row.id, row.state.as_str()))
}
