//! Pictures of another size as red, green and blue, sample beside sample.
//!
//! Guarantees: what [`Scaler`] guarantees. What is no RGB is made planar RGB first, which libswscale does three times as
//! fast as the same samples packed. Deliberately absent: transparency.

use crate::media::av::error::AvError;
use crate::media::av::frame::Frame;
use crate::media::av::pixel::PixelFormat;
use crate::media::av::scale::Filter;
use crate::media::av::scale::Scaler;

/// Planes of `gbrp`, red first.
const RED_GREEN_BLUE: [usize; 3] = [2, 0, 1];

/// Makes pictures of one size.
#[derive(Debug)]
pub struct PackedRgb {
    width: u32,
    height: u32,
    filter: Filter,
    /// Of the kind of source that came last.
    scaler: Option<Scaler>,
}

impl PackedRgb {
    /// For pictures of this size out.
    pub fn new(width: u32, height: u32, filter: Filter) -> Self {
        PackedRgb {
            width,
            height,
            filter,
            scaler: None,
        }
    }

    /// Whether it makes such ones.
    pub fn makes(&self, width: u32, height: u32, filter: Filter) -> bool {
        (self.width, self.height, self.filter) == (width, height, filter)
    }

    /// The picture, row after row without gaps: `width * height * 3` bytes.
    ///
    /// # Errors
    /// Those of libswscale.
    pub fn run(&mut self, frame: &Frame) -> Result<Vec<u8>, AvError> {
        let is_rgb = frame.pixel_format().is_rgb();
        let format = if is_rgb { PixelFormat::RGB24 } else { PixelFormat::GBRP };
        if self.scaler.as_ref().is_none_or(|scaler| scaler.format() != format) {
            self.scaler = Some(Scaler::new(format, self.width, self.height, self.filter)?);
        }
        let scaler = self.scaler.as_mut().ok_or_else(|| AvError::argument("sws_scale"))?;
        let scaled = scaler.run(frame)?;
        if is_rgb {
            self.copied(&scaled)
        } else {
            self.interleaved(&scaled)
        }
    }

    fn copied(&self, scaled: &Frame) -> Result<Vec<u8>, AvError> {
        let row_bytes = self.width as usize * 3;
        let mut packed = Vec::with_capacity(row_bytes * self.height as usize);
        for y in 0..self.height {
            let row = scaled.row(0, y).and_then(|row| row.get(..row_bytes));
            packed.extend_from_slice(row.ok_or_else(|| AvError::argument("frame row"))?);
        }
        Ok(packed)
    }

    fn interleaved(&self, scaled: &Frame) -> Result<Vec<u8>, AvError> {
        let width = self.width as usize;
        let mut packed = vec![0; width * 3 * self.height as usize];
        for (y, row) in (0..self.height).zip(packed.chunks_exact_mut((width * 3).max(1))) {
            let plane = |plane: usize| {
                let samples = scaled.row(plane, y).and_then(|row| row.get(..width));
                samples.ok_or_else(|| AvError::argument("frame row"))
            };
            let [red, green, blue] = RED_GREEN_BLUE.map(plane);
            let samples = red?.iter().zip(green?).zip(blue?);
            for (to, ((red, green), blue)) in row.chunks_exact_mut(3).zip(samples) {
                to.copy_from_slice(&[*red, *green, *blue]);
            }
        }
        Ok(packed)
    }
}
