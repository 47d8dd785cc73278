//! The best time stamp of a decoded picture, as libavcodec finds it: its own, unless times of decoding go forward more
//! steadily, or are all that the file has.
//!
//! Guarantees: pure.

use std::collections::VecDeque;

/// Times of decoding kept beyond the decoder's delay.
const SLACK: usize = 64;

/// What was seen of a stream's time stamps.
#[derive(Debug)]
pub struct BestTime {
    /// Pictures that a decoder holds back to put them into order.
    delay: usize,
    decoding: VecDeque<Option<i64>>,
    shown: Steps,
    decoded: Steps,
}

/// How steadily one kind of time stamp goes forward.
#[derive(Debug, Default)]
struct Steps {
    last: Option<i64>,
    faults: u64,
}

impl Steps {
    fn see(&mut self, own: Option<i64>, other: Option<i64>) {
        if let Some(own) = own {
            self.faults += u64::from(self.last.is_some_and(|last| own <= last));
        }
        self.last = own.or(other).or(self.last);
    }
}

impl BestTime {
    /// For a stream whose decoder holds so many pictures back.
    pub fn new(delay: usize) -> Self {
        BestTime {
            delay,
            decoding: VecDeque::new(),
            shown: Steps::default(),
            decoded: Steps::default(),
        }
    }

    /// A packet with this time of decoding goes in.
    pub fn give(&mut self, dts: Option<i64>) {
        self.decoding.push_back(dts);
        // Packets that give no picture must not move the times of all that follow for ever.
        if self.decoding.len() > self.delay + SLACK {
            self.decoding.pop_front();
        }
    }

    /// The time of the next picture that comes out, which says this of itself.
    pub fn of(&mut self, pts: Option<i64>) -> Option<i64> {
        // A picture comes out with the packet that follows it by the delay.
        let dts = self.decoding.get(self.delay).copied().flatten();
        self.decoding.pop_front();
        self.decoded.see(dts, pts);
        self.shown.see(pts, dts);
        if self.shown.faults <= self.decoded.faults || dts.is_none() {
            pts.or(dts)
        } else {
            dts
        }
    }

    /// Forgets what went in, after a seek.
    pub fn flush(&mut self) {
        self.decoding.clear();
        self.shown = Steps::default();
        self.decoded = Steps::default();
    }
}

#[cfg(test)]
mod tests {
    use super::BestTime;

    #[test]
    fn a_pictures_own_time_is_the_best() {
        let mut times = BestTime::new(1);
        for dts in 0..4 {
            times.give(Some(dts - 1));
        }
        let best: Vec<_> = [0, 1, 2].map(|pts| times.of(Some(pts))).to_vec();
        assert_eq!(best, [Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn where_a_file_has_times_of_decoding_alone_they_come_with_the_delay() {
        let mut times = BestTime::new(2);
        for dts in 0..5 {
            times.give(Some(dts * 40));
        }
        let best: Vec<_> = (0..5).map(|_| times.of(None)).collect();
        assert_eq!(
            best,
            [Some(80), Some(120), Some(160), None, None],
            "the end has no packets"
        );
    }

    #[test]
    fn times_that_step_back_lose_to_steadier_ones() {
        let mut times = BestTime::new(0);
        for dts in 0..6 {
            times.give(Some(dts * 10));
        }
        let own = [0, 10, 5, 3, 40, 50];
        let best: Vec<_> = own.map(|pts| times.of(Some(pts))).to_vec();
        assert_eq!(best, [0, 10, 20, 30, 40, 50].map(Some));
    }
}
