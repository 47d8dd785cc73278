//! What a device makes of its work, tried out: decoders against libavcodec, and how fast it is. For `tests/device.sh` on a machine that has nothing but this program, and for `reelmill bench`.
//!
//! Guarantees: every line says what was compared with what, and a piece that could not be tried is a line of its own;
//! whatever is decoded was made here, or is the one file that was named. Deliberately absent: kernels, which `cuda::kernels::trial`
//! tries, and encoders, which a proved ladder tries as no comparison could.

mod clips;
mod decoders;
mod likeness;
mod rates;

use crate::media::cuda::CudaError;
use crate::media::cuda::Gpu;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Every codec that the device takes and this build can make, against libavcodec.
    Decoders,
    /// Copies, kernels, decoders, and them together, in pictures or bytes a second.
    Rates,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// `scale`, `hevc 10 bit`, `decode and scale`.
    pub name: String,
    /// How it went.
    pub verdict: Verdict,
    /// What was compared or measured, and why it failed or was left out.
    pub said: String,
    /// The figures, by name with their unit: `fps`, `psnr_db`, `gb_per_s`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
}

/// How a trial went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should.
    Passed,
    /// Not as it should.
    Failed,
    /// Nothing to try it with, or not an ability of this device.
    LeftOut,
}

impl Line {
    fn new(name: impl Into<String>, verdict: Verdict, said: impl Into<String>) -> Self {
        Line {
            name: name.into(),
            verdict,
            said: said.into(),
            figures: BTreeMap::new(),
        }
    }

    /// With one figure more. What is not finite is left out.
    fn with(mut self, name: &str, figure: f64) -> Self {
        if figure.is_finite() {
            self.figures.insert(name.to_owned(), (figure * 100.0).round() / 100.0);
        }
        self
    }
}

/// Where and with what.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Number of the device.
    pub ordinal: u32,
    /// For clips that are made; they are removed again.
    pub folder: PathBuf,
    /// What rates are measured with; none: a clip made here.
    pub clip: Option<PathBuf>,
    /// Seconds of that clip.
    pub seconds: u32,
    /// Size of its pictures, and of those that kernels' rates are of: even, 128 to 8192.
    pub picture: (u32, u32),
}

/// Tries one part out, and tells line by line.
///
/// # Errors
/// The device cannot be opened.
pub fn run(trial: &Trial, part: Part, tell: &mut dyn FnMut(Line)) -> Result<(), CudaError> {
    let gpu = Gpu::open(trial.ordinal)?;
    match part {
        Part::Decoders => decoders::run(&gpu, &trial.folder, tell),
        Part::Rates => rates::run(&gpu, trial, tell),
    }
    Ok(())
}
