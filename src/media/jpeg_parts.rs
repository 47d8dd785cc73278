//! JPEG files with more behind their picture: previews, gain maps of HDR photographs, depth, a short film. They are one
//! picture all the same, where the demuxer of pictures in a row sees several.
//!
//! Guarantees: reads the segments before the picture's own data, bounded. Deliberately absent: what is behind it.
//! Sources: CIPA DC-007 (Multi-Picture Format), Adobe XMP part 3 (where XMP stands), Android's Ultra HDR and motion photo
//! formats (the directory of what is in the file), ISO 21496-1 (gain maps), ITU-T T.81 B.1.1.2 (fill bytes).

use crate::media::av::Source;
use std::io;

/// Segments before the picture's data, at most; a photograph has a dozen.
const MAX_SEGMENTS: u32 = 256;
/// Of a segment that is looked into.
const MAX_SEGMENT_BYTES: usize = 64 << 10;
const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
const START_OF_SCAN: u8 = 0xda;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
/// How the index of several pictures begins, and what says that a gain map is among them.
const MULTI_PICTURE: [&[u8]; 2] = [b"MPF\0", b"urn:iso:std:iso:ts:21496:-1\0"];
/// Names of the directory in XMP, whatever its prefix.
const DIRECTORIES: [&[u8]; 2] = [b":Directory", b"MotionPhoto"];

/// Whether a source is a JPEG file that says it has more than its picture.
pub fn has_more(source: &Source) -> io::Result<bool> {
    let mut start = [0; 2];
    if source.read_full_at(&mut start, 0)? < 2 || start != START_OF_IMAGE {
        return Ok(false);
    }
    let mut at = 2;
    let mut segment = Vec::new();
    for _ in 0..MAX_SEGMENTS {
        let mut head = [0; 4];
        if source.read_full_at(&mut head, at)? < head.len() || head[0] != 0xff || head[1] == START_OF_SCAN {
            return Ok(false);
        }
        if head[1] == 0xff {
            at += 1;
            continue;
        }
        let bytes = u64::from(u16::from_be_bytes([head[2], head[3]]));
        if matches!(head[1], APP1 | APP2) {
            segment.resize((bytes as usize).saturating_sub(2).min(MAX_SEGMENT_BYTES), 0);
            let count = source.read_full_at(&mut segment, at + 4)?;
            let content = &segment[..count];
            let holds = |name: &&[u8]| content.windows(name.len()).any(|some| some == *name);
            if match head[1] {
                APP2 => MULTI_PICTURE.iter().any(|name| content.starts_with(name)),
                _ => DIRECTORIES.iter().any(holds),
            } {
                return Ok(true);
            }
        }
        at += 2 + bytes.max(2);
    }
    Ok(false)
}
