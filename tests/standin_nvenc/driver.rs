//! The stand-in driver, in a process of its own: its settings are read once a process, and its state is the process's.

use crate::standin_driver;
use crate::standin_driver::Violations;
use libloading::Library;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENCODE_API_FUNCTION_LIST;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use std::ffi::c_void;
use std::path::Path;
use std::process::Command;

const CHILD: &str = "REELMILL_STANDIN_CHILD";

/// Runs `body`, the body of that test, in a process of its own, with those settings. The violations, once it has ended well; none in the process
/// that ran it.
pub fn run(test: &str, settings: &[(&str, &str)], body: impl FnOnce(&Driver)) -> Option<Vec<String>> {
    run_bare(test, settings, |driver| {
        assert_eq!(driver.instance(), NVENCSTATUS::NV_ENC_SUCCESS);
        body(driver);
    })
}

/// The same, with the list of functions not yet asked for.
pub fn run_bare(test: &str, settings: &[(&str, &str)], body: impl FnOnce(&mut Driver)) -> Option<Vec<String>> {
    if std::env::var_os(CHILD).is_some() {
        body(&mut Driver::open());
        return None;
    }
    let driver = standin_driver::driver()?;
    let folder = tempfile::tempdir().expect("a folder");
    let violations = Violations::in_folder(folder.path());
    let mut command = Command::new(std::env::current_exe().expect("a test program"));
    driver
        .apply(&mut command, &violations)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, driver.folder())
        .env("TMPDIR", folder.path())
        .envs(settings.iter().copied());
    let output = command.output().expect("started");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{test}: {out}\n{err}");
    assert!(out.contains("1 passed"), "{test} names no test: {out}");
    Some(violations.lines())
}

/// The opened library, a device's primary context current on this thread, and the encoder's functions.
pub struct Driver {
    library: Library,
    pub context: *mut c_void,
    pub list: NV_ENCODE_API_FUNCTION_LIST,
}

/// Carries a call of the list out.
#[macro_export]
macro_rules! call {
    ($driver:expr, $name:ident, $($argument:expr),*) => {{
        // SAFETY: arguments as the header has them; those that are wrong are wrong on purpose, and checked.
        unsafe { $driver.list.$name.expect("every entry is filled")($($argument),*) }
    }};
}

impl Driver {
    fn open() -> Self {
        let dir = std::env::var_os(CHILD).expect("set by the parent");
        // SAFETY: the library of this repository, which stays open.
        let library = unsafe { Library::new(Path::new(&dir).join("libcuda.so.1")) }.expect("built");
        let mut driver = Driver {
            library,
            context: std::ptr::null_mut(),
            list: NV_ENCODE_API_FUNCTION_LIST {
                version: sys::NV_ENCODE_API_FUNCTION_LIST_VER,
                ..Default::default()
            },
        };
        // SAFETY: functions of libcuda by their types.
        unsafe {
            assert_eq!(driver.cuda::<extern "C" fn(u32) -> i32>("cuInit")(0), 0);
            let retain = driver.cuda::<unsafe extern "C" fn(*mut *mut c_void, i32) -> i32>("cuDevicePrimaryCtxRetain");
            assert_eq!(retain(&mut driver.context, 0), 0);
        }
        driver.enter();
        driver
    }

    /// A function of the library.
    pub fn cuda<T: Copy>(&self, name: &str) -> T {
        // SAFETY: the caller names the function's type.
        unsafe { *self.library.get::<T>(name).expect(name) }
    }

    /// Makes the context the current one of this thread.
    pub fn enter(&self) {
        assert_eq!(
            self.cuda::<extern "C" fn(*mut c_void) -> i32>("cuCtxSetCurrent")(self.context),
            0
        );
    }

    /// Fills the list.
    pub fn instance(&mut self) -> NVENCSTATUS {
        type Create = unsafe extern "C" fn(*mut NV_ENCODE_API_FUNCTION_LIST) -> NVENCSTATUS;
        let create = self.cuda::<Create>("NvEncodeAPICreateInstance");
        // SAFETY: the list is there.
        unsafe { create(&mut self.list) }
    }

    /// Pitched memory: its address and pitch.
    pub fn pitched(&self, row_bytes: usize, rows: usize) -> (u64, usize) {
        type Alloc = unsafe extern "C" fn(*mut u64, *mut usize, usize, usize, u32) -> i32;
        let (mut address, mut pitch) = (0, 0);
        // SAFETY: both answers are ours.
        let code = unsafe { self.cuda::<Alloc>("cuMemAllocPitch_v2")(&mut address, &mut pitch, row_bytes, rows, 16) };
        assert_eq!(code, 0);
        (address, pitch)
    }

    /// Memory of a pool.
    pub fn pooled(&self, bytes: usize) -> u64 {
        type Alloc = unsafe extern "C" fn(*mut u64, usize, *mut c_void) -> i32;
        let mut address = 0;
        // SAFETY: the answer is ours.
        let code = unsafe { self.cuda::<Alloc>("cuMemAllocAsync")(&mut address, bytes, std::ptr::null_mut()) };
        assert_eq!(code, 0);
        address
    }

    pub fn free(&self, address: u64) {
        assert_eq!(self.cuda::<extern "C" fn(u64) -> i32>("cuMemFree_v2")(address), 0);
    }

    /// Copies bytes to the device, on the default stream or another.
    pub fn write(&self, address: u64, bytes: &[u8], stream: *mut c_void) {
        type Copy = unsafe extern "C" fn(u64, *const c_void, usize, *mut c_void) -> i32;
        type Alloc = unsafe extern "C" fn(*mut *mut c_void, usize, u32) -> i32;
        let copy = self.cuda::<Copy>("cuMemcpyHtoDAsync_v2");
        let alloc = self.cuda::<Alloc>("cuMemHostAlloc");
        let mut from = std::ptr::null_mut();
        // SAFETY: the answer is ours. It is kept, since nobody waits for the copy.
        assert_eq!(unsafe { alloc(&mut from, bytes.len(), 0) }, 0);
        // SAFETY: as long as the bytes, and ours.
        unsafe { from.cast::<u8>().copy_from(bytes.as_ptr(), bytes.len()) };
        // SAFETY: as long as the bytes, and never freed.
        assert_eq!(unsafe { copy(address, from, bytes.len(), stream) }, 0);
    }

    /// A stream beside the default one.
    pub fn stream(&self) -> *mut c_void {
        type Create = unsafe extern "C" fn(*mut *mut c_void, u32) -> i32;
        let mut stream = std::ptr::null_mut();
        // SAFETY: the answer is ours.
        assert_eq!(unsafe { self.cuda::<Create>("cuStreamCreate")(&mut stream, 1) }, 0);
        stream
    }

    /// Waits for a stream.
    pub fn settle(&self, stream: *mut c_void) {
        assert_eq!(
            self.cuda::<extern "C" fn(*mut c_void) -> i32>("cuStreamSynchronize")(stream),
            0
        );
    }

    /// Opens a session.
    pub fn session(&self) -> Result<*mut c_void, NVENCSTATUS> {
        let mut params = sys::NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS {
            version: sys::NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS_VER,
            deviceType: sys::NV_ENC_DEVICE_TYPE::NV_ENC_DEVICE_TYPE_CUDA,
            device: self.context,
            apiVersion: sys::NVENCAPI_VERSION,
            ..Default::default()
        };
        let mut session = std::ptr::null_mut();
        match call!(self, nvEncOpenEncodeSessionEx, &mut params, &mut session) {
            NVENCSTATUS::NV_ENC_SUCCESS => Ok(session),
            status => Err(status),
        }
    }
}
