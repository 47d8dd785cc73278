//! What of a source the outputs of a pass cannot carry, in words.

use crate::media::facts::MediaFacts;
use crate::media::facts::StreamKind;

/// Streams of the source that no output takes.
pub fn streams(facts: &MediaFacts) -> Vec<String> {
    let video = facts.main_video().map(|(stream, _)| stream.index);
    let audio = facts.main_audio().map(|(stream, _)| stream.index);
    facts
        .streams
        .iter()
        .filter(|stream| Some(stream.index) != video && Some(stream.index) != audio)
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
