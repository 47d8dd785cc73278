//! What libav answered when it did not do what it was asked: the call, the number and its words.

use ffmpeg_the_third::ffi;
use std::ffi::CStr;

/// A refused libav call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({call})")]
pub struct AvError {
    /// libav's number: a negative errno or one of its tags.
    pub code: i32,
    /// The function that answered so.
    pub call: &'static str,
    /// libav's words for the number.
    pub text: String,
}

/// What a device (a GPU, not libav) did not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceTrouble {
    /// No driver, no device, or not this ability.
    Absent,
    /// All its sessions are taken.
    Busy,
    /// It has no memory left.
    Memory,
    /// What it was given is not what it takes.
    Refused,
    /// It is of no use to this process any more.
    Lost,
}

/// Numbers of device trouble, counted down from here: no `errno`, and as a tag unprintable, so none of libav's.
const DEVICE: i32 = -0x0100_0000;
const TROUBLES: [DeviceTrouble; 5] = [
    DeviceTrouble::Absent,
    DeviceTrouble::Busy,
    DeviceTrouble::Memory,
    DeviceTrouble::Refused,
    DeviceTrouble::Lost,
];
/// `errno` values libav passes on negated.
const EAGAIN: i32 = 11;
const ENOMEM: i32 = 12;
const EINVAL: i32 = 22;
const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;

impl AvError {
    /// Words for a code.
    pub fn new(code: i32, call: &'static str) -> Self {
        let mut buffer = [0; 128];
        // SAFETY: the buffer is writable for the length given and av_strerror terminates it.
        let text = unsafe {
            ffi::av_strerror(code, buffer.as_mut_ptr(), buffer.len());
            CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned()
        };
        AvError { code, call, text }
    }

    /// An allocation answered null.
    pub fn memory(call: &'static str) -> Self {
        Self::new(-ENOMEM, call)
    }

    /// An argument of ours cannot be given to libav (an inner NUL, a size beyond its integers).
    pub fn argument(call: &'static str) -> Self {
        Self::new(-EINVAL, call)
    }

    /// What libav gave cannot be worked with; `why` says it in words.
    pub fn unusable(call: &'static str, why: String) -> Self {
        AvError {
            text: why,
            ..Self::new(ffi::AVERROR_INVALIDDATA, call)
        }
    }

    /// A device, not libav, refused a call of its driver; `text` is the driver's.
    pub fn device(call: &'static str, trouble: DeviceTrouble, text: impl Into<String>) -> Self {
        let number = TROUBLES.iter().position(|known| *known == trouble).unwrap_or(0) as i32;
        AvError {
            code: DEVICE - number,
            call,
            text: text.into(),
        }
    }

    /// What a device did not do; none where libav refused.
    pub fn device_trouble(&self) -> Option<DeviceTrouble> {
        let number = usize::try_from(DEVICE.checked_sub(self.code)?).ok()?;
        TROUBLES.get(number).copied()
    }

    /// A device refused, not libav.
    pub fn is_device(&self) -> bool {
        self.device_trouble().is_some()
    }

    /// More input is needed, or output must be taken first.
    pub fn is_again(&self) -> bool {
        self.code == -EAGAIN
    }

    /// The regular end.
    pub fn is_eof(&self) -> bool {
        self.code == ffi::AVERROR_EOF
    }

    /// The bytes are not what they should be.
    pub fn is_invalid_data(&self) -> bool {
        self.code == ffi::AVERROR_INVALIDDATA
    }

    /// The file system is full or the quota used up.
    pub fn is_no_space(&self) -> bool {
        self.code == -ENOSPC || self.code == -EDQUOT
    }

    /// No memory.
    pub fn is_no_memory(&self) -> bool {
        self.code == -ENOMEM
    }
}

/// `code` when it is not negative, else the error.
pub(super) fn check(call: &'static str, code: i32) -> Result<i32, AvError> {
    if code < 0 {
        Err(AvError::new(code, call))
    } else {
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::AvError;
    use super::DeviceTrouble;

    #[test]
    fn a_device_is_told_from_libav() {
        let lost = AvError::device("cuLaunchKernel", DeviceTrouble::Lost, "illegal address");
        assert_eq!(lost.device_trouble(), Some(DeviceTrouble::Lost));
        assert_eq!(lost.to_string(), "illegal address (cuLaunchKernel)");
        assert!(!lost.is_again() && !lost.is_eof() && !lost.is_no_memory());
        for libav in [
            AvError::memory("x"),
            AvError::argument("x"),
            AvError::new(i32::MIN, "x"),
        ] {
            assert!(!libav.is_device(), "{libav:?}");
        }
    }
}
