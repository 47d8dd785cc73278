//! How often a bucket is listed, and what that costs.
//!
//! Listings are paid by the call. Guarantees: never more often than a quarter of the configured time, never longer
//! apart than that time unless notifications are seen to tell everything, and then at most so many times longer; a
//! listing that takes long leaves as much time between two as it took. Deliberately absent: listing.

use std::collections::VecDeque;
use std::time::Duration;
use std::time::Instant;

/// Time between listings where the configuration leaves it open.
pub const USUAL: Duration = Duration::from_secs(60);
/// Where notifications tell everything, listings may be so many times further apart ...
const STRETCH: u32 = 60;
/// ... but never further than this.
const FURTHEST: Duration = Duration::from_secs(3_600);
/// Time without a notification after which they are not counted on.
const SILENCE: Duration = Duration::from_secs(86_400);

/// What a whole listing came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    /// How long it took.
    pub took: Duration,
    /// Objects it found to be new.
    pub found: u64,
    /// Those among them that somebody should have told of long ago.
    pub missed: u64,
}

/// The pace of one bucket.
#[derive(Debug)]
pub struct Pace {
    base: Duration,
    current: Duration,
    heard: Option<Instant>,
    /// The last listing found what a notification should have told.
    missed: bool,
}

impl Pace {
    /// `base`: the configured time between listings.
    pub fn new(base: Duration) -> Self {
        Pace {
            base,
            current: base,
            heard: None,
            missed: true,
        }
    }

    /// A notification of an object came.
    pub fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// Whether notifications come, and nothing was found without them.
    pub fn notified(&self, now: Instant) -> bool {
        !self.missed && self.heard.is_some_and(|at| now.saturating_duration_since(at) < SILENCE)
    }

    /// A listing ended; says how long to wait until the next.
    pub fn ended(&mut self, outcome: Outcome, now: Instant) -> Duration {
        self.missed = outcome.missed > 0;
        let shortest = self.base / 4;
        let longest = if self.notified(now) {
            self.base.saturating_mul(STRETCH).min(FURTHEST).max(self.base)
        } else {
            self.base
        };
        self.current = if outcome.found > 0 && !self.notified(now) {
            self.current.min(self.base) / 2
        } else {
            self.current.saturating_mul(2)
        };
        self.current = self.current.clamp(shortest, longest);
        self.current.max(outcome.took)
    }

    /// The time between listings as it is now.
    pub fn current(&self) -> Duration {
        self.current
    }
}

/// Calls of the last hour, a minute a slot.
#[derive(Debug, Default)]
pub struct Calls(VecDeque<(u64, u64)>);

impl Calls {
    /// So many calls were made in the minute `minute`.
    pub fn add(&mut self, minute: u64, calls: u64) {
        match self.0.back_mut() {
            Some((last, count)) if *last == minute => *count += calls,
            _ => self.0.push_back((minute, calls)),
        }
        while self.0.front().is_some_and(|(first, _)| first + 60 <= minute) {
            self.0.pop_front();
        }
    }

    /// Calls of the sixty minutes that end with `minute`.
    pub fn of_an_hour(&self, minute: u64) -> u64 {
        let recent = self.0.iter().filter(|(at, _)| at + 60 > minute);
        recent.map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Calls;
    use super::Outcome;
    use super::Pace;
    use std::time::Duration;
    use std::time::Instant;

    const MINUTE: Duration = Duration::from_secs(60);

    fn found(found: u64) -> Outcome {
        Outcome {
            found,
            missed: found,
            ..Outcome::default()
        }
    }

    #[test]
    fn changes_quicken_it_and_rest_brings_it_back_to_what_was_asked() {
        let now = Instant::now();
        let mut pace = Pace::new(MINUTE);
        assert_eq!(pace.ended(found(0), now), MINUTE);
        assert_eq!(pace.ended(found(3), now), MINUTE / 2);
        assert_eq!(pace.ended(found(1), now), MINUTE / 4);
        assert_eq!(pace.ended(found(1), now), MINUTE / 4);
        assert_eq!(pace.ended(found(0), now), MINUTE / 2);
        assert_eq!(pace.ended(found(0), now), MINUTE);
        assert_eq!(pace.ended(found(0), now), MINUTE);
    }

    #[test]
    fn it_slows_down_only_while_notifications_tell_everything() {
        let now = Instant::now();
        let mut pace = Pace::new(MINUTE);
        pace.heard(now);
        assert_eq!(pace.ended(found(0), now), 2 * MINUTE);
        assert!(pace.notified(now));
        for _ in 0..20 {
            pace.ended(found(0), now);
        }
        assert_eq!(pace.current(), 60 * MINUTE);
        let fresh = Outcome {
            found: 1,
            ..Outcome::default()
        };
        assert_eq!(pace.ended(fresh, now), 60 * MINUTE, "its notification is on the way");
        // One was missed: they are not trusted any more.
        assert_eq!(pace.ended(found(1), now), MINUTE / 2);
        assert!(!pace.notified(now));
        // Silence for a day.
        let later = now + Duration::from_secs(90_000);
        assert_eq!(pace.ended(found(0), later), MINUTE);
        assert_eq!(pace.ended(found(0), later), MINUTE);
    }

    #[test]
    fn a_listing_that_takes_long_leaves_as_much_time() {
        let mut pace = Pace::new(MINUTE);
        let long = Outcome {
            took: 5 * MINUTE,
            ..found(1)
        };
        assert_eq!(pace.ended(long, Instant::now()), 5 * MINUTE);
    }

    #[test]
    fn calls_are_counted_over_an_hour() {
        let mut calls = Calls::default();
        calls.add(10, 5);
        calls.add(10, 1);
        calls.add(40, 2);
        assert_eq!(calls.of_an_hour(40), 8);
        assert_eq!(calls.of_an_hour(70), 2);
        calls.add(100, 1);
        assert_eq!(calls.of_an_hour(100), 1);
    }
}
