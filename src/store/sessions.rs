//! Open log-ins of people, by password or with a token.
//!
//! Guarantees: only a hash of the cookie's value is kept; a session is found only while it lasts and its user may log in
//! or its token opens something, with the role that user or token has now. Deliberately absent: cookies.

use super::Store;
use super::error::StoreError;
use super::row::Columns as _;
use super::tokens::Role;
use crate::base::clock::UtcMs;
use crate::base::ids::UserId;
use rusqlite::named_params;

/// Whose log-in it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// A user's, by password.
    User(UserId),
    /// Somebody's who has the token with this id.
    Token(String),
}

impl Whose {
    /// The id of the user or of the token.
    pub fn id(&self) -> &str {
        match self {
            Whose::User(id) => id.as_str(),
            Whose::Token(id) => id,
        }
    }
}

/// One open log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie's value, 64 hex digits.
    pub sha256: String,
    /// Whose it is.
    pub whose: Whose,
    /// The name of the user or token now.
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
    /// Keeps a new session and notes the log-in; its name and role are those of its user or token. If the process dies
    /// before the answer it exists or not.
    ///
    /// # Errors
    /// There is no such user or token, or the database failed.
    pub async fn open_session(&self, session: Session) -> Result<(), StoreError> {
        self.write("open a session", move |connection| {
            const ADD: &str = "insert into sessions (sha256, user_id, token_id, csrf, created_ms, expires_ms, used_ms) \
                values (:sha256, :user, :token, :csrf, :created, :expires, :used)";
            let (noun, note, user, token) = match &session.whose {
                Whose::User(id) => (
                    "user",
                    "update users set used_ms = :now where id = :id",
                    Some(id.as_str()),
                    None,
                ),
                Whose::Token(id) => (
                    "token",
                    "update tokens set used_ms = :now where id = :id",
                    None,
                    Some(id),
                ),
            };
            let noted = connection
                .prepare_cached(note)?
                .execute(named_params! { ":now": session.created.0, ":id": session.whose.id() })?;
            if noted == 0 {
                return Err(StoreError::not_found(noun, session.whose.id()));
            }
            connection.prepare_cached(ADD)?.execute(named_params! {
                ":sha256": session.sha256, ":user": user, ":token": token, ":csrf": session.csrf,
                ":created": session.created.0, ":expires": session.expires.0, ":used": session.used.0,
            })?;
            Ok(())
        })
        .await
    }

    /// The session with this hash, while it lasts and whoever it is of may come in.
    ///
    /// # Errors
    /// The database failed.
    pub async fn session(&self, sha256: &str, now: UtcMs) -> Result<Option<Session>, StoreError> {
        let sha256 = sha256.to_owned();
        self.read("find a session", move |connection| {
            const SQL: &str = "select s.sha256, s.user_id, s.token_id, coalesce(u.name, t.name), coalesce(u.role, t.role), \
                s.csrf, s.created_ms, s.expires_ms, s.used_ms \
                from sessions s left join users u on u.id = s.user_id left join tokens t on t.id = s.token_id \
                where s.sha256 = :sha256 and s.expires_ms > :now and (u.disabled = 0 \
                or (t.id is not null and t.revoked_ms is null and (t.expires_ms is null or t.expires_ms > :now)))";
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":sha256": sha256, ":now": now.0 })?;
            let found = rows.next()?.map(|row| -> Result<Session, StoreError> {
                let (user, token) = (row.get::<_, Option<String>>(1)?, row.get::<_, Option<String>>(2)?);
                Ok(Session {
                    sha256: row.text(0)?,
                    whose: match (user, token) {
                        (Some(id), _) => Whose::User(id.into()),
                        (None, Some(id)) => Whose::Token(id),
                        (None, None) => return Err(StoreError::unreadable("a session of nobody".to_owned())),
                    },
                    name: row.text(3)?,
                    role: row.word(4, Role::parse)?,
                    csrf: row.text(5)?,
                    created: row.time(6)?,
                    expires: row.time(7)?,
                    used: row.time(8)?,
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

#[cfg(test)]
mod tests {
    use super::Session;
    use super::Whose;
    use crate::base::clock::UtcMs;
    use crate::store::Store;
    use crate::store::tokens::Role;
    use crate::store::tokens::Token;

    #[tokio::test]
    async fn a_session_of_a_token_ends_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("state.db")).expect("opens");
        let token = |id: &str, expires: Option<i64>| Token {
            id: id.to_owned(),
            name: format!("token {id}"),
            role: Role::Operator,
            sha256: format!("hash of {id}"),
            created: UtcMs(1),
            used: None,
            revoked: None,
            expires: expires.map(UtcMs),
        };
        let session = |id: &str| Session {
            sha256: format!("session of {id}"),
            whose: Whose::Token(id.to_owned()),
            name: String::new(),
            role: Role::Viewer,
            csrf: "c".to_owned(),
            created: UtcMs(10),
            expires: UtcMs(1000),
            used: UtcMs(10),
        };
        for (id, expires) in [("a", None), ("b", Some(50))] {
            store.add_token(token(id, expires)).await.expect("added");
            store.open_session(session(id)).await.expect("opened");
            let sha256 = format!("session of {id}");
            let found = store.session(&sha256, UtcMs(49)).await.expect("reads").expect("open");
            assert_eq!((found.name, found.role), (format!("token {id}"), Role::Operator));
            assert_eq!(found.whose, Whose::Token(id.to_owned()));
        }
        assert_eq!(store.session("session of b", UtcMs(50)).await.expect("reads"), None);
        store.revoke_token("a", UtcMs(60)).await.expect("revoked");
        assert_eq!(store.session("session of a", UtcMs(61)).await.expect("reads"), None);
        store.open_session(session("nobody")).await.expect_err("no such token");
    }
}
