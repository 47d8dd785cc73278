//! The product's kernels as functions of the host: the table that the build makes of its `.cu` files.

use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_uint;
use std::ffi::c_void;

/// A kernel, on the host: its parameter, the grid, a block.
pub type Call = unsafe extern "C" fn(*const c_void, *const c_uint, *const c_uint);

/// An entry of the table.
#[repr(C)]
struct Entry {
    name: *const c_char,
    call: Option<Call>,
    parameter_bytes: u64,
}

/// A kernel's twin.
#[derive(Debug, Clone, Copy)]
pub struct Twin {
    /// It.
    pub call: Call,
    /// Bytes of its one parameter.
    pub parameter_bytes: usize,
}

unsafe extern "C" {
    static REELMILL_KERNELS: Entry;
    fn standin_guarded(
        call: Call,
        parameters: *const c_void,
        grid: *const c_uint,
        block: *const c_uint,
        fault: *mut usize,
    ) -> i32;
}

/// The twin of that kernel.
pub fn named(name: &str) -> Option<Twin> {
    let mut entry: *const Entry = &raw const REELMILL_KERNELS;
    loop {
        // SAFETY: the table ends with an entry without a name, behind which this does not go.
        let one = unsafe { &*entry };
        if one.name.is_null() {
            return None;
        }
        // SAFETY: names are text that ends with a zero byte, and live as long as the library.
        if unsafe { CStr::from_ptr(one.name) }.to_bytes() == name.as_bytes() {
            return Some(Twin {
                call: one.call?,
                parameter_bytes: one.parameter_bytes as usize,
            });
        }
        // SAFETY: as above.
        entry = unsafe { entry.add(1) };
    }
}

impl Twin {
    /// Carries it out for all threads of all blocks. When it touches memory that is not there: the host's address.
    ///
    /// # Safety
    /// `parameters` is its parameter, whose addresses are the host's.
    pub unsafe fn run(&self, parameters: *const c_void, grid: [c_uint; 3], block: [c_uint; 3]) -> Result<(), usize> {
        let mut fault = 0;
        // SAFETY: as this function's; both arrays are of three.
        match unsafe { standin_guarded(self.call, parameters, grid.as_ptr(), block.as_ptr(), &mut fault) } {
            0 => Ok(()),
            _ => Err(fault),
        }
    }
}
