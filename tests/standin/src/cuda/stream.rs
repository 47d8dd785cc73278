//! Streams and events.
//!
//! Guarantees: whatever is queued has happened when the call answers, but what a caller *waited for* is kept account
//! of, so that memory given back before the work that reads it was waited for is noticed.

use crate::cuda::code::Code;
use crate::cuda::code::INVALID_CONTEXT;
use crate::cuda::code::INVALID_HANDLE;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::UNKNOWN;
use crate::cuda::code::answer;
use crate::cuda::code::put;
use crate::cuda::code::refuse;
use crate::cuda::context;
use crate::cuda::context::Context;
use crate::handle::Table;
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Instant;

static STREAMS: Table<Stream> = Table::new();
static EVENTS: Table<Event> = Table::new();

/// A queue of work.
#[derive(Debug)]
pub struct Stream {
    context: u64,
    queued: AtomicU64,
    settled: AtomicU64,
    /// By other streams: up to which of their work it waits.
    waits: Mutex<BTreeMap<u64, u64>>,
    number: u64,
}

/// A point in a stream's work.
#[derive(Debug, Clone)]
pub struct Moment {
    stream: Arc<Stream>,
    work: u64,
}

impl Stream {
    /// An empty one.
    pub fn new(context: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Stream {
            context,
            queued: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            waits: Mutex::new(BTreeMap::new()),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Notes another piece of work.
    pub fn queue(self: &Arc<Self>) -> Moment {
        Moment {
            stream: Arc::clone(self),
            work: self.queued.fetch_add(1, Ordering::AcqRel) + 1,
        }
    }

    /// Notes that somebody waited for all of it.
    pub fn settle(&self) {
        self.settled
            .fetch_max(self.queued.load(Ordering::Acquire), Ordering::AcqRel);
    }
}

impl Moment {
    /// Whether it is certain to be over: waited for by the host, or, when it is asked for work of a stream, before it in
    /// that stream.
    pub fn is_over_for(&self, stream: Option<&Arc<Stream>>) -> bool {
        if self.stream.settled.load(Ordering::Acquire) >= self.work {
            return true;
        }
        stream.is_some_and(|stream| {
            let waits = stream.waits.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::ptr_eq(stream, &self.stream) || waits.get(&self.stream.number).is_some_and(|work| *work >= self.work)
        })
    }
}

#[derive(Debug)]
struct Event {
    context: u64,
    recorded: Mutex<Option<(Moment, Instant)>>,
}

/// The stream of that handle, of that context; null and the two special ones are its default stream.
pub fn of_handle(call: &str, context: &Context, handle: *mut c_void) -> Result<Arc<Stream>, Code> {
    if handle.addr() <= 2 {
        return Ok(Arc::clone(context.default_stream()));
    }
    match STREAMS.get(handle) {
        Some(stream) if stream.context == context.number() => Ok(stream),
        Some(_) => refuse(call, INVALID_CONTEXT, "the stream is of another context"),
        None => refuse(call, INVALID_HANDLE, "no such stream, or a destroyed one"),
    }
}

/// The stream of that handle and context, for a caller that has words of its own when there is none.
pub fn find(context: &Context, handle: *mut c_void) -> Option<Arc<Stream>> {
    if handle.addr() <= 2 {
        return Some(Arc::clone(context.default_stream()));
    }
    STREAMS.get(handle).filter(|stream| stream.context == context.number())
}

/// Notes that somebody waited for all of a context.
pub fn settle_all(context: &Context) {
    context.default_stream().settle();
    STREAMS.each(|stream| {
        if stream.context == context.number() {
            stream.settle();
        }
    });
}

fn event(call: &str, context: &Context, handle: *mut c_void) -> Result<Arc<Event>, Code> {
    match EVENTS.get(handle) {
        Some(event) if event.context == context.number() => Ok(event),
        Some(_) => refuse(call, INVALID_CONTEXT, "the event is of another context"),
        None => refuse(call, INVALID_HANDLE, "no such event, or a destroyed one"),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreate(stream: *mut *mut c_void, _flags: c_uint) -> Code {
    // SAFETY: as this function's.
    unsafe { cuStreamCreateWithPriority(stream, 0, 0) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreateWithPriority(
    stream: *mut *mut c_void,
    _flags: c_uint,
    _priority: c_int,
) -> Code {
    let call = "cuStreamCreate";
    answer(context::current(call).and_then(|context| {
        let handle = STREAMS.insert(Stream::new(context.number()));
        // SAFETY: as this function's.
        unsafe { put(call, stream, handle) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamDestroy_v2(stream: *mut c_void) -> Code {
    let call = "cuStreamDestroy";
    // Queued work goes on behind a destroyed stream: it is not waited for.
    answer(context::current(call).and_then(|context| {
        if stream.addr() <= 2 {
            return refuse(call, INVALID_HANDLE, "default streams are not destroyed");
        }
        of_handle(call, &context, stream)?;
        STREAMS.remove(stream);
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamSynchronize(stream: *mut c_void) -> Code {
    let call = "cuStreamSynchronize";
    answer(context::current(call).and_then(|context| {
        of_handle(call, &context, stream)?.settle();
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamQuery(stream: *mut c_void) -> Code {
    cuStreamSynchronize(stream)
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamWaitEvent(stream: *mut c_void, handle: *mut c_void, _flags: c_uint) -> Code {
    let call = "cuStreamWaitEvent";
    answer(context::current(call).and_then(|context| {
        let stream = of_handle(call, &context, stream)?;
        let event = event(call, &context, handle)?;
        let recorded = event.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((moment, _)) = recorded.as_ref() {
            let mut waits = stream.waits.lock().unwrap_or_else(PoisonError::into_inner);
            let known = waits.entry(moment.stream.number).or_default();
            *known = moment.work.max(*known);
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamGetCtx(stream: *mut c_void, to: *mut *mut c_void) -> Code {
    let call = "cuStreamGetCtx";
    answer(context::current(call).and_then(|context| {
        of_handle(call, &context, stream)?;
        // SAFETY: as this function's.
        unsafe { put(call, to, context::current_handle()) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamIsCapturing(stream: *mut c_void, status: *mut c_int) -> Code {
    let call = "cuStreamIsCapturing";
    answer(context::current(call).and_then(|context| {
        of_handle(call, &context, stream)?;
        // SAFETY: as this function's.
        unsafe { put(call, status, 0) }
    }))
}

/// A function of the host's.
type HostFunction = Option<unsafe extern "C" fn(*mut c_void)>;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLaunchHostFunc(stream: *mut c_void, function: HostFunction, data: *mut c_void) -> Code {
    let call = "cuLaunchHostFunc";
    answer(context::current(call).and_then(|context| {
        of_handle(call, &context, stream)?.queue();
        match function {
            Some(function) => {
                let data = data.expose_provenance();
                // SAFETY: the caller's function on the caller's data, on a thread of its own, as with the driver.
                let work = move || unsafe { function(std::ptr::with_exposed_provenance_mut(data)) };
                std::thread::spawn(work).join().map_err(|_| UNKNOWN)
            }
            None => refuse(call, INVALID_VALUE, "no function"),
        }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventCreate(to: *mut *mut c_void, _flags: c_uint) -> Code {
    let call = "cuEventCreate";
    answer(context::current(call).and_then(|context| {
        let handle = EVENTS.insert(Event {
            context: context.number(),
            recorded: Mutex::new(None),
        });
        // SAFETY: as this function's.
        unsafe { put(call, to, handle) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventDestroy_v2(handle: *mut c_void) -> Code {
    let call = "cuEventDestroy";
    answer(context::current(call).and_then(|context| {
        event(call, &context, handle)?;
        EVENTS.remove(handle);
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventRecord(handle: *mut c_void, stream: *mut c_void) -> Code {
    let call = "cuEventRecord";
    answer(context::current(call).and_then(|context| {
        let moment = of_handle(call, &context, stream)?.queue();
        let event = event(call, &context, handle)?;
        *event.recorded.lock().unwrap_or_else(PoisonError::into_inner) = Some((moment, Instant::now()));
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventSynchronize(handle: *mut c_void) -> Code {
    let call = "cuEventSynchronize";
    answer(context::current(call).and_then(|context| {
        let event = event(call, &context, handle)?;
        let recorded = event.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((moment, _)) = recorded.as_ref() {
            moment.stream.settled.fetch_max(moment.work, Ordering::AcqRel);
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventQuery(handle: *mut c_void) -> Code {
    cuEventSynchronize(handle)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime(ms: *mut f32, from: *mut c_void, to: *mut c_void) -> Code {
    let call = "cuEventElapsedTime";
    answer(context::current(call).and_then(|context| {
        let at = |handle| {
            let event = event(call, &context, handle)?;
            let recorded = event.recorded.lock().unwrap_or_else(PoisonError::into_inner);
            match recorded.as_ref() {
                Some((_, at)) => Ok(*at),
                None => refuse(call, INVALID_HANDLE, "the event was never recorded"),
            }
        };
        let elapsed = at(to)?.saturating_duration_since(at(from)?);
        // SAFETY: as this function's.
        unsafe { put(call, ms, elapsed.as_secs_f32() * 1000.0) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime_v2(ms: *mut f32, from: *mut c_void, to: *mut c_void) -> Code {
    // SAFETY: as this function's.
    unsafe { cuEventElapsedTime(ms, from, to) }
}
