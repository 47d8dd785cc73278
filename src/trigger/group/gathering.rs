//! Files that settled and wait for the others of their media, and when their rooms are looked at.
//!
//! Guarantees: no clock of its own; a room is looked at some time after the last news of it, later where news come
//! seldom, and now and then however often they come. Deliberately absent: looking, and deciding (`judge`).

use super::GroupKind;
use super::Room;
use super::Seen;
use super::judge::Held;
use super::judge::Judgement;
use crate::objects::scan::Found;
use crate::store::arrivals::Settled;
use crate::trigger::explain::Word;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

/// Intervals between looks that nothing must come in.
const QUIET_INTERVALS: u64 = 3;
/// The longest pause between two pictures is no end; so many times as long is.
const PAUSES: u64 = 3;
/// Longest time that pauses can make it wait.
const LONGEST_MS: u64 = 900_000;

/// Rooms in which something is to be decided.
#[derive(Debug)]
pub struct Gathering {
    kinds: Vec<GroupKind>,
    quiet_ms: u64,
    rooms: HashMap<Room, Waiting>,
    due: BTreeSet<(u64, Room)>,
    /// Rooms of what was there before anybody watched.
    old: BTreeSet<Room>,
}

#[derive(Debug, Default)]
struct Waiting {
    held: BTreeMap<String, Held>,
    due_ms: Option<u64>,
    heard_ms: Option<u64>,
    longest_pause_ms: u64,
    why: Option<String>,
    is_incomplete: bool,
}

impl Gathering {
    /// Nothing yet. `interval_ms`: time between looks at one file.
    pub fn new(kinds: Vec<GroupKind>, interval_ms: u64) -> Self {
        Gathering {
            kinds,
            quiet_ms: interval_ms.saturating_mul(QUIET_INTERVALS).max(1),
            rooms: HashMap::new(),
            due: BTreeSet::new(),
            old: BTreeSet::new(),
        }
    }

    /// The room of an object; none: it is a media by itself.
    pub fn room_of(&self, key: &str) -> Option<Room> {
        match self.kinds.is_empty() {
            true => None,
            false => Room::of(key, &self.kinds),
        }
    }

    /// New content was met: whatever settled under this key is not what is there.
    pub fn heard(&mut self, room: Room, key: &str, now_ms: u64) {
        let waiting = self.rooms.entry(room.clone()).or_default();
        waiting.held.remove(key);
        let pause_ms = now_ms.saturating_sub(waiting.heard_ms.unwrap_or(now_ms));
        waiting.longest_pause_ms = waiting.longest_pause_ms.max(pause_ms);
        waiting.heard_ms = Some(now_ms);
        self.look_after_quiet(room, now_ms);
    }

    /// A file settled: it is held until its room is decided.
    pub fn hold(&mut self, room: Room, settled: Settled, now_ms: u64) {
        let waiting = self.rooms.entry(room.clone()).or_default();
        let key = settled.arrival.key.clone();
        let held = Held {
            settled,
            settled_ms: now_ms,
        };
        waiting.held.insert(key, held);
        self.look_after_quiet(room, now_ms);
    }

    /// Whether exactly this object settled and is held.
    pub fn holds(&self, room: &Room, object: &Found) -> bool {
        let held = self.rooms.get(room).and_then(|waiting| waiting.held.get(&object.key));
        held.is_some_and(|held| {
            held.is(Seen {
                size_bytes: object.size_bytes,
                mtime_ns: object.mtime_ns,
            })
        })
    }

    /// Something of the room was there before anybody watched.
    pub fn was_there(&mut self, room: Room) {
        self.old.insert(room);
    }

    /// The rooms of what was there before; they are decided before the first scan ends.
    pub fn old_rooms(&mut self) -> Vec<Room> {
        std::mem::take(&mut self.old).into_iter().collect()
    }

    /// How long nothing must have settled in a room.
    pub fn quiet_ms(&self, room: &Room) -> u64 {
        // Renderers and cameras write at their own pace; the files of a card come at that of a copy.
        let pause_ms = match room {
            Room::Sequence { .. } | Room::Gopro { .. } => {
                self.rooms.get(room).map_or(0, |waiting| waiting.longest_pause_ms)
            }
            Room::P2 { .. } | Room::Xdcam { .. } | Room::Avchd { .. } => 0,
        };
        self.quiet_ms.max(pause_ms.saturating_mul(PAUSES).min(LONGEST_MS))
    }

    fn look_after_quiet(&mut self, room: Room, now_ms: u64) {
        let at_ms = now_ms.saturating_add(self.quiet_ms(&room));
        // What is one media is looked at when nothing came for a while; on a card others may be complete before.
        let due_ms = self.rooms.get(&room).and_then(|waiting| waiting.due_ms);
        let at_ms = due_ms
            .filter(|_| room.is_card())
            .map_or(at_ms, |due_ms| due_ms.min(at_ms));
        self.look_at(room, at_ms);
    }

    fn look_at(&mut self, room: Room, at_ms: u64) {
        if let Some(waiting) = self.rooms.get_mut(&room) {
            if let Some(before) = waiting.due_ms.replace(at_ms) {
                self.due.remove(&(before, room.clone()));
            }
            self.due.insert((at_ms, room));
        }
    }

    /// A room that is to be looked at; [`decided`](Self::decided) or [`later`](Self::later) must follow.
    pub fn due(&mut self, now_ms: u64) -> Option<Room> {
        let (at_ms, _) = self.due.first()?;
        if *at_ms > now_ms {
            return None;
        }
        let (_, room) = self.due.pop_first()?;
        if let Some(waiting) = self.rooms.get_mut(&room) {
            waiting.due_ms = None;
        }
        Some(room)
    }

    /// What settled in a room.
    pub fn held(&self, room: &Room) -> BTreeMap<String, Held> {
        self.rooms
            .get(room)
            .map(|waiting| waiting.held.clone())
            .unwrap_or_default()
    }

    /// Looks at the room again: it could not be looked at, or what was decided could not be written down.
    pub fn later(&mut self, room: Room, now_ms: u64) {
        let at_ms = now_ms.saturating_add(self.quiet_ms);
        self.look_at(room, at_ms);
    }

    /// What was decided about a room is written down.
    pub fn decided(&mut self, room: Room, judgement: &Judgement, now_ms: u64) {
        let quiet_ms = self.quiet_ms(&room);
        let Some(waiting) = self.rooms.get_mut(&room) else {
            return;
        };
        let members = judgement
            .whole
            .iter()
            .flat_map(|whole| whole.parts.members.iter().chain(&whole.parts.attendants));
        let keys = members.map(|member| &member.key);
        let alone = judgement.alone.iter().map(|one| &one.arrival.key);
        let aside = judgement.aside.iter().map(|(arrival, _)| &arrival.key);
        let keys = keys.chain(alone).chain(aside);
        for key in keys.chain(&judgement.gone) {
            waiting.held.remove(key);
        }
        waiting.is_incomplete = judgement.is_incomplete;
        waiting.why = judgement.waiting.first().map(|(_, why)| why.clone());
        if !judgement.is_early && waiting.held.is_empty() && waiting.due_ms.is_none() {
            self.rooms.remove(&room);
            return;
        }
        // Whatever comes is heard of; this is for what nobody says, as a file that is taken away.
        let wait_ms = if judgement.is_early {
            quiet_ms / 2
        } else {
            quiet_ms.max(self.quiet_ms.saturating_mul(4))
        };
        self.look_at(room, now_ms.saturating_add(wait_ms.max(1)));
    }

    /// When the next look is due.
    pub fn next_ms(&self) -> Option<u64> {
        self.due.first().map(|(at_ms, _)| *at_ms)
    }

    /// Files that settled and wait for others.
    pub fn len(&self) -> usize {
        self.rooms.values().map(|waiting| waiting.held.len()).sum()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Why an object that settled is no arrival yet; none: it is not held.
    pub fn why_waiting(&self, key: &str) -> Option<Word> {
        let waiting = self.rooms.get(&self.room_of(key)?)?;
        waiting.held.get(key)?;
        let usual = || "It waits whether more comes that is one media with it.".to_owned();
        Some(Word::prevents("group", waiting.why.clone().unwrap_or_else(usual)))
    }

    /// Of the media that are not complete one, and how many there are.
    pub fn incomplete(&self) -> Option<(&str, usize)> {
        let incomplete = self.rooms.values().filter(|waiting| waiting.is_incomplete);
        let mut all = incomplete.filter_map(|waiting| waiting.why.as_deref());
        let first = all.next()?;
        Some((first, 1 + all.count()))
    }

    /// Forgets everything but what was there before: the storage cannot be trusted at the moment.
    pub fn clear(&mut self) {
        self.rooms.clear();
        self.due.clear();
    }
}
