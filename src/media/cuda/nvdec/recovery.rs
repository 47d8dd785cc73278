//! What becomes of a stream that the driver chokes on: taken up again at the next key frame, a few times over, until
//! somebody else had better try.
//!
//! Guarantees: pure. Deliberately absent: the rebuilding.

/// Failures without a good picture in between after which the device is not asked again.
const MAX_FAILURES: u32 = 4;
/// Pictures in a row that the decoder could not make sense of, after which it is not broken data but a kind of stream
/// that it does not know.
const MAX_BAD_PICTURES: u32 = 48;
/// Packets that are left out for want of a key frame, at most: some containers mark none.
const MAX_WAIT: u32 = 300;

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Give it to the parser.
    Take,
    /// To a new parser and decoder.
    TakeAnew,
    /// Leave it out.
    Leave,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on, at the next key frame.
    GoOn,
    /// Somebody else had better try.
    GiveUp,
}

/// How it goes.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// Packets left out since the failure; none: nothing failed.
    waiting: Option<u32>,
    failures: u32,
    bad_pictures: u32,
    rebuilds: u64,
}

impl Recovery {
    /// Asked of every packet.
    pub(super) fn before(&mut self, is_key: bool) -> Next {
        match &mut self.waiting {
            None => Next::Take,
            Some(left_out) if !is_key && *left_out < MAX_WAIT => {
                *left_out += 1;
                Next::Leave
            }
            Some(_) => {
                self.waiting = None;
                self.rebuilds += 1;
                Next::TakeAnew
            }
        }
    }

    /// The parser or the decoder refused the stream.
    pub(super) fn failed(&mut self) -> Verdict {
        self.waiting.get_or_insert(0);
        self.failures += 1;
        if self.failures < MAX_FAILURES {
            Verdict::GoOn
        } else {
            Verdict::GiveUp
        }
    }

    /// A picture came out. `is_lost`: the decoder could make nothing of its data.
    pub(super) fn shown(&mut self, is_lost: bool) -> Verdict {
        if !is_lost {
            self.failures = 0;
            self.bad_pictures = 0;
            return Verdict::GoOn;
        }
        self.bad_pictures += 1;
        if self.bad_pictures < MAX_BAD_PICTURES {
            Verdict::GoOn
        } else {
            Verdict::GiveUp
        }
    }

    /// The next packet has nothing to do with the last one.
    pub(super) fn flushed(&mut self) {
        if self.waiting.is_some() {
            // Still to be rebuilt, with whatever comes next.
            self.waiting = Some(MAX_WAIT);
        }
    }

    /// Times parser and decoder were rebuilt.
    pub(super) fn rebuilds(&self) -> u64 {
        self.rebuilds
    }
}

#[cfg(test)]
mod tests {
    use super::MAX_BAD_PICTURES;
    use super::MAX_FAILURES;
    use super::MAX_WAIT;
    use super::Next;
    use super::Recovery;
    use super::Verdict;

    #[test]
    fn a_failure_costs_the_way_to_the_next_key_frame() {
        let mut recovery = Recovery::default();
        assert_eq!(recovery.before(false), Next::Take);
        assert_eq!(recovery.failed(), Verdict::GoOn);
        assert_eq!(recovery.before(false), Next::Leave);
        assert_eq!(recovery.before(true), Next::TakeAnew);
        assert_eq!(recovery.before(false), Next::Take);
        assert_eq!(recovery.rebuilds(), 1);
    }

    #[test]
    fn a_stream_without_marked_key_frames_goes_on_all_the_same() {
        let mut recovery = Recovery::default();
        recovery.failed();
        let left_out = (0..).take_while(|_| recovery.before(false) == Next::Leave).count();
        assert_eq!(left_out, MAX_WAIT as usize);
    }

    #[test]
    fn only_failures_without_a_picture_between_them_count_together() {
        let mut recovery = Recovery::default();
        for _ in 0..50 {
            assert_eq!(recovery.failed(), Verdict::GoOn);
            recovery.shown(false);
        }
        let verdicts: Vec<Verdict> = (0..MAX_FAILURES).map(|_| recovery.failed()).collect();
        assert!(verdicts[..3].iter().all(|verdict| *verdict == Verdict::GoOn));
        assert_eq!(verdicts.last(), Some(&Verdict::GiveUp));
    }

    #[test]
    fn a_kind_of_stream_that_the_decoder_does_not_know_is_given_up() {
        let mut recovery = Recovery::default();
        let good = (0..).take_while(|_| recovery.shown(true) == Verdict::GoOn).count();
        assert_eq!(good + 1, MAX_BAD_PICTURES as usize);
        recovery.shown(false);
        assert_eq!(recovery.shown(true), Verdict::GoOn);
    }

    #[test]
    fn after_a_seek_the_next_packet_is_taken_whatever_it_is() {
        let mut recovery = Recovery::default();
        recovery.flushed();
        assert_eq!(recovery.before(false), Next::Take);
        recovery.failed();
        recovery.flushed();
        assert_eq!(recovery.before(false), Next::TakeAnew);
    }
}
