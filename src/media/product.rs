//! What the engine made, as plain data: outputs, their files, where each stands relative to the output's main
//! object, and the proof.
//!
//! Guarantees: complete enough to publish and announce an output without opening it again. Deliberately absent:
//! storages and keys; the engine does not know where its files go.

mod decision;
mod qc;
mod quality;
mod series;

pub use crate::media::spec::QcCheck;
pub use decision::LadderDecision;
pub use decision::LadderReject;
pub use decision::LadderRung;
pub use decision::LadderTrial;
pub use qc::QcEvent;
pub use qc::QcPictures;
pub use qc::QcReport;
pub use qc::QcResult;
pub use qc::QcSound;
pub use qc::QcVerdict;
pub use quality::Quality;
pub use quality::VmafModel;
pub use series::BitrateSeries;
pub use series::LoudnessSeries;
pub use series::MOST_POINTS;
pub use series::Measured;
pub use series::TrackKind;
pub use series::TrackSeries;

use crate::base::fault::Fault;
use crate::media::facts::MediaFacts;
use crate::media::spec::GroupKind;
use serde::Deserialize;
use serde::Serialize;

/// How one job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum JobEnd {
    /// Done, every output proved.
    Success(JobProduct),
    /// There is nothing to do for it in this source (a sprite of an audio file), with the reason.
    Skipped {
        /// Why.
        reason: String,
    },
    /// Failed.
    Failed {
        /// Why.
        fault: Fault,
    },
    /// Failed by what it found: all of it was done, nothing of it is published, and what it says stays.
    Rejected {
        /// Why.
        fault: Fault,
        /// What was found, without outputs.
        found: Box<JobProduct>,
    },
}

/// What one job made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JobProduct {
    /// The outputs, in the order of the definition.
    pub outputs: Vec<Product>,
    /// What of the source could not be carried over, in words.
    #[serde(default)]
    pub dropped: Vec<String>,
    /// What deserves a look though it is no failure, in words.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Less was made than was asked for, and the activity accepts that (`partial = true`): the source is truncated
    /// (`warnings` says where), or outputs failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Outputs that are missing for that reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_outputs: Vec<FailedOutput>,
    /// Where the work was done: `software`; `gpu`; `gpu-decode`, where pictures are encoded in software; `gpu-encode`,
    /// where they are decoded so. Written by the pass when the job ends.
    pub backend: String,
    /// Why not all of it on the GPU, where that was not asked for; one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_reason: Option<String>,
    /// Code of the fault that made it so (`DeviceFailed`, `DeviceBusy`, `BackendUnavailable`), by which the daemon knows
    /// a device that is ill from one that cannot do this. Set beside `fallback_reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_code: Option<String>,
    /// What quality control found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qc: Option<Box<QcReport>>,
    /// Why ladders that were left to the source are what they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<LadderDecision>,
    /// The stills, in the order of their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stills: Vec<StillMark>,
    /// What was measured of the source and is kept apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Box<Measured>>,
}

/// One still: when it was taken and, where stills were weighed against each other, how good it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StillMark {
    /// Its time, seconds from the first frame shown.
    pub time_s: f64,
    /// Larger is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// An output that could not be made, of a job that takes what it gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedOutput {
    /// Its output group; may be empty.
    pub group: String,
    /// Its name in the definition.
    pub name: String,
    /// Why.
    pub fault: Fault,
}

/// One output: a file, or a set of files that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Output group; empty for activities that have none.
    pub group: String,
    /// `{Name}`: the rung, the group of an HLS set, the activity's own name.
    pub name: String,
    /// `{Ext}` of the main object, with its dot.
    pub extension: String,
    /// What it is.
    pub kind: ProductKind,
    /// Its files; the last one to be published stands last (manifests after what they name).
    pub files: Vec<ProductFile>,
    /// Facts of the main object as re-read from disk; of an HLS rendition, its playlist and segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<MediaFacts>,
    /// What was compared, and with what result.
    pub proof: Proof,
    /// Renditions inside a set, with their own facts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renditions: Vec<Rendition>,
    /// Pictures made, of stills and sprites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_count: Option<u32>,
    /// How like its pictures are to those it was made of, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Its tracks over its length; of sets their renditions have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<TrackSeries>,
}

/// One rendition inside a set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rendition {
    /// Name of the output in the definition.
    pub name: String,
    /// Where its playlist lies within the set.
    pub place: Place,
    /// Its facts.
    pub facts: MediaFacts,
    /// All its segments together.
    pub size_bytes: u64,
    /// How like its pictures are to those it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Its tracks over its length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<TrackSeries>,
}

impl Rendition {
    /// The same without what was measured over its length.
    pub fn without_series(self) -> Self {
        Rendition {
            series: Vec::new(),
            ..self
        }
    }
}

/// What an output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductKind {
    /// One media file.
    File,
    /// An HLS tree.
    Hls,
    /// An MPD with its segments.
    Dash,
    /// Segments with both manifests: the HLS one is the main object, the MPD stands beside it.
    Cmaf,
    /// Stills.
    Stills,
    /// Sprite sheets and their WebVTT.
    Sprite,
    /// An animated picture.
    Animation,
    /// A report as JSON.
    Report,
}

impl ProductKind {
    /// Packaging of the output group it comes from; of pictures, which have none, that of files.
    pub fn group_kind(self) -> GroupKind {
        match self {
            ProductKind::Hls => GroupKind::Hls,
            ProductKind::Dash => GroupKind::Dash,
            ProductKind::Cmaf => GroupKind::Cmaf,
            ProductKind::File
            | ProductKind::Stills
            | ProductKind::Sprite
            | ProductKind::Animation
            | ProductKind::Report => GroupKind::File,
        }
    }
}

/// One file of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductFile {
    /// Path relative to the attempt's scratch directory.
    pub scratch_path: String,
    /// Where it goes, relative to the output's main object.
    pub place: Place,
    /// Bytes.
    pub size_bytes: u64,
    /// MD5, 32 lower-case hex digits.
    pub md5: String,
    /// Holds [`reference()`]s that are replaced when the final names are known; its size and MD5 change then.
    #[serde(default)]
    pub names_others: bool,
}

/// Where a file of an output goes, relative to the output's main object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At `path` itself.
    Main,
    /// At `path` with `{Count}` = this number (from 1, five digits), or `-00001` before the extension when the path has no `{Count}`.
    Numbered(u32),
    /// Beside the main object, its stem followed by this: `.vtt`.
    Beside(String),
    /// In the folder of the main object's stem beside it: `1080p/seg-00001.m4s`.
    Inside(String),
}

/// How one text file of an output names another one before their final names are known. It is replaced by a
/// relative URL reference (percent-encoded) when the output is published.
pub fn reference(place: &Place) -> String {
    match place {
        Place::Main => "{reelmill:main}".to_owned(),
        Place::Numbered(number) => format!("{{reelmill:numbered:{number}}}"),
        Place::Beside(suffix) => format!("{{reelmill:beside:{suffix}}}"),
        Place::Inside(rest) => format!("{{reelmill:inside:{rest}}}"),
    }
}

/// How a text file names the folder that holds [`Place::Inside`] files beneath `folder`, for manifests that name files
/// by a pattern (`{reelmill:folder:1080p}/seg-$Number$.m4s`). Replaced like [`reference()`], without a slash at its end.
pub fn folder_reference(folder: &str) -> String {
    format!("{{reelmill:folder:{folder}}}")
}

/// The proof of an output: what was expected of it (from the source), what was found when it was opened again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Proof {
    /// Every comparison made. A failed one is the job's fault, so a published proof holds none.
    pub checks: Vec<Check>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// `duration_s`, `frame_count`, `last_pts_s`, `av_skew_ms`, `color`, `size_bytes`, ...
    pub name: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Whether that is good enough.
    pub ok: bool,
}
