//! What a look at an object found: the object itself, and what lies beside it and speaks of it.
//!
//! Guarantees: plain data. Deliberately absent: looking (`look`, `beside`), and what it means (`settle`).

use crate::trigger::checksum::Claim;
use crate::workflow::arrival::SideText;
use crate::workflow::arrival::SidecarOrder;
use crate::workflow::waiting::Waits;

/// What a look found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sight {
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Hash of the last bytes; none: not read, or not readable.
    pub tail: Option<u64>,
    /// What its container says is missing, as far as that can be told; looked at only when asked for.
    pub unfinished: Option<String>,
    /// Why it cannot be read.
    pub unreadable: Option<String>,
    /// What lies beside it and speaks of it; looked at only when asked for.
    pub beside: Beside,
}

/// What lies beside an object and speaks of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Beside {
    /// Hash of the identities of those files: while they change, nothing is taken.
    pub stamp: u64,
    /// What is missing before it may run.
    pub obstacle: Option<Waits>,
    /// What it must be compared with before it may run.
    pub claim: Option<Claim>,
    /// Its subtitles.
    pub subtitles: Vec<SideText>,
    /// How it is to be run.
    pub order: Option<SidecarOrder>,
}
