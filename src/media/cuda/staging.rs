//! Page-locked memory of the host: what pictures and tables pass through on their way to a device and back. A copy of
//! other memory is none that goes on by itself: the driver takes it piece by piece through memory of its own.
//!
//! Guarantees: a piece is given out again only when the copy that reads it is over; what lies idle is bounded, in pieces
//! and in bytes; all is freed with the context current and before the context is given back. Deliberately absent: what
//! is copied; a bound of what is in use, which the threads of a pass give: each has one piece at a time; giving back to a
//! device that was lost, of which nothing more is asked: the end of the process does that.

use crate::media::cuda::error;
use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use cudarc::driver::CudaEvent;
use cudarc::driver::sys;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Pieces that may lie idle: a few for each of a pass's threads that copy.
const MOST_IDLE: usize = 12;
/// Bytes that may lie idle: page-locked memory is the whole host's loss.
const MOST_IDLE_BYTES: usize = 128 << 20;
/// Pieces are a multiple of this, so that pictures of about one size share them.
const GRAIN_BYTES: usize = 64 << 10;
/// A piece so many times as large as what is wanted is left to those who need it.
const MOST_WASTE: usize = 4;

/// One piece.
#[derive(Debug)]
struct Piece {
    start: NonNull<u8>,
    size_bytes: usize,
    /// The last copy that reads it, where nobody has waited for that.
    copied: Option<CudaEvent>,
}

// SAFETY: memory of the host like any other, of one owner at a time.
unsafe impl Send for Piece {}

impl Piece {
    fn take(gpu: &Gpu, wanted_bytes: usize) -> Result<Self, CudaError> {
        gpu.enter()?;
        let size_bytes = wanted_bytes.max(1).next_multiple_of(GRAIN_BYTES);
        let mut start = ptr::null_mut();
        // SAFETY: the context is current, and the answer is ours to write to.
        unsafe { sys::cuMemHostAlloc(&mut start, size_bytes, 0) }
            .result()
            .map_err(error::of("cuMemHostAlloc"))?;
        let Some(start) = NonNull::new(start.cast::<u8>()) else {
            return Err(CudaError::refused("cuMemHostAlloc", "it answered with no address"));
        };
        // SAFETY: ours, so many bytes long. What nobody wrote to may not be read as bytes.
        unsafe { start.write_bytes(0, size_bytes) };
        Ok(Piece {
            start,
            size_bytes,
            copied: None,
        })
    }

    fn is_ready(&self) -> Result<bool, CudaError> {
        match &self.copied {
            Some(copied) => copied.try_is_complete().map_err(error::of("cuEventQuery")),
            None => Ok(true),
        }
    }

    /// Waits until nothing reads it any more.
    fn wait(&mut self) -> Result<(), CudaError> {
        if let Some(copied) = &self.copied {
            copied.synchronize().map_err(error::of("cuEventSynchronize"))?;
        }
        self.copied = None;
        Ok(())
    }

    /// Gives it back; without its device it stays where it is.
    fn free(mut self, gpu: &Gpu) {
        if gpu.enter().and_then(|()| self.wait()).is_err() {
            return std::mem::forget(self);
        }
        // SAFETY: the context is current; ours, freed once, and no copy uses it.
        let _ = unsafe { sys::cuMemFreeHost(self.start.as_ptr().cast::<c_void>()) };
    }
}

/// Pieces of one device that lie idle, the one that has done so longest first.
#[derive(Debug, Default)]
pub(super) struct Staging {
    idle: Mutex<VecDeque<Piece>>,
}

impl Staging {
    /// A piece of at least that size.
    fn take(&self, gpu: &Gpu, wanted_bytes: usize) -> Result<Piece, CudaError> {
        gpu.enter()?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = idle.len() >= MOST_IDLE;
        let sizes = idle.iter().map(|piece| piece.size_bytes);
        let Some(mut found) = fitting(sizes, wanted_bytes).and_then(|at| idle.remove(at)) else {
            drop(idle);
            return Piece::take(gpu, wanted_bytes);
        };
        drop(idle);
        match found.is_ready() {
            // Its copy is not over: another piece lets the host go on meanwhile.
            Ok(false) if !is_full => {
                self.put(gpu, found);
                Piece::take(gpu, wanted_bytes)
            }
            is_ready => match is_ready.and_then(|_| found.wait()) {
                Ok(()) => Ok(found),
                Err(error) => {
                    std::mem::forget(found);
                    Err(error)
                }
            },
        }
    }

    /// Takes it back, and frees what is then too much, the one that has lain longest first.
    fn put(&self, gpu: &Gpu, piece: Piece) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push_back(piece);
        let mut freed = Vec::new();
        while excess(idle.iter().map(|piece| piece.size_bytes)) {
            freed.extend(idle.pop_front());
        }
        // Freeing waits for the device, so nobody should wait for the lock meanwhile.
        drop(idle);
        freed.into_iter().for_each(|piece| piece.free(gpu));
    }

    /// Frees all that lies idle, before the context is given back.
    pub(super) fn empty(&self, gpu: &Gpu) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        idle.into_iter().for_each(|piece| piece.free(gpu));
    }

    /// Forgets all without a call of the driver.
    pub(super) fn forget(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        idle.into_iter().for_each(std::mem::forget);
    }
}

/// The piece to take of pieces of these sizes, the one that has lain longest first.
fn fitting(mut sizes: impl Iterator<Item = usize>, wanted_bytes: usize) -> Option<usize> {
    let most = wanted_bytes.saturating_mul(MOST_WASTE).max(GRAIN_BYTES);
    sizes.position(|size| size >= wanted_bytes && size <= most)
}

/// Whether pieces of these sizes are more than may lie idle.
fn excess(sizes: impl Iterator<Item = usize>) -> bool {
    let (mut count, mut bytes) = (0, 0_usize);
    for size in sizes {
        count += 1;
        bytes = bytes.saturating_add(size);
    }
    count > MOST_IDLE || bytes > MOST_IDLE_BYTES
}

/// A piece of one holder, who fills it and sends it, or fetches and reads it.
#[derive(Debug)]
pub(super) struct Staged {
    gpu: Arc<Gpu>,
    /// None only while it is dropped.
    piece: Option<Piece>,
    wanted_bytes: usize,
    /// Copies were queued, and nobody knows when they are over.
    is_in_doubt: bool,
}

impl Staged {
    /// A piece of that size, with anything in it.
    pub(super) fn take(gpu: &Arc<Gpu>, wanted_bytes: usize) -> Result<Self, CudaError> {
        Ok(Staged {
            gpu: Arc::clone(gpu),
            piece: Some(gpu.staging().take(gpu, wanted_bytes)?),
            wanted_bytes,
            is_in_doubt: false,
        })
    }

    fn piece(&self) -> &Piece {
        self.piece.as_ref().expect("it is there until it is dropped")
    }

    /// What is in it.
    pub(super) fn bytes(&self) -> &[u8] {
        let start = self.piece().start;
        // SAFETY: as long as that at least, written to from its beginning, and nobody else has it; who queued a copy into
        // it has waited for that ([`Staged::arrived`]).
        unsafe { std::slice::from_raw_parts(start.as_ptr(), self.wanted_bytes) }
    }

    /// The same, to be written.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        let start = self.piece().start;
        // SAFETY: as above, and borrowed exclusively; copies that read it are queued by what consumes it.
        unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), self.wanted_bytes) }
    }

    /// Copies from or into it are about to be queued.
    pub(super) fn begin(&mut self) {
        self.is_in_doubt = true;
    }

    /// Everything is queued that reads it. Nobody waits: it is used again when that is over.
    pub(super) fn sent(mut self) -> Result<(), CudaError> {
        let copied = self.gpu.mark()?;
        if let Some(piece) = &mut self.piece {
            piece.copied = Some(copied);
        }
        self.is_in_doubt = false;
        Ok(())
    }

    /// Waits until everything is there that is queued to be written into it.
    pub(super) fn arrived(&mut self) -> Result<(), CudaError> {
        self.gpu.settle()?;
        self.is_in_doubt = false;
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let Some(piece) = self.piece.take() else { return };
        let is_known = !self.is_in_doubt || self.gpu.settle().is_ok();
        if is_known && self.gpu.enter().is_ok() {
            self.gpu.staging().put(&self.gpu, piece);
        } else {
            std::mem::forget(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GRAIN_BYTES;
    use super::MOST_IDLE;
    use super::MOST_IDLE_BYTES;
    use super::excess;
    use super::fitting;

    #[test]
    fn the_piece_that_lay_longest_is_taken_unless_it_is_far_too_large() {
        let grains = |counts: &[usize]| counts.iter().map(|count| count * GRAIN_BYTES).collect::<Vec<_>>();
        let of = |counts: &[usize], wanted: usize| fitting(grains(counts).into_iter(), wanted);
        assert_eq!(
            of(&[1, 40, 3, 2], 2 * GRAIN_BYTES),
            Some(2),
            "40 is kept for larger ones"
        );
        assert_eq!(of(&[1, 40, 3, 2], 30 * GRAIN_BYTES), Some(1));
        assert_eq!(of(&[1, 2], 3 * GRAIN_BYTES), None);
        assert_eq!(of(&[1], 100), Some(0), "the smallest piece serves whatever is smaller");
    }

    #[test]
    fn what_lies_idle_is_bounded_in_pieces_and_bytes() {
        assert!(!excess(std::iter::repeat_n(GRAIN_BYTES, MOST_IDLE)));
        assert!(excess(std::iter::repeat_n(GRAIN_BYTES, MOST_IDLE + 1)));
        assert!(!excess([MOST_IDLE_BYTES].into_iter()));
        assert!(excess([MOST_IDLE_BYTES, 1].into_iter()));
    }
}
