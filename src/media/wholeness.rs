//! Does a file end where it says? A look at container lengths only, a few bytes each, without libav.
//!
//! Guarantees: reads at most a few thousand headers. A verdict is given only where the container declares a
//! length; streaming formats are `Unknown`. Deliberately absent: ISO sample tables, which the demuxer knows.

use crate::media::av::Source;
use crate::media::declared_bytes;
use crate::media::ebml;
use crate::media::heif;
use crate::media::iso_box::IsoBox;
use std::io;

/// Most boxes looked at: two a fragment, hours of fragments.
const MAX_BOXES: u32 = 20_000;

/// First bytes of a partition pack.
const MXF_PARTITION: [u8; 11] = [0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0D, 0x01, 0x02];

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wholeness {
    /// The container declares no length, or it is none that is known here.
    Unknown,
    /// Ends where it says.
    Whole,
    /// An ISO file without its `moov`: a recording or a copy that was not finished.
    NoIndex,
    /// Declares more bytes than there are; in ISO files only the demuxer's index tells whether any are missed.
    Short {
        /// End of the file as declared.
        declared_bytes: u64,
        /// The part that says so, `mdat`, `Segment`, `RIFF`, `footer partition`.
        part: String,
    },
}

/// Looks at a source.
pub fn look(source: &Source) -> io::Result<Wholeness> {
    let mut head = [0; 16];
    let count = source.read_full_at(&mut head, 0)?;
    if count < 12 {
        return Ok(Wholeness::Unknown);
    }
    if &head[..4] == b"RIFF" {
        return Ok(riff(&head, source.size_bytes()));
    }
    if head[..4] == ebml::EBML.to_be_bytes() {
        return matroska(source);
    }
    if head[..MXF_PARTITION.len()] == MXF_PARTITION {
        return mxf(source);
    }
    if IsoBox::begins_files(&head[4..8]) {
        return iso(source);
    }
    Ok(match declared_bytes::of(source)? {
        None => Wholeness::Unknown,
        Some((declared_bytes, part)) if declared_bytes > source.size_bytes() => Wholeness::Short {
            declared_bytes,
            part: part.to_owned(),
        },
        Some(_) => Wholeness::Whole,
    })
}

/// What a file says it is in its first bytes, for words on one that cannot be opened.
pub fn signature(source: &Source) -> io::Result<Option<&'static str>> {
    let mut head = [0; 16];
    let count = source.read_full_at(&mut head, 0)?;
    let begins = |with: &[u8]| count >= with.len() && head.starts_with(with);
    Ok(if begins(&MXF_PARTITION) {
        Some("an MXF file")
    } else if begins(&ebml::EBML.to_be_bytes()) {
        Some("a Matroska or WebM file")
    } else if begins(b"RIFF") || begins(b"RF64") {
        Some("an AVI or WAVE file")
    } else if count >= 8 && IsoBox::begins_files(&head[4..8]) {
        Some("an MP4 or QuickTime file")
    } else if begins(&[0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11]) {
        Some("a Windows Media file")
    } else if begins(b"OggS") {
        Some("an Ogg file")
    } else if begins(b"FLV") {
        Some("a Flash video file")
    } else {
        None
    })
}

fn iso(source: &Source) -> io::Result<Wholeness> {
    let size = source.size_bytes();
    let is_picture = heif::look(source)?.is_some();
    let (mut at, mut boxes, mut has_index) = (0_u64, 0, false);
    while at < size {
        boxes += 1;
        if boxes > MAX_BOXES {
            return Ok(Wholeness::Unknown);
        }
        let Some(IsoBox { kind, end, .. }) = IsoBox::at(source, at)? else {
            break;
        };
        // Trailing bytes that are no box are common after cameras and editors.
        let is_name = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ' || *byte == 0xA9;
        if !kind.iter().all(is_name) {
            break;
        }
        // A picture is described by its `meta`; that of a film stands in its `moov`, or beside it.
        has_index |= &kind == b"moov" || is_picture && &kind == b"meta";
        if end > size && has_index {
            return Ok(Wholeness::Short {
                declared_bytes: end,
                part: String::from_utf8_lossy(&kind).into_owned(),
            });
        }
        at = end;
    }
    Ok(if has_index {
        Wholeness::Whole
    } else {
        Wholeness::NoIndex
    })
}

fn riff(head: &[u8; 16], size: u64) -> Wholeness {
    let declared = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
    // Recorders that never came back to fill it in leave 0 or all ones.
    if declared == 0 || declared >= 0xFFFF_FF00 {
        return Wholeness::Unknown;
    }
    // The last padding byte is often left out.
    if declared + 7 > size {
        return Wholeness::Short {
            declared_bytes: declared + 8,
            part: "RIFF".to_owned(),
        };
    }
    Wholeness::Whole
}

/// The header partition of an MXF file says where the footer begins, once somebody came back to write it in.
fn mxf(source: &Source) -> io::Result<Wholeness> {
    let mut head = [0; 17 + 8 + 32];
    let count = source.read_full_at(&mut head, 0)?;
    // The length of a KLV triplet: one byte, or how many follow.
    let skipped = match head[16] {
        short if short < 0x80 => 17,
        long => 17 + usize::from(long & 0x7F),
    };
    // Two versions, the KAG size, this partition, the one before, the footer.
    let at = skipped + 2 + 2 + 4 + 8 + 8;
    let Some(footer) = head[..count].get(at..at + 8) else {
        return Ok(Wholeness::Unknown);
    };
    let footer = footer.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    Ok(match footer {
        0 => Wholeness::Unknown,
        footer if footer >= source.size_bytes() => Wholeness::Short {
            declared_bytes: footer,
            part: "footer partition".to_owned(),
        },
        _ => Wholeness::Whole,
    })
}

fn matroska(source: &Source) -> io::Result<Wholeness> {
    let mut head = [0; 64];
    let count = source.read_full_at(&mut head, 0)?;
    let Some((header, used)) = ebml::length(&head[4..count]) else {
        return Ok(Wholeness::Unknown);
    };
    let segment_at = 4 + used as u64 + header.unwrap_or(u64::MAX).min(1 << 20);
    let mut head = [0; 12];
    let count = source.read_full_at(&mut head, segment_at)?;
    if count < 6 || head[..4] != ebml::SEGMENT.to_be_bytes() {
        return Ok(Wholeness::Unknown);
    }
    Ok(match ebml::length(&head[4..count]) {
        Some((Some(length), used)) => {
            let declared_bytes = (segment_at + 4 + used as u64).saturating_add(length);
            if declared_bytes > source.size_bytes() {
                Wholeness::Short {
                    declared_bytes,
                    part: "Segment".to_owned(),
                }
            } else {
                Wholeness::Whole
            }
        }
        _ => Wholeness::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::Wholeness;
    use super::look;
    use crate::media::av::Source;

    fn verdict(bytes: Vec<u8>) -> Wholeness {
        look(&Source::from_bytes(Box::new(bytes), "x").expect("size")).expect("readable")
    }
    fn iso_box(kind: &[u8; 4], declared: u32, body: usize) -> Vec<u8> {
        let mut bytes = declared.to_be_bytes().to_vec();
        bytes.extend_from_slice(kind);
        bytes.resize(8 + body, 0);
        bytes
    }

    #[test]
    fn iso_files_are_judged_by_their_boxes() {
        let ftyp = iso_box(b"ftyp", 16, 8);
        let moov = iso_box(b"moov", 24, 16);
        assert_eq!(
            verdict([ftyp.clone(), moov.clone(), iso_box(b"mdat", 40, 32)].concat()),
            Wholeness::Whole
        );
        assert_eq!(
            verdict([ftyp.clone(), iso_box(b"mdat", 400, 32)].concat()),
            Wholeness::NoIndex
        );
        assert_eq!(
            verdict([ftyp, moov, iso_box(b"mdat", 400, 32)].concat()),
            Wholeness::Short {
                declared_bytes: 440,
                part: "mdat".to_owned()
            }
        );
    }

    #[test]
    fn riff_and_matroska_lengths() {
        let riff = |length: u32| [b"RIFF".to_vec(), length.to_le_bytes().to_vec(), b"AVI LIST".to_vec()].concat();
        assert_eq!(verdict(riff(8)), Wholeness::Whole);
        assert!(matches!(verdict(riff(80)), Wholeness::Short { declared_bytes: 88, .. }));
        assert_eq!(verdict(riff(u32::MAX)), Wholeness::Unknown);
        let mkv = |length: u8| {
            [
                vec![0x1A, 0x45, 0xDF, 0xA3, 0x81, 0],
                vec![0x18, 0x53, 0x80, 0x67, length],
                vec![0; 4],
            ]
            .concat()
        };
        assert_eq!(verdict(mkv(0x84)), Wholeness::Whole);
        assert!(matches!(verdict(mkv(0x90)), Wholeness::Short { .. }));
        assert_eq!(verdict(mkv(0xFF)), Wholeness::Unknown);
    }

    #[test]
    fn an_mxf_file_is_judged_by_where_its_footer_should_be() {
        let mxf = |footer: u64| {
            let key = [super::MXF_PARTITION.to_vec(), vec![1, 1, 2, 4, 0]].concat();
            let fields = [
                vec![0x83, 0, 0, 120],
                vec![0; 24],
                footer.to_be_bytes().to_vec(),
                vec![0; 88],
            ];
            verdict([key, fields.concat()].concat())
        };
        assert_eq!(mxf(100), Wholeness::Whole);
        assert_eq!(mxf(0), Wholeness::Unknown);
        assert_eq!(
            mxf(87_793_664),
            Wholeness::Short {
                declared_bytes: 87_793_664,
                part: "footer partition".to_owned()
            }
        );
    }
}
