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
use crate::media::cuda::transit::Fetched;
use crate::media::pass::gpu::refusal::refused;
use crate::media::pass::gpu::sight::Sight;
use std::sync::Arc;

/// Surfaces kept idle for pictures on their way to the device.
const IDLE: usize = 8;
/// 10-bit values stand in the high bits of the words of a device's interleaved layout.
const HIGH_BITS: u32 = 6;

/// The surface of a picture on a device; none of any other.
pub fn surface_of(frame: &Frame) -> Option<&Surface> {
    let pixels = frame.device_pixels()?;
    match pixels.downcast_ref::<Sight>() {
        Some(sight) => sight.surface(),
        None => Some(pixels.downcast_ref::<PooledSurface>()?),
    }
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
        let fetched = surface.fetch().map_err(refused)?;
        match surface.layout() {
            Layout::Nv12 => {
                unpack(&fetched, 0, &mut host, 0, whole)?;
                unpack(&fetched, 1, &mut host, 1, |row, to| {
                    every_other(row, 1, to, |one, to| to[0] = one[0])
                })?;
                unpack(&fetched, 1, &mut host, 2, |row, to| {
                    every_other(row.get(1..).unwrap_or_default(), 1, to, |one, to| to[0] = one[0]);
                })?;
            }
            Layout::P016 => {
                unpack(&fetched, 0, &mut host, 0, |row, to| {
                    let samples = row.chunks_exact(2).zip(to.chunks_exact_mut(2));
                    samples.for_each(|(one, to)| lower(one, to));
                })?;
                unpack(&fetched, 1, &mut host, 1, |row, to| every_other(row, 2, to, lower))?;
                unpack(&fetched, 1, &mut host, 2, |row, to| {
                    every_other(row.get(2..).unwrap_or_default(), 2, to, lower);
                })?;
            }
            Layout::Yuv420p | Layout::Yuv420p10 | Layout::Rgb24 => {
                for plane in 0..surface.layout().planes() {
                    unpack(&fetched, plane, &mut host, plane, whole)?;
                }
            }
        }
        Ok(host)
    }
}

/// Makes rows of a plane of the host's of those of a plane that was fetched.
fn unpack(
    fetched: &Fetched,
    from: usize,
    host: &mut Frame,
    to: usize,
    each: impl Fn(&[u8], &mut [u8]),
) -> Result<(), AvError> {
    let (bytes, row_bytes) = fetched.plane(from);
    for (y, row) in (0..).zip(bytes.chunks_exact(row_bytes.max(1))) {
        each(row, host.row_mut(to, y).ok_or_else(|| AvError::argument("frame row"))?);
    }
    Ok(())
}

/// A row as it is; what libav keeps behind it stays.
fn whole(row: &[u8], to: &mut [u8]) {
    let bytes = row.len().min(to.len());
    to[..bytes].copy_from_slice(&row[..bytes]);
}

/// One of two components whose samples, of so many bytes, take turns; the first sample is the first one's.
fn every_other(row: &[u8], bytes: usize, to: &mut [u8], of: impl Fn(&[u8], &mut [u8])) {
    let mine = row.chunks(2 * bytes).zip(to.chunks_exact_mut(bytes));
    mine.for_each(|(one, to)| of(&one[..bytes], to));
}

/// A sample of 10 bits as libav has it.
fn lower(one: &[u8], to: &mut [u8]) {
    let value = u16::from_le_bytes([one[0], one[1]]) >> HIGH_BITS;
    to[..2].copy_from_slice(&value.to_le_bytes());
}

/// The same once, for pictures that are wanted rarely.
pub fn to_host(frame: &Frame) -> Result<Frame, AvError> {
    Downloads::default().take(frame)
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
        let mut outgoing = surface.outgoing().map_err(refused)?;
        for plane in 0..layout.planes() {
            let (from, stride) = host.plane(plane).ok_or_else(|| AvError::argument("frame plane"))?;
            outgoing.write(plane, from, stride).map_err(refused)?;
        }
        outgoing.send().map_err(refused)?;
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

#[cfg(test)]
mod tests {
    use super::every_other;
    use super::lower;

    #[test]
    fn components_that_take_turns_are_told_apart() {
        let mut to = [0; 3];
        every_other(&[1, 7, 2, 8, 3, 9], 1, &mut to, |one, to| to[0] = one[0]);
        assert_eq!(to, [1, 2, 3]);
        // The second one's row ends with its own last sample.
        every_other(&[7, 2, 8, 3, 9], 1, &mut to, |one, to| to[0] = one[0]);
        assert_eq!(to, [7, 8, 9]);
        let row: Vec<u8> = [1023_u16 << 6, 1 << 6].into_iter().flat_map(u16::to_le_bytes).collect();
        let mut to = [0; 2];
        every_other(&row[2..], 2, &mut to, lower);
        assert_eq!(u16::from_le_bytes(to), 1);
        every_other(&row, 2, &mut to, lower);
        assert_eq!(u16::from_le_bytes(to), 1023);
    }
}
