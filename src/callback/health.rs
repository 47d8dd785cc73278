//! How a destination has been doing lately.
//!
//! Guarantees: bounded memory; numbers of the last tries only. Deliberately absent: what the database knows (how many
//! wait, how many were given up).

use crate::base::clock::UtcMs;
use std::collections::VecDeque;

/// Tries that the percentiles are made of.
const TRIES: usize = 256;

/// What is remembered of one lane.
#[derive(Debug, Clone, Default)]
pub struct Record {
    last_success: Option<UtcMs>,
    last_error: Option<(UtcMs, String)>,
    took_ms: VecDeque<i64>,
}

/// How a destination is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// It took nothing lately: one try at a time goes out, ever more rarely.
    pub open: bool,
    /// When the next of these is due.
    pub next_try: Option<UtcMs>,
    /// When it last accepted something, since the start of the program.
    pub last_success: Option<UtcMs>,
    /// When and why it last did not, since then.
    pub last_error: Option<(UtcMs, String)>,
    /// Tries the two below are made of.
    pub tries: usize,
    /// Half of the tries took at most so long.
    pub p50_ms: Option<i64>,
    /// 95 of 100 tries took at most so long.
    pub p95_ms: Option<i64>,
}

impl Record {
    /// Adds a try.
    pub fn add(&mut self, at: UtcMs, took_ms: i64, error: Option<&str>) {
        match error {
            None => self.last_success = Some(at),
            Some(error) => self.last_error = Some((at, error.to_owned())),
        }
        if self.took_ms.len() == TRIES {
            self.took_ms.pop_front();
        }
        self.took_ms.push_back(took_ms);
    }

    /// What there is to say.
    pub fn health(&self) -> Health {
        let mut sorted: Vec<i64> = self.took_ms.iter().copied().collect();
        sorted.sort_unstable();
        // The smallest value that so many of a hundred do not exceed.
        let percentile = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).copied()
        };
        Health {
            last_success: self.last_success,
            last_error: self.last_error.clone(),
            tries: sorted.len(),
            p50_ms: percentile(50),
            p95_ms: percentile(95),
            ..Health::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Record;
    use crate::base::clock::UtcMs;

    #[test]
    fn percentiles_are_of_the_last_tries() {
        let mut record = Record::default();
        assert_eq!(record.health().p50_ms, None);
        for took_ms in 0..1_000 {
            record.add(UtcMs(took_ms), 1_000, None);
        }
        for took_ms in 1..=100 {
            record.add(UtcMs(took_ms), took_ms, Some("no"));
        }
        let health = record.health();
        assert_eq!(
            (health.tries, health.p50_ms, health.p95_ms),
            (256, Some(1_000), Some(1_000))
        );
        for took_ms in (1..=10).cycle().take(256) {
            record.add(UtcMs(took_ms), took_ms, None);
        }
        let health = record.health();
        assert_eq!((health.p50_ms, health.p95_ms), (Some(5), Some(10)));
        assert_eq!(health.last_error, Some((UtcMs(100), "no".to_owned())));
    }
}
