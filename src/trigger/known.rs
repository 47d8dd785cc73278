//! The ledger of one storage in memory, as small as it can be: what a scan compares every object with.
//!
//! Guarantees: about 40 bytes an object; "known" is said only when key, size and time agree in two independent 64-bit
//! hashes, everything else is left to the ledger, which compares exactly. Deliberately absent: the keys themselves.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::RandomState;

/// Objects whose identity settled.
#[derive(Debug, Default)]
pub struct Known {
    keys: RandomState,
    identities: RandomState,
    objects: HashMap<u64, Object>,
    round: u32,
    present: usize,
}

#[derive(Debug, Clone, Copy)]
struct Object {
    identity: u64,
    /// Scan that met it last.
    round: u32,
}

impl Known {
    /// Remembers an object, which is there.
    pub fn insert(&mut self, key: &str, size_bytes: u64, mtime_ns: i64) {
        let identity = self.identities.hash_one((key, size_bytes, mtime_ns));
        let object = Object {
            identity,
            round: self.round,
        };
        let before = self.objects.insert(self.keys.hash_one(key), object);
        if before.is_none_or(|before| before.round != self.round) {
            self.present += 1;
        }
    }

    /// Remembers an object that was there once and is not now.
    pub fn insert_gone(&mut self, key: &str, size_bytes: u64, mtime_ns: i64) {
        let identity = self.identities.hash_one((key, size_bytes, mtime_ns));
        let round = self.round.wrapping_sub(1);
        self.objects.insert(self.keys.hash_one(key), Object { identity, round });
    }

    /// Whether exactly this is known; notes that it is there.
    pub fn meet(&mut self, key: &str, size_bytes: u64, mtime_ns: i64) -> bool {
        let Some(object) = self.objects.get_mut(&self.keys.hash_one(key)) else {
            return false;
        };
        if object.round != self.round {
            object.round = self.round;
            self.present += 1;
        }
        object.identity == self.identities.hash_one((key, size_bytes, mtime_ns))
    }

    /// Whether exactly this is known.
    pub fn knows(&self, key: &str, size_bytes: u64, mtime_ns: i64) -> bool {
        let object = self.objects.get(&self.keys.hash_one(key));
        object.is_some_and(|object| object.identity == self.identities.hash_one((key, size_bytes, mtime_ns)))
    }

    /// Begins a scan: nothing has been met yet.
    pub fn begin_round(&mut self) {
        self.round = self.round.wrapping_add(1);
        self.present = 0;
    }

    /// Objects met since the scan began, or remembered since.
    pub fn present(&self) -> usize {
        self.present
    }

    /// Objects remembered, gone ones too.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Whether an object was met by the last scan, or since.
    pub fn is_present(&self, key: &str) -> bool {
        self.objects
            .get(&self.keys.hash_one(key))
            .is_some_and(|object| object.round == self.round)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.objects.clear();
        self.present = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::Known;

    #[test]
    fn only_the_same_identity_is_known_and_presence_is_counted_once() {
        let mut known = Known::default();
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
    }
}
