//! When an object counts as arrived: its size, time and tail stayed the same for so many looks.
//!
//! Guarantees: pure, the clock is an argument; any change begins anew; empty files wait for content without being
//! looked at; a file whose container is not whole gets more time, not for ever. Deliberately absent: looking.

use crate::base::clock::UtcMs;
use crate::objects::scan::Found;
use crate::trigger::explain::Word;
use crate::workflow::arrival::Arrival;
use std::collections::BTreeSet;
use std::collections::HashMap;

/// An unfinished container that does not change any more is let go after so many times the usual looks: what is
/// wrong with it is then a task's to say.
const PATIENCE: u32 = 5;

/// How long nothing must change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Looks in a row without a change; at least 1.
    pub looks: u32,
    /// Time between looks, milliseconds.
    pub interval_ms: u64,
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Hash of the last bytes; none: not read, or not readable.
    pub tail: Option<u64>,
    /// Its container is whole, as far as that can be told; looked at only when asked for.
    pub whole: bool,
}

/// A look that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// At which object.
    pub key: String,
    /// Whether it could be the last one, so that the container is to be checked too.
    pub check: bool,
}

/// What a look means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// More looks are needed.
    Wait,
    /// It arrived.
    Settled(Arrival),
    /// It vanished.
    Gone,
}

/// Objects that have not settled.
#[derive(Debug)]
pub struct Settling {
    rules: Rules,
    waiting: HashMap<String, Waiting>,
    due: BTreeSet<(u64, String)>,
}

#[derive(Debug)]
struct Waiting {
    size_bytes: u64,
    mtime_ns: i64,
    tail: Option<u64>,
    same: u32,
    seen_at: UtcMs,
    /// None: an empty file, looked at when something is heard of it.
    due_ms: Option<u64>,
}

impl Settling {
    /// None yet.
    pub fn new(rules: Rules) -> Self {
        Settling {
            rules: Rules {
                looks: rules.looks.max(1),
                ..rules
            },
            waiting: HashMap::new(),
            due: BTreeSet::new(),
        }
    }

    /// Something was heard of an object. Answers whether this content is new here.
    pub fn heard(&mut self, found: &Found, now_ms: u64, seen_at: UtcMs) -> bool {
        let same = |waiting: &Waiting| waiting.size_bytes == found.size_bytes && waiting.mtime_ns == found.mtime_ns;
        if self.waiting.get(&found.key).is_some_and(same) {
            return false;
        }
        let sight = Sight {
            size_bytes: found.size_bytes,
            mtime_ns: found.mtime_ns,
            tail: None,
            whole: false,
        };
        self.begin(&found.key, &sight, now_ms, seen_at);
        true
    }

    /// Looks that are due, at most `limit`; each must be answered by [`looked`](Self::looked) or [`later`](Self::later).
    pub fn due(&mut self, now_ms: u64, limit: usize) -> Vec<Due> {
        let mut due = Vec::new();
        while due.len() < limit
            && let Some((at_ms, _)) = self.due.first()
            && *at_ms <= now_ms
            && let Some((_, key)) = self.due.pop_first()
        {
            if let Some(waiting) = self.waiting.get_mut(&key) {
                waiting.due_ms = None;
                let check = waiting.same + 1 >= self.rules.looks;
                due.push(Due { key, check });
            }
        }
        due
    }

    /// Takes a look in: none means that nothing is there.
    pub fn looked(&mut self, key: &str, sight: Option<Sight>, now_ms: u64, at: UtcMs) -> Answer {
        let Some(waiting) = self.waiting.get_mut(key) else {
            return Answer::Wait;
        };
        let Some(sight) = sight else {
            self.drop_key(key);
            return Answer::Gone;
        };
        let tail_differs = matches!((waiting.tail, sight.tail), (Some(before), Some(after)) if before != after);
        if waiting.size_bytes != sight.size_bytes || waiting.mtime_ns != sight.mtime_ns || tail_differs {
            self.begin(key, &sight, now_ms, at);
            return Answer::Wait;
        }
        waiting.tail = sight.tail.or(waiting.tail);
        waiting.same += 1;
        let patience = if sight.whole { 1 } else { PATIENCE };
        if waiting.same < self.rules.looks.saturating_mul(patience) {
            self.later(key, now_ms);
            return Answer::Wait;
        }
        let arrival = Arrival {
            key: key.to_owned(),
            size_bytes: waiting.size_bytes,
            mtime_ns: waiting.mtime_ns,
            etag: String::new(),
            seen_at: waiting.seen_at,
        };
        self.drop_key(key);
        Answer::Settled(arrival)
    }

    /// Looks again after the usual time: the look failed, or what it found could not be written down.
    pub fn later(&mut self, key: &str, now_ms: u64) {
        if let Some(waiting) = self.waiting.get_mut(key) {
            if let Some(old) = waiting.due_ms.take() {
                self.due.remove(&(old, key.to_owned()));
            }
            let due_ms = now_ms + self.rules.interval_ms;
            waiting.due_ms = Some(due_ms);
            self.due.insert((due_ms, key.to_owned()));
        }
    }

    /// Takes an object up again that had settled but could not be written down.
    pub fn again(&mut self, arrival: &Arrival, now_ms: u64) {
        let sight = Sight {
            size_bytes: arrival.size_bytes,
            mtime_ns: arrival.mtime_ns,
            tail: None,
            whole: false,
        };
        self.begin(&arrival.key, &sight, now_ms, arrival.seen_at);
        if let Some(waiting) = self.waiting.get_mut(&arrival.key) {
            waiting.same = self.rules.looks - 1;
        }
    }

    /// Why an object has not settled yet; none: it is not among those that have not.
    pub fn why_waiting(&self, key: &str, now_ms: u64) -> Option<Word> {
        let waiting = self.waiting.get(key)?;
        if waiting.size_bytes == 0 {
            let text = "It is empty; files without content wait until something is written into them.";
            return Some(Word::prevents("empty", text));
        }
        let looks = self.rules.looks;
        if waiting.same >= looks {
            let text = "It does not change any more, but its container is not whole (an index or a part is missing): the writer gets more time.";
            return Some(Word::prevents("unfinished", text));
        }
        let next = match waiting.due_ms {
            Some(due_ms) => format!(
                "the next one is due in {} s",
                due_ms.saturating_sub(now_ms).div_ceil(1_000)
            ),
            None => "one is being taken right now".to_owned(),
        };
        let text = format!(
            "It waits until nothing of it changes: {} of {looks} looks in a row found it as it was, {next}.",
            waiting.same
        );
        Some(Word::prevents("settling", text))
    }

    /// When the next look is due.
    pub fn next_ms(&self) -> Option<u64> {
        self.due.first().map(|(at_ms, _)| *at_ms)
    }

    /// Objects that have not settled.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether everything has settled.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets everything: the storage cannot be trusted at the moment.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.due.clear();
    }

    fn begin(&mut self, key: &str, sight: &Sight, now_ms: u64, seen_at: UtcMs) {
        self.drop_key(key);
        let waiting = Waiting {
            size_bytes: sight.size_bytes,
            mtime_ns: sight.mtime_ns,
            tail: sight.tail,
            same: 0,
            seen_at,
            due_ms: None,
        };
        self.waiting.insert(key.to_owned(), waiting);
        if sight.size_bytes > 0 {
            self.later(key, now_ms);
        }
    }

    fn drop_key(&mut self, key: &str) {
        if let Some(waiting) = self.waiting.remove(key)
            && let Some(due_ms) = waiting.due_ms
        {
            self.due.remove(&(due_ms, key.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use super::Found;
    use super::Rules;
    use super::Settling;
    use super::Sight;
    use crate::base::clock::UtcMs;

    const RULES: Rules = Rules {
        looks: 2,
        interval_ms: 1_000,
    };

    fn found(size_bytes: u64, mtime_ns: i64) -> Found {
        Found {
            key: "a".to_owned(),
            size_bytes,
            mtime_ns,
            ctime_ns: 0,
        }
    }

    fn sight(size_bytes: u64, tail: u64) -> Option<Sight> {
        Some(Sight {
            size_bytes,
            mtime_ns: 1,
            tail: Some(tail),
            whole: true,
        })
    }

    /// Looks at every due moment until something happens; answers when, and what.
    fn settle(settling: &mut Settling, sight: impl Fn(u64) -> Option<Sight>) -> (u64, Answer) {
        loop {
            let now_ms = settling.next_ms().expect("something is due");
            for due in settling.due(now_ms, 10) {
                match settling.looked(&due.key, sight(now_ms), now_ms, UtcMs(0)) {
                    Answer::Wait => {}
                    answer => return (now_ms, answer),
                }
            }
        }
    }

    #[test]
    fn settles_after_so_many_equal_looks() {
        let mut settling = Settling::new(RULES);
        assert!(settling.heard(&found(5, 1), 0, UtcMs(7)));
        assert!(!settling.heard(&found(5, 1), 500, UtcMs(8)));
        let (at, answer) = settle(&mut settling, |_| sight(5, 1));
        assert_eq!(at, 2_000);
        assert!(matches!(answer, Answer::Settled(arrival) if arrival.seen_at == UtcMs(7)));
        assert!(settling.is_empty() && settling.next_ms().is_none());
    }

    #[test]
    fn a_change_of_size_or_of_the_tail_alone_begins_anew() {
        let mut settling = Settling::new(RULES);
        settling.heard(&found(5, 1), 0, UtcMs(0));
        let (at, _) = settle(&mut settling, |now| sight(if now < 3_000 { now } else { 9 }, 1));
        assert_eq!(at, 5_000);
        settling.heard(&found(5, 1), 10_000, UtcMs(0));
        let (at, _) = settle(&mut settling, |now| sight(5, now.min(12_000)));
        assert_eq!(at, 14_000);
    }

    #[test]
    fn an_empty_file_is_not_looked_at_until_something_is_heard() {
        let mut settling = Settling::new(RULES);
        settling.heard(&found(0, 1), 0, UtcMs(0));
        assert_eq!((settling.next_ms(), settling.len()), (None, 1));
        assert!(!settling.heard(&found(0, 1), 5_000, UtcMs(0)));
        assert!(settling.heard(&found(5, 1), 9_000, UtcMs(0)));
        assert_eq!(settle(&mut settling, |_| sight(5, 1)).0, 11_000);
    }

    #[test]
    fn an_unfinished_container_gets_more_time_but_not_for_ever() {
        let mut settling = Settling::new(RULES);
        settling.heard(&found(5, 1), 0, UtcMs(0));
        let cut = |now: u64| {
            sight(5, 1).map(|sight| Sight {
                whole: now >= 4_000,
                ..sight
            })
        };
        assert_eq!(settle(&mut settling, cut).0, 4_000);
        settling.heard(&found(5, 1), 0, UtcMs(0));
        let (at, answer) = settle(&mut settling, |_| {
            sight(5, 1).map(|sight| Sight { whole: false, ..sight })
        });
        assert!(at == 10_000 && matches!(answer, Answer::Settled(_)));
    }

    #[test]
    fn what_vanishes_is_forgotten() {
        let mut settling = Settling::new(RULES);
        settling.heard(&found(5, 1), 0, UtcMs(0));
        assert_eq!(settle(&mut settling, |_| None), (1_000, Answer::Gone));
        assert!(settling.is_empty());
    }
}
