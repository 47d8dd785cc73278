//! The driver's table of functions, and its errors.
//!
//! Guarantees: answers are taken as numbers, so that one this program does not know is an error and nothing worse; a
//! driver that is too old is told as that. Deliberately absent: what is called in which order.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::error::Trouble;
use crate::media::cuda::library;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// Version of the header whose structs are used: major, minor.
const VERSION: (u32, u32) = (12, 1);
/// The first driver for Linux that has it.
const FIRST_DRIVER: &str = "530.41.03";

/// A session of the driver's.
pub type Handle = *mut c_void;

const SUCCESS: u32 = 0;
const NO_ENCODE_DEVICE: u32 = 1;
const UNSUPPORTED_DEVICE: u32 = 2;
const INVALID_ENCODER_DEVICE: u32 = 3;
const INVALID_DEVICE: u32 = 4;
const DEVICE_NOT_EXIST: u32 = 5;
const OUT_OF_MEMORY: u32 = 10;
const UNSUPPORTED_PARAM: u32 = 12;
const INVALID_VERSION: u32 = 15;
/// More pictures are wanted before one can come out. No error.
pub const NEED_MORE_INPUT: u32 = 17;
/// The same call can be made again in a while. No error.
pub const ENCODER_BUSY: u32 = 18;
const GENERIC: u32 = 20;
const INCOMPATIBLE_CLIENT_KEY: u32 = 21;
const UNIMPLEMENTED: u32 = 22;

/// Names of the numbers above and below, from 0 on (NVENCSTATUS).
const NAMES: [&str; 27] = [
    "success",
    "there is no device that encodes",
    "the device is not supported",
    "the device is not valid",
    "the device given is not valid",
    "the device is not there any more",
    "a pointer is not valid",
    "an event is not valid",
    "a parameter is not valid",
    "the call is out of order",
    "no memory, or no session left",
    "the encoder is not initialised",
    "a parameter is not supported",
    "the output is not ready",
    "a buffer is too small",
    "the driver does not know this version of the interface",
    "the picture could not be mapped",
    "more pictures are needed",
    "the encoder is busy",
    "an event is not registered",
    "an unknown error of the driver's",
    "no session is left that this device's licence allows",
    "the driver does not have it",
    "the picture could not be registered",
    "the picture is not registered",
    "the picture is not mapped",
    "more room for output is needed",
];

/// A refused call: what the number means for what comes next. `text`: the driver's words, where it had some.
pub fn refused(call: &'static str, code: u32, text: Option<String>) -> CudaError {
    let kind = match code {
        NO_ENCODE_DEVICE | UNSUPPORTED_DEVICE | UNSUPPORTED_PARAM | INVALID_VERSION | UNIMPLEMENTED => Trouble::Absent,
        INCOMPATIBLE_CLIENT_KEY => Trouble::Busy,
        OUT_OF_MEMORY => Trouble::Memory,
        INVALID_ENCODER_DEVICE | INVALID_DEVICE | DEVICE_NOT_EXIST | GENERIC => Trouble::Lost,
        _ => Trouble::Refused,
    };
    let name = NAMES
        .get(code as usize)
        .copied()
        .unwrap_or("an error this program does not know");
    let text = match text.filter(|text| !text.trim().is_empty()) {
        Some(words) => format!("{name}: {}", words.trim()),
        None => name.to_owned(),
    };
    CudaError {
        call,
        code: code as i32,
        text,
        kind,
    }
}

/// A refusal to open a session: older drivers say that they have no memory when all sessions are taken.
pub fn session_refused(code: u32) -> CudaError {
    let mut error = refused("nvEncOpenEncodeSessionEx", code, None);
    if code == OUT_OF_MEMORY {
        error.kind = Trouble::Busy;
    }
    error
}

/// A struct of the driver's with every bit cleared. Not every struct may be all zeros as a value of Rust's (some enums
/// begin at 1), so it stays raw until those fields are written.
pub fn blank<T>() -> MaybeUninit<T> {
    MaybeUninit::zeroed()
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident = $entry:ident($($argument:ty),*);)*) => {
        /// The functions that are used, all there.
        #[derive(Debug)]
        pub struct Functions {
            $($(#[$doc])* pub $name: unsafe extern "C" fn($($argument),*) -> u32,)*
            last_error: Option<unsafe extern "C" fn(Handle) -> *const c_char>,
        }

        impl Functions {
            fn of(list: &sys::NV_ENCODE_API_FUNCTION_LIST) -> Result<Self, CudaError> {
                Ok(Functions {
                    $($name: {
                        let found = list.$entry.ok_or_else(|| CudaError::absent(
                            "NvEncodeAPICreateInstance",
                            concat!("the driver has no ", stringify!($entry)),
                        ))?;
                        // SAFETY: only the type of the answer differs: an enum of 32 bits is taken as its number.
                        unsafe {
                            std::mem::transmute::<
                                unsafe extern "C" fn($($argument),*) -> sys::NVENCSTATUS,
                                unsafe extern "C" fn($($argument),*) -> u32,
                            >(found)
                        }
                    },)*
                    last_error: list.nvEncGetLastErrorString,
                })
            }
        }
    };
}

functions! {
    /// Opens a session.
    open = nvEncOpenEncodeSessionEx(*mut sys::NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS, *mut Handle);
    /// How many codecs there are.
    codec_count = nvEncGetEncodeGUIDCount(Handle, *mut u32);
    /// Which.
    codecs = nvEncGetEncodeGUIDs(Handle, *mut sys::GUID, u32, *mut u32);
    /// What a codec's encoder can do.
    ability = nvEncGetEncodeCaps(Handle, sys::GUID, *mut sys::NV_ENC_CAPS_PARAM, *mut c_int);
    /// The parameters behind a preset.
    preset = nvEncGetEncodePresetConfigEx(
        Handle, sys::GUID, sys::GUID, sys::NV_ENC_TUNING_INFO, *mut sys::NV_ENC_PRESET_CONFIG
    );
    /// Makes the encoder ready.
    initialize = nvEncInitializeEncoder(Handle, *mut sys::NV_ENC_INITIALIZE_PARAMS);
    /// Changes its rate.
    reconfigure = nvEncReconfigureEncoder(Handle, *mut sys::NV_ENC_RECONFIGURE_PARAMS);
    /// On which streams its work is ordered.
    set_streams = nvEncSetIOCudaStreams(Handle, *mut c_void, *mut c_void);
    /// Parameter sets.
    headers = nvEncGetSequenceParams(Handle, *mut sys::NV_ENC_SEQUENCE_PARAM_PAYLOAD);
    /// Makes a buffer for output.
    create_output = nvEncCreateBitstreamBuffer(Handle, *mut sys::NV_ENC_CREATE_BITSTREAM_BUFFER);
    /// Frees it.
    destroy_output = nvEncDestroyBitstreamBuffer(Handle, *mut c_void);
    /// Takes a picture.
    encode = nvEncEncodePicture(Handle, *mut sys::NV_ENC_PIC_PARAMS);
    /// Waits for output.
    lock = nvEncLockBitstream(Handle, *mut sys::NV_ENC_LOCK_BITSTREAM);
    /// Gives it back.
    unlock = nvEncUnlockBitstream(Handle, *mut c_void);
    /// Makes memory known.
    register = nvEncRegisterResource(Handle, *mut sys::NV_ENC_REGISTER_RESOURCE);
    /// Forgets it.
    unregister = nvEncUnregisterResource(Handle, *mut c_void);
    /// Hands memory to the encoder.
    map = nvEncMapInputResource(Handle, *mut sys::NV_ENC_MAP_INPUT_RESOURCE);
    /// Takes it back.
    unmap = nvEncUnmapInputResource(Handle, *mut c_void);
    /// Ends a session.
    destroy = nvEncDestroyEncoder(Handle);
}

impl Functions {
    /// The table of the driver that is installed.
    ///
    /// # Errors
    /// There is no library, or it is older than the interface used here.
    pub fn get() -> Result<&'static Self, CudaError> {
        static FUNCTIONS: OnceLock<Result<Functions, CudaError>> = OnceLock::new();
        FUNCTIONS.get_or_init(load).as_ref().map_err(Clone::clone)
    }

    /// Checks the answer of a call on a session.
    pub fn check(&self, call: &'static str, session: Handle, code: u32) -> Result<(), CudaError> {
        if code == SUCCESS {
            return Ok(());
        }
        let words = self.last_error.filter(|_| !session.is_null()).and_then(|ask| {
            // SAFETY: a live session; null or a string of its own, copied at once.
            let text = unsafe { ask(session) };
            // SAFETY: not null, so it ends with a NUL.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
        });
        Err(refused(call, code, words))
    }
}

fn load() -> Result<Functions, CudaError> {
    type Newest = unsafe extern "C" fn(*mut u32) -> u32;
    type Create = unsafe extern "C" fn(*mut sys::NV_ENCODE_API_FUNCTION_LIST) -> u32;
    let library = library::encode()?;
    let missing = |call| move |cause: libloading::Error| CudaError::absent(call, cause.to_string());
    // SAFETY: the names and types are those of the driver's header; answers are numbers of 32 bits.
    let (newest, create) = unsafe {
        (
            library
                .get::<Newest>(b"NvEncodeAPIGetMaxSupportedVersion\0")
                .map_err(missing("NvEncodeAPIGetMaxSupportedVersion"))?,
            library
                .get::<Create>(b"NvEncodeAPICreateInstance\0")
                .map_err(missing("NvEncodeAPICreateInstance"))?,
        )
    };
    let mut version = 0;
    // SAFETY: writes one number to what is ours.
    let code = unsafe { newest(&mut version) };
    if code != SUCCESS {
        return Err(refused("NvEncodeAPIGetMaxSupportedVersion", code, None));
    }
    // The lowest four bits are the minor version.
    let (major, minor) = (version >> 4, version & 0xF);
    if (major, minor) < VERSION {
        let (wanted, least) = VERSION;
        return Err(CudaError::absent(
            "NvEncodeAPIGetMaxSupportedVersion",
            format!(
                "the driver's encoder interface is {major}.{minor}; {wanted}.{least} is needed, which driver {FIRST_DRIVER} and newer have"
            ),
        ));
    }
    let mut list = sys::NV_ENCODE_API_FUNCTION_LIST {
        version: sys::NV_ENCODE_API_FUNCTION_LIST_VER,
        ..Default::default()
    };
    // SAFETY: a table of that version, ours to fill.
    let code = unsafe { create(&mut list) };
    if code != SUCCESS {
        return Err(refused("NvEncodeAPICreateInstance", code, None));
    }
    Functions::of(&list)
}

#[cfg(test)]
mod tests {
    use super::refused;
    use super::session_refused;
    use crate::media::cuda::error::Trouble;

    #[test]
    fn a_full_device_is_busy_whichever_way_the_driver_says_it() {
        assert_eq!(session_refused(10).kind, Trouble::Busy);
        assert_eq!(session_refused(21).kind, Trouble::Busy);
        assert_eq!(refused("nvEncInitializeEncoder", 10, None).kind, Trouble::Memory);
        assert_eq!(session_refused(1).kind, Trouble::Absent);
        assert_eq!(refused("nvEncLockBitstream", 20, None).kind, Trouble::Lost);
        assert_eq!(refused("nvEncInitializeEncoder", 8, None).kind, Trouble::Refused);
    }

    #[test]
    fn numbers_of_later_drivers_are_errors_like_others() {
        let error = refused("nvEncEncodePicture", 4711, Some("new trouble".to_owned()));
        assert_eq!((error.code, error.kind), (4711, Trouble::Refused));
        assert!(error.to_string().contains("new trouble"), "{error}");
    }
}
