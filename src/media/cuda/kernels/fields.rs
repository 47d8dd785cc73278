//! Pictures of two moments made pictures of one.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::kernels::Kernels;
use crate::media::cuda::kernels::parameters;
use crate::media::cuda::kernels::parameters::FieldsParameters;
use crate::media::cuda::kernels::parameters::FieldsPlane;
use crate::media::cuda::kernels::parameters::Grid;
use crate::media::cuda::kernels::parameters::PictureAt;
use crate::media::cuda::surface::Surface;
use crate::media::software::fields::Moment;

const CALL: &str = "deinterlace";
const THREADS: [u32; 3] = [32, 8, 1];

/// A picture to be made of one of two moments. All surfaces have one layout and size.
#[derive(Debug, Clone, Copy)]
pub struct FieldsJob<'a> {
    /// The picture before; none at the beginning and after a cut.
    pub previous: Option<&'a Surface>,
    /// The one at hand.
    pub current: &'a Surface,
    /// The one after; none at the end.
    pub next: Option<&'a Surface>,
    /// Which of its moments.
    pub moment: Moment,
    /// Where it goes; none of the others.
    pub to: &'a Surface,
}

impl Kernels {
    /// Queues it.
    pub fn deinterlace(&self, job: &FieldsJob<'_>) -> Result<(), CudaError> {
        let read = [Some(job.current), job.previous, job.next];
        for surface in read.into_iter().flatten() {
            self.is_ours(CALL, surface)?;
            if std::ptr::eq(surface, job.to) {
                return Err(CudaError::refused(CALL, "a surface is read and written"));
            }
        }
        self.is_ours(CALL, job.to)?;
        let (parameters, grid) = parameters(
            job.previous.map(PictureAt::of).as_ref(),
            &PictureAt::of(job.current),
            job.next.map(PictureAt::of).as_ref(),
            job.moment,
            &PictureAt::of(job.to),
        )?;
        self.modules().launch(&parameters, grid)
    }
}

/// What the kernel is given.
pub fn parameters(
    previous: Option<&PictureAt>,
    current: &PictureAt,
    next: Option<&PictureAt>,
    moment: Moment,
    to: &PictureAt,
) -> Result<(FieldsParameters, Grid), CudaError> {
    let pictures = [previous.unwrap_or(current), current, next.unwrap_or(current), to];
    let form = |picture: &PictureAt| (picture.layout, picture.width, picture.height);
    if pictures.iter().any(|picture| form(picture) != form(current)) {
        return Err(CudaError::refused(CALL, "the surfaces differ in layout or size"));
    }
    let layout = current.layout;
    let mut plane = [FieldsPlane::default(); 3];
    for (number, plane) in plane.iter_mut().enumerate().take(layout.planes()) {
        let (row_bytes, rows) = layout.plane_size(number, current.width, current.height);
        *plane = FieldsPlane {
            address: pictures.map(|picture| picture.address[number]),
            pitch_bytes: pictures.map(|picture| picture.pitch_bytes[number]),
            samples: row_bytes as u32 / current.word_bytes(),
            rows: rows as u32,
        };
    }
    let parameters = FieldsParameters {
        plane,
        wide: u32::from(parameters::is_wide(layout)),
        shift: parameters::shift(layout),
        most: (1 << layout.bit_depth()) - 1,
        made: moment.made_lines() as u32,
        earlier: u32::from(!moment.is_second),
        alone: u32::from(moment.is_alone(previous.is_some(), next.is_some())),
    };
    let places = [plane[0].samples, plane[0].rows, layout.planes() as u32];
    Ok((parameters, Grid::over(places, THREADS)))
}
