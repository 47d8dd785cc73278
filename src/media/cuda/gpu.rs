//! One device, ready for work: its context and the stream on which all of a pass happens.
//!
//! Guarantees: work queued on [`Gpu::stream`] happens in the order in which it was queued, whichever thread did so; the
//! context is the device's primary one, which decoder and encoder share. Deliberately absent: events between streams;
//! one stream a pass needs none.

use crate::media::cuda::error;
use crate::media::cuda::error::CudaError;
use crate::media::cuda::library;
use crate::media::cuda::staging::Staging;
use cudarc::driver::CudaContext;
use cudarc::driver::CudaEvent;
use cudarc::driver::CudaStream;
use cudarc::driver::sys;
use std::sync::Arc;

/// An opened device.
#[derive(Debug)]
pub struct Gpu {
    ordinal: u32,
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    staging: Staging,
}

impl Gpu {
    /// Opens the device of that ordinal.
    pub fn open(ordinal: u32) -> Result<Arc<Self>, CudaError> {
        library::cuda_is_there()?;
        let context = CudaContext::new(ordinal as usize).map_err(error::of("cuDevicePrimaryCtxRetain"))?;
        // SAFETY: nothing of cudarc's own slices is used, whose order between streams the events would keep.
        unsafe { context.disable_event_tracking() };
        let stream = context.new_stream().map_err(error::of("cuStreamCreate"))?;
        Ok(Arc::new(Gpu {
            ordinal,
            context,
            stream,
            staging: Staging::default(),
        }))
    }

    /// Number within the driver.
    pub fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// The driver's name of it.
    pub fn name(&self) -> Result<String, CudaError> {
        self.enter()?;
        self.context.name().map_err(error::of("cuDeviceGetName"))
    }

    /// Makes its context the current one of the calling thread. Every function that calls the driver begins so, those
    /// that free something too: once a device is lost, nothing more is asked of the driver.
    pub fn enter(&self) -> Result<(), CudaError> {
        if let Some(lost) = error::lost() {
            return Err(lost);
        }
        self.context.bind_to_thread().map_err(error::of("cuCtxSetCurrent"))
    }

    /// The context.
    pub(super) fn context(&self) -> &Arc<CudaContext> {
        &self.context
    }

    /// Where all device work of a pass is queued, as the driver's libraries take it.
    pub(super) fn raw_stream(&self) -> sys::CUstream {
        self.stream.cu_stream()
    }

    /// Its page-locked memory of the host.
    pub(super) fn staging(&self) -> &Staging {
        &self.staging
    }

    /// A mark behind all that was queued so far.
    pub(super) fn mark(&self) -> Result<CudaEvent, CudaError> {
        self.enter()?;
        self.stream.record_event(None).map_err(error::of("cuEventRecord"))
    }

    /// Waits until all is done that was queued so far.
    pub fn settle(&self) -> Result<(), CudaError> {
        let mark = self.mark()?;
        let waited = mark.synchronize().map_err(error::of("cuEventSynchronize"));
        if waited.is_err() {
            // Not even that it is not wanted any more is told to a device that may be lost.
            std::mem::forget(mark);
        }
        waited
    }

    /// Bytes of memory that nobody uses, and all of them.
    pub fn memory(&self) -> Result<(u64, u64), CudaError> {
        self.enter()?;
        let (free, total) = self.context.mem_get_info().map_err(error::of("cuMemGetInfo"))?;
        Ok((free as u64, total as u64))
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        if error::lost().is_some() {
            // Kept for ever, because giving them back would be a call of the driver.
            self.staging.forget();
            std::mem::forget(Arc::clone(&self.stream));
            std::mem::forget(Arc::clone(&self.context));
        } else {
            self.staging.empty(self);
        }
    }
}
