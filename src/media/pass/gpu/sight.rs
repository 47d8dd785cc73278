//! A picture of the source as picture jobs see it on a device: nothing is done to it before one of them wants it.
//!
//! Guarantees: what is made of it is upright, SDR and of the size asked for, in one launch (two where HDR is mapped), and
//! only that comes down to the host. Deliberately absent: what no launch brings to red, green and blue: fields, other
//! matrices; that comes as frames on the host, for libav.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::Frame;
use crate::media::cuda::Layout;
use crate::media::cuda::Surface;
use crate::media::cuda::SurfacePool;
use crate::media::cuda::kernels::RgbJob;
use crate::media::cuda::kernels::Source;
use crate::media::grading;
use crate::media::grading::Between;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::gpu::launch::Launches;
use crate::media::pass::gpu::refusal::refused;
use crate::media::pass::gpu::transfer;
use crate::media::picture::Picture;
use crate::media::software::orientation::Turn;
use crate::media::software::rgb::Place;
use std::sync::Arc;

/// Images kept idle: one is used at a time.
const IDLE: usize = 2;

/// A picture of the source, and all that lies between it and an image.
#[derive(Debug)]
pub struct Sight {
    device: Arc<Device>,
    frame: Frame,
    color: Color,
    turn: Turn,
    /// It is HDR; within, its brightest light in nits, where that is known.
    mapped: Option<Option<f64>>,
}

impl Sight {
    /// Of a frame on the device whose numbers mean `color` (completed), for an image of `to`; none where no launch makes
    /// that of it. `peak_nits`: brightest light of HDR, where it is known.
    pub fn of_frame(
        device: &Arc<Device>,
        frame: &Frame,
        (color, to): (Color, Color),
        turn: Turn,
        peak_nits: Option<f64>,
    ) -> Result<Option<Frame>, AvError> {
        let mapped = match grading::between(color, frame.pixel_format(), to) {
            Between::Nothing | Between::Range => None,
            Between::ToneMap => Some(peak_nits),
            Between::Other => return Ok(None),
        };
        let sight = Sight {
            device: Arc::clone(device),
            frame: frame.share()?,
            color,
            turn,
            mapped,
        };
        let mut seen = Frame::on_device(Arc::new(sight), frame.width(), frame.height())?;
        seen.take_properties(frame)?;
        Ok(Some(seen))
    }

    /// What a frame is, if it is one.
    pub fn of(frame: &Frame) -> Option<&Sight> {
        frame.device_pixels()?.downcast_ref::<Sight>()
    }

    /// The source's picture.
    pub fn surface(&self) -> Option<&Surface> {
        transfer::surface_of(&self.frame)
    }
}

/// Makes images of what is seen.
#[derive(Debug, Default)]
pub struct Easel {
    launches: Option<Launches>,
    sheets: Option<SurfacePool>,
}

impl Easel {
    /// The image in this size.
    pub fn image(&mut self, sight: &Sight, (width, height): (u32, u32)) -> Result<Picture, AvError> {
        let surface = sight.surface().ok_or_else(|| AvError::argument("frame"))?;
        let device = &sight.device;
        let launches = self.launches.get_or_insert_with(|| Launches::new(device));
        let seen = launches.see(surface, sight.color, sight.mapped)?;
        if self.sheets.as_ref().is_none_or(|pool| pool.size() != (width, height)) {
            self.sheets = Some(SurfacePool::new(&device.gpu, Layout::Rgb24, width, height, IDLE));
        }
        let pool = self.sheets.as_ref().ok_or_else(|| AvError::memory("cuMemAllocPitch"))?;
        let sheet = pool.take().map_err(refused)?;
        let job = RgbJob {
            source: Source::whole(seen.surface()),
            turn: sight.turn,
            matrix: seen.matrix(),
            range: seen.range(),
            filter: None,
            sheet: &sheet,
            place: Place::stretched(0, 0, width, height),
        };
        device.kernels.to_rgb(&job).map_err(refused)?;
        let image = sheet.fetch().map_err(refused)?;
        Picture::new(width, height, image.plane(0).0.to_vec()).ok_or_else(|| AvError::argument("frame size"))
    }
}
