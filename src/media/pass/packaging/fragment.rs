//! The boxes of fragmented MP4 as they lie on disk: what the first sample of a fragment is, and where it ends.
//!
//! Guarantees: no length in a file makes this read or allocate more than there is. Deliberately absent: samples.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A fragment's index is small: 60 s of sound have 3000 samples of 16 bytes.
const MAX_INDEX_BYTES: u64 = 16 << 20;

/// What a fragment begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstSample {
    /// Decode time of the fragment, in the track's unit.
    pub decode_time: u64,
    /// Bytes from the fragment's begin to the end of its first sample.
    pub end: u64,
    /// Decodable alone.
    pub is_key: bool,
}

/// Boxes in `bytes`, one after the other: their names and contents. Ends at what is no whole box.
pub fn boxes(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let head: [u8; 8] = rest.get(..8)?.try_into().ok()?;
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let name = [head[4], head[5], head[6], head[7]];
        let (skip, size) = match size {
            0 => (8, rest.len()),
            1 => {
                let long: [u8; 8] = rest.get(8..16)?.try_into().ok()?;
                (16, usize::try_from(u64::from_be_bytes(long)).ok()?)
            }
            size => (8, size),
        };
        let content = rest.get(skip..size)?;
        rest = &rest[size..];
        Some((name, content))
    })
}

/// The content of the box that a path of names leads to.
pub fn find<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    let (first, rest) = path.split_first()?;
    let (_, content) = boxes(bytes).find(|(name, _)| name == *first)?;
    if rest.is_empty() {
        Some(content)
    } else {
        find(content, rest)
    }
}

/// The first sample of the fragment (`moof`) at a position of a file, passing over boxes that are none.
pub fn first_sample(file: &File, from: u64) -> io::Result<(u64, FirstSample)> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut at = from;
    loop {
        let mut head = [0; 8];
        file.read_exact_at(&mut head, at)?;
        let size = u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
        if size < 8 {
            return Err(bad("a box has no length"));
        }
        if head[4..] == *b"moof" {
            if size > MAX_INDEX_BYTES {
                return Err(bad("the index of a fragment is too long"));
            }
            let mut moof = vec![0; size as usize];
            file.read_exact_at(&mut moof, at)?;
            let sample = sample_of(&moof[8..]).ok_or_else(|| bad("the index of a fragment cannot be read"))?;
            return Ok((at, sample));
        }
        at += size;
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn sample_of(moof: &[u8]) -> Option<FirstSample> {
    let traf = find(moof, &[b"traf"])?;
    let tfhd = find(traf, &[b"tfhd"])?;
    let tfhd_flags = word(tfhd, 0)? & 0xFF_FFFF;
    let mut at = 8;
    for (flag, bytes) in [(0x1, 8), (0x2, 4), (0x8, 4)] {
        if tfhd_flags & flag != 0 {
            at += bytes;
        }
    }
    let mut default_size = None;
    if tfhd_flags & 0x10 != 0 {
        default_size = Some(word(tfhd, at)?);
        at += 4;
    }
    let default_flags = if tfhd_flags & 0x20 != 0 { word(tfhd, at) } else { None };

    let tfdt = find(traf, &[b"tfdt"])?;
    let decode_time = match tfdt.first()? {
        0 => u64::from(word(tfdt, 4)?),
        _ => u64::from_be_bytes(tfdt.get(4..12)?.try_into().ok()?),
    };

    let trun = find(traf, &[b"trun"])?;
    let flags = word(trun, 0)? & 0xFF_FFFF;
    let mut at = 8;
    let mut offset = 0;
    if flags & 0x1 != 0 {
        offset = word(trun, at)?;
        at += 4;
    }
    let mut sample_flags = default_flags;
    if flags & 0x4 != 0 {
        sample_flags = Some(word(trun, at)?);
        at += 4;
    }
    if flags & 0x100 != 0 {
        at += 4;
    }
    let mut size = default_size;
    if flags & 0x200 != 0 {
        size = Some(word(trun, at)?);
        at += 4;
    }
    if flags & 0x400 != 0 {
        sample_flags = Some(word(trun, at)?);
    }
    Some(FirstSample {
        decode_time,
        end: u64::from(offset) + u64::from(size?),
        is_key: sample_flags? & 0x1_0000 == 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut bytes = ((content.len() + 8) as u32).to_be_bytes().to_vec();
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(content);
        bytes
    }

    #[test]
    fn the_first_sample_of_a_fragment_is_found() {
        let tfhd = boxed(b"tfhd", &[0, 2, 0, 0x20, 0, 0, 0, 1, 1, 1, 0, 0]);
        let tfdt = boxed(b"tfdt", &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0xE8]);
        let trun = [0, 0, 2, 5, 0, 0, 0, 1, 0, 0, 0, 100, 2, 0, 0, 0, 0, 0, 0, 50];
        let traf = boxed(b"traf", &[tfhd, tfdt, boxed(b"trun", &trun)].concat());
        let moof = boxed(b"moof", &traf);
        let mut file = tempfile::tempfile().expect("a file");
        io::Write::write_all(&mut file, &[boxed(b"styp", b"msdh"), moof.clone()].concat()).expect("written");
        let (at, sample) = first_sample(&file, 0).expect("found");
        let wanted = FirstSample {
            decode_time: 1000,
            end: 150,
            is_key: true,
        };
        assert_eq!((at, sample), (12, wanted));
        assert!(first_sample(&file, 12 + moof.len() as u64).is_err());
    }

    #[test]
    fn lengths_that_lie_end_the_reading() {
        assert_eq!(boxes(&[0, 0, 0, 99, b'a', b'b', b'c', b'd', 1]).count(), 0);
        assert_eq!(boxes(&[0, 0, 0, 3, b'a', b'b', b'c', b'd', 1]).count(), 0);
        assert_eq!(find(b"\0\0\0\x09moov\0", &[b"moov", b"trak"]), None);
    }
}
