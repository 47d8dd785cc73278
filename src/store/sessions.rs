//! Open log-ins of people.
//!
//! Guarantees: only a hash of the cookie's value is kept; a session is found only while it lasts and its user may log in,
//! with the role the user has now. Deliberately absent: cookies.

use super::Store;
use super::error::StoreError;
use super::row::Columns as _;
use super::tokens::Role;
use crate::base::clock::UtcMs;
use crate::base::ids::UserId;
use rusqlite::named_params;

/// One open log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie's value, 64 hex digits.
    pub sha256: String,
    /// Whose it is.
    pub user: UserId,
    /// Their name now.
    pub name: String,
    /// What they may do now.
    pub role: Role,
    /// What a page sends with everything that changes.
    pub csrf: String,
    /// When they logged in.
    pub created: UtcMs,
    /// When it ends.
    pub expires: UtcMs,
    /// Last use, to the minute.
    pub used: UtcMs,
}

impl Store {
    /// Keeps a new session and notes the log-in; its name and role are its user's. If the process dies before the answer
    /// it exists or not.
    ///
    /// # Errors
    /// There is no such user, or the database failed.
    pub async fn open_session(&self, session: Session) -> Result<(), StoreError> {
        self.write("open a session", move |connection| {
            const ADD: &str = "insert into sessions (sha256, user_id, csrf, created_ms, expires_ms, used_ms) \
                values (:sha256, :user, :csrf, :created, :expires, :used)";
            const NOTE: &str = "update users set used_ms = :now where id = :user";
            let noted = connection
                .prepare_cached(NOTE)?
                .execute(named_params! { ":now": session.created.0, ":user": session.user.as_str() })?;
            if noted == 0 {
                return Err(StoreError::not_found("user", session.user.as_str()));
            }
            connection.prepare_cached(ADD)?.execute(named_params! {
                ":sha256": session.sha256, ":user": session.user.as_str(), ":csrf": session.csrf,
                ":created": session.created.0, ":expires": session.expires.0, ":used": session.used.0,
            })?;
            Ok(())
        })
        .await
    }

    /// The session with this hash, while it lasts and its user may log in.
    ///
    /// # Errors
    /// The database failed.
    pub async fn session(&self, sha256: &str, now: UtcMs) -> Result<Option<Session>, StoreError> {
        let sha256 = sha256.to_owned();
        self.read("find a session", move |connection| {
            const SQL: &str = "select s.sha256, s.user_id, u.name, u.role, s.csrf, s.created_ms, s.expires_ms, s.used_ms \
                from sessions s join users u on u.id = s.user_id \
                where s.sha256 = :sha256 and s.expires_ms > :now and u.disabled = 0";
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":sha256": sha256, ":now": now.0 })?;
            let found = rows.next()?.map(|row| -> Result<Session, StoreError> {
                Ok(Session {
                    sha256: row.text(0)?,
                    user: UserId::from(row.text(1)?),
                    name: row.text(2)?,
                    role: row.word(3, Role::parse)?,
                    csrf: row.text(4)?,
                    created: row.time(5)?,
                    expires: row.time(6)?,
                    used: row.time(7)?,
                })
            });
            found.transpose()
        })
        .await
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_session_use(&self, sha256: &str, now: UtcMs) -> Result<(), StoreError> {
        let sha256 = sha256.to_owned();
        self.write("note the use of a session", move |connection| {
            const SQL: &str = "update sessions set used_ms = :now where sha256 = :sha256";
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":now": now.0, ":sha256": sha256 })?;
            Ok(())
        })
        .await
    }

    /// Ends a session; ending it again changes nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn close_session(&self, sha256: &str) -> Result<(), StoreError> {
        let sha256 = sha256.to_owned();
        self.write("close a session", move |connection| {
            const SQL: &str = "delete from sessions where sha256 = :sha256";
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":sha256": sha256 })?;
            Ok(())
        })
        .await
    }
}
