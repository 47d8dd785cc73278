//! What the driver refused, in the words that the pass carries.

use crate::media::av::AvError;
use crate::media::av::DeviceTrouble;
use crate::media::cuda::CudaError;
use crate::media::cuda::error::Trouble;

/// The refusal of a device among those of libav.
pub fn refused(error: CudaError) -> AvError {
    let trouble = match error.kind {
        Trouble::Absent => DeviceTrouble::Absent,
        Trouble::Busy => DeviceTrouble::Busy,
        Trouble::Memory => DeviceTrouble::Memory,
        Trouble::Refused => DeviceTrouble::Refused,
        Trouble::Lost => DeviceTrouble::Lost,
    };
    AvError::device(error.call, trouble, format!("{} (code {})", error.text, error.code))
}
