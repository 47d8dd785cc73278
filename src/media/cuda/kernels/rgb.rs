//! Cells of sprite sheets and stills: red, green and blue at a place of a surface.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::kernels::Kernels;
use crate::media::cuda::kernels::Source;
use crate::media::cuda::kernels::axes;
use crate::media::cuda::kernels::axes::AxisKey;
use crate::media::cuda::kernels::parameters::Axis;
use crate::media::cuda::kernels::parameters::Grid;
use crate::media::cuda::kernels::parameters::PictureAt;
use crate::media::cuda::kernels::parameters::RgbParameters;
use crate::media::cuda::surface::Layout;
use crate::media::cuda::surface::Surface;
use crate::media::software::orientation::Turn;
use crate::media::software::range::Range;
use crate::media::software::rgb::Factors;
use crate::media::software::rgb::Place;
use crate::media::software::rgb::View;
use crate::media::software::weights::Filter;

const CALL: &str = "to_rgb";
const THREADS: [u32; 3] = [32, 8, 1];
/// Largest edge; the largest that any picture format of ours holds.
const MOST_EDGE: u32 = 65_535;

/// A picture that becomes part of a sheet.
#[derive(Debug, Clone, Copy)]
pub struct RgbJob<'a> {
    /// What is painted; SDR.
    pub source: Source<'a>,
    /// How it is turned to be upright.
    pub turn: Turn,
    /// The source's matrix, as H.273 numbers them.
    pub matrix: i32,
    /// The source's range.
    pub range: Range,
    /// None: by the ratio.
    pub filter: Option<Filter>,
    /// Of [`Layout::Rgb24`].
    pub sheet: &'a Surface,
    /// Where on it.
    pub place: Place,
}

impl Kernels {
    /// Queues the painting of a picture onto a place of a sheet, whose other pixels stay.
    pub fn to_rgb(&self, job: &RgbJob<'_>) -> Result<(), CudaError> {
        job.source.check(CALL, self.gpu())?;
        if !std::sync::Arc::ptr_eq(job.sheet.gpu(), self.gpu()) {
            return Err(CudaError::refused(CALL, "the sheet is another device's"));
        }
        let view = View {
            crop: job.source.crop,
            turn: job.turn,
            matrix: job.matrix,
            range: job.range,
            filter: job.filter,
        };
        let mut held = Vec::new();
        let (parameters, grid) = parameters(
            &PictureAt::of(job.source.surface),
            &view,
            &PictureAt::of(job.sheet),
            &job.place,
            &mut |key| self.tables().of(self.gpu(), key, &mut held),
        )?;
        self.modules().launch(&parameters, grid)
    }
}

/// What the kernel is given. `table` answers where a table lies.
pub fn parameters(
    from: &PictureAt,
    view: &View,
    sheet: &PictureAt,
    place: &Place,
    table: &mut dyn FnMut(AxisKey) -> Result<Axis, CudaError>,
) -> Result<(RgbParameters, Grid), CudaError> {
    let refused = |why: String| CudaError::refused(CALL, why);
    let inside = |at: u32, length: u32, edge: u32| length > 0 && at.checked_add(length).is_some_and(|end| end <= edge);
    if sheet.layout != Layout::Rgb24
        || !inside(place.x, place.width, sheet.width)
        || !inside(place.y, place.height, sheet.height)
        || !(1..=MOST_EDGE).contains(&place.inner_width)
        || !(1..=MOST_EDGE).contains(&place.inner_height)
    {
        return Err(refused(format!("{place:?} on {sheet:?}")));
    }
    if !view.crop.fits(from.width, from.height) || !view.turn.rotation_degrees.is_multiple_of(90) {
        return Err(refused(format!("{view:?} of {}x{}", from.width, from.height)));
    }
    let inner = (place.inner_width, place.inner_height);
    let crop = (view.crop.width, view.crop.height);
    let planes = from.planes(view.crop.x, view.crop.y);
    let factors = Factors::new(view.matrix, view.range, planes.depth);
    let parameters = RgbParameters {
        from: planes,
        axes: axes::of_picture(crop, view.turn, inner, inner, view.filter, table)?,
        to: sheet.address[0] + u64::from(place.y) * u64::from(sheet.pitch_bytes[0]) + u64::from(place.x) * 3,
        to_pitch_bytes: sheet.pitch_bytes[0],
        width: place.width,
        height: place.height,
        left: place.left,
        top: place.top,
        inner_width: inner.0,
        inner_height: inner.1,
        turned: u32::from(view.turn.swaps()),
        black: factors.black,
        luma_gain: factors.luma,
        cr_to_r: factors.cr_to_r,
        cb_to_g: factors.cb_to_g,
        cr_to_g: factors.cr_to_g,
        cb_to_b: factors.cb_to_b,
        fill: place.fill.map(u32::from),
        reserved: 0,
    };
    Ok((parameters, Grid::over([place.width, place.height, 1], THREADS)))
}
