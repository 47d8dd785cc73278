//! Rows of `storages`: what is remembered of a storage as a whole.
//!
//! Guarantees: a name has one number in the ledger, given once. Deliberately absent: its objects (`arrivals`), and the
//! definitions of storages that people make (`made_storages`).

use super::Store;
use super::error::StoreError;
use super::row::Columns;
use crate::base::clock::UtcMs;
use rusqlite::named_params;

/// What is remembered of a storage as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageRow {
    /// Its number in the ledger.
    pub id: i64,
    /// End of its first whole scan; none: there was none yet.
    pub baseline_at: Option<UtcMs>,
    /// What it lay on when it was last believed; none: nobody looked yet.
    pub mount: Option<String>,
    /// Why nothing of it is triggered; none: it is.
    pub frozen: Option<String>,
}

impl Store {
    /// The row of a storage, made when its name is new.
    pub async fn enter_storage(&self, name: &str) -> Result<StorageRow, StoreError> {
        const MAKE: &str = "insert into storages (name) values (?1) on conflict (name) do nothing";
        const READ: &str = "select id, baseline_ms, mount, frozen from storages where name = ?1";
        let name = name.to_owned();
        self.write("enter a storage", move |connection| {
            connection.prepare_cached(MAKE)?.execute([&name])?;
            let mut statement = connection.prepare_cached(READ)?;
            let mut rows = statement.query([&name])?;
            let row = rows.next()?.ok_or_else(|| StoreError::not_found("storage", &name))?;
            Ok(StorageRow {
                id: row.get(0)?,
                baseline_at: row.maybe_time(1)?,
                mount: row.get(2)?,
                frozen: row.get(3)?,
            })
        })
        .await
    }

    /// The first whole scan of a storage ended: from here on what is new is news.
    pub async fn end_baseline(&self, storage: i64, now: UtcMs) -> Result<(), StoreError> {
        const SQL: &str = "update storages set baseline_ms = :now where id = :id and baseline_ms is null";
        self.write("end a baseline", move |connection| {
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":now": now.0, ":id": storage })?;
            Ok(())
        })
        .await
    }

    /// What lies there now is another storage under the same name: its next whole scan is a first one again.
    pub async fn restart_baseline(&self, storage: i64) -> Result<(), StoreError> {
        const SQL: &str = "update storages set baseline_ms = null where id = ?1";
        self.write("restart a baseline", move |connection| {
            connection.prepare_cached(SQL)?.execute([storage])?;
            Ok(())
        })
        .await
    }

    /// Stops triggering from a storage, with the reason, or lets it go on.
    pub async fn set_frozen(&self, storage: i64, why: Option<String>) -> Result<(), StoreError> {
        const SQL: &str = "update storages set frozen = :why where id = :id";
        self.write("freeze a storage", move |connection| {
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":why": why, ":id": storage })?;
            Ok(())
        })
        .await
    }

    /// Remembers what a storage lies on.
    pub async fn set_mount(&self, storage: i64, mount: String) -> Result<(), StoreError> {
        const SQL: &str = "update storages set mount = :mount where id = :id";
        self.write("note a mount", move |connection| {
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":mount": mount, ":id": storage })?;
            Ok(())
        })
        .await
    }
}
