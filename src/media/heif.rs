//! HEIF and AVIF: pictures in the boxes of ISO files, told from films by the box that describes them.
//!
//! Guarantees: reads a few boxes, bounded. Deliberately absent: sequences, which have a `moov` like any film, and putting
//! tiles together: libav hands them out one by one, and one alone would be taken for the picture.

use crate::media::av::Source;
use crate::media::iso_box::IsoBox;
use std::io;

/// Boxes before the one that describes the picture, at most.
const MAX_BOXES: u32 = 16;
/// Of the list of brands, the first and its version included; some files have a dozen.
const MAX_BRANDS_BYTES: u64 = 1024;
/// Of the box that describes the picture; a photograph in tiles has a few kilobytes.
const MAX_META_BYTES: u64 = 1 << 20;
/// Brands of pictures of HEVC and others.
const HEIF: [&[u8; 4]; 6] = [b"mif1", b"heic", b"heix", b"heim", b"heis", b"mif2"];
const AVIF: &[u8; 4] = b"avif";

/// A file of one picture, or of several that are no film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureFile {
    /// The picture is coded as AV1.
    pub is_avif: bool,
    /// It stands there in tiles.
    pub is_tiled: bool,
}

impl PictureFile {
    /// What it is.
    pub fn word(self) -> &'static str {
        if self.is_avif {
            "an AVIF picture"
        } else {
            "an HEIF picture (HEIC)"
        }
    }
}

/// Looks at a source; none: it is something else.
pub fn look(source: &Source) -> io::Result<Option<PictureFile>> {
    let (mut at, mut is_avif) = (0, None);
    for _ in 0..MAX_BOXES {
        let Some(found) = IsoBox::at(source, at)? else {
            return Ok(None);
        };
        let content_bytes = found.end - found.content_at;
        match (&found.kind, is_avif) {
            (b"ftyp", _) => {
                let mut brands = vec![0; content_bytes.min(MAX_BRANDS_BYTES) as usize];
                let count = source.read_full_at(&mut brands, found.content_at)?;
                let brands: Vec<&[u8]> = brands[..count].chunks_exact(4).collect();
                let is_heif = HEIF.iter().any(|known| brands.contains(&known.as_slice()));
                let avif = brands.contains(&AVIF.as_slice());
                if !is_heif && !avif {
                    return Ok(None);
                }
                is_avif = Some(avif);
            }
            (b"meta", Some(is_avif)) => {
                let mut meta = vec![0; content_bytes.min(MAX_META_BYTES) as usize];
                let count = source.read_full_at(&mut meta, found.content_at)?;
                let is_tiled = has_grid(&meta[..count]);
                return Ok(Some(PictureFile { is_avif, is_tiled }));
            }
            (b"moov", _) | (_, None) => return Ok(None),
            _ => {}
        }
        at = found.end;
    }
    Ok(None)
}

/// Whether an entry of its items is one that is put together of others.
fn has_grid(meta: &[u8]) -> bool {
    let entries = meta.windows(4).enumerate().filter(|(_, kind)| kind == b"infe");
    entries.into_iter().any(|(at, _)| {
        // Version 2 has numbers of 16 bits, 3 of 32; two bytes of protection, then the kind.
        let kind_at = match meta.get(at + 4) {
            Some(2) => at + 12,
            Some(3) => at + 14,
            _ => return false,
        };
        meta.get(kind_at..kind_at + 4) == Some(b"grid")
    })
}
