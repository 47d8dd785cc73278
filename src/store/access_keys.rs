//! Key pairs of the cloud-compatible APIs.
//!
//! Guarantees: the secret is kept as it was sealed, never in the clear; a revoked key is not found. Deliberately absent:
//! sealing, and the signatures that are checked with a secret.

use super::Store;
use super::error::StoreError;
use super::row::Columns as _;
use super::tokens::Role;
use crate::base::clock::UtcMs;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

/// One key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The AccessKeyId or SecretId.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The secret, sealed for `accesskey:ID`.
    pub sealed: String,
    /// When it was made.
    pub created: UtcMs,
    /// Last use, to the hour.
    pub used: Option<UtcMs>,
    /// Since when it is useless.
    pub revoked: Option<UtcMs>,
}

const COLUMNS: &str = "id, name, role, secret, created_ms, used_ms, revoked_ms";

fn key_of(row: &Row<'_>) -> Result<AccessKey, StoreError> {
    Ok(AccessKey {
        id: row.text(0)?,
        name: row.text(1)?,
        role: row.word(2, Role::parse)?,
        sealed: row.text(3)?,
        created: row.time(4)?,
        used: row.maybe_time(5)?,
        revoked: row.maybe_time(6)?,
    })
}

impl Store {
    /// Adds a key pair. If the process dies before the answer it exists wholly or not at all.
    ///
    /// # Errors
    /// The id is taken, or the database failed.
    pub async fn add_access_key(&self, key: AccessKey) -> Result<(), StoreError> {
        self.write("add an access key", move |connection| {
            const SQL: &str = "insert into access_keys (id, name, role, secret, created_ms) \
                values (:id, :name, :role, :secret, :created)";
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":id": key.id, ":name": key.name, ":role": key.role.as_str(), ":secret": key.sealed,
                ":created": key.created.0,
            })?;
            Ok(())
        })
        .await
    }

    /// The key pair with this id, unless it was revoked.
    ///
    /// # Errors
    /// The database failed.
    pub async fn live_access_key(&self, id: &str) -> Result<Option<AccessKey>, StoreError> {
        let id = id.to_owned();
        self.read("find an access key", move |connection| {
            let sql = format!("select {COLUMNS} from access_keys where id = :id and revoked_ms is null");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! { ":id": id })?;
            rows.next()?.map(key_of).transpose()
        })
        .await
    }

    /// Every key pair, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn access_keys(&self) -> Result<Vec<AccessKey>, StoreError> {
        self.read("list access keys", |connection| {
            let sql = format!("select {COLUMNS} from access_keys order by created_ms desc, id");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(key_of(row)?);
            }
            Ok(keys)
        })
        .await
    }

    /// Notes that a key pair was used.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_access_key_use(&self, id: &str, now: UtcMs) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write("note the use of an access key", move |connection| {
            const SQL: &str = "update access_keys set used_ms = :now where id = :id";
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":now": now.0, ":id": id })?;
            Ok(())
        })
        .await
    }

    /// Makes a key pair useless from now on and forgets its secret; doing it again changes nothing.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn revoke_access_key(&self, id: &str, now: UtcMs) -> Result<AccessKey, StoreError> {
        let id = id.to_owned();
        self.write("revoke an access key", move |connection| {
            let sql = format!(
                "update access_keys set revoked_ms = coalesce(revoked_ms, :now), secret = '' where id = :id \
                 returning {COLUMNS}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let found = statement
                .query_row(named_params! { ":now": now.0, ":id": id }, |row| Ok(key_of(row)))
                .optional()?;
            found.ok_or_else(|| StoreError::not_found("accesskey", &id))?
        })
        .await
    }
}
