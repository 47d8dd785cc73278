//! One picture scaled to all renditions in one launch.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::kernels::Kernels;
use crate::media::cuda::kernels::Source;
use crate::media::cuda::kernels::axes;
use crate::media::cuda::kernels::axes::AxisKey;
use crate::media::cuda::kernels::parameters::Axis;
use crate::media::cuda::kernels::parameters::COLUMN;
use crate::media::cuda::kernels::parameters::Grid;
use crate::media::cuda::kernels::parameters::OUTPUTS;
use crate::media::cuda::kernels::parameters::PictureAt;
use crate::media::cuda::kernels::parameters::ScaleOutput;
use crate::media::cuda::kernels::parameters::ScaleParameters;
use crate::media::cuda::surface::Surface;
use crate::media::software::orientation::Crop;
use crate::media::software::orientation::Turn;
use crate::media::software::range::Change;
use crate::media::software::range::Range;
use crate::media::software::weights::Filter;

const CALL: &str = "scale";
const THREADS: [u32; 3] = [32, 8, 1];

/// One of the pictures that are made.
#[derive(Debug, Clone, Copy)]
pub struct ScaleOut<'a> {
    /// Where it goes; its layout and size are what is made.
    pub surface: &'a Surface,
    /// None: area where both edges are at least halved, else bicubic.
    pub filter: Option<Filter>,
    /// Its range.
    pub range: Range,
}

/// All of them.
#[derive(Debug, Clone, Copy)]
pub struct ScaleJob<'a> {
    /// What is scaled.
    pub source: Source<'a>,
    /// The source's range.
    pub range: Range,
    /// How it is turned to be upright.
    pub turn: Turn,
    /// At most [`OUTPUTS`].
    pub outputs: &'a [ScaleOut<'a>],
}

/// Where an output goes, and how.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Where it lies.
    pub picture: PictureAt,
    /// See [`ScaleOut`].
    pub filter: Option<Filter>,
    /// See [`ScaleOut`].
    pub range: Range,
}

impl Kernels {
    /// Queues the scaling of one picture to all outputs. 8 bits become 10 exactly, 10 become 8 in an ordered pattern.
    pub fn scale(&self, job: &ScaleJob<'_>) -> Result<(), CudaError> {
        job.source.check(CALL, self.gpu())?;
        for (number, out) in job.outputs.iter().enumerate() {
            self.is_ours(CALL, out.surface)?;
            let same = |other: &Surface| std::ptr::eq(other, out.surface);
            if same(job.source.surface) || job.outputs[..number].iter().any(|before| same(before.surface)) {
                return Err(CudaError::refused(
                    CALL,
                    "a surface is read and written, or written twice",
                ));
            }
        }
        let targets: Vec<Target> = job
            .outputs
            .iter()
            .map(|out| Target {
                picture: PictureAt::of(out.surface),
                filter: out.filter,
                range: out.range,
            })
            .collect();
        let from = PictureAt::of(job.source.surface);
        let mut held = Vec::new();
        let (parameters, grid) = parameters(&from, job.source.crop, job.range, job.turn, &targets, &mut |key| {
            self.tables().of(self.gpu(), key, &mut held)
        })?;
        self.modules().launch(&parameters, grid)
    }
}

/// What the kernel is given. `table` answers where a table lies.
pub fn parameters(
    from: &PictureAt,
    crop: Crop,
    range: Range,
    turn: Turn,
    targets: &[Target],
    table: &mut dyn FnMut(AxisKey) -> Result<Axis, CudaError>,
) -> Result<(ScaleParameters, Grid), CudaError> {
    if targets.is_empty() || targets.len() > OUTPUTS {
        return Err(CudaError::refused(CALL, format!("{} outputs", targets.len())));
    }
    if !crop.fits(from.width, from.height) || !turn.rotation_degrees.is_multiple_of(90) {
        return Err(CudaError::refused(
            CALL,
            format!("{crop:?} of {}x{}, {turn:?}", from.width, from.height),
        ));
    }
    let source = from.planes(crop.x, crop.y);
    let mut output = [ScaleOutput::default(); OUTPUTS];
    let mut blocks = 0;
    for (target, output) in targets.iter().zip(&mut output) {
        let to = &target.picture;
        let (planes, size) = (to.planes(0, 0), (to.width, to.height));
        let chroma_size = (to.width.div_ceil(2), to.height.div_ceil(2));
        let axes = axes::of_picture((crop.width, crop.height), turn, size, chroma_size, target.filter, table)?;
        let across = |axis: Axis| axis.count.div_ceil(THREADS[0]);
        let down = |axis: Axis| axis.count.div_ceil(THREADS[1] * COLUMN);
        let change = Change::between((range, source.depth), (target.range, planes.depth));
        let (gain, offset) = change.map_or(([0; 2], [0; 2]), |change| (change.gain, change.offset));
        let luma_blocks = across(axes.luma_across) * down(axes.luma_down);
        *output = ScaleOutput {
            to: planes,
            axes,
            first_block: blocks,
            luma_blocks,
            luma_blocks_across: across(axes.luma_across),
            chroma_blocks_across: across(axes.chroma_across),
            luma_gain: gain[0],
            luma_offset: offset[0],
            chroma_gain: gain[1],
            chroma_offset: offset[1],
            ranged: u32::from(change.is_some()),
            turned: u32::from(turn.swaps()),
            dithered: u32::from(planes.depth < source.depth),
            reserved: 0,
        };
        blocks += luma_blocks + across(axes.chroma_across) * down(axes.chroma_down);
    }
    let parameters = ScaleParameters {
        from: source,
        outputs: targets.len() as u32,
        reserved: 0,
        output,
    };
    let grid = Grid {
        blocks: [blocks, 1, 1],
        threads: THREADS,
    };
    Ok((parameters, grid))
}
