//! Names that are never objects: what writers use until a file is whole, and what file servers leave lying about.
//!
//! Guarantees: pure, and the same for scans, for inotify and for the question "why was this not triggered".
//! Deliberately absent: extensions, which each workflow chooses for itself.

use crate::objects::local::STAGING;

/// Endings of files that are being written, lower case.
const TEMPORARY: [&str; 9] = [
    ".part",
    ".tmp",
    ".temp",
    ".partial",
    ".filepart",
    ".crdownload",
    ".download",
    ".!ut",
    "~",
];

/// Names that systems make, lower case.
const LITTER: [&str; 3] = ["thumbs.db", "desktop.ini", "lost+found"];

/// Why an object with this key (text form) is not looked at; none: it is.
pub fn why(key: &str) -> Option<&'static str> {
    key.split('/').find_map(why_name)
}

/// The same for one part of a key.
pub fn why_name(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    if name == STAGING {
        return Some("it lies in reelmill's own staging folder");
    }
    if lower.starts_with(".nfs") || lower.starts_with("._") || lower == ".ds_store" {
        return Some("file servers and desktops make files of this name");
    }
    if name.starts_with('.') {
        return Some("its name or a folder above it is hidden");
    }
    if TEMPORARY.iter().any(|ending| lower.ends_with(ending)) {
        return Some("its name is that of a file being written");
    }
    if is_archive(&lower) {
        return Some("its name is that of an archive of events (yyyy-mm-dd.jsonl, HHMMSS-ID.jsonl)");
    }
    LITTER
        .contains(&lower.as_str())
        .then_some("file servers and desktops make files of this name")
}

/// What destinations of kind storage write, wherever: no event may ever lead to another task by being archived.
fn is_archive(lower: &str) -> bool {
    let Some(name) = lower.strip_suffix(".jsonl") else {
        return false;
    };
    let is_day = name.len() == 10
        && name.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let is_event = name.split_once('-').is_some_and(|(time, id)| {
        time.len() == 6
            && time.bytes().all(|byte| byte.is_ascii_digit())
            && id.len() == 32
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    is_day || is_event
}

#[cfg(test)]
mod tests {
    use super::why;

    #[test]
    fn temporary_and_hidden_names_are_not_objects() {
        for ignored in [
            "a.mp4.part",
            "events/2026-01-02.jsonl",
            "events/2026-01-02/235959-0190a1b2c3d4e5f60718293a4b5c6d7e.jsonl",
            "a.MP4.TMP",
            "x.filepart",
            "a.mov~",
            "._a.mov",
            ".nfs0001",
            ".DS_Store",
            "dir/.hidden/a.mp4",
            ".reelmill/1/a.mp4",
            "b.crdownload",
            "Thumbs.db",
            "up.partial",
        ] {
            assert!(why(ignored).is_some(), "{ignored}");
        }
        for object in [
            "a.mp4",
            "part",
            "tmp/a.mp4",
            "a.part.mp4",
            "caf%E9.mov",
            "a b'\"\n.mov",
            "noext",
        ] {
            assert_eq!(why(object), None, "{object}");
        }
    }
}
