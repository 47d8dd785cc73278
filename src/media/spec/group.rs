//! Output groups: how renditions are packaged, and which stand together.
//!
//! Guarantees: the names that a definition leaves open are decided here, for the engine, for events and for the check
//! of names alike. Deliberately absent: the encodes themselves; what a set is cut and sealed with, which is `set`.

use crate::media::spec::audio::AudioSpec;
use crate::media::spec::set::EncryptionSpec;
use crate::media::spec::set::RenditionSpec;
use crate::media::spec::set::SegmentFormat;
use crate::media::spec::video::VideoSpec;
use serde::Deserialize;
use serde::Serialize;

/// How the outputs of a group are packaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// One file an output.
    File,
    /// HLS: master playlist, media playlists, segments.
    Hls,
    /// DASH: one MPD, fMP4 segments.
    Dash,
    /// One set of fMP4 segments that an HLS master playlist and an MPD beside it both name.
    Cmaf,
}

impl GroupKind {
    /// Whether its outputs stand together behind a manifest.
    pub fn is_set(self) -> bool {
        self != GroupKind::File
    }

    /// Extension of a set's main object, with its dot; empty for files, whose container decides.
    pub fn extension(self) -> &'static str {
        match self {
            GroupKind::File => "",
            GroupKind::Hls | GroupKind::Cmaf => ".m3u8",
            GroupKind::Dash => ".mpd",
        }
    }

    /// Name of a set whose group has none.
    fn set_name(self) -> &'static str {
        match self {
            GroupKind::File => "file",
            GroupKind::Hls => "hls",
            GroupKind::Dash => "dash",
            GroupKind::Cmaf => "cmaf",
        }
    }

    /// Name of a group in events: `name` as written, or the kind in capitals.
    pub fn event_name(self, name: &str) -> String {
        if name.is_empty() {
            self.set_name().to_uppercase()
        } else {
            name.to_owned()
        }
    }
}

/// `{Name}` of each group's set, by their order in the definition: the group's own name, or its kind's, numbered when
/// another set has it already. Of `file` groups it is not used.
pub fn set_names(groups: &[GroupSpec]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut taken: Vec<&str> = Vec::new();
    taken.extend(
        groups
            .iter()
            .map(|group| group.name.as_str())
            .filter(|name| !name.is_empty()),
    );
    for group in groups {
        let name = if group.name.is_empty() {
            let wanted = group.kind.set_name();
            let free = |name: &String| !taken.contains(&name.as_str()) && !names.contains(name);
            let numbered = (2_u32..).map(|number| format!("{wanted}-{number}"));
            std::iter::once(wanted.to_owned()).chain(numbered).find(free)
        } else {
            None
        };
        names.push(name.unwrap_or_else(|| group.name.clone()));
    }
    names
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
    /// Name of the group in events and of its manifest (`{Name}`). Empty: the manifest is named after the kind, `hls`,
    /// `dash` or `cmaf`, and events tell the kind in capitals, `HLS` or `FILE`.
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
    /// What the segments of an `hls` group are; others have fMP4 ones.
    #[serde(default)]
    pub segment_format: SegmentFormat,
    /// All segments of a rendition of an `hls` group in one file, which playlists name by byte ranges.
    #[serde(default)]
    pub single_file: bool,
    /// Playlists of the key frames alone, for winding through an HLS set. Sealed sets have none.
    #[serde(default = "yes")]
    pub iframe_playlists: bool,
    /// Seals the segments of an `hls` group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<EncryptionSpec>,
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
    /// What it is within a set; none: a variant, whose sound stands in a group of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition: Option<RenditionSpec>,
}

fn yes() -> bool {
    true
}
