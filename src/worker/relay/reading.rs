//! Who reads where: tells readers in a row from those who jump, and how far ahead of the former to fetch.
//!
//! A demuxer of a file that is not well interleaved reads in a row in two places at once, and several demuxers may read
//! one file; so readers are told apart by where they read.
//!
//! Guarantees: a jump fetches nothing but what is asked; what is fetched ahead is never more than half of what the same
//! reader has read in a row, and never more than the share of each of those who do. Deliberately absent: fetching.

use std::ops::Range;

/// Readers that are remembered.
const MAX_RUNS: usize = 16;
/// A hole of so many bytes is still the same row: packets of a stream that is left out.
const HOLE_BYTES: u64 = 64 << 10;
/// So far back is still the same row: containers interleave coarsely.
const BACK_BYTES: u64 = 1 << 20;
/// Reads and bytes in a row from which on it is one: a large key frame, read at once, is none.
const READS: u32 = 4;
const ROW_BYTES: u64 = 512 << 10;
const LEAST_BYTES: u64 = 256 << 10;
/// Most that is fetched ahead of one reader.
const MOST_BYTES: u64 = 16 << 20;

#[derive(Debug)]
struct Run {
    member: u32,
    /// Where the next read of it is expected.
    end: u64,
    reads: u32,
    row_bytes: u64,
    /// What was fetched ahead so far.
    ahead_to: u64,
    used_at: u64,
}

impl Run {
    fn is_row(&self) -> bool {
        self.reads >= READS && self.row_bytes >= ROW_BYTES
    }
}

/// What a read means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// To be fetched ahead; may be empty, and may go beyond the end of the file.
    pub ahead: Range<u64>,
    /// Who reads does not come back to what lies behind.
    pub passes: bool,
}

/// The readers.
#[derive(Debug, Default)]
pub struct Reading {
    runs: Vec<Run>,
    clock: u64,
}

impl Reading {
    /// Notes a read of `length` bytes of a file and tells what it means. `most_bytes` is the room for all that is
    /// fetched ahead.
    pub fn note(&mut self, member: u32, offset: u64, length: u64, most_bytes: u64) -> Outlook {
        self.clock += 1;
        let clock = self.clock;
        let read_to = offset.saturating_add(length);
        let near = |run: &&mut Run| {
            run.member == member
                && offset <= run.end.saturating_add(HOLE_BYTES)
                && offset.saturating_add(BACK_BYTES) >= run.end
        };
        let found = self
            .runs
            .iter_mut()
            .filter(near)
            .min_by_key(|run| run.end.abs_diff(offset));
        let Some(run) = found else {
            self.begin(member, read_to);
            return Outlook {
                ahead: read_to..read_to,
                passes: false,
            };
        };
        run.used_at = clock;
        if read_to > run.end {
            run.reads = run.reads.saturating_add(1);
            run.row_bytes = run.row_bytes.saturating_add(read_to - run.end.max(offset));
            run.end = read_to;
        }
        let rows = self.runs.iter().filter(|run| run.is_row()).count() as u64;
        let share = most_bytes / rows.max(1);
        let run = self
            .runs
            .iter_mut()
            .find(|run| run.used_at == clock)
            .expect("it was found a moment ago");
        if !run.is_row() {
            return Outlook {
                ahead: read_to..read_to,
                passes: false,
            };
        }
        let window = (run.row_bytes / 2).clamp(LEAST_BYTES, MOST_BYTES).min(share);
        let (from, to) = (run.ahead_to.max(run.end), run.end.saturating_add(window));
        // In steps that are worth a request.
        let ahead = if to.saturating_sub(from) >= (window / 4).max(1) {
            run.ahead_to = to;
            from..to
        } else {
            from..from
        };
        Outlook { ahead, passes: true }
    }

    fn begin(&mut self, member: u32, end: u64) {
        if self.runs.len() >= MAX_RUNS
            && let Some(oldest) = (0..self.runs.len()).min_by_key(|at| self.runs[*at].used_at)
        {
            self.runs.swap_remove(oldest);
        }
        self.runs.push(Run {
            member,
            end,
            reads: 1,
            row_bytes: 0,
            ahead_to: 0,
            used_at: self.clock,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::BACK_BYTES;
    use super::MOST_BYTES;
    use super::Reading;

    const ROOM: u64 = 32 << 20;
    const STEP: u64 = 64 << 10;

    /// Reads in a row; answers what was fetched ahead altogether, and how far at the end.
    fn read_row(reading: &mut Reading, member: u32, from: u64, steps: u64) -> (u64, u64) {
        let (mut ahead_bytes, mut ahead_to) = (0, 0);
        for step in 0..steps {
            let ahead = reading.note(member, from + step * STEP, STEP, ROOM).ahead;
            ahead_bytes += ahead.end - ahead.start;
            ahead_to = ahead_to.max(ahead.end);
        }
        (ahead_bytes, ahead_to)
    }

    #[test]
    fn a_reader_in_a_row_is_fetched_ahead_of_once_and_ever_further() {
        let mut reading = Reading::default();
        assert_eq!(read_row(&mut reading, 0, 0, 8).0, 0, "half a megabyte is no row yet");
        let (bytes, to) = read_row(&mut reading, 0, 8 * STEP, 8);
        assert!(bytes > 0 && to <= 16 * STEP + 16 * STEP / 2, "{bytes} {to}");
        let (_, to) = read_row(&mut reading, 0, 16 * STEP, 4_000);
        assert!(to >= 4_000 * STEP, "{to}");
        let (bytes, _) = read_row(&mut reading, 0, 4_016 * STEP, 1_000);
        assert!(
            bytes.abs_diff(1_000 * STEP) <= MOST_BYTES,
            "nothing is fetched twice: {bytes}"
        );
    }

    #[test]
    fn jumps_are_never_fetched_ahead_of() {
        let mut reading = Reading::default();
        for key_frame in 0..500 {
            let at = key_frame * (10 << 20);
            for (offset, length) in [(0, STEP), (STEP, 150_000)] {
                let outlook = reading.note(0, at + offset, length, ROOM);
                assert!(outlook.ahead.is_empty() && !outlook.passes);
            }
        }
    }

    #[test]
    fn two_places_of_one_file_and_another_file_are_three_readers() {
        let mut reading = Reading::default();
        let mut furthest = [0; 3];
        for step in 0..2_000 {
            for (row, (member, from)) in [(0, 0), (0, 1 << 32), (1, 0)].into_iter().enumerate() {
                let outlook = reading.note(member, from + step * STEP, STEP, ROOM);
                furthest[row] = furthest[row].max(outlook.ahead.end.saturating_sub(from + step * STEP));
            }
        }
        for ahead in furthest {
            assert!((1 << 20..=ROOM / 3 + STEP).contains(&ahead), "{furthest:?}");
        }
    }

    #[test]
    fn going_back_a_little_is_no_new_reader_and_no_progress() {
        let mut reading = Reading::default();
        read_row(&mut reading, 0, 0, 100);
        let ahead_to = reading.runs[0].ahead_to;
        let outlook = reading.note(0, 100 * STEP - BACK_BYTES, STEP, ROOM);
        assert!(outlook.ahead.is_empty());
        assert_eq!((reading.runs.len(), reading.runs[0].ahead_to), (1, ahead_to));
    }
}
