//! What a pass launches on its device.
//!
//! Guarantees: all sizes in one launch, as far as one takes them; pictures in between come from a pool of their own.
//! Deliberately absent: which pictures.

use crate::media::av::AvError;
use crate::media::av::Color;
use crate::media::av::color;
use crate::media::cuda::Layout;
use crate::media::cuda::PooledSurface;
use crate::media::cuda::Surface;
use crate::media::cuda::SurfacePool;
use crate::media::cuda::kernels::ScaleJob;
use crate::media::cuda::kernels::ScaleOut;
use crate::media::cuda::kernels::Source;
use crate::media::cuda::kernels::parameters::OUTPUTS;
use crate::media::grading;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::gpu::refusal::refused;
use crate::media::software::curves::Curve;
use crate::media::software::orientation::Turn;
use crate::media::software::range::Range;
use crate::media::software::tone::ToneMap;
use std::sync::Arc;

/// Mapped pictures kept idle: one is used at a time.
const IDLE: usize = 2;

/// The range of a colour, as kernels know it.
fn range_of(said: i32) -> Range {
    if said == color::FULL {
        Range::Full
    } else {
        Range::Limited
    }
}

/// A picture of the source as scaling takes it: its own, or what tone mapping made of it.
#[derive(Debug)]
pub struct Seen<'a> {
    source: &'a Surface,
    mapped: Option<PooledSurface>,
    color: Color,
}

impl Seen<'_> {
    /// The pixels.
    pub fn surface(&self) -> &Surface {
        self.mapped.as_deref().unwrap_or(self.source)
    }

    /// Their matrix, as ISO/IEC 23091-2 numbers it.
    pub fn matrix(&self) -> i32 {
        match self.mapped {
            Some(_) => color::BT709,
            None => self.color.matrix,
        }
    }

    /// Their range.
    pub fn range(&self) -> Range {
        match self.mapped {
            Some(_) => Range::Limited,
            None => range_of(self.color.range),
        }
    }
}

/// Launches of one stage.
#[derive(Debug)]
pub struct Launches {
    device: Arc<Device>,
    mapped: Option<SurfacePool>,
}

impl Launches {
    /// On a device.
    pub fn new(device: &Arc<Device>) -> Self {
        Launches {
            device: Arc::clone(device),
            mapped: None,
        }
    }

    /// A picture whose numbers mean `color` as scaling takes it. `mapped`: it is HDR and becomes SDR; within, its brightest
    /// light in nits, where that is known.
    pub fn see<'a>(
        &mut self,
        source: &'a Surface,
        color: Color,
        mapped: Option<Option<f64>>,
    ) -> Result<Seen<'a>, AvError> {
        let mapped = match mapped {
            Some(peak_nits) => Some(self.tone(source, color, peak_nits)?),
            None => None,
        };
        Ok(Seen { source, mapped, color })
    }

    /// An HDR picture made an SDR one (limited range) of the same size.
    fn tone(&mut self, source: &Surface, from: Color, peak_nits: Option<f64>) -> Result<PooledSurface, AvError> {
        let size = (source.width(), source.height());
        if self.mapped.as_ref().is_none_or(|pool| pool.size() != size) {
            // Of 10 bits, so that scaling is what brings them to 8 where that is wanted.
            let pool = SurfacePool::new(&self.device.gpu, Layout::P016, size.0, size.1, IDLE);
            self.mapped = Some(pool);
        }
        let pool = self.mapped.as_ref().ok_or_else(|| AvError::memory("cuMemAllocPitch"))?;
        let to = pool.take().map_err(refused)?;
        let map = ToneMap {
            curve: if from.transfer == color::HLG {
                Curve::Hlg
            } else {
                Curve::Pq
            },
            range: range_of(from.range),
            peak: grading::peak(peak_nits),
        };
        let kernels = &self.device.kernels;
        kernels.tone(Source::whole(source), &map, &to).map_err(refused)?;
        Ok(to)
    }

    /// One picture in all sizes, upright, each in its range.
    pub fn scale(&self, source: &Surface, range: Range, turn: Turn, outputs: &[ScaleOut<'_>]) -> Result<(), AvError> {
        for outputs in outputs.chunks(OUTPUTS) {
            let job = ScaleJob {
                source: Source::whole(source),
                range,
                turn,
                outputs,
            };
            self.device.kernels.scale(&job).map_err(refused)?;
        }
        Ok(())
    }
}
