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

/// A stem and what follows it in the same segment.
pub fn with_tail(stem: &[u8], tail: &[u8]) -> Vec<u8> {
    let room = MAX_BYTES.saturating_sub(tail.len()).max(1);
    [shorten(stem, room), tail.to_vec()].concat()
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
