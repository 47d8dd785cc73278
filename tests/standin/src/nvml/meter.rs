//! How busy, full and warm a device is.
//!
//! Layouts: `nvmlUtilization_t` and `nvmlMemory_v2_t` of `nvml.h`.

use crate::cuda::device::total_memory;
use crate::nvml::device::known;
use crate::nvml::status::ARGUMENT_VERSION_MISMATCH;
use crate::nvml::status::INVALID_ARGUMENT;
use crate::nvml::status::Status;
use crate::nvml::status::answer;
use crate::nvml::status::put;
use crate::nvml::status::refuse;
use crate::settings::settings;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;

/// Microseconds over which engines are measured.
const SAMPLED_US: c_uint = 167_000;
/// `NVML_TEMPERATURE_GPU`.
const OF_THE_GPU: c_int = 0;

#[repr(C)]
pub struct Utilization {
    gpu: c_uint,
    memory: c_uint,
}

#[repr(C)]
pub struct Memory {
    version: c_uint,
    total: u64,
    reserved: u64,
    free: u64,
    used: u64,
}

const _: () = assert!(size_of::<Utilization>() == 8 && size_of::<Memory>() == 40);
/// Size and version in one number, as the header makes it.
const MEMORY_VERSION: c_uint = size_of::<Memory>() as c_uint | 2 << 24;

/// What the list says of that device: a reading, or below nought the status that is answered instead.
fn reading(list: &[i32], device: usize) -> Result<c_uint, Status> {
    let value = list.get(device).copied().unwrap_or(0);
    c_uint::try_from(value).map_err(|_| -value)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetUtilizationRates(device: *mut c_void, to: *mut Utilization) -> Status {
    let call = "nvmlDeviceGetUtilizationRates";
    answer(known(call, device).and_then(|device| {
        let gpu = reading(&settings().nvml_busy, device)?;
        // Another number, so that the two are not taken for one another.
        let memory = gpu / 2;
        // SAFETY: as this function's.
        unsafe { put(call, to, Utilization { gpu, memory }) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetEncoderUtilization(
    device: *mut c_void,
    percent: *mut c_uint,
    sampled_us: *mut c_uint,
) -> Status {
    let call = "nvmlDeviceGetEncoderUtilization";
    // SAFETY: as this function's.
    unsafe { engine(call, device, &settings().nvml_encoder, percent, sampled_us) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetDecoderUtilization(
    device: *mut c_void,
    percent: *mut c_uint,
    sampled_us: *mut c_uint,
) -> Status {
    let call = "nvmlDeviceGetDecoderUtilization";
    // SAFETY: as this function's.
    unsafe { engine(call, device, &settings().nvml_decoder, percent, sampled_us) }
}

/// # Safety
/// As of [`put`], for both.
unsafe fn engine(
    call: &str,
    device: *mut c_void,
    list: &[i32],
    percent: *mut c_uint,
    sampled_us: *mut c_uint,
) -> Status {
    let value = known(call, device).and_then(|device| reading(list, device));
    answer(value.and_then(|value| {
        // SAFETY: as this function's.
        unsafe { put(call, percent, value) }?;
        // SAFETY: as this function's.
        unsafe { put(call, sampled_us, SAMPLED_US) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMemoryInfo_v2(device: *mut c_void, to: *mut Memory) -> Status {
    let call = "nvmlDeviceGetMemoryInfo";
    answer(known(call, device).and_then(|device| {
        if to.is_null() {
            return refuse(call, INVALID_ARGUMENT, "a null pointer where an answer is to go");
        }
        // SAFETY: not null, and by the caller's promise a whole struct whose version is set.
        let version = unsafe { (&raw const (*to).version).read_unaligned() };
        if version != MEMORY_VERSION {
            return refuse(call, ARGUMENT_VERSION_MISMATCH, format!("version {version:#x}"));
        }
        let used = u64::from(reading(&settings().nvml_memory_used_mb, device)?) << 20;
        let total = total_memory() as u64;
        let memory = Memory {
            version,
            total,
            reserved: 0,
            free: total.saturating_sub(used),
            used,
        };
        // SAFETY: as this function's.
        unsafe { put(call, to, memory) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetTemperature(device: *mut c_void, sensor: c_int, to: *mut c_uint) -> Status {
    let call = "nvmlDeviceGetTemperature";
    answer(known(call, device).and_then(|device| {
        if sensor != OF_THE_GPU {
            return refuse(call, INVALID_ARGUMENT, format!("there is no sensor {sensor}"));
        }
        let celsius = reading(&settings().nvml_temperature, device)?;
        // SAFETY: as this function's.
        unsafe { put(call, to, celsius) }
    }))
}
