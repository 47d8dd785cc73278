//! Whether a relay is waiting for the endpoint, for whoever watches the worker.
//!
//! Guarantees: counted only while a range is awaited from outside, never while the worker itself is slow to take what
//! came: a worker that hangs is not excused by its relay. Deliberately absent: how long to wait, which the relay knows.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// Shared by the relay and the watcher.
#[derive(Debug, Clone, Default)]
pub struct RelayPulse(Arc<AtomicUsize>);

/// One wait; over when dropped.
#[derive(Debug)]
pub struct Wait(RelayPulse);

impl RelayPulse {
    /// Somebody begins to wait.
    pub fn wait(&self) -> Wait {
        self.0.fetch_add(1, Ordering::Relaxed);
        Wait(self.clone())
    }

    /// Whether anybody waits.
    pub fn is_waiting(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
