//! Quality control of a source: which faults are looked for, and from where on something is one.
//!
//! Deliberately absent: what is done about a finding beyond failing the job; a successor's `when` decides that.

use serde::Deserialize;
use serde::Serialize;

/// One thing that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QcCheck {
    /// Black pictures for longer than `black_min_s`.
    Black,
    /// The same picture for longer than `freeze_min_s`; black ones are `black`'s.
    Freeze,
    /// No sound for longer than `silence_min_s`.
    Silence,
    /// Samples at full scale in a row.
    Clipping,
    /// EBU R128: integrated loudness, range and true peak, judged where a limit is given.
    Loudness,
    /// Luma or chroma outside what limited range allows.
    Levels,
    /// Single pictures that repeat the one before: duplicated frames, a pulldown.
    Repeats,
    /// Pictures missing in a stream of constant rate, and time stamps that step back.
    Gaps,
    /// Combed pictures though the file says progressive, or none though it says interlaced.
    Interlace,
    /// The stream does not begin with a picture that decoding can begin at (IDR in H.264 and HEVC).
    FirstFrame,
    /// Sound and pictures begin at different times.
    AvStart,
    /// Sound and pictures end at different times.
    AvEnd,
    /// Parts that could not be decoded, or were concealed.
    Damage,
    /// The two channels of a stereo track cancel each other.
    Phase,
}

impl QcCheck {
    /// All, in the order of reports.
    pub const ALL: [QcCheck; 14] = [
        QcCheck::Black,
        QcCheck::Freeze,
        QcCheck::Levels,
        QcCheck::Interlace,
        QcCheck::Repeats,
        QcCheck::Gaps,
        QcCheck::FirstFrame,
        QcCheck::Damage,
        QcCheck::Silence,
        QcCheck::Clipping,
        QcCheck::Loudness,
        QcCheck::Phase,
        QcCheck::AvStart,
        QcCheck::AvEnd,
    ];

    /// The word in definitions and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            QcCheck::Black => "black",
            QcCheck::Freeze => "freeze",
            QcCheck::Silence => "silence",
            QcCheck::Clipping => "clipping",
            QcCheck::Loudness => "loudness",
            QcCheck::Levels => "levels",
            QcCheck::Repeats => "repeats",
            QcCheck::Gaps => "gaps",
            QcCheck::Interlace => "interlace",
            QcCheck::FirstFrame => "first_frame",
            QcCheck::AvStart => "av_start",
            QcCheck::AvEnd => "av_end",
            QcCheck::Damage => "damage",
            QcCheck::Phase => "phase",
        }
    }
}

/// Quality control of the whole source, as it is before anything is made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QcSpec {
    /// What is looked for; all by default.
    pub checks: Vec<QcCheck>,
    /// Findings of these fail the job; those of the others are warnings.
    pub fail_on: Vec<QcCheck>,
    /// Shortest black stretch, seconds, 0..=3600.
    pub black_min_s: f64,
    /// A pixel is black up to this share of the luma range, 0..=1.
    pub black_pixel: f64,
    /// A picture is black with at least so many black pixels, per cent.
    pub black_picture_percent: f64,
    /// Shortest freeze, seconds, 0.1..=3600.
    pub freeze_min_s: f64,
    /// Mean difference up to which two pictures are the same, dB of full scale, -120..=0.
    pub freeze_noise_db: f64,
    /// Shortest silence, seconds, 0.1..=3600.
    pub silence_min_s: f64,
    /// Loudest sample of silence, dBFS, -120..=0.
    pub silence_db: f64,
    /// A sample from this level on is clipped, dBFS, -6..=0.
    pub clipping_db: f64,
    /// So many clipped samples in a row are a finding, 1..=1000.
    pub clipping_samples: u32,
    /// Integrated loudness wanted, LUFS, -70..=0; none: measured, not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loudness_lufs: Option<f64>,
    /// How far from it is still right, LU, 0..=20.
    pub loudness_tolerance_lu: f64,
    /// Largest loudness range, LU, 0..=50; none: not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loudness_range_max_lu: Option<f64>,
    /// Largest true peak, dBTP, -20..=6; none: not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub true_peak_max_dbtp: Option<f64>,
    /// Lowest and highest luma in 8 bit, as EBU R 103 tolerates.
    pub luma_range: [u8; 2],
    /// Lowest and highest chroma in 8 bit.
    pub chroma_range: [u8; 2],
    /// A picture is out of range with more than so many such pixels, per cent.
    pub levels_percent: f64,
    /// More repeated pictures than this are a finding, per cent of all.
    pub repeats_percent: f64,
    /// More combed pictures than this are interlaced, per cent of those that can be told, 1..=100.
    pub interlace_percent: f64,
    /// Largest distance between the beginnings of sound and pictures, milliseconds.
    pub av_start_max_ms: f64,
    /// Largest distance between their ends, milliseconds.
    pub av_end_max_ms: f64,
    /// Correlation of left and right from which down they cancel each other, -1..=0.
    pub phase_correlation: f64,
    /// Shortest stretch of it, seconds, 0.1..=3600.
    pub phase_min_s: f64,
}

impl Default for QcSpec {
    fn default() -> Self {
        QcSpec {
            checks: QcCheck::ALL.to_vec(),
            fail_on: Vec::new(),
            black_min_s: 2.0,
            black_pixel: 0.1,
            black_picture_percent: 98.0,
            freeze_min_s: 2.0,
            freeze_noise_db: -60.0,
            silence_min_s: 2.0,
            silence_db: -60.0,
            clipping_db: -0.01,
            clipping_samples: 3,
            loudness_lufs: None,
            loudness_tolerance_lu: 1.0,
            loudness_range_max_lu: None,
            true_peak_max_dbtp: None,
            luma_range: [5, 246],
            chroma_range: [5, 250],
            levels_percent: 1.0,
            repeats_percent: 1.0,
            interlace_percent: 20.0,
            av_start_max_ms: 100.0,
            av_end_max_ms: 500.0,
            phase_correlation: -0.8,
            phase_min_s: 1.0,
        }
    }
}

impl QcSpec {
    /// Whether a check is on.
    pub fn looks_for(&self, check: QcCheck) -> bool {
        self.checks.contains(&check)
    }
}
