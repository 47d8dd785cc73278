//! Whether an MXF file has the footer that its header promises (SMPTE ST 377-1).

use crate::trigger::box_check::Verdict;
use crate::trigger::box_check::read_at;
use std::io;
use std::io::Read;
use std::io::Seek;

/// The beginning of every partition's key; the byte after says header, body or footer, the next how far it is.
pub(super) const PARTITION: [u8; 13] = [
    0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0D, 0x01, 0x02, 0x01, 0x01,
];
const HEADER: u8 = 2;
const FOOTER: u8 = 4;
/// Key of the random index pack, the very last thing in a file that was closed.
const INDEX: [u8; 16] = [
    0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0D, 0x01, 0x02, 0x01, 0x01, 0x11, 0x01, 0x00,
];
/// Longest random index pack looked for: some thousand partitions.
const INDEX_BYTES: u64 = 1 << 20;

pub(super) fn check(file: &mut (impl Read + Seek), size: u64) -> io::Result<Verdict> {
    let mut head = [0_u8; 16 + 9 + 32];
    let have = read_at(file, 0, &mut head)?;
    if have < 17 || head[13] != HEADER {
        return Ok(Verdict::Unknown);
    }
    // The pack: version (2 x 16 bits), grid (32), this partition, the one before, the footer (64 each).
    let written = match head[16] {
        short if short < 0x80 => 0,
        long => usize::from(long & 0x7F),
    };
    let at = 17 + written + 8 + 16;
    let Some(place) = head[..have].get(at..at + 8) else {
        return Ok(Verdict::Unfinished("it ends inside its header".to_owned()));
    };
    let footer = place.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    if footer > 0 {
        let mut key = [0_u8; 16];
        let have = read_at(file, footer, &mut key)?;
        let is_there = have == 16 && key[..13] == PARTITION && key[13] == FOOTER;
        return Ok(match is_there {
            true => Verdict::Whole,
            false => Verdict::Unfinished(format!("its footer partition, at byte {footer}, is missing")),
        });
    }
    if has_index(file, size)? {
        return Ok(Verdict::Whole);
    }
    Ok(match head[14] {
        // Open: its writer meant to come back, or to end with a footer.
        1 | 3 => Verdict::Unfinished("it is still being recorded: it has no footer partition yet".to_owned()),
        _ => Verdict::Unknown,
    })
}

fn has_index(file: &mut (impl Read + Seek), size: u64) -> io::Result<bool> {
    let mut last = [0_u8; 4];
    if size < 32 || read_at(file, size - 4, &mut last)? < 4 {
        return Ok(false);
    }
    let length = u64::from(u32::from_be_bytes(last));
    if !(21..=INDEX_BYTES.min(size)).contains(&length) {
        return Ok(false);
    }
    let mut key = [0_u8; 16];
    Ok(read_at(file, size - length, &mut key)? == 16 && key == INDEX)
}

#[cfg(test)]
mod tests {
    use super::FOOTER;
    use super::HEADER;
    use super::INDEX;
    use super::PARTITION;
    use crate::trigger::box_check::Verdict;
    use crate::trigger::box_check::check;
    use std::io::Cursor;

    fn partition(kind: u8, status: u8, footer: u64) -> Vec<u8> {
        let mut pack = PARTITION.to_vec();
        pack.extend([kind, status, 0]);
        pack.extend([0x83, 0, 0, 88]);
        pack.extend([0, 1, 0, 3, 0, 0, 2, 0]);
        pack.extend([0; 16]);
        pack.extend(footer.to_be_bytes());
        pack.extend([0; 56]);
        pack
    }

    fn verdict(bytes: &[u8]) -> Verdict {
        check(&mut Cursor::new(bytes), bytes.len() as u64).expect("memory does not fail")
    }

    #[test]
    fn a_footer_that_was_promised_must_be_there() {
        let header = partition(HEADER, 4, 5_000);
        let mut whole = header.clone();
        whole.resize(5_000, 7);
        whole.extend(partition(FOOTER, 4, 5_000));
        assert_eq!(verdict(&whole), Verdict::Whole);
        for cut in [5_010, 4_000, 200] {
            assert!(matches!(verdict(&whole[..cut]), Verdict::Unfinished(_)), "cut at {cut}");
        }
        assert!(matches!(verdict(&whole[..30]), Verdict::Unfinished(_)));
    }

    #[test]
    fn an_open_file_is_whole_when_it_ends_with_its_index() {
        let mut growing = partition(HEADER, 1, 0);
        growing.resize(5_000, 7);
        assert!(matches!(verdict(&growing), Verdict::Unfinished(why) if why.contains("recorded")));
        let mut index = INDEX.to_vec();
        index.extend([0x10]);
        index.extend([0; 12]);
        index.extend([0; 4]);
        let length = u32::try_from(index.len()).expect("short");
        let at = index.len() - 4;
        index[at..].copy_from_slice(&length.to_be_bytes());
        growing.extend(index);
        assert_eq!(verdict(&growing), Verdict::Whole);
        let mut closed = partition(HEADER, 2, 0);
        closed.resize(5_000, 7);
        assert_eq!(verdict(&closed), Verdict::Unknown);
    }
}
