//! One picture on its way between the host and a device.
//!
//! Guarantees: what is queued reads and writes page-locked memory alone; sizes are the surface's own. A picture that is
//! sent is on its way when the call answers, and nothing of the caller's is read after that. Deliberately absent: other
//! layouts than the surface's.

use crate::media::cuda::error;
use crate::media::cuda::error::CudaError;
use crate::media::cuda::staging::Staged;
use crate::media::cuda::surface::Plane;
use crate::media::cuda::surface::Surface;
use cudarc::driver::sys;
use std::ffi::c_void;

const CALL: &str = "cuMemcpy2DAsync";
/// Most planes of any layout.
const PLANES: usize = 3;

/// Where the planes of a picture lie on the device, and from which byte on on the host, rows without gaps.
#[derive(Debug)]
struct Places {
    planes: [Option<(Plane, usize)>; PLANES],
    bytes: usize,
}

impl Places {
    fn of(surface: &Surface) -> Self {
        let mut bytes = 0;
        let planes = [0, 1, 2].map(|number| {
            let plane = surface.plane(number)?;
            let begin = bytes;
            bytes += plane.row_bytes * plane.rows;
            Some((plane, begin))
        });
        Places { planes, bytes }
    }

    fn all(&self) -> impl Iterator<Item = &(Plane, usize)> {
        self.planes.iter().flatten()
    }

    /// Bytes of a plane on the host: from, to, and of a row.
    fn place(&self, plane: usize) -> Option<(usize, usize, usize)> {
        let (plane, begin) = self.planes.get(plane)?.as_ref()?;
        Some((*begin, begin + plane.row_bytes * plane.rows, plane.row_bytes))
    }
}

/// A picture that is written on the host and then sent to a surface.
#[derive(Debug)]
pub struct Outgoing<'a> {
    surface: &'a Surface,
    places: Places,
    staged: Staged,
}

impl Outgoing<'_> {
    /// A plane to be written, rows without gaps, and bytes of a row; empty where there is no such plane.
    pub fn plane_mut(&mut self, plane: usize) -> (&mut [u8], usize) {
        match self.places.place(plane) {
            Some((from, to, row_bytes)) => (&mut self.staged.bytes_mut()[from..to], row_bytes),
            None => (&mut [], 0),
        }
    }

    /// Writes a plane. `stride_bytes`: from a row of `from` to the next.
    pub fn write(&mut self, plane: usize, from: &[u8], stride_bytes: usize) -> Result<(), CudaError> {
        let (to, row_bytes) = self.plane_mut(plane);
        let rows = to.len() / row_bytes.max(1);
        let needed = rows.saturating_sub(1) * stride_bytes + row_bytes;
        if rows == 0 || stride_bytes < row_bytes || from.len() < needed {
            let why = format!("plane {plane}: {needed} bytes are needed, {} given", from.len());
            return Err(CudaError::refused(CALL, why));
        }
        for (to, from) in to.chunks_exact_mut(row_bytes).zip(from.chunks(stride_bytes)) {
            to.copy_from_slice(&from[..row_bytes]);
        }
        Ok(())
    }

    /// Queues all of it. What is queued after this on the same device finds the picture there.
    pub fn send(mut self) -> Result<(), CudaError> {
        self.surface.gpu().enter()?;
        self.staged.begin();
        let host = self.staged.bytes().as_ptr();
        for (plane, begin) in self.places.all() {
            // SAFETY: the piece is as long as all planes together.
            let from = unsafe { host.add(*begin) };
            let copy = sys::CUDA_MEMCPY2D {
                srcMemoryType: sys::CUmemorytype::CU_MEMORYTYPE_HOST,
                srcHost: from.cast::<c_void>(),
                srcPitch: plane.row_bytes,
                dstMemoryType: sys::CUmemorytype::CU_MEMORYTYPE_DEVICE,
                dstDevice: plane.address,
                dstPitch: plane.pitch_bytes,
                WidthInBytes: plane.row_bytes,
                Height: plane.rows,
                ..no_copy()
            };
            // SAFETY: both sides are as the surface measures them, and stay until the copy is over: the surface's memory
            // is freed, and the piece used again, after what is queued.
            unsafe { queue(self.surface, &copy) }?;
        }
        self.staged.sent()
    }
}

/// A picture that was fetched from a surface.
#[derive(Debug)]
pub struct Fetched {
    places: Places,
    staged: Staged,
}

impl Fetched {
    /// A plane, rows without gaps, and bytes of a row; empty where there is no such plane.
    pub fn plane(&self, plane: usize) -> (&[u8], usize) {
        match self.places.place(plane) {
            Some((from, to, row_bytes)) => (&self.staged.bytes()[from..to], row_bytes),
            None => (&[], 0),
        }
    }
}

impl Surface {
    /// A picture of the host's for this surface: to be written whole, and sent.
    pub fn outgoing(&self) -> Result<Outgoing<'_>, CudaError> {
        let places = Places::of(self);
        let staged = Staged::take(self.gpu(), places.bytes)?;
        Ok(Outgoing {
            surface: self,
            places,
            staged,
        })
    }

    /// The picture on the host, once all is done that was queued before.
    pub fn fetch(&self) -> Result<Fetched, CudaError> {
        let places = Places::of(self);
        let mut staged = Staged::take(self.gpu(), places.bytes)?;
        self.gpu().enter()?;
        staged.begin();
        let host = staged.bytes_mut().as_mut_ptr();
        for (plane, begin) in places.all() {
            // SAFETY: the piece is as long as all planes together.
            let to = unsafe { host.add(*begin) };
            let copy = sys::CUDA_MEMCPY2D {
                srcMemoryType: sys::CUmemorytype::CU_MEMORYTYPE_DEVICE,
                srcDevice: plane.address,
                srcPitch: plane.pitch_bytes,
                dstMemoryType: sys::CUmemorytype::CU_MEMORYTYPE_HOST,
                dstHost: to.cast::<c_void>(),
                dstPitch: plane.row_bytes,
                WidthInBytes: plane.row_bytes,
                Height: plane.rows,
                ..no_copy()
            };
            // SAFETY: both sides are as the surface measures them, and the piece is held until the copy is over.
            unsafe { queue(self, &copy) }?;
        }
        staged.arrived()?;
        Ok(Fetched { places, staged })
    }

    /// Queues the copy of as many rows and bytes as a plane of this surface has from elsewhere on the device.
    ///
    /// # Safety
    /// At `address` lie that many rows, each `pitch_bytes` after the one before, and nothing that is queued on another
    /// stream, or done without one, touches them until the copy is done.
    pub(super) unsafe fn copy_from(&self, plane: usize, address: u64, pitch_bytes: usize) -> Result<(), CudaError> {
        let to = self
            .plane(plane)
            .ok_or_else(|| CudaError::refused(CALL, format!("there is no plane {plane}")))?;
        self.gpu().enter()?;
        let copy = sys::CUDA_MEMCPY2D {
            srcMemoryType: sys::CUmemorytype::CU_MEMORYTYPE_DEVICE,
            srcDevice: address,
            srcPitch: pitch_bytes,
            dstMemoryType: sys::CUmemorytype::CU_MEMORYTYPE_DEVICE,
            dstDevice: to.address,
            dstPitch: to.pitch_bytes,
            WidthInBytes: to.row_bytes,
            Height: to.rows,
            ..no_copy()
        };
        // SAFETY: one side is this surface's, the other the caller's word.
        unsafe { queue(self, &copy) }
    }
}

/// Queues a copy on the stream of a surface's device, whose context is current.
///
/// # Safety
/// Both sides are as large as it says, and stay until it is over.
unsafe fn queue(surface: &Surface, copy: &sys::CUDA_MEMCPY2D) -> Result<(), CudaError> {
    // SAFETY: as this function's.
    unsafe { sys::cuMemcpy2DAsync_v2(copy, surface.gpu().raw_stream()) }
        .result()
        .map_err(error::of(CALL))
}

/// A copy of nothing.
fn no_copy() -> sys::CUDA_MEMCPY2D {
    sys::CUDA_MEMCPY2D {
        srcXInBytes: 0,
        srcY: 0,
        srcMemoryType: sys::CUmemorytype::CU_MEMORYTYPE_HOST,
        srcHost: std::ptr::null(),
        srcDevice: 0,
        srcArray: std::ptr::null_mut(),
        srcPitch: 0,
        dstXInBytes: 0,
        dstY: 0,
        dstMemoryType: sys::CUmemorytype::CU_MEMORYTYPE_HOST,
        dstHost: std::ptr::null_mut(),
        dstDevice: 0,
        dstArray: std::ptr::null_mut(),
        dstPitch: 0,
        WidthInBytes: 0,
        Height: 0,
    }
}
