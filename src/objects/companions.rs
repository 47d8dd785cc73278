//! Files that speak of other files: markers, checksums, orders and subtitles beside a film.
//!
//! Guarantees: pure; by the name alone it is known whom a file speaks of, whatever its letters are composed of. They are
//! never objects themselves where their storage uses them. Deliberately absent: looking whether they are there.

use crate::objects::likeness::forms;
use crate::objects::likeness::nfc;
use std::collections::HashSet;

/// Ending of the file that says how another is to be run.
pub const ORDER_ENDING: &str = ".reelmill.json";
/// Endings of checksum files: of one file beside it, or of many with a line each.
pub const CHECKSUM_ENDINGS: [&str; 3] = [".sha256", ".sha1", ".md5"];
/// Ending of media hash lists.
pub const MHL_ENDING: &str = ".mhl";
/// The folder in which newer media hash lists lie; they speak of the folder above it.
pub const MHL_FOLDER: &str = "ascmhl";
/// Names of lists that have none of the endings, lower case.
const CHECKSUM_LISTS: [&str; 9] = [
    "md5sum",
    "md5sums",
    "sha1sum",
    "sha1sums",
    "sha256sum",
    "sha256sums",
    "md5sums.txt",
    "sha1sums.txt",
    "sha256sums.txt",
];
/// Endings of text subtitles that the engine reads.
const SUBTITLE_ENDINGS: [&str; 4] = [".srt", ".vtt", ".ass", ".ssa"];
/// What may stand after the language in the name of subtitles.
const SUBTITLE_WORDS: [&str; 5] = ["forced", "sdh", "cc", "hi", "default"];

/// Whom some files speak of, gathered so that those are looked at again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpokenOf {
    /// Keys, or keys without extension.
    bases: HashSet<String>,
    /// Everything beneath these folders.
    folders: HashSet<String>,
}

impl SpokenOf {
    /// Nobody is.
    pub fn is_empty(&self) -> bool {
        self.bases.is_empty() && self.folders.is_empty()
    }

    /// A file called like `base`, with or without its extension.
    pub fn add_base(&mut self, base: &str) {
        self.bases.insert(nfc(base).into_owned());
    }

    /// Whatever lies in this folder and beneath it.
    pub fn add_folder(&mut self, folder: &str) {
        self.folders.insert(folder.to_owned());
    }

    /// Whether `key` is among them.
    pub fn is_meant(&self, key: &str) -> bool {
        let by_name = !self.bases.is_empty() && {
            let key = nfc(key);
            self.bases.contains(&*key) || self.bases.contains(stem(&key))
        };
        by_name || (!self.folders.is_empty() && self.is_beneath(key))
    }

    fn is_beneath(&self, key: &str) -> bool {
        let mut folder = folder_of(key);
        loop {
            if self.folders.contains(folder) {
                return true;
            }
            if folder.is_empty() {
                return false;
            }
            folder = folder_of(folder);
        }
    }
}

/// How a file is released by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// `clip.mp4.done` or `clip.done` releases `clip.mp4`; the ending with its dot.
    Ending(String),
    /// A file of this name releases everything in its folder and beneath it.
    InFolder(String),
}

impl Marker {
    /// As it is configured: with a dot before it an ending, else the name of a file.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.contains('/') || text.contains('\0') || text == "." || text == ".." {
            return Err(format!(
                "{text:?} is neither an ending like \".done\" nor the name of a file like \"READY\""
            ));
        }
        Ok(match text.starts_with('.') {
            true => Marker::Ending(text.to_owned()),
            false => Marker::InFolder(text.to_owned()),
        })
    }

    /// Whether a key is that of a marker.
    pub fn is_marker(&self, key: &str) -> bool {
        let name = name_of(key);
        match self {
            Marker::Ending(ending) => name.len() > ending.len() && nfc(name).ends_with(&*nfc(ending)),
            Marker::InFolder(marker) => nfc(name) == nfc(marker),
        }
    }

    /// Keys under which the marker of an object may lie, the likeliest first.
    pub fn keys_for(&self, key: &str) -> Vec<String> {
        match self {
            Marker::Ending(ending) => beside(key, ending),
            Marker::InFolder(marker) => {
                let mut keys = Vec::new();
                let mut folder = folder_of(key);
                loop {
                    keys.extend(forms(marker).into_iter().map(|name| join(folder, &name)));
                    if folder.is_empty() {
                        return keys;
                    }
                    folder = folder_of(folder);
                }
            }
        }
    }

    /// Whom the marker `marker` may release.
    pub fn released_by(&self, marker: &str, all: &mut SpokenOf) {
        match self {
            Marker::Ending(ending) => {
                if let Some(base) = nfc(marker).strip_suffix(&*nfc(ending)) {
                    all.add_base(base);
                }
            }
            Marker::InFolder(_) => all.add_folder(folder_of(marker)),
        }
    }

    /// The marker of an object in words.
    pub fn words(&self, key: &str) -> String {
        match self {
            Marker::Ending(ending) => {
                let (name, stem) = (name_of(key), name_of(stem(key)));
                match name == stem {
                    true => format!("{name}{ending}"),
                    false => format!("{name}{ending} or {stem}{ending}"),
                }
            }
            Marker::InFolder(name) => format!("a file {name} in its folder or above it"),
        }
    }
}

/// The last part of a key.
pub fn name_of(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// The folder of a key, empty at the root.
pub fn folder_of(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A name in a folder.
pub fn join(folder: &str, name: &str) -> String {
    match folder.is_empty() {
        true => name.to_owned(),
        false => format!("{folder}/{name}"),
    }
}

/// A key without its extension.
pub fn stem(key: &str) -> &str {
    match name_of(key).rfind('.') {
        None | Some(0) => key,
        Some(at) => &key[..key.len() - name_of(key).len() + at],
    }
}

/// Keys of a file beside `key` that is called like it, with or without its extension, and then `ending`.
pub fn beside(key: &str, ending: &str) -> Vec<String> {
    let folder = folder_of(key);
    let mut keys = Vec::new();
    for base in [name_of(key), name_of(stem(key))] {
        for name in forms(&format!("{base}{ending}")) {
            let one = join(folder, &name);
            if !keys.contains(&one) {
                keys.push(one);
            }
        }
    }
    keys
}

/// Whether a key is that of a checksum file or list.
pub fn is_checksum(key: &str) -> bool {
    let lower = name_of(key).to_ascii_lowercase();
    CHECKSUM_ENDINGS.iter().any(|ending| lower.ends_with(ending))
        || lower.ends_with(MHL_ENDING)
        || CHECKSUM_LISTS.contains(&lower.as_str())
        || folder_of(key).rsplit('/').next() == Some(MHL_FOLDER)
}

/// Whether a name is that of a media hash list.
pub fn is_media_hash_list(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(MHL_ENDING)
}

/// The folder from which on a list names files.
pub fn listed_from(list: &str) -> &str {
    let folder = folder_of(list);
    match name_of(folder) == MHL_FOLDER {
        true => folder_of(folder),
        false => folder,
    }
}

/// Whether a key is that of an order for another object.
pub fn is_order(key: &str) -> bool {
    let name = name_of(key);
    name.len() > ORDER_ENDING.len() && name.ends_with(ORDER_ENDING)
}

/// Whether a key is that of text subtitles.
pub fn is_subtitle(key: &str) -> bool {
    let lower = name_of(key).to_ascii_lowercase();
    SUBTITLE_ENDINGS
        .iter()
        .any(|ending| lower.len() > ending.len() && lower.ends_with(ending))
}

/// The language, BCP 47 (empty: it does not say), of subtitles called `name` where they belong to the film called `film`
/// in the same folder.
pub fn subtitle_language(film: &str, name: &str) -> Option<String> {
    if !is_subtitle(name) {
        return None;
    }
    let (film, name) = (nfc(name_of(stem(film))), nfc(name_of(stem(name))));
    let rest = name.strip_prefix(&*film)?;
    if rest.is_empty() {
        return Some(String::new());
    }
    let mut parts: Vec<&str> = rest.strip_prefix('.')?.split('.').collect();
    while parts.len() > 1
        && parts
            .last()
            .is_some_and(|word| SUBTITLE_WORDS.contains(&word.to_ascii_lowercase().as_str()))
    {
        parts.pop();
    }
    match parts[..] {
        [word] if SUBTITLE_WORDS.contains(&word.to_ascii_lowercase().as_str()) => Some(String::new()),
        [tag] if is_language(tag) => Some(tag.to_owned()),
        _ => None,
    }
}

/// The shape of a BCP 47 tag: `en`, `zh-Hans`, `pt_BR`.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split(['-', '_']);
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::Marker;
    use super::SpokenOf;
    use super::beside;
    use super::is_checksum;
    use super::is_order;
    use super::stem;
    use super::subtitle_language;

    #[test]
    fn an_ending_releases_one_file_and_a_name_a_folder() {
        let ending = Marker::parse(".done").expect("an ending");
        assert_eq!(ending.keys_for("a/clip.mp4"), ["a/clip.mp4.done", "a/clip.done"]);
        assert_eq!(ending.keys_for("noext"), ["noext.done"]);
        assert!(ending.is_marker("a/clip.done") && !ending.is_marker("a/.done") && !ending.is_marker("done"));
        let may_release = |by: &Marker, marker: &str, key: &str| {
            let mut all = SpokenOf::default();
            by.released_by(marker, &mut all);
            all.is_meant(key)
        };
        assert!(
            may_release(&ending, "a/clip.done", "a/clip.mp4") && may_release(&ending, "a/clip.mp4.done", "a/clip.mp4")
        );
        assert!(
            !may_release(&ending, "a/clip.done", "a/other.mp4") && !may_release(&ending, "clip.done", "a/clip.mp4")
        );
        assert!(may_release(&ending, "cafe\u{301}.done", "caf\u{e9}.mov"));
        let name = Marker::parse("READY").expect("a name");
        assert_eq!(name.keys_for("a/b/c.mp4"), ["a/b/READY", "a/READY", "READY"]);
        assert!(name.is_marker("a/READY") && !name.is_marker("a/READY.mp4"));
        assert!(may_release(&name, "a/READY", "a/b/c.mp4") && !may_release(&name, "a/READY", "ab/c.mp4"));
        assert!(may_release(&name, "READY", "x.mp4"));
        for wrong in ["", "a/b", ".", ".."] {
            assert!(Marker::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_companions_are_told_from_those_of_objects() {
        assert_eq!(stem("a.b/noext"), "a.b/noext");
        assert_eq!(stem("a.b/.hidden"), "a.b/.hidden");
        assert_eq!(beside("caf\u{e9}.mov", ".x").len(), 4, "both names in both forms");
        for sum in ["a.mp4.md5", "A.MD5", "SHA256SUMS", "card/x.mhl", "card/ascmhl/0001.xml"] {
            assert!(is_checksum(sum), "{sum}");
        }
        assert!(!is_checksum("md5/a.mp4") && !is_checksum("a.md5.mp4"));
        assert!(is_order("a.mp4.reelmill.json") && !is_order("a.json") && !is_order(".reelmill.json"));
    }

    #[test]
    fn subtitles_belong_to_the_film_of_their_name() {
        let of = |name: &str| subtitle_language("a/clip.mp4", name);
        assert_eq!(of("clip.srt").as_deref(), Some(""));
        assert_eq!(of("clip.en.VTT").as_deref(), Some("en"));
        assert_eq!(of("clip.zh-Hans.srt").as_deref(), Some("zh-Hans"));
        assert_eq!(of("clip.pt_BR.forced.ass").as_deref(), Some("pt_BR"));
        assert_eq!(of("clip.forced.srt").as_deref(), Some(""));
        for other in [
            "clip2.srt",
            "clip.part-two.srt",
            "clip.1080p.srt",
            "clip.mp4",
            "clip.en.txt",
            "other.srt",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(
            subtitle_language("cafe\u{301}.mov", "caf\u{e9}.fr.srt").as_deref(),
            Some("fr")
        );
    }
}
