//! Launches.
//!
//! Guarantees: device addresses within a kernel's parameter are looked up before it runs, and are the host's while it
//! does; a kernel that reaches beyond a piece of memory ends with the error of a real one, and so does its context.

use crate::contract;
use crate::cuda::code::Code;
use crate::cuda::code::ILLEGAL_ADDRESS;
use crate::cuda::code::INVALID_HANDLE;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::answer;
use crate::cuda::code::refuse;
use crate::cuda::context;
use crate::cuda::context::Context;
use crate::cuda::device;
use crate::cuda::memory;
use crate::cuda::memory::Stretch;
use crate::cuda::module;
use crate::cuda::module::Function;
use crate::cuda::stream;
use crate::fault;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;

/// Whether a device takes blocks and grids of these sizes.
fn sizes(call: &str, grid: [c_uint; 3], block: [c_uint; 3], shared_bytes: c_uint) -> Result<(), Code> {
    let within = |sizes: [c_uint; 3], most: [c_int; 3]| {
        sizes
            .iter()
            .zip(most)
            .all(|(size, most)| (1..=most.unsigned_abs()).contains(size))
    };
    let threads = block.iter().map(|size| u64::from(*size)).product::<u64>();
    if !within(grid, device::MAX_GRID)
        || !within(block, device::MAX_BLOCK)
        || threads > device::MAX_THREADS as u64
        || shared_bytes > device::MAX_SHARED as c_uint
    {
        let words = format!("a grid of {grid:?} blocks of {block:?} threads with {shared_bytes} bytes to share");
        return refuse(call, INVALID_VALUE, words);
    }
    Ok(())
}

/// Puts the host's addresses in the place of the device's; what they are of.
fn translate(call: &str, context: &Context, name: &str, words: &mut [u64]) -> Result<Vec<Stretch>, Code> {
    let mut touched = Vec::new();
    for (index, word) in words.iter_mut().enumerate() {
        if !memory::is_device_address(*word) {
            continue;
        }
        match memory::at(*word).filter(|found| found.piece.device() == context.device()) {
            Some(found) => {
                *word = found.start().expose_provenance() as u64;
                touched.push(found);
            }
            None => {
                contract::violated(
                    call,
                    format!(
                        "{name}: byte {} of its parameter, {word:#x}, is freed, unmapped or another device's",
                        index * 8
                    ),
                );
                context.lose(ILLEGAL_ADDRESS);
                return Err(ILLEGAL_ADDRESS);
            }
        }
    }
    Ok(touched)
}

/// Where in the memory of the device an address of the host lies, in words.
fn whereabouts(touched: &[Stretch], host: usize) -> String {
    let near = touched
        .iter()
        .map(|found| (host.wrapping_sub(found.piece.start().addr()) as isize, found))
        .min_by_key(|(away, _)| away.unsigned_abs());
    match near {
        Some((away, found)) => format!(
            "byte {away} of the piece of {} bytes at {:#x}",
            found.piece.bytes(),
            found.piece.address()
        ),
        None => format!("the host's address {host:#x}"),
    }
}

/// # Safety
/// `parameters` points to the kernel's one parameter.
unsafe fn run(
    call: &str,
    context: &Context,
    function: &Function,
    (grid, block): ([c_uint; 3], [c_uint; 3]),
    parameter: *const u8,
) -> Result<Vec<Stretch>, Code> {
    let mut words = vec![0_u64; function.parameter_bytes.div_ceil(8)];
    // SAFETY: as this function's; the words hold at least as many bytes.
    unsafe { std::ptr::copy_nonoverlapping(parameter, words.as_mut_ptr().cast(), function.parameter_bytes) };
    let touched = translate(call, context, &function.name, &mut words)?;
    // SAFETY: the parameter is of the size of the twin's, and its addresses were put in.
    match unsafe { function.twin.run(words.as_ptr().cast(), grid, block) } {
        Ok(()) => Ok(touched),
        Err(host) => {
            contract::violated(
                call,
                format!("{} touches {}", function.name, whereabouts(&touched, host)),
            );
            context.lose(ILLEGAL_ADDRESS);
            Err(ILLEGAL_ADDRESS)
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLaunchKernel(
    function: *mut c_void,
    grid_x: c_uint,
    grid_y: c_uint,
    grid_z: c_uint,
    block_x: c_uint,
    block_y: c_uint,
    block_z: c_uint,
    shared_bytes: c_uint,
    stream: *mut c_void,
    parameters: *mut *mut c_void,
    extra: *mut *mut c_void,
) -> Code {
    let call = "cuLaunchKernel";
    answer(context::current(call).and_then(|context| {
        let queue = stream::of_handle(call, &context, stream)?;
        let Some(function) = module::function(function).filter(|one| one.context == context.number()) else {
            return refuse(
                call,
                INVALID_HANDLE,
                "no such function in the current context, or an unloaded one",
            );
        };
        let shape = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
        sizes(call, shape.0, shape.1, shared_bytes)?;
        if parameters.is_null() || !extra.is_null() {
            return refuse(call, INVALID_VALUE, "parameters are given as an array of pointers");
        }
        // SAFETY: as this function's: one pointer for each parameter, of which there is one.
        let parameter = unsafe { parameters.read() };
        if parameter.is_null() {
            return refuse(call, INVALID_VALUE, "a null pointer to a parameter");
        }
        fault::tick(&context)?;
        if fault::is_refused(&function.name) {
            return Err(INVALID_VALUE);
        }
        // SAFETY: as this function's: it points to the parameter.
        let touched = unsafe { run(call, &context, &function, shape, parameter.cast()) }?;
        let moment = queue.queue();
        for stretch in touched {
            stretch.piece.touched_by(&moment);
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuOccupancyMaxPotentialBlockSize(
    grid: *mut c_int,
    block: *mut c_int,
    function: *mut c_void,
    _shared_of: *mut c_void,
    _shared_bytes: usize,
    limit: c_int,
) -> Code {
    let call = "cuOccupancyMaxPotentialBlockSize";
    answer(context::current(call).and_then(|_| {
        if module::function(function).is_none() {
            return refuse(call, INVALID_HANDLE, "no such function, or an unloaded one");
        }
        let most = if limit > 0 {
            limit.min(device::MAX_THREADS)
        } else {
            device::MAX_THREADS
        };
        // SAFETY: as this function's.
        unsafe { crate::cuda::code::put(call, grid, 40) }?;
        // SAFETY: as this function's.
        unsafe { crate::cuda::code::put(call, block, most) }
    }))
}
