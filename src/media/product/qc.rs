//! What quality control found in a source.
//!
//! Guarantees: times are seconds from the first thing shown or heard; a check that could not be made says why and
//! is never a pass. Deliberately absent: limits, which are the spec's.

use crate::media::spec::QcCheck;
use serde::Deserialize;
use serde::Serialize;

/// How a check, or all of them, came out. Ordered: the worst is the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QcVerdict {
    /// Could not be made of this source.
    Skipped,
    /// Nothing was found.
    #[default]
    Pass,
    /// Something was found.
    Warn,
    /// Something was found that `fail_on` names.
    Fail,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct QcReport {
    /// The worst of all checks.
    pub verdict: QcVerdict,
    /// Each check that was asked for.
    pub checks: Vec<QcResult>,
    /// Measured of the pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<QcPictures>,
    /// Measured of the sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<QcSound>,
}

impl QcReport {
    /// Times to the microsecond, other numbers to four digits: what is measured is no finer.
    pub fn rounded(mut self) -> Self {
        let micro = |seconds: &mut f64| *seconds = (*seconds * 1e6).round() / 1e6;
        let tenth_milli = |value: &mut f64| *value = (*value * 1e4).round() / 1e4;
        for check in &mut self.checks {
            micro(&mut check.total_s);
            for event in &mut check.events {
                micro(&mut event.start_s);
                micro(&mut event.end_s);
                event.value.as_mut().into_iter().for_each(tenth_milli);
            }
        }
        if let Some(pictures) = &mut self.pictures {
            micro(&mut pictures.start_s);
            micro(&mut pictures.end_s);
            tenth_milli(&mut pictures.out_of_range_percent);
            tenth_milli(&mut pictures.out_of_range_max_percent);
        }
        if let Some(sound) = &mut self.sound {
            micro(&mut sound.start_s);
            micro(&mut sound.end_s);
            let levels = [
                &mut sound.integrated_lufs,
                &mut sound.range_lu,
                &mut sound.true_peak_dbtp,
                &mut sound.sample_peak_dbfs,
            ];
            levels.into_iter().flatten().for_each(tenth_milli);
        }
        self
    }

    /// The same with at most so many stretches a check, for rows and events.
    pub fn brief(&self, most: usize) -> QcReport {
        let mut brief = self.clone();
        for check in &mut brief.checks {
            let left_out = check.events.len().saturating_sub(most);
            check.events.truncate(most);
            check.events_left_out += left_out as u64;
        }
        brief
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QcResult {
    /// Which.
    pub check: QcCheck,
    /// How it came out.
    pub verdict: QcVerdict,
    /// In words: what was found, or why it was not looked for.
    pub found: String,
    /// Where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<QcEvent>,
    /// Stretches beyond those listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub events_left_out: u64,
    /// All stretches together, seconds.
    pub total_s: f64,
}

/// One stretch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QcEvent {
    /// First moment.
    pub start_s: f64,
    /// First moment after it.
    pub end_s: f64,
    /// What was measured there: per cent of pixels out of range, samples clipped, frames missing, correlation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// Measured of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct QcPictures {
    /// Pictures decoded.
    pub frames: u64,
    /// Of these, with concealed damage; and packets that gave none.
    pub damaged: u64,
    /// Pictures that repeat the one before.
    pub repeated: u64,
    /// Pictures marked as interlaced.
    pub marked_interlaced: u64,
    /// Pictures that look interlaced, of those looked at.
    pub combed: u64,
    /// Pictures that look progressive, of those looked at; the rest could not be told.
    pub whole: u64,
    /// Pixels out of range, per cent, on average.
    pub out_of_range_percent: f64,
    /// The same in the worst picture.
    pub out_of_range_max_percent: f64,
    /// Usual time from picture to picture, milliseconds.
    pub usual_step_ms: f64,
    /// When the first is shown.
    pub start_s: f64,
    /// When the last ends.
    pub end_s: f64,
}

/// Measured of the sound.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct QcSound {
    /// Integrated loudness, LUFS; none: too short or too quiet.
    pub integrated_lufs: Option<f64>,
    /// Loudness range, LU.
    pub range_lu: Option<f64>,
    /// True peak, dBTP; none: digital silence.
    pub true_peak_dbtp: Option<f64>,
    /// Largest sample, dBFS; none: digital silence.
    pub sample_peak_dbfs: Option<f64>,
    /// Samples clipped.
    pub clipped_samples: u64,
    /// Packets that could not be decoded.
    pub refused_packets: u64,
    /// When it begins.
    pub start_s: f64,
    /// When it ends.
    pub end_s: f64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
