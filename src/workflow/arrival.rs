//! An object that a trigger saw settle: what the intake turns into tasks.
//!
//! Guarantees: plain data; two arrivals with the same storage, key and identity are the same arrival. Deliberately
//! absent: which workflows it starts (`selector`), and how it is remembered (`store::arrivals`).

use crate::base::clock::UtcMs;
use crate::objects::uri::ObjectUri;
use serde::Deserialize;
use serde::Serialize;

/// One settled object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Which object.
    pub object: ObjectUri,
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970; 0 where the storage has none.
    pub mtime_ns: i64,
    /// ETag of S3 objects, else empty.
    pub etag: String,
    /// When it was first seen with this content.
    pub seen_at: UtcMs,
    /// When it was found settled.
    pub settled_at: UtcMs,
}
