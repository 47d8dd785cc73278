//! The header of a box of an ISO file (ISO/IEC 14496-12, 4.2): what it is called and where it ends.
//!
//! Guarantees: one short read a header. Deliberately absent: what is inside, and which boxes lie where.

use crate::media::av::Source;
use std::io;

/// Names that ISO files begin with.
const FIRST: [&[u8; 4]; 9] = [
    b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot", b"uuid",
];

/// A box as its header describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IsoBox {
    /// Its four letters, or whatever stands in their place.
    pub kind: [u8; 4],
    /// Where its content begins, bytes from the start of the file.
    pub content_at: u64,
    /// Where it says it ends, bytes from the start of the file; that may be behind the end of the file.
    pub end: u64,
}

impl IsoBox {
    /// The one whose header stands `at` so many bytes. None: the file ends before, or the length that stands there is less
    /// than the header's own.
    pub fn at(source: &Source, at: u64) -> io::Result<Option<Self>> {
        let mut head = [0; 16];
        let count = source.read_full_at(&mut head, at)?;
        Ok(Self::of_head(&head[..count], at, source.size_bytes()))
    }

    fn of_head(head: &[u8], at: u64, size_bytes: u64) -> Option<Self> {
        let (short, rest) = head.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let (header_bytes, length) = match u32::from_be_bytes(*short) {
            // It lasts to the end of the file.
            0 => (8, size_bytes.saturating_sub(at)),
            1 => (16, u64::from_be_bytes(*rest.first_chunk()?)),
            length => (8, u64::from(length)),
        };
        (length >= header_bytes).then_some(IsoBox {
            kind: *kind,
            content_at: at + header_bytes,
            end: at.saturating_add(length),
        })
    }

    /// Whether files begin with one of this name.
    pub fn begins_files(kind: &[u8]) -> bool {
        FIRST.iter().any(|known| kind == known.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::IsoBox;

    fn ends(head: &[u8]) -> Option<(u64, u64)> {
        IsoBox::of_head(head, 100, 1000).map(|found| (found.content_at, found.end))
    }

    #[test]
    fn lengths_are_short_or_long_or_the_rest_of_the_file() {
        assert_eq!(ends(b"\0\0\0\x18moov"), Some((108, 124)));
        assert_eq!(ends(b"\0\0\0\0mdat"), Some((108, 1000)));
        assert_eq!(ends(b"\0\0\0\x01mdat\0\0\0\x01\0\0\0\0"), Some((116, (1 << 32) + 100)));
        assert_eq!(
            ends(&[&b"\0\0\0\x01mdat"[..], &[0xFF; 8]].concat()),
            Some((116, u64::MAX))
        );
    }

    #[test]
    fn what_is_no_box_is_none() {
        assert_eq!(ends(b"\0\0\0\x18moo"), None, "cut in the middle of its header");
        assert_eq!(ends(b"\0\0\0\x01mdat\0\0"), None, "and of its long length");
        assert_eq!(ends(b"\0\0\0\x07free"), None, "shorter than its header");
        assert_eq!(ends(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0F"), None);
    }
}
