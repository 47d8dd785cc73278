//! What a transcode job makes of its source: output groups, and which part of the source.
//!
//! Deliberately absent: what stands in a group.

use crate::media::spec::group::GroupSpec;
use serde::Deserialize;
use serde::Serialize;

/// A part of the source, in seconds of its own timeline (0 = first frame shown).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// First moment taken.
    pub start_s: f64,
    /// First moment no longer taken; none: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_s: Option<f64>,
}

/// Renditions of the source, in one or more output groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscodeSpec {
    /// Output groups; at least one.
    #[serde(rename = "group")]
    pub groups: Vec<GroupSpec>,
    /// Part of the source to take; none: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// Publish what succeeded when a rung fails or the source is truncated, and say so.
    #[serde(default)]
    pub partial: bool,
}
