//! HDR pictures made SDR ones of the same size: a launch before the scaling one.
//!
//! It is a launch of its own because it must see whole pixels, with chroma at every one of them, and because the outputs
//! together have more pixels than the source.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::kernels::Kernels;
use crate::media::cuda::kernels::Source;
use crate::media::cuda::kernels::parameters::Grid;
use crate::media::cuda::kernels::parameters::PictureAt;
use crate::media::cuda::kernels::parameters::ToneParameters;
use crate::media::cuda::memory::DeviceMemory;
use crate::media::cuda::surface::Surface;
use crate::media::software::curves;
use crate::media::software::curves::Curve;
use crate::media::software::orientation::Crop;
use crate::media::software::range;
use crate::media::software::range::Range;
use crate::media::software::rgb;
use crate::media::software::tone;
use crate::media::software::tone::ToneMap;
use std::sync::Arc;
use std::sync::PoisonError;

const CALL: &str = "tone";
const THREADS: [u32; 3] = [32, 8, 1];
/// Steps of the result's fixed point in one of 8 bits.
const FIXED: f64 = 128.0;

impl Kernels {
    /// Queues the tone map of an HDR picture (BT.2020, not of constant luminance) to SDR (BT.709, limited range). The
    /// result has the size of the source's crop; 8 bits come out in an ordered pattern.
    pub fn tone(&self, source: Source<'_>, map: &ToneMap, to: &Surface) -> Result<(), CudaError> {
        source.check(CALL, self.gpu())?;
        self.is_ours(CALL, to)?;
        if std::ptr::eq(source.surface, to) {
            return Err(CudaError::refused(CALL, "a surface is read and written"));
        }
        let tables = self.curve(map.curve)?;
        let from = PictureAt::of(source.surface);
        let (parameters, grid) = parameters(&from, source.crop, map, &PictureAt::of(to), tables.address())?;
        self.modules().launch(&parameters, grid)
    }

    fn curve(&self, curve: Curve) -> Result<Arc<DeviceMemory>, CudaError> {
        let mut known = self.curves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tables) = known.get(&curve) {
            return Ok(Arc::clone(tables));
        }
        let bytes: Vec<u8> = curves::tables(curve).into_iter().flat_map(f32::to_ne_bytes).collect();
        let tables = Arc::new(DeviceMemory::holding(self.gpu(), &bytes)?);
        known.insert(curve, Arc::clone(&tables));
        Ok(tables)
    }
}

/// What the kernel is given; `tables` lie on the device.
pub fn parameters(
    from: &PictureAt,
    crop: Crop,
    map: &ToneMap,
    to: &PictureAt,
    tables: u64,
) -> Result<(ToneParameters, Grid), CudaError> {
    if !crop.fits(from.width, from.height) || (crop.width, crop.height) != (to.width, to.height) {
        let text = format!(
            "{crop:?} of {}x{} to {}x{}",
            from.width, from.height, to.width, to.height
        );
        return Err(CudaError::refused(CALL, text));
    }
    if map.peak.is_nan() || map.peak < 1.0 {
        return Err(CudaError::refused(CALL, format!("a peak of {}", map.peak)));
    }
    let (planes, result) = (from.planes(crop.x, crop.y), to.planes(0, 0));
    let unit = f64::from(1_u32 << (planes.depth - 8));
    let (luma, chroma) = range::extents((map.range, planes.depth));
    let (kr, kb) = rgb::luma_weights(tone::FROM_MATRIX);
    let kg = 1.0 - kr - kb;
    let (to_kr, to_kb) = rgb::luma_weights(tone::TO_MATRIX);
    let black = if map.range == Range::Limited { 16.0 } else { 0.0 };
    let parameters = ToneParameters {
        from: planes,
        to: result,
        tables,
        width: crop.width,
        height: crop.height,
        dithered: u32::from(result.depth == 8),
        luma_step: (1.0 / (luma * unit)) as f32,
        black: (black * unit) as f32,
        chroma_step: (1.0 / (chroma * unit)) as f32,
        middle: (128.0 * unit) as f32,
        cr_to_r: (2.0 * (1.0 - kr)) as f32,
        cb_to_g: (-2.0 * (1.0 - kb) * kb / kg) as f32,
        cr_to_g: (-2.0 * (1.0 - kr) * kr / kg) as f32,
        cb_to_b: (2.0 * (1.0 - kb)) as f32,
        gamut: tone::GAMUT.map(|factor| factor as f32),
        white: map.white() as f32,
        luma: [to_kr as f32, (1.0 - to_kr - to_kb) as f32, to_kb as f32],
        cb_gain: (224.0 * FIXED / (2.0 * (1.0 - to_kb))) as f32,
        cr_gain: (224.0 * FIXED / (2.0 * (1.0 - to_kr))) as f32,
        luma_gain: (219.0 * FIXED) as f32,
        luma_offset: (16.0 * FIXED) as f32,
        chroma_offset: (128.0 * FIXED) as f32,
        reserved: 0,
    };
    let places = [crop.width.div_ceil(2), crop.height.div_ceil(2), 1];
    Ok((parameters, Grid::over(places, THREADS)))
}
