//! Handles: what a caller holds instead of a pointer.
//!
//! Guarantees: a handle is never used twice in the life of a process and is an address at which nothing can lie, so a
//! stale or invented one is always noticed; one of another kind is none.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// No processor has memory at addresses with these bits.
const NOWHERE: u64 = 0x0B00_0000_0000_0000;
static NEXT: AtomicU64 = AtomicU64::new(1);

/// All living things of a kind.
#[derive(Debug)]
pub struct Table<T> {
    living: Mutex<BTreeMap<usize, Arc<T>>>,
}

impl<T> Table<T> {
    /// An empty one.
    #[allow(clippy::new_without_default, reason = "a constant one is wanted")]
    pub const fn new() -> Self {
        Table {
            living: Mutex::new(BTreeMap::new()),
        }
    }

    /// Takes a thing in; its handle.
    pub fn insert(&self, thing: T) -> *mut c_void {
        self.insert_shared(Arc::new(thing))
    }

    /// Takes a thing in that others hold, too.
    pub fn insert_shared(&self, thing: Arc<T>) -> *mut c_void {
        let handle = NOWHERE | (NEXT.fetch_add(1, Ordering::Relaxed) << 4);
        self.lock().insert(handle as usize, thing);
        std::ptr::without_provenance_mut(handle as usize)
    }

    /// The living thing of that handle.
    pub fn get<P>(&self, handle: *mut P) -> Option<Arc<T>> {
        self.lock().get(&handle.addr()).cloned()
    }

    /// Ends it.
    pub fn remove<P>(&self, handle: *mut P) -> Option<Arc<T>> {
        self.lock().remove(&handle.addr())
    }

    /// Does something with each that is alive.
    pub fn each(&self, mut act: impl FnMut(&Arc<T>)) {
        let living: Vec<_> = self.lock().values().cloned().collect();
        living.iter().for_each(&mut act);
    }

    /// How many are alive.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Arc<T>>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
