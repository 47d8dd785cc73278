//! Devices by their index, and their names.
//!
//! Guarantees: a device has one handle until the library is shut down, and none afterwards; a device that is lost
//! answers so to every question.

use crate::cuda::device::uuid;
use crate::handle::Table;
use crate::nvml::library::begun;
use crate::nvml::status::GPU_IS_LOST;
use crate::nvml::status::INVALID_ARGUMENT;
use crate::nvml::status::Status;
use crate::nvml::status::answer;
use crate::nvml::status::put;
use crate::nvml::status::put_text;
use crate::nvml::status::refuse;
use crate::settings::settings;
use std::collections::BTreeMap;
use std::ffi::c_char;
use std::ffi::c_uint;
use std::ffi::c_void;
use std::sync::Mutex;
use std::sync::PoisonError;

static HANDLES: Table<usize> = Table::new();
/// Addresses of the handles that were given out, by the device's number in CUDA.
static GIVEN: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// The CUDA number of the device of that handle.
pub fn known(call: &str, handle: *mut c_void) -> Result<usize, Status> {
    begun(call)?;
    let Some(device) = HANDLES.get(handle) else {
        return refuse(
            call,
            INVALID_ARGUMENT,
            "no handle of a device, or one of an earlier time",
        );
    };
    present(*device)
}

/// Ends all handles.
pub fn forget() {
    for (_, handle) in std::mem::take(&mut *GIVEN.lock().unwrap_or_else(PoisonError::into_inner)) {
        HANDLES.remove(std::ptr::without_provenance_mut::<c_void>(handle));
    }
}

fn present(device: usize) -> Result<usize, Status> {
    let listed = settings().nvml_lost_while.as_ref();
    let lost = listed.and_then(|path| std::fs::read_to_string(path).ok());
    let is_lost = lost.is_some_and(|text| text.split_whitespace().any(|number| number.parse() == Ok(device)));
    if is_lost { Err(GPU_IS_LOST) } else { Ok(device) }
}

fn handle_of(device: usize) -> *mut c_void {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let handle = given.entry(device).or_insert_with(|| HANDLES.insert(device).addr());
    std::ptr::without_provenance_mut(*handle)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> Status {
    let call = "nvmlDeviceGetCount";
    // SAFETY: as this function's.
    answer(begun(call).and_then(|()| unsafe { put(call, count, settings().devices as c_uint) }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, to: *mut *mut c_void) -> Status {
    let call = "nvmlDeviceGetHandleByIndex";
    answer(begun(call).and_then(|()| {
        let index = index as usize;
        if index >= settings().devices {
            return refuse(call, INVALID_ARGUMENT, format!("there is no device {index}"));
        }
        // Backwards where the environment wants it.
        let device = if settings().nvml_reversed {
            settings().devices - 1 - index
        } else {
            index
        };
        let handle = handle_of(present(device)?);
        // SAFETY: as this function's.
        unsafe { put(call, to, handle) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetUUID(device: *mut c_void, to: *mut c_char, length: c_uint) -> Status {
    let call = "nvmlDeviceGetUUID";
    answer(known(call, device).and_then(|device| {
        let hex: String = uuid(device).iter().map(|byte| format!("{byte:02x}")).collect();
        let groups = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        // SAFETY: as this function's.
        unsafe { put_text(call, to, length, &format!("GPU-{}", groups.join("-"))) }
    }))
}
