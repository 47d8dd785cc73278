//! Copying and filling.
//!
//! Guarantees: both sides of a copy are looked at before a byte is moved: the device's lie whole in living pieces, the
//! host's are no addresses of a device, and page-locked where the copy is to go on by itself.

use crate::cuda::code::Code;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::answer;
use crate::cuda::code::refuse;
use crate::cuda::context;
use crate::cuda::context::Context;
use crate::cuda::host;
use crate::cuda::memory;
use crate::cuda::memory::Stretch;
use crate::cuda::stream;
use crate::cuda::stream::Moment;
use std::ffi::c_uint;
use std::ffi::c_void;

const HOST: c_uint = 1;
const DEVICE: c_uint = 2;
const UNIFIED: c_uint = 4;

/// `CUDA_MEMCPY2D`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Copy2d {
    source: Side<*const u8>,
    target: Side<*mut u8>,
    row_bytes: usize,
    rows: usize,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Side<P> {
    x_bytes: usize,
    y: usize,
    kind: c_uint,
    host: P,
    device: u64,
    array: *mut c_void,
    pitch: usize,
}

/// One side of a copy, looked at.
struct Place {
    start: *mut u8,
    /// Keeps the piece alive while its bytes are moved.
    stretch: Option<Stretch>,
}

fn place(call: &str, context: &Context, is_device: bool, address: u64, bytes: usize) -> Result<Place, Code> {
    if is_device {
        let stretch = memory::reach(call, context, address, bytes)?;
        return Ok(Place {
            start: stretch.start(),
            stretch: Some(stretch),
        });
    }
    if address == 0 || memory::is_device_address(address) {
        return refuse(call, INVALID_VALUE, format!("{address:#x} is no address of the host"));
    }
    Ok(Place {
        start: std::ptr::with_exposed_provenance_mut(address as usize),
        stretch: None,
    })
}

/// What is copied: rows of so many bytes, from row to row so many further.
struct Rows {
    bytes: usize,
    count: usize,
    source_step: usize,
    target_step: usize,
}

fn extent(step: usize, rows: &Rows) -> usize {
    if rows.count == 0 || rows.bytes == 0 {
        0
    } else {
        step * (rows.count - 1) + rows.bytes
    }
}

/// A copy: sides as (is it a device's, address).
///
/// # Safety
/// Addresses of the host are good for what is copied.
unsafe fn copy(
    call: &str,
    stream: Option<*mut c_void>,
    from: (bool, u64),
    to: (bool, u64),
    rows: &Rows,
) -> Result<(), Code> {
    let context = context::current(call)?;
    let queue = stream::of_handle(call, &context, stream.unwrap_or_default())?;
    if rows.bytes == 0 || rows.count == 0 {
        return Ok(());
    }
    let source = place(call, &context, from.0, from.1, extent(rows.source_step, rows))?;
    let target = place(call, &context, to.0, to.1, extent(rows.target_step, rows))?;
    let moment = queue.queue();
    if stream.is_some() {
        let sides = [(from, rows.source_step), (to, rows.target_step)];
        for ((_, address), step) in sides.into_iter().filter(|((is_device, _), _)| !is_device) {
            host::copied(call, address, extent(step, rows), &moment)?;
        }
    }
    for row in 0..rows.count {
        // SAFETY: both sides were measured: a device's by its piece, which is held, the host's by the caller.
        unsafe {
            let source = source.start.add(row * rows.source_step);
            let target = target.start.add(row * rows.target_step);
            std::ptr::copy(source, target, rows.bytes);
        }
    }
    note(&moment, [&source, &target]);
    if stream.is_none() {
        queue.settle();
    }
    Ok(())
}

fn note<const N: usize>(moment: &Moment, places: [&Place; N]) {
    for place in places {
        if let Some(stretch) = &place.stretch {
            stretch.piece.touched_by(moment);
        }
    }
}

fn line(bytes: usize) -> Rows {
    Rows {
        bytes,
        count: 1,
        source_step: bytes,
        target_step: bytes,
    }
}

fn of_host(address: *const c_void) -> (bool, u64) {
    (false, address.expose_provenance() as u64)
}

fn device(address: u64) -> (bool, u64) {
    (true, address)
}

fn either(address: u64) -> (bool, u64) {
    (memory::is_device_address(address), address)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoD_v2(to: u64, from: *const c_void, bytes: usize) -> Code {
    // SAFETY: as this function's.
    answer(unsafe { copy("cuMemcpyHtoD", None, of_host(from), device(to), &line(bytes)) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoDAsync_v2(to: u64, from: *const c_void, bytes: usize, stream: *mut c_void) -> Code {
    // SAFETY: as this function's.
    answer(unsafe {
        copy(
            "cuMemcpyHtoDAsync",
            Some(stream),
            of_host(from),
            device(to),
            &line(bytes),
        )
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoH_v2(to: *mut c_void, from: u64, bytes: usize) -> Code {
    // SAFETY: as this function's.
    answer(unsafe { copy("cuMemcpyDtoH", None, device(from), of_host(to), &line(bytes)) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoHAsync_v2(to: *mut c_void, from: u64, bytes: usize, stream: *mut c_void) -> Code {
    // SAFETY: as this function's.
    answer(unsafe {
        copy(
            "cuMemcpyDtoHAsync",
            Some(stream),
            device(from),
            of_host(to),
            &line(bytes),
        )
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoD_v2(to: u64, from: u64, bytes: usize) -> Code {
    // SAFETY: as this function's.
    answer(unsafe { copy("cuMemcpyDtoD", None, device(from), device(to), &line(bytes)) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoDAsync_v2(to: u64, from: u64, bytes: usize, stream: *mut c_void) -> Code {
    // SAFETY: as this function's.
    answer(unsafe {
        copy(
            "cuMemcpyDtoDAsync",
            Some(stream),
            device(from),
            device(to),
            &line(bytes),
        )
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpy(to: u64, from: u64, bytes: usize) -> Code {
    // SAFETY: as this function's.
    answer(unsafe { copy("cuMemcpy", None, either(from), either(to), &line(bytes)) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyAsync(to: u64, from: u64, bytes: usize, stream: *mut c_void) -> Code {
    // SAFETY: as this function's.
    answer(unsafe { copy("cuMemcpyAsync", Some(stream), either(from), either(to), &line(bytes)) })
}

/// A side's address, and whether it is a device's.
fn side<P>(call: &str, side: &Side<P>, host: u64, row_bytes: usize, rows: usize) -> Result<(bool, u64), Code> {
    let (is_device, address) = match side.kind {
        HOST => (false, host),
        DEVICE => (true, side.device),
        UNIFIED => either(side.device),
        kind => {
            return refuse(
                call,
                INVALID_VALUE,
                format!("memory of kind {kind}: arrays are not stood in for"),
            );
        }
    };
    if rows > 1 && side.pitch < side.x_bytes + row_bytes {
        return refuse(
            call,
            INVALID_VALUE,
            format!("rows of {row_bytes} bytes, {} apart", side.pitch),
        );
    }
    Ok((is_device, address + (side.y * side.pitch + side.x_bytes) as u64))
}

/// # Safety
/// `what` is null or good; its sides of the host are good for what is copied.
unsafe fn copy_2d(call: &str, stream: Option<*mut c_void>, what: *const Copy2d) -> Result<(), Code> {
    if what.is_null() {
        return refuse(call, INVALID_VALUE, "a null pointer");
    }
    // SAFETY: as this function's.
    let what = unsafe { what.read() };
    let (bytes, count) = (what.row_bytes, what.rows);
    let from = side(
        call,
        &what.source,
        what.source.host.expose_provenance() as u64,
        bytes,
        count,
    )?;
    let to = side(
        call,
        &what.target,
        what.target.host.expose_provenance() as u64,
        bytes,
        count,
    )?;
    let rows = Rows {
        bytes,
        count,
        source_step: what.source.pitch,
        target_step: what.target.pitch,
    };
    // SAFETY: as this function's.
    unsafe { copy(call, stream, from, to, &rows) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpy2D_v2(what: *const Copy2d) -> Code {
    // SAFETY: as this function's.
    answer(unsafe { copy_2d("cuMemcpy2D", None, what) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpy2DUnaligned_v2(what: *const Copy2d) -> Code {
    // SAFETY: as this function's.
    answer(unsafe { copy_2d("cuMemcpy2DUnaligned", None, what) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpy2DAsync_v2(what: *const Copy2d, stream: *mut c_void) -> Code {
    // SAFETY: as this function's.
    answer(unsafe { copy_2d("cuMemcpy2DAsync", Some(stream), what) })
}

/// Fills rows of `elements` with a value of some bytes.
fn fill<const N: usize>(
    call: &str,
    stream: Option<*mut c_void>,
    (to, pitch): (u64, usize),
    value: [u8; N],
    (elements, rows): (usize, usize),
) -> Result<(), Code> {
    let context = context::current(call)?;
    let queue = stream::of_handle(call, &context, stream.unwrap_or_default())?;
    if elements == 0 || rows == 0 {
        return Ok(());
    }
    let row_bytes = elements * N;
    if !to.is_multiple_of(N as u64) || (rows > 1 && pitch < row_bytes) {
        return refuse(
            call,
            INVALID_VALUE,
            format!("rows of {row_bytes} bytes, {pitch} apart, at {to:#x}"),
        );
    }
    let stretch = memory::reach(call, &context, to, pitch * (rows - 1) + row_bytes)?;
    for row in 0..rows {
        for element in 0..elements {
            // SAFETY: measured above; the piece is held.
            unsafe {
                let start = stretch.start().add(row * pitch + element * N);
                std::ptr::copy_nonoverlapping(value.as_ptr(), start, N);
            }
        }
    }
    stretch.piece.touched_by(&queue.queue());
    if stream.is_none() {
        queue.settle();
    }
    Ok(())
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD8_v2(to: u64, value: u8, count: usize) -> Code {
    answer(fill("cuMemsetD8", None, (to, count), [value], (count, 1)))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD8Async(to: u64, value: u8, count: usize, stream: *mut c_void) -> Code {
    answer(fill("cuMemsetD8Async", Some(stream), (to, count), [value], (count, 1)))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD16_v2(to: u64, value: u16, count: usize) -> Code {
    answer(fill(
        "cuMemsetD16",
        None,
        (to, 2 * count),
        value.to_ne_bytes(),
        (count, 1),
    ))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD16Async(to: u64, value: u16, count: usize, stream: *mut c_void) -> Code {
    answer(fill(
        "cuMemsetD16Async",
        Some(stream),
        (to, 2 * count),
        value.to_ne_bytes(),
        (count, 1),
    ))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD32_v2(to: u64, value: u32, count: usize) -> Code {
    answer(fill(
        "cuMemsetD32",
        None,
        (to, 4 * count),
        value.to_ne_bytes(),
        (count, 1),
    ))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD32Async(to: u64, value: u32, count: usize, stream: *mut c_void) -> Code {
    answer(fill(
        "cuMemsetD32Async",
        Some(stream),
        (to, 4 * count),
        value.to_ne_bytes(),
        (count, 1),
    ))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD2D8_v2(to: u64, pitch: usize, value: u8, width: usize, rows: usize) -> Code {
    answer(fill("cuMemsetD2D8", None, (to, pitch), [value], (width, rows)))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD2D8Async(
    to: u64,
    pitch: usize,
    value: u8,
    width: usize,
    rows: usize,
    stream: *mut c_void,
) -> Code {
    answer(fill(
        "cuMemsetD2D8Async",
        Some(stream),
        (to, pitch),
        [value],
        (width, rows),
    ))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD2D16_v2(to: u64, pitch: usize, value: u16, width: usize, rows: usize) -> Code {
    answer(fill(
        "cuMemsetD2D16",
        None,
        (to, pitch),
        value.to_ne_bytes(),
        (width, rows),
    ))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD2D16Async(
    to: u64,
    pitch: usize,
    value: u16,
    width: usize,
    rows: usize,
    stream: *mut c_void,
) -> Code {
    answer(fill(
        "cuMemsetD2D16Async",
        Some(stream),
        (to, pitch),
        value.to_ne_bytes(),
        (width, rows),
    ))
}
