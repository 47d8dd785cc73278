//! Files that are one media together: numbered pictures, chapters and spanned clips of cameras.
//!
//! A *room* is what is looked at as a whole: the pictures of one name in a folder, the chapters of one recording, a
//! card. Guarantees: pure; from names and the small texts of a card alone; what a card names and is not there is told,
//! so that nobody takes half of a recording. Deliberately absent: looking (`survey`) and waiting (`gathering`).

mod avchd;
mod clip_text;
pub mod gathering;
mod gopro;
pub mod judge;
mod p2;
mod sequence;
pub mod survey;
mod xdcam;

use crate::workflow::arrival::PartsKind;
use std::collections::BTreeMap;
use std::fmt;

/// Which files are taken for one media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKind {
    /// Numbered pictures of a folder.
    Sequences,
    /// Chapters of a GoPro camera.
    Gopro,
    /// Clips of a P2 card.
    P2,
    /// Clips and takes of an XDCAM card.
    Xdcam,
    /// Spanned clips of an AVCHD card.
    Avchd,
}

/// What is looked at as a whole. Folders are keys without a slash at their end; empty: the storage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Room {
    /// Pictures of one name but for the number.
    Sequence {
        /// Their folder.
        folder: String,
        /// Name before the number, as text.
        prefix: String,
        /// Name after it.
        suffix: String,
    },
    /// Chapters of one recording.
    Gopro {
        /// Their folder.
        folder: String,
        /// The four digits of the recording.
        number: String,
    },
    /// A folder whose subfolders, or which itself, are P2 cards: recordings go on from card to card.
    P2 {
        /// The folder.
        folder: String,
    },
    /// An XDCAM card.
    Xdcam {
        /// `BPAV`, `XDROOT` or `M4ROOT`, or the folder above `Clip`.
        root: String,
    },
    /// An AVCHD card.
    Avchd {
        /// `BDMV`.
        root: String,
    },
}

/// One file of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// What lies in a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The files, by key.
    pub files: BTreeMap<String, Seen>,
    /// What stands in those that [`Room::reads`] asks for.
    pub texts: BTreeMap<String, Vec<u8>>,
}

/// One media of several files, or of one that others attend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// How the files are one.
    pub kind: PartsKind,
    /// The files in their order; the first one stands for all.
    pub pieces: Vec<Piece>,
    /// What belongs to them without being read: descriptions, indexes, proxies, thumbnails.
    pub attendants: Vec<String>,
    /// What is not there yet, a clause each.
    pub missing: Vec<String>,
}

/// One file of a media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its key.
    pub key: String,
    /// It is the sound of the pictures of this place.
    pub sound_of: Option<usize>,
    /// The frames of it that are taken, first and first not taken; none: all.
    pub frames: Option<(u64, u64)>,
}

impl Piece {
    /// All of a file, after the one before.
    fn whole(key: impl Into<String>) -> Self {
        Piece {
            key: key.into(),
            sound_of: None,
            frames: None,
        }
    }
}

impl Group {
    /// The key that stands for all.
    pub fn main(&self) -> &str {
        self.pieces.first().map_or("", |piece| piece.key.as_str())
    }

    /// Keys of all that belongs to it.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let pieces = self.pieces.iter().map(|piece| piece.key.as_str());
        pieces.chain(self.attendants.iter().map(String::as_str))
    }
}

/// Finds the room of an object by its key.
type Finder = fn(&str) -> Option<Room>;

impl Room {
    /// The room of an object; none: it is a media by itself.
    pub fn of(key: &str, kinds: &[GroupKind]) -> Option<Self> {
        // What lies on a card belongs to the card, whatever its name looks like.
        let finders: [(GroupKind, Finder); 5] = [
            (GroupKind::P2, p2::room_of),
            (GroupKind::Xdcam, xdcam::room_of),
            (GroupKind::Avchd, avchd::room_of),
            (GroupKind::Gopro, gopro::room_of),
            (GroupKind::Sequences, sequence::room_of),
        ];
        let wanted = finders.into_iter().filter(|(kind, _)| kinds.contains(kind));
        wanted.filter_map(|(_, find)| find(key)).next()
    }

    /// All that lies in it belongs to the recordings of a card, or describes it.
    pub fn is_card(&self) -> bool {
        !matches!(self, Room::Sequence { .. } | Room::Gopro { .. })
    }

    /// Whether what stands in a file tells how others belong together.
    pub fn reads(&self, key: &str) -> bool {
        match self {
            Room::Sequence { .. } | Room::Gopro { .. } => false,
            Room::P2 { .. } => p2::reads(key),
            Room::Xdcam { .. } => xdcam::reads(key),
            Room::Avchd { .. } => avchd::reads(key),
        }
    }

    /// The media in it. Files that are in none are media by themselves.
    pub fn groups(&self, contents: &Contents) -> Vec<Group> {
        match self {
            Room::Sequence { folder, prefix, suffix } => sequence::groups(folder, prefix, suffix, contents),
            Room::Gopro { folder, number } => gopro::groups(folder, number, contents),
            Room::P2 { .. } => p2::groups(contents),
            Room::Xdcam { root } => xdcam::groups(root, contents),
            Room::Avchd { root } => avchd::groups(root, contents),
        }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Room::Sequence { folder, prefix, suffix } => {
                write!(f, "the pictures {}", beneath(folder, &format!("{prefix}*{suffix}")))
            }
            Room::Gopro { folder, number } => write!(f, "the chapters of {}", beneath(folder, number)),
            Room::P2 { folder } => write!(f, "the P2 card in {}", beneath(folder, "")),
            Room::Xdcam { root } => write!(f, "the XDCAM card {root}"),
            Room::Avchd { root } => write!(f, "the AVCHD card {root}"),
        }
    }
}

/// Folder and name of a key.
fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('/').unwrap_or(("", key))
}

/// The key of something in a folder.
fn beneath(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}

/// A file name without its extension, and the extension in upper case.
fn stem_and_extension(name: &str) -> (&str, String) {
    match name.rsplit_once('.') {
        Some((stem, extension)) => (stem, extension.to_ascii_uppercase()),
        None => (name, String::new()),
    }
}

/// Files of a room beneath a folder: whatever its case, which cards are copied with.
fn in_folder<'a>(contents: &'a Contents, folder: &str) -> Vec<&'a str> {
    let keys = contents.files.keys().map(String::as_str);
    keys.filter(|key| split(key).0.eq_ignore_ascii_case(folder)).collect()
}

/// The part of a key up to and with the first folder of this name (upper case); none: it lies in no such folder.
fn up_to<'a>(key: &'a str, folder: &str) -> Option<&'a str> {
    let mut end = 0;
    for part in key.split('/') {
        let from = end;
        end = from + part.len();
        // The last part is the file itself.
        if end < key.len() && part.eq_ignore_ascii_case(folder) {
            return Some(&key[..end]);
        }
        end += 1;
    }
    None
}

#[cfg(test)]
mod tests;
