//! What servers and browsers are told that an object is, by the extension of its key.
//!
//! Guarantees: a type that players accept for everything the program makes, and never one that runs anything; bytes for the rest.
//! Deliberately absent: looking into files.

const TYPES: &[(&str, &str)] = &[
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("mpd", "application/dash+xml"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("cmfv", "video/mp4"),
    ("m4s", "video/iso.segment"),
    ("ts", "video/mp2t"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("mxf", "application/mxf"),
    ("m4a", "audio/mp4"),
    ("cmfa", "audio/mp4"),
    ("aac", "audio/aac"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav"),
    ("flac", "audio/flac"),
    ("opus", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ac3", "audio/ac3"),
    ("eac3", "audio/eac3"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("srt", "application/x-subrip"),
    ("cmft", "application/mp4"),
    ("ttml", "application/ttml+xml"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("avif", "image/avif"),
    ("json", "application/json"),
    ("txt", "text/plain; charset=utf-8"),
];

/// The type of an object with this key.
pub fn of(key: &str) -> &'static str {
    let name = key.rsplit('/').next().unwrap_or(key);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    TYPES
        .iter()
        .find(|(known, _)| extension.eq_ignore_ascii_case(known))
        .map_or("application/octet-stream", |(_, content_type)| content_type)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_extension_of_the_last_name_decides() {
        for (key, expected) in [
            ("a/hls.m3u8", "application/vnd.apple.mpegurl"),
            ("a/SEG-1.TS", "video/mp2t"),
            ("a.mp4/x", "application/octet-stream"),
            ("a/sprite.vtt", "text/vtt; charset=utf-8"),
            ("key", "application/octet-stream"),
        ] {
            assert_eq!(super::of(key), expected, "{key}");
        }
    }
}
