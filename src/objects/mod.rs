//! Where bytes come from and go: storages and the objects in them.
//!
//! Guarantees: everything read or written lies in a registered storage. Deliberately absent: tasks and SQL.

pub mod browse;
pub mod companions;
pub mod content_type;
pub mod crawl;
mod directory;
pub mod ground;
pub mod ignored;
pub mod incoming;
pub mod inflow;
pub mod lane;
pub mod likeness;
pub mod local;
pub mod mounts;
pub mod name_rules;
pub mod pool;
pub mod pulse;
pub mod refusal;
pub mod rights;
pub mod s3;
pub mod scan;
pub mod sieve;
pub mod storages;
pub mod transfer;
pub mod uri;
pub mod walk;
