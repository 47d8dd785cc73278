//! What is wanted of one source, as plain data: the parameters of each media activity, complete and resolved.
//!
//! Guarantees: every field is a value the engine can act on without asking anyone; unknown keys are refused
//! when these are read from a definition. Deliberately absent: names of final objects, storages, templates
//! and tasks; ranges, which `spec_check` holds. Both follow IMS MediaConvert and Tencent MPS.

mod animation;
mod audio;
mod audio_container;
mod group;
mod snapshot;
mod transcode;
mod video;

pub use animation::AnimationFormat;
pub use animation::AnimationSpec;
pub use audio::AudioCodec;
pub use audio::AudioSpec;
pub use audio::Channels;
pub use audio::LoudnessSpec;
pub use audio::Merge;
pub use audio::TrackPick;
pub use audio::Tracks;
pub use group::Container;
pub use group::GroupKind;
pub use group::GroupSpec;
pub use group::OutputSpec;
pub use snapshot::FrameType;
pub use snapshot::PictureFormat;
pub use snapshot::SnapshotMode;
pub use snapshot::SnapshotSpec;
pub use transcode::Clip;
pub use transcode::TranscodeSpec;
pub use video::RateControl;
pub use video::VideoCodec;
pub use video::VideoSpec;

use serde::Deserialize;
use serde::Serialize;

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
pub enum MediaWork {
    /// Facts of the source only.
    Analysis,
    /// Renditions.
    Transcode(TranscodeSpec),
    /// Stills or sprite sheets; a cover is one still.
    Snapshot(SnapshotSpec),
    /// GIF or animated WebP.
    DynamicImage(AnimationSpec),
}
