//! What of the source beside pictures and sound goes into the outputs.
//!
//! Deliberately absent: which container has a place for what.

use serde::Deserialize;
use serde::Serialize;

/// What becomes of text subtitles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextRule {
    /// Into the output where its container has a place for them; as renditions of a set.
    #[default]
    Carry,
    /// WebVTT files beside the output; as renditions of a set.
    Webvtt,
    /// Nothing.
    Drop,
}

/// What becomes of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetadataRule {
    /// Everything, the place of the recording and the names of devices included.
    All,
    /// Title, people, dates, comments; chapters and covers. Neither places nor devices.
    #[default]
    Basic,
    /// Nothing, chapters and covers included.
    None,
}
