//! Whether an MP4, MOV, Matroska, MXF, AVI, WAV or AIFF file is whole, by its outermost structure alone.
//!
//! Guarantees: reads a few hundred bytes of any file, however long, and never more than a fixed number of boxes; says
//! "unfinished" only when the file itself says that more must come. Deliberately absent: libav, and any judgement on
//! what is inside.

mod mxf;
mod riff;

use std::io;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;

/// Boxes looked at before giving up: fragmented recordings have two each fragment.
const MAX_BOXES: usize = 4_096;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is missing.
    Whole,
    /// More must come, with the reason.
    Unfinished(String),
    /// Not one of the containers known here, or not to be told.
    Unknown,
}

/// Looks at a file of `size` bytes.
///
/// # Errors
/// Those of reading.
pub fn check(file: &mut (impl Read + Seek), size: u64) -> io::Result<Verdict> {
    let mut head = [0_u8; 12];
    let have = read_at(file, 0, &mut head)?;
    if head[..4] == [0x1A, 0x45, 0xDF, 0xA3] {
        return matroska(file, size);
    }
    if head == mxf::PARTITION[..12] {
        return mxf::check(file, size);
    }
    if have == 12 && riff::is_one(&head) {
        return riff::check(file, &head, size);
    }
    const FIRST: [&[u8; 4]; 8] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"];
    if have < 8 || !FIRST.iter().any(|kind| head[4..8] == kind[..]) {
        return Ok(Verdict::Unknown);
    }
    iso(file, size)
}

fn iso(file: &mut (impl Read + Seek), size: u64) -> io::Result<Verdict> {
    let mut at = 0;
    let mut has_moov = false;
    // HEIF and AVIF: a `meta` of their own in place of the index.
    let (mut is_picture, mut has_meta, mut has_data) = (false, false, false);
    for _ in 0..MAX_BOXES {
        if at == size {
            break;
        }
        let mut head = [0_u8; 16];
        let have = read_at(file, at, &mut head)?;
        if have < 8 {
            // Fewer bytes than a head: padding when everything is there, a cut otherwise.
            break;
        }
        let kind = [head[4], head[5], head[6], head[7]];
        let short = u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
        let length = match short {
            0 => size - at,
            1 if have < 16 => return Ok(Verdict::Unfinished("it ends inside the head of a box".to_owned())),
            1 => u64::from_be_bytes([
                head[8], head[9], head[10], head[11], head[12], head[13], head[14], head[15],
            ]),
            short => short,
        };
        if kind == [0; 4] || length < 8 {
            // Zeros or rubbish after the last box.
            break;
        }
        let name = String::from_utf8_lossy(&kind).into_owned();
        let Some(end) = at.checked_add(length).filter(|end| *end <= size) else {
            if has_moov && !kind.iter().all(u8::is_ascii_graphic) {
                break;
            }
            let missing = at.saturating_add(length) - size;
            return Ok(Verdict::Unfinished(format!(
                "its {name:?} box needs {missing} bytes more than there are"
            )));
        };
        has_moov |= &kind == b"moov";
        is_picture |= &kind == b"ftyp" && has_picture_brand(file, at, end)?;
        has_meta |= &kind == b"meta";
        has_data |= &kind == b"mdat";
        if short == 0 && &kind == b"mdat" && !has_moov {
            return Ok(Verdict::Unfinished(
                "it is still being recorded: its media data have no end yet".to_owned(),
            ));
        }
        at = end;
    }
    Ok(if has_moov || is_picture && has_meta && has_data {
        Verdict::Whole
    } else if is_picture && has_meta {
        // Small ones keep their data with it.
        Verdict::Unknown
    } else {
        Verdict::Unfinished("its index (moov box) is missing".to_owned())
    })
}

/// Whether the brands of a file are those of pictures.
fn has_picture_brand(file: &mut (impl Read + Seek), at: u64, end: u64) -> io::Result<bool> {
    const BRANDS: [&[u8; 4]; 5] = [b"mif1", b"mif2", b"heic", b"heix", b"avif"];
    let mut brands = [0; 128];
    let length = usize::try_from(end - at).map_or(brands.len(), |length| length.min(brands.len()));
    let have = read_at(file, at, &mut brands[..length])?;
    let mut found = brands[..have].chunks_exact(4).skip(2);
    Ok(found.any(|brand| BRANDS.iter().any(|known| brand == known.as_slice())))
}

/// EBML head, then one segment whose length is known, or not (live recordings).
fn matroska(file: &mut (impl Read + Seek), size: u64) -> io::Result<Verdict> {
    const SEGMENT: u32 = 0x1853_8067;
    let mut at = 0;
    for _ in 0..16 {
        let mut head = [0_u8; 12];
        let have = read_at(file, at, &mut head)?;
        let Some((id, id_length)) = element_id(&head[..have]) else {
            return Ok(Verdict::Unfinished("it ends before its first segment".to_owned()));
        };
        let Some((length, length_length)) = element_length(&head[id_length..have]) else {
            return Ok(Verdict::Unfinished("it ends before its first segment".to_owned()));
        };
        let Some(length) = length else {
            return Ok(match id == SEGMENT {
                true => Verdict::Unfinished("its length is not written: it is live or still being recorded".to_owned()),
                false => Verdict::Unknown,
            });
        };
        let begin = at + (id_length + length_length) as u64;
        let end = begin.saturating_add(length);
        if end > size {
            return Ok(Verdict::Unfinished(format!("{} bytes of it are missing", end - size)));
        }
        if id == SEGMENT {
            return Ok(Verdict::Whole);
        }
        at = end;
    }
    Ok(Verdict::Unknown)
}

fn element_id(bytes: &[u8]) -> Option<(u32, usize)> {
    let length = bytes.first()?.leading_zeros() as usize + 1;
    if length > 4 {
        return Some((0, 1));
    }
    let id = bytes.get(..length)?;
    Some((id.iter().fold(0, |id, byte| (id << 8) | u32::from(*byte)), length))
}

/// The length of an element, none for "unknown", and the bytes it is written in.
fn element_length(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let first = *bytes.first()?;
    let written = first.leading_zeros() as usize + 1;
    if written > 8 {
        return Some((None, 1));
    }
    let all = bytes.get(..written)?;
    let mask = (1_u64 << (7 * written)) - 1;
    let value = all.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte)) & mask;
    Some(((value != mask).then_some(value), written))
}

/// Reads as many bytes as there are, up to the buffer's length.
fn read_at(file: &mut (impl Read + Seek), at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    let mut have = 0;
    while have < buffer.len() {
        match file.read(&mut buffer[have..]) {
            Ok(0) => break,
            Ok(read) => have += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

#[cfg(test)]
mod tests {
    use super::Verdict;
    use super::check;
    use std::io::Cursor;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).expect("short");
        [&length.to_be_bytes()[..], kind, content].concat()
    }

    fn verdict(bytes: &[u8]) -> Verdict {
        check(&mut Cursor::new(bytes), bytes.len() as u64).expect("memory does not fail")
    }

    #[test]
    fn an_mp4_is_whole_when_its_boxes_end_with_the_file_and_the_index_is_there() {
        let whole = [
            boxed(b"ftyp", b"isom"),
            boxed(b"mdat", &[7; 99]),
            boxed(b"moov", &[0; 50]),
        ]
        .concat();
        assert_eq!(verdict(&whole), Verdict::Whole);
        for cut in 8..whole.len() - 1 {
            assert!(matches!(verdict(&whole[..cut]), Verdict::Unfinished(_)), "cut at {cut}");
        }
        let padded = [whole.clone(), vec![0; 64]].concat();
        assert_eq!(verdict(&padded), Verdict::Whole);
        let long = [&1_u32.to_be_bytes()[..], b"mdat", &24_u64.to_be_bytes(), &[1; 8]].concat();
        assert_eq!(verdict(&[long, boxed(b"moov", b"x")].concat()), Verdict::Whole);
    }

    #[test]
    fn a_recording_without_index_or_end_is_unfinished() {
        let recording = [
            boxed(b"ftyp", b"qt  "),
            [&0_u32.to_be_bytes()[..], b"mdat", &[5; 500]].concat(),
        ]
        .concat();
        assert!(matches!(verdict(&recording), Verdict::Unfinished(why) if why.contains("recorded")));
        let no_index = [boxed(b"ftyp", b"isom"), boxed(b"mdat", &[7; 99])].concat();
        assert!(matches!(verdict(&no_index), Verdict::Unfinished(why) if why.contains("moov")));
    }

    #[test]
    fn a_picture_has_no_index_and_is_whole_with_its_data() {
        let picture = [
            boxed(b"ftyp", b"heic\0\0\0\0mif1heic"),
            boxed(b"meta", &[0; 60]),
            boxed(b"mdat", &[7; 99]),
        ]
        .concat();
        assert_eq!(verdict(&picture), Verdict::Whole);
        let described = 8 + 16 + 8 + 60;
        let is_described = |cut: &usize| (described..described + 8).contains(cut);
        for cut in (8..picture.len() - 1).filter(|cut| !is_described(cut)) {
            assert!(
                matches!(verdict(&picture[..cut]), Verdict::Unfinished(_)),
                "cut at {cut}"
            );
        }
        assert_eq!(verdict(&picture[..described]), Verdict::Unknown);
        let film = [
            boxed(b"ftyp", b"isom"),
            boxed(b"meta", &[0; 60]),
            boxed(b"mdat", &[7; 99]),
        ]
        .concat();
        assert!(matches!(verdict(&film), Verdict::Unfinished(_)));
    }

    #[test]
    fn matroska_says_its_own_length_once_it_is_known() {
        let head = [&[0x1A, 0x45, 0xDF, 0xA3, 0x84][..], &[1, 2, 3, 4]].concat();
        let segment = [&[0x18, 0x53, 0x80, 0x67, 0x8A][..], &[9; 10]].concat();
        let whole = [head.clone(), segment].concat();
        assert_eq!(verdict(&whole), Verdict::Whole);
        assert!(matches!(verdict(&whole[..whole.len() - 1]), Verdict::Unfinished(why) if why.contains("1 bytes")));
        let live = [
            head,
            vec![
                0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1,
            ],
        ]
        .concat();
        assert!(matches!(verdict(&live), Verdict::Unfinished(why) if why.contains("recorded")));
    }

    #[test]
    fn other_files_are_not_judged() {
        for bytes in [&b""[..], b"text", b"this is no film at all", &[0xFF; 300]] {
            assert_eq!(verdict(bytes), Verdict::Unknown);
        }
    }
}
