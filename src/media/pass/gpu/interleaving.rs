//! Pictures of the host on their way into the device's encoder: renditions that were drawn on.
//!
//! Guarantees: samples are moved, never changed; what is known of the picture goes with it. Deliberately absent: any
//! other format than 4:2:0 of 8 or 10 bits, and any other size than the encoder's.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::PixelFormat;
use crate::media::cuda::Gpu;
use crate::media::cuda::Layout;
use crate::media::cuda::pool::SurfacePool;
use crate::media::cuda::transit::Outgoing;
use crate::media::pass::gpu::refusal::refused;
use crate::media::pass::gpu::transfer;
use std::sync::Arc;

/// Surfaces kept idle; an encoder has about as many at once.
const IDLE: usize = 8;
/// 10-bit values stand in the high bits of the words of a device's interleaved layout.
const HIGH_BITS: u32 = 6;

/// Brings planar pictures to the device in the layout that its encoder takes.
#[derive(Debug)]
pub struct Interleaving {
    pool: SurfacePool,
}

impl Interleaving {
    /// To an encoder of this layout (`Nv12` or `P016`) and size.
    pub fn new(gpu: &Arc<Gpu>, layout: Layout, (width, height): (u32, u32)) -> Self {
        Interleaving {
            pool: SurfacePool::new(gpu, layout, width, height, IDLE),
        }
    }

    /// The picture on the device.
    pub fn put(&mut self, frame: &Frame) -> Result<Frame, AvError> {
        let layout = self.pool.layout();
        let wanted = match layout {
            Layout::P016 => PixelFormat::YUV420P10,
            _ => PixelFormat::YUV420P,
        };
        let (width, height) = self.pool.size();
        let is = (frame.pixel_format().without_range().0, frame.width(), frame.height());
        if is != (wanted, width, height) {
            return Err(AvError::unusable(
                "cuMemcpy2DAsync",
                format!("a picture of {is:?} is not for an encoder of {width}x{height}"),
            ));
        }
        let surface = self.pool.take().map_err(refused)?;
        let mut outgoing = surface.outgoing().map_err(refused)?;
        match frame.plane(0).filter(|_| layout == Layout::Nv12) {
            Some((luma, stride)) => outgoing.write(0, luma, stride).map_err(refused)?,
            None => gather(frame, layout, &mut outgoing, 0, &[0])?,
        }
        gather(frame, layout, &mut outgoing, 1, &[1, 2])?;
        outgoing.send().map_err(refused)?;
        transfer::frame_of(surface, frame)
    }
}

/// One plane of the device's from one or two of the host's.
fn gather(
    frame: &Frame,
    layout: Layout,
    outgoing: &mut Outgoing<'_>,
    plane: usize,
    from: &[usize],
) -> Result<(), AvError> {
    let (bytes, row_bytes) = outgoing.plane_mut(plane);
    for (y, to) in (0..).zip(bytes.chunks_exact_mut(row_bytes.max(1))) {
        for (place, source) in from.iter().enumerate() {
            let row = frame.row(*source, y).ok_or_else(|| AvError::argument("frame row"))?;
            weave(layout, row, to, (place, from.len()));
        }
    }
    Ok(())
}

/// Puts the samples of a row into every `every`-th place of another, from place `first` on.
fn weave(layout: Layout, row: &[u8], to: &mut [u8], (first, every): (usize, usize)) {
    if layout == Layout::P016 {
        let places = to.chunks_exact_mut(2).skip(first).step_by(every);
        for (sample, place) in row.chunks_exact(2).zip(places) {
            let value = u16::from_le_bytes([sample[0], sample[1]]) << HIGH_BITS;
            place.copy_from_slice(&value.to_le_bytes());
        }
    } else {
        for (sample, place) in row.iter().zip(to.iter_mut().skip(first).step_by(every)) {
            *place = *sample;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::weave;
    use crate::media::cuda::Layout;

    #[test]
    fn samples_come_to_their_places() {
        let mut row = [0; 6];
        weave(Layout::Nv12, &[1, 2, 3], &mut row, (0, 2));
        weave(Layout::Nv12, &[7, 8, 9], &mut row, (1, 2));
        assert_eq!(row, [1, 7, 2, 8, 3, 9]);
        let mut row = [0; 4];
        weave(Layout::P016, &1023_u16.to_le_bytes(), &mut row, (0, 2));
        weave(Layout::P016, &1_u16.to_le_bytes(), &mut row, (1, 2));
        assert_eq!(row, [0xC0, 0xFF, 0x40, 0x00]);
    }
}
