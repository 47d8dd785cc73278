//! What is measured over the length of an output or a source: bits a second, loudness.
//!
//! Guarantees: at most [`MOST_POINTS`] values whatever the length; what could not be measured is missing, never a
//! number that stands for it. Deliberately absent: measuring.

use crate::media::product::QcReport;
use serde::Deserialize;
use serde::Serialize;

/// Values of one series at most. They lie a second apart up to so many seconds, then two, four, eight ...
pub const MOST_POINTS: usize = 600;

/// What a track holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrackKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

impl TrackKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            TrackKind::Video => "video",
            TrackKind::Audio => "audio",
        }
    }
}

/// One track of a rendition over its length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackSeries {
    /// Its place among the streams of the rendition, as its facts count them.
    pub stream: usize,
    /// What it holds.
    pub kind: TrackKind,
    /// Bits a second, as read back from the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<BitrateSeries>,
    /// How loud it is, measured as it went into the encoder; none: it was copied, or holds no sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<LoudnessSeries>,
}

/// Bits a second of one track: of its packets, without what the container adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BitrateSeries {
    /// Seconds from value to value; the first begins at 0.
    pub step_s: f64,
    /// Kilobits a second of each step. The last value is of what is left of the length, and of the step before it too
    /// where that is less than half a step.
    pub kbps: Vec<u32>,
    /// Of the whole.
    pub average_kbps: u32,
    /// The largest of the values.
    pub peak_kbps: u32,
}

/// How loud sound is, EBU R128.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LoudnessSeries {
    /// Seconds from value to value; the first is of the sound from 0 to here.
    pub step_s: f64,
    /// Short-term loudness (of the three seconds before each full second), the largest of each step, LUFS; none: silence.
    pub short_term_lufs: Vec<Option<f32>>,
    /// True peak of each step, dBTP; none: digital silence.
    pub true_peak_dbtp: Vec<Option<f32>>,
    /// Integrated loudness of the whole, LUFS; none: everything is quieter than the gate of -70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range of the whole, LU.
    pub range_lu: f64,
    /// The largest short-term loudness, LUFS.
    pub max_short_term_lufs: Option<f64>,
    /// The largest true peak, dBTP.
    pub max_true_peak_dbtp: Option<f64>,
}

/// What one job measured of its source that is larger than rows of jobs should be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Measured {
    /// The main sound as it was decoded, over its length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<LoudnessSeries>,
    /// All of the report of quality control, where the job's row holds less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qc: Option<Box<QcReport>>,
}
