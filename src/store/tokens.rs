//! Tokens of the REST API.
//!
//! Guarantees: a token itself never enters the database, only its SHA-256; there is always a valid admin token once
//! there was one. Deliberately absent: making the random text, and what a role may do.

use super::Store;
use super::error::StoreError;
use crate::base::clock::UtcMs;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;
use serde::Deserialize;
use serde::Serialize;

/// What a token may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look.
    Viewer,
    /// Run tasks, change workflows.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// The word in rows and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        [Role::Viewer, Role::Operator, Role::Admin]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// One token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Id, to revoke it by.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the token, 64 hex digits.
    pub sha256: String,
    /// When it was made.
    pub created: UtcMs,
    /// Last use, to the hour.
    pub used: Option<UtcMs>,
    /// Since when it is useless.
    pub revoked: Option<UtcMs>,
    /// Useless from then on.
    pub expires: Option<UtcMs>,
}

impl Token {
    /// Whether it opens anything at `now`.
    pub fn is_good(&self, now: UtcMs) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

const COLUMNS: &str = "id, name, role, sha256, created_ms, used_ms, revoked_ms, expires_ms";

fn token_of(row: &Row<'_>) -> Result<Token, StoreError> {
    let role: String = row.get(2)?;
    Ok(Token {
        id: row.get(0)?,
        name: row.get(1)?,
        role: Role::parse(&role).ok_or_else(|| StoreError::unreadable(format!("role {role}")))?,
        sha256: row.get(3)?,
        created: UtcMs(row.get(4)?),
        used: row.get::<_, Option<i64>>(5)?.map(UtcMs),
        revoked: row.get::<_, Option<i64>>(6)?.map(UtcMs),
        expires: row.get::<_, Option<i64>>(7)?.map(UtcMs),
    })
}

/// Valid admin tokens. One that will expire does not count: a day would come when nobody could make another.
fn admins(connection: &Connection) -> Result<i64, StoreError> {
    const SQL: &str = "select count(*) from tokens where role = 'admin' and revoked_ms is null and expires_ms is null";
    Ok(connection.prepare_cached(SQL)?.query_row([], |row| row.get(0))?)
}

impl Store {
    /// Adds a token. If the process dies before the answer it exists wholly or not at all.
    ///
    /// # Errors
    /// The hash or the id is taken, or the database failed.
    pub async fn add_token(&self, token: Token) -> Result<(), StoreError> {
        self.write("add a token", move |connection| {
            const SQL: &str = "insert into tokens (id, name, role, sha256, created_ms, expires_ms) \
                values (:id, :name, :role, :sha256, :created, :expires)";
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":id": token.id, ":name": token.name, ":role": token.role.as_str(),
                ":sha256": token.sha256, ":created": token.created.0, ":expires": token.expires.map(|at| at.0),
            })?;
            Ok(())
        })
        .await
    }

    /// The token with this hash, revoked or not.
    ///
    /// # Errors
    /// The database failed.
    pub async fn token_by_sha256(&self, sha256: &str) -> Result<Option<Token>, StoreError> {
        let sha256 = sha256.to_owned();
        self.read("find a token", move |connection| {
            let sql = format!("select {COLUMNS} from tokens where sha256 = :sha256");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! { ":sha256": sha256 })?;
            rows.next()?.map(token_of).transpose()
        })
        .await
    }

    /// Whether the token with this id exists, was not revoked and has not expired.
    ///
    /// # Errors
    /// The database failed.
    pub async fn token_is_good(&self, id: &str, now: UtcMs) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.read("look whether a token is good", move |connection| {
            const SQL: &str = "select exists(select 1 from tokens where id = :id and revoked_ms is null \
                and (expires_ms is null or expires_ms > :now))";
            connection
                .prepare_cached(SQL)?
                .query_row(named_params! { ":id": id, ":now": now.0 }, |row| row.get(0))
                .map_err(Into::into)
        })
        .await
    }

    /// Every token, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.read("list tokens", |connection| {
            let sql = format!("select {COLUMNS} from tokens order by id desc");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            let mut tokens = Vec::new();
            while let Some(row) = rows.next()? {
                tokens.push(token_of(row)?);
            }
            Ok(tokens)
        })
        .await
    }

    /// Whether any valid admin token exists.
    ///
    /// # Errors
    /// The database failed.
    pub async fn has_admin_token(&self) -> Result<bool, StoreError> {
        self.read("look for an admin token", |connection| Ok(admins(connection)? > 0))
            .await
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_token_use(&self, id: &str, now: UtcMs) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write("note the use of a token", move |connection| {
            const SQL: &str = "update tokens set used_ms = :now where id = :id";
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":now": now.0, ":id": id })?;
            Ok(())
        })
        .await
    }

    /// Makes a token useless from now on; doing it again changes nothing.
    ///
    /// # Errors
    /// There is none with this id, it is the last admin token, or the database failed.
    pub async fn revoke_token(&self, id: &str, now: UtcMs) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write("revoke a token", move |connection| {
            const FIND: &str = "select role, revoked_ms, expires_ms from tokens where id = :id";
            const REVOKE: &str = "update tokens set revoked_ms = :now where id = :id";
            let found: Option<(String, Option<i64>, Option<i64>)> = connection
                .prepare_cached(FIND)?
                .query_row(named_params! { ":id": id }, |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()?;
            let (role, revoked, expires) = found.ok_or_else(|| StoreError::not_found("token", &id))?;
            if revoked.is_some() {
                return Ok(());
            }
            if role == "admin" && expires.is_none() && admins(connection)? == 1 {
                return Err(StoreError::Conflict(
                    "it is the last admin token; make another one first, or nobody could make one".to_owned(),
                ));
            }
            connection
                .prepare_cached(REVOKE)?
                .execute(named_params! { ":now": now.0, ":id": id })?;
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::Role;
    use super::Token;
    use crate::base::clock::UtcMs;
    use crate::store::Store;
    use crate::store::error::StoreError;

    fn token(id: &str, role: Role) -> Token {
        Token {
            id: id.to_owned(),
            name: "test".to_owned(),
            role,
            sha256: format!("hash of {id}"),
            created: UtcMs(1),
            used: None,
            revoked: None,
            expires: None,
        }
    }

    #[tokio::test]
    async fn the_last_admin_token_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("state.db")).expect("opens");
        assert!(!store.has_admin_token().await.expect("reads"));
        store.add_token(token("a", Role::Admin)).await.expect("added");
        store.add_token(token("b", Role::Viewer)).await.expect("added");
        assert!(matches!(
            store.revoke_token("a", UtcMs(5)).await,
            Err(StoreError::Conflict(_))
        ));
        store.add_token(token("c", Role::Admin)).await.expect("added");
        store.revoke_token("a", UtcMs(5)).await.expect("another admin is left");
        let found = store.token_by_sha256("hash of a").await.expect("reads").expect("found");
        assert_eq!(found.revoked, Some(UtcMs(5)));
        assert!(matches!(
            store.revoke_token("zz", UtcMs(5)).await,
            Err(StoreError::NotFound { .. })
        ));
    }
}
