//! HLS playlists as text, and the numbers in them.
//!
//! Guarantees: pure; RFC 8216 with version 7 (fMP4). Deliberately absent: live playlists.

use std::fmt::Write;

/// One media segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// File name beside the playlist.
    pub name: String,
    /// Seconds.
    pub duration_s: f64,
    /// Bytes.
    pub size_bytes: u64,
}

/// One variant of a master playlist.
#[derive(Debug, Clone, PartialEq)]
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
    /// Group of the sound.
    pub audio: Option<String>,
}

/// One rendition of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// Its group.
    pub group: String,
    /// Its playlist.
    pub uri: String,
    /// RFC 5646 language.
    pub language: Option<String>,
    /// Channels.
    pub channels: u32,
}

/// A media playlist that is complete.
pub fn media(init: &str, segments: &[Segment]) -> String {
    let longest = segments.iter().map(|segment| segment.duration_s).fold(0.0, f64::max);
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n\
        #EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"{init}\"\n",
        longest.round().max(1.0)
    );
    for segment in segments {
        let _ = writeln!(text, "#EXTINF:{:.6},\n{}", segment.duration_s, segment.name);
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// A master playlist.
pub fn master(variants: &[Variant], sounds: &[Sound]) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for sound in sounds {
        let language = sound
            .language
            .as_deref()
            .map(|l| format!(",LANGUAGE=\"{l}\""))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{}\",NAME=\"{}\"{language},DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"{}\",URI=\"{}\"",
            sound.group,
            sound.language.as_deref().unwrap_or("audio"),
            sound.channels,
            sound.uri
        );
    }
    for variant in variants {
        let _ = write!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={}",
            variant.bandwidth, variant.average_bandwidth
        );
        if let Some((width, height)) = variant.resolution {
            let _ = write!(text, ",RESOLUTION={width}x{height}");
        }
        if let Some(rate) = variant.frame_rate {
            let _ = write!(text, ",FRAME-RATE={rate:.3}");
        }
        let _ = write!(text, ",CODECS=\"{}\"", variant.codecs.join(","));
        if let Some(audio) = &variant.audio {
            let _ = write!(text, ",AUDIO=\"{audio}\"");
        }
        let _ = writeln!(text, "\n{}", variant.uri);
    }
    text
}

/// Peak bits a second: the highest of any run of whole segments that lasts 0.5 to 1.5 times the target length.
pub fn peak(segments: &[Segment]) -> u64 {
    let target = segments.iter().map(|segment| segment.duration_s).fold(0.0, f64::max);
    let mut peak = 0.0_f64;
    for first in 0..segments.len() {
        let (mut bytes, mut seconds) = (0, 0.0);
        for segment in &segments[first..] {
            bytes += segment.size_bytes;
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
    let bytes: u64 = segments.iter().map(|segment| segment.size_bytes).sum();
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

    fn segment(duration_s: f64, size_bytes: u64) -> Segment {
        Segment {
            name: "seg-00001.m4s".to_owned(),
            duration_s,
            size_bytes,
        }
    }

    #[test]
    fn a_short_last_segment_is_no_peak_of_its_own() {
        let segments = [segment(4.0, 4000), segment(4.0, 2000), segment(0.1, 1000)];
        assert_eq!(peak(&segments), 8000);
        assert_eq!(average(&segments), 6914);
    }

    #[test]
    fn playlists_read_as_the_standard_wants() {
        let text = media("init.mp4", &[segment(4.004, 1), segment(1.5, 1)]);
        assert!(text.contains("#EXT-X-TARGETDURATION:4\n") && text.ends_with("#EXT-X-ENDLIST\n"));
        assert!(text.contains("#EXTINF:4.004000,\nseg-00001.m4s\n"));
        let variant = Variant {
            uri: "v".to_owned(),
            bandwidth: 10,
            average_bandwidth: 9,
            resolution: Some((1280, 720)),
            frame_rate: Some(30000.0 / 1001.0),
            codecs: vec!["avc1.640028".to_owned(), "mp4a.40.2".to_owned()],
            audio: Some("audio".to_owned()),
        };
        assert!(master(&[variant], &[]).contains(
            "BANDWIDTH=10,AVERAGE-BANDWIDTH=9,RESOLUTION=1280x720,FRAME-RATE=29.970,CODECS=\"avc1.640028,mp4a.40.2\",AUDIO=\"audio\"\nv\n"
        ));
    }
}
