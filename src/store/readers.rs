//! The pool of reading connections.
//!
//! Guarantees: a reader sees one committed state from its first to its last statement; reading never waits for the
//! writer, nor holds it up. Deliberately absent: writing; the connections refuse it.

use super::error::StoreError;
use rusqlite::Connection;
use rusqlite::OpenFlags;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use tokio::sync::Semaphore;

/// Connections kept; also the most reads at once.
const READERS: usize = 4;

/// A small pool.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// A pool for the database at `path`; connections are opened when first wanted.
    pub(super) fn new(path: &Path) -> Self {
        Readers {
            path: path.to_owned(),
            permits: Semaphore::new(READERS),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Waits for a turn. The permit must be held while [`run`](Self::run) runs.
    pub(super) async fn turn(&self, operation: &'static str) -> Result<tokio::sync::SemaphorePermit<'_>, StoreError> {
        self.permits
            .acquire()
            .await
            .map_err(|_| StoreError::Closed { operation })
    }

    /// Runs `f` in one read transaction. Blocks; call it off the async threads.
    pub(super) fn run<T>(
        &self,
        operation: &'static str,
        f: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = match self.take() {
            Some(connection) => connection,
            None => self.open().map_err(|error| StoreError::from(error).of(operation))?,
        };
        let result = connection
            .execute_batch("begin")
            .map_err(StoreError::from)
            .and_then(|()| f(&connection))
            .map_err(|error| error.of(operation));
        // A connection that cannot leave its transaction is dropped, which ends it too.
        if connection.is_autocommit() || connection.execute_batch("rollback").is_ok() {
            self.put(connection);
        }
        result
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(
            &self.path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        super::settings::reader(&connection)?;
        Ok(connection)
    }

    fn take(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(|poison| poison.into_inner()).pop()
    }

    fn put(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
            .push(connection);
    }
}
