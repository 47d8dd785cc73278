//! How what was measured over time looks on the wire, ready to be drawn.
//!
//! Guarantees: what was not measured is null, so that nobody draws a line along zero; no series has more than 600
//! values, no check more than 10,000 stretches. Deliberately absent: reading it from the store (`series`).

use crate::media::product::BitrateSeries;
use crate::media::product::LoudnessSeries;
use crate::media::product::QcReport;
use crate::media::product::QcResult;
use crate::media::product::QcVerdict;
use crate::media::product::Quality;
use crate::media::product::TrackSeries;
use crate::store::series::Inspected;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Bits a second of one track over its length.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BitrateView {
    /// Seconds from value to value; value n is of the time from n to n + 1 steps.
    pub step_s: f64,
    /// Kilobits a second of each step, at most 600 values.
    pub kbps: Vec<u32>,
    /// Of the whole.
    pub average_kbps: u32,
    /// The largest of the values.
    pub peak_kbps: u32,
}

impl From<BitrateSeries> for BitrateView {
    fn from(series: BitrateSeries) -> Self {
        BitrateView {
            step_s: series.step_s,
            kbps: series.kbps,
            average_kbps: series.average_kbps,
            peak_kbps: series.peak_kbps,
        }
    }
}

/// How loud sound is over its length, EBU R128.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LoudnessView {
    /// Seconds from value to value; value n is of the time from n to n + 1 steps.
    pub step_s: f64,
    /// Largest short-term loudness (three seconds) of each step, LUFS; null: silence. At most 600 values.
    pub short_term_lufs: Vec<Option<f32>>,
    /// True peak of each step, dBTP; null: digital silence. As many values.
    pub true_peak_dbtp: Vec<Option<f32>>,
    /// Integrated loudness of the whole, LUFS; null: all of it is quieter than -70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range of the whole, LU.
    pub range_lu: f64,
    /// The largest short-term loudness, LUFS.
    pub max_short_term_lufs: Option<f64>,
    /// The largest true peak, dBTP.
    pub max_true_peak_dbtp: Option<f64>,
}

impl From<LoudnessSeries> for LoudnessView {
    fn from(series: LoudnessSeries) -> Self {
        LoudnessView {
            step_s: series.step_s,
            short_term_lufs: series.short_term_lufs,
            true_peak_dbtp: series.true_peak_dbtp,
            integrated_lufs: series.integrated_lufs,
            range_lu: series.range_lu,
            max_short_term_lufs: series.max_short_term_lufs,
            max_true_peak_dbtp: series.max_true_peak_dbtp,
        }
    }
}

/// One track of a rendition.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TrackSeriesView {
    /// Its place among the streams of the rendition's facts, from 0.
    pub stream: usize,
    /// video or audio.
    pub kind: String,
    /// Its codec; null: the facts do not say.
    pub codec: Option<String>,
    /// Its language; null: not said.
    pub language: Option<String>,
    /// Bits a second; null: not measured.
    pub bitrate: Option<BitrateView>,
    /// How loud it was when it went into the encoder; null: it holds no sound, or was copied.
    pub loudness: Option<LoudnessView>,
}

impl TrackSeriesView {
    /// The track; `codec` and `language` as the rendition's facts tell them.
    pub fn new(track: TrackSeries, codec: Option<String>, language: Option<String>) -> Self {
        TrackSeriesView {
            stream: track.stream,
            kind: track.kind.as_str().to_owned(),
            codec,
            language,
            bitrate: track.bitrate.map(Into::into),
            loudness: track.loudness.map(Into::into),
        }
    }
}

/// How like a rendition is to the pictures that it was made of, over those compared.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QualityView {
    /// Pictures compared.
    pub frames: u32,
    /// PSNR of luma and chroma together, dB; null: not measured.
    pub psnr_db: Option<f64>,
    /// Of luma alone, dB.
    pub psnr_y_db: Option<f64>,
    /// Of the worst picture, dB.
    pub psnr_min_db: Option<f64>,
    /// SSIM of luma and chroma together, 0 to 1; null: not measured.
    pub ssim: Option<f64>,
    /// Of luma alone.
    pub ssim_y: Option<f64>,
    /// Of the worst picture.
    pub ssim_min: Option<f64>,
    /// VMAF on average, 0 to 100, at the rendition's own size; null: not measured.
    pub vmaf: Option<f64>,
    /// Of the worst picture.
    pub vmaf_min: Option<f64>,
    /// The model of these two.
    pub vmaf_model: Option<String>,
    /// Why there is no VMAF though it was asked for.
    pub vmaf_missing: Option<String>,
    /// When the worst picture is shown, seconds.
    pub worst_at_s: Option<f64>,
}

impl From<Quality> for QualityView {
    fn from(quality: Quality) -> Self {
        QualityView {
            frames: quality.frames,
            psnr_db: quality.psnr_db,
            psnr_y_db: quality.psnr_y_db,
            psnr_min_db: quality.psnr_min_db,
            ssim: quality.ssim,
            ssim_y: quality.ssim_y,
            ssim_min: quality.ssim_min,
            vmaf: quality.vmaf,
            vmaf_min: quality.vmaf_min,
            vmaf_model: quality.vmaf_model.map(|model| model.as_str().to_owned()),
            vmaf_missing: quality.vmaf_missing,
            worst_at_s: quality.worst_at_s,
        }
    }
}

/// One rendition: a file itself, or a rung of a set.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RenditionSeriesView {
    /// Id: the output's of a file, its own within a set.
    pub id: String,
    /// Its name: 1080p.
    pub name: String,
    /// Its files, bytes.
    pub size_bytes: u64,
    /// Its length, seconds.
    pub duration_s: Option<f64>,
    /// Pixels across; null: it has no pictures.
    pub width: Option<u32>,
    /// Pixels down; null: it has no pictures.
    pub height: Option<u32>,
    /// Its tracks; null: nothing of it was measured over time.
    pub tracks: Option<Vec<TrackSeriesView>>,
    /// How like it is to the source; null: its workflow did not ask (`quality`), or it holds no pictures that were compared.
    pub quality: Option<QualityView>,
}

/// What was measured of one output.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OutputSeriesView {
    /// Its id.
    pub output: String,
    /// The job that made it.
    pub job: String,
    /// Its task.
    pub task: String,
    /// Its group; empty where there is none.
    pub group: String,
    /// Its name.
    pub name: String,
    /// file, hls, dash or cmaf; others have no renditions.
    pub kind: String,
    /// published, or publishing.
    pub status: String,
    /// What it consists of, best first as the workflow lists them; empty: pictures and reports.
    pub renditions: Vec<RenditionSeriesView>,
}

/// One stretch of a check.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QcEventView {
    /// First moment, seconds from the first thing shown or heard.
    pub start_s: f64,
    /// First moment after it.
    pub end_s: f64,
    /// What was measured there: per cent of pixels out of range, samples clipped, frames missing, correlation.
    pub value: Option<f64>,
}

/// One check: a lane of a timeline.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QcCheckView {
    /// black, freeze, levels, interlace, repeats, gaps, first_frame, damage, silence, clipping, loudness, phase, av_start or av_end.
    pub check: String,
    /// pass, warn, fail, or skipped: it could not be made of this source.
    pub verdict: String,
    /// In words: what was found, or why it was not looked for.
    pub found: String,
    /// Where, in the order of time; empty also where a finding is of the whole.
    pub events: Vec<QcEventView>,
    /// Stretches beyond those.
    pub events_left_out: u64,
    /// All stretches together, seconds.
    pub total_s: f64,
}

/// What quality control said of a source.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QcView {
    /// The job.
    pub job: String,
    /// Its task.
    pub task: String,
    /// Its activity.
    pub activity: String,
    /// Success, or Fail where a finding failed it.
    pub status: String,
    /// When it ended.
    pub at: Option<String>,
    /// pass, warn, fail or skipped: the worst of all checks.
    pub verdict: String,
    /// Each check that was asked for.
    pub checks: Vec<QcCheckView>,
    /// Measured of the pictures: frames, damaged, repeated, combed ...; null: there are none.
    pub pictures: Option<Value>,
    /// Measured of the sound: integrated_lufs, range_lu, true_peak_dbtp ...; null: there is none.
    pub sound: Option<Value>,
    /// How loud the source's main sound is over its length; null: it has none, or it was not measured.
    pub loudness: Option<LoudnessView>,
}

impl QcView {
    /// What a job said; none: it has no report.
    pub fn of(said: Inspected) -> Option<Self> {
        let report: QcReport = *said.report?;
        Some(QcView {
            job: said.job.into_string(),
            task: said.task.into_string(),
            activity: said.activity,
            status: said.status.as_str().to_owned(),
            at: said.at.map(|at| at.wire()),
            verdict: verdict_word(report.verdict).to_owned(),
            checks: report.checks.into_iter().map(check).collect(),
            pictures: report.pictures.and_then(|found| serde_json::to_value(found).ok()),
            sound: report.sound.and_then(|found| serde_json::to_value(found).ok()),
            loudness: said.measured.loudness.map(Into::into),
        })
    }
}

fn check(result: QcResult) -> QcCheckView {
    let event = |event: crate::media::product::QcEvent| QcEventView {
        start_s: event.start_s,
        end_s: event.end_s,
        value: event.value,
    };
    QcCheckView {
        check: result.check.as_str().to_owned(),
        verdict: verdict_word(result.verdict).to_owned(),
        found: result.found,
        events: result.events.into_iter().map(event).collect(),
        events_left_out: result.events_left_out,
        total_s: result.total_s,
    }
}

fn verdict_word(verdict: QcVerdict) -> &'static str {
    match verdict {
        QcVerdict::Skipped => "skipped",
        QcVerdict::Pass => "pass",
        QcVerdict::Warn => "warn",
        QcVerdict::Fail => "fail",
    }
}

/// The loudness that stands for a media or a task, and of what it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MainLoudnessView {
    /// source: measured by quality control; output: of the first track of sound that was encoded.
    pub of: String,
    /// The job that measured it.
    pub job: String,
    /// Of an output: its id.
    pub output: Option<String>,
    /// Of an output: the rendition's name.
    pub rendition: Option<String>,
    /// The measurement.
    pub series: LoudnessView,
}

/// What was measured over time of a media or in a task.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SeriesView {
    /// Length of the source, seconds; null: not known yet.
    pub duration_s: Option<f64>,
    /// How loud it is; null: neither quality control nor an encode of sound measured it.
    pub loudness: Option<MainLoudnessView>,
    /// What quality control said, newest task first; null: no quality control has ended with a report.
    pub qc: Option<Vec<QcView>>,
    /// Outputs with renditions, newest task first, at most 50.
    pub outputs: Vec<OutputSeriesView>,
}
