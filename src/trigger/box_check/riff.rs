//! Whether AVI, WAV, RF64, BW64, Wave64 and AIFF files are as long as they say.
//!
//! A length that is not filled in is that of a recording that goes on, or of one that was written into a pipe: the
//! latter is whole, but nothing tells; it only waits a little longer.

use super::Verdict;
use super::read_at;
use std::io;
use std::io::Read;
use std::io::Seek;

/// Pieces of an OpenDML file looked at: each holds a gigabyte or so.
const MAX_PIECES: usize = 4_096;
/// Files that lack the byte of padding at their very end are common, and whole.
const PADDING: u64 = 1;

/// The heads that are known here.
pub(super) fn is_one(head: &[u8]) -> bool {
    let form = head.get(8..12).unwrap_or_default();
    match head.get(..4).unwrap_or_default() {
        b"RIFF" => matches!(form, b"AVI " | b"WAVE"),
        b"RF64" | b"BW64" => form == b"WAVE",
        b"FORM" => matches!(form, b"AIFF" | b"AIFC"),
        b"riff" => true,
        _ => false,
    }
}

pub(super) fn check(file: &mut (impl Read + Seek), head: &[u8; 12], size: u64) -> io::Result<Verdict> {
    match &head[..4] {
        b"RIFF" if &head[8..12] == b"AVI " => pieces(file, size),
        b"RIFF" => Ok(told(u64::from(little(&head[4..8])), size)),
        b"FORM" => Ok(told(u64::from(little(&head[4..8]).swap_bytes()), size)),
        b"riff" => wave64(file, size),
        _ => rf64(file, size),
    }
}

fn told(length: u64, size: u64) -> Verdict {
    match length {
        0 | 0xFFFF_FFFF => Verdict::Unfinished("its length is not written yet: it may still be recorded".to_owned()),
        length => as_long(length + 8, size),
    }
}

fn as_long(wanted: u64, size: u64) -> Verdict {
    match wanted > size.saturating_add(PADDING) {
        true => Verdict::Unfinished(format!("{} bytes of it are missing", wanted - size)),
        false => Verdict::Whole,
    }
}

/// `RIFF AVI`, then `RIFF AVIX` as often as it takes.
fn pieces(file: &mut (impl Read + Seek), size: u64) -> io::Result<Verdict> {
    let mut at = 0;
    for _ in 0..MAX_PIECES {
        let mut head = [0_u8; 12];
        let have = read_at(file, at, &mut head)?;
        if have < 12 || &head[..4] != b"RIFF" {
            // What follows the last piece is nobody's.
            return Ok(Verdict::Whole);
        }
        let length = u64::from(little(&head[4..8]));
        match told(length, size - at) {
            Verdict::Whole => {}
            other => return Ok(other),
        }
        at += 8 + length + length % 2;
        if at >= size {
            return Ok(Verdict::Whole);
        }
    }
    Ok(Verdict::Unknown)
}

/// The 64-bit lengths stand in the first chunk.
fn rf64(file: &mut (impl Read + Seek), size: u64) -> io::Result<Verdict> {
    let mut head = [0_u8; 28];
    if read_at(file, 0, &mut head)? < 28 {
        return Ok(Verdict::Unfinished("it ends inside its head".to_owned()));
    }
    if &head[12..16] != b"ds64" {
        return Ok(Verdict::Unknown);
    }
    match u64::from(little(&head[20..24])) | (u64::from(little(&head[24..28])) << 32) {
        0 | u64::MAX => Ok(told(0, size)),
        length => Ok(as_long(length.saturating_add(8), size)),
    }
}

/// A GUID, and the length of the whole file.
fn wave64(file: &mut (impl Read + Seek), size: u64) -> io::Result<Verdict> {
    const GUID: [u8; 16] = [
        b'r', b'i', b'f', b'f', 0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00,
    ];
    let mut head = [0_u8; 24];
    if read_at(file, 0, &mut head)? < 24 || head[..16] != GUID {
        return Ok(Verdict::Unknown);
    }
    match u64::from(little(&head[16..20])) | (u64::from(little(&head[20..24])) << 32) {
        0 | u64::MAX => Ok(told(0, size)),
        length => Ok(as_long(length, size)),
    }
}

fn little(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| (value << 8) | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use crate::trigger::box_check::Verdict;
    use crate::trigger::box_check::check;
    use std::io::Cursor;

    fn verdict(bytes: &[u8]) -> Verdict {
        check(&mut Cursor::new(bytes), bytes.len() as u64).expect("memory does not fail")
    }

    fn riff(mark: &[u8; 4], form: &[u8; 4], length: u32, content: usize) -> Vec<u8> {
        [&mark[..], &length.to_le_bytes(), form, &vec![7; content]].concat()
    }

    #[test]
    fn sound_is_whole_when_it_is_as_long_as_it_says() {
        let whole = riff(b"RIFF", b"WAVE", 104, 100);
        assert_eq!(verdict(&whole), Verdict::Whole);
        assert_eq!(
            verdict(&whole[..whole.len() - 1]),
            Verdict::Whole,
            "padding may be missing"
        );
        assert!(matches!(verdict(&whole[..60]), Verdict::Unfinished(why) if why.contains("52 bytes")));
        for open in [0, u32::MAX] {
            let recording = riff(b"RIFF", b"WAVE", open, 100);
            assert!(matches!(verdict(&recording), Verdict::Unfinished(why) if why.contains("recorded")));
        }
        let aiff = [&b"FORM"[..], &104_u32.to_be_bytes(), b"AIFF", &[7; 100]].concat();
        assert_eq!(verdict(&aiff), Verdict::Whole);
        assert!(matches!(verdict(&aiff[..50]), Verdict::Unfinished(_)));
    }

    #[test]
    fn long_sound_says_its_length_in_64_bits() {
        let mut long = riff(b"RF64", b"WAVE", u32::MAX, 0);
        long.extend(b"ds64");
        long.extend(28_u32.to_le_bytes());
        long.extend(192_u64.to_le_bytes());
        long.resize(200, 7);
        assert_eq!(verdict(&long), Verdict::Whole);
        assert!(matches!(verdict(&long[..150]), Verdict::Unfinished(_)));
        assert!(matches!(verdict(&long[..20]), Verdict::Unfinished(_)));
    }

    #[test]
    fn each_piece_of_a_film_must_be_there() {
        let first = riff(b"RIFF", b"AVI ", 104, 100);
        let second = riff(b"RIFF", b"AVIX", 204, 200);
        let film = [first.clone(), second].concat();
        assert_eq!(verdict(&film), Verdict::Whole);
        assert_eq!(verdict(&first), Verdict::Whole, "nothing says that more should come");
        for cut in [50, 130, 300] {
            assert!(matches!(verdict(&film[..cut]), Verdict::Unfinished(_)), "cut at {cut}");
        }
        assert_eq!(verdict(&[film, b"JUNKJUNKJUNKJUNK".to_vec()].concat()), Verdict::Whole);
    }
}
