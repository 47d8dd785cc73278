//! What of a source the outputs of a pass do not carry, in words.

use crate::media::facts::MediaFacts;
use crate::media::facts::StreamKind;
use std::collections::BTreeSet;

/// Streams of the source that are not among those used.
pub fn streams(facts: &MediaFacts, used: &BTreeSet<usize>) -> Vec<String> {
    facts
        .streams
        .iter()
        .filter(|stream| !used.contains(&stream.index))
        .map(|stream| {
            let kind = match &stream.kind {
                StreamKind::Video(video) if video.attached_picture => "cover picture",
                StreamKind::Video(_) => "video",
                StreamKind::Audio(_) => "audio",
                StreamKind::Subtitle => "subtitle",
                StreamKind::Data => "data",
            };
            let language = stream.language.as_deref().map(|l| format!(", {l}")).unwrap_or_default();
            let why = if stream.decodable || matches!(stream.kind, StreamKind::Subtitle | StreamKind::Data) {
                ""
            } else {
                ", not decodable"
            };
            format!("stream {}: {kind} ({}{language}{why})", stream.index, stream.codec_name)
        })
        .collect()
}
