//! HLS playlists as text, and the numbers in them.
//!
//! Guarantees: pure; RFC 8216 with the lowest protocol version that knows what a playlist uses. Deliberately absent: live
//! playlists.

use crate::media::pass::packaging::segments::Segment;
use crate::media::pass::packaging::segments::Track;
use crate::media::pass::plan::TrackLabel;
use std::fmt::Write;

/// Name of a media playlist in its folder.
pub const INDEX: &str = "index.m3u8";
/// Name of a playlist of key frames in its folder.
pub const IFRAMES: &str = "iframes.m3u8";

/// One variant of a master playlist.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Variant {
    /// Playlist of the pictures, or of the sound when there are none.
    pub uri: String,
    /// Peak bits a second, sound included.
    pub bandwidth: u64,
    /// Average bits a second, sound included.
    pub average_bandwidth: u64,
    /// Pixels.
    pub resolution: Option<(u32, u32)>,
    /// Frames a second.
    pub frame_rate: Option<f64>,
    /// RFC 6381 names.
    pub codecs: Vec<String>,
    /// `PQ` or `HLG`; none: ordinary.
    pub video_range: Option<&'static str>,
    /// Group of the sound.
    pub audio: Option<String>,
    /// Group of the subtitles.
    pub subtitles: Option<String>,
}

/// Kinds of choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChoiceKind {
    /// Sound with so many channels.
    Audio {
        /// Channels.
        channels: u32,
    },
    /// Subtitles.
    Subtitles,
}

/// One choice of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What it is.
    pub kind: ChoiceKind,
    /// Its group.
    pub group: String,
    /// How it is offered.
    pub label: TrackLabel,
    /// Its playlist.
    pub uri: String,
}

/// A playlist of pictures that stand still: key frames of a variant, or the sheets of a sprite.
#[derive(Debug, Clone, PartialEq)]
pub struct Still {
    /// Whether these are sheets of a sprite.
    pub is_images: bool,
    /// Its playlist.
    pub uri: String,
    /// Peak bits a second.
    pub bandwidth: u64,
    /// Average bits a second.
    pub average_bandwidth: Option<u64>,
    /// Pixels of a picture.
    pub resolution: (u32, u32),
    /// `avc1.640028`, `jpeg`.
    pub codecs: String,
    /// `PQ` or `HLG`; none: ordinary.
    pub video_range: Option<&'static str>,
}

/// Whole seconds that no segment is longer than, when rounded.
fn target(durations_s: impl Iterator<Item = f64>) -> u64 {
    durations_s.fold(0.0, f64::max).round().max(1.0) as u64
}

fn head(version: u32, target_s: u64) -> String {
    format!(
        "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{target_s}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    )
}

/// The media playlist of a rendition, complete. `is_single`: all parts are in one file.
pub fn media(track: &Track, is_single: bool) -> String {
    // Fractions of seconds want 3, byte ranges 4, an initialisation segment 6; players look for 7 with fMP4.
    let version = match (&track.init, is_single) {
        (Some(_), _) => 7,
        (None, true) => 4,
        (None, false) => 3,
    };
    let mut text = head(version, target(track.segments.iter().map(|segment| segment.duration_s)));
    text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    map(&mut text, track, is_single);
    // After the map: initialisation segments are not sealed.
    if let Some(seal) = &track.seal {
        let _ = writeln!(text, "{}", seal.key_line());
    }
    for segment in &track.segments {
        let _ = writeln!(text, "#EXTINF:{:.6},", segment.duration_s);
        if is_single {
            let _ = writeln!(
                text,
                "#EXT-X-BYTERANGE:{}@{}",
                segment.part.size_bytes, segment.part.offset
            );
        }
        let _ = writeln!(text, "{}", segment.part.name);
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

fn map(text: &mut String, track: &Track, is_single: bool) {
    if let Some(init) = &track.init {
        let _ = write!(text, "#EXT-X-MAP:URI=\"{}\"", init.name);
        if is_single {
            let _ = write!(text, ",BYTERANGE=\"{}@{}\"", init.size_bytes, init.offset);
        }
        text.push('\n');
    }
}

/// How long each key frame of a rendition stands: until the next one.
fn key_durations_s(track: &Track) -> Vec<f64> {
    let mut times: Vec<i64> = keys(track).map(|key| key.pts).collect();
    times.extend(track.segments.last().map(|last| last.start + last.duration));
    times
        .windows(2)
        .map(|two| (two[1] - two[0]) as f64 * track.unit.value())
        .collect()
}

fn keys(track: &Track) -> impl Iterator<Item = &crate::media::pass::packaging::segments::KeyFrame> {
    track.segments.iter().flat_map(|segment| &segment.keys)
}

/// The playlist of a rendition's key frames alone; none when they cannot be read alone.
pub fn iframes(track: &Track, is_single: bool) -> Option<String> {
    let durations_s = key_durations_s(track);
    if durations_s.is_empty() {
        return None;
    }
    let version = if track.init.is_some() { 7 } else { 4 };
    let mut text = head(version, target(durations_s.iter().copied()));
    text.push_str("#EXT-X-I-FRAMES-ONLY\n");
    map(&mut text, track, is_single);
    for (key, duration_s) in keys(track).zip(durations_s) {
        let part = &key.part;
        let _ = writeln!(
            text,
            "#EXTINF:{duration_s:.6},\n#EXT-X-BYTERANGE:{}@{}\n{}",
            part.size_bytes, part.offset, part.name
        );
    }
    text.push_str("#EXT-X-ENDLIST\n");
    Some(text)
}

/// Peak and average bits a second of the key frames of a rendition, each shown for as long as it stands.
pub fn iframe_rates(track: &Track) -> (u64, u64) {
    let (mut peak, mut bytes, mut seconds) = (0.0_f64, 0, 0.0);
    for (key, duration_s) in keys(track).zip(key_durations_s(track)) {
        let key_bytes = key.part.size_bytes;
        peak = peak.max(key_bytes as f64 * 8.0 / duration_s.max(0.001));
        bytes += key_bytes;
        seconds += duration_s;
    }
    (
        peak.ceil() as u64,
        (bytes as f64 * 8.0 / f64::max(seconds, 0.001)).ceil() as u64,
    )
}

/// A playlist of WebVTT segments by their names and lengths.
pub fn captions(segments: &[(String, f64)]) -> String {
    let mut text = head(3, target(segments.iter().map(|(_, duration_s)| *duration_s)));
    for (name, duration_s) in segments {
        let _ = writeln!(text, "#EXTINF:{duration_s:.6},\n{name}");
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

fn yes(is: bool) -> &'static str {
    if is { "YES" } else { "NO" }
}

/// Text within quotation marks: neither those nor line breaks can stand there.
fn quoted(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '"' => '\'',
            letter if letter.is_control() => ' ',
            letter => letter,
        })
        .collect()
}

/// A master playlist. `version`: the highest of its playlists.
pub fn master(version: u32, variants: &[Variant], choices: &[Choice], stills: &[Still]) -> String {
    let mut text = format!("#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for choice in choices {
        text.push_str(&choice_line(choice));
    }
    for variant in variants {
        text.push_str(&variant_lines(variant));
    }
    for still in stills {
        text.push_str(&still_line(still));
    }
    text
}

/// `EXT-X-MEDIA`.
fn choice_line(choice: &Choice) -> String {
    let label = &choice.label;
    let (kind, channels) = match choice.kind {
        ChoiceKind::Audio { channels } => ("AUDIO", Some(channels)),
        ChoiceKind::Subtitles => ("SUBTITLES", None),
    };
    let mut text = format!(
        "#EXT-X-MEDIA:TYPE={kind},GROUP-ID=\"{}\",NAME=\"{}\"",
        quoted(&choice.group),
        quoted(&label.name)
    );
    if let Some(language) = &label.language {
        let _ = write!(text, ",LANGUAGE=\"{}\"", quoted(language));
    }
    let _ = write!(
        text,
        ",DEFAULT={},AUTOSELECT={}",
        yes(label.default),
        yes(label.autoselect)
    );
    match channels {
        Some(channels) => {
            let _ = write!(text, ",CHANNELS=\"{channels}\"");
        }
        None => {
            let _ = write!(text, ",FORCED={}", yes(label.forced));
        }
    }
    let _ = writeln!(text, ",URI=\"{}\"", choice.uri);
    text
}

/// `EXT-X-STREAM-INF` and its playlist.
fn variant_lines(variant: &Variant) -> String {
    let mut text = format!(
        "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={}",
        variant.bandwidth, variant.average_bandwidth
    );
    if let Some((width, height)) = variant.resolution {
        let _ = write!(text, ",RESOLUTION={width}x{height}");
    }
    if let Some(rate) = variant.frame_rate {
        let _ = write!(text, ",FRAME-RATE={rate:.3}");
    }
    if !variant.codecs.is_empty() {
        let _ = write!(text, ",CODECS=\"{}\"", variant.codecs.join(","));
    }
    if let Some(range) = variant.video_range {
        let _ = write!(text, ",VIDEO-RANGE={range}");
    }
    if let Some(audio) = &variant.audio {
        let _ = write!(text, ",AUDIO=\"{}\"", quoted(audio));
    }
    if let Some(subtitles) = &variant.subtitles {
        let _ = write!(text, ",SUBTITLES=\"{}\"", quoted(subtitles));
    }
    let _ = writeln!(text, "\n{}", variant.uri);
    text
}

/// `EXT-X-I-FRAME-STREAM-INF`, or `EXT-X-IMAGE-STREAM-INF` of a sprite's sheets.
pub fn still_line(still: &Still) -> String {
    let tag = if still.is_images {
        "IMAGE-STREAM-INF"
    } else {
        "I-FRAME-STREAM-INF"
    };
    let mut text = format!("#EXT-X-{tag}:BANDWIDTH={}", still.bandwidth);
    if let Some(average) = still.average_bandwidth {
        let _ = write!(text, ",AVERAGE-BANDWIDTH={average}");
    }
    let (width, height) = still.resolution;
    let _ = write!(text, ",RESOLUTION={width}x{height},CODECS=\"{}\"", still.codecs);
    if let Some(range) = still.video_range {
        let _ = write!(text, ",VIDEO-RANGE={range}");
    }
    let _ = writeln!(text, ",URI=\"{}\"", still.uri);
    text
}

/// Peak bits a second: the highest of any run of whole segments that lasts 0.5 to 1.5 times the target length.
pub fn peak(segments: &[Segment]) -> u64 {
    let target = segments.iter().map(|segment| segment.duration_s).fold(0.0, f64::max);
    let mut peak = 0.0_f64;
    for first in 0..segments.len() {
        let (mut bytes, mut seconds) = (0, 0.0);
        for segment in &segments[first..] {
            bytes += segment.part.size_bytes;
            seconds += segment.duration_s;
            if seconds > target * 1.5 {
                break;
            }
            if seconds >= target * 0.5 {
                peak = peak.max(bytes as f64 * 8.0 / seconds);
            }
        }
    }
    peak.ceil() as u64
}

/// Average bits a second.
pub fn average(segments: &[Segment]) -> u64 {
    let bytes: u64 = segments.iter().map(|segment| segment.part.size_bytes).sum();
    let seconds: f64 = segments.iter().map(|segment| segment.duration_s).sum();
    if seconds > 0.0 {
        (bytes as f64 * 8.0 / seconds).ceil() as u64
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::facts::Ratio;
    use crate::media::pass::packaging::segments::KeyFrame;
    use crate::media::pass::packaging::spool::Part;

    fn track(lengths: &[(f64, u64)]) -> Track {
        let part = |offset: u64, size_bytes: u64| Part {
            name: "media.mp4".to_owned(),
            offset,
            size_bytes,
        };
        let (mut at, mut offset) = (0, 700);
        let segments = lengths.iter().map(|(duration_s, size_bytes)| {
            let duration = (duration_s * 1000.0).round() as i64;
            let key = KeyFrame {
                pts: at,
                part: part(offset, size_bytes / 2),
            };
            let segment = Segment {
                part: part(offset, *size_bytes),
                start: at,
                duration,
                duration_s: *duration_s,
                keys: vec![key],
            };
            (at, offset) = (at + duration, offset + size_bytes);
            segment
        });
        Track {
            segments: segments.collect(),
            init: Some(part(0, 700)),
            pieces: Vec::new(),
            unit: Ratio { num: 1, den: 1000 },
            seal: None,
        }
    }

    #[test]
    fn a_short_last_segment_is_no_peak_of_its_own() {
        let segments = track(&[(4.0, 4000), (4.0, 2000), (0.1, 1000)]).segments;
        assert_eq!(peak(&segments), 8000);
        assert_eq!(average(&segments), 6914);
    }

    #[test]
    fn parts_of_one_file_are_named_by_their_bytes() {
        let track = track(&[(4.004, 1000), (1.5, 600)]);
        let text = media(&track, true);
        assert!(text.contains("#EXT-X-TARGETDURATION:4\n") && text.ends_with("#EXT-X-ENDLIST\n"));
        assert!(
            text.contains("#EXT-X-MAP:URI=\"media.mp4\",BYTERANGE=\"700@0\"\n"),
            "{text}"
        );
        assert!(
            text.contains("#EXTINF:1.500000,\n#EXT-X-BYTERANGE:600@1700\nmedia.mp4\n"),
            "{text}"
        );
        let text = iframes(&track, true).expect("key frames");
        assert!(text.contains("#EXT-X-I-FRAMES-ONLY\n"));
        assert!(
            text.contains("#EXTINF:4.004000,\n#EXT-X-BYTERANGE:500@700\nmedia.mp4\n"),
            "{text}"
        );
        assert_eq!(iframe_rates(&track), (1600, 1163));
    }

    #[test]
    fn master_playlists_read_as_the_standard_wants() {
        let variant = Variant {
            uri: "v".to_owned(),
            bandwidth: 10,
            average_bandwidth: 9,
            resolution: Some((1280, 720)),
            frame_rate: Some(30000.0 / 1001.0),
            codecs: vec!["avc1.640028".to_owned(), "mp4a.40.2".to_owned()],
            audio: Some("audio".to_owned()),
            ..Variant::default()
        };
        let choice = Choice {
            kind: ChoiceKind::Subtitles,
            group: "subs".to_owned(),
            label: TrackLabel {
                name: "signs \"only\"".to_owned(),
                language: Some("en".to_owned()),
                default: false,
                autoselect: true,
                forced: true,
            },
            uri: "s".to_owned(),
        };
        let text = master(7, &[variant], &[choice], &[]);
        assert!(text.contains(
            "BANDWIDTH=10,AVERAGE-BANDWIDTH=9,RESOLUTION=1280x720,FRAME-RATE=29.970,CODECS=\"avc1.640028,mp4a.40.2\",AUDIO=\"audio\"\nv\n"
        ));
        assert!(text.contains(
            "TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"signs 'only'\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI=\"s\"\n"
        ), "{text}");
    }
}
