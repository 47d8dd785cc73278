//! Where the C library takes the memory of pictures from.
//!
//! Guarantees: a large block is given back to the system when it is freed. Left alone, glibc takes blocks as large as
//! any freed before from its heaps, of which every thread has its own, and keeps what is freed there: the pictures
//! decoded while a source is looked at would stay in memory beside those of the pass. Pools keep pictures from coming
//! and going. Deliberately absent: other allocators, which know no such rule.

/// Blocks from this size on have pages of their own.
#[cfg(target_env = "gnu")]
const OWN_PAGES_BYTES: std::ffi::c_int = 1 << 20;

/// Fixes the rule for the process.
pub(super) fn settle() {
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            fn mallopt(parameter: std::ffi::c_int, value: std::ffi::c_int) -> std::ffi::c_int;
        }
        /// `M_MMAP_THRESHOLD` of malloc.h.
        const MMAP_THRESHOLD: std::ffi::c_int = -3;
        // SAFETY: sets one number of the allocator, under its own lock. A refusal leaves its default.
        unsafe { mallopt(MMAP_THRESHOLD, OWN_PAGES_BYTES) };
    }
}
