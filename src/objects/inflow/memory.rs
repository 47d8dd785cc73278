//! The memory that parts on their way into buckets may take together.
//!
//! Guarantees: whoever waits for room is served in turn; a part larger than all of it goes alone. Deliberately absent:
//! anything that gathers, which lies on disk.

use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

const MIB: u64 = 1 << 20;
/// Of all files together.
const ALL_MIB: u32 = 256;

/// Room for parts. Clones share it.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Semaphore>);

impl Default for Memory {
    fn default() -> Self {
        Memory(Arc::new(Semaphore::new(ALL_MIB as usize)))
    }
}

impl Memory {
    /// Waits for room for so many bytes, which is free again when the answer is dropped.
    pub async fn take(&self, size_bytes: u64) -> OwnedSemaphorePermit {
        let wanted = u32::try_from(size_bytes.div_ceil(MIB)).unwrap_or(u32::MAX);
        let permits = Arc::clone(&self.0).acquire_many_owned(wanted.min(ALL_MIB)).await;
        permits.expect("the semaphore is never closed")
    }
}
