//! AVCHD cards: `BDMV/STREAM/00000.MTS` with `PLAYLIST/00000.MPL` saying which of them are one recording that the camera
//! cut at the largest size of a file.
//!
//! Guarantees: files are joined only where a playlist says that one goes on without a seam in the next; their bytes are
//! one stream. Deliberately absent: menus and chapters.

use super::Contents;
use super::Group;
use super::Piece;
use super::Room;
use super::in_folder;
use super::split;
use super::stem_and_extension;
use super::up_to;
use crate::workflow::arrival::PartsKind;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

const FOLDERS: [&str; 4] = ["STREAM", "CLIPINF", "PLAYLIST", "BACKUP"];
/// Sizes at which cameras cut, and how much smaller than that a file that was cut may be.
const LIMITS: [u64; 2] = [2 << 30, 4 << 30];
const NEAR: u64 = 64 << 20;

pub(super) fn room_of(key: &str) -> Option<Room> {
    let root = up_to(key, "BDMV")?;
    let rest = key.get(root.len() + 1..)?;
    let known = match rest.split_once('/') {
        Some((folder, _)) => FOLDERS.iter().any(|known| folder.eq_ignore_ascii_case(known)),
        None => matches!(stem_and_extension(rest).1.as_str(), "BDM" | "BDMV"),
    };
    known.then(|| Room::Avchd { root: root.to_owned() })
}

pub(super) fn reads(key: &str) -> bool {
    let extension = stem_and_extension(split(key).1).1;
    matches!(extension.as_str(), "MPL" | "MPLS") && split(split(key).0).1.eq_ignore_ascii_case("PLAYLIST")
}

pub(super) fn groups(root: &str, contents: &Contents) -> Vec<Group> {
    let name_of = |key: &str| stem_and_extension(split(key).1).0.to_ascii_uppercase();
    let streams: BTreeMap<String, &str> = in_folder(contents, &format!("{root}/STREAM"))
        .into_iter()
        .filter(|key| matches!(stem_and_extension(split(key).1).1.as_str(), "MTS" | "M2TS" | "M2T"))
        .map(|key| (name_of(key), key))
        .collect();
    let infos: BTreeMap<String, &str> = in_folder(contents, &format!("{root}/CLIPINF"))
        .into_iter()
        .map(|key| (name_of(key), key))
        .collect();
    let mut missing: Vec<String> = Vec::new();
    let mut spans: Vec<Vec<String>> = Vec::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let lists = in_folder(contents, &format!("{root}/PLAYLIST"));
    let is_cut = |name: &str| {
        let size = streams
            .get(name)
            .and_then(|key| contents.files.get(*key))
            .map_or(0, |seen| seen.size_bytes);
        LIMITS
            .iter()
            .any(|limit| (limit.saturating_sub(NEAR)..=*limit).contains(&size))
    };
    for list in lists.iter().filter(|key| reads(key)) {
        let Some(items) = contents.texts.get(*list).and_then(|text| play_items(text)) else {
            missing.push(format!("{list} cannot be read"));
            continue;
        };
        let mut before: Option<String> = None;
        for item in items {
            let name = item.clip.to_ascii_uppercase();
            let goes_on = match item.connection {
                // The packets themselves go on.
                6 => true,
                // Shown without a seam: by the camera that cut, or by somebody's edit.
                5 => before.as_deref().is_some_and(is_cut),
                _ => false,
            };
            if taken.insert(name.clone()) {
                match spans
                    .last_mut()
                    .filter(|span| goes_on && span.last() == before.as_ref())
                {
                    Some(span) => span.push(name.clone()),
                    None => spans.push(vec![name.clone()]),
                }
            }
            before = Some(name);
        }
    }
    if lists.is_empty() && streams.keys().any(|name| is_cut(name)) {
        missing.push(format!("{root}/PLAYLIST, which says what goes on where, is not there"));
    }
    // What no playlist names is a recording by itself.
    let lone = streams
        .keys()
        .filter(|name| !taken.contains(*name))
        .map(|name| vec![name.clone()]);
    let spans: Vec<Vec<String>> = spans.into_iter().chain(lone).collect();
    spans
        .into_iter()
        // A recording that was deleted from the card may still be named; half of one is not taken.
        .filter(|span| span.iter().any(|name| streams.contains_key(name)))
        .map(|span| {
            let expected = |name: &String| format!("{root}/STREAM/{name}.MTS");
            let key_of = |name: &String| {
                streams
                    .get(name)
                    .map_or_else(|| expected(name), |key| (*key).to_owned())
            };
            Group {
                kind: if span.len() > 1 {
                    PartsKind::Cut
                } else {
                    PartsKind::Span
                },
                pieces: span.iter().map(|name| Piece::whole(key_of(name))).collect(),
                attendants: span
                    .iter()
                    .filter_map(|name| infos.get(name).map(|key| (*key).to_owned()))
                    .collect(),
                missing: missing.clone(),
            }
        })
        .collect()
}

struct PlayItem {
    /// Five digits.
    clip: String,
    /// 1: begins anew; 5, 6: goes on from the item before.
    connection: u8,
}

/// Reads a playlist (`MPLS`); none: it is none, or it is damaged.
fn play_items(bytes: &[u8]) -> Option<Vec<PlayItem>> {
    let number = |at: usize, length: usize| -> Option<usize> {
        let bytes = bytes.get(at..at.checked_add(length)?)?;
        Some(bytes.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)))
    };
    if bytes.get(..4)? != b"MPLS" {
        return None;
    }
    let start = number(8, 4)?;
    let count = number(start + 6, 2)?;
    let mut at = start + 10;
    let mut items = Vec::new();
    for _ in 0..count {
        let length = number(at, 2)?;
        let clip = std::str::from_utf8(bytes.get(at + 2..at + 7)?).ok()?;
        items.push(PlayItem {
            clip: clip.to_owned(),
            connection: (number(at + 11, 2)? & 0x0F) as u8,
        });
        at = at.checked_add(2)?.checked_add(length)?;
    }
    Some(items)
}
