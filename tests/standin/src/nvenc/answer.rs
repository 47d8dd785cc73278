//! What a call answers, and why.
//!
//! Guarantees: a broken contract is written down as well as refused; what a device merely cannot do is refused alone.

use crate::contract;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use std::fmt::Display;

/// A call that is not carried out.
#[derive(Debug)]
pub struct Refusal {
    pub status: NVENCSTATUS,
    pub text: String,
    is_breach: bool,
}

/// What a call comes to.
pub type Answer<T = ()> = Result<T, Refusal>;

/// What cannot be had: of this device, or now.
pub fn refused(status: NVENCSTATUS, text: impl Display) -> Refusal {
    Refusal {
        status,
        text: text.to_string(),
        is_breach: false,
    }
}

/// What a caller must never do.
pub fn breach(status: NVENCSTATUS, text: impl Display) -> Refusal {
    Refusal {
        status,
        text: text.to_string(),
        is_breach: true,
    }
}

/// The number that the caller gets; a breach is written down here.
pub fn status_of(call: &str, answer: Answer) -> NVENCSTATUS {
    match answer {
        Ok(()) => NVENCSTATUS::NV_ENC_SUCCESS,
        Err(refusal) => {
            if refusal.is_breach {
                contract::violated(call, &refusal.text);
            }
            refusal.status
        }
    }
}
