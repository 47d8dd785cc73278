//! How many chapters a Matroska file has, those within others counted too, which libav's demuxer passes over.
//!
//! Guarantees: reads the heads of what stands before the first cluster, and the chapters themselves, a few MiB at most;
//! what cannot be understood counts as nothing. Deliberately absent: their times and titles.

use crate::media::av::Source;
use crate::media::ebml;
use std::io;

/// Elements looked at on the level of the segment.
const MAX_ELEMENTS: u32 = 64;
/// Largest list of chapters that is read.
const MAX_BYTES: u64 = 4 << 20;
/// Chapters within chapters.
const MAX_DEPTH: u32 = 16;

const SEEK_HEAD: u32 = 0x114D_9B74;
const SEEK: u32 = 0x4DBB;
const SEEK_ID: u32 = 0x53AB;
const SEEK_POSITION: u32 = 0x53AC;
const CLUSTER: u32 = 0x1F43_B675;
const CHAPTERS: u32 = 0x1043_A770;
const EDITION: u32 = 0x45B9;
const CHAPTER: u32 = 0xB6;

/// Chapters on all levels; 0 of what is no Matroska file or has none.
pub fn count(source: &Source) -> io::Result<u32> {
    let Some(header) = element_at(source, 0)?.filter(|header| header.id == ebml::EBML) else {
        return Ok(0);
    };
    let Some(segment) = element_at(source, header.end())?.filter(|segment| segment.id == ebml::SEGMENT) else {
        return Ok(0);
    };
    let mut at = segment.body;
    let mut promised = None;
    for _ in 0..MAX_ELEMENTS {
        let Some(element) = element_at(source, at)? else { break };
        match element.id {
            CHAPTERS => return count_in(source, element),
            SEEK_HEAD => promised = promised.or(place_of_chapters(&body_of(source, element)?)),
            CLUSTER => break,
            _ => {}
        }
        if element.size.is_none() {
            break;
        }
        at = element.end();
    }
    let Some(place) = promised else { return Ok(0) };
    let found = element_at(source, segment.body.saturating_add(place))?;
    match found.filter(|element| element.id == CHAPTERS) {
        Some(chapters) => count_in(source, chapters),
        None => Ok(0),
    }
}

/// Where an element stands.
#[derive(Debug, Clone, Copy)]
struct Element {
    id: u32,
    /// First byte of what it holds.
    body: u64,
    /// Bytes of what it holds; none: until the file ends.
    size: Option<u64>,
}

impl Element {
    fn end(self) -> u64 {
        self.body.saturating_add(self.size.unwrap_or(u64::MAX))
    }
}

fn element_at(source: &Source, at: u64) -> io::Result<Option<Element>> {
    let mut head = [0; 12];
    let count = source.read_full_at(&mut head, at)?;
    Ok(ebml::head(&head[..count]).map(|(id, size, used)| Element {
        id,
        body: at + used as u64,
        size,
    }))
}

fn body_of(source: &Source, element: Element) -> io::Result<Vec<u8>> {
    let left = source.size_bytes().saturating_sub(element.body);
    let size = element.size.unwrap_or(0).min(left);
    let mut bytes = vec![0; if size > MAX_BYTES { 0 } else { size as usize }];
    let count = source.read_full_at(&mut bytes, element.body)?;
    bytes.truncate(count);
    Ok(bytes)
}

fn count_in(source: &Source, chapters: Element) -> io::Result<u32> {
    let editions = body_of(source, chapters)?;
    Ok(children(&editions)
        .filter(|(id, _)| *id == EDITION)
        .map(|(_, edition)| chapters_in(edition, MAX_DEPTH))
        .sum())
}

fn chapters_in(bytes: &[u8], depth: u32) -> u32 {
    if depth == 0 {
        return 0;
    }
    children(bytes)
        .filter(|(id, _)| *id == CHAPTER)
        .map(|(_, chapter)| 1 + chapters_in(chapter, depth - 1))
        .sum()
}

/// Where the list of places says that the chapters are, counted from the segment's first byte.
fn place_of_chapters(seek_head: &[u8]) -> Option<u64> {
    let number = |bytes: &[u8]| {
        let short = bytes.len() <= 8;
        short.then(|| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    let entry = |wanted: u32, entry: &[u8]| -> Option<u64> {
        let (_, found) = children(entry).find(|(id, _)| *id == wanted)?;
        number(found)
    };
    children(seek_head)
        .filter(|(id, _)| *id == SEEK)
        .find(|(_, seek)| entry(SEEK_ID, seek) == Some(u64::from(CHAPTERS)))
        .and_then(|(_, seek)| entry(SEEK_POSITION, seek))
}

/// Elements that follow one another in what another holds.
fn children(mut bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let (id, size, used) = ebml::head(bytes)?;
        let body = bytes.get(used..)?;
        let length = usize::try_from(size?).ok()?.min(body.len());
        bytes = &body[length..];
        Some((id, &body[..length]))
    })
}

#[cfg(test)]
mod tests {
    use super::count;
    use crate::media::av::Source;

    fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
        let size = (0x4000 | body.len() as u16).to_be_bytes();
        [id, &size, body].concat()
    }

    fn counted(segment: &[u8]) -> u32 {
        let bytes = [
            element(b"\x1A\x45\xDF\xA3", b"\x42\x86\x81\x01"),
            element(b"\x18\x53\x80\x67", segment),
        ]
        .concat();
        count(&Source::from_bytes(Box::new(bytes), "x").expect("size")).expect("readable")
    }

    fn chapters() -> Vec<u8> {
        let leaf = element(b"\xB6", b"\x91\x81\x00");
        let part = element(b"\xB6", &[leaf.clone(), leaf.clone()].concat());
        element(b"\x10\x43\xA7\x70", &element(b"\x45\xB9", &[part, leaf].concat()))
    }

    #[test]
    fn chapters_within_others_count() {
        assert_eq!(counted(&chapters()), 4);
        assert_eq!(counted(b""), 0);
        let cut = chapters();
        assert_eq!(counted(&cut[..cut.len() - 4]), 3, "the last has lost its length");
    }

    #[test]
    fn chapters_behind_the_clusters_are_found_by_their_place() {
        let cluster = element(b"\x1F\x43\xB6\x75", &[0; 40]);
        let place = |at: u8| {
            let seek = [element(b"\x53\xAB", b"\x10\x43\xA7\x70"), element(b"\x53\xAC", &[at])].concat();
            element(b"\x11\x4D\x9B\x74", &element(b"\x4D\xBB", &seek))
        };
        let before = place(0).len() + cluster.len();
        let segment = [place(before as u8), cluster.clone(), chapters()].concat();
        assert_eq!(counted(&segment), 4);
        assert_eq!(
            counted(&[cluster, chapters()].concat()),
            0,
            "nothing says that there are any"
        );
    }
}
