//! Time stamps on their way through the driver's parser.
//!
//! It finds the stamp of a picture by the byte where the packet began, and makes one up where there is none. What it
//! answers is therefore looked up among those that were given to it.
//!
//! Guarantees: the stamps that come out are those that went in, exactly; made-up ones are none. Memory is bounded.

use crate::media::facts::Ratio;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// Ticks a second below which the parser's own arithmetic would round everything away.
const SLOWEST_CLOCK: u32 = 10_000;
/// Packets after which a stamp that did not come out is forgotten: far deeper than any codec reorders.
const LONGEST_WAIT: u64 = 256;

/// The stamps under way.
#[derive(Debug)]
pub(super) struct Stamps {
    clock_hz: u32,
    factor: i64,
    /// Packets with their own stamps, by the ticks that the parser was told.
    waiting: BTreeMap<i64, VecDeque<(u64, i64)>>,
    given: VecDeque<(u64, i64)>,
    next: u64,
    latest: i64,
}

impl Stamps {
    /// For stamps of this unit.
    pub(super) fn new(unit: Ratio) -> Self {
        let mut clock_hz = u32::try_from(unit.den).unwrap_or(1).max(1);
        let mut factor = i64::from(unit.num.max(1));
        while clock_hz < SLOWEST_CLOCK {
            clock_hz *= 2;
            factor *= 2;
        }
        Stamps {
            clock_hz,
            factor,
            waiting: BTreeMap::new(),
            given: VecDeque::new(),
            next: 0,
            latest: 0,
        }
    }

    /// Ticks a second of what the parser is told.
    pub(super) fn clock_hz(&self) -> u32 {
        self.clock_hz
    }

    /// Numbers a packet; with what the parser is told of its time.
    pub(super) fn give(&mut self, pts: Option<i64>) -> (u64, Option<i64>) {
        let number = self.next;
        self.next += 1;
        while let Some((old, ticks)) = self.given.front().copied() {
            if old + LONGEST_WAIT > number {
                break;
            }
            self.given.pop_front();
            self.remove(ticks, |(waiting, _)| *waiting == old);
        }
        let ticks = pts.and_then(|pts| Some((pts, pts.checked_mul(self.factor)?)));
        if let Some((pts, ticks)) = ticks {
            self.waiting.entry(ticks).or_default().push_back((number, pts));
            self.given.push_back((number, ticks));
            self.latest = ticks;
        }
        (number, ticks.map(|(_, ticks)| ticks))
    }

    /// A time that no packet has, for parsers that know packets apart by their times alone.
    pub(super) fn nobodys(&mut self) -> i64 {
        self.latest = self.latest.wrapping_add(1);
        while self.waiting.contains_key(&self.latest) {
            self.latest = self.latest.wrapping_add(1);
        }
        self.latest
    }

    /// The packet, and its stamp, that the parser means; none when it made the time up.
    pub(super) fn take(&mut self, ticks: i64) -> Option<(u64, i64)> {
        self.remove(ticks, |_| true)
    }

    /// Forgets what is under way.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.given.clear();
    }

    fn remove(&mut self, ticks: i64, is_it: impl Fn(&(u64, i64)) -> bool) -> Option<(u64, i64)> {
        let queue = self.waiting.get_mut(&ticks)?;
        let found = queue.iter().position(is_it).and_then(|at| queue.remove(at));
        if queue.is_empty() {
            self.waiting.remove(&ticks);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::LONGEST_WAIT;
    use super::Stamps;
    use crate::media::facts::Ratio;

    #[test]
    fn what_goes_in_comes_out_exactly() {
        for (num, den) in [(1, 90_000), (1001, 30_000), (1, 25), (1, 1_000_000_000)] {
            let mut stamps = Stamps::new(Ratio { num, den });
            assert!(stamps.clock_hz() >= 10_000);
            let given: Vec<_> = [0, 3, 1, 2, -7, 1 << 40]
                .iter()
                .map(|pts| (*pts, stamps.give(Some(*pts))))
                .collect();
            for (pts, (number, ticks)) in given.into_iter().rev() {
                assert_eq!(stamps.take(ticks.expect("told")), Some((number, pts)), "{num}/{den}");
            }
        }
    }

    #[test]
    fn times_that_nobody_gave_are_none() {
        let mut stamps = Stamps::new(Ratio { num: 1, den: 1000 });
        assert_eq!(stamps.give(None), (0, None));
        let (_, ticks) = stamps.give(Some(40));
        assert_eq!(stamps.take(ticks.expect("told") + 1), None);
        let made_up = stamps.nobodys();
        assert_eq!(stamps.take(made_up), None);
        assert_eq!(stamps.give(Some(i64::MAX)).1, None, "beyond what can be told");
    }

    #[test]
    fn packets_of_one_time_come_out_in_their_order_and_lost_ones_are_forgotten() {
        let mut stamps = Stamps::new(Ratio { num: 1, den: 90_000 });
        stamps.give(Some(5));
        stamps.give(Some(5));
        assert_eq!(stamps.take(5), Some((0, 5)));
        for pts in 0..=LONGEST_WAIT as i64 {
            stamps.give(Some(1000 + pts));
        }
        assert_eq!(stamps.take(5), None);
        assert!(stamps.waiting.len() <= LONGEST_WAIT as usize);
    }
}
