//! A failure as people and receivers see it: what was being done, to what, why it failed, what to do.
//!
//! Guarantees: survives serialisation unchanged, so a fault raised in a worker reads the same in the database,
//! in an event, in the API and on the command line. Deliberately absent: error types of libraries; each module
//! turns its own into a fault where it gives up.

use serde::Deserialize;
use serde::Serialize;

/// Whose doing it was; decides what a retry may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// The source itself: trying again with the same bytes cannot help.
    Source,
    /// The definition or the request.
    Request,
    /// Disk, memory, network, mount, device: may heal.
    Host,
    /// Ours.
    Bug,
}

/// One failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{operation} of {subject} failed: {cause}. {remedy}")]
pub struct Fault {
    /// Stable name for programs, CamelCase: `SourceTruncated`, `OutputDiskFull`.
    pub code: String,
    /// What was being done: `probe`, `decode`, `publish`.
    pub operation: String,
    /// To which object, file, stream or key.
    pub subject: String,
    /// Why it failed, without a closing full stop.
    pub cause: String,
    /// What the reader can do, a sentence with its full stop.
    pub remedy: String,
    /// Whose doing.
    pub blame: Blame,
    /// Whether the same attempt may succeed later.
    pub retryable: bool,
}

impl Fault {
    /// A fault of the given blame; `Host` ones are retryable, the others are not.
    pub fn new(
        code: &str,
        blame: Blame,
        operation: &str,
        subject: impl Into<String>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Fault {
            code: code.to_owned(),
            operation: operation.to_owned(),
            subject: subject.into(),
            cause: cause.into(),
            remedy: remedy.into(),
            blame,
            retryable: blame == Blame::Host,
        }
    }

    /// The same fault with the given answer to "can a retry help?".
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }
}
