//! What the driver answered when it did not do what it was asked.

use cudarc::driver::DriverError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// A refused call of the driver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({call}{})", answered(*code))]
pub struct CudaError {
    /// The function that answered so.
    pub call: &'static str,
    /// Its number: of CUDA, or, for calls of the encoder, of NVENC.
    pub code: i32,
    /// The driver's words for the number, or ours.
    pub text: String,
    /// What kind of trouble it is.
    pub kind: Trouble,
}

/// The number in words; 0 is none.
fn answered(code: i32) -> String {
    if code == 0 {
        String::new()
    } else {
        format!(" answered {code}")
    }
}

/// What a refused call means for what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No driver, no device, or not this ability: trying again cannot help.
    Absent,
    /// All sessions or engines are taken: another attempt may get one.
    Busy,
    /// No memory on the device.
    Memory,
    /// What was given to it is not what it takes: broken data, or parameters out of range.
    Refused,
    /// The device or its context is of no use to this process any more.
    Lost,
}

/// Codes of CUDA after which a context is of no use (CUresult of the driver API, 12.x).
const LOST: [i32; 12] = [46, 214, 219, 220, 700, 702, 714, 715, 716, 717, 718, 719];
const NO_MEMORY: i32 = 2;
const ABSENT: [i32; 7] = [3, 34, 35, 100, 101, 209, 303];
const NOT_SUPPORTED: i32 = 801;
const UNKNOWN: i32 = 999;

/// A device was lost to this process. What it answers after that is of no use, and some drivers hang.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// Why nothing is asked of the driver any more; none as long as no device was lost to this process.
pub fn lost() -> Option<CudaError> {
    IS_LOST.load(Ordering::Relaxed).then(|| CudaError {
        call: "cuCtxSetCurrent",
        code: 0,
        text: "the device was lost to this process before".to_owned(),
        kind: Trouble::Lost,
    })
}

impl CudaError {
    /// A number of CUDA's. After one that means that the context is gone for good, nothing enters a device any more.
    pub fn cuda(call: &'static str, code: i32, text: impl Into<String>) -> Self {
        let kind = match code {
            NO_MEMORY => Trouble::Memory,
            UNKNOWN => Trouble::Lost,
            NOT_SUPPORTED => Trouble::Absent,
            code if LOST.contains(&code) => Trouble::Lost,
            code if ABSENT.contains(&code) => Trouble::Absent,
            _ => Trouble::Refused,
        };
        if LOST.contains(&code) {
            IS_LOST.store(true, Ordering::Relaxed);
        }
        CudaError {
            call,
            code,
            text: text.into(),
            kind,
        }
    }

    /// Something of ours or of the host's that is not there.
    pub fn absent(call: &'static str, text: impl Into<String>) -> Self {
        CudaError {
            call,
            code: 0,
            text: text.into(),
            kind: Trouble::Absent,
        }
    }

    /// An argument that the call does not take.
    pub fn refused(call: &'static str, text: impl Into<String>) -> Self {
        CudaError {
            call,
            code: 1,
            text: text.into(),
            kind: Trouble::Refused,
        }
    }

    /// Whether nothing more can be asked of the device by this process.
    pub fn is_lost(&self) -> bool {
        self.kind == Trouble::Lost
    }
}

/// The error of a call of cudarc's.
pub(super) fn of(call: &'static str) -> impl Fn(DriverError) -> CudaError {
    move |error| {
        let text = error
            .error_string()
            .ok()
            .map(|words| words.to_string_lossy().into_owned())
            .unwrap_or_else(|| "no words".to_owned());
        CudaError::cuda(call, error.0 as i32, text)
    }
}

#[cfg(test)]
mod tests {
    use super::CudaError;
    use super::Trouble;

    #[test]
    fn numbers_say_what_can_still_be_done() {
        let kind = |code| CudaError::cuda("cuMemAllocPitch", code, "").kind;
        assert_eq!(kind(2), Trouble::Memory);
        assert_eq!(kind(100), Trouble::Absent);
        assert_eq!(kind(700), Trouble::Lost);
        assert_eq!(kind(1), Trouble::Refused);
    }
}
