//! How long a file says it is, in bytes, in containers whose length is one number of their head.
//!
//! Guarantees: reads the head and a few chunk headers. Deliberately absent: containers that are a tree to walk, which
//! [`crate::media::wholeness`] knows.

use crate::media::av::Source;
use std::io;

/// Of Windows Media and Flash video, whose length stands among other properties.
const HEAD_BYTES: usize = 16 << 10;
/// Chunks of a CAF or RealMedia file looked at.
const MAX_CHUNKS: u32 = 64;
/// `File Properties Object` of Windows Media.
const ASF_PROPERTIES: [u8; 16] = [
    0xA1, 0xDC, 0xAB, 0x8C, 0x47, 0xA9, 0xCF, 0x11, 0x8E, 0xE4, 0x00, 0xC0, 0x0C, 0x20, 0x53, 0x65,
];
const ASF_HEADER: [u8; 8] = [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11];
/// `riff` of Sony Wave64.
const W64_RIFF: [u8; 8] = [b'r', b'i', b'f', b'f', 0x2E, 0x91, 0xCF, 0x11];

/// The bytes that a file declares, and the part that says so; none: it declares nothing that is known here.
pub fn of(source: &Source) -> io::Result<Option<(u64, &'static str)>> {
    let mut head = vec![0; HEAD_BYTES.min(source.size_bytes() as usize)];
    let count = source.read_full_at(&mut head, 0)?;
    let head = &head[..count];
    if head.starts_with(b"caff") {
        return caf(source);
    }
    if head.starts_with(b".RMF") {
        return real_media(source);
    }
    Ok(of_head(head))
}

fn of_head(head: &[u8]) -> Option<(u64, &'static str)> {
    let long_le = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
    let word_be = |at: usize| Some(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let begins = |at: usize, with: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(with));
    // What a recorder that never came back leaves in the place of a length.
    let set = |length: &u64| *length > 0 && *length < u64::from(u32::MAX) << 16;
    if (begins(0, b"RF64") || begins(0, b"BW64")) && begins(12, b"ds64") {
        return long_le(20).filter(set).map(|riff| (riff + 8, "ds64 chunk"));
    }
    if begins(0, &W64_RIFF) {
        return long_le(16).filter(set).map(|riff| (riff, "riff chunk"));
    }
    if begins(0, b"FORM") && (begins(8, b"AIFF") || begins(8, b"AIFC")) {
        let length = word_be(4).filter(|length| (1..0xFFFF_FF00).contains(length))?;
        // The last padding byte is often left out.
        return Some((u64::from(length & !1) + 8, "FORM chunk"));
    }
    if begins(0, b".snd") {
        let length = word_be(8).filter(|length| *length != u32::MAX)?;
        return Some((u64::from(word_be(4)?) + u64::from(length), "header"));
    }
    if begins(0, &ASF_HEADER) {
        // Behind its GUID: its own size, the file's id, the file's size, four times, two delays, flags.
        let at = head.windows(16).position(|bytes| bytes == ASF_PROPERTIES)?;
        let is_broadcast = head.get(at + 88).is_none_or(|flags| flags & 1 != 0);
        return long_le(at + 40)
            .filter(|length| set(length) && !is_broadcast)
            .map(|length| (length, "File Properties"));
    }
    if begins(0, b"FLV") {
        const NAME: &[u8] = b"\0\x08filesize\0";
        let at = head.windows(NAME.len()).position(|bytes| bytes == NAME)? + NAME.len();
        let length = f64::from_be_bytes(head.get(at..at + 8)?.try_into().ok()?);
        return (1.0..1e15).contains(&length).then_some((length as u64, "onMetaData"));
    }
    None
}

/// Chunks one after the other, each with its id and its whole size; the packets' is the last but for indexes.
fn real_media(source: &Source) -> io::Result<Option<(u64, &'static str)>> {
    let mut at = 0_u64;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 8];
        if source.read_full_at(&mut head, at)? < head.len() {
            return Ok(None);
        }
        let length = u64::from(u32::from_be_bytes([head[4], head[5], head[6], head[7]]));
        if length < 10 {
            // A broadcast that was recorded: nobody came back to write it in.
            return Ok(None);
        }
        if &head[..4] == b"DATA" {
            // Some writers count a head of it twice.
            return Ok(Some((at + length - 10, "DATA chunk")));
        }
        at += length;
    }
    Ok(None)
}

/// Chunks one after the other; the one of the sound may last to the end, whatever that is.
fn caf(source: &Source) -> io::Result<Option<(u64, &'static str)>> {
    let mut at = 8_u64;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 12];
        if source.read_full_at(&mut head, at)? < head.len() {
            return Ok(None);
        }
        let length = i64::from_be_bytes([head[4], head[5], head[6], head[7], head[8], head[9], head[10], head[11]]);
        let Ok(length) = u64::try_from(length) else {
            return Ok(None);
        };
        let end = at.saturating_add(12).saturating_add(length);
        if end > source.size_bytes() {
            return Ok((&head[..4] == b"data").then_some((end, "data chunk")));
        }
        at = end;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::ASF_HEADER;
    use super::ASF_PROPERTIES;
    use super::W64_RIFF;
    use super::of_head;

    fn declared(parts: &[&[u8]]) -> Option<u64> {
        of_head(&parts.concat()).map(|(bytes, _)| bytes)
    }

    #[test]
    fn lengths_of_sound_files_are_read() {
        let rf64: [&[u8]; 5] = [
            b"RF64",
            &[0xFF; 4],
            b"WAVEds64",
            &28_u32.to_le_bytes(),
            &500_u64.to_le_bytes(),
        ];
        assert_eq!(declared(&rf64), Some(508));
        assert_eq!(declared(&[&W64_RIFF, &[0; 8], &700_u64.to_le_bytes()]), Some(700));
        assert_eq!(declared(&[b"FORM", &601_u32.to_be_bytes(), b"AIFFCOMM"]), Some(608));
        assert_eq!(
            declared(&[b".snd", &24_u32.to_be_bytes(), &100_u32.to_be_bytes()]),
            Some(124)
        );
        assert_eq!(declared(&[b".snd", &24_u32.to_be_bytes(), &[0xFF; 4]]), None);
        assert_eq!(declared(&[b"RF64", &[0xFF; 4], b"WAVEds64", &[0; 12]]), None);
    }

    #[test]
    fn windows_media_says_it_unless_it_is_a_broadcast() {
        let file = |flags: u8| {
            declared(&[
                &ASF_HEADER,
                &[0; 22],
                &ASF_PROPERTIES,
                &[0; 24],
                &900_u64.to_le_bytes(),
                &[0; 40],
                &[flags, 0],
            ])
        };
        assert_eq!((file(2), file(1)), (Some(900), None));
    }

    #[test]
    fn flash_video_says_it_where_somebody_wrote_it_down() {
        assert_eq!(
            declared(&[b"FLV\x01\x05", b"\0\x08filesize\0", &1234.0_f64.to_be_bytes()]),
            Some(1234)
        );
        assert_eq!(
            declared(&[b"FLV\x01\x05", b"\0\x08filesize\0", &0.0_f64.to_be_bytes()]),
            None
        );
    }
}
