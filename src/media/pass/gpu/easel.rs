//! Marks, boxes and subtitles drawn onto pictures of a device, on copies of its own.
//!
//! Guarantees: what others make of the same picture stays unmarked; the numbers are those that drawing on the host comes
//! to, bit by bit; a picture on which nothing is seen is passed on as it is. Deliberately absent: what is drawn, and when.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::cuda::Gpu;
use crate::media::cuda::Kernels;
use crate::media::cuda::Layout;
use crate::media::cuda::SurfacePool;
use crate::media::cuda::kernels::Mark;
use crate::media::cuda::kernels::ScaleJob;
use crate::media::cuda::kernels::ScaleOut;
use crate::media::cuda::kernels::Source;
use crate::media::overlay::Drawing;
use crate::media::overlay::Stamp;
use crate::media::pass::gpu::refusal::refused;
use crate::media::pass::gpu::transfer;
use crate::media::software::Range;
use crate::media::software::Turn;
use std::sync::Arc;

/// Surfaces kept idle; an encoder has about as many at once.
const IDLE: usize = 8;

/// Draws for one rendition.
#[derive(Debug)]
pub struct Easel {
    gpu: Arc<Gpu>,
    pool: SurfacePool,
    kernels: Option<Arc<Kernels>>,
    /// What was drawn onto the last picture, and where it lies on the device.
    marks: Vec<(Stamp, Mark)>,
}

impl Easel {
    /// For pictures of this layout and size.
    pub fn new(gpu: &Arc<Gpu>, layout: Layout, (width, height): (u32, u32)) -> Self {
        Easel {
            gpu: Arc::clone(gpu),
            pool: SurfacePool::new(gpu, layout, width, height, IDLE),
            kernels: None,
            marks: Vec::new(),
        }
    }

    /// The picture with what is seen on it at a moment of the output. `frame` lies on the device.
    pub fn draw(&mut self, frame: &Frame, drawing: &mut Drawing, at_s: f64) -> Result<Frame, AvError> {
        let seen = drawing.seen(at_s)?;
        if seen.is_empty() {
            self.marks.clear();
            return frame.share();
        }
        let from = transfer::surface_of(frame).ok_or_else(|| AvError::argument("draw"))?;
        let kernels = match &self.kernels {
            Some(kernels) => Arc::clone(kernels),
            None => Arc::clone(self.kernels.insert(Kernels::load(&self.gpu).map_err(refused)?)),
        };
        let to = self.pool.take().map_err(refused)?;
        // Scaling to the same size, layout and range is a copy.
        let copy = ScaleOut {
            surface: &to,
            filter: None,
            range: Range::Limited,
        };
        let job = ScaleJob {
            source: Source::whole(from),
            range: Range::Limited,
            turn: Turn::default(),
            outputs: &[copy],
        };
        kernels.scale(&job).map_err(refused)?;
        for cover in &seen.covers {
            kernels.mosaic(&to, cover).map_err(refused)?;
        }
        let mut before = std::mem::take(&mut self.marks);
        for stamp in seen.stamps {
            let known = before.iter().position(|(known, _)| known == stamp);
            let pair = match known {
                Some(at) => before.swap_remove(at),
                None => (stamp.clone(), Mark::new(&self.gpu, &stamp.layers()).map_err(refused)?),
            };
            kernels.blend(&to, &pair.1).map_err(refused)?;
            self.marks.push(pair);
        }
        transfer::frame_of(to, frame)
    }
}
