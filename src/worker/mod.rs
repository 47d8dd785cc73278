//! One attempt = one child process: this binary run again as `reelmill worker`.
//!
//! Guarantees: a crash, hang or memory blow-up of an attempt is a failed attempt, never an outage. Deliberately
//! absent: the database, storages, the network.

pub mod escape;
pub mod protocol;
pub mod sandbox;
mod syscalls;
