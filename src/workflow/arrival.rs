//! An object as a trigger saw it: what the intake turns into tasks.
//!
//! Guarantees: plain data; two arrivals of a storage with the same key and identity are the same arrival.
//! Deliberately absent: which workflows it starts (`selector`), and how it is remembered (`store::arrivals`).

use crate::base::clock::UtcMs;
use serde::Deserialize;
use serde::Serialize;

/// Gaps that a sentence names.
const GAPS_SHOWN: usize = 5;

/// What an arrival consists of where it is more than its own file, and what was said of it beside it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parts {
    /// Why several files are one.
    pub kind: PartsKind,
    /// The files, in their order, its own among them; empty: it is alone.
    pub members: Vec<Member>,
    /// What goes where it goes without being read: descriptions, indexes, proxies, thumbnails.
    pub attendants: Vec<Member>,
    /// Pictures a second, of sequences.
    pub fps: Option<f64>,
    /// Stretches of numbers that are missing between its pictures, first and last of each, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<(u64, u64)>,
    /// Texts that lie beside it.
    pub subtitles: Vec<SideText>,
    /// What `NAME.reelmill.json` says.
    pub order: Option<SidecarOrder>,
}

/// Why several files are one media.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartsKind {
    /// It is one file.
    #[default]
    Single,
    /// They are numbered pictures.
    Sequence,
    /// They are one recording in several files, one after the other.
    Span,
    /// They are one stream of bytes, cut into files.
    Cut,
}

impl Parts {
    /// Several files are one, or one has attendants; else there are only words about a single file.
    pub fn is_group(&self) -> bool {
        self.kind != PartsKind::Single
    }

    /// What is to be said of pictures that are missing, in a sentence; none: none is.
    pub fn gaps_told(&self) -> Option<String> {
        let missing: u64 = self.gaps.iter().map(|(first, last)| last - first + 1).sum();
        let shown = self
            .gaps
            .iter()
            .take(GAPS_SHOWN)
            .map(|(first, last)| match first == last {
                true => first.to_string(),
                false => format!("{first} to {last}"),
            });
        let mut shown = shown.collect::<Vec<_>>().join(", ");
        match self.gaps.len() {
            0 => return None,
            many if many > GAPS_SHOWN => shown.push_str(&format!(" and {} more gaps", many - GAPS_SHOWN)),
            _ => {}
        }
        let (subject, number) = match missing {
            1 => ("1 picture of it is missing".to_owned(), "number"),
            many => (format!("{many} pictures of it are missing"), "numbers"),
        };
        Some(format!(
            "{subject}, {number} {shown}; the picture before a gap stays on."
        ))
    }
}

/// One file of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its key, in text form.
    pub key: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970; 0 where the storage has none.
    pub mtime_ns: i64,
    /// ETag of objects in buckets, else empty.
    #[serde(default)]
    pub etag: String,
    /// It is the sound of the pictures of this place in the order, not the next stretch; none: a stretch of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound_of: Option<usize>,
    /// The frames that are taken of it, first and first not taken; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<(u64, u64)>,
}

/// Subtitles that lie beside a film.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideText {
    /// Its key, in text form.
    pub key: String,
    /// Language as its name says, BCP 47; empty: it does not say.
    pub language: String,
}

/// What the file `NAME.reelmill.json` beside `NAME` says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SidecarOrder {
    /// Where to begin: seconds, `hh:mm:ss[.SSS]` or a timecode; none: at the begin.
    pub start: Option<String>,
    /// Where to end; none: at the end.
    pub end: Option<String>,
    /// Echoed in events: a text, or JSON as a text.
    pub user_data: Option<serde_json::Value>,
    /// -10..=10; larger runs first.
    pub priority: Option<i32>,
}

/// One object with one content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Its key, in text form.
    pub key: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970; 0 where the storage has none.
    pub mtime_ns: i64,
    /// ETag of S3 objects, else empty.
    pub etag: String,
    /// When it was first seen with this content.
    pub seen_at: UtcMs,
}

#[cfg(test)]
mod tests {
    use super::Parts;

    #[test]
    fn gaps_are_told_by_their_numbers() {
        let told = |gaps: &[(u64, u64)]| {
            let gaps = gaps.to_vec();
            Parts {
                gaps,
                ..Parts::default()
            }
            .gaps_told()
            .unwrap_or_default()
        };
        assert_eq!(told(&[]), "");
        assert_eq!(
            told(&[(7, 7)]),
            "1 picture of it is missing, number 7; the picture before a gap stays on."
        );
        assert_eq!(
            told(&[(3, 4), (9, 9)]),
            "3 pictures of it are missing, numbers 3 to 4, 9; the picture before a gap stays on."
        );
        let many: Vec<(u64, u64)> = (1..=8).map(|at| (at * 10, at * 10)).collect();
        assert!(told(&many).contains("50 and 3 more gaps"), "{}", told(&many));
    }
}
