//! How the loops that never import one another wake each other: named bells.
//!
//! Guarantees: a ring is never lost (a loop that is busy finds it when it next waits). Deliberately absent:
//! any content; a woken loop reads the store, so the path after a crash is the path of every day.

use std::sync::Arc;
use tokio::sync::Notify;

/// One bell a loop listens to.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Wakes the listener now, or makes its next `wait` return at once.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Returns when rung.
    pub async fn wait(&self) {
        self.0.notified().await;
    }

    /// Returns when rung or when the time is up.
    pub async fn wait_at_most(&self, limit: std::time::Duration) {
        let _ = tokio::time::timeout(limit, self.wait()).await;
    }
}

/// The bells of the daemon, one a loop.
#[derive(Debug, Clone, Default)]
pub struct Bells {
    /// Arrivals were written, jobs became ready, an intent (cancel, retry) was written: the scheduler.
    pub scheduler: Bell,
    /// Events were written: the dispatcher of deliveries.
    pub callback: Bell,
    /// Storages or workflows changed: the triggers.
    pub trigger: Bell,
    /// Media are to be deleted: the keeper of the library.
    pub library: Bell,
}
