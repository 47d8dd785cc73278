//! Contexts: which are alive, and which is current where.
//!
//! Guarantees: a call without a context that is current and alive is a violation; after an error that kills a context
//! every call on it answers that error, for the rest of the process, as it is with real ones.

use crate::cuda::code::CONTEXT_IS_DESTROYED;
use crate::cuda::code::Code;
use crate::cuda::code::DEVICE_UNAVAILABLE;
use crate::cuda::code::INVALID_CONTEXT;
use crate::cuda::code::NOT_SUPPORTED;
use crate::cuda::code::SUCCESS;
use crate::cuda::code::answer;
use crate::cuda::code::put;
use crate::cuda::code::refuse;
use crate::cuda::device;
use crate::cuda::host;
use crate::cuda::memory;
use crate::cuda::stream;
use crate::cuda::stream::Stream;
use crate::fault;
use crate::handle::Table;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

static CONTEXTS: Table<Context> = Table::new();
/// By device: its primary context's handle, and how often it is retained.
static PRIMARY: Mutex<BTreeMap<usize, (usize, usize)>> = Mutex::new(BTreeMap::new());

thread_local! {
    static CURRENT: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A context.
#[derive(Debug)]
pub struct Context {
    number: u64,
    device: usize,
    lost: AtomicI32,
    default_stream: Arc<Stream>,
}

impl Context {
    fn new(device: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Context {
            number,
            device,
            lost: AtomicI32::new(SUCCESS),
            default_stream: Arc::new(Stream::new(number)),
        }
    }

    /// No other has it, in the life of the process.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Where work goes that names no stream.
    pub fn default_stream(&self) -> &Arc<Stream> {
        &self.default_stream
    }

    /// Number of its device.
    pub fn device(&self) -> usize {
        self.device
    }

    /// From now on every call on it answers that.
    pub fn lose(&self, code: Code) {
        let _ = self
            .lost
            .compare_exchange(SUCCESS, code, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether it can still be used.
    pub fn usable(&self) -> Result<(), Code> {
        match self.lost.load(Ordering::Acquire) {
            SUCCESS => Ok(()),
            code => Err(code),
        }
    }
}

/// The one that is current on this thread. Every call that needs one begins so.
pub fn current(call: &str) -> Result<Arc<Context>, Code> {
    let context = current_even_lost(call)?;
    context.usable()?;
    Ok(context)
}

/// The same, when the call is to work on one that is lost, too.
pub fn current_even_lost(call: &str) -> Result<Arc<Context>, Code> {
    device::begun(call)?;
    let Some(handle) = top() else {
        return refuse(call, INVALID_CONTEXT, "no context is current on this thread");
    };
    match CONTEXTS.get(pointer(handle)) {
        Some(context) => Ok(context),
        None => refuse(call, CONTEXT_IS_DESTROYED, "the current context is destroyed"),
    }
}

/// The living context of that handle.
pub fn of_handle(handle: *mut c_void) -> Option<Arc<Context>> {
    CONTEXTS.get(handle)
}

/// The handle of the one that is current on this thread; null: none is.
pub fn current_handle() -> *mut c_void {
    top().map_or(std::ptr::null_mut(), pointer)
}

/// Whether it is the primary context of a device.
pub fn is_primary(handle: *mut c_void) -> bool {
    let primary = PRIMARY.lock().unwrap_or_else(PoisonError::into_inner);
    primary
        .values()
        .any(|(known, count)| *count > 0 && *known == handle.addr())
}

/// Makes it current on top of what is current.
pub fn push(handle: *mut c_void) {
    CURRENT.with_borrow_mut(|stack| stack.push(handle.addr()));
}

/// Takes the topmost off.
pub fn pop() -> Option<*mut c_void> {
    CURRENT.with_borrow_mut(Vec::pop).map(pointer)
}

fn top() -> Option<usize> {
    CURRENT.with_borrow(|stack| stack.last().copied())
}

fn pointer(handle: usize) -> *mut c_void {
    std::ptr::without_provenance_mut(handle)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut *mut c_void, device: c_int) -> Code {
    let call = "cuDevicePrimaryCtxRetain";
    answer(device::known(call, device).and_then(|device| {
        if fault::is_broken(device) {
            return Err(DEVICE_UNAVAILABLE);
        }
        let mut primary = PRIMARY.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = primary.entry(device).or_insert((0, 0));
        if entry.1 == 0 {
            entry.0 = CONTEXTS.insert(Context::new(device)).addr();
        }
        entry.1 += 1;
        // SAFETY: as this function's.
        unsafe { put(call, context, pointer(entry.0)) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxRelease_v2(device: c_int) -> Code {
    let call = "cuDevicePrimaryCtxRelease";
    answer(device::known(call, device).and_then(|device| {
        let mut primary = PRIMARY.lock().unwrap_or_else(PoisonError::into_inner);
        match primary.get_mut(&device) {
            Some((handle, count)) if *count > 0 => {
                *count -= 1;
                if *count == 0 {
                    destroy(*handle);
                }
                Ok(())
            }
            _ => refuse(call, INVALID_CONTEXT, "released more often than retained"),
        }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxReset_v2(device: c_int) -> Code {
    let call = "cuDevicePrimaryCtxReset";
    answer(device::known(call, device).map(|device| {
        let mut primary = PRIMARY.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((handle, count)) = primary.get_mut(&device)
            && *count > 0
        {
            // What is retained stays retained, of a fresh context.
            destroy(*handle);
            *handle = CONTEXTS.insert(Context::new(device)).addr();
        }
    }))
}

fn destroy(handle: usize) {
    if let Some(context) = CONTEXTS.remove(pointer(handle)) {
        memory::forget(&context);
        host::forget(&context);
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDevicePrimaryCtxGetState(device: c_int, flags: *mut c_uint, active: *mut c_int) -> Code {
    let call = "cuDevicePrimaryCtxGetState";
    answer(device::known(call, device).and_then(|device| {
        let primary = PRIMARY.lock().unwrap_or_else(PoisonError::into_inner);
        let is_active = primary.get(&device).is_some_and(|(_, count)| *count > 0);
        // SAFETY: as this function's.
        unsafe { put(call, flags, 0) }?;
        // SAFETY: as this function's.
        unsafe { put(call, active, c_int::from(is_active)) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxCreate_v2(context: *mut *mut c_void, _flags: c_uint, device: c_int) -> Code {
    let call = "cuCtxCreate";
    answer(device::known(call, device).and_then(|device| {
        if fault::is_broken(device) {
            return Err(DEVICE_UNAVAILABLE);
        }
        let handle = CONTEXTS.insert(Context::new(device));
        push(handle);
        // SAFETY: as this function's.
        unsafe { put(call, context, handle) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxDestroy_v2(context: *mut c_void) -> Code {
    let call = "cuCtxDestroy";
    answer(device::begun(call).and_then(|()| {
        let primary = PRIMARY.lock().unwrap_or_else(PoisonError::into_inner);
        if primary.values().any(|(handle, _)| *handle == context.addr()) {
            return refuse(call, INVALID_CONTEXT, "a primary context is released, not destroyed");
        }
        if CONTEXTS.get(context).is_none() {
            return refuse(call, INVALID_CONTEXT, "no such context");
        }
        destroy(context.addr());
        if top() == Some(context.addr()) {
            pop();
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCurrent(context: *mut c_void) -> Code {
    let call = "cuCtxSetCurrent";
    answer(device::begun(call).and_then(|()| {
        if !context.is_null() && CONTEXTS.get(context).is_none() {
            return refuse(call, INVALID_CONTEXT, "no such context, or a destroyed one");
        }
        pop();
        if !context.is_null() {
            push(context);
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetCurrent(context: *mut *mut c_void) -> Code {
    let call = "cuCtxGetCurrent";
    let handle = current_handle();
    // SAFETY: as this function's.
    answer(device::begun(call).and_then(|()| unsafe { put(call, context, handle) }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxPushCurrent_v2(context: *mut c_void) -> Code {
    let call = "cuCtxPushCurrent";
    answer(device::begun(call).and_then(|()| {
        if CONTEXTS.get(context).is_none() {
            return refuse(call, INVALID_CONTEXT, "no such context, or a destroyed one");
        }
        push(context);
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxPopCurrent_v2(context: *mut *mut c_void) -> Code {
    let call = "cuCtxPopCurrent";
    answer(device::begun(call).and_then(|()| match pop() {
        None => refuse(call, INVALID_CONTEXT, "no context is current on this thread"),
        Some(_) if context.is_null() => Ok(()),
        // SAFETY: as this function's.
        Some(handle) => unsafe { put(call, context, handle) },
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetDevice(device: *mut c_int) -> Code {
    let call = "cuCtxGetDevice";
    // SAFETY: as this function's.
    answer(current_even_lost(call).and_then(|context| unsafe { put(call, device, context.device as c_int) }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSynchronize() -> Code {
    answer(current("cuCtxSynchronize").map(|context| stream::settle_all(&context)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetApiVersion(context: *mut c_void, version: *mut c_uint) -> Code {
    let call = "cuCtxGetApiVersion";
    if !context.is_null() && CONTEXTS.get(context).is_none() {
        return answer(refuse(call, INVALID_CONTEXT, "no such context"));
    }
    // SAFETY: as this function's.
    answer(unsafe { put(call, version, 3020) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetStreamPriorityRange(least: *mut c_int, greatest: *mut c_int) -> Code {
    let call = "cuCtxGetStreamPriorityRange";
    answer(current(call).and_then(|_| {
        // SAFETY: as this function's.
        unsafe { put(call, least, 0) }?;
        // SAFETY: as this function's.
        unsafe { put(call, greatest, -5) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetFlags(_flags: c_uint) -> Code {
    answer(current("cuCtxSetFlags").map(|_| ()))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCacheConfig(_config: c_uint) -> Code {
    answer(current("cuCtxSetCacheConfig").map(|_| ()))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetLimit(_limit: c_uint, _value: usize) -> Code {
    answer(current("cuCtxSetLimit").map(|_| ()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetLimit(value: *mut usize, limit: c_uint) -> Code {
    let call = "cuCtxGetLimit";
    answer(current(call).and_then(|_| {
        let known = match limit {
            // Stack of a thread; printf's ring; heap.
            0 => 1024,
            1 => 1 << 20,
            2 => 8 << 20,
            _ => return Err(NOT_SUPPORTED),
        };
        // SAFETY: as this function's.
        unsafe { put(call, value, known) }
    }))
}
