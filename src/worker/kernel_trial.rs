//! The trial of all kernels on a device: `reelmill worker --kernel-trial`.
//!
//! Guarantees: one line of JSON, whatever comes of it; exit 0 when every kernel does what it must. Deliberately absent: a
//! cage, since nothing foreign is read.

use crate::media::cuda::CudaError;
use crate::media::cuda::Gpu;
use crate::media::cuda::kernels::trial;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

/// Pictures that rates are measured with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureSize {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl std::str::FromStr for PictureSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = text
            .split_once('x')
            .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        let (width, height) = size.ok_or_else(|| format!("{text} is not of the form 3840x2160"))?;
        Ok(PictureSize { width, height })
    }
}

/// Tries them and prints what came of it.
pub fn serve(ordinal: u32, size: PictureSize) -> ExitCode {
    let tried = Gpu::open(ordinal).and_then(|gpu| trial::run(&gpu, (size.width, size.height)));
    let (line, agrees) = match &tried {
        Ok(trial) => (json!(trial), trial.agrees()),
        Err(error) => (refused(error), false),
    };
    let printed = writeln!(std::io::stdout(), "{line}");
    if agrees && printed.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn refused(error: &CudaError) -> serde_json::Value {
    json!({ "error": error.to_string(), "call": error.call, "code": error.code })
}

#[cfg(test)]
mod tests {
    use super::PictureSize;

    #[test]
    fn sizes_are_two_numbers() {
        let size = |text: &str| text.parse::<PictureSize>().ok();
        assert_eq!(
            size("640x360"),
            Some(PictureSize {
                width: 640,
                height: 360
            })
        );
        assert_eq!(
            (size("640"), size("640x"), size("x1"), size("-1x5")),
            (None, None, None, None)
        );
    }
}
