//! People who log in.
//!
//! Guarantees: there is always an enabled admin once there was one; whoever is disabled, removed or gets a new password
//! has no open session any more, in the same commit. Deliberately absent: passwords in the clear, and checking them.

use super::Store;
use super::error::StoreError;
use super::row::Columns as _;
use super::tokens::Role;
use crate::base::clock::UtcMs;
use crate::base::ids::UserId;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::named_params;

/// One person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// What they log in as, lower case.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// PHC string of argon2id.
    pub password: String,
    /// May not log in.
    pub disabled: bool,
    /// When it was made.
    pub created: UtcMs,
    /// Last change by hand.
    pub modified: UtcMs,
    /// Last log-in.
    pub used: Option<UtcMs>,
}

/// What of a user shall be otherwise; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// What they may do.
    pub role: Option<Role>,
    /// PHC string of the new password.
    pub password: Option<String>,
    /// Whether they may log in.
    pub disabled: Option<bool>,
}

const COLUMNS: &str = "id, name, role, password, disabled, created_ms, modified_ms, used_ms";

fn user_of(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: UserId::from(row.text(0)?),
        name: row.text(1)?,
        role: row.word(2, Role::parse)?,
        password: row.text(3)?,
        disabled: row.get(4)?,
        created: row.time(5)?,
        modified: row.time(6)?,
        used: row.maybe_time(7)?,
    })
}

fn find(connection: &Connection, column: &str, value: &str) -> Result<Option<User>, StoreError> {
    let sql = format!("select {COLUMNS} from users where {column} = :value");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(named_params! { ":value": value })?;
    rows.next()?.map(user_of).transpose()
}

fn existing(connection: &Connection, id: &UserId) -> Result<User, StoreError> {
    find(connection, "id", id.as_str())?.ok_or_else(|| StoreError::not_found("user", id.as_str()))
}

/// Refuses when nobody who is an admin and may log in is left.
fn an_admin_is_left(connection: &Connection) -> Result<(), StoreError> {
    const SQL: &str = "select exists (select 1 from users where role = 'admin' and disabled = 0)";
    match connection.prepare_cached(SQL)?.query_row([], |row| row.get(0))? {
        true => Ok(()),
        false => Err(StoreError::Conflict(
            "it is the last admin who may log in; make another one first, or nobody could make one".to_owned(),
        )),
    }
}

fn end_sessions(connection: &Connection, id: &UserId) -> Result<(), StoreError> {
    const SQL: &str = "delete from sessions where user_id = :id";
    connection
        .prepare_cached(SQL)?
        .execute(named_params! { ":id": id.as_str() })?;
    Ok(())
}

impl Store {
    /// Adds a user. If the process dies before the answer it exists wholly or not at all.
    ///
    /// # Errors
    /// The name is taken, or the database failed.
    pub async fn add_user(&self, user: User) -> Result<(), StoreError> {
        self.write("add a user", move |connection| {
            const SQL: &str = "insert into users (id, name, role, password, disabled, created_ms, modified_ms) \
                values (:id, :name, :role, :password, :disabled, :created, :modified)";
            if find(connection, "name", &user.name)?.is_some() {
                return Err(StoreError::Conflict(format!("there is a user {} already", user.name)));
            }
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":id": user.id.as_str(), ":name": user.name, ":role": user.role.as_str(), ":password": user.password,
                ":disabled": user.disabled, ":created": user.created.0, ":modified": user.modified.0,
            })?;
            Ok(())
        })
        .await
    }

    /// Users, newest first, from below `before` on; at most `limit`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn users(&self, before: Option<String>, limit: usize) -> Result<Vec<User>, StoreError> {
        self.read("list users", move |connection| {
            // Ids are hex digits: every one sorts below "g".
            let before = before.as_deref().unwrap_or("g");
            let sql = format!("select {COLUMNS} from users where id < :before order by id desc limit :limit");
            let mut statement = connection.prepare_cached(&sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = statement.query(named_params! { ":before": before, ":limit": limit })?;
            let mut users = Vec::new();
            while let Some(row) = rows.next()? {
                users.push(user_of(row)?);
            }
            Ok(users)
        })
        .await
    }

    /// One user by id.
    ///
    /// # Errors
    /// There is none, or the database failed.
    pub async fn user(&self, id: &UserId) -> Result<User, StoreError> {
        let id = id.clone();
        self.read("show a user", move |connection| existing(connection, &id))
            .await
    }

    /// One user by name, if there is one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<User>, StoreError> {
        let name = name.to_owned();
        self.read("find a user", move |connection| find(connection, "name", &name))
            .await
    }

    /// Changes a user; who it was before and is now. If the process dies before the answer, all of the change holds or
    /// nothing.
    ///
    /// # Errors
    /// There is none, it is the last admin and would not be one any more, or the database failed.
    pub async fn change_user(&self, id: &UserId, change: UserChange, now: UtcMs) -> Result<(User, User), StoreError> {
        let id = id.clone();
        self.write("change a user", move |connection| {
            const SQL: &str = "update users set role = :role, password = :password, disabled = :disabled, \
                modified_ms = :now where id = :id";
            let before = existing(connection, &id)?;
            let mut after = before.clone();
            let ends_sessions = change.password.is_some() || change.disabled == Some(true);
            after.role = change.role.unwrap_or(after.role);
            after.password = change.password.unwrap_or(after.password);
            after.disabled = change.disabled.unwrap_or(after.disabled);
            after.modified = now;
            connection.prepare_cached(SQL)?.execute(named_params! {
                ":id": id.as_str(), ":role": after.role.as_str(), ":password": after.password,
                ":disabled": after.disabled, ":now": now.0,
            })?;
            let was_admin = before.role == Role::Admin && !before.disabled;
            if was_admin && (after.role != Role::Admin || after.disabled) {
                an_admin_is_left(connection)?;
            }
            if ends_sessions {
                end_sessions(connection, &id)?;
            }
            Ok((before, after))
        })
        .await
    }

    /// Removes a user and their sessions; who it was.
    ///
    /// # Errors
    /// There is none, it is the last admin, or the database failed.
    pub async fn remove_user(&self, id: &UserId) -> Result<User, StoreError> {
        let id = id.clone();
        self.write("remove a user", move |connection| {
            const SQL: &str = "delete from users where id = :id";
            let user = existing(connection, &id)?;
            end_sessions(connection, &id)?;
            connection
                .prepare_cached(SQL)?
                .execute(named_params! { ":id": id.as_str() })?;
            if user.role == Role::Admin && !user.disabled {
                an_admin_is_left(connection)?;
            }
            Ok(user)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::User;
    use super::UserChange;
    use crate::base::clock::UtcMs;
    use crate::base::ids::UserId;
    use crate::store::Store;
    use crate::store::error::StoreError;
    use crate::store::sessions::Session;
    use crate::store::sessions::Whose;
    use crate::store::tokens::Role;

    fn user(name: &str, role: Role) -> User {
        User {
            id: UserId::fresh(),
            name: name.to_owned(),
            role,
            password: "$argon2id$".to_owned(),
            disabled: false,
            created: UtcMs(1),
            modified: UtcMs(1),
            used: None,
        }
    }

    #[tokio::test]
    async fn the_last_admin_stays_in_every_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("state.db")).expect("opens");
        let (anna, otto) = (user("anna", Role::Admin), user("otto", Role::Admin));
        store.add_user(anna.clone()).await.expect("added");
        let demoted = UserChange {
            role: Some(Role::Viewer),
            ..UserChange::default()
        };
        let disabled = UserChange {
            disabled: Some(true),
            ..UserChange::default()
        };
        for change in [demoted.clone(), disabled.clone()] {
            let refused = store.change_user(&anna.id, change, UtcMs(2)).await;
            assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        }
        assert!(matches!(
            store.remove_user(&anna.id).await,
            Err(StoreError::Conflict(_))
        ));
        assert_eq!(store.user(&anna.id).await.expect("is there").role, Role::Admin);
        store.add_user(otto.clone()).await.expect("added");
        store
            .change_user(&otto.id, disabled, UtcMs(2))
            .await
            .expect("another is left");
        let refused = store.remove_user(&anna.id).await;
        assert!(
            matches!(refused, Err(StoreError::Conflict(_))),
            "a disabled admin does not count: {refused:?}"
        );
        store.remove_user(&otto.id).await.expect("a disabled one may go");
        let twice = store.add_user(user("anna", Role::Viewer)).await;
        assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    }

    #[tokio::test]
    async fn a_new_password_ends_every_session() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("state.db")).expect("opens");
        let anna = user("anna", Role::Viewer);
        store.add_user(anna.clone()).await.expect("added");
        let session = Session {
            sha256: "a".to_owned(),
            whose: Whose::User(anna.id.clone()),
            name: String::new(),
            role: Role::Viewer,
            csrf: "c".to_owned(),
            created: UtcMs(10),
            expires: UtcMs(100),
            used: UtcMs(10),
        };
        store.open_session(session).await.expect("opened");
        let found = store.session("a", UtcMs(99)).await.expect("reads").expect("is open");
        assert_eq!((found.name.as_str(), found.role), ("anna", Role::Viewer));
        assert_eq!(store.session("a", UtcMs(100)).await.expect("reads"), None, "expired");
        let promoted = UserChange {
            role: Some(Role::Operator),
            ..UserChange::default()
        };
        store.change_user(&anna.id, promoted, UtcMs(11)).await.expect("changed");
        let found = store.session("a", UtcMs(12)).await.expect("reads").expect("is open");
        assert_eq!(found.role, Role::Operator, "a role holds at once");
        let secret = UserChange {
            password: Some("$argon2id$2".to_owned()),
            ..UserChange::default()
        };
        store.change_user(&anna.id, secret, UtcMs(12)).await.expect("changed");
        assert_eq!(store.session("a", UtcMs(13)).await.expect("reads"), None);
    }
}
