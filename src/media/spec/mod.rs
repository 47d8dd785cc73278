//! What is wanted of one source, as plain data: the parameters of each media activity, complete and resolved.
//!
//! Guarantees: every field is a value the engine can act on without asking anyone; unknown keys are refused
//! when these are read from a definition. Deliberately absent: names of final objects, storages, templates
//! and tasks; ranges, which `spec_check` holds. Both follow IMS MediaConvert and Tencent MPS.

mod animation;
mod audio;
mod audio_container;
mod carried;
mod clip;
mod extent;
mod group;
mod ladder;
mod overlay;
mod picture_fill;
mod qc;
mod quality;
pub mod seconds;
mod set;
mod snapshot;
mod transcode;
mod video;

pub use animation::AnimationFormat;
pub use animation::AnimationSpec;
pub use animation::Dither;
pub use audio::AudioCodec;
pub use audio::AudioSpec;
pub use audio::Channels;
pub use audio::LoudnessSpec;
pub use audio::Merge;
pub use audio::TrackPick;
pub use audio::Tracks;
pub use carried::MetadataRule;
pub use carried::TextRule;
pub use clip::Clip;
pub use clip::Moment;
pub use extent::Extent;
pub use group::Container;
pub use group::GroupKind;
pub use group::GroupSpec;
pub use group::OutputSpec;
pub use group::set_names;
pub use ladder::AutoLadder;
pub use ladder::RUNG_HEIGHTS;
pub use overlay::BurnSpec;
pub use overlay::Corner;
pub use overlay::MosaicKind;
pub use overlay::MosaicSpec;
pub use overlay::WatermarkKind;
pub use overlay::WatermarkSpec;
pub use picture_fill::PictureFill;
pub use qc::QcCheck;
pub use qc::QcSpec;
pub use quality::QualityMetric;
pub use quality::QualitySpec;
pub use set::EncryptionMethod;
pub use set::EncryptionSpec;
pub use set::RenditionKind;
pub use set::RenditionSpec;
pub use set::SegmentFormat;
pub use snapshot::FrameType;
pub use snapshot::PictureFormat;
pub use snapshot::SnapshotMode;
pub use snapshot::SnapshotSpec;
pub use snapshot::VttOf;
pub use transcode::Joined;
pub use transcode::SubtitleSpec;
pub use transcode::TranscodeSpec;
pub use video::RateControl;
pub use video::VideoCodec;
pub use video::VideoSpec;

use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeSet;

/// Which hardware a pass may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The best there is, falling back to software with the reason recorded.
    #[default]
    Auto,
    /// Every stage NVIDIA hardware can do, or fail.
    Gpu,
    /// The CPU only.
    Software,
}

/// What one job wants of the pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "spec", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a pass has a handful of them")]
pub enum MediaWork {
    /// Facts of the source only.
    Analysis,
    /// Renditions.
    Transcode(TranscodeSpec),
    /// Stills or sprite sheets; a cover is one still.
    Snapshot(SnapshotSpec),
    /// GIF, animated WebP or AVIF.
    DynamicImage(AnimationSpec),
    /// Quality control.
    Qc(QcSpec),
}

impl MediaWork {
    /// Files beside the source that this needs, by the text that names them (`storage:key`): watermarks, subtitles.
    pub fn side_names(&self) -> BTreeSet<&str> {
        match self {
            MediaWork::Transcode(spec) => spec.side_names(),
            MediaWork::Analysis | MediaWork::Snapshot(_) | MediaWork::DynamicImage(_) | MediaWork::Qc(_) => {
                BTreeSet::new()
            }
        }
    }

    /// Takes what there is of a truncated source. Facts and quality control tell of one without failing for it.
    pub fn takes_partial(&self) -> bool {
        match self {
            MediaWork::Analysis => true,
            MediaWork::Transcode(spec) => spec.partial,
            MediaWork::Snapshot(spec) => spec.partial,
            MediaWork::DynamicImage(spec) => spec.partial,
            MediaWork::Qc(_) => false,
        }
    }

    /// Whether VMAF is measured, so that libvmaf must be opened.
    pub fn wants_vmaf(&self) -> bool {
        match self {
            MediaWork::Transcode(spec) => spec
                .quality
                .as_ref()
                .is_some_and(|quality| quality.wants(QualityMetric::Vmaf)),
            MediaWork::Analysis | MediaWork::Snapshot(_) | MediaWork::DynamicImage(_) | MediaWork::Qc(_) => false,
        }
    }

    /// Whether letters are drawn, so that the fonts of the host must be there to be read.
    pub fn needs_fonts(&self) -> bool {
        match self {
            MediaWork::Transcode(spec) => spec.needs_fonts(),
            MediaWork::Analysis | MediaWork::Snapshot(_) | MediaWork::DynamicImage(_) | MediaWork::Qc(_) => false,
        }
    }
}
