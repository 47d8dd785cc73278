//! The driver's functions by their names, as a program finds them.

use libloading::Library;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;
use std::sync::OnceLock;

/// Answers.
pub const SUCCESS: c_int = 0;
pub const INVALID_VALUE: c_int = 1;
pub const OUT_OF_MEMORY: c_int = 2;
pub const NOT_INITIALIZED: c_int = 3;
pub const INVALID_DEVICE: c_int = 101;
pub const INVALID_CONTEXT: c_int = 201;
pub const MAP_FAILED: c_int = 205;
pub const INVALID_HANDLE: c_int = 400;
pub const ILLEGAL_ADDRESS: c_int = 700;
pub const NOT_SUPPORTED: c_int = 801;
pub const UNKNOWN: c_int = 999;

fn library(name: &'static str) -> &'static Library {
    static ALL: OnceLock<[(&str, Library); 2]> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        ["libcuda.so.1", "libnvcuvid.so.1"].map(|name| {
            // SAFETY: the stand-in driver, which opens a file and nothing else when it is loaded.
            (name, unsafe { Library::new(name) }.expect("the driver's library"))
        })
    });
    &all.iter().find(|(known, _)| *known == name).expect("one of both").1
}

fn symbol<T: Copy>(name: &str) -> T {
    let file = if name.starts_with("cuvid") {
        "libnvcuvid.so.1"
    } else {
        "libcuda.so.1"
    };
    // SAFETY: callers name the type that the driver's header gives the function.
    *unsafe { library(file).get::<T>(name.as_bytes()) }.expect("the driver has it")
}

/// A function of the driver's: `call!(cuInit(0))`, `call!(cuMemAlloc_v2(&mut address as *mut u64, 16_usize))`.
#[macro_export]
macro_rules! call {
    ($name:ident($($argument:expr),* $(,)?)) => {
        $crate::api::invoke(stringify!($name), ($($argument,)*))
    };
}

/// Arguments that a function of the driver's can be called with.
pub trait Arguments {
    /// Calls the function at that address.
    ///
    /// # Safety
    /// The function takes these.
    unsafe fn give(self, name: &str) -> c_int;
}

macro_rules! arguments {
    ($($one:ident),*) => {
        impl<$($one),*> Arguments for ($($one,)*) {
            #[allow(non_snake_case)]
            unsafe fn give(self, name: &str) -> c_int {
                let function: unsafe extern "C" fn($($one),*) -> c_int = symbol(name);
                let ($($one,)*) = self;
                // SAFETY: the caller's word.
                unsafe { function($($one),*) }
            }
        }
    };
}
arguments!();
arguments!(A);
arguments!(A, B);
arguments!(A, B, C);
arguments!(A, B, C, D);
arguments!(A, B, C, D, E);
arguments!(A, B, C, D, E, F, G, H, I, J, K);

/// Calls a function with arguments that the test has made of the types of the driver's header.
pub fn invoke(name: &str, arguments: impl Arguments) -> c_int {
    // SAFETY: tests give what the header asks for.
    unsafe { arguments.give(name) }
}

/// Handles and host pointers.
pub type Pointer = *mut c_void;
pub const NULL: Pointer = std::ptr::null_mut();

/// Begins, and makes the primary context of a device current.
pub fn begin(device: c_int) -> Pointer {
    assert_eq!(call!(cuInit(0 as c_uint)), SUCCESS);
    let mut context = NULL;
    assert_eq!(call!(cuDevicePrimaryCtxRetain(&raw mut context, device)), SUCCESS);
    assert_eq!(call!(cuCtxSetCurrent(context)), SUCCESS);
    context
}

/// Takes memory.
pub fn take(bytes: usize) -> u64 {
    let mut address = 0_u64;
    assert_eq!(call!(cuMemAlloc_v2(&raw mut address, bytes)), SUCCESS);
    address
}

/// Reads memory of the device.
pub fn read(address: u64, bytes: usize) -> Vec<u8> {
    let mut to = vec![0_u8; bytes];
    assert_eq!(call!(cuMemcpyDtoH_v2(to.as_mut_ptr(), address, bytes)), SUCCESS);
    to
}
