//! The parsers of reelmill against damaged seeds: the properties of `tests/fuzz`, without a fuzzer.
//!
//! 3,000 inputs a parser as part of the tests; `REELMILL_PARSER_INPUTS` for more. A fuzzer goes deeper (see
//! `tests/fuzz/README.md`); this is what runs with every change.

#[path = "../fuzz/properties/mod.rs"]
mod properties;

use std::path::Path;

/// Pieces that parsers look for.
#[rustfmt::skip]
const WORDS: [&[u8]; 24] = [
    b"-->", b"#xywh=", b"\n\n", b"00:00:10.000", b"NOTE", b"{Count}", b"{", b"}", b"../", b"/", b"\0", b"99999999999999999999",
    b"-1", b"1e308", b"nan", b"\"", b"[[activity]]", b"null", b"\xff\xff\xff\xff", b"\0\0\0\x01", b"%", b":", b"\xef\xbf\xbd", b"moov",
];

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as usize % bound.max(1)
    }
}

fn damaged(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(5) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
            2 => bytes.truncate(at),
            3 => {
                let word = WORDS[dice.below(WORDS.len())];
                bytes.splice(at..at, word.iter().copied());
            }
            4 => {
                let to = (at + 1 + dice.below(24)).min(bytes.len());
                bytes.drain(at.min(to)..to);
            }
            _ => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len() + 1);
                let piece = other[from..(from + dice.below(64)).min(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn tried(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/seeds")
        .join(target);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("seeds")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).expect("read")).collect();
    seeds.iter().for_each(|seed| property(seed));
    let count: u64 = std::env::var("REELMILL_PARSER_INPUTS").map_or(3_000, |text| text.parse().expect("a number"));
    for number in 0..count {
        let mut dice = Dice((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let bytes = damaged(&seeds, &mut dice);
        if let Err(panic) = std::panic::catch_unwind(|| property(&bytes)) {
            eprintln!("input {number} of {target}: {:?}", String::from_utf8_lossy(&bytes));
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn animation_file() {
    tried("animation_file", properties::animation_file);
}

#[test]
fn box_walk() {
    tried("box_walk", properties::box_walk);
}

#[test]
fn image_playlist() {
    tried("image_playlist", properties::image_playlist);
}

#[test]
fn moments() {
    tried("moments", properties::moments);
}

#[test]
fn order_line() {
    tried("order_line", properties::order_line);
}

#[test]
fn path_template() {
    tried("path_template", properties::path_template);
}

#[test]
fn timecode() {
    tried("timecode", properties::timecode);
}

#[test]
fn webvtt() {
    tried("webvtt", properties::webvtt);
}

#[test]
fn wholeness() {
    tried("wholeness", properties::wholeness);
}

#[test]
fn workflow_text() {
    tried("workflow_text", properties::workflow_text);
}
