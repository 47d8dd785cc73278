//! Why a ladder has the rungs it has.
//!
//! Guarantees: complete enough to follow the choice: what was measured, what was taken, what was left out and why.

use serde::Deserialize;
use serde::Serialize;

/// One choice of a ladder.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LadderDecision {
    /// The output group.
    pub group: String,
    /// All of it in a sentence.
    pub summary: String,
    /// Bits of a pixel that the best rung needs for what it reaches, in H.264: the source's complexity. None when it
    /// could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_pixel: Option<f64>,
    /// Trial encodes of stretches of the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<LadderTrial>,
    /// The rungs, best first.
    pub rungs: Vec<LadderRung>,
    /// What was not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<LadderReject>,
}

/// Trial encodes of one size and quality.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LadderTrial {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// x264's constant quality.
    pub crf: f64,
    /// What it would need with the group's distance of key frames.
    pub kbps: f64,
    /// Luma beside the source, enlarged to the largest size tried, dB.
    pub psnr_db: f64,
}

/// One rung.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LadderRung {
    /// Name of the output.
    pub name: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// On average.
    pub bitrate_kbps: u32,
    /// Expected of it by the trials, in the same measure as theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psnr_db: Option<f64>,
}

/// Something not taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LadderReject {
    /// Which: a size, a rung.
    pub what: String,
    /// Why.
    pub reason: String,
}
