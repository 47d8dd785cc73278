//! What NVML answers, by the numbers of `nvml.h`.

use crate::contract;
use std::ffi::c_int;

/// `nvmlReturn_t`.
pub type Status = c_int;

pub const SUCCESS: Status = 0;
pub const UNINITIALIZED: Status = 1;
pub const INVALID_ARGUMENT: Status = 2;
pub const INSUFFICIENT_SIZE: Status = 7;
pub const GPU_IS_LOST: Status = 15;
pub const ARGUMENT_VERSION_MISMATCH: Status = 25;

/// What a function of NVML answers.
pub fn answer(result: Result<(), Status>) -> Status {
    result.err().unwrap_or(SUCCESS)
}

/// A violation that is answered with that status.
pub fn refuse<T>(call: &str, status: Status, what: impl std::fmt::Display) -> Result<T, Status> {
    contract::violated(call, what);
    Err(status)
}

/// Writes an answer to where the caller wants it.
///
/// # Safety
/// `slot` is null or can be written to.
pub unsafe fn put<T>(call: &str, slot: *mut T, value: T) -> Result<(), Status> {
    if slot.is_null() {
        return refuse(call, INVALID_ARGUMENT, "a null pointer where an answer is to go");
    }
    // SAFETY: not null, and by the caller's promise writable.
    unsafe { slot.write_unaligned(value) };
    Ok(())
}

/// Writes text and its end into `length` bytes; less room than that is answered, and no offence.
///
/// # Safety
/// `to` is null or has `length` bytes.
pub unsafe fn put_text(call: &str, to: *mut std::ffi::c_char, length: u32, text: &str) -> Result<(), Status> {
    if to.is_null() {
        return refuse(call, INVALID_ARGUMENT, "no room for text");
    }
    if (length as usize) <= text.len() {
        return Err(INSUFFICIENT_SIZE);
    }
    // SAFETY: the caller gives `length` bytes, which hold the text and its end.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), to.cast::<u8>(), text.len());
        to.add(text.len()).write(0);
    }
    Ok(())
}
