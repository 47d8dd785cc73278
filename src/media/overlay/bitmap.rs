//! A mark as pixels: red, green, blue and how much they cover.
//!
//! Guarantees: an image file is decoded by its content, never by its name, and within limits. Deliberately absent:
//! where it stands.

use crate::base::fault::Fault;
use crate::media::error;
use image::DynamicImage;
use image::ImageDecoder;
use image::ImageReader;
use image::Limits;
use image::imageops::FilterType;
use std::io::Cursor;

const MAX_EDGE: u32 = 16_384;
const MAX_BYTES: u64 = 512 << 20;

/// Straight (not premultiplied) RGBA, 8 bit each, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    width: u32,
    height: u32,
    rgba: Vec<u8>,
}

impl Bitmap {
    /// Of pixels; none when they are not `width * height * 4` bytes.
    pub fn new(width: u32, height: u32, rgba: Vec<u8>) -> Option<Self> {
        let fits = rgba.len() as u64 == u64::from(width) * u64::from(height) * 4;
        fits.then_some(Bitmap { width, height, rgba })
    }

    /// Decodes a PNG, JPEG or WebP file.
    pub fn decode(bytes: &[u8], name: &str) -> Result<Self, Fault> {
        let refused = |cause: String| error::side_file_refused("read the watermark", name, cause);
        let mut reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|cause| refused(cause.to_string()))?;
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_EDGE);
        limits.max_image_height = Some(MAX_EDGE);
        limits.max_alloc = Some(MAX_BYTES);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|cause| refused(cause.to_string()))?;
        let orientation = decoder.orientation().map_err(|cause| refused(cause.to_string()))?;
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|cause| refused(cause.to_string()))?;
        picture.apply_orientation(orientation);
        let pixels = picture.into_rgba8();
        let (width, height) = pixels.dimensions();
        Bitmap::new(width, height, pixels.into_raw()).ok_or_else(|| refused("it has no pixels".to_owned()))
    }

    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.width
    }
    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// One pixel; outside it is clear.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 4] {
        let at = (y as usize * self.width as usize + x as usize) * 4;
        match self.rgba.get(at..at + 4) {
            Some(pixel) if x < self.width => [pixel[0], pixel[1], pixel[2], pixel[3]],
            _ => [0; 4],
        }
    }

    /// In another size. Colours are weighed by how much they cover, so that clear pixels lend no colour.
    pub fn resized(self, width: u32, height: u32) -> Self {
        if (self.width, self.height) == (width, height) || width == 0 || height == 0 {
            return self;
        }
        let premultiplied: Vec<f32> = self
            .rgba
            .chunks_exact(4)
            .flat_map(|pixel| {
                let cover = f32::from(pixel[3]) / 255.0;
                [
                    f32::from(pixel[0]) / 255.0 * cover,
                    f32::from(pixel[1]) / 255.0 * cover,
                    f32::from(pixel[2]) / 255.0 * cover,
                    cover,
                ]
            })
            .collect();
        let Some(whole) = image::Rgba32FImage::from_raw(self.width, self.height, premultiplied) else {
            return self;
        };
        let scaled = image::imageops::resize(&whole, width, height, FilterType::CatmullRom);
        let rgba = scaled
            .pixels()
            .flat_map(|pixel| {
                let cover = pixel[3].clamp(0.0, 1.0);
                let straight = |value: f32| {
                    let value = if cover > 0.0 { value / cover } else { 0.0 };
                    (value.clamp(0.0, 1.0) * 255.0).round() as u8
                };
                [
                    straight(pixel[0]),
                    straight(pixel[1]),
                    straight(pixel[2]),
                    (cover * 255.0).round() as u8,
                ]
            })
            .collect();
        Bitmap { width, height, rgba }
    }
}

#[cfg(test)]
mod tests {
    use super::Bitmap;

    #[test]
    fn clear_pixels_lend_no_colour() {
        let mut rgba = Vec::new();
        for x in 0..16 {
            // Clear pixels are green underneath, as some programs leave them.
            rgba.extend(if x < 8 { [255, 0, 0, 255] } else { [0, 255, 0, 0] });
        }
        let wide = Bitmap::new(16, 1, rgba).expect("pixels").resized(9, 1);
        for x in 0..9 {
            let [r, g, _, a] = wide.pixel(x, 0);
            assert!(a == 0 || (r > 250 && g < 5), "{x}: {:?}", wide.pixel(x, 0));
        }
        assert_eq!(wide.pixel(9, 0), [0; 4]);
    }

    #[test]
    fn what_is_no_image_is_refused_by_name() {
        let fault = Bitmap::decode(b"no image", "marks:logo.png").expect_err("refused");
        assert!(fault.to_string().contains("marks:logo.png"), "{fault}");
    }
}
