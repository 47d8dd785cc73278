//! How outputs form a group: variants of a set, and the sound and subtitles that they choose among.
//!
//! Guarantees: plain data. Deliberately absent: how a group comes about (`sets`).

use crate::media::spec::GroupKind;

/// What a player may choose between within a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackLabel {
    /// What players show; unique in its group.
    pub name: String,
    /// RFC 5646.
    pub language: Option<String>,
    /// Taken when the viewer chose nothing.
    pub default: bool,
    /// May be taken by the viewer's language.
    pub autoselect: bool,
    /// Shown without being asked for.
    pub forced: bool,
}

/// One choice of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackChoice {
    /// Its output.
    pub output: usize,
    /// How it is offered.
    pub label: TrackLabel,
}

/// Renditions of sound, or of subtitles, that stand for one another: one for each language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackGroup {
    /// `GROUP-ID`.
    pub id: String,
    /// Its choices, in the order of players' menus.
    pub tracks: Vec<TrackChoice>,
}

/// One variant of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Name of the output in the definition.
    pub name: String,
    /// Output with the pictures; one with audio encodes of its own holds its sound too.
    pub video: Option<usize>,
    /// Index of its sound in the group's `audio_groups`. Without pictures the variant is that group's default choice.
    pub audio: Option<usize>,
    /// Index of its subtitles in the group's `subtitle_groups`.
    pub subtitles: Option<usize>,
}

/// One output group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupPlan {
    /// Index of its group in the definition.
    pub number: usize,
    /// Name in the definition, which may be empty.
    pub group: String,
    /// `{Name}` of a set.
    pub set_name: String,
    /// Packaging.
    pub kind: GroupKind,
    /// Key frames get playlists of their own.
    pub iframe_playlists: bool,
    /// Indexes of its outputs.
    pub outputs: Vec<usize>,
    /// Variants of a set.
    pub variants: Vec<Variant>,
    /// Sound of a set.
    pub audio_groups: Vec<TrackGroup>,
    /// Subtitles of a set.
    pub subtitle_groups: Vec<TrackGroup>,
}
