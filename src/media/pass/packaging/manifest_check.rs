//! Manifests read again and compared with what lies on disk.
//!
//! Guarantees: reads the text as a player would, with nothing of what wrote it. Deliberately absent: whether players like
//! it, which the tests ask them.

use crate::media::pass::packaging::fragment;
use crate::media::pass::packaging::segments::Track;
use crate::media::pass::packaging::xml;
use crate::media::pass::packaging::xml::Element;
use crate::media::product::Check;
use crate::media::verify;
use std::fs::File;
use std::path::Path;

/// Length and offset of a part of a file; none: all of it.
pub type ByteRange = Option<(u64, u64)>;

/// A media playlist as a player reads it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MediaPlaylist {
    /// `EXT-X-TARGETDURATION`.
    pub target_s: u64,
    /// Name and range (length, offset) of the initialisation segment.
    pub map: Option<(String, ByteRange)>,
    /// Seconds, name, range.
    pub entries: Vec<(f64, String, ByteRange)>,
    /// It is complete.
    pub has_end: bool,
}

/// Reads a media playlist.
pub fn read_media(text: &str) -> Result<MediaPlaylist, String> {
    let mut lines = text.lines();
    if lines.next() != Some("#EXTM3U") {
        return Err("it does not begin with #EXTM3U".to_owned());
    }
    let mut playlist = MediaPlaylist::default();
    let (mut duration_s, mut range) = (None, None);
    for line in lines {
        if let Some(value) = line.strip_prefix("#EXT-X-TARGETDURATION:") {
            playlist.target_s = value.parse().map_err(|_| format!("{line:?} has no number"))?;
        } else if let Some(value) = line.strip_prefix("#EXTINF:") {
            let number = value.split(',').next().and_then(|number| number.parse::<f64>().ok());
            duration_s = Some(number.ok_or_else(|| format!("{line:?} has no length"))?);
        } else if let Some(value) = line.strip_prefix("#EXT-X-BYTERANGE:") {
            range = Some(byte_range(value).ok_or_else(|| format!("{line:?} has no range"))?);
        } else if let Some(value) = line.strip_prefix("#EXT-X-MAP:") {
            let uri = attribute(value, "URI").ok_or_else(|| format!("{line:?} names nothing"))?;
            let part = match attribute(value, "BYTERANGE") {
                Some(text) => Some(byte_range(text).ok_or_else(|| format!("{line:?} has no range"))?),
                None => None,
            };
            playlist.map = Some((uri.to_owned(), part));
        } else if line == "#EXT-X-ENDLIST" {
            playlist.has_end = true;
        } else if !line.is_empty() && !line.starts_with('#') {
            let duration_s = duration_s
                .take()
                .ok_or_else(|| format!("{line:?} has no EXTINF before it"))?;
            playlist.entries.push((duration_s, line.to_owned(), range.take()));
        }
    }
    Ok(playlist)
}

/// `LENGTH@OFFSET`.
fn byte_range(text: &str) -> Option<(u64, u64)> {
    let (length, offset) = text.split_once('@')?;
    Some((length.parse().ok()?, offset.parse().ok()?))
}

/// A quoted attribute of a tag.
fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let at = text.find(&format!("{name}=\""))?;
    text[at + name.len() + 2..].split('"').next()
}

/// A media playlist against the segments of a track in a directory. `length_s`: how long the track should be.
pub fn media_playlist(checks: &mut Vec<Check>, text: &str, directory: &Path, track: &Track, length_s: f64) {
    let playlist = match read_media(text) {
        Ok(playlist) => playlist,
        Err(why) => {
            verify::check(checks, "playlist", "a media playlist", why, false);
            return;
        }
    };
    let wanted: Vec<(&str, u64)> = track
        .segments
        .iter()
        .map(|segment| (segment.part.name.as_str(), segment.part.size_bytes))
        .collect();
    let size_of = |name: &str| std::fs::metadata(directory.join(name)).map_or(0, |metadata| metadata.len());
    let found: Vec<(&str, u64)> = playlist
        .entries
        .iter()
        .map(|(_, name, range)| (name.as_str(), range.map_or_else(|| size_of(name), |range| range.0)))
        .collect();
    verify::check(
        checks,
        "segments",
        wanted.len(),
        found.len(),
        wanted == found && playlist.has_end,
    );
    let ranges = playlist
        .entries
        .iter()
        .filter_map(|(_, name, range)| Some((name, (*range)?)))
        .chain(playlist.map.iter().filter_map(|(name, range)| Some((name, (*range)?))));
    let outside = ranges
        .filter(|(name, (length, offset))| *length == 0 || offset + length > size_of(name))
        .count();
    verify::check(checks, "byte_ranges_outside", 0, outside, outside == 0);
    let longest_s = playlist.entries.iter().map(|entry| entry.0).fold(0.0, f64::max);
    verify::check(
        checks,
        "target_duration_s",
        format!("{longest_s:.3} or more when rounded"),
        playlist.target_s,
        longest_s.round() <= playlist.target_s as f64,
    );
    let said_s: f64 = playlist.entries.iter().map(|entry| entry.0).sum();
    verify::near(checks, "playlist_duration_s", length_s, said_s, 0.05);
}

/// Each segment of pictures begins with a key frame: by the times of key frames that were read back, and of fMP4 by
/// the segments' own index.
pub fn segment_starts(checks: &mut Vec<Check>, directory: &Path, track: &Track, keys_s: &[f64]) {
    const TOLERANCE_S: f64 = 0.002;
    let is_key = |at_s: f64| {
        let next = keys_s.partition_point(|key_s| *key_s < at_s - TOLERANCE_S);
        keys_s
            .get(next)
            .is_some_and(|key_s| (key_s - at_s).abs() <= TOLERANCE_S)
    };
    let mut good = 0;
    for segment in &track.segments {
        let at_s = segment.start as f64 * track.unit.value();
        let sample = File::open(directory.join(&segment.part.name))
            .and_then(|file| fragment::first_sample(&file, segment.part.offset));
        let by_index = match (&track.init, &track.seal) {
            (Some(_), None) => sample.is_ok_and(|(_, sample)| sample.is_key),
            _ => true,
        };
        good += usize::from(by_index && is_key(at_s));
    }
    let wanted = track.segments.len();
    verify::check(checks, "segments_at_key_frames", wanted, good, wanted == good);
}

/// One representation as an MPD tells it.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    id: String,
    timescale: i64,
    /// Start and length, ticks.
    times: Vec<(i64, i64)>,
}

/// An MPD against the tracks it should name, each by its representation's id.
pub fn mpd(checks: &mut Vec<Check>, text: &str, tracks: &[(&str, &Track)]) {
    let told = match read_mpd(text) {
        Ok(told) => told,
        Err(why) => {
            verify::check(checks, "mpd", "a manifest", why, false);
            return;
        }
    };
    let wanted: Vec<Told> = tracks.iter().map(|(id, track)| of_track(id, track)).collect();
    verify::check(
        checks,
        "mpd_representations",
        wanted.len(),
        told.len(),
        wanted.len() == told.len(),
    );
    for wanted in &wanted {
        let found = told.iter().find(|told| told.id == wanted.id);
        let same = found == Some(wanted);
        verify::check(
            checks,
            &format!("{}/mpd_segments", wanted.id),
            wanted.times.len(),
            found.map_or(0, |found| found.times.len()),
            same,
        );
    }
}

fn of_track(id: &str, track: &Track) -> Told {
    Told {
        id: id.to_owned(),
        timescale: i64::from(track.unit.den),
        times: track
            .segments
            .iter()
            .map(|segment| (segment.start, segment.duration))
            .collect(),
    }
}

fn read_mpd(text: &str) -> Result<Vec<Told>, String> {
    let root = xml::read(text)?;
    if root.name != "MPD" {
        return Err(format!("its root is {}", root.name));
    }
    let mut told = Vec::new();
    for set in root.all("Period").flat_map(|period| period.all("AdaptationSet")) {
        for one in set.all("Representation") {
            // Text is one file and has no segments.
            if let Some(addressing) = one.first("SegmentTemplate") {
                told.push(representation(one, addressing)?);
            }
        }
    }
    Ok(told)
}

fn representation(one: &Element, addressing: &Element) -> Result<Told, String> {
    let id = one.attribute("id").ok_or("a representation has no id")?.to_owned();
    let missing = |what: &str| format!("{id} has no {what}");
    let timeline = addressing
        .first("SegmentTimeline")
        .ok_or_else(|| missing("SegmentTimeline"))?;
    let mut times = Vec::new();
    let mut next = 0;
    for entry in timeline.all("S") {
        let start = entry.number("t").unwrap_or(next);
        let duration: i64 = entry.number("d").ok_or_else(|| missing("length of a segment"))?;
        let repeats: u32 = entry.number("r").unwrap_or(0);
        if repeats > 1_000_000 {
            return Err(missing("believable number of segments"));
        }
        for number in 0..=i64::from(repeats) {
            times.push((start + number * duration, duration));
        }
        next = start + i64::from(repeats + 1) * duration;
    }
    Ok(Told {
        timescale: addressing.number("timescale").ok_or_else(|| missing("timescale"))?,
        times,
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playlists_that_no_player_reads_are_refused() {
        for text in [
            "",
            "#EXTM3U\nseg.ts\n",
            "#EXTM3U\n#EXTINF:x,\nseg.ts\n",
            "#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:5\nseg.ts\n",
            "#EXTM3U\n#EXT-X-MAP:BYTERANGE=\"1@0\"\n",
        ] {
            assert!(read_media(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_line_is_unrolled() {
        let text = "<MPD><Period><AdaptationSet><Representation id=\"v\"><SegmentTemplate timescale=\"10\">\
            <SegmentTimeline><S t=\"5\" d=\"40\" r=\"1\"/><S d=\"3\"/></SegmentTimeline></SegmentTemplate>\
            </Representation></AdaptationSet></Period></MPD>";
        let told = read_mpd(text).expect("reads");
        assert_eq!(told[0].times, [(5, 40), (45, 40), (85, 3)]);
        assert!(read_mpd("<MPD><Period>").is_err());
    }
}
