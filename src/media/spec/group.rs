//! Output groups: how renditions are packaged, and which stand together.
//!
//! Deliberately absent: the encodes themselves.

use crate::media::spec::audio::AudioSpec;
use crate::media::spec::video::VideoSpec;
use serde::Deserialize;
use serde::Serialize;

/// How the outputs of a group are packaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// One file an output.
    File,
    /// HLS: master playlist, media playlists, fMP4 segments.
    Hls,
}

/// Container of a `file` group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// ISO base media, `moov` first.
    Mp4,
    /// The same for audio alone.
    M4a,
    /// QuickTime, `moov` first.
    Mov,
    /// Matroska.
    Mkv,
    /// WebM: VP9 or AV1, Opus.
    Webm,
    /// MPEG-2 transport stream.
    Ts,
    /// MPEG audio layer III with ID3 tags.
    Mp3,
    /// Native FLAC.
    Flac,
    /// RIFF, RF64 beyond 4 GiB.
    Wav,
    /// Ogg: Opus or FLAC.
    Ogg,
}

impl Container {
    /// File name extension with its dot.
    pub fn extension(self) -> &'static str {
        match self {
            Container::Mp4 => ".mp4",
            Container::M4a => ".m4a",
            Container::Mov => ".mov",
            Container::Mkv => ".mkv",
            Container::Webm => ".webm",
            Container::Ts => ".ts",
            Container::Mp3 => ".mp3",
            Container::Flac => ".flac",
            Container::Wav => ".wav",
            Container::Ogg => ".ogg",
        }
    }

    /// Whether it has no place for pictures.
    pub fn is_audio_only(self) -> bool {
        matches!(
            self,
            Container::M4a | Container::Mp3 | Container::Flac | Container::Wav | Container::Ogg
        )
    }
}

/// One output group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    /// Name of the group in events and of its manifest (`{Name}`). Empty: the manifest of an HLS set is named `hls`,
    /// and events tell the kind in capitals, `HLS` or `FILE`.
    #[serde(default)]
    pub name: String,
    /// Packaging.
    pub kind: GroupKind,
    /// Container of `file` groups; none: mp4, or m4a when an output has no video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// Target length of a segment in seconds, 1..=60. Segments begin at key frames only.
    #[serde(default = "GroupSpec::default_segment_s")]
    pub segment_s: f64,
    /// The renditions.
    #[serde(rename = "output")]
    pub outputs: Vec<OutputSpec>,
}

impl GroupSpec {
    fn default_segment_s() -> f64 {
        4.0
    }
}

/// One rendition of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// `{Name}` in paths; unique in its group: letters, digits, `-`, `_`, 1..=64.
    pub name: String,
    /// Video encode; none: no video in this output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoSpec>,
    /// Audio encode; none: no audio in this output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<AudioSpec>,
}
