//! Which surface a parser gives to which picture, and which pictures wait to be shown.
//!
//! Guarantees: surfaces are gone through in turn, as drivers do it; one is not given again before its picture was shown
//! and, as long as there are enough of them, before it is too old to be made others of.

use crate::contract;
use std::collections::VecDeque;

/// A surface's picture.
#[derive(Debug, Clone, Copy)]
struct Held {
    picture: u64,
    /// Count of pictures when it was decoded.
    at: u64,
    is_shown: bool,
}

/// The surfaces of a sequence.
#[derive(Debug)]
pub struct Surfaces {
    held: Vec<Option<Held>>,
    last: usize,
    count: u64,
    references: u64,
}

impl Surfaces {
    /// So many, for a sequence with so many references.
    pub fn new(count: usize, references: usize) -> Self {
        Surfaces {
            held: vec![None; count.max(1)],
            last: count.max(1) - 1,
            count: 0,
            references: references as u64,
        }
    }

    /// The next that is free.
    pub fn next(&self) -> Option<usize> {
        self.in_turn(|held| held.is_shown && self.count - held.at >= self.references)
    }

    /// The next whose picture was shown, or, when there is none, the one that has waited longest.
    pub fn next_at_any_rate(&self) -> usize {
        self.in_turn(|held| held.is_shown).unwrap_or_else(|| {
            contract::violated(
                "cuvidParseVideoData",
                format!("{} surfaces are too few for this sequence", self.held.len()),
            );
            let oldest = (0..self.held.len()).min_by_key(|index| self.held[*index].map_or(0, |held| held.at));
            oldest.unwrap_or(0)
        })
    }

    fn in_turn(&self, is_free: impl Fn(&Held) -> bool) -> Option<usize> {
        let all = self.held.len();
        (1..=all)
            .map(|step| (self.last + step) % all)
            .find(|index| self.held[*index].as_ref().is_none_or(&is_free))
    }

    /// Gives it to a picture.
    pub fn give(&mut self, index: usize, picture: u64) {
        self.count += 1;
        self.last = index;
        self.held[index] = Some(Held {
            picture,
            at: self.count,
            is_shown: false,
        });
    }

    /// The picture was shown, or never will be.
    pub fn shown(&mut self, picture: u64) {
        for held in self.held.iter_mut().flatten() {
            held.is_shown |= held.picture == picture;
        }
    }
}

/// A picture that is to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Showing {
    /// Its number.
    pub picture: u64,
    /// Its surface.
    pub index: usize,
    /// Its time stamp.
    pub timestamp: i64,
    /// It holds no fields.
    pub is_progressive: bool,
    /// Its upper field comes first.
    pub top_first: bool,
    /// Fields that are shown again.
    pub repeat: i32,
}

/// Those that wait.
pub type Waiting = VecDeque<Showing>;
