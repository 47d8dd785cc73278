//! What was brought, in blocks of fixed size, as many as fit.
//!
//! Guarantees: never more than the given bytes; what a reader in a row has left behind goes first, then what was not
//! looked at for longest. Deliberately absent: fetching.

use std::collections::BTreeMap;
use std::collections::HashMap;

/// Bytes of a block. A read of libav (64 KiB, anywhere) costs one block more than it asks for at most.
pub const BLOCK_BYTES: u64 = 16 << 10;

/// Where a block belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Number of the file.
    pub member: u32,
    /// Number of the block in it.
    pub block: u64,
}

/// When a block goes: what was passed before what may be wanted, older before newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    wanted: bool,
    at: u64,
}

#[derive(Debug)]
struct Held {
    bytes: Box<[u8]>,
    turn: Turn,
}

/// The blocks.
#[derive(Debug)]
pub struct Blocks {
    held: HashMap<Place, Held>,
    turns: BTreeMap<Turn, Place>,
    held_bytes: usize,
    most_bytes: usize,
    clock: u64,
}

impl Blocks {
    /// Room for so many bytes.
    pub fn new(most_bytes: usize) -> Self {
        Blocks {
            held: HashMap::new(),
            turns: BTreeMap::new(),
            held_bytes: 0,
            most_bytes,
            clock: 0,
        }
    }

    /// Whether a block is here.
    pub fn has(&self, place: Place) -> bool {
        self.held.contains_key(&place)
    }

    /// Copies from `offset` of a block on; none: it is not here. `passes`: who reads does not come back.
    pub fn copy(&mut self, place: Place, offset: usize, to: &mut [u8], passes: bool) -> Option<usize> {
        self.clock += 1;
        let at = self.clock;
        let held = self.held.get_mut(&place)?;
        let rest = held.bytes.get(offset..).unwrap_or_default();
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        let turn = Turn {
            wanted: !(passes && offset + count == held.bytes.len()),
            at,
        };
        self.turns.remove(&held.turn);
        held.turn = turn;
        self.turns.insert(turn, place);
        Some(count)
    }

    /// Keeps a block; others go for it.
    pub fn insert(&mut self, place: Place, bytes: Box<[u8]>) {
        self.clock += 1;
        let turn = Turn {
            wanted: true,
            at: self.clock,
        };
        self.held_bytes += bytes.len();
        if let Some(before) = self.held.insert(place, Held { bytes, turn }) {
            self.held_bytes -= before.bytes.len();
            self.turns.remove(&before.turn);
        }
        self.turns.insert(turn, place);
        while self.held_bytes > self.most_bytes {
            let Some((_, first)) = self.turns.pop_first() else {
                break;
            };
            if let Some(gone) = self.held.remove(&first) {
                self.held_bytes -= gone.bytes.len();
            }
        }
    }

    /// Bytes that are kept.
    #[cfg(test)]
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Blocks;
    use super::Place;

    fn place(block: u64) -> Place {
        Place { member: 0, block }
    }

    fn filled(count: u64) -> Blocks {
        let mut blocks = Blocks::new(40);
        for block in 0..count {
            blocks.insert(place(block), vec![block as u8; 10].into());
        }
        blocks
    }

    fn there(blocks: &Blocks) -> Vec<u64> {
        (0..20).filter(|block| blocks.has(place(*block))).collect()
    }

    #[test]
    fn what_was_not_looked_at_for_longest_goes() {
        let mut blocks = filled(4);
        assert_eq!(blocks.copy(place(0), 4, &mut [0; 3], false), Some(3));
        blocks.insert(place(9), vec![9; 10].into());
        assert_eq!(there(&blocks), [0, 2, 3, 9]);
        assert_eq!(blocks.held_bytes(), 40);
    }

    #[test]
    fn what_was_passed_goes_before_what_was_brought_earlier_and_not_read_yet() {
        let mut blocks = filled(4);
        let mut to = [0; 10];
        assert_eq!(blocks.copy(place(3), 0, &mut to, true), Some(10));
        assert_eq!(
            blocks.copy(place(2), 0, &mut to[..5], true),
            Some(5),
            "half of it is still to come"
        );
        blocks.insert(place(9), vec![9; 10].into());
        assert_eq!(there(&blocks), [0, 1, 2, 9]);
    }

    #[test]
    fn the_same_block_again_is_counted_once() {
        let mut blocks = filled(2);
        blocks.insert(place(1), vec![7; 8].into());
        assert_eq!(blocks.held_bytes(), 18);
        let mut to = [0; 20];
        assert_eq!(blocks.copy(place(1), 2, &mut to, false), Some(6));
        assert_eq!(to[..6], [7; 6]);
        assert_eq!(blocks.copy(place(5), 0, &mut to, false), None);
    }
}
