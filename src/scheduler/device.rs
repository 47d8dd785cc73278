//! One device: what it can carry, what it carries now, and whether it may be trusted. Pure.
//!
//! Guarantees: an attempt that asks for more than a device has gets it once nothing else runs there, so that nothing waits
//! for ever; a device that fails attempts of several tasks in a row gets none until a later look finds it well, and a
//! single failure then sets it aside again, for longer. Deliberately absent: choosing among devices.

use crate::base::backoff;
use crate::base::clock::UtcMs;
use crate::base::ids::AttemptId;
use crate::base::ids::TaskId;
use crate::executor::devices::COUNTED_SESSIONS;
use crate::media::device_report::DeviceFacts;
use crate::scheduler::need::Need;
use std::collections::BTreeMap;

/// Tasks in a row whose attempts a device may fail. One task may fail on every device there is.
const FAILED_TASKS: usize = 3;
/// Time until a device that was set aside is looked at again, milliseconds.
const FIRST_LOOK_MS: i64 = 30_000;
const LAST_LOOK_MS: i64 = 900_000;

/// How much of a device may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Attempts at once.
    pub attempts: u32,
    /// Encoder sessions at once.
    pub sessions: u32,
    /// Memory, bytes.
    pub memory_bytes: u64,
}

/// What limits the use of every device; none: what the look finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Attempts at once.
    pub attempts: Option<u32>,
    /// Encoder sessions at once.
    pub sessions: Option<u32>,
    /// Memory that is left to others, bytes.
    pub memory_reserve_bytes: u64,
}

/// What one attempt has of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    sessions: u32,
    memory_bytes: u64,
}

/// A device that gets no new attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Since when.
    pub since: UtcMs,
    /// Why, without a closing full stop.
    pub why: String,
    /// When it is looked at again.
    pub next_look: UtcMs,
}

/// One device.
#[derive(Debug, Clone)]
pub struct Device {
    facts: DeviceFacts,
    bounds: Bounds,
    room: Room,
    load: BTreeMap<AttemptId, Share>,
    failed: Vec<TaskId>,
    aside: Option<Aside>,
    /// Looks and failures since it last carried an attempt well.
    setbacks: u32,
}

impl Device {
    /// One that was just found.
    pub fn new(facts: DeviceFacts, bounds: Bounds) -> Self {
        let mut device = Device {
            room: Room {
                attempts: 0,
                sessions: 0,
                memory_bytes: 0,
            },
            facts: DeviceFacts::default(),
            bounds,
            load: BTreeMap::new(),
            failed: Vec::new(),
            aside: None,
            setbacks: 0,
        };
        device.is_now(facts);
        device
    }

    /// What a look found. What its attempts have was taken when the look counted what is free.
    pub fn is_now(&mut self, facts: DeviceFacts) {
        let (used_sessions, used_memory) = (self.sessions(), self.memory_bytes());
        let engines = facts.decode.iter().map(|one| one.engines);
        let engines = engines.chain(facts.encode.iter().map(|one| one.engines)).max();
        let free = facts.encoder_sessions_free;
        self.room = Room {
            attempts: self.bounds.attempts.unwrap_or(engines.unwrap_or(1)).max(1),
            sessions: self
                .bounds
                .sessions
                .or(free
                    .filter(|free| *free < COUNTED_SESSIONS)
                    .map(|free| free.saturating_add(used_sessions)))
                .unwrap_or(u32::MAX),
            memory_bytes: facts
                .memory_free_bytes
                .saturating_add(used_memory)
                .min(facts.memory_bytes)
                .saturating_sub(self.bounds.memory_reserve_bytes),
        };
        self.facts = facts;
    }

    /// What its driver says of it.
    pub fn facts(&self) -> &DeviceFacts {
        &self.facts
    }

    /// How much of it may be used.
    pub fn room(&self) -> Room {
        self.room
    }

    /// Why it gets no attempts; none: it does.
    pub fn aside(&self) -> Option<&Aside> {
        self.aside.as_ref()
    }

    /// Attempts that run on it.
    pub fn attempts(&self) -> impl Iterator<Item = &AttemptId> {
        self.load.keys()
    }

    /// How many.
    pub fn attempt_count(&self) -> u32 {
        u32::try_from(self.load.len()).unwrap_or(u32::MAX)
    }

    /// Encoder sessions that they have, by estimate.
    pub fn sessions(&self) -> u32 {
        self.load.values().map(|share| share.sessions).sum()
    }

    /// Memory that they have, by estimate.
    pub fn memory_bytes(&self) -> u64 {
        self.load.values().map(|share| share.memory_bytes).sum()
    }

    /// Whether there is room for one more attempt.
    pub fn takes(&self, need: &Need) -> bool {
        let sessions = need.sessions(&self.facts);
        let fits = self.sessions().saturating_add(sessions) <= self.room.sessions
            && self.memory_bytes().saturating_add(need.memory_bytes) <= self.room.memory_bytes;
        self.attempt_count() < self.room.attempts && (fits || self.load.is_empty())
    }

    /// How full it is, 0 to 1, by what it has least of.
    pub fn fullness(&self) -> f64 {
        let part = |used: f64, of: f64| if of > 0.0 { used / of } else { 0.0 };
        part(f64::from(self.attempt_count()), f64::from(self.room.attempts))
            .max(part(f64::from(self.sessions()), f64::from(self.room.sessions)))
            .max(part(self.memory_bytes() as f64, self.room.memory_bytes as f64))
    }

    /// An attempt begins on it.
    pub fn enter(&mut self, attempt: AttemptId, need: &Need) {
        let share = Share {
            sessions: need.sessions(&self.facts),
            memory_bytes: need.memory_bytes,
        };
        self.load.insert(attempt, share);
    }

    /// It has ended.
    pub fn leave(&mut self, attempt: &AttemptId) {
        self.load.remove(attempt);
    }

    /// It carried an attempt well.
    pub fn went_well(&mut self) {
        self.failed.clear();
        self.setbacks = 0;
    }

    /// It failed an attempt of `task`. True: it is set aside now.
    pub fn failed(&mut self, task: &TaskId, why: &str, now: UtcMs) -> bool {
        if !self.failed.contains(task) {
            self.failed.push(task.clone());
        }
        if self.failed.len() < FAILED_TASKS || self.aside.is_some() {
            return false;
        }
        self.setbacks = self.setbacks.saturating_add(1);
        self.aside = Some(Aside {
            since: now,
            why: why.to_owned(),
            next_look: self.next_look(now),
        });
        true
    }

    /// A look did not find it, or found it of no use. True: it was in use until now.
    pub fn is_missing(&mut self, why: &str, now: UtcMs) -> bool {
        self.setbacks = self.setbacks.saturating_add(1);
        let next_look = self.next_look(now);
        match &mut self.aside {
            Some(aside) => {
                aside.next_look = next_look;
                false
            }
            None => {
                self.aside = Some(Aside {
                    since: now,
                    why: why.to_owned(),
                    next_look,
                });
                true
            }
        }
    }

    /// A look found it well: it is used again once its time has come, or when a person asked for the look. True: it was
    /// aside until now.
    pub fn answered_well(&mut self, by_hand: bool, now: UtcMs) -> bool {
        let due = self
            .aside
            .as_ref()
            .is_some_and(|aside| by_hand || now >= aside.next_look);
        if due {
            self.aside = None;
            // One more failure is enough.
            self.failed.truncate(FAILED_TASKS - 1);
        }
        due
    }

    fn next_look(&self, now: UtcMs) -> UtcMs {
        now.plus_ms(backoff::delay_ms(self.setbacks, FIRST_LOOK_MS, LAST_LOOK_MS))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::Bounds;
    use super::Device;
    use crate::base::clock::UtcMs;
    use crate::base::ids::AttemptId;
    use crate::base::ids::TaskId;
    use crate::media::device_report::DecodeAbility;
    use crate::media::device_report::DeviceFacts;
    use crate::media::device_report::EncodeAbility;
    use crate::scheduler::need::EncodeNeed;
    use crate::scheduler::need::Need;

    /// A card of two engines, 8 GiB and so many free sessions.
    pub(in crate::scheduler) fn card(ordinal: u32, sessions: Option<u32>) -> DeviceFacts {
        DeviceFacts {
            ordinal,
            uuid: format!("GPU-{ordinal}"),
            name: "card".to_owned(),
            memory_bytes: 8 << 30,
            memory_free_bytes: 8 << 30,
            decode: vec![DecodeAbility {
                codec: "h264".to_owned(),
                chroma: "4:2:0".to_owned(),
                bit_depth: 8,
                min_width: 48,
                min_height: 16,
                max_width: 4096,
                max_height: 4096,
                max_macroblocks: 65_536,
                engines: 2,
            }],
            encode: vec![EncodeAbility {
                codec: "h264".to_owned(),
                engines: 1,
                ..EncodeAbility::default()
            }],
            encoder_sessions_free: sessions,
            ..DeviceFacts::default()
        }
    }

    /// An attempt of so many H.264 encodes and GiB.
    pub(in crate::scheduler) fn need(encodes: usize, gib: u64) -> Need {
        let h264 = EncodeNeed {
            codec: "h264",
            ten_bit: false,
        };
        Need {
            decode: None,
            encodes: vec![h264; encodes],
            other_encodes: false,
            memory_bytes: gib << 30,
            work: 100.0,
        }
    }

    #[test]
    fn attempts_sessions_and_memory_are_each_a_limit() {
        let with = |sessions, share: &[Need]| {
            let mut device = Device::new(card(0, sessions), Bounds::default());
            for one in share {
                device.enter(AttemptId::fresh(), one);
            }
            device
        };
        assert!(with(Some(5), &[need(2, 1)]).takes(&need(3, 1)));
        assert!(!with(Some(5), &[need(2, 1)]).takes(&need(4, 1)), "six sessions of five");
        assert!(with(None, &[need(2, 1)]).takes(&need(40, 1)), "nobody counted them");
        assert!(with(Some(16), &[need(2, 1)]).takes(&need(40, 1)), "sixteen or more");
        assert!(!with(None, &[need(1, 6)]).takes(&need(1, 3)), "nine GiB of eight");
        assert!(!with(None, &[need(1, 1), need(1, 1)]).takes(&need(0, 0)), "two engines");
        assert!(
            with(Some(2), &[]).takes(&need(6, 20)),
            "what is too much for it gets it alone"
        );
    }

    #[test]
    fn a_look_while_attempts_run_does_not_count_their_share_twice() {
        let mut device = Device::new(card(0, Some(5)), Bounds::default());
        device.enter(AttemptId::fresh(), &need(3, 2));
        let mut facts = card(0, Some(2));
        facts.memory_free_bytes = 6 << 30;
        device.is_now(facts);
        assert_eq!((device.room().sessions, device.room().memory_bytes), (5, 8 << 30));
        let bounds = Bounds {
            attempts: Some(1),
            sessions: Some(3),
            memory_reserve_bytes: 1 << 30,
        };
        let bounded = Device::new(card(0, Some(5)), bounds).room();
        assert_eq!(
            (bounded.attempts, bounded.sessions, bounded.memory_bytes),
            (1, 3, 7 << 30)
        );
    }

    #[test]
    fn it_is_set_aside_after_three_tasks_in_a_row_and_not_for_one_that_fails_everywhere() {
        let mut device = Device::new(card(0, None), Bounds::default());
        let now = UtcMs(1_000);
        let bad = TaskId::fresh();
        assert!(!(0..10).any(|_| device.failed(&bad, "lost", now)));
        assert!(!device.failed(&TaskId::fresh(), "lost", now));
        device.went_well();
        assert!(!device.failed(&TaskId::fresh(), "lost", now), "in a row");
        assert!(!device.failed(&TaskId::fresh(), "lost", now));
        assert!(device.failed(&TaskId::fresh(), "lost", now));
        assert!(!device.failed(&TaskId::fresh(), "lost", now), "told once");
    }

    #[test]
    fn it_comes_back_when_a_look_finds_it_well_and_goes_sooner_and_for_longer_the_next_time() {
        let mut device = Device::new(card(0, None), Bounds::default());
        let fails = |device: &mut Device, at| device.failed(&TaskId::fresh(), "lost", UtcMs(at));
        assert!((0..3).any(|_| fails(&mut device, 0)));
        assert!(!device.answered_well(false, UtcMs(29_999)), "hammering helps nobody");
        assert!(
            device.answered_well(true, UtcMs(29_999)),
            "but a person may know better"
        );
        assert!(fails(&mut device, 40_000), "one failure is enough now");
        assert_eq!(device.aside().map(|aside| aside.next_look), Some(UtcMs(100_000)));
        assert!(!device.is_missing("gone", UtcMs(100_000)));
        assert_eq!(device.aside().map(|aside| aside.next_look), Some(UtcMs(220_000)));
        assert!(device.answered_well(false, UtcMs(220_000)));
        assert!(device.aside().is_none());
        device.went_well();
        assert!(!fails(&mut device, 300_000), "it has earned its trust again");
    }
}
