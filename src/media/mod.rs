//! The media engine: an open source and plain specs in; files, facts and proofs out.
//!
//! Guarantees: one pass decodes a source once for everything asked of it; every product has been re-opened and
//! compared before it is handed over; a read error is a failure, whatever libav says. Deliberately absent:
//! tasks, storages, SQLite, HTTP, configuration, tokio.

pub mod av;
pub mod digest;
pub mod error;
pub mod facts;
pub mod ladder;
pub mod limits;
pub mod pass;
pub mod probe;
pub mod product;
pub mod progress;
pub mod spec;
pub mod spec_check;
pub mod tap;
pub mod verify;
pub mod wholeness;
