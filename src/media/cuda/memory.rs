//! A piece of a device's memory that is no picture: tables, marks.
//!
//! Guarantees: freed when nobody holds it; freeing waits for what is queued on the device. Deliberately absent: what it
//! holds.

use crate::media::cuda::error;
use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::staging::Staged;
use cudarc::driver::sys;
use std::ffi::c_void;
use std::sync::Arc;

/// Memory on a device.
#[derive(Debug)]
pub(super) struct DeviceMemory {
    gpu: Arc<Gpu>,
    address: u64,
    size_bytes: usize,
}

impl DeviceMemory {
    /// Of a size, with anything in it.
    pub(super) fn new(gpu: &Arc<Gpu>, size_bytes: usize) -> Result<Self, CudaError> {
        gpu.enter()?;
        let mut address = 0;
        // SAFETY: the context is current, and the answer is ours to write to.
        unsafe { sys::cuMemAlloc_v2(&mut address, size_bytes.max(1)) }
            .result()
            .map_err(error::of("cuMemAlloc"))?;
        Ok(DeviceMemory {
            gpu: Arc::clone(gpu),
            address,
            size_bytes,
        })
    }

    /// With these bytes in it, for whatever is queued from now on.
    pub(super) fn holding(gpu: &Arc<Gpu>, bytes: &[u8]) -> Result<Self, CudaError> {
        let memory = Self::new(gpu, bytes.len())?;
        if bytes.is_empty() {
            return Ok(memory);
        }
        let mut staged = Staged::take(gpu, bytes.len())?;
        staged.bytes_mut().copy_from_slice(bytes);
        gpu.enter()?;
        staged.begin();
        let from = staged.bytes().as_ptr().cast::<c_void>();
        // SAFETY: the context is current, both pieces are as long as the bytes, and stay until the copy is over: this one
        // is freed, and the other used again, after what is queued.
        unsafe { sys::cuMemcpyHtoDAsync_v2(memory.address, from, bytes.len(), gpu.raw_stream()) }
            .result()
            .map_err(error::of("cuMemcpyHtoDAsync"))?;
        staged.sent()?;
        Ok(memory)
    }

    /// Queues the copy of all of it to the beginning of another piece, at least as long, of the same device.
    pub(super) fn copy_to(&self, to: &DeviceMemory) -> Result<(), CudaError> {
        if to.size_bytes < self.size_bytes || !Arc::ptr_eq(&self.gpu, &to.gpu) {
            return Err(CudaError::refused(
                "cuMemcpyDtoDAsync",
                "the other piece is shorter, or another device's",
            ));
        }
        self.gpu.enter()?;
        // SAFETY: the context is current, and both pieces are as long as what is copied.
        unsafe { sys::cuMemcpyDtoDAsync_v2(to.address, self.address, self.size_bytes, self.gpu.raw_stream()) }
            .result()
            .map_err(error::of("cuMemcpyDtoDAsync"))
    }

    /// Where it begins.
    pub(super) fn address(&self) -> u64 {
        self.address
    }

    /// How long it is.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}

impl Drop for DeviceMemory {
    fn drop(&mut self) {
        if self.gpu.enter().is_err() {
            // A lost context took its memory with it.
            return;
        }
        // SAFETY: ours, freed once; the call waits for what is queued on the device.
        let _ = unsafe { sys::cuMemFree_v2(self.address) };
    }
}
