//! How fast attempts on devices and attempts in software have been so far, and what that says of waiting. Pure.
//!
//! Guarantees: learned from what this host did, never from a table of cards; without anything learned nobody waits.
//! Deliberately absent: what kind of device, codec or preset it was: the average of the studio's own work is what counts.

/// Share of the newest attempt in the average.
const NEWEST: f64 = 0.2;

/// What is known of both.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    device: Learned,
    software: Learned,
}

/// Seconds a million pixels, on the average; none: nothing learned yet.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Learned(Option<f64>);

impl Learned {
    fn learn(&mut self, newest: f64) {
        self.0 = Some(match self.0 {
            None => newest,
            Some(known) => known + (newest - known) * NEWEST,
        });
    }
}

impl Pace {
    /// An attempt of so many million pixels took so long.
    pub fn learn(&mut self, on_device: bool, work: f64, wall_ms: u64) {
        if work <= 0.0 || wall_ms == 0 {
            return;
        }
        let learned = match on_device {
            true => &mut self.device,
            false => &mut self.software,
        };
        learned.learn(wall_ms as f64 / 1e3 / work);
    }

    /// Whether an attempt of so many million pixels is done sooner when it waits for a device that is free in
    /// `free_in_s` (none: nobody knows) than in software now.
    pub fn is_waiting_quicker(&self, work: f64, free_in_s: Option<f64>) -> bool {
        match (free_in_s, self.device.0, self.software.0) {
            (Some(free_in_s), Some(device), Some(software)) => free_in_s + work * device < work * software,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn waits_only_where_what_was_learned_says_so() {
        let mut pace = Pace::default();
        assert!(!pace.is_waiting_quicker(100.0, Some(1.0)), "nothing learned");
        pace.learn(true, 100.0, 10_000);
        assert!(!pace.is_waiting_quicker(100.0, Some(1.0)), "nothing to compare with");
        pace.learn(false, 100.0, 60_000);
        assert!(pace.is_waiting_quicker(100.0, Some(49.0)), "49 + 10 < 60");
        assert!(!pace.is_waiting_quicker(100.0, Some(51.0)), "51 + 10 > 60");
        assert!(!pace.is_waiting_quicker(100.0, None), "nobody knows when");
        assert!(!pace.is_waiting_quicker(10.0, Some(49.0)), "a short one is done before");
    }

    #[test]
    fn one_odd_attempt_moves_the_average_a_little() {
        let mut pace = Pace::default();
        pace.learn(true, 100.0, 10_000);
        pace.learn(false, 100.0, 20_000);
        pace.learn(true, 100.0, 30_000);
        assert!(pace.is_waiting_quicker(100.0, Some(5.0)), "14 s of work, not 30");
        pace.learn(true, 0.0, 30_000);
        assert!(pace.is_waiting_quicker(100.0, Some(5.0)), "no work teaches nothing");
    }
}
