//! What the store promises whoever calls `write` and `read`, tried on files.

use super::Store;
use super::error::StoreError;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

struct Temp {
    directory: tempfile::TempDir,
}

impl Temp {
    fn new() -> Self {
        Temp {
            directory: tempfile::tempdir().expect("temp dir"),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("reelmill.db")
    }

    fn open(&self) -> Store {
        Store::open(&self.path()).expect("open")
    }
}

async fn note(store: &Store, name: &'static str, value: &'static str) -> Result<(), StoreError> {
    store
        .write("note", move |connection| {
            connection.execute("insert into meta (name, value) values (?1, ?2)", [name, value])?;
            Ok(())
        })
        .await
}

async fn noted(store: &Store, name: &'static str) -> i64 {
    store
        .read("noted", move |connection| {
            Ok(connection.query_row("select count(*) from meta where name = ?1", [name], |row| row.get(0))?)
        })
        .await
        .expect("read")
}

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
    let temp = Temp::new();
    let store = temp.open();
    note(&store, "a", "1").await.expect("write");
    store.close().await;
    assert!(matches!(note(&store, "b", "1").await, Err(StoreError::Closed { .. })));
    drop(store);
    let store = temp.open();
    assert_eq!((noted(&store, "a").await, noted(&store, "b").await), (1, 0));
    assert_eq!(store.form_differences().await.expect("compare"), Vec::<String>::new());
}

#[tokio::test]
async fn the_file_of_a_stopped_daemon_is_whole_without_its_log() {
    let temp = Temp::new();
    let store = temp.open();
    note(&store, "a", "1").await.expect("write");
    // A reader that is still open keeps SQLite from taking the log away.
    assert_eq!(noted(&store, "a").await, 1);
    store.close().await;
    let log = temp.directory.path().join("reelmill.db-wal");
    assert_eq!(std::fs::metadata(&log).map_or(0, |log| log.len()), 0);
    let moved = temp.directory.path().join("moved.db");
    std::fs::copy(temp.path(), &moved).expect("copied");
    let moved = Store::open(&moved).expect("open");
    assert_eq!(noted(&moved, "a").await, 1);
}

#[tokio::test]
async fn database_log_and_copies_are_their_owners_alone() {
    let temp = Temp::new();
    let store = temp.open();
    note(&store, "a", "1").await.expect("write");
    let copy = temp.directory.path().join("copy.db");
    store.backup(&copy).await.expect("backup");
    let again = store.backup(&copy).await.expect_err("a file that is there stays");
    assert!(again.to_string().contains("the file exists"), "{again}");
    for name in ["reelmill.db", "reelmill.db-wal", "copy.db"] {
        let file = std::fs::metadata(temp.directory.path().join(name)).expect(name);
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
    drop(store);
    assert_eq!(noted(&Store::open(&copy).expect("open"), "a").await, 1);
}

#[tokio::test]
async fn a_knock_comes_after_what_was_queued_before_it_and_is_no_change() {
    let temp = Temp::new();
    let store = temp.open();
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let busy = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .write("hold", move |_| {
                    held.recv().map_err(|_| StoreError::Closed { operation: "hold" })
                })
                .await
        }
    });
    while store.changed().has_changed().is_ok() && !busy.is_finished() {
        let knocked = tokio::time::timeout(std::time::Duration::from_millis(50), store.knock()).await;
        // The writer may not have begun to hold at the first knocks.
        if knocked.is_err() {
            break;
        }
    }
    assert!(!busy.is_finished());
    let_go.send(()).expect("it waits");
    busy.await.expect("no panic").expect("held");
    // Whatever was written before is told by the time a knock is answered.
    store.knock().await.expect("answered");
    let groups = *store.changed().borrow();
    store.knock().await.expect("answered");
    assert_eq!(*store.changed().borrow(), groups, "nothing was written");
    store.close().await;
    assert!(matches!(store.knock().await, Err(StoreError::Closed { .. })));
}

#[tokio::test]
async fn one_failing_member_of_a_group_undoes_itself_alone() {
    let temp = Temp::new();
    let store = temp.open();
    // The first holds the writer until the others have queued behind it, so that they share one transaction.
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let first = store.write("hold", move |_| {
        let _ = held.recv();
        Ok(())
    });
    let fails = store.write("fails", |connection| -> Result<(), StoreError> {
        connection.execute("insert into meta (name, value) values ('half', '1')", [])?;
        connection.execute("insert into nowhere values (1)", [])?;
        Ok(())
    });
    let panics = store.write("panics", |connection| -> Result<(), StoreError> {
        connection.execute("insert into meta (name, value) values ('panic', '1')", [])?;
        panic!("on purpose")
    });
    let release = async {
        tokio::task::yield_now().await;
        hold.send(()).expect("the writer waits");
    };
    let (first, before, fails, panics, after, ()) = tokio::join!(
        first,
        note(&store, "before", "1"),
        fails,
        panics,
        note(&store, "after", "1"),
        release
    );
    first.expect("hold");
    before.expect("before");
    after.expect("after");
    assert!(
        matches!(fails, Err(StoreError::Sqlite { operation: "fails", .. })),
        "{fails:?}"
    );
    assert!(
        matches!(&panics, Err(StoreError::Bug { cause, .. }) if cause == "on purpose"),
        "{panics:?}"
    );
    let found = (
        noted(&store, "before").await,
        noted(&store, "half").await,
        noted(&store, "panic").await,
        noted(&store, "after").await,
    );
    assert_eq!(found, (1, 0, 0, 1));
}

#[tokio::test]
async fn a_transaction_that_sqlite_gave_up_is_reported_to_every_member() {
    let temp = Temp::new();
    let store = temp.open();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let first = store.write("hold", move |connection| {
        let _ = held.recv();
        connection.execute("insert into meta (name, value) values ('first', '1')", [])?;
        Ok(())
    });
    // As SQLite does by itself on a full disk.
    let gives_up = store.write("gives up", |connection| Ok(connection.execute_batch("rollback")?));
    let release = async {
        tokio::task::yield_now().await;
        hold.send(()).expect("the writer waits");
    };
    let (first, gives_up, after, ()) = tokio::join!(first, gives_up, note(&store, "after", "1"), release);
    assert!(
        matches!(first, Err(StoreError::Undone { operation: "hold", .. })),
        "{first:?}"
    );
    gives_up.expect_err("its transaction is gone");
    after.expect("the next one gets a transaction of its own");
    assert_eq!((noted(&store, "first").await, noted(&store, "after").await), (0, 1));
}

#[tokio::test]
async fn readers_cannot_write() {
    let temp = Temp::new();
    let store = temp.open();
    let result = store
        .read("sneak", |connection| Ok(connection.execute("delete from meta", [])?))
        .await;
    assert!(matches!(result, Err(StoreError::Sqlite { .. })), "{result:?}");
    assert_eq!(noted(&store, "instance").await, 1);
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let temp = Temp::new();
    let _store = temp.open();
    // The lock belongs to the open file, so a second open in this process meets it as another process would.
    let second = Store::open(&temp.path());
    assert!(matches!(second, Err(StoreError::Refused(fault)) if fault.code == "StateInUse"));
}

#[tokio::test]
async fn backs_itself_up_once_whole() {
    let temp = Temp::new();
    let store = temp.open();
    note(&store, "kept", "1").await.expect("write");
    let to = temp.directory.path().join("copy.db");
    store.backup(&to).await.expect("backup");
    note(&store, "later", "1").await.expect("write");
    store.backup(&to).await.expect_err("the file exists");
    let copy = Store::open(&to).expect("the copy is a database of ours");
    assert_eq!((noted(&copy, "kept").await, noted(&copy, "later").await), (1, 0));
}
