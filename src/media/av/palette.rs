//! The palette of a picture whose pixels are numbers of colours.
//!
//! Guarantees: a colour counts as one that is used if the picture has a pixel of it, and as one that its file gives if it
//! is not all zeros, which is what demuxers leave where a palette ends early.

use crate::media::av::frame::Frame;
use crate::media::av::pixel::PixelFormat;

/// Colours of a palette.
const COLOURS: usize = 256;

impl Frame {
    /// Whether something behind it could be seen through it: by its format, or, with a palette, by the colours in it.
    pub fn may_be_seen_through(&self) -> bool {
        if self.pixel_format() != PixelFormat::PAL8 {
            return self.pixel_format().has_alpha();
        }
        let Some(palette) = self.palette() else {
            return true;
        };
        let is_opaque = |colour: u32| colour >> 24 == 0xFF;
        if palette.iter().all(|colour| is_opaque(*colour)) {
            return false;
        }
        if palette.iter().any(|colour| *colour != 0 && !is_opaque(*colour)) {
            return true;
        }
        let is_clear = |number: &u8| palette[usize::from(*number)] == 0;
        (0..self.height())
            .filter_map(|y| self.row(0, y))
            .any(|row| row.iter().any(is_clear))
    }

    /// Alpha, red, green and blue of each colour, the alpha highest; none: it has no palette.
    fn palette(&self) -> Option<[u32; COLOURS]> {
        let start = self.get().data[1].cast::<u32>();
        if self.pixel_format() != PixelFormat::PAL8 || start.is_null() {
            return None;
        }
        // SAFETY: the second plane of this format is 256 numbers of 32 bits (AV_PIX_FMT_PAL8), which libav keeps readable for
        // the life of the frame.
        Some(unsafe { start.cast::<[u32; COLOURS]>().read_unaligned() })
    }
}

#[cfg(test)]
mod tests {
    use super::COLOURS;
    use crate::media::av::frame::Frame;
    use crate::media::av::pixel::PixelFormat;

    /// A picture of the first two colours.
    fn picture(colours: [u32; 3], rest: u32) -> Frame {
        let mut frame = Frame::picture(PixelFormat::PAL8, 2, 1).expect("a picture");
        frame.row_mut(0, 0).expect("a row").copy_from_slice(&[0, 1]);
        let mut palette = [rest; COLOURS];
        palette[..3].copy_from_slice(&colours);
        // SAFETY: the palette of a picture that nobody shares.
        unsafe { frame.get().data[1].cast::<[u32; COLOURS]>().write_unaligned(palette) };
        frame
    }

    #[test]
    fn a_palette_is_as_clear_as_its_colours() {
        const RED: u32 = 0xFFFF_0000;
        assert!(!picture([RED, RED, RED], 0xFF00_0000).may_be_seen_through());
        assert!(!picture([RED, RED, RED], 0).may_be_seen_through(), "it ends early");
        assert!(
            picture([RED, 0, RED], 0xFF00_0000).may_be_seen_through(),
            "a clear pixel"
        );
        assert!(picture([RED, RED, 0x80FF_0000], 0).may_be_seen_through(), "used later");
        let rgba = Frame::picture(PixelFormat::RGBA, 2, 1).expect("a picture");
        assert!(rgba.may_be_seen_through());
        let plain = Frame::picture(PixelFormat::YUV420P, 2, 2).expect("a picture");
        assert!(!plain.may_be_seen_through());
    }
}
