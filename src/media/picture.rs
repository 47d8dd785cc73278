//! One still picture in memory: tightly packed RGB, its encodings, and how dark it is.
//!
//! Guarantees: the buffer always holds exactly `width * height * 3` bytes; a picture is never empty. Deliberately
//! absent: scaling and colour conversion, which libav does before a picture is made; files.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::av::animation;
use crate::media::av::animation::AnimationError;
use crate::media::jpeg_file;
use crate::media::spec::PictureFormat;
use image::ImageEncoder;
use image::codecs::png::CompressionType;
use image::codecs::png::FilterType;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use std::sync::Arc;

/// Luma (0..=255, full range) below which a pixel counts as black when nobody says. The clouds' examples move between 16 and 70;
/// 32 is what `blackframe` uses and tells night scenes from faded-out ones.
pub const BLACK_LUMA: u8 = 32;

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// Reads `#rrggbb`; none when it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Color([channel(0)?, channel(2)?, channel(4)?]))
    }
}

/// A picture of 8-bit RGB samples without padding. Clones share the samples until one of them is drawn on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Arc<Vec<u8>>,
}

impl Picture {
    /// Takes rows of `width * 3` bytes. None when a side is 0 or the buffer has another size.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let expected = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        if expected == 0 || rgb.len() != expected {
            return None;
        }
        let rgb = Arc::new(rgb);
        Some(Picture { width, height, rgb })
    }

    /// A picture of one colour. None when a side is 0.
    pub fn filled(width: u32, height: u32, color: Color) -> Option<Self> {
        let pixels = (width as usize).checked_mul(height as usize)?;
        Picture::new(width, height, color.0.repeat(pixels))
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The samples, row after row.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The three samples at a position; it must lie inside.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let at = (y as usize * self.width as usize + x as usize) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Copies `cell` into this picture with its upper left corner at (`x`, `y`); what would lie outside is cut.
    pub fn paste(&mut self, cell: &Picture, x: u32, y: u32) {
        if x >= self.width || y >= self.height {
            return;
        }
        let columns = cell.width.min(self.width - x) as usize * 3;
        let rows = cell.height.min(self.height - y) as usize;
        let rgb = Arc::make_mut(&mut self.rgb);
        let (from_stride, to_stride) = (cell.width as usize * 3, self.width as usize * 3);
        for row in 0..rows {
            let from = row * from_stride;
            let to = (y as usize + row) * to_stride + x as usize * 3;
            rgb[to..to + columns].copy_from_slice(&cell.rgb[from..from + columns]);
        }
    }

    /// The picture turned clockwise by 0, 90, 180 or 270 degrees and then, if so, mirrored left to right.
    pub fn turned(self, degrees: u32, mirrored: bool) -> Picture {
        if degrees.is_multiple_of(360) && !mirrored {
            return self;
        }
        let (width, height) = if degrees % 180 == 90 {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        };
        let mut rgb = Vec::with_capacity(self.rgb.len());
        for y in 0..height {
            for x in 0..width {
                let x = if mirrored { width - 1 - x } else { x };
                let pixel = match degrees % 360 {
                    90 => self.pixel(y, self.height - 1 - x),
                    180 => self.pixel(self.width - 1 - x, self.height - 1 - y),
                    270 => self.pixel(self.width - 1 - y, x),
                    _ => self.pixel(x, y),
                };
                rgb.extend_from_slice(&pixel);
            }
        }
        let rgb = Arc::new(rgb);
        Picture { width, height, rgb }
    }

    /// Keeps the upper `rows` rows (at least one).
    pub fn cut_below(&mut self, rows: u32) {
        self.height = rows.clamp(1, self.height);
        Arc::make_mut(&mut self.rgb).truncate(self.height as usize * self.width as usize * 3);
    }

    /// The part in the middle, at most so large.
    pub fn middle(&self, width: u32, height: u32) -> Picture {
        let (across, down) = (width.clamp(1, self.width), height.clamp(1, self.height));
        let (left, top) = ((self.width - across) / 2, (self.height - down) / 2);
        let rows = self.rgb.chunks_exact(self.width as usize * 3);
        let rgb = rows
            .skip(top as usize)
            .take(down as usize)
            .flat_map(|row| &row[left as usize * 3..(left + across) as usize * 3])
            .copied()
            .collect();
        Picture {
            width: across,
            height: down,
            rgb: Arc::new(rgb),
        }
    }

    /// Per cent of pixels with less luma (0..=255) than `below`.
    pub fn black_percent(&self, below: u8) -> f64 {
        let black = self
            .rgb
            .chunks_exact(3)
            .filter(|pixel| {
                // BT.709 luma in 1/1024.
                let luma = u32::from(pixel[0]) * 218 + u32::from(pixel[1]) * 732 + u32::from(pixel[2]) * 74;
                luma < u32::from(below) * 1024
            })
            .count();
        100.0 * black as f64 / (self.rgb.len() / 3) as f64
    }

    /// The picture as a file's bytes. `quality` (1..=100) is for JPEG and WebP; PNG is lossless, and WebP without one.
    pub fn encode(&self, format: PictureFormat, quality: Option<u8>) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        let done = match format {
            PictureFormat::Jpg => return self.jpeg(quality.unwrap_or(100).clamp(1, 100)),
            PictureFormat::Png => PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
                .write_image(&self.rgb, self.width, self.height, image::ExtendedColorType::Rgb8),
            PictureFormat::Webp if quality.is_some() => return self.lossy_webp(quality.unwrap_or(100)),
            PictureFormat::Webp => WebPEncoder::new_lossless(&mut bytes).write_image(
                &self.rgb,
                self.width,
                self.height,
                image::ExtendedColorType::Rgb8,
            ),
        };
        match done {
            Ok(()) => Ok(bytes),
            Err(cause) => Err(self.not_encoded(Blame::Request, format, cause.to_string())),
        }
    }

    fn jpeg(&self, quality: u8) -> Result<Vec<u8>, Fault> {
        jpeg_file::encode(&self.rgb, self.width, self.height, quality)
            .map_err(|cause| self.not_encoded(Blame::Request, PictureFormat::Jpg, cause))
    }

    fn lossy_webp(&self, quality: u8) -> Result<Vec<u8>, Fault> {
        animation::encode_webp_still(self, quality).map_err(|cause| match cause {
            AnimationError::Missing(_) => Fault::new(
                "EncoderMissing",
                Blame::Host,
                "encode",
                "a WebP picture",
                cause.to_string(),
                "Write lossless = true, take another format, or install a libav with libwebp.",
            ),
            cause => self.not_encoded(Blame::Request, PictureFormat::Webp, cause.to_string()),
        })
    }

    fn not_encoded(&self, blame: Blame, format: PictureFormat, cause: String) -> Fault {
        Fault::new(
            "PictureNotEncoded",
            blame,
            "encode",
            format!("a {}x{} picture as {}", self.width, self.height, format.extension()),
            cause,
            "Ask for a smaller picture or another format.",
        )
    }

    /// Reads a picture back from a file's bytes; the error is the decoder's own sentence.
    pub fn decode(bytes: &[u8], format: PictureFormat) -> Result<Self, String> {
        let format = match format {
            PictureFormat::Jpg => image::ImageFormat::Jpeg,
            PictureFormat::Png => image::ImageFormat::Png,
            PictureFormat::Webp => image::ImageFormat::WebP,
        };
        let decoded = image::load_from_memory_with_format(bytes, format)
            .map_err(|cause| cause.to_string())?
            .into_rgb8();
        let (width, height) = decoded.dimensions();
        Picture::new(width, height, decoded.into_raw()).ok_or_else(|| "the picture is empty".to_owned())
    }
}

/// Largest side a format can hold, pixels.
pub fn largest_side(format: PictureFormat) -> u32 {
    match format {
        PictureFormat::Jpg => 65_500,
        PictureFormat::Png => 65_535,
        PictureFormat::Webp => 16_383,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(width: u32, height: u32) -> Picture {
        let rgb = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [(x * 3) as u8, (y * 5) as u8, ((x + y) * 2) as u8]))
            .collect();
        Picture::new(width, height, rgb).expect("sized right")
    }

    #[test]
    fn a_buffer_of_another_size_is_refused() {
        assert!(Picture::new(2, 2, vec![0; 11]).is_none());
        assert!(Picture::new(0, 2, vec![]).is_none());
        assert!(Picture::new(2, 2, vec![0; 12]).is_some());
    }

    #[test]
    fn lossless_formats_give_back_the_same_samples_and_jpeg_nearly() {
        let picture = gradient(37, 21);
        for format in [PictureFormat::Png, PictureFormat::Webp] {
            let bytes = picture.encode(format, None).expect("encodes");
            assert_eq!(Picture::decode(&bytes, format).expect("decodes"), picture, "{format:?}");
        }
        for format in [PictureFormat::Jpg, PictureFormat::Webp] {
            let bytes = picture.encode(format, Some(95)).expect("encodes");
            let again = Picture::decode(&bytes, format).expect("decodes");
            assert_eq!((again.width(), again.height()), (37, 21));
            let pairs = again.rgb().iter().zip(picture.rgb());
            let error: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            let mean = error / (picture.rgb().len() as u64);
            assert!(mean < 6, "{format:?}: mean error {mean}");
        }
    }

    #[test]
    fn a_lossy_webp_shrinks_with_its_quality() {
        let picture = gradient(200, 120);
        let size = |quality| picture.encode(PictureFormat::Webp, quality).expect("encodes").len();
        assert!(size(Some(10)) < size(Some(95)), "{} {}", size(Some(10)), size(Some(95)));
        assert_ne!(size(None), size(Some(100)));
    }

    #[test]
    fn the_middle_is_cut_out() {
        let middle = gradient(10, 8).middle(4, 90);
        assert_eq!((middle.width(), middle.height()), (4, 8));
        assert_eq!(middle.pixel(0, 0), gradient(10, 8).pixel(3, 0));
        assert_eq!(middle.pixel(3, 7), gradient(10, 8).pixel(6, 7));
    }

    #[test]
    fn a_cut_file_is_not_taken_for_a_picture() {
        let bytes = gradient(64, 64).encode(PictureFormat::Png, Some(85)).expect("encodes");
        assert!(Picture::decode(&bytes[..bytes.len() / 2], PictureFormat::Png).is_err());
    }

    #[test]
    fn pasting_cuts_at_the_edges_and_leaves_the_rest() {
        let mut ground = Picture::filled(4, 3, Color([9, 9, 9])).expect("not empty");
        let cell = Picture::filled(3, 3, Color([200, 0, 0])).expect("not empty");
        ground.paste(&cell, 2, 1);
        assert_eq!(ground.pixel(1, 1), [9, 9, 9]);
        assert_eq!(ground.pixel(2, 0), [9, 9, 9]);
        assert_eq!(ground.pixel(3, 2), [200, 0, 0]);
        ground.paste(&cell, 4, 0);
        assert_eq!(ground.pixel(3, 0), [9, 9, 9]);
    }

    #[test]
    fn turning_moves_the_upper_left_corner_clockwise() {
        let mut picture = Picture::filled(3, 2, Color([0; 3])).expect("not empty");
        picture.paste(&Picture::filled(1, 1, Color([255; 3])).expect("not empty"), 0, 0);
        let corner = |degrees, mirrored| {
            let turned = picture.clone().turned(degrees, mirrored);
            let places = (0..turned.height()).flat_map(|y| (0..turned.width()).map(move |x| (x, y)));
            let found: Vec<(u32, u32)> = places.filter(|(x, y)| turned.pixel(*x, *y) == [255; 3]).collect();
            (turned.width(), turned.height(), found)
        };
        assert_eq!(corner(0, false), (3, 2, vec![(0, 0)]));
        assert_eq!(corner(90, false), (2, 3, vec![(1, 0)]));
        assert_eq!(corner(180, false), (3, 2, vec![(2, 1)]));
        assert_eq!(corner(270, false), (2, 3, vec![(0, 2)]));
        assert_eq!(corner(0, true), (3, 2, vec![(2, 0)]));
        assert_eq!(corner(90, true), (2, 3, vec![(0, 0)]));
    }

    #[test]
    fn darkness_is_the_share_of_dark_pixels() {
        let mut picture = Picture::filled(10, 10, Color([10, 10, 10])).expect("not empty");
        assert_eq!(picture.black_percent(BLACK_LUMA), 100.0);
        picture.paste(&Picture::filled(10, 4, Color([90, 90, 90])).expect("not empty"), 0, 0);
        assert_eq!(picture.black_percent(BLACK_LUMA), 60.0);
        // Blue alone is dark to the eye, green alone is not.
        assert_eq!(
            Picture::filled(2, 2, Color([0, 0, 255]))
                .expect("not empty")
                .black_percent(BLACK_LUMA),
            100.0
        );
        assert_eq!(
            Picture::filled(2, 2, Color([0, 255, 0]))
                .expect("not empty")
                .black_percent(BLACK_LUMA),
            0.0
        );
    }

    #[test]
    fn colours_are_six_hex_digits() {
        assert_eq!(Color::parse("#0a10FF"), Some(Color([10, 16, 255])));
        for wrong in ["000000", "#00000", "#0000000", "#00000g", "#+1+1+1", "black", "#é00é"] {
            assert_eq!(Color::parse(wrong), None, "{wrong}");
        }
    }
}
