//! Who makes pictures progressive: libav's filters or the device.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::pass::fields::Fields;
use crate::media::pass::fields::Weaver;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::gpu::weaver::DeviceWeaver;
use std::sync::Arc;

/// Either of them, with the same calls.
#[derive(Debug)]
pub enum Weaving {
    /// In software.
    Host(Weaver),
    /// On the device.
    Device(DeviceWeaver),
}

impl Weaving {
    /// On a device, for a source with such fields.
    pub fn on_device(device: &Arc<Device>, fields: Fields) -> Self {
        Weaving::Device(DeviceWeaver::new(device, fields))
    }

    /// Repeats of a 3:2 pulldown that were left out.
    pub fn repeats(&self) -> u64 {
        match self {
            Weaving::Host(weaver) => weaver.repeats(),
            // Sources that have any are not decoded on a device.
            Weaving::Device(_) => 0,
        }
    }

    /// Pictures of two moments that went through.
    pub fn deinterlaced(&self) -> u64 {
        match self {
            Weaving::Host(weaver) => weaver.deinterlaced(),
            Weaving::Device(weaver) => weaver.deinterlaced(),
        }
    }

    /// Takes a decoded picture; what comes out is appended.
    pub fn push(&mut self, frame: Frame, out: &mut Vec<Frame>) -> Result<(), AvError> {
        match self {
            Weaving::Host(weaver) => weaver.push(frame, out),
            Weaving::Device(weaver) => weaver.push(frame, out),
        }
    }

    /// Takes what is still inside, at the end.
    pub fn drain(&mut self, out: &mut Vec<Frame>) -> Result<(), AvError> {
        match self {
            Weaving::Host(weaver) => weaver.drain(out),
            Weaving::Device(weaver) => weaver.drain(out),
        }
    }
}
