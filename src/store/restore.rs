//! Putting a backup in the place of the database, while no daemon runs.
//!
//! Guarantees: the backup is copied, checked and brought to this program's form before anything is replaced; the old
//! database is kept beside the new one; a database that is open is refused; what root restores belongs to the daemon's
//! user. Deliberately absent: making backups, which [`Store::backup`](super::Store::backup) does.

use super::SCHEMA;
use super::error::StoreError;
use super::host_fault;
use super::lock;
use super::refuse_network;
use super::settings;
use super::upgrade;
use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use rusqlite::Connection;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

/// Names SQLite gives to the files beside a database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Makes a copy of `from` the database at `to`. Returns where the old database went, if there was one. If the process
/// dies, either the old one is in its place, or it lies beside under the name that would have been returned and the
/// whole new one under `TO.restoring`.
///
/// # Errors
/// `to` is open in another process, `from` is not a whole database of ours, or a file cannot be written.
pub fn restore(from: &Path, to: &Path, now: UtcMs) -> Result<Option<PathBuf>, StoreError> {
    let directory = to.parent().unwrap_or(Path::new("."));
    refuse_network(directory)?;
    let _lock = lock(to)?;
    let fresh = with_ending(to, ".restoring");
    for ending in ["", "-wal", "-shm"] {
        let stale = with_ending(&fresh, ending);
        if stale.exists() {
            std::fs::remove_file(&stale).map_err(|error| host_fault("restore", &stale, &error))?;
        }
    }
    std::fs::copy(from, &fresh).map_err(|error| host_fault("restore", from, &error))?;
    if let Err(error) = bring_up(&fresh) {
        let _ = std::fs::remove_file(&fresh);
        return Err(match error {
            StoreError::Refused(fault) => StoreError::Refused(fault),
            other => not_ours(from, &other.to_string()),
        });
    }
    let sync = |path: &Path| {
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(|error| host_fault("restore", path, &error))
    };
    hand_over(directory, &[&fresh, &with_ending(to, ".lock")])?;
    sync(&fresh)?;
    let old = to
        .exists()
        .then(|| with_ending(to, &format!(".before-restore-{}", now.0)));
    if let Some(old) = &old {
        fold_log(to);
        for ending in BESIDE {
            let file = with_ending(to, ending);
            if file.exists() {
                let aside = with_ending(old, ending);
                std::fs::rename(&file, &aside).map_err(|error| host_fault("restore", &file, &error))?;
            }
        }
        std::fs::rename(to, old).map_err(|error| host_fault("restore", to, &error))?;
    }
    std::fs::rename(&fresh, to).map_err(|error| host_fault("restore", &fresh, &error))?;
    sync(directory)?;
    Ok(old)
}

/// Gives what was made here to the owner of the state directory: whoever restores is often root, and the daemon is not.
fn hand_over(directory: &Path, made: &[&Path]) -> Result<(), StoreError> {
    let owner = |path: &Path| -> Result<(u32, u32), StoreError> {
        let found = std::fs::metadata(path).map_err(|error| host_fault("restore", path, &error))?;
        Ok((found.uid(), found.gid()))
    };
    let (user, group) = owner(directory)?;
    for path in made {
        if owner(path)? != (user, group) {
            std::os::unix::fs::chown(path, Some(user), Some(group))
                .map_err(|error| host_fault("restore", path, &error))?;
        }
    }
    Ok(())
}

/// Checks a copy and gives it the form of this program.
fn bring_up(copy: &Path) -> Result<(), StoreError> {
    let connection = Connection::open(copy)?;
    // Before anything that would turn an empty or foreign file into a database of ours.
    let ours: i64 = connection.query_row("select count(*) from meta where name = 'instance'", [], |row| {
        row.get(0)
    })?;
    let whole: String = connection.query_row("pragma quick_check", [], |row| row.get(0))?;
    if ours != 1 || whole != "ok" {
        return Err(StoreError::unreadable(whole));
    }
    settings::writer(&connection)?;
    upgrade::bring_up(&connection, copy, SCHEMA, upgrade::STEPS, upgrade::PRESENT)?;
    connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error.into())
}

/// Moves what a killed daemon left in the log into the old database, so that the kept file is whole by itself. A
/// database that cannot be opened any more is kept as it is.
fn fold_log(to: &Path) {
    if let Ok(connection) = Connection::open(to) {
        let _ = connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()));
    }
}

fn not_ours(from: &Path, cause: &str) -> StoreError {
    StoreError::Refused(Fault::new(
        "NotABackup",
        Blame::Request,
        "restore",
        from.display().to_string(),
        format!("it is not a whole database of reelmill: {cause}"),
        "Name a file that `reelmill backup` made.",
    ))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::restore;
    use crate::base::clock::UtcMs;
    use crate::store::Store;
    use crate::store::error::StoreError;

    #[tokio::test]
    async fn a_backup_comes_back_and_the_old_state_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let (database, copy) = (folder.path().join("reelmill.db"), folder.path().join("copy.db"));
        let audited = |store: Store| async move {
            store
                .read("count", |connection| {
                    Ok(connection.query_row("select count(*) from audit", [], |row| row.get::<_, i64>(0))?)
                })
                .await
                .expect("reads")
        };
        let store = Store::open(&database).expect("opens");
        store
            .note_by_hand("me", "before", "x", None, UtcMs(1))
            .await
            .expect("noted");
        store.backup(&copy).await.expect("copied");
        store
            .note_by_hand("me", "after", "x", None, UtcMs(2))
            .await
            .expect("noted");
        assert!(
            matches!(restore(&copy, &database, UtcMs(3)), Err(StoreError::Refused(_))),
            "a database in use is left alone"
        );
        store.close().await;
        drop(store);
        let old = restore(&copy, &database, UtcMs(3))
            .expect("restores")
            .expect("there was one");
        assert_eq!(audited(Store::open(&database).expect("opens")).await, 1);
        assert_eq!(audited(Store::open(&old).expect("opens")).await, 2);
    }

    #[test]
    fn a_file_that_is_no_backup_replaces_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (database, other) = (folder.path().join("reelmill.db"), folder.path().join("other"));
        for content in ["", "not a database at all, but long enough to be looked at"] {
            std::fs::write(&other, content).expect("written");
            assert!(restore(&other, &database, UtcMs(1)).is_err());
            assert!(!database.exists());
        }
    }
}
