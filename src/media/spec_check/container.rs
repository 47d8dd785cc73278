//! Which pictures a file or a segment may hold.
//!
//! Guarantees: one table; what it allows, the muxers of libav 5.1 and later write and common players open. Deliberately
//! absent: sound.

use crate::media::spec::Container;
use crate::media::spec::GroupKind;
use crate::media::spec::GroupSpec;
use crate::media::spec::SegmentFormat;
use crate::media::spec::VideoCodec;

/// Codecs of pictures that each container holds. A copy is what its source is, so it is asked again by name then.
const HOLDS: [(Container, &[VideoCodec]); 5] = [
    (
        Container::Mp4,
        &[
            VideoCodec::H264,
            VideoCodec::Hevc,
            VideoCodec::Av1,
            VideoCodec::Vp9,
            VideoCodec::Mpeg2,
        ],
    ),
    (
        Container::Mov,
        &[
            VideoCodec::H264,
            VideoCodec::Hevc,
            VideoCodec::Prores,
            VideoCodec::Dnxhr,
            VideoCodec::Mpeg2,
        ],
    ),
    (
        Container::Mkv,
        &[
            VideoCodec::H264,
            VideoCodec::Hevc,
            VideoCodec::Av1,
            VideoCodec::Vp9,
            VideoCodec::Prores,
            VideoCodec::Dnxhr,
            VideoCodec::Mpeg2,
        ],
    ),
    (Container::Webm, &[VideoCodec::Vp9, VideoCodec::Av1]),
    (Container::Ts, &[VideoCodec::H264, VideoCodec::Hevc, VideoCodec::Mpeg2]),
];

/// Codecs of pictures in segments of either form.
const IN_FRAGMENTS: [VideoCodec; 4] = [VideoCodec::H264, VideoCodec::Hevc, VideoCodec::Av1, VideoCodec::Vp9];
const IN_TS_SEGMENTS: [VideoCodec; 2] = [VideoCodec::H264, VideoCodec::Hevc];

/// Why the outputs of a group cannot hold pictures of a codec, in a sentence with the remedy; none: they can.
pub fn cannot_hold(group: &GroupSpec, codec: VideoCodec) -> Option<String> {
    if codec == VideoCodec::Copy {
        return None;
    }
    if group.kind == GroupKind::File {
        let container = group.container.unwrap_or(Container::Mp4);
        return file_cannot_hold(container, codec.stream_name(), codec.word());
    }
    let (held, what) = match (group.kind, group.segment_format) {
        (GroupKind::Hls, SegmentFormat::Ts) => (&IN_TS_SEGMENTS[..], "transport stream segments"),
        _ => (&IN_FRAGMENTS[..], "fMP4 segments"),
    };
    (!held.contains(&codec)).then(|| {
        format!(
            "{what} hold no {}; write one of {}, or kind = \"file\"",
            codec.word(),
            words(held)
        )
    })
}

/// The same of a file by libav's name of the codec, which is also how a copied one is known. `word` is what it is called
/// in the sentence.
pub fn file_cannot_hold(container: Container, stream_name: &str, word: &str) -> Option<String> {
    let said = container.extension().trim_start_matches('.');
    if container.is_audio_only() {
        return Some(format!("{said} files hold no video; take container = \"mp4\""));
    }
    let held = held_by(container);
    // Matroska takes nearly everything that a source may be.
    if container == Container::Mkv || held.iter().any(|held| held.stream_name() == stream_name) {
        return None;
    }
    let others: Vec<String> = HOLDS
        .iter()
        .filter(|(_, held)| held.iter().any(|held| held.stream_name() == stream_name))
        .map(|(other, _)| format!("\"{}\"", other.extension().trim_start_matches('.')))
        .collect();
    let remedy = match others.is_empty() {
        true => "take container = \"mkv\"".to_owned(),
        false => format!("take container = {}", others.join(" or ")),
    };
    Some(format!("{said} files hold no {word}, but {}; {remedy}", words(held)))
}

/// The same of segments, for a copy.
pub fn segments_cannot_hold(stream_name: &str) -> Option<String> {
    let known = IN_FRAGMENTS.iter().any(|codec| codec.stream_name() == stream_name);
    (!known).then(|| format!("segments hold no {stream_name}; write one of {}", words(&IN_FRAGMENTS)))
}

fn held_by(container: Container) -> &'static [VideoCodec] {
    HOLDS
        .iter()
        .find(|(known, _)| *known == container)
        .map_or(&[], |(_, held)| held)
}

fn words(codecs: &[VideoCodec]) -> String {
    let words: Vec<&str> = codecs.iter().map(|codec| codec.word()).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::file_cannot_hold;
    use crate::media::spec::Container;

    #[test]
    fn a_refusal_names_what_would_do() {
        let why = |container, name, word| file_cannot_hold(container, name, word).unwrap_or_default();
        assert_eq!(
            why(Container::Mp4, "prores", "prores"),
            "mp4 files hold no prores, but h264, hevc, av1, vp9, mpeg2; take container = \"mov\" or \"mkv\""
        );
        assert!(
            why(Container::Webm, "h264", "h264").ends_with("take container = \"mp4\" or \"mov\" or \"mkv\" or \"ts\"")
        );
        assert!(why(Container::Ts, "cinepak", "cinepak").ends_with("take container = \"mkv\""));
        assert!(why(Container::Flac, "h264", "h264").starts_with("flac files hold no video"));
        assert_eq!(why(Container::Mkv, "cinepak", "cinepak"), "");
        assert_eq!(why(Container::Mov, "dnxhd", "dnxhr"), "");
    }
}
