//! A reader of playlists that shares nothing with the writer: every name, byte and second in them must hold.

use std::path::Path;

/// One entry of a media playlist.
#[derive(Debug, Clone)]
pub struct Entry {
    pub duration_s: f64,
    pub uri: String,
    pub range: Option<(u64, u64)>,
}

/// A media playlist that was found right.
#[derive(Debug)]
pub struct Media {
    pub version: u32,
    pub entries: Vec<Entry>,
    pub map: Option<(String, Option<(u64, u64)>)>,
    pub text: String,
}

fn range(text: &str) -> (u64, u64) {
    let (length, offset) = text.split_once('@').expect("LENGTH@OFFSET");
    (offset.parse().expect("offset"), length.parse().expect("length"))
}

/// Reads a media playlist from disk and holds it against the files beside it.
pub fn media(path: &Path) -> Media {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let folder = path.parent().expect("a folder");
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    assert_eq!(lines.next(), Some("#EXTM3U"));
    let (mut version, mut target, mut entries, mut map) = (1, None, Vec::new(), None);
    let (mut duration_s, mut part, mut ended) = (None, None, false);
    for line in lines {
        assert!(!ended, "{line} after the end");
        let (tag, value) = line.split_once(':').unwrap_or((line, ""));
        match tag {
            "#EXT-X-VERSION" => version = value.parse().expect("version"),
            "#EXT-X-TARGETDURATION" => target = Some(value.parse::<u64>().expect("whole seconds")),
            "#EXTINF" => duration_s = Some(value.trim_end_matches(',').parse::<f64>().expect("seconds")),
            "#EXT-X-BYTERANGE" => part = Some(range(value)),
            "#EXT-X-MAP" => {
                let quoted: Vec<&str> = value.split('"').collect();
                map = Some((quoted[1].to_owned(), quoted.get(3).map(|text| range(text))));
            }
            "#EXT-X-ENDLIST" => ended = true,
            _ if line.starts_with('#') => {}
            _ => entries.push(Entry {
                duration_s: duration_s.take().expect("EXTINF before a name"),
                uri: line.to_owned(),
                range: part.take(),
            }),
        }
    }
    assert!(ended && !entries.is_empty(), "{text}");
    let target = target.expect("a target");
    for entry in &entries {
        assert!(entry.duration_s.round() as u64 <= target, "{text}");
    }
    let is_iframes = text.contains("#EXT-X-I-FRAMES-ONLY");
    let needed = match (&map, entries.iter().any(|entry| entry.range.is_some())) {
        (Some(_), _) if !is_iframes => 6,
        (Some(_), _) => 5,
        (None, true) => 4,
        (None, false) => 3,
    };
    assert!(version >= needed, "{text}");
    let mut next: Option<(String, u64)> = map.clone().and_then(|(uri, range)| Some((uri, range?.0 + range?.1)));
    for entry in &entries {
        let length = std::fs::metadata(folder.join(&entry.uri))
            .unwrap_or_else(|_| panic!("{} is missing", entry.uri))
            .len();
        assert!(length > 0);
        if let Some((offset, size)) = entry.range {
            assert!(size > 0 && offset + size <= length, "{entry:?} of {length} bytes");
            if !is_iframes {
                if let Some((uri, end)) = &next {
                    assert_eq!((uri, *end), (&entry.uri, offset), "parts follow one another");
                }
                next = Some((entry.uri.clone(), offset + size));
            }
        }
    }
    Media {
        version,
        entries,
        map,
        text,
    }
}

impl Media {
    pub fn length_s(&self) -> f64 {
        self.entries.iter().map(|entry| entry.duration_s).sum()
    }

    /// The bytes a player would read for an entry, after the initialisation segment.
    pub fn bytes(&self, folder: &Path, entry: &Entry) -> Vec<u8> {
        let cut = |uri: &str, range: Option<(u64, u64)>| {
            let bytes = std::fs::read(folder.join(uri)).expect("read");
            match range {
                None => bytes,
                Some((offset, size)) => bytes[offset as usize..(offset + size) as usize].to_vec(),
            }
        };
        let mut all = self.map.as_ref().map_or(Vec::new(), |(uri, range)| cut(uri, *range));
        all.extend(cut(&entry.uri, entry.range));
        all
    }
}

/// An attribute of a tag in a master playlist.
pub fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = line.split_once(':')?.1;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"')?;
                (value, after.strip_prefix(',').unwrap_or(after))
            }
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if key == name {
            return Some(value);
        }
        rest = after;
    }
    None
}
