//! How like two pictures are, sample by sample.
//!
//! Guarantees: pure; pictures of different size or depth are an error, not a figure. Deliberately absent: what is like
//! enough.

use crate::media::av::Frame;

/// Sums over many pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Likeness {
    /// Largest difference of a sample, in steps of its depth.
    pub most: u32,
    squares: f64,
    samples: u64,
    peak: f64,
}

impl Likeness {
    /// PSNR over everything, decibel; infinite where nothing differs.
    pub fn psnr_db(&self) -> f64 {
        if self.squares == 0.0 {
            return f64::INFINITY;
        }
        10.0 * (self.peak * self.peak * self.samples as f64 / self.squares).log10()
    }

    /// In words.
    pub fn words(&self) -> String {
        match self.most {
            0 => "bit-exact".to_owned(),
            most => format!("within {most} steps, {:.1} dB", self.psnr_db()),
        }
    }

    fn add(&mut self, one: i64, other: i64, bit_depth: u32) {
        let apart = one.abs_diff(other);
        self.most = self.most.max(u32::try_from(apart).unwrap_or(u32::MAX));
        self.squares += (apart * apart) as f64;
        self.samples += 1;
        self.peak = f64::from((1_u32 << bit_depth) - 1);
    }

    /// Adds two 4:2:0 frames of three planes.
    ///
    /// # Errors
    /// They cannot be compared.
    pub fn add_frames(&mut self, one: &Frame, other: &Frame) -> Result<(), String> {
        let form = |frame: &Frame| (frame.pixel_format().without_range().0, frame.width(), frame.height());
        let (format, width, height) = form(one);
        if form(one) != form(other) {
            return Err(format!(
                "libavcodec says {width}x{height} {}, the device {}x{} {}",
                format.name().unwrap_or_default(),
                other.width(),
                other.height(),
                other.pixel_format().name().unwrap_or_default()
            ));
        }
        let depth = format.bit_depth();
        for plane in 0..3_usize {
            let rows = if plane == 0 { height } else { height.div_ceil(2) };
            for y in 0..rows {
                let (Some(a), Some(b)) = (one.row(plane, y), other.row(plane, y)) else {
                    return Err(format!("plane {plane} has no row {y}"));
                };
                if depth == 8 {
                    a.iter()
                        .zip(b)
                        .for_each(|(a, b)| self.add(i64::from(*a), i64::from(*b), 8));
                    continue;
                }
                for (a, b) in a.chunks_exact(2).zip(b.chunks_exact(2)) {
                    let word = |bytes: &[u8]| i64::from(u16::from_le_bytes([bytes[0], bytes[1]]));
                    self.add(word(a), word(b), depth);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Likeness;
    use crate::media::av::Frame;
    use crate::media::av::PixelFormat;

    fn grey(format: PixelFormat) -> Frame {
        let mut frame = Frame::picture(format, 16, 16).expect("memory");
        for plane in 0..3 {
            let rows = if plane == 0 { 16 } else { 8 };
            (0..rows).for_each(|y| frame.row_mut(plane, y).expect("a row").fill(0));
        }
        frame
    }

    #[test]
    fn one_step_in_one_sample_is_seen() {
        let (one, mut other) = (grey(PixelFormat::YUV420P), grey(PixelFormat::YUV420P));
        let mut likeness = Likeness::default();
        likeness.add_frames(&one, &other).expect("of one form");
        assert!(likeness.most == 0 && likeness.psnr_db().is_infinite());
        other.row_mut(1, 4).expect("a row")[3] = 1;
        likeness.add_frames(&one, &other).expect("of one form");
        assert_eq!(likeness.most, 1);
        // One step in 768 samples: 10 log10(255^2 * 768).
        assert!((likeness.psnr_db() - 76.98).abs() < 0.01, "{}", likeness.psnr_db());
        let deep = grey(PixelFormat::YUV420P10);
        assert!(likeness.add_frames(&one, &deep).is_err());
    }
}
