//! libnvidia-encode: encoder sessions.

use crate::cuda::code::Code;
use std::ffi::c_uint;

/// 12.1, as the headers that the product's types are made of.
pub const VERSION: c_uint = (12 << 4) | 1;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn NvEncodeAPIGetMaxSupportedVersion(version: *mut c_uint) -> Code {
    // SAFETY: as this function's.
    crate::cuda::code::answer(unsafe { crate::cuda::code::put("NvEncodeAPIGetMaxSupportedVersion", version, VERSION) })
}
