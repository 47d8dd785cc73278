//! What a pass launches on the device.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::cuda::PooledSurface;
use crate::media::cuda::Surface;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::lane::Aim;
use std::sync::Arc;

#[derive(Debug, Clone, Copy)]
pub struct Turn {
    pub rotation_degrees: u32,
    pub mirrored: bool,
}
#[derive(Debug)]
pub struct Launches {
    device: Arc<Device>,
}
impl Launches {
    pub fn new(device: &Arc<Device>) -> Self {
        Launches {
            device: Arc::clone(device),
        }
    }
    pub fn tone(&mut self, _: &Surface, _: Color, _: Aim) -> Result<PooledSurface, AvError> {
        Err(AvError::argument("x"))
    }
    pub fn scale(&mut self, _: &Surface, _: bool, _: Turn, _: &[(&Surface, bool)]) -> Result<(), AvError> {
        Err(AvError::argument("x"))
    }
}
