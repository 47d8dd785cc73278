//! The ledger of one storage in memory, as small as it can be: what a scan compares every object with.
//!
//! Guarantees: 17 bytes a slot, so at most 36 MB for a million objects; "known" is said only when key, size and time agree
//! in two independent hashes of 64 and 56 bits, everything else is left to the ledger, which compares exactly; threads
//! of a scan ask at once, and hash outside of the lock. Deliberately absent: the keys themselves.

use crate::objects::sieve::Sieve;
use crate::objects::sieve::Sighting;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::BuildHasherDefault;
use std::hash::Hasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// Objects whose identity settled. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    keys: RandomState,
    identities: RandomState,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    objects: HashMap<u64, Object, BuildHasherDefault<AsIs>>,
    /// Number of the scan; begins anew before it outgrows its byte. 0 is never the number of one.
    round: u8,
    present: usize,
    /// Counts all rounds, so that a thread of a scan that was broken off is told from one of the present scan.
    rounds: u64,
}

impl Default for Table {
    fn default() -> Self {
        Table {
            objects: HashMap::default(),
            round: FIRST,
            present: 0,
            rounds: 0,
        }
    }
}

/// The round before the first one is 1, so that "the one before" always has a number that is not 0.
const FIRST: u8 = 2;

/// The identity's hash, in the upper 56 bits, and the number of the scan that met it last, 0 for "gone", in the lower 8.
#[derive(Debug, Clone, Copy)]
struct Object(u64);

impl Object {
    fn new(identity: u64, round: u8) -> Self {
        Object(identity & !0xff | u64::from(round))
    }

    fn round(self) -> u8 {
        (self.0 & 0xff) as u8
    }

    fn is(self, identity: u64) -> bool {
        (self.0 ^ identity) >> 8 == 0
    }
}

/// Keys of the table are hashes already.
#[derive(Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Known {
    /// Remembers an object, which is there.
    pub fn insert(&self, key: &str, size_bytes: u64, mtime_ns: i64) {
        let (hash, identity) = self.hashes(key, size_bytes, mtime_ns);
        let mut table = self.table();
        let round = table.round;
        let before = table.objects.insert(hash, Object::new(identity, round));
        if before.is_none_or(|before| before.round() != round) {
            table.present += 1;
        }
    }

    /// Remembers an object that was there once and is not now.
    pub fn insert_gone(&self, key: &str, size_bytes: u64, mtime_ns: i64) {
        let (hash, identity) = self.hashes(key, size_bytes, mtime_ns);
        self.table().objects.insert(hash, Object::new(identity, 0));
    }

    /// Whether exactly this is known; notes that it is there.
    pub fn meet(&self, key: &str, size_bytes: u64, mtime_ns: i64) -> bool {
        let (hash, identity) = self.hashes(key, size_bytes, mtime_ns);
        self.table().meet(hash, identity)
    }

    /// Whether exactly this is known.
    pub fn knows(&self, key: &str, size_bytes: u64, mtime_ns: i64) -> bool {
        let (hash, identity) = self.hashes(key, size_bytes, mtime_ns);
        self.table()
            .objects
            .get(&hash)
            .is_some_and(|object| object.is(identity))
    }

    /// Whether an object of this key is known, with whatever content.
    pub fn has(&self, key: &str) -> bool {
        let hash = self.0.keys.hash_one(key);
        self.table().objects.contains_key(&hash)
    }

    /// Begins a scan: nothing has been met yet.
    pub fn begin_round(&self) {
        let mut table = self.table();
        table.rounds += 1;
        table.present = 0;
        if table.round < u8::MAX {
            table.round += 1;
            return;
        }
        // Once in 253 scans the numbers begin anew.
        let last = table.round;
        for object in table.objects.values_mut() {
            let round = if object.round() == last { FIRST - 1 } else { 0 };
            *object = Object::new(object.0, round);
        }
        table.round = FIRST;
    }

    /// Objects met since the scan began, or remembered since.
    pub fn present(&self) -> usize {
        self.table().present
    }

    /// Objects remembered, gone ones too.
    pub fn len(&self) -> usize {
        self.table().objects.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an object was met by the last scan, or since.
    pub fn is_present(&self, key: &str) -> bool {
        let hash = self.0.keys.hash_one(key);
        let table = self.table();
        table
            .objects
            .get(&hash)
            .is_some_and(|object| object.round() == table.round)
    }

    /// Takes an object for gone that this scan, or the one before, met; says whether one did.
    pub fn let_go(&self, key: &str) -> bool {
        let hash = self.0.keys.hash_one(key);
        let mut table = self.table();
        let round = table.round;
        let Some(object) = table.objects.get_mut(&hash) else {
            return false;
        };
        let met = object.round();
        if met != round && met != round - 1 {
            return false;
        }
        *object = Object::new(object.0, 0);
        table.present -= usize::from(met == round);
        true
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.table() = Table::default();
    }

    /// What the threads of the scan that begins now ask.
    pub fn sieve(&self) -> KnownSieve {
        KnownSieve {
            known: self.clone(),
            rounds: self.table().rounds,
        }
    }

    fn hashes(&self, key: &str, size_bytes: u64, mtime_ns: i64) -> (u64, u64) {
        let hash = self.0.keys.hash_one(key);
        (hash, self.0.identities.hash_one((key, size_bytes, mtime_ns)))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn meet(&mut self, hash: u64, identity: u64) -> bool {
        let round = self.round;
        let Some(object) = self.objects.get_mut(&hash) else {
            return false;
        };
        let same = object.is(identity);
        if object.round() != round {
            *object = Object::new(object.0, round);
            self.present += 1;
        }
        same
    }
}

/// Lets pass what is not known.
#[derive(Debug)]
pub struct KnownSieve {
    known: Known,
    rounds: u64,
}

impl Sieve for KnownSieve {
    fn news(&self, sightings: &[Sighting<'_>], news: &mut Vec<bool>) {
        let hashes: Vec<(u64, u64)> = sightings
            .iter()
            .map(|seen| self.known.hashes(seen.key, seen.size_bytes, seen.mtime_ns))
            .collect();
        let mut table = self.known.table();
        if table.rounds != self.rounds {
            // Its scan was broken off: nothing that it saw counts.
            news.resize(sightings.len(), false);
            return;
        }
        news.extend(hashes.into_iter().map(|(hash, identity)| !table.meet(hash, identity)));
    }
}

#[cfg(test)]
mod tests {
    use super::Known;
    use crate::objects::sieve::Sieve;
    use crate::objects::sieve::Sighting;

    #[test]
    fn only_the_same_identity_is_known_and_presence_is_counted_once() {
        let known = Known::default();
        known.insert("a", 1, 1);
        known.insert("b", 1, 1);
        known.insert_gone("c", 1, 1);
        assert_eq!((known.present(), known.len()), (2, 3));
        known.begin_round();
        assert!(known.meet("a", 1, 1) && known.meet("a", 1, 1));
        assert!(!known.meet("a", 2, 1) && !known.meet("a", 1, 2) && !known.meet("d", 1, 1));
        assert_eq!(known.present(), 1);
        assert!(known.is_present("a") && !known.is_present("b") && !known.is_present("c"));
        known.insert("b", 2, 2);
        assert_eq!(known.present(), 2);
        known.begin_round();
        assert!(known.meet("a", 1, 1));
        // One met by this scan, one by the scan before, one gone for long, one never there.
        let went = ["a", "b", "c", "d"].map(|key| known.let_go(key));
        assert_eq!((went, known.present()), ([true, true, false, false], 0));
        assert!(
            known.knows("a", 1, 1) && known.has("c") && !known.has("d"),
            "what ran once stays known"
        );
    }

    #[test]
    fn rounds_without_end_mix_up_nothing() {
        let known = Known::default();
        known.insert("stays", 1, 1);
        known.insert("goes", 1, 1);
        known.insert_gone("gone", 1, 1);
        for round in 0..1_000 {
            known.begin_round();
            assert!(known.meet("stays", 1, 1));
            assert_eq!(known.present(), 1, "round {round}");
            assert!(!known.is_present("gone") && !known.let_go("gone"), "round {round}");
            assert!(round == 0 || !known.let_go("goes"), "round {round}");
        }
        assert!(known.meet("goes", 1, 1), "its identity is never forgotten");
    }

    #[test]
    fn a_scan_that_was_broken_off_counts_for_nothing() {
        let known = Known::default();
        known.insert("a", 1, 1);
        known.begin_round();
        let old = known.sieve();
        known.begin_round();
        let seen = |key| Sighting {
            key,
            size_bytes: 1,
            mtime_ns: 1,
            ctime_ns: 1,
        };
        let mut news = Vec::new();
        old.news(&[seen("a"), seen("b")], &mut news);
        assert_eq!((news, known.present()), (vec![false, false], 0));
        let mut news = Vec::new();
        known.sieve().news(&[seen("a"), seen("b")], &mut news);
        assert_eq!((news, known.present()), (vec![false, true], 1));
    }
}
