//! The few functions of libcuda that say what there is, looked up one by one in whatever driver is installed.
//!
//! Guarantees: a number that this program has never heard of is an error with that number; a function that an old
//! driver lacks is an error with its name. (The bindings used elsewhere take both for impossible, which is right only
//! once a device has been opened.) Deliberately absent: contexts and work.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::library;
use libloading::Library;
use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;

/// `CU_DEVICE_ATTRIBUTE_COMPUTE_MODE` and its value for "nobody".
const COMPUTE_MODE: c_int = 20;
const PROHIBITED: c_int = 2;
/// `CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR` and `_MINOR`.
const CAPABILITY: [c_int; 2] = [75, 76];
/// Bytes of the longest name that is asked for.
const NAME_BYTES: usize = 256;

/// The driver.
#[derive(Debug, Clone, Copy)]
pub struct Driver {
    library: &'static Library,
}

/// What the driver says of a device that nobody has opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// `GPU-` or, of a slice of a device, `MIG-`, and 32 hex digits in groups; empty where the driver does not say.
    pub uuid: String,
    /// Compute capability, major and minor.
    pub compute_capability: (u32, u32),
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Its administrator lets nobody compute on it.
    pub is_prohibited: bool,
}

impl Identity {
    /// Whether it is a slice of a device, and not the whole.
    pub fn is_slice(&self) -> bool {
        self.name.contains(" MIG ")
    }
}

impl Driver {
    /// Opens the library, and nothing of the device.
    ///
    /// # Errors
    /// It is not installed, or cannot be opened.
    pub fn open() -> Result<Self, CudaError> {
        Ok(Driver {
            library: library::cuda()?,
        })
    }

    /// Wakes the driver. To be called before anything but [`Driver::version`].
    ///
    /// # Errors
    /// What keeps it from working on this host.
    pub fn init(self) -> Result<(), CudaError> {
        type Init = unsafe extern "C" fn(u32) -> c_int;
        let init: Init = self.symbol("cuInit")?;
        // SAFETY: the signature is the driver API's; 0 is the only flag there is.
        self.checked("cuInit", unsafe { init(0) })
    }

    /// Newest CUDA version that it speaks, major and minor.
    ///
    /// # Errors
    /// The driver does not say.
    pub fn version(self) -> Result<(u32, u32), CudaError> {
        let number = self.asked::<c_int>("cuDriverGetVersion", None)?;
        let number = u32::try_from(number).unwrap_or(0);
        Ok((number / 1000, number % 1000 / 10))
    }

    /// Devices that this process may see.
    ///
    /// # Errors
    /// The driver does not say.
    pub fn count(self) -> Result<u32, CudaError> {
        let count = self.asked::<c_int>("cuDeviceGetCount", None)?;
        Ok(u32::try_from(count).unwrap_or(0))
    }

    /// Who the device of that ordinal is.
    ///
    /// # Errors
    /// There is none, or the driver does not say.
    pub fn identity(self, ordinal: u32) -> Result<Identity, CudaError> {
        let ordinal = c_int::try_from(ordinal)
            .map_err(|_| CudaError::refused("cuDeviceGet", format!("there is no device {ordinal}")))?;
        let device: c_int = self.asked("cuDeviceGet", Some(ordinal))?;
        let name = self.name(device)?;
        let is_slice = name.contains(" MIG ");
        let attribute = |which| self.attribute(device, which);
        Ok(Identity {
            uuid: self.uuid(device, is_slice).unwrap_or_default(),
            compute_capability: (
                attribute(CAPABILITY[0])?.try_into().unwrap_or(0),
                attribute(CAPABILITY[1])?.try_into().unwrap_or(0),
            ),
            memory_bytes: self.asked::<usize>("cuDeviceTotalMem_v2", Some(device))? as u64,
            is_prohibited: attribute(COMPUTE_MODE).is_ok_and(|mode| mode == PROHIBITED),
            name,
        })
    }

    fn name(self, device: c_int) -> Result<String, CudaError> {
        type GetName = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
        let get: GetName = self.symbol("cuDeviceGetName")?;
        let mut name = [0_u8; NAME_BYTES];
        // SAFETY: the signature is the driver API's, and the length is that of the room.
        let code = unsafe { get(name.as_mut_ptr().cast(), NAME_BYTES as c_int, device) };
        self.checked("cuDeviceGetName", code)?;
        let text = CStr::from_bytes_until_nul(&name).map_err(|_| CudaError::refused("cuDeviceGetName", "no end"))?;
        Ok(text.to_string_lossy().into_owned())
    }

    /// The second form tells slices of one device apart; drivers before CUDA 11.4 have only the first.
    fn uuid(self, device: c_int, is_slice: bool) -> Result<String, CudaError> {
        let bytes: [u8; 16] = self
            .asked("cuDeviceGetUuid_v2", Some(device))
            .or_else(|_| self.asked("cuDeviceGetUuid", Some(device)))?;
        Ok(uuid_text(bytes, is_slice))
    }

    fn attribute(self, device: c_int, which: c_int) -> Result<c_int, CudaError> {
        type GetAttribute = unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int;
        let get: GetAttribute = self.symbol("cuDeviceGetAttribute")?;
        let mut value = 0;
        // SAFETY: the signature is the driver API's, and the answer is ours to write to.
        let code = unsafe { get(&mut value, which, device) };
        self.checked("cuDeviceGetAttribute", code)?;
        Ok(value)
    }

    /// The answer of a function that writes one `T`, asked of a device or, with none, of the driver.
    fn asked<T: Default>(self, call: &'static str, of: Option<c_int>) -> Result<T, CudaError> {
        let mut answer = T::default();
        let code = match of {
            Some(device) => {
                type OfDevice<T> = unsafe extern "C" fn(*mut T, c_int) -> c_int;
                let ask: OfDevice<T> = self.symbol(call)?;
                // SAFETY: of the calls made here (cuDeviceGet, cuDeviceTotalMem_v2, cuDeviceGetUuid and its second
                // form) each writes one T and takes one number.
                unsafe { ask(&mut answer, device) }
            }
            None => {
                type OfDriver<T> = unsafe extern "C" fn(*mut T) -> c_int;
                let ask: OfDriver<T> = self.symbol(call)?;
                // SAFETY: cuDriverGetVersion and cuDeviceGetCount write one T.
                unsafe { ask(&mut answer) }
            }
        };
        self.checked(call, code)?;
        Ok(answer)
    }

    fn symbol<F: Copy>(self, call: &'static str) -> Result<F, CudaError> {
        // SAFETY: every caller names the type that the driver API gives this function; the library is never closed.
        unsafe { self.library.get::<F>(call.as_bytes()) }
            .map(|found| *found)
            .map_err(|_| CudaError::absent(call, "the installed driver does not have this function"))
    }

    fn checked(self, call: &'static str, code: c_int) -> Result<(), CudaError> {
        match code {
            0 => Ok(()),
            code => Err(CudaError::cuda(call, code, self.words(code))),
        }
    }

    /// The driver's words for a number.
    fn words(self, code: c_int) -> String {
        type GetErrorString = unsafe extern "C" fn(c_int, *mut *const c_char) -> c_int;
        let unknown = || "no words".to_owned();
        let Ok(get) = self.symbol::<GetErrorString>("cuGetErrorString") else {
            return unknown();
        };
        let mut text = std::ptr::null();
        // SAFETY: the signature is the driver API's; what is written is a constant of the library or null.
        if unsafe { get(code, &mut text) } != 0 || text.is_null() {
            return unknown();
        }
        // SAFETY: a constant of the library, which ends with a zero and is never unloaded.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }
}

/// `GPU-5a1c3f5e-....` as `nvidia-smi -L` writes it.
fn uuid_text(bytes: [u8; 16], is_slice: bool) -> String {
    let hex = |part: &[u8]| part.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let kind = if is_slice { "MIG" } else { "GPU" };
    let groups = [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].map(hex);
    format!("{kind}-{}", groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::Identity;
    use super::uuid_text;

    #[test]
    fn a_uuid_reads_as_the_vendors_tool_writes_it() {
        let bytes = *b"\x5a\x1c\x3f\x5e\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\xff";
        assert_eq!(uuid_text(bytes, false), "GPU-5a1c3f5e-0001-0203-0405-060708090aff");
        assert!(uuid_text(bytes, true).starts_with("MIG-5a1c"));
    }

    #[test]
    fn a_slice_says_so_in_its_name() {
        let named = |name: &str| Identity {
            name: name.to_owned(),
            ..Identity::default()
        };
        assert!(named("NVIDIA A100-SXM4-40GB MIG 1g.5gb").is_slice());
        assert!(!named("NVIDIA GeForce RTX 4090").is_slice());
    }
}
