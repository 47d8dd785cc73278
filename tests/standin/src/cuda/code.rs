//! The answers of the driver API, their names and their words.

use crate::contract;
use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;

/// `CUresult`.
pub type Code = c_int;

pub const SUCCESS: Code = 0;
pub const INVALID_VALUE: Code = 1;
pub const OUT_OF_MEMORY: Code = 2;
pub const NOT_INITIALIZED: Code = 3;
pub const DEVICE_UNAVAILABLE: Code = 46;
pub const NO_DEVICE: Code = 100;
pub const INVALID_DEVICE: Code = 101;
pub const INVALID_IMAGE: Code = 200;
pub const INVALID_CONTEXT: Code = 201;
pub const MAP_FAILED: Code = 205;
pub const NO_BINARY_FOR_GPU: Code = 209;
pub const INVALID_PTX: Code = 218;
pub const UNSUPPORTED_PTX_VERSION: Code = 222;
pub const INVALID_SOURCE: Code = 300;
pub const INVALID_HANDLE: Code = 400;
pub const NOT_FOUND: Code = 500;
pub const ILLEGAL_ADDRESS: Code = 700;
pub const LAUNCH_OUT_OF_RESOURCES: Code = 701;
pub const CONTEXT_IS_DESTROYED: Code = 709;
pub const NOT_SUPPORTED: Code = 801;
pub const UNKNOWN: Code = 999;

const WORDS: [(Code, &CStr, &CStr); 21] = [
    (SUCCESS, c"CUDA_SUCCESS", c"no error"),
    (INVALID_VALUE, c"CUDA_ERROR_INVALID_VALUE", c"invalid argument"),
    (OUT_OF_MEMORY, c"CUDA_ERROR_OUT_OF_MEMORY", c"out of memory"),
    (NOT_INITIALIZED, c"CUDA_ERROR_NOT_INITIALIZED", c"initialization error"),
    (
        DEVICE_UNAVAILABLE,
        c"CUDA_ERROR_DEVICE_UNAVAILABLE",
        c"CUDA-capable device(s) is/are busy or unavailable",
    ),
    (
        NO_DEVICE,
        c"CUDA_ERROR_NO_DEVICE",
        c"no CUDA-capable device is detected",
    ),
    (INVALID_DEVICE, c"CUDA_ERROR_INVALID_DEVICE", c"invalid device ordinal"),
    (
        INVALID_IMAGE,
        c"CUDA_ERROR_INVALID_IMAGE",
        c"device kernel image is invalid",
    ),
    (
        INVALID_CONTEXT,
        c"CUDA_ERROR_INVALID_CONTEXT",
        c"invalid device context",
    ),
    (MAP_FAILED, c"CUDA_ERROR_MAP_FAILED", c"mapping of buffer object failed"),
    (
        NO_BINARY_FOR_GPU,
        c"CUDA_ERROR_NO_BINARY_FOR_GPU",
        c"no kernel image is available for execution on the device",
    ),
    (INVALID_PTX, c"CUDA_ERROR_INVALID_PTX", c"a PTX JIT compilation failed"),
    (
        UNSUPPORTED_PTX_VERSION,
        c"CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
        c"the provided PTX was compiled with an unsupported toolchain.",
    ),
    (INVALID_HANDLE, c"CUDA_ERROR_INVALID_HANDLE", c"invalid resource handle"),
    (NOT_FOUND, c"CUDA_ERROR_NOT_FOUND", c"named symbol not found"),
    (
        ILLEGAL_ADDRESS,
        c"CUDA_ERROR_ILLEGAL_ADDRESS",
        c"an illegal memory access was encountered",
    ),
    (
        LAUNCH_OUT_OF_RESOURCES,
        c"CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
        c"too many resources requested for launch",
    ),
    (
        CONTEXT_IS_DESTROYED,
        c"CUDA_ERROR_CONTEXT_IS_DESTROYED",
        c"context is destroyed",
    ),
    (NOT_SUPPORTED, c"CUDA_ERROR_NOT_SUPPORTED", c"operation not supported"),
    (
        INVALID_SOURCE,
        c"CUDA_ERROR_INVALID_SOURCE",
        c"device kernel image is invalid",
    ),
    (UNKNOWN, c"CUDA_ERROR_UNKNOWN", c"unknown error"),
];

/// What a function of the driver answers.
pub fn answer(result: Result<(), Code>) -> Code {
    result.err().unwrap_or(SUCCESS)
}

/// A violation that is answered with that code.
pub fn refuse<T>(call: &str, code: Code, what: impl std::fmt::Display) -> Result<T, Code> {
    contract::violated(call, what);
    Err(code)
}

/// Writes an answer to where the caller wants it.
///
/// # Safety
/// `slot` is null or can be written to.
pub unsafe fn put<T>(call: &str, slot: *mut T, value: T) -> Result<(), Code> {
    if slot.is_null() {
        return refuse(call, INVALID_VALUE, "a null pointer where an answer is to go");
    }
    // SAFETY: not null, and by the caller's promise writable.
    unsafe { slot.write_unaligned(value) };
    Ok(())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorName(code: Code, name: *mut *const c_char) -> Code {
    // SAFETY: as this function's.
    unsafe { word("cuGetErrorName", code, name, |(_, name, _)| name) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorString(code: Code, text: *mut *const c_char) -> Code {
    // SAFETY: as this function's.
    unsafe { word("cuGetErrorString", code, text, |(_, _, text)| text) }
}

/// # Safety
/// As of [`put`].
unsafe fn word(
    call: &str,
    code: Code,
    slot: *mut *const c_char,
    of: impl Fn(&(Code, &'static CStr, &'static CStr)) -> &'static CStr,
) -> Code {
    let found = WORDS.iter().find(|(known, _, _)| *known == code).map(of);
    // SAFETY: as this function's.
    let put = unsafe { put(call, slot, found.map_or(std::ptr::null(), CStr::as_ptr)) };
    answer(put.and(found.map(|_| ()).ok_or(INVALID_VALUE)))
}
