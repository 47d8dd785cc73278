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

/// Wakes everybody who waits, and nobody later: for requests that wait for something to end.
#[derive(Debug, Clone, Default)]
pub struct Gong(Arc<Notify>);

impl Gong {
    /// Wakes all who listen now.
    pub fn strike(&self) {
        self.0.notify_waiters();
    }

    /// Looks until there is something to see or the time is up; looks again at every stroke. A stroke during a look
    /// is not missed.
    pub async fn until<T, F: Future<Output = Option<T>>>(
        &self,
        limit: std::time::Duration,
        mut look: impl FnMut() -> F,
    ) -> Option<T> {
        let end = tokio::time::Instant::now() + limit;
        loop {
            let stroke = self.0.notified();
            tokio::pin!(stroke);
            stroke.as_mut().enable();
            if let Some(seen) = look().await {
                return Some(seen);
            }
            if tokio::time::timeout_at(end, stroke).await.is_err() {
                return look().await;
            }
        }
    }
}

/// The bells of the daemon, one a loop.
#[derive(Debug, Clone, Default)]
pub struct Bells {
    /// Arrivals were written, jobs became ready, an intent (cancel, retry) was written: the scheduler.
    pub scheduler: Bell,
    /// Events were written: the dispatcher of deliveries.
    pub callback: Bell,
    /// An upload became whole, a pull was asked for or cancelled: who brings files into the library.
    pub inlet: Bell,
    /// Struck when an upload or a pull ended.
    pub landed: Gong,
    /// Storages or workflows changed: the triggers.
    pub trigger: Bell,
    /// Media are to be deleted: the keeper of the library.
    pub library: Bell,
}
