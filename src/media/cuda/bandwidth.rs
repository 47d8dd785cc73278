//! How fast the memory of a device is: what kernels are measured against.
//!
//! Guarantees: measured by copies within the device that do not fit into its caches. Deliberately absent: copies between
//! host and device.

use crate::media::cuda::error;
use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::memory::DeviceMemory;
use cudarc::driver::sys;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

/// Bytes a second that copies of `piece_bytes` within the device read and write together, over at least `at_least`.
///
/// # Errors
/// The device has no memory for two such pieces, or is lost.
pub fn of_copies(gpu: &Arc<Gpu>, piece_bytes: usize, at_least: Duration) -> Result<f64, CudaError> {
    let from = DeviceMemory::new(gpu, piece_bytes)?;
    let to = DeviceMemory::new(gpu, piece_bytes)?;
    let copy = || {
        // SAFETY: the context is current, and both pieces are as long and held until the end.
        unsafe { sys::cuMemcpyDtoDAsync_v2(to.address(), from.address(), piece_bytes, gpu.raw_stream()) }
            .result()
            .map_err(error::of("cuMemcpyDtoDAsync"))
    };
    copy()?;
    gpu.settle()?;
    let begun = Instant::now();
    let mut bytes = 0.0;
    while begun.elapsed() < at_least {
        for _ in 0..16 {
            copy()?;
            bytes += 2.0 * piece_bytes as f64;
        }
        gpu.settle()?;
    }
    Ok(bytes / begun.elapsed().as_secs_f64())
}
