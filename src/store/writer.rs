//! The one writer: a thread that owns the only connection that writes, and commits in groups.
//!
//! Callers queue closures; the thread runs all that wait in one transaction, each in a savepoint of its own, commits
//! once (one fsync for the group) and only then answers. Guarantees: an answer `Ok` means on disk; a closure that
//! fails or panics undoes itself and nobody else; when SQLite gives up the whole transaction, every member is told
//! so. Deliberately absent: retries of closures (they are `FnOnce`; the caller decides), and reading.

use super::error::StoreError;
use rusqlite::Connection;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::watch;

/// Most closures in one transaction: bounds the latency of the first.
const GROUP_MAX: usize = 512;
/// Quiet time after which the log is folded into the database file and free pages are given back.
const TIDY_AFTER: Duration = Duration::from_secs(20);

/// Tells the caller how its closure ended, once that is final: `Ok` after the commit.
pub(super) type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// What a caller wants done inside the transaction.
pub(super) type Work = Box<dyn FnOnce(&Connection) -> Result<(), StoreError> + Send>;

/// One queued closure.
pub(super) struct Write {
    pub operation: &'static str,
    /// Runs inside a savepoint. What it returns to the caller travels in its reply. None: nothing is to be written, and
    /// the reply says only that everything queued before it is done.
    pub run: Option<Work>,
    pub reply: Reply,
}

/// The thread's body: serves until every sender is gone, then folds the log and closes.
pub(super) fn serve(mut connection: Connection, queue: &Receiver<Write>, changed: &watch::Sender<u64>) {
    let mut tidy_at = Some(Instant::now() + TIDY_AFTER);
    loop {
        let first = if let Some(at) = tidy_at {
            match queue.recv_timeout(at.saturating_duration_since(Instant::now())) {
                Ok(write) => write,
                Err(RecvTimeoutError::Timeout) => {
                    tidy(&connection);
                    tidy_at = None;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        } else {
            match queue.recv() {
                Ok(write) => write,
                Err(_) => break,
            }
        };
        // A knock alone leaves nothing to tidy and nothing to look at.
        if first.run.is_none() {
            (first.reply)(Ok(()));
            continue;
        }
        tidy_at = Some(Instant::now() + TIDY_AFTER);
        let mut group = Vec::with_capacity(16);
        group.push(first);
        while group.len() < GROUP_MAX {
            match queue.try_recv() {
                Ok(write) => group.push(write),
                Err(_) => break,
            }
        }
        run_group(&mut connection, group);
        // Told after the fact, whether or not it changed anything: who looks finds out.
        changed.send_modify(|groups| *groups += 1);
    }
    tidy(&connection);
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "database did not close cleanly; its log is replayed at the next start");
    }
}

/// Runs a group: one transaction, or several when SQLite gives one up on the way.
fn run_group(connection: &mut Connection, group: Vec<Write>) {
    // Closures that ran well and wait for the commit.
    let mut pending: Vec<(&'static str, Reply)> = Vec::new();
    for write in group {
        if connection.is_autocommit()
            && let Err(error) = connection.execute_batch("begin immediate")
        {
            (write.reply)(Err(StoreError::from(error).of(write.operation)));
            continue;
        }
        let Some(run) = write.run else {
            pending.push((write.operation, write.reply));
            continue;
        };
        match run_one(connection, run, write.operation) {
            Ok(()) => pending.push((write.operation, write.reply)),
            Err(error) => {
                if connection.is_autocommit() {
                    undo(&mut pending, &error.to_string());
                }
                (write.reply)(Err(error));
            }
        }
    }
    if connection.is_autocommit() {
        return;
    }
    match connection.execute_batch("commit") {
        Ok(()) => {
            for (_, reply) in pending {
                reply(Ok(()));
            }
        }
        Err(error) => {
            // After a failed commit the transaction may still be open; nothing of it may survive an error answer.
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("rollback");
            }
            undo(&mut pending, &error.to_string());
        }
    }
}

/// Runs one closure in its savepoint.
fn run_one(connection: &Connection, run: Work, operation: &'static str) -> Result<(), StoreError> {
    connection
        .execute_batch("savepoint member")
        .map_err(|error| StoreError::from(error).of(operation))?;
    let result = match catch_unwind(AssertUnwindSafe(|| run(connection))) {
        Ok(result) => result.map_err(|error| error.of(operation)),
        Err(panic) => Err(StoreError::Bug {
            operation,
            cause: panic_text(panic.as_ref()),
        }),
    };
    // SQLite may have rolled everything back by itself (disk full): then there is no savepoint any more.
    if connection.is_autocommit() {
        return Err(match result {
            Err(error) => error,
            Ok(()) => StoreError::Undone {
                operation,
                cause: "the transaction was rolled back".to_owned(),
            },
        });
    }
    let end = if result.is_ok() {
        "release member"
    } else {
        "rollback to member; release member"
    };
    match connection.execute_batch(end) {
        Ok(()) => result,
        Err(error) => {
            let _ = connection.execute_batch("rollback");
            result.and(Err(StoreError::from(error).of(operation)))
        }
    }
}

/// Tells every member of a lost transaction.
fn undo(pending: &mut Vec<(&'static str, Reply)>, cause: &str) {
    for (operation, reply) in pending.drain(..) {
        reply(Err(StoreError::Undone {
            operation,
            cause: cause.to_owned(),
        }));
    }
}

/// Folds the write-ahead log into the database file, and gives free pages and memory back. Failure costs nothing but
/// space.
fn tidy(connection: &Connection) {
    connection.flush_prepared_statement_cache();
    for pragma in [
        "pragma incremental_vacuum(2000)",
        "pragma optimize",
        // After everything that writes: whoever copies or moves the file of a stopped daemon has it whole.
        "pragma wal_checkpoint(truncate)",
        "pragma shrink_memory",
    ] {
        let run = || -> rusqlite::Result<()> {
            let mut statement = connection.prepare(pragma)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            Ok(())
        };
        if let Err(error) = run() {
            tracing::debug!(pragma, %error, "database upkeep was put off");
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_owned())
}
