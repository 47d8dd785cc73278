//! Sources that lie in buckets, as the worker reads them: ranges asked of the executor over an inherited socket.
//!
//! The worker has no network and no keys. One socket serves all relayed files of an attempt; each has a number
//! (`member` of a request). The worker asks for ranges and the executor answers them in pieces, several at a time
//! and in any order. What is read is kept in blocks within a bound, and read ahead of those who read in a row.
//!
//! Guarantees: only `read` and `write` on one descriptor, so the cage is no wider than for files; any number of threads
//! may read at once; a range that could not be brought ends every read with the executor's own fault, which is kept
//! ([`Line::fault`]) so that an ill endpoint never looks like an ill file. Deliberately absent: keys of objects,
//! addresses, repeats (the executor repeats), time.

mod blocks;
mod bytes;
mod line;
pub mod pulse;
mod reading;
#[cfg(test)]
mod tests;
pub mod wire;

pub use bytes::RelayedBytes;
pub use bytes::RelayedShelf;
pub use line::Line;
