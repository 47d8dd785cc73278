//! `cuInit`, and what there is to know about devices before anything is done with them.

use crate::cuda::code::Code;
use crate::cuda::code::INVALID_DEVICE;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::NO_DEVICE;
use crate::cuda::code::NOT_INITIALIZED;
use crate::cuda::code::answer;
use crate::cuda::code::put;
use crate::cuda::code::refuse;
use crate::settings::settings;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// What devices call themselves, so that nobody takes a result of theirs for one of a GPU.
pub const NAME: &str = "Stand-in (no GPU)";
/// Of Turing, the oldest generation with B-frames in HEVC.
pub const CAPABILITY: (c_int, c_int) = (7, 5);
/// Threads of a block, and of its three directions.
pub const MAX_THREADS: c_int = 1024;
pub const MAX_BLOCK: [c_int; 3] = [1024, 1024, 64];
/// Blocks of a grid in its three directions.
pub const MAX_GRID: [c_int; 3] = [i32::MAX, 65535, 65535];
/// Bytes that threads of a block share.
pub const MAX_SHARED: c_int = 48 << 10;

static BEGUN: AtomicBool = AtomicBool::new(false);

/// Whether `cuInit` was called, and whether there is such a device.
pub fn known(call: &str, device: c_int) -> Result<usize, Code> {
    begun(call)?;
    match usize::try_from(device) {
        Ok(device) if device < settings().devices => Ok(device),
        _ => refuse(call, INVALID_DEVICE, format!("there is no device {device}")),
    }
}

/// Whether `cuInit` was called.
pub fn begun(call: &str) -> Result<(), Code> {
    if BEGUN.load(Ordering::Acquire) {
        Ok(())
    } else {
        refuse(call, NOT_INITIALIZED, "called before cuInit")
    }
}

/// Its 16 bytes: the name of what it is, and its number.
pub fn uuid(device: usize) -> [u8; 16] {
    let mut uuid = *b"reelmill-stand00";
    uuid[15] += (device % 10) as u8;
    uuid[14] += (device / 10 % 10) as u8;
    uuid
}

#[unsafe(no_mangle)]
pub extern "C" fn cuInit(flags: c_uint) -> Code {
    if flags != 0 {
        return answer(refuse("cuInit", INVALID_VALUE, "flags are not 0"));
    }
    if settings().devices == 0 {
        return NO_DEVICE;
    }
    if settings().init_error != 0 {
        return settings().init_error;
    }
    BEGUN.store(true, Ordering::Release);
    answer(Ok(()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> Code {
    let (major, minor) = settings().cuda_version;
    // SAFETY: as this function's.
    answer(unsafe { put("cuDriverGetVersion", version, major * 1000 + minor * 10) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> Code {
    let call = "cuDeviceGetCount";
    // SAFETY: as this function's.
    answer(begun(call).and_then(|()| unsafe { put(call, count, settings().devices as c_int) }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGet(device: *mut c_int, ordinal: c_int) -> Code {
    let call = "cuDeviceGet";
    let found = begun(call).and_then(|()| match usize::try_from(ordinal) {
        // Asking how far the numbers go is no offence.
        Ok(number) if number < settings().devices => Ok(ordinal),
        _ => Err(INVALID_DEVICE),
    });
    // SAFETY: as this function's.
    answer(found.and_then(|ordinal| unsafe { put(call, device, ordinal) }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, length: c_int, device: c_int) -> Code {
    let call = "cuDeviceGetName";
    answer(known(call, device).and_then(|_| {
        if name.is_null() || length <= 0 {
            return refuse(call, INVALID_VALUE, "no room for a name");
        }
        let fits = NAME.len().min(length as usize - 1);
        // SAFETY: the caller gives `length` bytes, of which one is left for the end.
        unsafe {
            std::ptr::copy_nonoverlapping(NAME.as_ptr(), name.cast::<u8>(), fits);
            name.add(fits).write(0);
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetUuid(to: *mut [u8; 16], device: c_int) -> Code {
    let call = "cuDeviceGetUuid";
    // SAFETY: as this function's.
    answer(known(call, device).and_then(|device| unsafe { put(call, to, uuid(device)) }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetUuid_v2(to: *mut [u8; 16], device: c_int) -> Code {
    // SAFETY: as this function's.
    unsafe { cuDeviceGetUuid(to, device) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int) -> Code {
    let call = "cuDeviceTotalMem";
    // SAFETY: as this function's.
    answer(known(call, device).and_then(|_| unsafe { put(call, bytes, total_memory()) }))
}

/// Bytes of a device's memory.
pub fn total_memory() -> usize {
    (settings().memory_mb as usize) << 20
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceComputeCapability(major: *mut c_int, minor: *mut c_int, device: c_int) -> Code {
    let call = "cuDeviceComputeCapability";
    answer(known(call, device).and_then(|_| {
        // SAFETY: as this function's.
        unsafe { put(call, major, CAPABILITY.0) }?;
        // SAFETY: as this function's.
        unsafe { put(call, minor, CAPABILITY.1) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetPCIBusId(name: *mut c_char, length: c_int, device: c_int) -> Code {
    let call = "cuDeviceGetPCIBusId";
    answer(known(call, device).and_then(|device| {
        let text = format!("0000:{:02X}:00.0", device + 1);
        if name.is_null() || (length as usize) <= text.len() {
            return refuse(call, INVALID_VALUE, "no room for a name");
        }
        // SAFETY: the caller gives `length` bytes, which hold the text and its end.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), name.cast::<u8>(), text.len());
            name.add(text.len()).write(0);
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetAttribute(to: *mut c_int, attribute: c_int, device: c_int) -> Code {
    let call = "cuDeviceGetAttribute";
    answer(known(call, device).and_then(|device| {
        let value = match attribute {
            1 => MAX_THREADS,
            2..=4 => MAX_BLOCK[attribute as usize - 2],
            5..=7 => MAX_GRID[attribute as usize - 5],
            8 => MAX_SHARED,
            // Warp size; largest pitch; registers of a block; clock in kHz; alignment of textures.
            10 => 32,
            11 => i32::MAX,
            12 => 65536,
            13 => 1_590_000,
            14 => 512,
            // Copies and kernels at the same time; multiprocessors; time limit; integrated; maps host memory.
            15 => 1,
            16 => 40,
            17 | 18 => 0,
            19 => 1,
            // Compute mode: default. Concurrent kernels; ECC; bus; device; domain.
            20 => 0,
            31 => 1,
            32 => 0,
            33 => device as c_int + 1,
            34 | 50 => 0,
            // TCC; memory clock; bus width; L2; threads of a multiprocessor; engines for copies; one address space.
            35 => 0,
            36 => 5_001_000,
            37 => 256,
            38 => 4 << 20,
            39 => 1024,
            40 => 3,
            41 => 1,
            75 => CAPABILITY.0,
            76 => CAPABILITY.1,
            // Stream priorities; managed memory; concurrent managed access.
            78 => 1,
            83 | 89 => 1,
            // Shared memory of a block when asked for; memory pools.
            97 => 64 << 10,
            115 => 1,
            _ => 0,
        };
        // SAFETY: as this function's.
        unsafe { put(call, to, value) }
    }))
}
