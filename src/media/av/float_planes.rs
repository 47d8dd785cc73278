//! Pictures of 32-bit floats packed red, green, blue, as TIFF files hold them: libswscale reads such samples only plane by
//! plane.
//!
//! Guarantees: the samples stay what they are, and so does all that goes with the picture. Pictures of other kinds pass
//! through. Deliberately absent: other packed forms, which libswscale reads.

use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::frame::Frame;
use crate::media::av::pixel::PixelFormat;
use ffmpeg_the_third::ffi;
use std::sync::LazyLock;

/// Bytes of a sample.
const SAMPLE_BYTES: usize = size_of::<f32>();
/// Planes of what comes out, in the order of what goes in: red, green, blue, alpha.
const PLANES: [usize; 4] = [2, 0, 1, 3];

/// What is taken apart, with samples a pixel and what it becomes; nothing with a libav that has no such forms.
static FORMS: LazyLock<Vec<(PixelFormat, usize, PixelFormat)>> = LazyLock::new(|| {
    [("rgbf32", 3, "gbrpf32"), ("rgbaf32", 4, "gbrapf32")]
        .into_iter()
        .filter_map(|(packed, samples, planar)| {
            Some((PixelFormat::native(packed)?, samples, PixelFormat::native(planar)?))
        })
        .collect()
});

/// The picture, plane by plane if it was none of the kinds that can be read.
///
/// # Errors
/// Want of memory.
pub(super) fn apart(frame: Frame) -> Result<Frame, AvError> {
    let format = frame.pixel_format();
    let Some((_, samples, planar)) = FORMS.iter().find(|(packed, ..)| *packed == format) else {
        return Ok(frame);
    };
    let mut planes = Frame::picture(*planar, frame.width(), frame.height())?;
    // SAFETY: two live frames; what describes the first is copied.
    check("av_frame_copy_props", unsafe {
        ffi::av_frame_copy_props(planes.as_ptr(), frame.as_ptr())
    })?;
    for y in 0..frame.height() {
        let row = || AvError::argument("frame row");
        let packed = frame.row(0, y).ok_or_else(row)?;
        for (sample, plane) in PLANES.into_iter().enumerate().take(*samples) {
            let to = planes.row_mut(plane, y).ok_or_else(row)?;
            let pixels = packed.chunks_exact(samples * SAMPLE_BYTES);
            for (to, pixel) in to.chunks_exact_mut(SAMPLE_BYTES).zip(pixels) {
                to.copy_from_slice(&pixel[sample * SAMPLE_BYTES..][..SAMPLE_BYTES]);
            }
        }
    }
    Ok(planes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_goes_to_its_plane() {
        for (packed, samples, planar) in FORMS.iter() {
            let mut frame = Frame::picture(*packed, 3, 2).expect("memory");
            frame.set_pts(7);
            for y in 0..2 {
                let row = frame.row_mut(0, y).expect("a row");
                for (at, to) in row.chunks_exact_mut(SAMPLE_BYTES).enumerate() {
                    to.copy_from_slice(&(at as f32 + 100.0 * y as f32).to_ne_bytes());
                }
            }
            let planes = apart(frame).expect("memory");
            assert_eq!((planes.pixel_format(), planes.pts()), (*planar, Some(7)));
            for (sample, plane) in PLANES.into_iter().enumerate().take(*samples) {
                let row = planes.row(plane, 1).expect("a row").chunks_exact(SAMPLE_BYTES);
                let row: Vec<f32> = row
                    .map(|bytes| f32::from_ne_bytes(bytes.try_into().expect("four")))
                    .collect();
                let expected = [0, 1, 2].map(|x| (x * samples + sample) as f32 + 100.0);
                assert_eq!(row, expected, "sample {sample} of {samples}");
            }
        }
        let plain = Frame::picture(PixelFormat::RGB24, 3, 2).expect("memory");
        assert_eq!(apart(plain).expect("the same").pixel_format(), PixelFormat::RGB24);
    }
}
