//! One session of the driver's, shared by the two threads that work with it.
//!
//! Guarantees: destroyed once, when nobody holds it any more; every call begins with the device's context. Deliberately
//! absent: the order of calls, which `session` and `output` keep.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::nvenc::api;
use crate::media::cuda::nvenc::api::Functions;
use crate::media::cuda::nvenc::api::Handle;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use std::sync::Arc;

/// An open session, initialised or not.
#[derive(Debug)]
pub struct Encoder {
    functions: &'static Functions,
    gpu: Arc<Gpu>,
    handle: Handle,
}

// SAFETY: the driver allows one thread to submit and another to take output; `Inputs`, behind its lock, keeps all other
// calls from happening at once.
unsafe impl Send for Encoder {}
// SAFETY: as above.
unsafe impl Sync for Encoder {}

impl Encoder {
    /// Opens a session on a device.
    ///
    /// # Errors
    /// `Busy`: all sessions are taken. `Absent`: no driver, too old a driver, or a device without encoders.
    pub fn open(gpu: &Arc<Gpu>) -> Result<Self, CudaError> {
        let functions = Functions::get()?;
        gpu.enter()?;
        let mut order = sys::NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS {
            version: sys::NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS_VER,
            deviceType: sys::NV_ENC_DEVICE_TYPE::NV_ENC_DEVICE_TYPE_CUDA,
            device: gpu.context().cu_ctx().cast(),
            apiVersion: sys::NVENCAPI_VERSION,
            ..Default::default()
        };
        let mut handle: Handle = std::ptr::null_mut();
        // SAFETY: the context lives as long as `gpu`, which the session keeps; both structs are ours.
        let code = unsafe { (functions.open)(&mut order, &mut handle) };
        let refusal = (code != 0).then(|| api::session_refused(code));
        if handle.is_null() {
            return Err(refusal.unwrap_or_else(|| api::refused("nvEncOpenEncodeSessionEx", 6, None)));
        }
        let encoder = Encoder {
            functions,
            gpu: Arc::clone(gpu),
            handle,
        };
        // By the header, a session that was refused is destroyed too where there is a handle of it.
        refusal.map_or(Ok(encoder), Err)
    }

    /// The functions.
    pub fn functions(&self) -> &'static Functions {
        self.functions
    }
    /// What they are called with.
    pub fn handle(&self) -> Handle {
        self.handle
    }
    /// The device.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }
    /// Checks an answer.
    pub fn check(&self, call: &'static str, code: u32) -> Result<(), CudaError> {
        self.functions.check(call, self.handle, code)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        if let Err(refusal) = self.gpu.enter() {
            // A lost context took the session with it.
            tracing::debug!(%refusal, "an encoder session was left to a lost device");
            return;
        }
        // SAFETY: ours, destroyed once; what belonged to it was given back before by whoever made it.
        let code = unsafe { (self.functions.destroy)(self.handle) };
        if code != 0 {
            tracing::debug!(code, "an encoder session could not be destroyed");
        }
    }
}
