//! The sign of life of a long file operation on another thread.
//!
//! Guarantees: whoever waits can tell a slow storage (it beats) from a hung one (it does not), and can ask the
//! operation to end at its next step. Deliberately absent: time; the waiter has the clock.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Shared by the thread that works and the one that waits for it.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<State>);

#[derive(Debug, Default)]
struct State {
    beats: AtomicU64,
    abandoned: AtomicBool,
    whole: Option<Pulse>,
}

impl Pulse {
    /// One whose beats count for `whole` too.
    pub fn within(whole: &Pulse) -> Self {
        Pulse(Arc::new(State {
            whole: Some(whole.clone()),
            ..State::default()
        }))
    }

    /// Says "still at it"; fails when nobody waits any more.
    pub fn beat(&self) -> std::io::Result<()> {
        self.0.beats.fetch_add(1, Ordering::Relaxed);
        if let Some(whole) = &self.0.whole {
            whole.0.beats.fetch_add(1, Ordering::Relaxed);
        }
        if self.0.abandoned.load(Ordering::Relaxed) {
            return Err(std::io::Error::other("given up: the storage took too long"));
        }
        Ok(())
    }

    /// How often it said so.
    pub fn beats(&self) -> u64 {
        self.0.beats.load(Ordering::Relaxed)
    }

    /// Makes the next beat fail.
    pub fn abandon(&self) {
        self.0.abandoned.store(true, Ordering::Relaxed);
    }
}
