//! What is to become of the files of a room that settled: which stand together as one media, which wait and for what,
//! and which are media by themselves.
//!
//! Guarantees: pure; a media is given out only when all of its files settled, none of them lately, and nothing that its
//! card names is missing; what has not changed is not given out again. Deliberately absent: looking and remembering.

use super::Contents;
use super::Group;
use super::Room;
use super::Seen;
use super::sequence;
use crate::store::arrivals::Settled;
use crate::workflow::arrival::Arrival;
use crate::workflow::arrival::Member;
use crate::workflow::arrival::Parts;
use crate::workflow::arrival::PartsKind;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// A file that settled, and waits for the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The file by itself.
    pub settled: Settled,
    /// When it settled, milliseconds of the trigger's clock.
    pub settled_ms: u64,
}

/// What is known of a room besides what lies in it.
pub struct Known<'a> {
    /// Files that settled since the room was last decided.
    pub held: &'a BTreeMap<String, Held>,
    /// Whether this very file settled before.
    pub is_known: &'a dyn Fn(&str, Seen) -> bool,
    /// The room is decided because it was there before anybody watched.
    pub is_old: bool,
    /// Nothing may have settled later than this.
    pub quiet_since_ms: u64,
    /// Pictures a second of sequences.
    pub fps: f64,
}

/// The decision.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// Media that are there, new ones or such that were there before.
    pub whole: Vec<Whole>,
    /// Files that are media by themselves.
    pub alone: Vec<Settled>,
    /// Files that are no media and belong to nothing, with why.
    pub aside: Vec<(Arrival, String)>,
    /// What waits, with why; only files that settled are named.
    pub waiting: Vec<(Vec<String>, String)>,
    /// Something of a media is not there, or changes.
    pub is_incomplete: bool,
    /// Something is only to be waited for because it settled lately.
    pub is_early: bool,
    /// Files that settled and are gone.
    pub gone: Vec<String>,
}

/// A media that is whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// It, under the key of its first file, as large as all of them and as young as the youngest.
    pub arrival: Arrival,
    /// What it consists of.
    pub parts: Parts,
    /// Something of it settled now; else it was there before anybody watched.
    pub is_new: bool,
}

/// Decides about a room.
pub fn judge(room: &Room, contents: &Contents, known: &Known<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    let mut placed: BTreeSet<String> = BTreeSet::new();
    for group in room.groups(contents) {
        placed.extend(group.keys().map(str::to_owned));
        one(&group, contents, known, &mut judgement);
    }
    for (key, held) in known.held.iter().filter(|(key, _)| !placed.contains(*key)) {
        if !contents.files.contains_key(key) {
            judgement.gone.push(key.clone());
        } else if held.settled_ms > known.quiet_since_ms {
            // The next one may make two of them.
            judgement.is_early = true;
        } else if room.is_card() {
            let why = format!("It belongs to {room} and is no recording.");
            judgement.aside.push((held.settled.arrival.clone(), why));
        } else {
            judgement.alone.push(held.settled.clone());
        }
    }
    judgement
}

fn one(group: &Group, contents: &Contents, known: &Known<'_>, judgement: &mut Judgement) {
    let held: Vec<&Held> = group.keys().filter_map(|key| known.held.get(key)).collect();
    let gone = group
        .keys()
        .filter(|key| known.held.contains_key(*key) && !contents.files.contains_key(*key));
    judgement.gone.extend(gone.map(str::to_owned));
    if held.is_empty() && !known.is_old {
        return;
    }
    let mut why = group.missing.clone();
    for (at, key) in group.keys().enumerate() {
        let is_piece = at < group.pieces.len();
        match contents.files.get(key) {
            None => {
                let said = format!("{key} is not there");
                if is_piece && !why.contains(&said) {
                    why.push(said);
                }
            }
            // Indexes and thumbnails may be empty; such files never settle.
            Some(seen) if !is_piece && seen.size_bytes == 0 => {}
            Some(seen) => {
                let has_settled =
                    known.held.get(key).is_some_and(|held| held.is(*seen)) || (known.is_known)(key, *seen);
                if !has_settled {
                    why.push(format!(
                        "{key} {}",
                        if seen.size_bytes == 0 {
                            "is empty"
                        } else {
                            "is still changing"
                        }
                    ));
                }
            }
        }
    }
    let waits_for = |why: String| (held.iter().map(|held| held.settled.arrival.key.clone()).collect(), why);
    if let Some(first) = why.first() {
        let more = match why.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let why = format!(
            "It waits for all that is one media with {}: {first}{more}.",
            group.main()
        );
        judgement.waiting.push(waits_for(why));
        judgement.is_incomplete = true;
        return;
    }
    if held.iter().any(|held| held.settled_ms > known.quiet_since_ms) {
        judgement.is_early = true;
        let why = format!("It waits whether more comes that is one media with {}.", group.main());
        judgement.waiting.push(waits_for(why));
        return;
    }
    judgement.whole.push(whole(group, contents, known, &held));
}

fn whole(group: &Group, contents: &Contents, known: &Known<'_>, held: &[&Held]) -> Whole {
    let seen = |key: &str| {
        contents.files.get(key).copied().unwrap_or(Seen {
            size_bytes: 0,
            mtime_ns: 0,
        })
    };
    let member = |key: &str, sound_of: Option<usize>, frames: Option<(u64, u64)>| Member {
        key: key.to_owned(),
        size_bytes: seen(key).size_bytes,
        mtime_ns: seen(key).mtime_ns,
        etag: String::new(),
        sound_of,
        frames,
    };
    let members: Vec<Member> = group
        .pieces
        .iter()
        .map(|piece| member(&piece.key, piece.sound_of, piece.frames))
        .collect();
    let said = known
        .held
        .get(group.main())
        .and_then(|held| held.settled.parts.as_ref());
    let first_seen = held.iter().map(|held| held.settled.arrival.seen_at).min();
    Whole {
        arrival: Arrival {
            key: group.main().to_owned(),
            size_bytes: members.iter().map(|member| member.size_bytes).sum(),
            mtime_ns: members.iter().map(|member| member.mtime_ns).max().unwrap_or(0),
            etag: String::new(),
            seen_at: first_seen.unwrap_or_else(crate::base::clock::UtcMs::now),
        },
        parts: Parts {
            kind: group.kind,
            members,
            attendants: group.attendants.iter().map(|key| member(key, None, None)).collect(),
            gaps: match group.kind {
                PartsKind::Sequence => sequence::gaps(&group.pieces),
                PartsKind::Single | PartsKind::Span | PartsKind::Cut => Vec::new(),
            },
            fps: (group.kind == PartsKind::Sequence).then_some(known.fps),
            // What is said of the file that stands for all is said of all.
            ..said.cloned().unwrap_or_default()
        },
        is_new: !held.is_empty(),
    }
}

impl Held {
    /// Whether this is what settled.
    pub fn is(&self, seen: Seen) -> bool {
        self.settled.arrival.size_bytes == seen.size_bytes && self.settled.arrival.mtime_ns == seen.mtime_ns
    }
}
