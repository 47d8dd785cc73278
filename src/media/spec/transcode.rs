//! What a transcode job makes of its source: output groups, and which part of the source.
//!
//! Deliberately absent: what stands in a group.

use crate::media::spec::carried::MetadataRule;
use crate::media::spec::carried::TextRule;
use crate::media::spec::clip::Clip;
use crate::media::spec::group::GroupSpec;
use crate::media::spec::overlay::BurnSpec;
use crate::media::spec::overlay::MosaicSpec;
use crate::media::spec::overlay::WatermarkKind;
use crate::media::spec::overlay::WatermarkSpec;
use crate::media::spec::quality;
use crate::media::spec::quality::QualitySpec;
use crate::media::spec::set::RenditionKind;
use crate::media::spec::set::RenditionSpec;
use crate::media::spec::video::VideoCodec;
use crate::media::spec::video::VideoSpec;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeSet;

/// What is joined to the source, in order, by the text that names each file (`storage:key`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Joined {
    /// Before it.
    pub before: Vec<String>,
    /// After it.
    pub after: Vec<String>,
}

impl Joined {
    /// Nothing is joined.
    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }
}

/// Text subtitles in a file of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubtitleSpec {
    /// A SRT, WebVTT or ASS file, `storage:key`; its times count from the source's first picture.
    pub source: String,
    /// RFC 5646 or ISO 639; none: it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
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
    /// Files shown before the source, opening slates; fitted into its size. With `inputs` and `tail` at most 49.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub head: Vec<String>,
    /// Files joined to the source, after it and before `tail`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// Files shown last, closing slates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
    /// Publish what succeeded when a rung fails or the source is truncated, and say so.
    #[serde(default)]
    pub partial: bool,
    /// Renditions are compared with what their encoders were given: `true`, or a table of limits.
    #[serde(default, deserialize_with = "quality::read", skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualitySpec>,
    /// Marks on all renditions, beneath their own.
    #[serde(default, rename = "watermark", skip_serializing_if = "Vec::is_empty")]
    pub watermarks: Vec<WatermarkSpec>,
    /// Boxes on all renditions.
    #[serde(default, rename = "mosaic", skip_serializing_if = "Vec::is_empty")]
    pub mosaics: Vec<MosaicSpec>,
    /// Subtitles drawn into all renditions that do not name others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn: Option<BurnSpec>,
    /// What becomes of the source's text subtitles.
    #[serde(default)]
    pub text: TextRule,
    /// Text subtitles beside the source that are taken like tracks of it.
    #[serde(default, rename = "subtitle", skip_serializing_if = "Vec::is_empty")]
    pub subtitles: Vec<SubtitleSpec>,
    /// What becomes of the source's tags.
    #[serde(default)]
    pub metadata: MetadataRule,
}

impl TranscodeSpec {
    /// Whether closed captions inside the source's pictures become text: text is wanted beside the outputs, or a set has a
    /// rendition of subtitles.
    pub fn wants_text_of_captions(&self) -> bool {
        let mut renditions = self.groups.iter().flat_map(|group| &group.outputs);
        let is_subtitle = |rendition: &RenditionSpec| rendition.kind == Some(RenditionKind::Subtitle);
        match self.text {
            TextRule::Webvtt => true,
            TextRule::Drop => false,
            TextRule::Carry => renditions.any(|output| output.rendition.as_ref().is_some_and(is_subtitle)),
        }
    }

    /// A video encode with what is drawn onto all of them: the job's own marks lie beneath the encode's.
    pub fn drawn_on(&self, video: &VideoSpec) -> VideoSpec {
        let mut video = video.clone();
        video.watermarks.splice(0..0, self.watermarks.iter().cloned());
        video.mosaics.splice(0..0, self.mosaics.iter().cloned());
        video.burn = video.burn.or_else(|| self.burn.clone());
        video
    }

    /// The groups, their encodes with what is drawn on all of them. Nothing is drawn on copies.
    pub fn drawn_groups(&self) -> Vec<GroupSpec> {
        let mut groups = self.groups.clone();
        for output in groups.iter_mut().flat_map(|group| &mut group.outputs) {
            if let Some(video) = output.video.as_mut().filter(|video| video.codec != VideoCodec::Copy) {
                *video = self.drawn_on(video);
            }
        }
        groups
    }

    /// Files beside the source that this needs.
    pub fn side_names(&self) -> BTreeSet<&str> {
        let burns = self.videos().filter_map(|video| video.burn.as_ref()).chain(&self.burn);
        let subtitles = burns
            .filter(|burn| burn.track().is_none())
            .map(|burn| burn.source.as_str());
        let images = self.all_watermarks().filter_map(|mark| mark.image.as_deref());
        let seals = self.groups.iter().filter_map(|group| group.encryption.as_ref());
        let keys = seals.filter_map(|seal| seal.key.as_deref());
        let joined = self
            .head
            .iter()
            .chain(&self.inputs)
            .chain(&self.tail)
            .map(String::as_str);
        let texts = self.subtitles.iter().filter(|_| self.text != TextRule::Drop);
        let texts = texts.map(|text| text.source.as_str());
        subtitles.chain(images).chain(joined).chain(keys).chain(texts).collect()
    }

    /// What is joined to the source.
    pub fn joined(&self) -> Joined {
        Joined {
            before: self.head.clone(),
            after: self.inputs.iter().chain(&self.tail).cloned().collect(),
        }
    }

    /// Whether letters are drawn.
    pub fn needs_fonts(&self) -> bool {
        self.burn.is_some()
            || self.videos().any(|video| video.burn.is_some())
            || self.all_watermarks().any(|mark| mark.kind != WatermarkKind::Image)
    }

    fn videos(&self) -> impl Iterator<Item = &VideoSpec> {
        let outputs = self.groups.iter().flat_map(|group| &group.outputs);
        outputs.filter_map(|output| output.video.as_ref())
    }

    fn all_watermarks(&self) -> impl Iterator<Item = &WatermarkSpec> {
        self.watermarks
            .iter()
            .chain(self.videos().flat_map(|video| &video.watermarks))
    }
}
