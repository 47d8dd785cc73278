//! Pictures of two moments made into pictures of one, on the device.
//!
//! Guarantees: the same pictures are treated as by `fields::Weaver`, with the same neighbours: the first one is its own
//! predecessor, the last its own successor. A progressive picture is passed on untouched; time stamps stay.
//! Deliberately absent: 3:2 pulldown.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::frame::Marks;
use crate::media::cuda::Layout;
use crate::media::cuda::Surface;
use crate::media::cuda::SurfacePool;
use crate::media::cuda::kernels::FieldsJob;
use crate::media::pass::fields::Fields;
use crate::media::pass::fields::Parity;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::gpu::refusal::refused;
use crate::media::pass::gpu::transfer;
use crate::media::software::fields::Field;
use crate::media::software::fields::Moment;
use std::sync::Arc;

/// Progressive pictures kept idle.
const IDLE: usize = 8;

/// Makes pictures of a decoder on the device progressive.
#[derive(Debug)]
pub struct DeviceWeaver {
    device: Arc<Device>,
    fields: Fields,
    /// A marked picture was seen; from then on each waits for the next one.
    is_mixed: bool,
    deinterlaced: u64,
    before: Option<Frame>,
    current: Option<Frame>,
    pool: Option<SurfacePool>,
}

impl DeviceWeaver {
    /// For a source with such fields.
    pub fn new(device: &Arc<Device>, fields: Fields) -> Self {
        DeviceWeaver {
            device: Arc::clone(device),
            fields,
            is_mixed: false,
            deinterlaced: 0,
            before: None,
            current: None,
            pool: None,
        }
    }

    /// Pictures of two moments that went through.
    pub fn deinterlaced(&self) -> u64 {
        self.deinterlaced
    }

    /// Takes a decoded picture; what comes out is appended.
    pub fn push(&mut self, frame: Frame, out: &mut Vec<Frame>) -> Result<(), AvError> {
        let is_marked = frame.is_interlaced();
        self.is_mixed |= is_marked || self.fields != Fields::AsMarked;
        self.deinterlaced += u64::from(is_marked || self.fields != Fields::AsMarked);
        if !self.is_mixed {
            out.push(frame);
            return Ok(());
        }
        // Neighbours of another size say nothing of each other.
        if self
            .current
            .as_ref()
            .is_some_and(|current| kind_of(current) != kind_of(&frame))
        {
            self.drain(out)?;
        }
        if let Some(current) = self.current.take() {
            out.push(self.weave(&current, Some(&frame))?);
            self.before = Some(current);
        }
        self.current = Some(frame);
        Ok(())
    }

    /// Takes what is still inside, at the end or before a change.
    pub fn drain(&mut self, out: &mut Vec<Frame>) -> Result<(), AvError> {
        if let Some(current) = self.current.take() {
            out.push(self.weave(&current, None)?);
        }
        self.before = None;
        Ok(())
    }

    fn weave(&mut self, current: &Frame, next: Option<&Frame>) -> Result<Frame, AvError> {
        let first = match self.fields {
            Fields::Interlaced(Parity::Top) | Fields::Telecined(Parity::Top) => Field::Top,
            Fields::Interlaced(Parity::Bottom) | Fields::Telecined(Parity::Bottom) => Field::Bottom,
            Fields::AsMarked if !current.is_interlaced() => return current.share(),
            Fields::AsMarked if current.is_top_first() => Field::Top,
            Fields::AsMarked => Field::Bottom,
        };
        let missing = || AvError::argument("deinterlace");
        let surface = |frame| transfer::surface_of(frame).ok_or_else(missing);
        let own = surface(current)?;
        let is_known = |pool: &SurfacePool| pool.layout() == own.layout() && pool.size() == (own.width(), own.height());
        if !self.pool.as_ref().is_some_and(is_known) {
            let gpu = &self.device.gpu;
            self.pool = Some(SurfacePool::new(gpu, own.layout(), own.width(), own.height(), IDLE));
        }
        let pool = self.pool.as_ref().ok_or_else(missing)?;
        let to = pool.take().map_err(refused)?;
        let job = FieldsJob {
            previous: self.before.as_ref().map(surface).transpose()?,
            current: own,
            next: next.map(surface).transpose()?,
            moment: Moment {
                first,
                is_second: false,
            },
            to: &to,
        };
        self.device.kernels.deinterlace(&job).map_err(refused)?;
        let mut woven = transfer::frame_of(to, current)?;
        woven.set_marks(Marks {
            is_key: current.is_key(),
            is_interlaced: false,
            is_top_first: false,
            repeated_fields: current.repeated_fields(),
            is_damaged: current.is_damaged(),
        });
        Ok(woven)
    }
}

fn kind_of(frame: &Frame) -> (u32, u32, Option<Layout>) {
    let layout = transfer::surface_of(frame).map(Surface::layout);
    (frame.width(), frame.height(), layout)
}
