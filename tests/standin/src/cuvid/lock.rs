//! Locks of contexts that float between threads.

use crate::cuda::code::Code;
use crate::cuda::code::INVALID_CONTEXT;
use crate::cuda::code::INVALID_HANDLE;
use crate::cuda::code::answer;
use crate::cuda::code::put;
use crate::cuda::code::refuse;
use crate::cuda::context;
use crate::handle::Table;
use std::ffi::c_uint;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread::ThreadId;

static LOCKS: Table<Lock> = Table::new();

/// A lock, which its holder may take again.
#[derive(Debug)]
pub struct Lock {
    context: usize,
    holder: Mutex<Option<(ThreadId, usize)>>,
    freed: Condvar,
}

impl Lock {
    fn take(&self) {
        let me = std::thread::current().id();
        let mut holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match holder.as_mut() {
                None => *holder = Some((me, 1)),
                Some((other, depth)) if *other == me => *depth += 1,
                Some(_) => {
                    holder = self.freed.wait(holder).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
            }
            break;
        }
        drop(holder);
        context::push(std::ptr::without_provenance_mut(self.context));
    }

    fn give_back(&self, call: &str) -> Result<(), Code> {
        let me = std::thread::current().id();
        let mut holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        match holder.as_mut() {
            Some((other, depth)) if *other == me => {
                *depth -= 1;
                if *depth == 0 {
                    *holder = None;
                    self.freed.notify_one();
                }
            }
            _ => return refuse(call, INVALID_HANDLE, "the lock is not this thread's"),
        }
        context::pop();
        Ok(())
    }
}

/// Holds a lock while a function of the driver works.
#[derive(Debug)]
pub struct Held(Option<Arc<Lock>>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(lock) = &self.0 {
            let _ = lock.give_back("cuvid");
        }
    }
}

/// Takes the lock of that handle; null: there is none to take.
pub fn hold(call: &str, handle: *mut c_void) -> Result<Held, Code> {
    if handle.is_null() {
        return Ok(Held(None));
    }
    let lock = of_handle(call, handle)?;
    lock.take();
    Ok(Held(Some(lock)))
}

fn of_handle(call: &str, handle: *mut c_void) -> Result<Arc<Lock>, Code> {
    match LOCKS.get(handle) {
        Some(lock) => Ok(lock),
        None => refuse(call, INVALID_HANDLE, "no such lock, or a destroyed one"),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuvidCtxLockCreate(to: *mut *mut c_void, context: *mut c_void) -> Code {
    let call = "cuvidCtxLockCreate";
    if context::of_handle(context).is_none() {
        return answer(refuse(call, INVALID_CONTEXT, "no such context"));
    }
    let handle = LOCKS.insert(Lock {
        context: context.addr(),
        holder: Mutex::new(None),
        freed: Condvar::new(),
    });
    // SAFETY: as this function's.
    answer(unsafe { put(call, to, handle) })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuvidCtxLockDestroy(handle: *mut c_void) -> Code {
    let call = "cuvidCtxLockDestroy";
    answer(of_handle(call, handle).and_then(|lock| {
        if lock.holder.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return refuse(call, INVALID_HANDLE, "the lock is held");
        }
        LOCKS.remove(handle);
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuvidCtxLock(handle: *mut c_void, _flags: c_uint) -> Code {
    answer(of_handle("cuvidCtxLock", handle).map(|lock| lock.take()))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuvidCtxUnlock(handle: *mut c_void, _flags: c_uint) -> Code {
    let call = "cuvidCtxUnlock";
    answer(of_handle(call, handle).and_then(|lock| lock.give_back(call)))
}
