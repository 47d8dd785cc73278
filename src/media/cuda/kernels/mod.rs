//! Kernels: what a device does to pictures between decoder and encoder. Beside each Rust file lies the CUDA it launches
//! and the PTX that `build.sh` made of it; `media::software` says what each must come to.
//!
//! Guarantees: sizes, layouts and devices are checked before anything is queued, so that no kernel reaches beyond a
//! surface; everything is queued on the device's one stream and nothing waits, but the first use of a size, which uploads
//! its tables. Deliberately absent: which pictures; waiting for results.

pub mod axes;
pub mod fields;
pub mod marks;
mod module;
pub mod pace;
pub mod parameters;
pub mod rgb;
pub mod scale;
pub mod tone;
pub mod trial;

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::kernels::axes::Tables;
use crate::media::cuda::kernels::module::Modules;
use crate::media::cuda::memory::DeviceMemory;
use crate::media::cuda::surface::Layout;
use crate::media::cuda::surface::Surface;
use crate::media::software::curves::Curve;
use crate::media::software::orientation::Crop;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

pub use fields::FieldsJob;
pub use marks::Mark;
pub use rgb::RgbJob;
pub use scale::ScaleJob;
pub use scale::ScaleOut;

/// Everything a device can do to pictures.
#[derive(Debug)]
pub struct Kernels {
    gpu: Arc<Gpu>,
    modules: Modules,
    tables: Tables,
    curves: Mutex<HashMap<Curve, Arc<DeviceMemory>>>,
    scratch: Mutex<Option<Arc<DeviceMemory>>>,
}

/// What of a surface is read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// 4:2:0.
    pub surface: &'a Surface,
    /// The part that counts.
    pub crop: Crop,
}

impl<'a> Source<'a> {
    /// All of it.
    pub fn whole(surface: &'a Surface) -> Self {
        Source {
            surface,
            crop: Crop::whole(surface.width(), surface.height()),
        }
    }

    fn check(&self, call: &'static str, gpu: &Arc<Gpu>) -> Result<(), CudaError> {
        check(call, gpu, self.surface)
    }
}

impl Kernels {
    /// Has the driver compile the kernels for this device, or take them from its cache.
    pub fn load(gpu: &Arc<Gpu>) -> Result<Arc<Self>, CudaError> {
        Ok(Arc::new(Kernels {
            gpu: Arc::clone(gpu),
            modules: Modules::load(gpu)?,
            tables: Tables::default(),
            curves: Mutex::default(),
            scratch: Mutex::default(),
        }))
    }

    /// The device.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }

    fn modules(&self) -> &Modules {
        &self.modules
    }

    fn tables(&self) -> &Tables {
        &self.tables
    }

    fn is_ours(&self, call: &'static str, surface: &Surface) -> Result<(), CudaError> {
        check(call, &self.gpu, surface)
    }
}

/// Whether a surface is this device's and 4:2:0.
fn check(call: &'static str, gpu: &Arc<Gpu>, surface: &Surface) -> Result<(), CudaError> {
    if !Arc::ptr_eq(surface.gpu(), gpu) {
        return Err(CudaError::refused(call, "the surface is another device's"));
    }
    match surface.layout() {
        Layout::Nv12 | Layout::P016 | Layout::Yuv420p | Layout::Yuv420p10 => Ok(()),
        other => Err(CudaError::refused(call, format!("the surface is {other:?}, not 4:2:0"))),
    }
}
