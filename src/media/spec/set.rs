//! What is particular to sets: how segments are written and sealed, and what an output is among the others.
//!
//! Deliberately absent: manifests, which follow from these.

use serde::Deserialize;
use serde::Serialize;

/// What the segments of an HLS set are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SegmentFormat {
    /// Fragmented MP4 with an initialisation segment.
    #[default]
    Fmp4,
    /// MPEG-2 transport stream.
    Ts,
}

/// How segments are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EncryptionMethod {
    /// Whole segments with AES-128 in CBC mode, as RFC 8216 says.
    #[serde(rename = "aes-128")]
    Aes128,
}

/// Sealed segments of an HLS set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncryptionSpec {
    /// How.
    pub method: EncryptionMethod,
    /// Where players get the key. None: it is a file of the set, `enc.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_uri: Option<String>,
    /// `storage:key` of a file of 16 bytes that is the key. None: a random one for each set, which only makes sense
    /// without `key_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Initialisation vector of every segment, 32 hex digits. None: the number of the segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iv: Option<String>,
}

/// What an output is within a set (IMS: `HlsGroupConfig.Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RenditionKind {
    /// A variant with pictures.
    Video,
    /// A choice of sound in an audio group.
    Audio,
    /// A choice of subtitles in a subtitle group.
    Subtitle,
    /// A variant whose segments hold pictures and sound together; transport stream only.
    Hybrid,
}

/// An output's place within a set (IMS: `HlsGroupConfig`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenditionSpec {
    /// What it is; none: a variant when it has pictures or no other output has, else sound to choose.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<RenditionKind>,
    /// Of `audio` the group it stands in, of a variant the group it plays with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_group: Option<String>,
    /// Of `subtitle` the group it stands in, of a variant the group it plays with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle_group: Option<String>,
    /// What players call it; none: its language, or what kind it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// RFC 5646; none: what the source says of the track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Chosen when the viewer chose nothing; none: the first of its group, of subtitles none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<bool>,
    /// May be chosen by the viewer's language alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoselect: Option<bool>,
    /// Subtitles that are shown to viewers who did not ask for any.
    #[serde(default)]
    pub forced: bool,
}
