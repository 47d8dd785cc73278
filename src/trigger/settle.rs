//! When an object counts as arrived: its size, time and tail stayed the same for so many looks, and nothing that its
//! storage asks for beside that is missing.
//!
//! Guarantees: pure, the clock is an argument, and only our own: what a file server says of times is compared with what
//! it said before, never with the host's clock; any change begins anew; one that changes for long is looked at more and
//! more seldom, one twentieth of that time apart; a file whose container is not whole, or that cannot be read, gets more
//! time, not for ever; what waits knows why. Deliberately absent: looking.

use crate::base::clock::UtcMs;
use crate::objects::scan::Found;
use crate::store::arrivals::Settled;
use crate::trigger::checksum::Claim;
use crate::trigger::explain::Word;
use crate::trigger::queue::Queue;
use crate::trigger::sight::Sight;
use crate::workflow::arrival::Arrival;
use crate::workflow::arrival::Parts;
use crate::workflow::waiting::Waits;

/// An unfinished container that does not change any more is let go after so many times the usual looks: what is
/// wrong with it is then a task's to say.
const PATIENCE: u32 = 5;
/// One that cannot be read gets so long, for its rights to be set; then its task says so.
const UNREADABLE_MS: u64 = 300_000;
/// Longest time between two looks at what changes or waits.
const SELDOM_MS: u64 = 60_000;
/// What changes for longer than this is said to grow.
const LONG_MS: u64 = 10_000;

/// How long nothing must change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Looks in a row without a change; at least 1.
    pub looks: u32,
    /// Time between looks, milliseconds.
    pub interval_ms: u64,
    /// What an unfinished container gets at least, milliseconds.
    pub patience_ms: u64,
    /// For how long it must have been as it is, milliseconds.
    pub min_age_ms: u64,
}

/// A look that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// At which object.
    pub key: String,
    /// Whether it could be the last one, so that the container and what lies beside are to be looked at too.
    pub check: bool,
    /// It ran before with other content.
    pub changed: bool,
}

/// What a look means.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// More looks are needed.
    Wait,
    /// It is to be read and compared; [`Settling::verified`] takes the answer.
    Verify(Claim),
    /// It arrived.
    Settled(Box<Settled>),
    /// It vanished.
    Gone,
}

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// It is what was said.
    Same,
    /// It has another checksum, this one.
    Other(String),
}

/// One that waits, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slow {
    /// Its key.
    pub key: String,
    /// Bytes when it was last looked at.
    pub size_bytes: u64,
    /// Since when it is looked at.
    pub since: UtcMs,
    /// What it waits for; none: nothing but the usual looks.
    pub waits: Option<Waits>,
}

/// Objects that have not settled.
#[derive(Debug)]
pub struct Settling {
    rules: Rules,
    waiting: Queue<Waiting>,
    notes: Vec<String>,
    young: Vec<Arrival>,
}

#[derive(Debug)]
struct Waiting {
    size_bytes: u64,
    mtime_ns: i64,
    tail: Option<u64>,
    stamp: u64,
    same: u32,
    /// When this content was first seen.
    seen_at: UtcMs,
    /// When it was first heard of.
    first_ms: u64,
    first_at: UtcMs,
    /// When it last changed.
    quiet_ms: u64,
    changed: bool,
    waits: Option<Waits>,
    compared: Option<(Claim, Option<Compared>)>,
}

impl Waiting {
    fn is(&self, size_bytes: u64, mtime_ns: i64) -> bool {
        self.size_bytes == size_bytes && self.mtime_ns == mtime_ns
    }

    fn arrival(&self, key: &str) -> Arrival {
        Arrival {
            key: key.to_owned(),
            size_bytes: self.size_bytes,
            mtime_ns: self.mtime_ns,
            etag: String::new(),
            seen_at: self.seen_at,
        }
    }

    fn is_same_as(&self, sight: &Sight) -> bool {
        let tail_differs = matches!((self.tail, sight.tail), (Some(before), Some(after)) if before != after);
        self.is(sight.size_bytes, sight.mtime_ns) && !tail_differs
    }
}

/// Time until the next look at what goes on for so long.
fn seldom_ms(rules: &Rules, lasts_ms: u64) -> u64 {
    (lasts_ms / 20).clamp(rules.interval_ms, SELDOM_MS.max(rules.interval_ms))
}

impl Settling {
    /// None yet.
    pub fn new(rules: Rules) -> Self {
        Settling {
            rules: Rules {
                looks: rules.looks.max(1),
                ..rules
            },
            waiting: Queue::default(),
            notes: Vec::new(),
            young: Vec::new(),
        }
    }

    /// Something was heard of an object. `changed`: it ran before with other content. Answers whether this content is
    /// new here.
    pub fn heard(&mut self, found: &Found, changed: bool, now_ms: u64, seen_at: UtcMs) -> bool {
        let soon_ms = now_ms + self.rules.interval_ms;
        if let Some(waiting) = self.waiting.get_mut(&found.key) {
            let new = !waiting.is(found.size_bytes, found.mtime_ns);
            if new {
                self.change(&found.key, (found.size_bytes, found.mtime_ns), now_ms, seen_at);
                self.waiting.moved(&found.key, soon_ms);
            } else {
                // Something happened to it that cannot be seen, the end of writing for one.
                self.waiting.sooner(&found.key, soon_ms);
            }
            return new;
        }
        self.enter(&found.key, (found.size_bytes, found.mtime_ns), changed, now_ms, seen_at);
        true
    }

    /// An object is as it is since then: an earlier run of the daemon saw it so.
    pub fn is_so_since(&mut self, key: &str, since: UtcMs) {
        if let Some(waiting) = self.waiting.get_mut(key) {
            waiting.seen_at = waiting.seen_at.min(since);
            waiting.first_at = waiting.first_at.min(since);
        }
    }

    /// Files were heard of that may end the wait of others: those are looked at now.
    pub fn wake(&mut self, is_meant: impl Fn(&str) -> bool, now_ms: u64) {
        let meant: Vec<String> = self
            .waiting
            .keys()
            .filter(|key| is_meant(key))
            .map(str::to_owned)
            .collect();
        for key in meant {
            self.waiting.sooner(&key, now_ms);
        }
    }

    /// Looks that are due, at most `limit`; each must be answered by [`looked`](Self::looked) or [`later`](Self::later).
    pub fn due(&mut self, now_ms: u64, limit: usize) -> Vec<Due> {
        let looks = self.rules.looks;
        let due = self.waiting.take_due(now_ms, limit).into_iter();
        due.filter_map(|key| {
            let waiting = self.waiting.get(&key)?;
            Some(Due {
                check: waiting.same + 1 >= looks,
                changed: waiting.changed,
                key,
            })
        })
        .collect()
    }

    /// Takes a look in: none means that nothing is there.
    pub fn looked(&mut self, key: &str, sight: Option<Sight>, now_ms: u64, at: UtcMs) -> Answer {
        let rules = self.rules;
        let Some(waiting) = self.waiting.get_mut(key) else {
            return Answer::Wait;
        };
        let Some(sight) = sight else {
            self.waiting.remove(key);
            return Answer::Gone;
        };
        if !waiting.is_same_as(&sight) {
            self.change(key, (sight.size_bytes, sight.mtime_ns), now_ms, at);
            if let Some(waiting) = self.waiting.get_mut(key) {
                waiting.tail = sight.tail;
                let next_ms = now_ms + seldom_ms(&rules, now_ms.saturating_sub(waiting.first_ms));
                self.waiting.at(key, next_ms);
            }
            return Answer::Wait;
        }
        if sight.size_bytes == 0 {
            return self.wait(key, Some(Waits::Empty), now_ms + SELDOM_MS);
        }
        waiting.tail = sight.tail.or(waiting.tail);
        waiting.same = waiting.same.saturating_add(1);
        if waiting.same < rules.looks {
            let waits = waiting.waits.take();
            return self.wait(key, waits, now_ms + rules.interval_ms);
        }
        if waiting.stamp != sight.beside.stamp {
            // What speaks of it is being written: one more look must find it as it is.
            waiting.stamp = sight.beside.stamp;
            if rules.looks > 1 {
                waiting.same = rules.looks - 1;
                return self.wait(key, None, now_ms + rules.interval_ms);
            }
        }
        let quiet_ms = now_ms.saturating_sub(waiting.quiet_ms);
        // What ends the wait is mostly heard of; these looks are for what is not.
        let seldom_ms = now_ms + seldom_ms(&rules, quiet_ms * 2).max(1_000);
        if let Some(waits) = sight.beside.obstacle {
            return self.wait(key, Some(waits), seldom_ms);
        }
        if let Some(why) = sight.unreadable.filter(|_| quiet_ms < UNREADABLE_MS) {
            return self.wait(key, Some(Waits::Unreadable { why }), seldom_ms);
        }
        let is_impatient = waiting.same < rules.looks.saturating_mul(PATIENCE) || quiet_ms < rules.patience_ms;
        if let Some(why) = sight.unfinished.filter(|_| is_impatient) {
            return self.wait(key, Some(Waits::Unfinished { why }), now_ms + rules.interval_ms);
        }
        let age_ms = u64::try_from(at.0.saturating_sub(waiting.seen_at.0)).unwrap_or(0);
        if age_ms < rules.min_age_ms {
            let young = Waits::Young {
                min_age_s: rules.min_age_ms / 1000,
                since: waiting.seen_at,
            };
            if waiting.waits.as_ref() != Some(&young) {
                // It may have changed since it was noted, and a restart is to find since when it is as it is.
                self.young.push(waiting.arrival(key));
            }
            return self.wait(
                key,
                Some(young),
                now_ms + (rules.min_age_ms - age_ms).clamp(1, SELDOM_MS),
            );
        }
        if let Some(claim) = sight.beside.claim {
            match &waiting.compared {
                Some((known, Some(Compared::Same))) if *known == claim => {}
                Some((known, Some(Compared::Other(found)))) if *known == claim => {
                    let differs = Waits::Differs {
                        list: claim.list.clone(),
                        algorithm: claim.algorithm.name(),
                        said: claim.hex.clone(),
                        found: found.clone(),
                    };
                    return self.wait(key, Some(differs), seldom_ms);
                }
                Some((known, None)) if *known == claim => {
                    let waits = waiting.waits.take();
                    return self.wait(key, waits, seldom_ms);
                }
                _ => {
                    waiting.compared = Some((claim.clone(), None));
                    let list = claim.list.clone();
                    self.wait(key, Some(Waits::Verifying { list }), seldom_ms);
                    return Answer::Verify(claim);
                }
            }
        }
        let said = Parts {
            subtitles: sight.beside.subtitles,
            order: sight.beside.order,
            ..Parts::default()
        };
        let settled = Settled {
            arrival: waiting.arrival(key),
            parts: (said != Parts::default()).then_some(said),
        };
        self.waiting.remove(key);
        Answer::Settled(Box::new(settled))
    }

    /// Takes in what a comparison came to; none: it could not be made, and is made again. Answers the claim where the
    /// object is not what it says.
    pub fn verified(&mut self, key: &str, claim: &Claim, found: Option<Compared>, now_ms: u64) {
        let Some(waiting) = self.waiting.get_mut(key) else {
            return;
        };
        match &mut waiting.compared {
            Some((known, answer)) if known == claim && found.is_some() => *answer = found,
            Some((known, _)) if known == claim => waiting.compared = None,
            // The claim changed meanwhile: this answer is about another one.
            _ => return,
        }
        self.waiting.sooner(key, now_ms);
    }

    /// Looks again after the usual time: the look failed, or what it found could not be written down.
    pub fn later(&mut self, key: &str, now_ms: u64) {
        self.waiting.at(key, now_ms + self.rules.interval_ms);
    }

    /// A look failed: the folder may not be looked into, or the server says no.
    pub fn looked_in_vain(&mut self, key: &str, why: String, now_ms: u64) {
        let Some(waiting) = self.waiting.get(key) else {
            return;
        };
        let quiet_ms = now_ms.saturating_sub(waiting.quiet_ms);
        let next_ms = now_ms + seldom_ms(&self.rules, quiet_ms * 2).max(1_000);
        self.wait(key, Some(Waits::Unreadable { why }), next_ms);
    }

    /// Takes an object up again that had settled but could not be written down.
    pub fn again(&mut self, arrival: &Arrival, now_ms: u64) {
        self.waiting.remove(&arrival.key);
        self.enter(
            &arrival.key,
            (arrival.size_bytes, arrival.mtime_ns),
            false,
            now_ms,
            arrival.seen_at,
        );
        if let Some(waiting) = self.waiting.get_mut(&arrival.key) {
            waiting.same = self.rules.looks - 1;
        }
    }

    /// Why an object has not settled yet; none: it is not among those that have not.
    pub fn why_waiting(&self, key: &str) -> Option<Word> {
        let waiting = self.waiting.get(key)?;
        let looks = self.rules.looks;
        Some(match &waiting.waits {
            Some(waits) => Word::prevents(waits.code(), waits.to_string()),
            None => Word::prevents(
                "settling",
                format!(
                    "It is looked at until nothing of it changes: {} of {looks} looks in a row found it as it was.",
                    waiting.same.min(looks)
                ),
            ),
        })
    }

    /// When the next look is due.
    pub fn next_ms(&self) -> Option<u64> {
        self.waiting.next_ms()
    }

    /// Objects that have not settled.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether everything has settled.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Keys of those that wait for another reason than before, with the reason in words.
    pub fn take_notes(&mut self) -> Vec<(String, String)> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.sort_unstable();
        notes.dedup();
        let waits = notes.into_iter().filter_map(|key| {
            let said = self.waiting.get(&key)?.waits.as_ref()?.to_string();
            Some((key, said))
        });
        waits.collect()
    }

    /// Those that began to wait for their age alone.
    pub fn take_young(&mut self) -> Vec<Arrival> {
        std::mem::take(&mut self.young)
    }

    /// Those that wait longest, and how many of all are in trouble.
    pub fn slowest(&self, limit: usize) -> (Vec<Slow>, usize) {
        let mut all: Vec<(&str, &Waiting)> = self.waiting.iter().collect();
        let troubled = |(_, waiting): &&(&str, &Waiting)| waiting.waits.as_ref().is_some_and(Waits::is_trouble);
        let troubles = all.iter().filter(troubled).count();
        let limit = limit.min(all.len());
        if limit > 0 {
            all.select_nth_unstable_by_key(limit - 1, |(_, waiting)| waiting.first_ms);
        }
        all.truncate(limit);
        all.sort_by_key(|(key, waiting)| (waiting.first_ms, *key));
        let slow = all.into_iter().map(|(key, waiting)| Slow {
            key: key.to_owned(),
            size_bytes: waiting.size_bytes,
            since: waiting.first_at,
            waits: waiting.waits.clone(),
        });
        (slow.collect(), troubles)
    }

    /// Forgets everything: the storage cannot be trusted at the moment.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.notes.clear();
        self.young.clear();
    }

    fn enter(&mut self, key: &str, (size_bytes, mtime_ns): (u64, i64), changed: bool, now_ms: u64, seen_at: UtcMs) {
        let waiting = Waiting {
            size_bytes,
            mtime_ns,
            tail: None,
            stamp: 0,
            same: 0,
            seen_at,
            first_ms: now_ms,
            first_at: seen_at,
            quiet_ms: now_ms,
            changed,
            waits: None,
            compared: None,
        };
        self.waiting.insert(key, waiting);
        if size_bytes > 0 {
            self.waiting.at(key, now_ms + self.rules.interval_ms);
        } else {
            self.wait(key, Some(Waits::Empty), now_ms + SELDOM_MS);
        }
    }

    /// The object is another than before.
    fn change(&mut self, key: &str, (size_bytes, mtime_ns): (u64, i64), now_ms: u64, at: UtcMs) {
        let Some(waiting) = self.waiting.get_mut(key) else {
            return;
        };
        waiting.size_bytes = size_bytes;
        waiting.mtime_ns = mtime_ns;
        waiting.tail = None;
        waiting.same = 0;
        waiting.seen_at = at;
        waiting.quiet_ms = now_ms;
        waiting.compared = None;
        let since = waiting.first_at;
        let grows = now_ms.saturating_sub(waiting.first_ms) >= LONG_MS;
        self.because(key, grows.then_some(Waits::Growing { since }));
    }

    fn wait(&mut self, key: &str, waits: Option<Waits>, next_ms: u64) -> Answer {
        self.because(key, waits);
        self.waiting.at(key, next_ms);
        Answer::Wait
    }

    fn because(&mut self, key: &str, waits: Option<Waits>) {
        if let Some(waiting) = self.waiting.get_mut(key)
            && waiting.waits != waits
        {
            if waits.is_some() {
                self.notes.push(key.to_owned());
            }
            waiting.waits = waits;
        }
    }
}

#[cfg(test)]
mod tests;
