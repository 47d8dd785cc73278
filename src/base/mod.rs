//! Vocabulary with no domain: ids, time, faults, bells, back-off.
//!
//! Guarantees: depends on nothing else of this crate. Deliberately absent: everything that knows what a task is.

pub mod address;
pub mod backoff;
pub mod bundle;
pub mod clock;
pub mod fault;
pub mod file_system;
pub mod groups;
pub mod http_client;
pub mod ids;
pub mod json_text;
pub mod program;
pub mod progress_board;
pub mod pulse;
pub mod reader;
pub mod sealed;
pub mod trust;
pub mod wake;
