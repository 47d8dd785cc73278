//! How long a callback waits for what.
//!
//! Guarantees: the defaults are the contract with receivers. Deliberately absent: counting and waiting, which the outbox
//! does.

use std::time::Duration;

/// Time limits and waits; the defaults are the contract, others are for tests.
#[derive(Debug, Clone)]
pub struct Pace {
    /// A try must be answered within it.
    pub timeout: Duration,
    /// Wait after the first failure, doubled with each.
    pub first_ms: i64,
    /// Longest wait.
    pub ceiling_ms: i64,
    /// Tried for so long, then a dead letter.
    pub give_up_ms: i64,
    /// `retry = "ims"`: a try must be answered within it.
    pub ims_timeout: Duration,
    /// `retry = "ims"`: wait between tries.
    pub ims_wait_ms: i64,
    /// `retry = "ims"`: tries.
    pub ims_tries: u32,
    /// Looks into the store at least so often, rung or not.
    pub look_every: Duration,
    /// Tries to one receiver at once, once it has accepted one.
    pub width: usize,
    /// At a stop, tries under way get so long to end.
    pub grace: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            timeout: Duration::from_secs(10),
            first_ms: 1_000,
            ceiling_ms: 15 * 60 * 1_000,
            give_up_ms: 72 * 60 * 60 * 1_000,
            ims_timeout: Duration::from_secs(3),
            ims_wait_ms: 1_000,
            ims_tries: 3,
            look_every: Duration::from_secs(30),
            width: 8,
            grace: Duration::from_secs(3),
        }
    }
}
