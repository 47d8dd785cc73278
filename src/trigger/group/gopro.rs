//! Chapters of GoPro cameras: `GH010123.MP4`, `GH020123.MP4`; `GOPR0123.MP4`, `GP010123.MP4`; `GS010123.360`.
//!
//! Guarantees: a chapter that is missing in the middle, or the first, is told. Deliberately absent: looped recordings
//! (`GHAA0123.MP4`), whose chapters are whole films.

use super::Contents;
use super::Group;
use super::Piece;
use super::Room;
use super::beneath;
use super::split;
use super::stem_and_extension;
use crate::workflow::arrival::PartsKind;
use std::collections::BTreeMap;

/// Extensions of recordings; the camera lays `THM` and `LRV` beside them.
const RECORDINGS: [&str; 2] = ["MP4", "360"];
const BESIDE: [&str; 2] = ["THM", "LRV"];

/// A name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name<'a> {
    /// What its chapters have in common: `GH`, `GX`, `GS`, `GOPR`, `GPFR`, `GPBK`.
    lineage: &'static str,
    /// From 1.
    chapter: u32,
    /// Four digits.
    number: &'a str,
    /// Upper case.
    extension: String,
}

impl<'a> Name<'a> {
    fn of(name: &'a str) -> Option<Self> {
        let (stem, extension) = stem_and_extension(name);
        if stem.len() != 8 || !stem.is_ascii() || !(RECORDINGS.iter().chain(&BESIDE)).any(|known| *known == extension) {
            return None;
        }
        let (head, number) = stem.split_at(4);
        if !number.bytes().all(|one| one.is_ascii_digit()) {
            return None;
        }
        let head = head.to_ascii_uppercase();
        // (what it begins with, its lineage); chapters of the older cameras count from the second one.
        let firsts = [("GOPR", "GOPR"), ("GPFR", "GPFR"), ("GPBK", "GPBK")];
        let (lineage, chapter) = match firsts.into_iter().find(|(first, _)| *first == head) {
            Some((_, lineage)) => (lineage, 1),
            None => {
                let (letters, chapter) = head.split_at(2);
                let written: u32 = chapter
                    .bytes()
                    .all(|one| one.is_ascii_digit())
                    .then(|| chapter.parse().ok())??;
                match letters {
                    "GH" => ("GH", written),
                    "GX" => ("GX", written),
                    "GS" => ("GS", written),
                    // Small copies of whatever the recording is.
                    "GL" => ("GL", written),
                    "GP" if written > 0 => ("GOPR", written + 1),
                    "GF" if written > 0 => ("GPFR", written + 1),
                    "GB" if written > 0 => ("GPBK", written + 1),
                    _ => return None,
                }
            }
        };
        (chapter > 0).then_some(Name {
            lineage,
            chapter,
            number,
            extension,
        })
    }

    /// Its name had it this chapter.
    fn with_chapter(&self, chapter: u32) -> String {
        let number = self.number;
        let head = match (self.lineage, chapter) {
            ("GOPR" | "GPFR" | "GPBK", 1) => self.lineage.to_owned(),
            ("GOPR", later) => format!("GP{:02}", later - 1),
            ("GPFR", later) => format!("GF{:02}", later - 1),
            ("GPBK", later) => format!("GB{:02}", later - 1),
            (letters, chapter) => format!("{letters}{chapter:02}"),
        };
        format!("{head}{number}.{}", self.extension)
    }
}

pub(super) fn room_of(key: &str) -> Option<Room> {
    let (folder, name) = split(key);
    let name = Name::of(name)?;
    Some(Room::Gopro {
        folder: folder.to_owned(),
        number: name.number.to_owned(),
    })
}

/// Keys of the chapters of a recording, by their numbers.
type Chapters<'a> = BTreeMap<u32, (&'a str, Name<'a>)>;

pub(super) fn groups(folder: &str, number: &str, contents: &Contents) -> Vec<Group> {
    let mut recordings: BTreeMap<(&str, String), Chapters<'_>> = BTreeMap::new();
    let mut beside: Vec<(&str, Name<'_>)> = Vec::new();
    for key in contents.files.keys() {
        let (of, file_name) = split(key);
        let Some(name) = Name::of(file_name).filter(|name| of == folder && name.number == number) else {
            continue;
        };
        if RECORDINGS.contains(&name.extension.as_str()) && name.lineage != "GL" {
            let recording = recordings.entry((name.lineage, name.extension.clone())).or_default();
            recording.insert(name.chapter, (key, name));
        } else {
            beside.push((key, name));
        }
    }
    let mut groups: Vec<Group> = Vec::new();
    let alone = recordings.len() == 1;
    for ((lineage, _), chapters) in recordings {
        let last = chapters.keys().next_back().copied().unwrap_or(0);
        let absent = (1..=last).filter(|chapter| !chapters.contains_key(chapter));
        let any = chapters.values().next().map(|(_, name)| name.clone());
        let missing = absent
            .filter_map(|chapter| {
                Some(format!(
                    "{} is not there",
                    beneath(folder, &any.as_ref()?.with_chapter(chapter))
                ))
            })
            .collect();
        let own = beside
            .iter()
            .filter(|(_, name)| name.lineage == lineage || name.lineage == "GL" && alone);
        groups.push(Group {
            kind: PartsKind::Span,
            attendants: own.map(|(key, _)| (*key).to_owned()).collect(),
            pieces: chapters.into_values().map(|(key, _)| Piece::whole(key)).collect(),
            missing,
        });
    }
    groups
}
