//! What the libav that is linked can do, for `reelmill check`.
//!
//! Guarantees: asks the libraries themselves, not their file names. Deliberately absent: what is needed.

use ffmpeg_the_third as ffmpeg;

/// Versions of the libraries as they were loaded, `libavcodec 59.37.100`.
pub fn versions() -> Vec<String> {
    let text = |name: &str, version: u32| {
        let (major, minor, micro) = (version >> 16, version >> 8 & 0xff, version & 0xff);
        format!("{name} {major}.{minor}.{micro}")
    };
    vec![
        text("libavcodec", ffmpeg::codec::version()),
        text("libavformat", ffmpeg::format::version()),
        text("libavfilter", ffmpeg::filter::version()),
    ]
}

/// Whether there is an encoder of this name.
pub fn has_encoder(name: &str) -> bool {
    ffmpeg::encoder::find_by_name(name).is_some()
}

/// Whether there is a decoder of this name.
pub fn has_decoder(name: &str) -> bool {
    ffmpeg::decoder::find_by_name(name).is_some()
}

/// Whether there is a filter of this name.
pub fn has_filter(name: &str) -> bool {
    ffmpeg::filter::find(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::has_decoder;
    use super::has_encoder;
    use super::has_filter;
    use super::versions;

    #[test]
    fn tells_what_is_there_from_what_is_not() {
        assert!(has_encoder("aac") && has_decoder("h264") && has_filter("scale"));
        assert!(!has_encoder("no-such") && !has_decoder("no-such") && !has_filter("no-such"));
        assert!(versions().iter().all(|version| !version.contains(" 0.")));
    }
}
