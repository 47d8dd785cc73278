//! Where the host keeps what a device is said to hold.
//!
//! Guarantees: the page behind the last byte and the page before the first one cannot be touched; what lies between
//! the bytes and those pages is checked when it is asked for; the bytes begin as a pattern, never as zeros.

use std::ptr::NonNull;

const PAGE: usize = 4096;
/// What addresses are multiples of.
const ALIGN: usize = 256;
/// What nobody has written to yet.
const FRESH: u8 = 0x5A;
/// What nobody may write to.
const FENCE: u8 = 0xC7;

/// Bytes between two guards.
#[derive(Debug)]
pub struct View {
    mapping: NonNull<u8>,
    mapped: usize,
    offset: usize,
    bytes: usize,
}

// SAFETY: plain memory; who may touch it when is decided by those who use it.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

impl View {
    /// Takes the memory; none when the host has none left.
    pub fn new(bytes: usize) -> Option<Self> {
        let inner = bytes.next_multiple_of(ALIGN).next_multiple_of(PAGE);
        let mapped = inner.checked_add(2 * PAGE)?;
        // SAFETY: a fresh mapping of its own, of which no address is asked for.
        let mapping = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                mapped,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if mapping == libc::MAP_FAILED {
            return None;
        }
        let view = View {
            mapping: NonNull::new(mapping.cast())?,
            mapped,
            offset: PAGE + inner - bytes.next_multiple_of(ALIGN),
            bytes,
        };
        // SAFETY: the pages between the guards, all of them in the mapping.
        let opened = unsafe {
            libc::mprotect(
                view.mapping.as_ptr().add(PAGE).cast(),
                inner,
                libc::PROT_READ | libc::PROT_WRITE,
            )
        };
        if opened != 0 {
            return None;
        }
        // SAFETY: as above, and they were just made accessible.
        unsafe {
            let first = view.mapping.as_ptr().add(PAGE);
            let before = view.offset - PAGE;
            first.write_bytes(FENCE, before);
            first.add(before).write_bytes(FRESH, bytes);
            first.add(before + bytes).write_bytes(FENCE, inner - before - bytes);
        }
        Some(view)
    }

    /// Its first byte.
    pub fn start(&self) -> *mut u8 {
        // SAFETY: the offset lies in the mapping.
        unsafe { self.mapping.as_ptr().add(self.offset) }
    }

    /// Whether somebody wrote beside it.
    pub fn is_trampled(&self) -> bool {
        let before = self.offset - PAGE;
        let behind = self.mapped - PAGE - self.offset - self.bytes;
        // SAFETY: both stretches lie between the guards and were written to when the view was made.
        let (before, behind) = unsafe {
            (
                std::slice::from_raw_parts(self.mapping.as_ptr().add(PAGE), before),
                std::slice::from_raw_parts(self.start().add(self.bytes), behind),
            )
        };
        before.iter().chain(behind).any(|byte| *byte != FENCE)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's, and nobody has its address without holding the value.
        unsafe { libc::munmap(self.mapping.as_ptr().cast(), self.mapped) };
    }
}
