//! `cuGetProcAddress`: functions by name instead of by the loader.

use crate::cuda::code::Code;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::NOT_FOUND;
use crate::cuda::code::SUCCESS;
use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;

const FOUND: c_int = 0;
const MISSING: c_int = 1;

/// The function of that name in this library, its newest kind first.
fn look_up(name: &str) -> Option<*mut c_void> {
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: an address within this library, and room for the answer.
    if unsafe { libc::dladdr(cuGetProcAddress_v2 as *const c_void, &mut info) } == 0 {
        return None;
    }
    // SAFETY: the name that the loader gave, of a library that is loaded: this one.
    let library = unsafe { libc::dlopen(info.dli_fname, libc::RTLD_NOLOAD | libc::RTLD_LAZY) };
    if library.is_null() {
        return None;
    }
    ["_v2", ""].into_iter().find_map(|suffix| {
        let symbol = CString::new(format!("{name}{suffix}")).ok()?;
        // SAFETY: an open library and text that ends with a zero byte.
        let found = unsafe { libc::dlsym(library, symbol.as_ptr()) };
        (!found.is_null()).then_some(found)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetProcAddress_v2(
    name: *const c_char,
    function: *mut *mut c_void,
    _version: c_int,
    _flags: u64,
    status: *mut c_int,
) -> Code {
    if name.is_null() || function.is_null() {
        return INVALID_VALUE;
    }
    // SAFETY: as this function's: text that ends with a zero byte.
    let found = look_up(&unsafe { CStr::from_ptr(name) }.to_string_lossy());
    // SAFETY: as this function's: not null, and writable.
    unsafe { function.write(found.unwrap_or_default()) };
    if !status.is_null() {
        // SAFETY: as this function's: writable.
        unsafe { status.write(if found.is_some() { FOUND } else { MISSING }) };
    }
    if found.is_some() { SUCCESS } else { NOT_FOUND }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetProcAddress(
    name: *const c_char,
    function: *mut *mut c_void,
    version: c_int,
    flags: u64,
) -> Code {
    // SAFETY: as this function's.
    unsafe { cuGetProcAddress_v2(name, function, version, flags, std::ptr::null_mut()) }
}
