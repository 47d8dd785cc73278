//! Taking and freeing memory of devices.

use crate::cuda::code::Code;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::NOT_SUPPORTED;
use crate::cuda::code::OUT_OF_MEMORY;
use crate::cuda::code::answer;
use crate::cuda::code::put;
use crate::cuda::code::refuse;
use crate::cuda::context;
use crate::cuda::context::Context;
use crate::cuda::device;
use crate::cuda::memory;
use crate::cuda::memory::Kind;
use crate::cuda::stream;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;

/// What rows of pitched memory are a multiple of.
pub const PITCH: usize = 512;
/// The one pool of a device.
const POOL: usize = 0x0B10;

/// Takes a piece and writes its address.
///
/// # Safety
/// As of [`put`].
unsafe fn take(call: &str, context: &Context, to: *mut u64, bytes: usize, kind: Kind) -> Result<(), Code> {
    if bytes == 0 {
        return refuse(call, INVALID_VALUE, "0 bytes are asked for");
    }
    let piece = memory::take(context, bytes, kind).ok_or(OUT_OF_MEMORY)?;
    // SAFETY: as this function's.
    unsafe { put(call, to, piece.address()) }
}

fn free(call: &str, context: &Context, address: u64) -> Result<(), Code> {
    if address == 0 {
        return Ok(());
    }
    match memory::at(address) {
        Some(found) if found.offset != 0 => refuse(call, INVALID_VALUE, format!("{address:#x} lies within a piece")),
        Some(found) if found.piece.kind() == Kind::Frame => {
            refuse(call, INVALID_VALUE, format!("{address:#x} is a decoder's frame"))
        }
        Some(_) if memory::give_back(call, address).is_some() => {
            // Freeing waits for what is queued.
            stream::settle_all(context);
            Ok(())
        }
        _ => refuse(call, INVALID_VALUE, format!("{address:#x} is freed or was never taken")),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAlloc_v2(to: *mut u64, bytes: usize) -> Code {
    let call = "cuMemAlloc";
    // SAFETY: as this function's.
    answer(context::current(call).and_then(|context| unsafe { take(call, &context, to, bytes, Kind::Linear) }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocPitch_v2(
    to: *mut u64,
    pitch: *mut usize,
    row_bytes: usize,
    rows: usize,
    element: c_uint,
) -> Code {
    let call = "cuMemAllocPitch";
    answer(context::current(call).and_then(|context| {
        if ![4, 8, 16].contains(&element) {
            return refuse(
                call,
                INVALID_VALUE,
                format!("elements of {element} bytes: 4, 8 or 16 are taken"),
            );
        }
        let Some(bytes) = row_bytes
            .checked_next_multiple_of(PITCH)
            .and_then(|row| row.checked_mul(rows))
        else {
            return refuse(call, INVALID_VALUE, format!("{rows} rows of {row_bytes} bytes"));
        };
        let step = row_bytes.next_multiple_of(PITCH);
        // SAFETY: as this function's.
        unsafe { take(call, &context, to, bytes, Kind::Pitched(step)) }?;
        // SAFETY: as this function's.
        unsafe { put(call, pitch, step) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFree_v2(address: u64) -> Code {
    let call = "cuMemFree";
    answer(context::current(call).and_then(|context| free(call, &context, address)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocAsync(to: *mut u64, bytes: usize, stream: *mut c_void) -> Code {
    let call = "cuMemAllocAsync";
    answer(context::current(call).and_then(|context| {
        stream::of_handle(call, &context, stream)?.queue();
        // SAFETY: as this function's.
        unsafe { take(call, &context, to, bytes, Kind::Pool) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocFromPoolAsync(
    to: *mut u64,
    bytes: usize,
    pool: *mut c_void,
    stream: *mut c_void,
) -> Code {
    if pool.addr() != POOL {
        return answer(refuse("cuMemAllocFromPoolAsync", INVALID_VALUE, "no such pool"));
    }
    // SAFETY: as this function's.
    unsafe { cuMemAllocAsync(to, bytes, stream) }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFreeAsync(address: u64, stream: *mut c_void) -> Code {
    let call = "cuMemFreeAsync";
    answer(context::current(call).and_then(|context| {
        let stream = stream::of_handle(call, &context, stream)?;
        let Some(found) = memory::at(address).filter(|found| found.offset == 0) else {
            return refuse(call, INVALID_VALUE, format!("{address:#x} is freed or was never taken"));
        };
        if found
            .piece
            .last_use()
            .is_some_and(|last| !last.is_over_for(Some(&stream)))
        {
            return refuse(
                call,
                INVALID_VALUE,
                format!("{address:#x} is still used by work of another stream"),
            );
        }
        drop(found);
        stream.queue();
        free(call, &context, address)
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetDefaultMemPool(pool: *mut *mut c_void, device: c_int) -> Code {
    let call = "cuDeviceGetDefaultMemPool";
    let handle = std::ptr::without_provenance_mut(POOL);
    // SAFETY: as this function's.
    answer(device::known(call, device).and_then(|_| unsafe { put(call, pool, handle) }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetMemPool(pool: *mut *mut c_void, device: c_int) -> Code {
    // SAFETY: as this function's.
    unsafe { cuDeviceGetDefaultMemPool(pool, device) }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemPoolTrimTo(pool: *mut c_void, _keep: usize) -> Code {
    answer(pool_known("cuMemPoolTrimTo", pool))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemPoolSetAttribute(pool: *mut c_void, _attribute: c_int, _value: *mut c_void) -> Code {
    answer(pool_known("cuMemPoolSetAttribute", pool))
}

fn pool_known(call: &str, pool: *mut c_void) -> Result<(), Code> {
    if pool.addr() == POOL {
        Ok(())
    } else {
        refuse(call, INVALID_VALUE, "no such pool")
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> Code {
    let call = "cuMemGetInfo";
    answer(context::current(call).and_then(|context| {
        // SAFETY: as this function's.
        unsafe { put(call, free, memory::free_bytes(context.device())) }?;
        // SAFETY: as this function's.
        unsafe { put(call, total, device::total_memory()) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemGetAddressRange_v2(start: *mut u64, bytes: *mut usize, address: u64) -> Code {
    let call = "cuMemGetAddressRange";
    answer(context::current(call).and_then(|_| {
        let Some(found) = memory::at(address) else {
            return refuse(call, INVALID_VALUE, format!("{address:#x} is freed or was never taken"));
        };
        if !start.is_null() {
            // SAFETY: as this function's.
            unsafe { put(call, start, found.piece.address()) }?;
        }
        if !bytes.is_null() {
            // SAFETY: as this function's.
            unsafe { put(call, bytes, found.piece.bytes()) }?;
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuPointerGetAttribute(to: *mut c_void, attribute: c_int, address: u64) -> Code {
    let call = "cuPointerGetAttribute";
    answer(context::current(call).and_then(|_| {
        // What it is not sure of it answers so; asking is no offence.
        let found = memory::at(address).ok_or(INVALID_VALUE)?;
        match attribute {
            // SAFETY: as this function's; the type of memory is an int, 2 for a device's.
            2 => unsafe { put(call, to.cast::<c_uint>(), 2) },
            // SAFETY: as this function's; the device is an int.
            9 => unsafe { put(call, to.cast::<c_int>(), found.piece.device() as c_int) },
            _ => Err(NOT_SUPPORTED),
        }
    }))
}
