//! One lane's breaker: how many tries a receiver may cost at once, and when the next one is due.
//!
//! Guarantees: until a receiver has accepted something, and after it stopped answering, one try at a time goes out;
//! one that does not answer is asked ever more rarely, up to the ceiling. Deliberately absent: the back-off of single
//! deliveries, which the outbox keeps in their rows.

use crate::base::backoff::delay_ms;

/// What a try says about the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It accepted.
    Accepted,
    /// It answered, but refused this very callback.
    Refused,
    /// It did not answer, or said that it cannot work now.
    Down,
}

/// Refusals in a row after which a receiver counts as down: a wrong path refuses everything.
const REFUSALS_MAX: u32 = 5;

/// State of one lane.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    proven: bool,
    downs: u32,
    refusals: u32,
    open_until_ms: i64,
}

/// What an outcome changed, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing worth a line.
    None,
    /// It just stopped working.
    Opened,
    /// It works again after having been down.
    Closed,
}

impl Breaker {
    /// Tries that may be under way at once.
    pub fn width(&self, full: usize) -> usize {
        if self.proven { full } else { 1 }
    }

    /// Earliest next try, milliseconds since 1970.
    pub fn open_until_ms(&self) -> i64 {
        self.open_until_ms
    }

    /// The same, for who looks at `now_ms`: no wait is longer than `ceiling_ms`, so one that is lies before a clock that
    /// was set back, and is over.
    pub fn due_ms(&self, now_ms: i64, ceiling_ms: i64) -> i64 {
        match self.open_until_ms.saturating_sub(now_ms) > ceiling_ms {
            true => now_ms,
            false => self.open_until_ms,
        }
    }

    /// Whether the receiver is known to be down.
    pub fn is_open(&self) -> bool {
        self.downs > 0
    }

    /// Takes the outcome of a try that ended at `now_ms`. `pause_ms`: what the receiver itself asked for, if more.
    pub fn record(&mut self, health: Health, now_ms: i64, first_ms: i64, ceiling_ms: i64, pause_ms: i64) -> Change {
        let was_open = self.is_open();
        match health {
            Health::Accepted => {
                *self = Breaker {
                    proven: true,
                    ..Breaker::default()
                };
            }
            Health::Refused => {
                self.refusals = self.refusals.saturating_add(1);
                if self.refusals >= REFUSALS_MAX {
                    self.open(now_ms, first_ms, ceiling_ms, pause_ms);
                } else {
                    // It answered: one that was down is being talked to again.
                    self.open_until_ms = self.open_until_ms.min(now_ms);
                }
            }
            Health::Down => self.open(now_ms, first_ms, ceiling_ms, pause_ms),
        }
        match (was_open, self.is_open()) {
            (false, true) => Change::Opened,
            (true, false) => Change::Closed,
            _ => Change::None,
        }
    }

    fn open(&mut self, now_ms: i64, first_ms: i64, ceiling_ms: i64, pause_ms: i64) {
        self.proven = false;
        self.downs = self.downs.saturating_add(1);
        let delay = delay_ms(self.downs, first_ms, ceiling_ms).max(pause_ms.min(ceiling_ms));
        self.open_until_ms = now_ms.saturating_add(delay);
    }
}

#[cfg(test)]
mod tests {
    use super::Breaker;
    use super::Change;
    use super::Health;

    #[test]
    fn a_receiver_is_trusted_after_its_first_yes_and_probed_after_its_silence() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.width(8), 1);
        assert_eq!(breaker.record(Health::Accepted, 0, 1_000, 900_000, 0), Change::None);
        assert_eq!(breaker.width(8), 8);
        assert_eq!(breaker.record(Health::Down, 10_000, 1_000, 900_000, 0), Change::Opened);
        assert_eq!((breaker.width(8), breaker.open_until_ms()), (1, 11_000));
        breaker.record(Health::Down, 11_000, 1_000, 900_000, 0);
        assert_eq!(breaker.open_until_ms(), 13_000);
        for _ in 0..50 {
            breaker.record(Health::Down, 20_000, 1_000, 900_000, 0);
        }
        assert_eq!(breaker.open_until_ms(), 920_000);
        assert_eq!(breaker.due_ms(20_000, 900_000), 920_000);
        assert_eq!(breaker.due_ms(19_000, 900_000), 19_000, "the clock was set back");
        assert_eq!(
            breaker.record(Health::Accepted, 930_000, 1_000, 900_000, 0),
            Change::Closed
        );
        assert_eq!((breaker.width(8), breaker.is_open()), (8, false));
    }

    #[test]
    fn one_refused_callback_does_not_stop_the_others_but_many_do() {
        let mut breaker = Breaker::default();
        breaker.record(Health::Accepted, 0, 1_000, 900_000, 0);
        for _ in 0..4 {
            assert_eq!(breaker.record(Health::Refused, 0, 1_000, 900_000, 0), Change::None);
        }
        assert_eq!(breaker.width(8), 8);
        assert_eq!(breaker.record(Health::Refused, 0, 1_000, 900_000, 0), Change::Opened);
        assert_eq!(breaker.width(8), 1);
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_up_to_the_ceiling() {
        let mut breaker = Breaker::default();
        breaker.record(Health::Down, 0, 1_000, 900_000, 60_000);
        assert_eq!(breaker.open_until_ms(), 60_000);
        breaker.record(Health::Down, 0, 1_000, 900_000, i64::MAX);
        assert_eq!(breaker.open_until_ms(), 900_000);
    }
}
