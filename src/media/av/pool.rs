//! Memory of pictures that come and go: buffers of one size, used again and again.

use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::frame::Frame;
use crate::media::av::pixel::PixelFormat;
use ffmpeg_the_third::ffi;
use std::ffi::c_int;
use std::ptr::NonNull;

/// Rows begin at multiples of this, which the widest vector instructions like.
const ALIGN: c_int = 64;

/// Pictures of one format and size.
#[derive(Debug)]
pub struct PicturePool {
    raw: NonNull<ffi::AVBufferPool>,
    format: PixelFormat,
    width: c_int,
    height: c_int,
}

// SAFETY: libav's buffer pool is thread-safe; the rest is plain.
unsafe impl Send for PicturePool {}

impl PicturePool {
    /// A pool with nothing in it yet.
    pub fn new(format: PixelFormat, width: u32, height: u32) -> Result<Self, AvError> {
        let bad = || AvError::argument("av_image_get_buffer_size");
        let (width, height) = (
            c_int::try_from(width).map_err(|_| bad())?,
            c_int::try_from(height).map_err(|_| bad())?,
        );
        // SAFETY: pure arithmetic.
        let size = check("av_image_get_buffer_size", unsafe {
            ffi::av_image_get_buffer_size(format.raw(), width, height, ALIGN)
        })?;
        // Scalers and encoders may touch a vector's width beyond the last row.
        let size = size as usize + 2 * ALIGN as usize;
        // SAFETY: the default allocator of libav.
        let raw = NonNull::new(unsafe { ffi::av_buffer_pool_init(size as _, None) })
            .ok_or_else(|| AvError::memory("av_buffer_pool_init"))?;
        Ok(PicturePool {
            raw,
            format,
            width,
            height,
        })
    }

    /// A picture with undefined pixels; its memory returns here by itself.
    pub fn take(&self) -> Result<Frame, AvError> {
        let mut frame = Frame::empty()?;
        // SAFETY: a live pool; the buffer is as large as the format and size need (see `new`), and the frame
        // owns the reference from here on.
        unsafe {
            let buffer = ffi::av_buffer_pool_get(self.raw.as_ptr());
            if buffer.is_null() {
                return Err(AvError::memory("av_buffer_pool_get"));
            }
            let raw = frame.get_mut();
            raw.buf[0] = buffer;
            raw.format = self.format.0;
            raw.width = self.width;
            raw.height = self.height;
            check(
                "av_image_fill_arrays",
                ffi::av_image_fill_arrays(
                    raw.data.as_mut_ptr(),
                    raw.linesize.as_mut_ptr(),
                    (*buffer).data,
                    self.format.raw(),
                    self.width,
                    self.height,
                    ALIGN,
                ),
            )?;
            raw.extended_data = raw.data.as_mut_ptr();
        }
        Ok(frame)
    }
}

impl Drop for PicturePool {
    fn drop(&mut self) {
        let mut pointer = self.raw.as_ptr();
        // SAFETY: frees the pool when its last picture has come back.
        unsafe { ffi::av_buffer_pool_uninit(&mut pointer) }
    }
}
