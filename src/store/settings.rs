//! How connections are set up, with the reason of each setting.
//!
//! Guarantees: the same for every connection of a kind. Deliberately absent: settings of the file itself that SQLite
//! remembers, but for the two that only a new file can take.

use rusqlite::Connection;
use std::time::Duration;

/// How long to wait for a lock that only a backup tool or a shell can hold: there is one writer.
const BUSY: Duration = Duration::from_secs(10);

/// The writing connection. `page_size` and `auto_vacuum` take effect on a new file only.
pub(super) fn writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(256);
    // Must come before the first table: it decides the file's layout. Freed pages go back in small steps when idle.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    // Readers never wait for the writer.
    let mode: String = connection.query_row("pragma journal_mode = wal", [], |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(
            mode,
            "the file system does not take a write-ahead log; the database is slower"
        );
    }
    // An answered commit survives a power cut. Group commit pays for it.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Checkpoints: every 16 MiB of log while busy, wholly when idle (`writer::tidy`); a log that grew under a long
    // reader is cut back to 64 MiB.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // Given back when idle (`writer::tidy`); what does not fit is in the kernel's cache.
    connection.pragma_update(None, "cache_size", -8_192)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // Schema objects cannot call dangerous functions even if the file was tampered with.
    connection.pragma_update(None, "trusted_schema", false)
}

/// A reading connection.
pub(super) fn reader(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "query_only", true)?;
    // Enough for one list: every commit of the writer makes the pages of a cache stale, and the kernel has them too.
    connection.pragma_update(None, "cache_size", -512)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "trusted_schema", false)
}
