//! Bringing a database of an older program to the present form.
//!
//! Guarantees: a backup stands beside the database before anything changes (`NAME.before-upgrade-N`); each step is
//! one transaction with its version number, so a crash leaves a whole version; a database of a newer program is
//! refused untouched. Deliberately absent: downgrades; the backup is the way back.

pub(super) mod compare;

use super::error::StoreError;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use rusqlite::Connection;
use std::path::Path;
use std::path::PathBuf;

/// The form that `schema.sql` makes, kept in `user_version`.
pub(super) const PRESENT: u32 = 3;

/// One step: brings version `from` to `from + 1`.
pub(super) struct Step {
    /// Version it starts with.
    pub from: u32,
    /// Its statements; they may not commit.
    pub sql: &'static str,
}

/// The steps, oldest first. Each is a file `vN_to_vM.sql` beside this one.
pub(super) const STEPS: &[Step] = &[
    Step {
        from: 1,
        sql: include_str!("v1_to_v2.sql"),
    },
    Step {
        from: 2,
        sql: include_str!("v2_to_v3.sql"),
    },
];

/// Makes a new database, or upgrades one of an older program by `steps` to `present`. `path` names it in messages
/// and gives the backup its place.
pub(super) fn bring_up(
    connection: &Connection,
    path: &Path,
    schema: &str,
    steps: &[Step],
    present: u32,
) -> Result<(), StoreError> {
    let version = version(connection)?;
    if version == 0 {
        if table_count(connection)? > 0 {
            return Err(refused(
                "NotOurDatabase",
                path,
                "it is an SQLite database of another program".to_owned(),
                "Point state_dir to a directory of reelmill's own.",
            ));
        }
        // One transaction: a crash on the way leaves an empty file, which is made again.
        return in_transaction(connection, &format!("{schema}\n;pragma user_version = {present};"));
    }
    if version > present {
        return Err(refused(
            "DowngradeRefused",
            path,
            format!("it was written by a newer reelmill (form {version}, this program knows {present})"),
            "Install the newer version again, or restore the backup that lies beside the database.",
        ));
    }
    if version == present {
        return Ok(());
    }
    let backup = backup_path(path, version);
    if !backup.exists() {
        super::backup_to(connection, &backup)?;
    }
    tracing::info!(from = version, to = present, backup = %backup.display(), "upgrading the database");
    for from in version..present {
        let step = steps.iter().find(|step| step.from == from).ok_or_else(|| {
            refused(
                "UpgradeMissing",
                path,
                format!("this program has no way from form {from} to {}", from + 1),
                "Upgrade through an older release first.",
            )
        })?;
        in_transaction(
            connection,
            &format!("{}\n;pragma user_version = {};", step.sql, from + 1),
        )?;
    }
    Ok(())
}

/// `user_version` of the database.
pub(super) fn version(connection: &Connection) -> Result<u32, StoreError> {
    Ok(connection.query_row("pragma user_version", [], |row| row.get(0))?)
}

fn backup_path(path: &Path, version: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-upgrade-{version}"));
    PathBuf::from(name)
}

fn table_count(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?)
}

fn in_transaction(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.execute_batch("begin immediate")?;
    match connection
        .execute_batch(sql)
        .and_then(|()| connection.execute_batch("commit"))
    {
        Ok(()) => Ok(()),
        Err(error) => {
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("rollback");
            }
            Err(StoreError::from(error).of("upgrade"))
        }
    }
}

fn refused(code: &str, path: &Path, cause: String, remedy: &str) -> StoreError {
    let blame = Blame::Request;
    StoreError::Refused(Fault::new(
        code,
        blame,
        "open the database",
        path.display().to_string(),
        cause,
        remedy,
    ))
}

#[cfg(test)]
mod tests {
    use super::PRESENT;
    use super::STEPS;
    use super::Step;
    use super::bring_up;
    use super::compare::differences;
    use super::version;
    use crate::store::SCHEMA;
    use crate::store::error::StoreError;
    use rusqlite::Connection;

    const OLD: &str = "create table a (id integer primary key) strict;";
    const NEW: &str = "create table a (id integer primary key) strict; create table b (id integer primary key) strict;";

    /// Older forms of schema.sql with their versions: every one must upgrade to exactly what a new database has.
    const PAST: &[(u32, &str)] = &[(1, include_str!("v1.sql")), (2, include_str!("v2.sql"))];

    #[test]
    fn every_past_form_upgrades_to_the_present_one() {
        assert_eq!(PAST.len(), STEPS.len(), "keep the old schema.sql of every step");
        assert_eq!(STEPS.len() as u32 + 1, PRESENT, "a new form needs its step");
        let fresh = Connection::open_in_memory().expect("memory");
        fresh.execute_batch(SCHEMA).expect("schema");
        for (past, sql) in PAST {
            let directory = tempfile::tempdir().expect("temp dir");
            let path = directory.path().join("old.db");
            let old = Connection::open(&path).expect("open");
            old.execute_batch(sql).expect("old schema");
            old.pragma_update(None, "user_version", past).expect("version");
            bring_up(&old, &path, SCHEMA, STEPS, PRESENT).expect("upgrade");
            assert_eq!(
                differences(&fresh, &old).expect("compare"),
                Vec::<String>::new(),
                "from {past}"
            );
        }
    }

    #[test]
    fn upgrades_after_a_backup_and_equals_a_new_one() {
        let directory = tempfile::tempdir().expect("temp dir");
        let path = directory.path().join("r.db");
        let connection = Connection::open(&path).expect("open");
        bring_up(&connection, &path, OLD, &[], 1).expect("make");
        connection.execute("insert into a values (7)", []).expect("row");
        let steps = [Step {
            from: 1,
            sql: "create table b (id integer primary key) strict",
        }];
        bring_up(&connection, &path, NEW, &steps, 2).expect("upgrade");
        assert_eq!(version(&connection).expect("version"), 2);
        let fresh = Connection::open_in_memory().expect("memory");
        fresh.execute_batch(NEW).expect("schema");
        assert_eq!(differences(&fresh, &connection).expect("compare"), Vec::<String>::new());
        let backup = Connection::open(directory.path().join("r.db.before-upgrade-1")).expect("backup");
        assert_eq!(version(&backup).expect("version"), 1);
        let kept: i64 = backup.query_row("select id from a", [], |row| row.get(0)).expect("row");
        assert_eq!(kept, 7);
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_form() {
        let directory = tempfile::tempdir().expect("temp dir");
        let path = directory.path().join("r.db");
        let connection = Connection::open(&path).expect("open");
        bring_up(&connection, &path, OLD, &[], 1).expect("make");
        let steps = [Step {
            from: 1,
            sql: "create table b (id integer primary key) strict; insert into missing values (1)",
        }];
        bring_up(&connection, &path, NEW, &steps, 2).expect_err("the step is wrong");
        assert_eq!(version(&connection).expect("version"), 1);
        let fresh = Connection::open_in_memory().expect("memory");
        fresh.execute_batch(OLD).expect("schema");
        assert_eq!(differences(&fresh, &connection).expect("compare"), Vec::<String>::new());
    }

    #[test]
    fn refuses_a_newer_one_and_a_strangers() {
        let directory = tempfile::tempdir().expect("temp dir");
        let path = directory.path().join("r.db");
        let connection = Connection::open(&path).expect("open");
        connection.execute_batch("create table t (a)").expect("table");
        let stranger = bring_up(&connection, &path, NEW, &[], 2).expect_err("not ours");
        assert!(matches!(stranger, StoreError::Refused(fault) if fault.code == "NotOurDatabase"));
        connection.pragma_update(None, "user_version", 9).expect("version");
        let newer = bring_up(&connection, &path, NEW, &[], 2).expect_err("newer");
        assert!(matches!(newer, StoreError::Refused(fault) if fault.code == "DowngradeRefused"));
    }
}
