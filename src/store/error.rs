//! What can go wrong in the store.
//!
//! Guarantees: says whether the caller (not found, conflict, illegal change) or the host (disk, SQLite) is at fault.
//! Deliberately absent: HTTP statuses, which `web` gives to each kind in one place.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::workflow::status::IllegalChange;

/// A failed store operation.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such row.
    #[error("there is no {noun} {id}")]
    NotFound {
        /// What was looked for.
        noun: &'static str,
        /// By which id, name or key.
        id: String,
    },
    /// The row exists, but not in the state the change needs; says which.
    #[error("{0}")]
    Conflict(String),
    /// The status table has no such change.
    #[error(transparent)]
    Illegal(#[from] IllegalChange),
    /// SQLite failed.
    #[error("{operation}: {source}")]
    Sqlite {
        /// The store operation.
        operation: &'static str,
        /// SQLite's answer.
        source: rusqlite::Error,
    },
    /// A row holds what this program does not understand.
    #[error("{operation}: unreadable row: {cause}")]
    Unreadable {
        /// The store operation.
        operation: &'static str,
        /// What was found.
        cause: String,
    },
    /// The operation panicked; its changes were undone.
    #[error("{operation}: a bug stopped it: {cause}")]
    Bug {
        /// The store operation.
        operation: &'static str,
        /// The panic's message.
        cause: String,
    },
    /// The transaction it shared was undone by SQLite (disk full, I/O error); nothing of it holds.
    #[error("{operation}: undone with its transaction: {cause}")]
    Undone {
        /// The store operation.
        operation: &'static str,
        /// Why SQLite gave the transaction up.
        cause: String,
    },
    /// The store is closing.
    #[error("{operation}: the database is being closed")]
    Closed {
        /// The store operation.
        operation: &'static str,
    },
    /// The database cannot be opened at all; the fault says why and what to do.
    #[error(transparent)]
    Refused(#[from] Fault),
}

/// Operation of errors that have not reached [`StoreError::of`] yet.
const UNNAMED: &str = "database";

impl StoreError {
    /// The same error with the operation it befell, where it does not say one yet.
    pub(crate) fn of(self, name: &'static str) -> Self {
        match self {
            StoreError::Sqlite { operation, source } if operation == UNNAMED => StoreError::Sqlite {
                operation: name,
                source,
            },
            StoreError::Unreadable { operation, cause } if operation == UNNAMED => {
                StoreError::Unreadable { operation: name, cause }
            }
            other => other,
        }
    }

    /// No such `noun`.
    pub fn not_found(noun: &'static str, id: impl Into<String>) -> Self {
        StoreError::NotFound { noun, id: id.into() }
    }

    /// A row that cannot be read, with what was found.
    pub(crate) fn unreadable(cause: impl Into<String>) -> Self {
        StoreError::Unreadable {
            operation: UNNAMED,
            cause: cause.into(),
        }
    }

    /// As a fault of `subject`, for where it leaves the program's loops.
    pub fn fault(&self, subject: impl Into<String>) -> Fault {
        let (code, blame, remedy) = match self {
            StoreError::NotFound { .. } => ("NotFound", Blame::Request, "Check the id."),
            StoreError::Conflict(_) | StoreError::Illegal(_) => {
                ("Conflict", Blame::Request, "Look at its present status and ask again.")
            }
            StoreError::Refused(fault) => return fault.clone(),
            StoreError::Sqlite { .. } | StoreError::Undone { .. } => (
                "DatabaseFailed",
                Blame::Host,
                "Check that the state directory is writable and its disk is not full.",
            ),
            StoreError::Closed { .. } => ("DatabaseClosed", Blame::Host, "Ask again when the daemon has started."),
            StoreError::Unreadable { .. } | StoreError::Bug { .. } => {
                ("DatabaseBug", Blame::Bug, "Report this message with the daemon's log.")
            }
        };
        Fault::new(code, blame, "database", subject, self.to_string(), remedy)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        StoreError::Sqlite {
            operation: UNNAMED,
            source,
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        StoreError::unreadable(error.to_string())
    }
}
