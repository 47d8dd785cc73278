//! A frame whose pixels lie in the memory of a device: libav carries it, counts references to it and never looks inside.
//!
//! Guarantees: what is held is dropped when the last frame that shares it is. Deliberately absent: what it is; whoever
//! made the frame knows.

use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::frame::Frame;
use ffmpeg_the_third::ffi;
use std::any::Any;
use std::ffi::c_void;
use std::sync::Arc;

/// Pixels on a device.
pub type DevicePixels = Arc<dyn Any + Send + Sync>;

impl Frame {
    /// A frame of this size on pixels of a device; its pixel format is libav's word for such.
    pub fn on_device(pixels: DevicePixels, width: u32, height: u32) -> Result<Self, AvError> {
        let refused = || AvError::argument("av_buffer_create");
        let mut frame = Self::empty()?;
        let boxed = Box::into_raw(Box::new(pixels)).cast::<u8>();
        // SAFETY: the buffer owns the box from here on and gives it to `forget` once, at its last reference.
        let buffer = unsafe {
            ffi::av_buffer_create(
                boxed,
                size_of::<DevicePixels>() as _,
                Some(forget),
                std::ptr::null_mut(),
                ffi::AV_BUFFER_FLAG_READONLY as i32,
            )
        };
        if buffer.is_null() {
            // SAFETY: nobody took it.
            unsafe { forget(std::ptr::null_mut(), boxed) };
            return Err(AvError::memory("av_buffer_create"));
        }
        let raw = frame.get_mut();
        raw.buf[0] = buffer;
        raw.data[0] = boxed;
        raw.format = ffi::AVPixelFormat::CUDA.0;
        raw.width = i32::try_from(width).map_err(|_| refused())?;
        raw.height = i32::try_from(height).map_err(|_| refused())?;
        Ok(frame)
    }

    /// Takes over everything of another frame but its pixels: time stamps, colour, shape of pixels, marks, side data.
    pub fn take_properties(&mut self, from: &Frame) -> Result<(), AvError> {
        // SAFETY: two live frames, one of them borrowed exclusively.
        check("av_frame_copy_props", unsafe {
            ffi::av_frame_copy_props(self.as_ptr(), from.as_ptr())
        })?;
        Ok(())
    }

    /// The pixels of a frame that [`Frame::on_device`] made; none of any other.
    pub fn device_pixels(&self) -> Option<&DevicePixels> {
        let raw = self.get();
        if raw.format != ffi::AVPixelFormat::CUDA.0 || raw.buf[0].is_null() || !raw.hw_frames_ctx.is_null() {
            return None;
        }
        // SAFETY: frames of this format without a context of libav's are made by `on_device` alone, and the box lives
        // as long as the buffer that this frame holds.
        unsafe { raw.data[0].cast::<DevicePixels>().as_ref() }
    }
}

/// Called by libav at the last reference.
unsafe extern "C" fn forget(_: *mut c_void, data: *mut u8) {
    // SAFETY: the box of `on_device`, handed back once.
    drop(unsafe { Box::from_raw(data.cast::<DevicePixels>()) });
}

#[cfg(test)]
mod tests {
    use crate::media::av::Frame;
    use std::sync::Arc;

    #[test]
    fn pixels_live_as_long_as_the_last_frame() {
        let pixels = Arc::new(7_u32);
        let frame = Frame::on_device(pixels.clone(), 16, 8).expect("a frame");
        let other = frame.share().expect("shared");
        drop(frame);
        let held = other.device_pixels().expect("there").downcast_ref::<u32>();
        assert_eq!((held, other.width(), Arc::strong_count(&pixels)), (Some(&7), 16, 2));
        drop(other);
        assert_eq!(Arc::strong_count(&pixels), 1);
    }
}
