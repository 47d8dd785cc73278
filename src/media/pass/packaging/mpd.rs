//! The MPD of a DASH set as text (ISO/IEC 23009-1).
//!
//! Guarantees: pure; the time line of every representation is that of its segments, to the tick. Deliberately absent:
//! live manifests, several periods, segments that are parts of one file.

use crate::media::facts::Ratio;
use crate::media::pass::packaging::playlist;
use crate::media::pass::packaging::segments::Track;
use crate::media::pass::packaging::xml::escaped;
use crate::media::pass::plan::TrackLabel;
use crate::media::product::Place;
use crate::media::product::folder_reference;
use crate::media::product::reference;
use std::fmt::Write;

/// One representation of pictures or sound.
#[derive(Debug, Clone)]
pub struct Representation<'a> {
    /// Its folder within the set, and its id.
    pub folder: &'a str,
    /// Its segments.
    pub track: &'a Track,
    /// RFC 6381 name.
    pub codecs: Option<&'a str>,
    /// What only its kind has.
    pub kind: Kind,
}

/// What only one kind of representation has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Pictures.
    Video {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Nominal frames a second.
        rate: Ratio,
    },
    /// Sound.
    Audio {
        /// Hz.
        rate_hz: u32,
        /// Channels.
        channels: u32,
    },
}

/// Representations that a player may switch between.
#[derive(Debug, Clone)]
pub struct AdaptationSet<'a> {
    /// How it is offered; of pictures none.
    pub label: Option<&'a TrackLabel>,
    /// The representations, all of one kind.
    pub representations: Vec<Representation<'a>>,
}

/// Subtitles as one WebVTT file.
#[derive(Debug, Clone)]
pub struct TextSet<'a> {
    /// How it is offered.
    pub label: &'a TrackLabel,
    /// Id.
    pub id: &'a str,
    /// Where the file is within the set.
    pub place: Place,
    /// Bits a second.
    pub bandwidth: u64,
}

/// The MPD. Files are named by references that publishing replaces.
pub fn write(sets: &[AdaptationSet<'_>], texts: &[TextSet<'_>]) -> String {
    let tracks = || {
        sets.iter()
            .flat_map(|set| set.representations.iter().map(|representation| representation.track))
    };
    let end_s = tracks().map(end_s).fold(0.0, f64::max);
    let segment_s = tracks()
        .flat_map(|track| track.segments.iter().map(|segment| segment.duration_s))
        .fold(0.0, f64::max);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" \
        profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" type=\"static\" mediaPresentationDuration=\"{}\" \
        maxSegmentDuration=\"{}\" minBufferTime=\"{}\">\n  <Period id=\"0\" start=\"PT0S\">\n",
        period(end_s),
        period(segment_s),
        period(segment_s * 2.0)
    );
    for (number, set) in sets.iter().enumerate() {
        adaptation_set(&mut text, number, set);
    }
    for (number, set) in texts.iter().enumerate() {
        text_set(&mut text, sets.len() + number, set);
    }
    text.push_str("  </Period>\n</MPD>\n");
    text
}

fn end_s(track: &Track) -> f64 {
    let last = track.segments.last();
    last.map_or(0.0, |last| (last.start + last.duration) as f64 * track.unit.value())
}

fn period(seconds: f64) -> String {
    format!("PT{seconds:.3}S")
}

fn role(label: &TrackLabel, is_text: bool) -> &'static str {
    match (is_text, label.forced, label.default) {
        (true, true, _) => "forced-subtitle",
        (true, false, _) => "subtitle",
        (false, _, true) => "main",
        (false, _, false) => "alternate",
    }
}

fn label_parts(text: &mut String, label: &TrackLabel, is_text: bool) {
    let _ = writeln!(
        text,
        "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"{}\"/>\n      <Label>{}</Label>",
        role(label, is_text),
        escaped(&label.name)
    );
}

fn adaptation_set(text: &mut String, number: usize, set: &AdaptationSet<'_>) {
    let Some(first) = set.representations.first() else {
        return;
    };
    let kind = match first.kind {
        Kind::Video { .. } => "video",
        Kind::Audio { .. } => "audio",
    };
    let _ = write!(
        text,
        "    <AdaptationSet id=\"{number}\" contentType=\"{kind}\" mimeType=\"{kind}/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\""
    );
    if let Some(language) = set.label.and_then(|label| label.language.as_ref()) {
        let _ = write!(text, " lang=\"{}\"", escaped(language));
    }
    if let Kind::Video { width, height, .. } = first.kind {
        let common = gcd(width, height).max(1);
        let sizes = set.representations.iter().filter_map(|one| match one.kind {
            Kind::Video { width, height, .. } => Some((width, height)),
            Kind::Audio { .. } => None,
        });
        let most = sizes.fold((0, 0), |most, size| (most.0.max(size.0), most.1.max(size.1)));
        let _ = write!(
            text,
            " par=\"{}:{}\" maxWidth=\"{}\" maxHeight=\"{}\"",
            width / common,
            height / common,
            most.0,
            most.1
        );
    }
    text.push_str(">\n");
    match set.label {
        Some(label) => label_parts(text, label, false),
        None => text.push_str("      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>\n"),
    }
    for one in &set.representations {
        representation(text, one);
    }
    text.push_str("    </AdaptationSet>\n");
}

fn representation(text: &mut String, one: &Representation<'_>) {
    let _ = write!(
        text,
        "      <Representation id=\"{}\" bandwidth=\"{}\"",
        escaped(one.folder),
        playlist::peak(&one.track.segments).max(1)
    );
    if let Some(codecs) = one.codecs {
        let _ = write!(text, " codecs=\"{}\"", escaped(codecs));
    }
    match one.kind {
        Kind::Video { width, height, rate } => {
            let common = gcd(rate.num.unsigned_abs(), rate.den.unsigned_abs()).max(1);
            let (num, den) = (rate.num.unsigned_abs() / common, rate.den.unsigned_abs() / common);
            let _ = write!(
                text,
                " width=\"{width}\" height=\"{height}\" sar=\"1:1\" frameRate=\"{num}"
            );
            if den != 1 {
                let _ = write!(text, "/{den}");
            }
            text.push_str("\">\n");
        }
        Kind::Audio { rate_hz, channels } => {
            let _ = writeln!(
                text,
                " audioSamplingRate=\"{rate_hz}\">\n        <AudioChannelConfiguration \
                schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"{channels}\"/>"
            );
        }
    }
    segment_template(text, one);
    text.push_str("      </Representation>\n");
}

/// A pattern of the segments' names.
fn segment_template(text: &mut String, one: &Representation<'_>) {
    let init = one.track.init.as_ref().map_or("init.mp4", |init| init.name.as_str());
    let _ = writeln!(
        text,
        "        <SegmentTemplate timescale=\"{}\" presentationTimeOffset=\"0\" startNumber=\"1\" \
        initialization=\"{}\" media=\"{}/seg-$Number%05d$.m4s\">",
        timescale(one.track),
        reference(&Place::Inside(format!("{}/{init}", one.folder))),
        folder_reference(one.folder)
    );
    timeline(text, one.track);
    text.push_str("        </SegmentTemplate>\n");
}

/// Ticks a second. Units of tracks are one over something.
fn timescale(track: &Track) -> i32 {
    track.unit.den
}

fn timeline(text: &mut String, track: &Track) {
    text.push_str("          <SegmentTimeline>\n");
    let segments = &track.segments;
    let mut at = 0;
    while at < segments.len() {
        let (start, duration) = (segments[at].start, segments[at].duration);
        let alike = segments[at..]
            .iter()
            .take_while(|segment| segment.duration == duration)
            .count();
        let _ = write!(text, "            <S t=\"{start}\" d=\"{duration}\"");
        if alike > 1 {
            let _ = write!(text, " r=\"{}\"", alike - 1);
        }
        text.push_str("/>\n");
        at += alike;
    }
    text.push_str("          </SegmentTimeline>\n");
}

fn text_set(text: &mut String, number: usize, set: &TextSet<'_>) {
    let _ = write!(
        text,
        "    <AdaptationSet id=\"{number}\" contentType=\"text\" mimeType=\"text/vtt\""
    );
    if let Some(language) = &set.label.language {
        let _ = write!(text, " lang=\"{}\"", escaped(language));
    }
    text.push_str(">\n");
    label_parts(text, set.label, true);
    let _ = writeln!(
        text,
        "      <Representation id=\"{}\" bandwidth=\"{}\">\n        <BaseURL>{}</BaseURL>\n      </Representation>\n    </AdaptationSet>",
        escaped(set.id),
        set.bandwidth.max(1),
        reference(&set.place)
    );
}

fn gcd(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { gcd(other, one % other) }
}
