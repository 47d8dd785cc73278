//! An object as a trigger saw it: what the intake turns into tasks.
//!
//! Guarantees: plain data; two arrivals of a storage with the same key and identity are the same arrival.
//! Deliberately absent: which workflows it starts (`selector`), and how it is remembered (`store::arrivals`).

use crate::base::clock::UtcMs;
use serde::Deserialize;
use serde::Serialize;

/// One object with one content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Its key, in text form.
    pub key: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970; 0 where the storage has none.
    pub mtime_ns: i64,
    /// ETag of S3 objects, else empty.
    pub etag: String,
    /// When it was first seen with this content.
    pub seen_at: UtcMs,
}
