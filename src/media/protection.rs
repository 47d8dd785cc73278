//! Is the content encrypted? Sample descriptions of ISO files say so, also where there is nothing about keys, and packets
//! of transport streams.
//!
//! Guarantees: a few box headers or packets are read, bounded. Deliberately absent: other containers, whose demuxers tell.

use crate::media::av::Source;
use crate::media::iso_box::IsoBox;
use std::io;

/// Packets of a transport stream looked at: some seconds of a slow one, and nothing of a fast one.
const TS_PACKETS: usize = 512;
const TS_PACKET_BYTES: usize = 188;
/// Boxes looked at, all levels together; fragments of hours come before a `moov` only by mistake.
const MAX_BOXES: u32 = 4096;
/// Of a sample description, which has the parameter sets of one track.
const MAX_DESCRIPTION_BYTES: u64 = 1 << 20;
/// What leads from the file to its sample descriptions.
const PATH: [&[u8; 4]; 5] = [b"moov", b"trak", b"mdia", b"minf", b"stbl"];
/// Samples of another form than the one they say, and what iTunes sold.
const PROTECTED: [&[u8; 4]; 6] = [b"encv", b"enca", b"enct", b"encs", b"drms", b"drmi"];

/// What a source says of its encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// Of an ISO file the scheme (`cenc`, `cbcs`) or the sample description; none: it is not encrypted.
    pub scheme: Option<String>,
    /// Packets of a transport stream are scrambled; others beside them may be clear.
    pub is_scrambled: bool,
}

/// Looks at a source.
pub fn look(source: &Source) -> io::Result<Protection> {
    Ok(Protection {
        scheme: scheme(source)?,
        is_scrambled: is_scrambled(source)?,
    })
}

fn scheme(source: &Source) -> io::Result<Option<String>> {
    if IsoBox::at(source, 0)?.is_none_or(|first| !IsoBox::begins_files(&first.kind)) {
        return Ok(None);
    }
    let mut left = MAX_BOXES;
    within(source, (0, source.size_bytes()), 0, &mut left)
}

fn is_scrambled(source: &Source) -> io::Result<bool> {
    let mut packets = vec![0; TS_PACKETS * TS_PACKET_BYTES];
    let count = source.read_full_at(&mut packets, 0)?;
    let packets = packets[..count].chunks_exact(TS_PACKET_BYTES);
    if packets.len() < 3 || !packets.clone().all(|packet| packet[0] == 0x47) {
        return Ok(false);
    }
    Ok(packets.clone().filter(|packet| packet[3] & 0x80 != 0).count() * 10 > packets.len())
}

/// Looks through the boxes between two positions, which lie `depth` steps down the path.
fn within(source: &Source, (from, to): (u64, u64), depth: usize, left: &mut u32) -> io::Result<Option<String>> {
    let mut at = from;
    while at + 8 <= to && *left > 0 {
        *left -= 1;
        let Some(IsoBox { kind, content_at, end }) = IsoBox::at(source, at)? else {
            break;
        };
        let end = end.min(to);
        let found = match PATH.get(depth) {
            Some(name) if kind == **name => within(source, (content_at, end), depth + 1, left)?,
            None if &kind == b"stsd" => {
                let content_bytes = end.saturating_sub(content_at).min(MAX_DESCRIPTION_BYTES);
                let mut content = vec![0; content_bytes as usize];
                let count = source.read_full_at(&mut content, content_at)?;
                described(&content[..count])
            }
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
        // One `moov` describes all there is.
        if depth == 0 && &kind == b"moov" {
            break;
        }
        at = end;
    }
    Ok(None)
}

/// The entries of an `stsd`, after its version and their number.
fn described(content: &[u8]) -> Option<String> {
    let mut rest = content.get(8..)?;
    while let Some(head) = rest.get(..8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let entry = rest.get(..length.max(8)).unwrap_or(rest);
        if PROTECTED.iter().any(|known| head[4..8] == **known) {
            let scheme = entry.windows(4).position(|bytes| bytes == b"schm");
            let scheme = scheme.and_then(|at| entry.get(at + 8..at + 12)).unwrap_or(&head[4..8]);
            return Some(String::from_utf8_lossy(scheme).into_owned());
        }
        rest = rest.get(length.max(8)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::described;

    fn entry(name: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        [&(8 + inside.len() as u32).to_be_bytes(), name.as_slice(), inside].concat()
    }

    #[test]
    fn protected_descriptions_are_told_with_their_scheme() {
        let schm = [b"\0\0\0\x14schm\0\0\0\0cbcs".as_slice(), &[0; 4]].concat();
        let stsd = |entries: &[Vec<u8>]| [vec![0; 8], entries.concat()].concat();
        let clear = entry(b"avc1", &[0; 78]);
        let sealed = entry(b"encv", &[vec![0; 78], schm].concat());
        assert_eq!(described(&stsd(std::slice::from_ref(&clear))), None);
        assert_eq!(described(&stsd(&[clear, sealed])), Some("cbcs".to_owned()));
        assert_eq!(described(&stsd(&[entry(b"drms", &[0; 28])])), Some("drms".to_owned()));
        assert_eq!(described(&[0, 0, 0]), None);
    }
}
