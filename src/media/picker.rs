//! Which frame stands for which moment, decided while frames go by.
//!
//! Guarantees: a moment gets the last frame that has begun by then; one before the first frame gets the first, one
//! after the last gets the last; every moment is answered once, in rising order. Holds on to one frame. Deliberately
//! absent: what a frame is; where frames come from.

/// Time stamps are rounded to their container's unit (a millisecond in Matroska), moments are not: a frame counts
/// as begun this much before its time.
pub const TOLERANCE_S: f64 = 0.000_6;

/// Moments waiting for their frames.
#[derive(Debug)]
pub struct Picker<F> {
    moments_s: Vec<f64>,
    next: usize,
    held: Option<(f64, F)>,
}

/// A frame picked for a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Pick<F> {
    /// Number of the moment.
    pub moment: usize,
    /// Time of the frame, seconds.
    pub frame_s: f64,
    /// The frame.
    pub frame: F,
}

impl<F: Clone> Picker<F> {
    /// For moments that rise.
    pub fn new(moments_s: Vec<f64>) -> Self {
        Picker {
            moments_s,
            next: 0,
            held: None,
        }
    }

    /// The next frame, shown from `frame_s` on. Gives the moments that are thereby decided: those the frame before
    /// it stood for. Frames that go back in time are passed over.
    pub fn offer(&mut self, frame_s: f64, frame: F) -> Vec<Pick<F>> {
        if self.is_done() || self.held.as_ref().is_some_and(|(held_s, _)| frame_s <= *held_s) {
            return Vec::new();
        }
        let mut picks = Vec::new();
        if let Some((held_s, held)) = &self.held {
            while self
                .pending_s()
                .is_some_and(|moment_s| moment_s + TOLERANCE_S < frame_s)
            {
                picks.push(Pick {
                    moment: self.next,
                    frame_s: *held_s,
                    frame: held.clone(),
                });
                self.next += 1;
            }
        }
        self.held = (!self.is_done()).then_some((frame_s, frame));
        picks
    }

    /// There are no more frames: the one held stands for all moments left. Nothing when no frame ever came.
    pub fn finish(&mut self) -> Vec<Pick<F>> {
        let Some((frame_s, frame)) = self.held.take() else {
            return Vec::new();
        };
        let left = self.next..self.moments_s.len();
        self.next = self.moments_s.len();
        left.map(|moment| Pick {
            moment,
            frame_s,
            frame: frame.clone(),
        })
        .collect()
    }

    /// Number of the first moment without a frame.
    pub fn pending(&self) -> usize {
        self.next
    }

    /// The frame held stands for the next moment, whatever comes after it. Nothing when there is none of either.
    pub fn settle_next(&mut self) -> Option<Pick<F>> {
        let (frame_s, frame) = self.held.as_ref().filter(|_| !self.is_done())?;
        let pick = Pick {
            moment: self.next,
            frame_s: *frame_s,
            frame: frame.clone(),
        };
        self.next += 1;
        if self.is_done() {
            self.held = None;
        }
        Some(pick)
    }

    /// The next moment gets no frame.
    pub fn skip_next(&mut self) {
        self.next += 1;
        if self.is_done() {
            self.held = None;
        }
    }

    /// Every moment has its frame.
    pub fn is_done(&self) -> bool {
        self.next >= self.moments_s.len()
    }

    /// The first moment without a frame.
    pub fn pending_s(&self) -> Option<f64> {
        self.moments_s.get(self.next).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(moments_s: &[f64], frames_s: &[f64]) -> Vec<(usize, f64)> {
        let mut picker = Picker::new(moments_s.to_vec());
        let mut picks = Vec::new();
        for (number, frame_s) in frames_s.iter().enumerate() {
            picks.extend(picker.offer(*frame_s, number));
        }
        picks.extend(picker.finish());
        assert!(picks.iter().all(|pick| frames_s[pick.frame] == pick.frame_s));
        picks.iter().map(|pick| (pick.moment, pick.frame_s)).collect()
    }

    #[test]
    fn a_moment_gets_the_frame_on_screen() {
        assert_eq!(
            run(&[0.0, 0.05, 0.08], &[0.0, 0.04, 0.08, 0.12]),
            [(0, 0.0), (1, 0.04), (2, 0.08)]
        );
    }

    #[test]
    fn uneven_frames_are_held_until_the_next_one() {
        assert_eq!(run(&[1.0, 5.0, 9.9], &[0.0, 0.5, 9.0]), [(0, 0.5), (1, 0.5), (2, 9.0)]);
    }

    #[test]
    fn moments_outside_get_the_nearest_frame() {
        assert_eq!(run(&[0.0, 7.0], &[0.2, 0.4]), [(0, 0.2), (1, 0.4)]);
    }

    #[test]
    fn rounded_time_stamps_do_not_cost_a_frame() {
        // 29.97 frames a second in Matroska's milliseconds: frame 90 is shown from 3.003 s.
        assert_eq!(
            run(&[90.0 * 1001.0 / 30_000.0 - 0.0005], &[2.97, 3.003, 3.037]),
            [(0, 3.003)]
        );
    }

    #[test]
    fn a_moment_can_be_settled_early_or_skipped() {
        let mut picker = Picker::new(vec![1.0, 2.0, 3.0]);
        assert_eq!(picker.settle_next(), None);
        picker.offer(0.5, 'a');
        assert_eq!(
            picker.settle_next(),
            Some(Pick {
                moment: 0,
                frame_s: 0.5,
                frame: 'a'
            })
        );
        picker.skip_next();
        assert_eq!(
            picker.finish(),
            [Pick {
                moment: 2,
                frame_s: 0.5,
                frame: 'a'
            }]
        );
    }

    #[test]
    fn frames_that_go_back_are_passed_over() {
        assert_eq!(run(&[1.5], &[0.0, 1.0, 0.5, 2.0]), [(0, 1.0)]);
    }

    #[test]
    fn nothing_is_picked_from_nothing_and_nothing_is_held_when_done() {
        assert_eq!(run(&[1.0], &[]), []);
        let mut picker = Picker::new(vec![0.0]);
        picker.offer(0.0, "a");
        assert_eq!(picker.offer(1.0, "b").len(), 1);
        assert!(picker.is_done() && picker.held.is_none() && picker.finish().is_empty());
    }
}
