//! One part of a key between slashes, made safe: whatever bytes a source's name or a template brings.
//!
//! Guarantees: no empty, `.` or `..` segment, no `.reelmill`, at most 255 bytes each; a name that had to
//! be cut keeps a hash of the whole, so two long names stay two. Deliberately absent: any change to names that are
//! fine as they are; spaces, quotes, newlines and bytes that are not UTF-8 are legal and stay.

use md5::Digest;
use md5::Md5;

/// The staging folder at the top of each storage.
pub const RESERVED: &str = ".reelmill";

/// Bytes of the longest segment on any file system we write to.
const MAX_BYTES: usize = 255;

/// Bytes of the longest stem: leaves room for a version, a number and an extension.
const MAX_STEM_BYTES: usize = 231;

/// Every segment of a path made safe; empty ones vanish. No slash at either end.
pub fn clean_path(path: &[u8]) -> Vec<u8> {
    let clean: Vec<Vec<u8>> = path
        .split(|byte| *byte == b'/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| shorten(&harmless(segment), MAX_BYTES))
        .collect();
    clean.join(&b'/')
}

/// A last segment without its extension, made safe.
pub fn clean_stem(stem: &[u8]) -> Vec<u8> {
    shorten(&harmless(stem), MAX_STEM_BYTES)
}

/// Bytes of the longest tail that stays whole; a longer one brings words of the source, such as the language of a track.
const MAX_TAIL_BYTES: usize = 64;

/// Bytes of the longest extension that such a tail keeps, with its dot.
const MAX_EXTENSION_BYTES: usize = 16;

/// A stem and what follows it in the same segment.
pub fn with_tail(stem: &[u8], tail: &[u8]) -> Vec<u8> {
    if tail.len() <= MAX_TAIL_BYTES {
        return [shorten(stem, MAX_BYTES - tail.len()), tail.to_vec()].concat();
    }
    let dot = tail.iter().rposition(|byte| *byte == b'.').unwrap_or(tail.len());
    let dot = if tail.len() - dot > MAX_EXTENSION_BYTES {
        tail.len()
    } else {
        dot
    };
    let (front, extension) = tail.split_at(dot);
    let whole = [stem, front].concat();
    [shorten(&whole, MAX_BYTES - extension.len()), extension.to_vec()].concat()
}

/// `.`, `..` and the staging folder's name (a storage may lie within another) as ordinary names, and no NUL.
fn harmless(segment: &[u8]) -> Vec<u8> {
    let mut clean: Vec<u8> = segment
        .iter()
        .map(|byte| if *byte == 0 { b'_' } else { *byte })
        .collect();
    if clean == b"." || clean == b".." {
        clean.fill(b'_');
    } else if clean == RESERVED.as_bytes() {
        clean.insert(0, b'_');
    }
    clean
}

/// At most `limit` bytes, cut between characters, with eight hex digits of the whole's MD5 at the end.
fn shorten(segment: &[u8], limit: usize) -> Vec<u8> {
    if segment.len() <= limit {
        return segment.to_vec();
    }
    let mark = format!("~{}", &hex::encode(Md5::digest(segment))[..8]);
    let mut cut = limit.saturating_sub(mark.len());
    while cut > 0 && segment[cut] & 0b1100_0000 == 0b1000_0000 {
        cut -= 1;
    }
    let mut short = segment[..cut].to_vec();
    short.extend_from_slice(mark.as_bytes());
    short.truncate(limit);
    short
}

#[cfg(test)]
mod tests {
    use super::with_tail;

    #[test]
    fn a_tail_of_the_sources_making_does_not_break_the_limit() {
        let language = "x".repeat(400);
        let name = with_tail(b"clip", format!(".{language}.vtt").as_bytes());
        assert_eq!(name.len(), 255);
        assert!(name.starts_with(b"clip.xxx") && name.ends_with(b".vtt"));
        let other = with_tail(b"clip", format!(".{language}y.vtt").as_bytes());
        assert_ne!(name, other, "two long names stay two");
        assert_eq!(with_tail(b"clip", "\u{e9}".repeat(200).as_bytes()).len(), 255);
    }
}
