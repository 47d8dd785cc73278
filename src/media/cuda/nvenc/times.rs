//! When coded pictures are decoded, found from when they are shown.
//!
//! Guarantees: pure; decoding times go strictly forward as long as the times of showing do, none is above the time of
//! showing of its picture, whatever order the encoder chose within its B-frames, and however long frames last.
//! Deliberately absent: units, and pictures.

use std::collections::VecDeque;

/// The queue of decoding times of one encoder.
///
/// The n-th picture that comes out is decoded when the n-th one that went in is shown, put off by as many pictures as
/// can be held back: the encoder cannot have given out more pictures of later times than that. Those that come out
/// before there is such a time get one before the first, a frame's length apart.
#[derive(Debug)]
pub struct DecodingTimes {
    /// Pictures that may be held back: the B-frames in a row.
    delay: u32,
    /// Times of showing, in order, that are no decoding time yet.
    waiting: VecDeque<i64>,
    /// When the first picture is shown, and for how long.
    first: Option<(i64, i64)>,
    /// Pictures that came out.
    given: u64,
}

impl DecodingTimes {
    /// For an encoder that holds back up to `delay` pictures; 0: they come out as they went in.
    pub fn new(delay: u32) -> Self {
        DecodingTimes {
            delay,
            waiting: VecDeque::new(),
            first: None,
            given: 0,
        }
    }

    /// A picture goes in that is shown at `pts` for `duration`.
    pub fn shown(&mut self, pts: i64, duration: i64) {
        self.first.get_or_insert((pts, duration.max(1)));
        self.waiting.push_back(pts);
    }

    /// When the picture that comes out next is decoded; none: more came out than went in.
    pub fn next(&mut self) -> Option<i64> {
        let (first, step) = self.first?;
        let early = u64::from(self.delay).saturating_sub(self.given);
        let time = if early > 0 {
            // One went in for each that comes out, so `waiting` never holds fewer than are put off.
            first - i64::try_from(early).unwrap_or(i64::MAX).saturating_mul(step)
        } else {
            self.waiting.pop_front()?
        };
        self.given += 1;
        Some(time)
    }
}

#[cfg(test)]
mod tests {
    use super::DecodingTimes;

    /// Decoding times of pictures with these times of showing, that come out in this order.
    fn decoded(delay: u32, shown: &[(i64, i64)], order: &[usize]) -> Vec<i64> {
        let mut times = DecodingTimes::new(delay);
        for (pts, duration) in shown {
            times.shown(*pts, *duration);
        }
        order
            .iter()
            .map(|_| times.next().expect("one went in for each"))
            .collect()
    }

    fn holds(delay: u32, shown: &[(i64, i64)], order: &[usize]) {
        let decoded = decoded(delay, shown, order);
        assert!(decoded.windows(2).all(|two| two[0] < two[1]), "{decoded:?}");
        for (dts, place) in decoded.iter().zip(order) {
            assert!(*dts <= shown[*place].0, "{dts} of {:?} in {decoded:?}", shown[*place]);
        }
    }

    fn steady(frames: i64) -> Vec<(i64, i64)> {
        (0..frames).map(|n| (n * 512, 512)).collect()
    }

    #[test]
    fn without_b_frames_both_times_are_the_same() {
        assert_eq!(decoded(0, &steady(3), &[0, 1, 2]), [0, 512, 1024]);
    }

    #[test]
    fn any_order_within_the_b_frames_keeps_the_rules() {
        let flat = [0, 4, 1, 2, 3, 8, 5, 6, 7];
        let pyramid = [0, 4, 2, 1, 3, 8, 6, 5, 7];
        let worst = [0, 4, 3, 2, 1, 8, 7, 6, 5];
        for order in [flat, pyramid, worst] {
            holds(3, &steady(9), &order);
        }
        assert_eq!(decoded(3, &steady(9), &pyramid)[..5], [-1536, -1024, -512, 0, 512]);
        // Fewer B-frames than there may be, as before a key frame.
        holds(3, &steady(6), &[0, 2, 1, 3, 5, 4]);
        holds(7, &steady(9), &[0, 8, 4, 2, 1, 3, 6, 5, 7]);
    }

    #[test]
    fn frames_of_any_length_keep_the_rules() {
        let shown = [
            (-7, 1),
            (0, 900),
            (901, 1),
            (902, 4000),
            (4902, 3),
            (4905, 3),
            (4908, 77),
        ];
        holds(3, &shown, &[0, 4, 2, 1, 3, 6, 5]);
        holds(2, &shown, &[0, 3, 2, 1, 6, 5, 4]);
    }

    #[test]
    fn an_end_in_between_changes_nothing() {
        let mut times = DecodingTimes::new(3);
        let mut all = Vec::new();
        // Two clips, each flushed, the first shorter than what may be held back.
        for clip in [[0, 1].as_slice(), &[5, 6, 7, 8, 9]] {
            clip.iter().for_each(|n| times.shown(n * 10, 10));
            all.extend(clip.iter().map_while(|_| times.next()));
        }
        assert_eq!(all, [-30, -20, -10, 0, 10, 50, 60]);
        assert_eq!(DecodingTimes::new(3).next(), None);
    }
}
