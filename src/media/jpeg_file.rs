//! Samples as a JPEG file.
//!
//! Guarantees: baseline, with colours at every pixel, so that edges of cells and letters stay as sharp as their brightness.
//! Large pictures are coded as two halves side by side, with one restart marker between them (ITU-T T.81, B.2.4.4); the
//! samples are the same either way, and the file depends on nothing but them. Deliberately absent: metadata, progressive
//! files.

use jpeg_encoder::ColorType;
use jpeg_encoder::Encoder;
use jpeg_encoder::SamplingFactor;
use std::thread;

/// Pixels from which two threads are worth their start: a picture of this size takes some 3 ms.
const LARGE_PIXELS: usize = 500_000;
/// Pixels of a side of the squares that are coded one by one.
const SQUARE: usize = 8;

const START_OF_FRAME: u8 = 0xC0;
const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
const FIRST_RESTART: [u8; 2] = [0xFF, 0xD0];

/// The file of `width * height * 3` bytes of red, green and blue at `quality` (1..=100). The error is the encoder's own
/// sentence.
pub fn encode(rgb: &[u8], width: u32, height: u32, quality: u8) -> Result<Vec<u8>, String> {
    let edge = |edge: u32| u16::try_from(edge).map_err(|_| "JPEG knows no edge beyond 65535".to_owned());
    let (across, down) = (edge(width)?, edge(height)?);
    let rows_of_squares = usize::from(down).div_ceil(SQUARE);
    let upper_rows = rows_of_squares.div_ceil(2) * SQUARE;
    let upper_squares = upper_rows / SQUARE * usize::from(across).div_ceil(SQUARE);
    let row_bytes = usize::from(across) * 3;
    let halves = rgb.split_at_checked(upper_rows * row_bytes);
    let (Some((upper, lower)), Ok(interval)) = (halves, u16::try_from(upper_squares)) else {
        return strip(rgb, (across, down), quality, None);
    };
    if rgb.len() < LARGE_PIXELS * 3 || lower.is_empty() {
        return strip(rgb, (across, down), quality, None);
    }
    let rows = |half: &[u8]| u16::try_from(half.len() / row_bytes).map_err(|_| "JPEG knows no such height".to_owned());
    let (upper_size, lower_size) = ((across, rows(upper)?), (across, rows(lower)?));
    let (upper, lower) = thread::scope(|scope| {
        let upper = scope.spawn(|| strip(upper, upper_size, quality, Some(interval)));
        let lower = strip(lower, lower_size, quality, Some(interval));
        (upper.join(), lower)
    });
    let upper = upper.map_err(|_| "its upper half was given up".to_owned())??;
    joined(upper, &lower?, down).ok_or_else(|| "its halves have no scan".to_owned())
}

/// Some rows as a file of their own, which announces a restart after every `interval` squares.
fn strip(rgb: &[u8], size: (u16, u16), quality: u8, interval: Option<u16>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(rgb.len() / 16);
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder.set_restart_interval(interval.unwrap_or(0));
    encoder
        .encode(rgb, size.0, size.1, ColorType::Rgb)
        .map_err(|cause| cause.to_string())?;
    Ok(bytes)
}

/// The upper half with the lower one behind it, `height` rows in all.
fn joined(mut upper: Vec<u8>, lower: &[u8], height: u16) -> Option<Vec<u8>> {
    let frame = segment(&upper, START_OF_FRAME)?.0;
    // Behind the marker and the segment's length: a byte of precision, then the height.
    upper
        .get_mut(frame + 5..frame + 7)?
        .copy_from_slice(&height.to_be_bytes());
    let scan = lower.get(segment(lower, START_OF_SCAN)?.1..)?;
    upper.truncate(upper.strip_suffix(&END_OF_IMAGE)?.len());
    upper.extend_from_slice(&FIRST_RESTART);
    upper.extend_from_slice(scan);
    Some(upper)
}

/// Where the first segment of this kind begins, with its marker, and where it ends.
fn segment(file: &[u8], marker: u8) -> Option<(usize, usize)> {
    let mut at = 2;
    loop {
        let head = file.get(at..at + 4)?;
        let end = at + 2 + usize::from(u16::from_be_bytes([head[2], head[3]]));
        if head[1] == marker {
            return Some((at, end));
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::LARGE_PIXELS;
    use super::encode;
    use super::strip;

    fn noise(width: u32, height: u32) -> Vec<u8> {
        let samples = width * height * 3;
        (0..samples)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 27) as u8 + (at / 5000 % 200) as u8)
            .collect()
    }

    fn decoded(file: &[u8]) -> image::RgbImage {
        image::load_from_memory_with_format(file, image::ImageFormat::Jpeg)
            .expect("decodes")
            .into_rgb8()
    }

    #[test]
    fn two_halves_have_the_samples_of_one_whole() {
        // Sides that are no multiples of a square, and halves of different heights.
        for (width, height) in [(1003, 747), (2048, 257), (640, 1000)] {
            let rgb = noise(width, height);
            assert!(rgb.len() >= LARGE_PIXELS * 3, "{width}x{height}");
            let whole = strip(&rgb, (width as u16, height as u16), 90, None).expect("encodes");
            let halves = encode(&rgb, width, height, 90).expect("encodes");
            assert!(whole != halves && halves.len() < whole.len() + 64, "{width}x{height}");
            assert_eq!(decoded(&halves), decoded(&whole), "{width}x{height}");
        }
    }

    #[test]
    fn small_ones_flat_ones_and_those_of_too_many_squares_are_whole() {
        for (width, height) in [(1, 1), (320, 180), (65_000, 8), (16_400, 600)] {
            let file = encode(&noise(width, height), width, height, 50).expect("encodes");
            let size = decoded(&file);
            assert_eq!((size.width(), size.height()), (width, height));
        }
        assert!(encode(&[0; 3 * 65_536], 65_536, 1, 50).is_err());
    }
}
