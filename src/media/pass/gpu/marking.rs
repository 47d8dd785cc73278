//! Drawing onto pictures that lie on the device: boxes, subtitles and marks, by its kernels.
//!
//! Guarantees: the numbers are those of `media::overlay`; a mark is brought to the device once and kept while it is
//! shown; pictures that others have too are copied first. Deliberately absent: what is drawn, and when.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::cuda::SurfacePool;
use crate::media::cuda::kernels::Mark;
use crate::media::cuda::kernels::ScaleJob;
use crate::media::cuda::kernels::ScaleOut;
use crate::media::cuda::kernels::Source;
use crate::media::overlay::Drawing;
use crate::media::overlay::Stamp;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::gpu::refusal::refused;
use crate::media::pass::gpu::transfer;
use crate::media::software::orientation::Turn;
use crate::media::software::range::Range;
use std::sync::Arc;

/// Drawn pictures kept idle: what an encoder that looks ahead holds.
const IDLE: usize = 16;
/// Marks kept on the device: those of a rendition, and subtitles of the last moments.
const MOST_MARKS: usize = 32;

/// Draws onto the pictures of one rendition.
#[derive(Debug)]
pub struct Marking {
    device: Arc<Device>,
    pool: Option<SurfacePool>,
    marks: Vec<(Stamp, Mark)>,
}

impl Marking {
    /// With the kernels of a device.
    pub fn new(device: &Arc<Device>) -> Self {
        Marking {
            device: Arc::clone(device),
            pool: None,
            marks: Vec::new(),
        }
    }

    /// The picture with what is seen on it at a moment.
    pub fn draw(&mut self, drawing: &mut Drawing, frame: &Frame, at_s: f64) -> Result<Frame, AvError> {
        let missing = || AvError::argument("draw");
        let (covers, stamps) = drawing.seen(at_s)?;
        if covers.is_empty() && stamps.is_empty() {
            return frame.share();
        }
        let surface = transfer::surface_of(frame).ok_or_else(missing)?;
        let kind = (surface.layout(), (surface.width(), surface.height()));
        if self
            .pool
            .as_ref()
            .is_none_or(|pool| (pool.layout(), pool.size()) != kind)
        {
            let (layout, (width, height)) = kind;
            self.pool = Some(SurfacePool::new(&self.device.gpu, layout, width, height, IDLE));
        }
        let to = self.pool.as_ref().ok_or_else(missing)?.take().map_err(refused)?;
        let kernels = &self.device.kernels;
        let copy = ScaleJob {
            source: Source::whole(surface),
            range: Range::Limited,
            turn: Turn::default(),
            outputs: &[ScaleOut {
                surface: &to,
                filter: None,
                range: Range::Limited,
            }],
        };
        kernels.scale(&copy).map_err(refused)?;
        for cover in covers {
            kernels.mosaic(&to, &cover).map_err(refused)?;
        }
        for stamp in stamps {
            let known = self.marks.iter().position(|(known, _)| known == stamp);
            let place = match known {
                Some(place) => place,
                None => {
                    if self.marks.len() >= MOST_MARKS {
                        self.marks.remove(0);
                    }
                    let mark = Mark::new(&self.device.gpu, &stamp.layers()).map_err(refused)?;
                    self.marks.push((stamp.clone(), mark));
                    self.marks.len() - 1
                }
            };
            kernels.blend(&to, &self.marks[place].1).map_err(refused)?;
        }
        transfer::frame_of(to, frame)
    }
}
