//! What a source says of its length, against what is seen of it.
//!
//! Guarantees: small differences are nobody's lie: rounding, a last frame that is held, sound that outlasts the
//! pictures. Deliberately absent: frames.

use crate::media::timeline::Timeline;

/// Whether a length that a source claims is beyond anything that rounding or a held last frame explains.
pub fn is_overlong(said_s: f64, seen_s: f64) -> bool {
    said_s > seen_s * 1.2 + 1.0
}

/// The claim, and what was seen.
#[derive(Debug, Clone, Copy)]
pub struct ClaimedLength {
    said_s: Option<f64>,
    seen_s: Option<f64>,
    has_sound: bool,
    frame_s: f64,
}

impl ClaimedLength {
    /// The claim of a source.
    pub fn of(timeline: Timeline, has_sound: bool) -> Self {
        ClaimedLength {
            said_s: timeline.span.duration_s,
            seen_s: None,
            has_sound,
            frame_s: timeline.span.frame_s,
        }
    }

    /// Everything, sound included, was seen to last until then.
    pub fn saw(&mut self, end_s: f64) {
        self.seen_s = Some(end_s);
    }

    /// When the last thing seen is over, the last frame having begun at `last_frame_s`.
    pub fn over_s(&self, last_frame_s: f64) -> f64 {
        (last_frame_s + self.frame_s).max(self.seen_s.unwrap_or(0.0))
    }

    /// Whether moments after `over_s` are none. `only_keys`: frames may follow the last one seen.
    pub fn is_refuted_by(&self, over_s: f64, only_keys: bool) -> bool {
        match self.said_s {
            Some(said_s) => !only_keys && is_overlong(said_s, over_s),
            None => true,
        }
    }

    /// The true end of a source whose claim is refuted; none where sound that was not listened to may go on.
    pub fn end_s(&self, over_s: f64) -> Option<f64> {
        (self.said_s.is_none() || self.seen_s.is_some() || !self.has_sound).then_some(over_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::moments::Span;

    fn claim(said_s: Option<f64>, has_sound: bool) -> ClaimedLength {
        let span = Span {
            duration_s: said_s,
            frame_s: 0.04,
            is_one_frame: false,
        };
        ClaimedLength::of(
            Timeline {
                span,
                end_s: said_s.unwrap_or(0.0),
            },
            has_sound,
        )
    }

    #[test]
    fn only_what_cannot_be_explained_is_refuted() {
        let said = claim(Some(100.0), false);
        assert!(!said.is_refuted_by(99.96, false) && !said.is_refuted_by(85.0, false));
        assert!(said.is_refuted_by(10.0, false), "hours were claimed, seconds are there");
        assert!(
            !said.is_refuted_by(10.0, true),
            "after the last key frame others may follow"
        );
        assert!(claim(None, true).is_refuted_by(10.0, true), "nothing was claimed");
    }

    #[test]
    fn sound_may_go_on_unless_it_was_heard_to_end() {
        let mut said = claim(Some(100.0), true);
        assert_eq!(said.end_s(10.0), None);
        said.saw(12.0);
        assert_eq!((said.over_s(9.96), said.end_s(12.0)), (12.0, Some(12.0)));
        assert_eq!(claim(None, true).end_s(10.0), Some(10.0));
    }
}
