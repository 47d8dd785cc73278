//! The ledger as listings of buckets need it: stretch by stretch in the order of keys, and what was told of objects that
//! nobody has looked at yet (`bucket_hints`).
//!
//! Guarantees: no call answers more rows than it is asked for, so that a bucket of any size is compared in little memory;
//! a hint that was kept is there until somebody who looked takes it away. Deliberately absent: looking at buckets.

use super::Store;
use super::error::StoreError;
use super::row::Columns;
use crate::base::clock::UtcMs;
use crate::workflow::arrival::Arrival;
use crate::workflow::resolved::ResolvedWorkflow;
use rusqlite::Connection;
use rusqlite::named_params;
use std::collections::BTreeSet;

/// A remembered object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRow {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// ETag; empty: the service lists none.
    pub etag: String,
    /// Its identity settled at some time.
    pub settled: bool,
    /// It is not there any more.
    pub gone: bool,
}

/// Somebody said that something happened to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketHint {
    /// Place in the order of telling; grows.
    pub seq: i64,
    /// Its key.
    pub key: String,
}

/// Which enabled workflows concern a storage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concern {
    /// Prefixes of objects that start tasks, as the definitions write them.
    pub prefixes: BTreeSet<String>,
    /// Something is published there.
    pub published_into: bool,
}

/// Whose an object may be, as far as the database knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nothing of ours has or had its key.
    None,
    /// It is ours, with this identity.
    Ours,
    /// Something of ours has or had its key, with another identity or none that is known.
    Doubtful,
    /// Something of ours is on its way to its key, of another size: what stands there may be seen too early.
    Coming,
}

const ROW: &str = "select key, size_bytes, mtime_ns, etag, state <> 0, gone_ms is not null from arrivals";

fn row_of(row: &rusqlite::Row<'_>) -> Result<BucketRow, StoreError> {
    Ok(BucketRow {
        key: row.text(0)?,
        size_bytes: row.size(1)?,
        mtime_ns: row.get(2)?,
        etag: row.text(3)?,
        settled: row.get(4)?,
        gone: row.get(5)?,
    })
}

impl Store {
    /// Rows of a storage with keys greater than `after` (at least `after` where `inclusive`) and at most `until`, in the
    /// order of their texts; fewer than `limit` are all.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bucket_stretch(
        &self,
        storage: i64,
        (after, inclusive): (&str, bool),
        until: &str,
        limit: u32,
    ) -> Result<Vec<BucketRow>, StoreError> {
        let (after, until) = (after.to_owned(), until.to_owned());
        self.read("read a stretch of the ledger", move |connection| {
            let more = if inclusive { ">=" } else { ">" };
            let sql = format!(
                "{ROW} where storage = :storage and key {more} :after and key <= :until order by key limit :limit"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! {
                ":storage": storage, ":after": after, ":until": until, ":limit": limit,
            })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(row_of(row)?);
            }
            Ok(found)
        })
        .await
    }

    /// The rows of these keys.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bucket_rows(&self, storage: i64, keys: Vec<String>) -> Result<Vec<BucketRow>, StoreError> {
        self.read("read rows of the ledger", move |connection| {
            let sql = format!("{ROW} where storage = :storage and key = :key");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = Vec::new();
            for key in &keys {
                let mut rows = statement.query(named_params! { ":storage": storage, ":key": key })?;
                while let Some(row) = rows.next()? {
                    found.push(row_of(row)?);
                }
            }
            Ok(found)
        })
        .await
    }

    /// Objects of a storage that are there, as far as the ledger knows.
    ///
    /// # Errors
    /// The database failed.
    pub async fn objects_present(&self, storage: i64) -> Result<u64, StoreError> {
        const SQL: &str = "select count(*) from arrivals where storage = ?1 and gone_ms is null";
        self.read("count the ledger", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([storage])?;
            match rows.next()? {
                Some(row) => Ok(row.size(0)?),
                None => Ok(0),
            }
        })
        .await
    }

    /// Where the listing of a bucket goes on, as it was kept; none: at the begin.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bucket_cursor(&self, storage: i64) -> Result<Option<String>, StoreError> {
        const SQL: &str = "select cursor from storages where id = ?1";
        self.read("read where a listing goes on", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([storage])?;
            match rows.next()? {
                Some(row) => Ok(row.get(0)?),
                None => Ok(None),
            }
        })
        .await
    }

    /// Keeps where the listing of a bucket goes on, and when the last one ended. If the process dies before, it begins
    /// where it was kept last, which doubles nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_bucket_cursor(
        &self,
        storage: i64,
        cursor: String,
        ended: Option<UtcMs>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update storages set cursor = :cursor, last_scan_ms = coalesce(:ended, last_scan_ms) \
            where id = :id";
        self.write("keep where a listing goes on", move |connection| {
            let named = named_params! { ":cursor": cursor, ":ended": ended.map(|at| at.0), ":id": storage };
            connection.prepare_cached(SQL)?.execute(named)?;
            Ok(())
        })
        .await
    }

    /// The storage is another bucket now, or was a folder: what is known of it is gone, and its next listing is a first
    /// one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn begin_bucket(&self, storage: i64, location: String, now: UtcMs) -> Result<(), StoreError> {
        const STORAGE: &str = "update storages set mount = :location, cursor = null, baseline_ms = null, frozen = null \
            where id = :id";
        const ROWS: &str = "update arrivals set gone_ms = :now where storage = :id and gone_ms is null";
        const HINTS: &str = "delete from bucket_hints where storage = ?1";
        self.write("begin with a bucket", move |connection| {
            let named = named_params! { ":location": location, ":id": storage };
            connection.prepare_cached(STORAGE)?.execute(named)?;
            let named = named_params! { ":now": now.0, ":id": storage };
            connection.prepare_cached(ROWS)?.execute(named)?;
            connection.prepare_cached(HINTS)?.execute([storage])?;
            Ok(())
        })
        .await
    }

    /// What enabled workflows want of a storage.
    ///
    /// # Errors
    /// The database failed.
    pub async fn concern_of(&self, storage_name: &str) -> Result<Concern, StoreError> {
        const SQL: &str = "select v.resolved from workflows w join workflow_versions v \
            on v.workflow_id = w.id and v.version = w.version where w.enabled = 1";
        let name = storage_name.to_owned();
        self.read("look for workflows of a storage", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([])?;
            let mut concern = Concern::default();
            while let Some(row) = rows.next()? {
                let workflow: ResolvedWorkflow = row.whole(0)?;
                let source = &workflow.source;
                let here = source.storage.as_deref().is_none_or(|storage| storage == name);
                if here && source.automatic && !source.library {
                    concern.prefixes.insert(source.prefix.clone());
                }
                concern.published_into |= workflow
                    .output
                    .storage
                    .as_deref()
                    .map_or(here, |storage| storage == name);
            }
            Ok(concern)
        })
        .await
    }

    /// Whose these objects may be, in their order.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claims(&self, storage_name: &str, objects: Vec<Arrival>) -> Result<Vec<Claim>, StoreError> {
        let name = storage_name.to_owned();
        self.read("look for our own objects", move |connection| {
            objects.iter().map(|object| claim(connection, &name, object)).collect()
        })
        .await
    }

    /// Whether the output `output` was published under this key with so many bytes, or is about to be; none: no such
    /// output is known.
    ///
    /// # Errors
    /// The database failed.
    pub async fn output_stands_at(
        &self,
        output: &str,
        storage: &str,
        key: &str,
        size_bytes: u64,
    ) -> Result<Option<bool>, StoreError> {
        const SQL: &str = "select exists (select 1 from output_files f where f.output_id = o.id and f.storage = :storage \
              and f.key = :key and f.size_bytes = :size) \
            or exists (select 1 from publish_intents p where p.output_id = o.id and p.storage = :storage \
              and p.key = :key and p.size_bytes = :size) from outputs o where o.id = :id";
        let (output, storage, key) = (output.to_owned(), storage.to_owned(), key.to_owned());
        let size = i64::try_from(size_bytes).unwrap_or(i64::MAX);
        self.read("look for an output", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! {
                ":id": output, ":storage": storage, ":key": key, ":size": size,
            })?;
            match rows.next()? {
                Some(row) => Ok(Some(row.get(0)?)),
                None => Ok(None),
            }
        })
        .await
    }

    /// Gives rows another stamp: their objects are the same, and the service stamps them so in its listings.
    ///
    /// # Errors
    /// The database failed.
    pub async fn restamp(&self, storage: i64, stamps: Vec<(String, i64)>) -> Result<(), StoreError> {
        const SQL: &str =
            "update arrivals set mtime_ns = :mtime, gone_ms = null where storage = :storage and key = :key";
        self.write("stamp rows anew", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            for (key, mtime_ns) in &stamps {
                statement.execute(named_params! { ":mtime": mtime_ns, ":storage": storage, ":key": key })?;
            }
            Ok(())
        })
        .await
    }

    /// How many of these objects we moved or deleted ourselves: by a workflow's `after` rule, or when somebody deleted
    /// the media.
    ///
    /// # Errors
    /// The database failed.
    pub async fn removed_by_us(&self, storage_name: &str, keys: Vec<String>) -> Result<u64, StoreError> {
        const SQL: &str = "select exists (select 1 from media m join tasks t on t.media_id = m.id \
              where m.storage = :storage and m.key = :key and t.after_ms is not null) \
            or (exists (select 1 from arrivals a join storages s on s.id = a.storage \
                where s.name = :storage and a.key = :key and a.state = 2) \
              and not exists (select 1 from media m where m.storage = :storage and m.key = :key and m.state <> 'Deleted'))";
        let name = storage_name.to_owned();
        self.read("look for what we removed", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut count = 0;
            for key in &keys {
                let ours: bool =
                    statement.query_row(named_params! { ":storage": name, ":key": key }, |row| row.get(0))?;
                count += u64::from(ours);
            }
            Ok(count)
        })
        .await
    }

    /// Keeps hints of objects of a storage. One of a key that has one already moves it to the end. A storage that no
    /// trigger knows yet is made.
    ///
    /// # Errors
    /// The database failed: then nothing of them is kept.
    pub async fn keep_hints(&self, storage_name: &str, keys: Vec<String>, due: UtcMs) -> Result<(), StoreError> {
        const MAKE: &str = "insert into storages (name) values (?1) on conflict (name) do nothing";
        const SEQ: &str = "update counters set value = value + 1 where name = 'hint' returning value";
        const SQL: &str = "insert into bucket_hints (storage, key, seq, due_ms) values \
            ((select id from storages where name = :storage), :key, :seq, :due) \
            on conflict (storage, key) do update set seq = excluded.seq, due_ms = excluded.due_ms";
        let name = storage_name.to_owned();
        self.write("keep hints", move |connection| {
            connection.prepare_cached(MAKE)?.execute([&name])?;
            let mut statement = connection.prepare_cached(SQL)?;
            for key in &keys {
                let seq: i64 = connection.prepare_cached(SEQ)?.query_row([], |row| row.get(0))?;
                statement.execute(named_params! { ":storage": name, ":key": key, ":seq": seq, ":due": due.0 })?;
            }
            Ok(())
        })
        .await
    }

    /// Hints that are due, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn due_hints(&self, storage: i64, now: UtcMs, limit: u32) -> Result<Vec<BucketHint>, StoreError> {
        const SQL: &str = "select seq, key from bucket_hints where storage = :storage and due_ms <= :now \
            order by seq limit :limit";
        self.read("read hints", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":storage": storage, ":now": now.0, ":limit": limit })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(BucketHint {
                    seq: row.get(0)?,
                    key: row.text(1)?,
                });
            }
            Ok(found)
        })
        .await
    }

    /// How many hints of a storage wait, the last of them, and when the next one is due that is not yet.
    ///
    /// # Errors
    /// The database failed.
    pub async fn hints_waiting(&self, storage: i64, now: UtcMs) -> Result<HintsWaiting, StoreError> {
        const SQL: &str = "select count(*) filter (where due_ms <= :now), \
            (select value from counters where name = 'hint'), min(due_ms) filter (where due_ms > :now) \
            from bucket_hints where storage = :storage";
        self.read("count hints", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":storage": storage, ":now": now.0 })?;
            let Some(row) = rows.next()? else {
                return Ok(HintsWaiting::default());
            };
            Ok(HintsWaiting {
                due: row.size(0)?,
                last_seq: row.get(1)?,
                next: row.maybe_time(2)?,
            })
        })
        .await
    }

    /// Whether a hint of this object waits.
    ///
    /// # Errors
    /// The database failed.
    pub async fn has_hint(&self, storage_name: &str, key: &str) -> Result<bool, StoreError> {
        const SQL: &str = "select exists (select 1 from bucket_hints h join storages s on s.id = h.storage \
            where s.name = :storage and h.key = :key)";
        let (name, key) = (storage_name.to_owned(), key.to_owned());
        self.read("look for a hint", move |connection| {
            let named = named_params! { ":storage": name, ":key": key };
            Ok(connection.prepare_cached(SQL)?.query_row(named, |row| row.get(0))?)
        })
        .await
    }

    /// Takes hints away that were looked at; one that was told again meanwhile stays.
    ///
    /// # Errors
    /// The database failed.
    pub async fn drop_hints(&self, storage: i64, hints: Vec<BucketHint>) -> Result<(), StoreError> {
        const SQL: &str = "delete from bucket_hints where storage = :storage and key = :key and seq = :seq";
        self.write("drop hints", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            for hint in &hints {
                statement.execute(named_params! { ":storage": storage, ":key": hint.key, ":seq": hint.seq })?;
            }
            Ok(())
        })
        .await
    }

    /// Takes the due hints away that a whole listing answered: those up to `seq`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn drop_hints_until(&self, storage: i64, seq: i64, due: UtcMs) -> Result<(), StoreError> {
        const SQL: &str = "delete from bucket_hints where storage = :storage and seq <= :seq and due_ms <= :due";
        self.write("drop hints", move |connection| {
            let named = named_params! { ":storage": storage, ":seq": seq, ":due": due.0 };
            connection.prepare_cached(SQL)?.execute(named)?;
            Ok(())
        })
        .await
    }
}

/// What waits of a storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HintsWaiting {
    /// Hints that are due.
    pub due: u64,
    /// The last hint of all that was ever kept.
    pub last_seq: i64,
    /// When the next one is due; none: none waits for its time.
    pub next: Option<UtcMs>,
}

fn claim(connection: &Connection, storage: &str, object: &Arrival) -> Result<Claim, StoreError> {
    const SQL: &str = "select size_bytes = :size and (mtime_ns is null or mtime_ns = :mtime or coalesce(etag, '') <> '') \
          and (etag is null or etag = :etag), is_coming from ( \
        select size_bytes, null as mtime_ns, null as etag, 1 as is_coming from publish_intents \
          where storage = :storage and key = :key and strange = 0 \
        union all select size_bytes, mtime_ns, etag, 0 from output_files where storage = :storage and key = :key \
        union all select size_bytes, mtime_ns, etag, 0 from own_files where storage = :storage and key = :key)";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query(named_params! {
        ":storage": storage, ":key": object.key, ":size": i64::try_from(object.size_bytes).unwrap_or(i64::MAX),
        ":mtime": object.mtime_ns, ":etag": object.etag,
    })?;
    let mut found = Claim::None;
    while let Some(row) = rows.next()? {
        if row.get(0)? {
            return Ok(Claim::Ours);
        }
        if row.get(1)? {
            found = Claim::Coming;
        } else if found == Claim::None {
            found = Claim::Doubtful;
        }
    }
    Ok(found)
}
