//! Pictures between the host and the device.
//!
//! Guarantees: time stamp, colour, shape of pixels and marks of fields go with the picture; a picture that is already
//! there is shared. What is downloaded is planar, whatever it was on the device. Deliberately absent: scaling, and
//! conversion beyond what a device cannot hold (which is 4:2:0 of 8 or 10 bits).

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::PixelFormat;
use crate::media::av::Scaler;
use crate::media::av::pool::PicturePool;
use crate::media::av::scale::Filter;
use crate::media::cuda::Gpu;
use crate::media::cuda::Layout;
use crate::media::cuda::Surface;
use crate::media::cuda::pool::PooledSurface;
use crate::media::cuda::pool::SurfacePool;
use crate::media::pass::gpu::refusal::refused;
use std::sync::Arc;

/// Surfaces kept idle for pictures on their way to the device.
const IDLE: usize = 8;
/// 10-bit values stand in the high bits of the words of a device's interleaved layout.
const HIGH_BITS: u32 = 6;

/// The surface of a picture on a device; none of any other.
pub fn surface_of(frame: &Frame) -> Option<&Surface> {
    let pixels = frame.device_pixels()?.downcast_ref::<PooledSurface>()?;
    Some(pixels)
}

/// A surface as a frame of the pass; what else is known of it comes from `like`.
pub fn frame_of(surface: PooledSurface, like: &Frame) -> Result<Frame, AvError> {
    let (width, height) = (surface.width(), surface.height());
    let mut frame = Frame::on_device(Arc::new(surface), width, height)?;
    frame.take_properties(like)?;
    Ok(frame)
}

/// Brings pictures to the host.
#[derive(Debug, Default)]
pub struct Downloads {
    pool: Option<((PixelFormat, u32, u32), PicturePool)>,
    /// Samples that are not yet as libav has them.
    raw: Vec<u8>,
}

impl Downloads {
    /// The picture on the host.
    pub fn take(&mut self, frame: &Frame) -> Result<Frame, AvError> {
        let Some(surface) = surface_of(frame) else {
            return frame.share();
        };
        let format = match surface.layout() {
            Layout::Nv12 | Layout::Yuv420p => PixelFormat::YUV420P,
            Layout::P016 | Layout::Yuv420p10 => PixelFormat::YUV420P10,
            Layout::Rgb24 => PixelFormat::RGB24,
        };
        let kind = (format, surface.width(), surface.height());
        if self.pool.as_ref().is_none_or(|(known, _)| *known != kind) {
            self.pool = Some((kind, PicturePool::new(format, kind.1, kind.2)?));
        }
        let (_, pool) = self
            .pool
            .as_ref()
            .ok_or_else(|| AvError::memory("av_buffer_pool_init"))?;
        let mut host = pool.take()?;
        host.take_properties(frame)?;
        match surface.layout() {
            Layout::Nv12 => {
                download(surface, 0, &mut host)?;
                self.split(surface, &mut host, 1, |one, to| to[0] = one[0])?;
            }
            Layout::P016 => {
                let lower = |one: &[u8], to: &mut [u8]| {
                    let value = u16::from_le_bytes([one[0], one[1]]) >> HIGH_BITS;
                    to[..2].copy_from_slice(&value.to_le_bytes());
                };
                self.copy(surface, &mut host, lower)?;
                self.split(surface, &mut host, 2, lower)?;
            }
            Layout::Yuv420p | Layout::Yuv420p10 | Layout::Rgb24 => {
                for plane in 0..surface.layout().planes() {
                    download(surface, plane, &mut host)?;
                }
            }
        }
        Ok(host)
    }

    /// A plane as it lies on the device; answers bytes from a row to the next.
    fn fetch(&mut self, surface: &Surface, plane: usize) -> Result<usize, AvError> {
        let (row_bytes, rows) = surface.layout().plane_size(plane, surface.width(), surface.height());
        self.raw.resize(row_bytes * rows, 0);
        surface.download(plane, &mut self.raw, row_bytes).map_err(refused)?;
        Ok(row_bytes)
    }

    /// Luma, sample by sample of two bytes.
    fn copy(&mut self, surface: &Surface, host: &mut Frame, of: fn(&[u8], &mut [u8])) -> Result<(), AvError> {
        let row_bytes = self.fetch(surface, 0)?;
        for (y, row) in (0..).zip(self.raw.chunks_exact(row_bytes)) {
            let to = host.row_mut(0, y).ok_or_else(|| AvError::argument("frame row"))?;
            for (one, to) in row.chunks_exact(2).zip(to.chunks_exact_mut(2)) {
                of(one, to);
            }
        }
        Ok(())
    }

    /// Interleaved chroma into its two planes; `bytes` of a sample.
    fn split(
        &mut self,
        surface: &Surface,
        host: &mut Frame,
        bytes: usize,
        of: fn(&[u8], &mut [u8]),
    ) -> Result<(), AvError> {
        let row_bytes = self.fetch(surface, 1)?;
        for (y, row) in (0..).zip(self.raw.chunks_exact(row_bytes)) {
            for plane in 0..2 {
                let to = host
                    .row_mut(plane + 1, y)
                    .ok_or_else(|| AvError::argument("frame row"))?;
                let mine = row.chunks_exact(bytes).skip(plane).step_by(2);
                for (one, to) in mine.zip(to.chunks_exact_mut(bytes)) {
                    of(one, to);
                }
            }
        }
        Ok(())
    }
}

/// The same once, for pictures that are wanted rarely.
pub fn to_host(frame: &Frame) -> Result<Frame, AvError> {
    Downloads::default().take(frame)
}

fn download(surface: &Surface, plane: usize, host: &mut Frame) -> Result<(), AvError> {
    let (to, stride) = host.plane_mut(plane).ok_or_else(|| AvError::argument("frame plane"))?;
    surface.download(plane, to, stride).map_err(refused)
}

/// Brings pictures to the device.
#[derive(Debug)]
pub struct Uploads {
    gpu: Arc<Gpu>,
    pool: Option<SurfacePool>,
    scaler: Option<Scaler>,
}

impl Uploads {
    /// To a device.
    pub fn new(gpu: &Arc<Gpu>) -> Self {
        Uploads {
            gpu: Arc::clone(gpu),
            pool: None,
            scaler: None,
        }
    }

    /// The picture on the device; what a device has no layout for becomes 4:2:0 of 8 or 10 bits.
    pub fn put(&mut self, frame: &Frame) -> Result<PooledSurface, AvError> {
        let (layout, host) = self.plain(frame)?;
        let size = (host.width(), host.height());
        let is_known = |pool: &SurfacePool| pool.layout() == layout && pool.size() == size;
        if !self.pool.as_ref().is_some_and(is_known) {
            self.pool = Some(SurfacePool::new(&self.gpu, layout, size.0, size.1, IDLE));
        }
        let pool = self.pool.as_ref().ok_or_else(|| AvError::memory("cuMemAllocPitch"))?;
        let surface = pool.take().map_err(refused)?;
        for plane in 0..layout.planes() {
            let (from, stride) = host.plane(plane).ok_or_else(|| AvError::argument("frame plane"))?;
            surface.upload(plane, from, stride).map_err(refused)?;
        }
        Ok(surface)
    }

    fn plain(&mut self, frame: &Frame) -> Result<(Layout, Frame), AvError> {
        let (format, _) = frame.pixel_format().without_range();
        let layout = |format: PixelFormat| {
            if format == PixelFormat::YUV420P10 {
                Layout::Yuv420p10
            } else {
                Layout::Yuv420p
            }
        };
        let lies_well = (0..3).all(|plane| frame.plane(plane).is_some());
        if (format == PixelFormat::YUV420P || format == PixelFormat::YUV420P10) && lies_well {
            return Ok((layout(format), frame.share()?));
        }
        let wanted = if format.bit_depth() > 8 {
            PixelFormat::YUV420P10
        } else {
            PixelFormat::YUV420P
        };
        let fits = |scaler: &Scaler| {
            (scaler.width(), scaler.height(), scaler.format()) == (frame.width(), frame.height(), wanted)
        };
        if !self.scaler.as_ref().is_some_and(fits) {
            self.scaler = Some(Scaler::new(wanted, frame.width(), frame.height(), Filter::Bicubic)?);
        }
        let scaler = self
            .scaler
            .as_mut()
            .ok_or_else(|| AvError::argument("sws_getContext"))?;
        Ok((layout(wanted), scaler.run(frame)?))
    }
}
