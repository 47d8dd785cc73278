//! The sign of life of a loop: it beats once a turn, and who watches sees how long ago that was.
//!
//! Guarantees: beating costs two atomic operations and never waits. Deliberately absent: what a silence means; who
//! watches decides.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

/// A loop's pulse. Clones share it.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    made: Instant,
    /// Milliseconds after `made` of the last beat, plus one; 0: it has not begun to beat.
    last: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        Pulse(Arc::new(Shared {
            made: Instant::now(),
            last: AtomicU64::new(0),
        }))
    }
}

impl Pulse {
    /// The loop turns.
    pub fn beat(&self) {
        self.0.last.store(self.now_ms() + 1, Ordering::Release);
    }

    /// For how long it has not; none: its loop has not begun yet.
    pub fn silence(&self) -> Option<Duration> {
        let last_ms = self.0.last.load(Ordering::Acquire).checked_sub(1)?;
        Some(Duration::from_millis(self.now_ms().saturating_sub(last_ms)))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.made.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Pulse;

    #[test]
    fn a_loop_that_has_not_begun_is_not_silent() {
        let pulse = Pulse::default();
        assert_eq!(pulse.silence(), None);
        pulse.clone().beat();
        assert!(pulse.silence().is_some(), "clones share the pulse");
    }
}
