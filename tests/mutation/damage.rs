//! One damaged file by its number.

use crate::seeds::Seed;

/// A damaged file.
pub struct Damage {
    /// Its name, that of the seed.
    pub name: String,
    /// What was done to it, in words.
    pub what: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// xorshift64*: the same numbers everywhere and always.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.throw() >> 11) as usize % bound.max(1)
    }

    /// Small places and small lengths are where headers are: half of the throws stay near the beginning.
    fn place(&mut self, length: usize) -> usize {
        match self.below(4) {
            0 => self.below(length.min(4096)),
            1 => length.saturating_sub(1 + self.below(length.min(16_384))),
            _ => self.below(length),
        }
    }
}

impl Damage {
    /// The input of a number.
    pub fn of(number: u64, seeds: &[Seed]) -> Self {
        let mut dice = Dice((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..4 {
            dice.throw();
        }
        let seed = &seeds[dice.below(seeds.len())];
        let mut bytes = seed.bytes.clone();
        let what = match dice.below(9) {
            0 => flip(&mut bytes, &mut dice),
            1 => cut(&mut bytes, &mut dice),
            2 => zero(&mut bytes, &mut dice),
            3 => splice(&mut bytes, seeds, &mut dice),
            4 => swap(&mut bytes, &mut dice),
            5 => remove(&mut bytes, &mut dice),
            6 => insert(&mut bytes, &mut dice),
            7 => extremes(&mut bytes, &mut dice),
            _ => swap_boxes(&mut bytes, &mut dice),
        };
        Damage {
            name: seed.name.clone(),
            what,
            bytes,
        }
    }
}

fn flip(bytes: &mut [u8], dice: &mut Dice) -> String {
    let count = 1 << dice.below(7);
    for _ in 0..count {
        let at = dice.place(bytes.len());
        bytes[at] ^= 1 << dice.below(8);
    }
    format!("{count} bits flipped")
}

fn cut(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let to = 1 + dice.place(bytes.len() - 1);
    bytes.truncate(to);
    format!("cut to {to} bytes")
}

fn range(length: usize, dice: &mut Dice) -> (usize, usize) {
    let from = dice.place(length);
    let most = 1 << (2 + dice.below(14));
    (from, (from + 1 + dice.below(most)).min(length))
}

fn zero(bytes: &mut [u8], dice: &mut Dice) -> String {
    let (from, to) = range(bytes.len(), dice);
    bytes[from..to].fill(0);
    format!("zeroes at {from}..{to}")
}

fn splice(bytes: &mut [u8], seeds: &[Seed], dice: &mut Dice) -> String {
    let other = &seeds[dice.below(seeds.len())];
    let (from, to) = range(bytes.len(), dice);
    let begin = dice.below(other.bytes.len());
    let piece = &other.bytes[begin..(begin + to - from).min(other.bytes.len())];
    bytes[from..from + piece.len()].copy_from_slice(piece);
    format!("{} bytes of {} at {from}", piece.len(), other.name)
}

fn swap(bytes: &mut [u8], dice: &mut Dice) -> String {
    let length = (1 + dice.below(4096)).min(bytes.len() / 2);
    let (first, second) = (
        dice.below(bytes.len() / 2 - length + 1),
        bytes.len() / 2 + dice.below(bytes.len() / 2 - length + 1),
    );
    let (left, right) = bytes.split_at_mut(second);
    left[first..first + length].swap_with_slice(&mut right[..length]);
    format!("{length} bytes swapped between {first} and {second}")
}

fn remove(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let (from, to) = range(bytes.len(), dice);
    bytes.drain(from..to);
    if bytes.is_empty() {
        bytes.push(0);
    }
    format!("{from}..{to} removed")
}

fn insert(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let (at, count) = (dice.place(bytes.len()), 1 + dice.below(4096));
    let noise: Vec<u8> = (0..count).map(|_| dice.throw() as u8).collect();
    bytes.splice(at..at, noise);
    format!("{count} bytes of noise inserted at {at}")
}

fn extremes(bytes: &mut [u8], dice: &mut Dice) -> String {
    let count = 1 + dice.below(4);
    for _ in 0..count {
        let at = dice.place(bytes.len().saturating_sub(8).max(1));
        let value = [0, 1, u32::MAX, 0x7fff_ffff, 0x8000_0000, 0xffff][dice.below(6)];
        for (to, byte) in bytes[at..].iter_mut().zip(value.to_be_bytes()) {
            *to = byte;
        }
    }
    format!("{count} numbers made extreme")
}

/// Names of boxes exchanged, which leaves every size as it was.
fn swap_boxes(bytes: &mut [u8], dice: &mut Dice) -> String {
    const NAMES: [&[u8; 4]; 18] = [
        b"moov", b"mdat", b"trak", b"mdia", b"minf", b"stbl", b"stts", b"ctts", b"stsc", b"stsz", b"stco", b"stss",
        b"tkhd", b"mdhd", b"elst", b"hdlr", b"moof", b"trun",
    ];
    let places: Vec<usize> = (0..bytes.len().saturating_sub(4))
        .filter(|at| NAMES.iter().any(|name| bytes[*at..*at + 4] == name[..]))
        .collect();
    if places.len() < 2 {
        return flip(bytes, dice);
    }
    let (first, second) = (places[dice.below(places.len())], places[dice.below(places.len())]);
    for at in 0..4 {
        bytes.swap(first + at, second + at);
    }
    format!("box names at {first} and {second} swapped")
}
