//! One picture in the memory of a device.
//!
//! Guarantees: memory of its own from `cuMemAllocPitch`, which encoders can register (memory of pools they refuse);
//! freed only when nobody holds it and nothing queued still uses it, because freeing waits for the device. Deliberately
//! absent: scaling and conversion, which are kernels'; reuse, which is the pool's; the way to the host and back, which is
//! `transit`'s.

use crate::media::cuda::error;
use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use cudarc::driver::sys;
use std::sync::Arc;

/// How the samples of a picture lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// 4:2:0, 8 bits; Cb and Cr interleaved.
    Nv12,
    /// 4:2:0, 16-bit words with the value in their high bits (P010, P016); Cb and Cr interleaved.
    P016,
    /// 4:2:0, 8 bits, three planes.
    Yuv420p,
    /// 4:2:0, 10 bits in the low bits of 16-bit words, three planes.
    Yuv420p10,
    /// R, G, B of 8 bits each.
    Rgb24,
}

impl Layout {
    /// Planes.
    pub fn planes(self) -> usize {
        match self {
            Layout::Nv12 | Layout::P016 => 2,
            Layout::Yuv420p | Layout::Yuv420p10 => 3,
            Layout::Rgb24 => 1,
        }
    }

    /// Bits of a sample.
    pub fn bit_depth(self) -> u32 {
        match self {
            Layout::Nv12 | Layout::Yuv420p | Layout::Rgb24 => 8,
            Layout::P016 | Layout::Yuv420p10 => 10,
        }
    }

    fn sample_bytes(self) -> usize {
        match self {
            Layout::Nv12 | Layout::Yuv420p | Layout::Rgb24 => 1,
            Layout::P016 | Layout::Yuv420p10 => 2,
        }
    }

    /// Bytes of a row and rows of a plane of a picture of this size.
    pub fn plane_size(self, plane: usize, width: u32, height: u32) -> (usize, usize) {
        let (width, height) = (width as usize, height as usize);
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let (samples, rows) = match (self, plane) {
            (Layout::Rgb24, _) => (width * 3, height),
            (_, 0) => (width, height),
            (Layout::Nv12 | Layout::P016, _) => (half_width * 2, half_height),
            _ => (half_width, half_height),
        };
        (samples * self.sample_bytes(), rows)
    }
}

/// Where a plane lies on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plane {
    /// Device address of its first sample.
    pub address: u64,
    /// From a row to the next, bytes.
    pub pitch_bytes: usize,
    /// Bytes of a row that count.
    pub row_bytes: usize,
    /// Rows.
    pub rows: usize,
}

/// A picture on a device.
#[derive(Debug)]
pub struct Surface {
    gpu: Arc<Gpu>,
    layout: Layout,
    width: u32,
    height: u32,
    address: u64,
    pitch_bytes: usize,
}

impl Surface {
    /// Takes memory for a picture; its samples are not cleared. All planes lie in one piece with one pitch, one below
    /// the other (three planes: the chroma ones with the luma's pitch too), luma at an even number of rows.
    pub fn new(gpu: &Arc<Gpu>, layout: Layout, width: u32, height: u32) -> Result<Self, CudaError> {
        if width == 0 || height == 0 {
            return Err(CudaError::refused(
                "cuMemAllocPitch",
                format!("a picture of {width}x{height}"),
            ));
        }
        gpu.enter()?;
        let (row_bytes, _) = layout.plane_size(0, width, height);
        let (chroma_row_bytes, _) = layout.plane_size(layout.planes() - 1, width, height);
        let rows = row_of(layout, layout.planes(), height);
        let (mut address, mut pitch_bytes) = (0, 0);
        // SAFETY: the context is current, and both answers are ours to write to.
        unsafe {
            sys::cuMemAllocPitch_v2(
                &mut address,
                &mut pitch_bytes,
                row_bytes.max(chroma_row_bytes),
                rows,
                16,
            )
        }
        .result()
        .map_err(error::of("cuMemAllocPitch"))?;
        Ok(Surface {
            gpu: Arc::clone(gpu),
            layout,
            width,
            height,
            address,
            pitch_bytes,
        })
    }

    /// The device.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }
    /// How its samples lie.
    pub fn layout(&self) -> Layout {
        self.layout
    }
    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.width
    }
    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.height
    }
    /// Device address of the whole.
    pub(super) fn address(&self) -> u64 {
        self.address
    }
    /// From a row to the next of every plane, bytes.
    pub fn pitch_bytes(&self) -> usize {
        self.pitch_bytes
    }

    /// Where a plane lies; none when there is no such plane.
    pub fn plane(&self, plane: usize) -> Option<Plane> {
        if plane >= self.layout.planes() {
            return None;
        }
        let (row_bytes, rows) = self.layout.plane_size(plane, self.width, self.height);
        Some(Plane {
            address: self.address + (row_of(self.layout, plane, self.height) * self.pitch_bytes) as u64,
            pitch_bytes: self.pitch_bytes,
            row_bytes,
            rows,
        })
    }
}

/// Row of the piece of memory where a plane begins; of the number of planes: where it ends.
fn row_of(layout: Layout, plane: usize, height: u32) -> usize {
    let luma = (height as usize).next_multiple_of(2);
    match (layout, plane) {
        (_, 0) => 0,
        (Layout::Rgb24, _) => height as usize,
        (_, plane) => luma + (plane - 1) * luma / 2,
    }
}

impl Drop for Surface {
    fn drop(&mut self) {
        if self.gpu.enter().is_err() {
            // A lost context took its memory with it.
            return;
        }
        // SAFETY: ours, freed once; the call waits for what is queued on the device.
        let _ = unsafe { sys::cuMemFree_v2(self.address) };
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use super::row_of;

    #[test]
    fn planes_lie_one_below_the_other() {
        assert_eq!(Layout::Nv12.plane_size(1, 854, 480), (854, 240));
        assert_eq!(Layout::P016.plane_size(0, 1280, 720), (2560, 720));
        assert_eq!(Layout::Yuv420p.plane_size(2, 5, 3), (3, 2));
        assert_eq!(row_of(Layout::Nv12, 1, 1080), 1080);
        assert_eq!(row_of(Layout::Nv12, 2, 1080), 1620);
        assert_eq!(row_of(Layout::Yuv420p, 3, 480), 960);
    }
}
