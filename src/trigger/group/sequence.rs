//! Numbered pictures: `shot_0001.dpx`, `shot_0002.dpx`, ...
//!
//! Guarantees: a family counts from its lowest number on; where more numbers are missing than are there it is not
//! believed to be whole yet. Deliberately absent: single pictures, which are media by themselves.

use super::Contents;
use super::Group;
use super::Piece;
use super::Room;
use super::beneath;
use super::split;
use crate::media::family::Numbered;
use crate::objects::uri::key_bytes;
use crate::workflow::arrival::PartsKind;
use std::collections::BTreeMap;

/// Pictures that make a film.
const FEWEST: usize = 2;

pub(super) fn room_of(key: &str) -> Option<Room> {
    let (folder, name) = split(key);
    // The engine names the files by text.
    let name = String::from_utf8(key_bytes(name)).ok()?;
    let numbered = Numbered::of(&name)?;
    Some(Room::Sequence {
        folder: folder.to_owned(),
        prefix: numbered.prefix.to_owned(),
        suffix: numbered.suffix.to_owned(),
    })
}

pub(super) fn groups(folder: &str, prefix: &str, suffix: &str, contents: &Contents) -> Vec<Group> {
    // By the width that leading zeros tell: 1, 2 and 10 are of one family, and 01 and 001 are not.
    let mut families: BTreeMap<usize, BTreeMap<u64, String>> = BTreeMap::new();
    let mut wide: Vec<(u64, usize, String)> = Vec::new();
    for key in contents.files.keys() {
        let (of, name) = split(key);
        let Ok(name) = String::from_utf8(key_bytes(name)) else {
            continue;
        };
        let Some(numbered) = Numbered::of(&name).filter(|it| it.prefix == prefix && it.suffix == suffix) else {
            continue;
        };
        if of != folder {
            continue;
        }
        if numbered.is_padded {
            let family = families.entry(numbered.digits).or_default();
            family.insert(numbered.number, key.clone());
        } else {
            wide.push((numbered.number, numbered.digits, key.clone()));
        }
    }
    // A number without leading zeros is of the family whose width it fills or exceeds, else of the unpadded one.
    for (number, digits, key) in wide {
        let width = families.keys().copied().rfind(|width| (2..=digits).contains(width));
        families.entry(width.unwrap_or(1)).or_default().insert(number, key);
    }
    families
        .into_values()
        .filter_map(|family| group(folder, prefix, suffix, family))
        .collect()
}

/// Stretches of numbers that are missing between pictures in their order.
pub(super) fn gaps(pieces: &[Piece]) -> Vec<(u64, u64)> {
    let number = |piece: &Piece| Some(Numbered::of(&String::from_utf8(key_bytes(split(&piece.key).1)).ok()?)?.number);
    let numbers: Vec<u64> = pieces.iter().filter_map(number).collect();
    let pairs = numbers.windows(2).filter(|pair| pair[1] > pair[0] + 1);
    pairs.map(|pair| (pair[0] + 1, pair[1] - 1)).collect()
}

fn group(folder: &str, prefix: &str, suffix: &str, family: BTreeMap<u64, String>) -> Option<Group> {
    let (first, last) = (*family.keys().next()?, *family.keys().next_back()?);
    if family.len() < FEWEST {
        return None;
    }
    let count = family.len() as u64;
    let gaps = last - first + 1 - count;
    let missing = (gaps > count).then(|| {
        let name = beneath(folder, &format!("{prefix}*{suffix}"));
        format!("of the pictures {name}, {gaps} numbers between {first} and {last} are missing, and {count} are there")
    });
    Some(Group {
        kind: PartsKind::Sequence,
        pieces: family.into_values().map(Piece::whole).collect(),
        attendants: Vec::new(),
        missing: missing.into_iter().collect(),
    })
}
