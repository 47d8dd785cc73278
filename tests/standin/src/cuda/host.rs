//! Page-locked memory of the host, and what copies that nobody has waited for read and write of it.
//!
//! Guarantees: bytes that a queued copy still reads or writes are neither given to another copy nor freed without that
//! being noticed; a copy that goes on by itself takes no other memory. Deliberately absent: noticing what the host itself
//! writes meanwhile.

use crate::contract;
use crate::cuda::code::Code;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::OUT_OF_MEMORY;
use crate::cuda::code::answer;
use crate::cuda::code::put;
use crate::cuda::code::refuse;
use crate::cuda::context;
use crate::cuda::context::Context;
use crate::cuda::memory;
use crate::cuda::stream::Moment;
use crate::settings::settings;
use std::alloc::Layout;
use std::collections::BTreeMap;
use std::ffi::c_uint;
use std::ffi::c_void;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// What memory of the host is a multiple of.
const ALIGN: usize = 4096;

static SPACE: Mutex<BTreeMap<usize, Piece>> = Mutex::new(BTreeMap::new());

/// One piece.
#[derive(Debug)]
struct Piece {
    bytes: usize,
    /// Number of the context it is of.
    context: u64,
    /// Copies that nobody is known to have waited for, and what of the piece they concern.
    copies: Vec<(Range<usize>, Moment)>,
}

fn space() -> MutexGuard<'static, BTreeMap<usize, Piece>> {
    SPACE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes a copy that goes on by itself, of `bytes` from an address of the host on. Other memory is taken as a driver takes
/// it, and that is a violation.
pub fn copied(call: &str, address: u64, bytes: usize, moment: &Moment) -> Result<(), Code> {
    let address = address as usize;
    let mut space = space();
    let found = space.range_mut(..=address).next_back();
    let Some((start, piece)) = found.filter(|(start, piece)| address < *start + piece.bytes) else {
        contract::violated(
            call,
            format!("{bytes} bytes at {address:#x} are not page-locked, so the copy does not go on by itself"),
        );
        return Ok(());
    };
    let range = address - start..address - start + bytes;
    if range.end > piece.bytes {
        let left = piece.bytes - range.start;
        return refuse(
            call,
            INVALID_VALUE,
            format!("{bytes} bytes of page-locked memory, of which {left} are left"),
        );
    }
    piece.copies.retain(|(_, moment)| !moment.is_over_for(None));
    let meets = |other: &Range<usize>| other.start < range.end && range.start < other.end;
    if piece.copies.iter().any(|(other, _)| meets(other)) {
        contract::violated(
            call,
            format!("page-locked bytes at {address:#x} are used again, and nobody waited for the copy before"),
        );
    }
    piece.copies.push((range, moment.clone()));
    Ok(())
}

/// Notices what is left of a context that ends.
pub fn forget(context: &Context) {
    let left = space()
        .extract_if(.., |_, piece| piece.context == context.number())
        .count();
    if left > 0 {
        contract::violated(
            "cuDevicePrimaryCtxRelease",
            format!("{left} pieces of page-locked memory were not freed before"),
        );
    }
}

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes, ALIGN).ok()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemHostAlloc(to: *mut *mut c_void, bytes: usize, _flags: c_uint) -> Code {
    let call = "cuMemHostAlloc";
    answer(context::current(call).and_then(|context| {
        let Some(layout) = layout(bytes).filter(|_| bytes > 0) else {
            return refuse(call, INVALID_VALUE, format!("{bytes} bytes are asked for"));
        };
        let mut space = space();
        let used: usize = space.values().map(|piece| piece.bytes).sum();
        let most = settings()
            .page_locked_mb
            .map_or(usize::MAX, |megabytes| (megabytes as usize) << 20);
        if used.saturating_add(bytes) > most {
            return Err(OUT_OF_MEMORY);
        }
        // SAFETY: the layout is not empty.
        let start = unsafe { std::alloc::alloc(layout) };
        if start.is_null() {
            return Err(OUT_OF_MEMORY);
        }
        // SAFETY: as long as that. What nobody wrote to is no zeros, as on a device.
        unsafe { start.write_bytes(0xA5, bytes) };
        let piece = Piece {
            bytes,
            context: context.number(),
            copies: Vec::new(),
        };
        space.insert(start.expose_provenance(), piece);
        // SAFETY: as this function's.
        unsafe { put(call, to, start.cast()) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocHost_v2(to: *mut *mut c_void, bytes: usize) -> Code {
    // SAFETY: as this function's.
    unsafe { cuMemHostAlloc(to, bytes, 0) }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFreeHost(start: *mut c_void) -> Code {
    let call = "cuMemFreeHost";
    answer(context::current(call).and_then(|_| {
        let Some(piece) = space().remove(&start.addr()) else {
            return refuse(call, INVALID_VALUE, "freed, or never taken by cuMemHostAlloc");
        };
        if piece.copies.iter().any(|(_, moment)| !moment.is_over_for(None)) {
            contract::violated(call, "nobody waited for a copy from or to this memory");
        }
        if let Some(layout) = layout(piece.bytes) {
            // SAFETY: taken with that layout, and no longer in the list.
            unsafe { std::alloc::dealloc(std::ptr::with_exposed_provenance_mut(start.addr()), layout) };
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemHostRegister_v2(start: *mut c_void, bytes: usize, _flags: c_uint) -> Code {
    let call = "cuMemHostRegister";
    answer(context::current(call).and_then(|_| {
        if start.is_null() || bytes == 0 || memory::is_device_address(start.addr() as u64) {
            return refuse(call, INVALID_VALUE, "no memory of the host");
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemHostUnregister(_start: *mut c_void) -> Code {
    answer(context::current("cuMemHostUnregister").map(|_| ()))
}
