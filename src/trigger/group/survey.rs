//! What lies in a room, as the storage says now.
//!
//! Guarantees: looks at the folders of the room alone, at most so deep; follows no link; reads texts up to a fixed size.
//! Deliberately absent: deciding anything, and waiting for a hung mount, which the lane does.

use super::Contents;
use super::Room;
use super::Seen;
use super::beneath;
use crate::objects::ignored;
use crate::objects::scan;
use crate::objects::scan::Look;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The description of a clip has a few kilobytes, an index of a full card some hundred.
const MAX_TEXT_BYTES: u64 = 4 << 20;
/// Files of one room: a day of pictures at 60 a second would be five million, and is no film.
const MAX_FILES: usize = 500_000;
/// Folders beneath the root of a card.
const DEEPEST: usize = 3;

/// Looks at a room.
///
/// # Errors
/// A folder that is there cannot be read, or holds more than any recording.
pub fn look(root: &Path, room: &Room) -> io::Result<Contents> {
    let mut contents = Contents::default();
    match room {
        Room::Sequence { folder, prefix, suffix } => {
            let (prefix, suffix) = (prefix.as_bytes(), suffix.as_bytes());
            list(root, folder, 0, &mut contents, &|name| {
                name.starts_with(prefix) && name.ends_with(suffix)
            })?;
        }
        Room::Gopro { folder, number } => {
            let number = number.as_bytes();
            list(root, folder, 0, &mut contents, &|name| name.get(4..8) == Some(number))?;
        }
        Room::Xdcam { root: card } | Room::Avchd { root: card } => {
            list(root, card, DEEPEST, &mut contents, &|_| true)?;
        }
        Room::P2 { folder } => {
            for card in cards(root, folder)? {
                list(root, &card, 1, &mut contents, &|_| true)?;
            }
        }
    }
    let keys: Vec<String> = contents.files.keys().filter(|key| room.reads(key)).cloned().collect();
    for key in keys {
        if let Some(text) = read(&path_of(root, &key))? {
            contents.texts.insert(key, text);
        }
    }
    Ok(contents)
}

fn path_of(root: &Path, key: &str) -> std::path::PathBuf {
    root.join(OsStr::from_bytes(&key_bytes(key)))
}

/// `CONTENTS` in a folder and in its subfolders.
fn cards(root: &Path, folder: &str) -> io::Result<Vec<String>> {
    let mut cards = Vec::new();
    for (key, is_folder) in entries(root, folder)? {
        if !is_folder {
            continue;
        }
        if is_contents(&key) {
            cards.push(key);
        } else {
            let inner = entries(root, &key)?;
            cards.extend(
                inner
                    .into_iter()
                    .filter(|(key, is_folder)| *is_folder && is_contents(key))
                    .map(|(key, _)| key),
            );
        }
    }
    Ok(cards)
}

fn is_contents(key: &str) -> bool {
    super::split(key).1.eq_ignore_ascii_case("CONTENTS")
}

/// Keys of what lies in a folder, and whether it is a folder. A folder that is not there has nothing in it.
fn entries(root: &Path, folder: &str) -> io::Result<Vec<(String, bool)>> {
    let read = match std::fs::read_dir(path_of(root, folder)) {
        Ok(read) => read,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in read {
        let entry = entry?;
        let name = key_text(entry.file_name().as_bytes());
        if ignored::why_name(&name).is_none() {
            found.push((beneath(folder, &name), entry.file_type()?.is_dir()));
        }
    }
    Ok(found)
}

fn list(
    root: &Path,
    folder: &str,
    deeper: usize,
    contents: &mut Contents,
    wanted: &dyn Fn(&[u8]) -> bool,
) -> io::Result<()> {
    for (key, is_folder) in entries(root, folder)? {
        if is_folder {
            if deeper > 0 {
                list(root, &key, deeper - 1, contents, wanted)?;
            }
            continue;
        }
        if !wanted(&key_bytes(super::split(&key).1)) {
            continue;
        }
        if let Look::Object(found) = scan::look(root, &key)? {
            let seen = Seen {
                size_bytes: found.size_bytes,
                mtime_ns: found.mtime_ns,
            };
            contents.files.insert(key, seen);
        }
        if contents.files.len() > MAX_FILES {
            return Err(io::Error::other(format!(
                "more than {MAX_FILES} files lie together in {folder}"
            )));
        }
    }
    Ok(())
}

/// All of a small file; none: it is none, or may not be read.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(MAX_TEXT_BYTES + 1).read_to_end(&mut text)?;
    Ok((text.len() as u64 <= MAX_TEXT_BYTES).then_some(text))
}
