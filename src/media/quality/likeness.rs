//! PSNR and SSIM of two pictures, and of many.
//!
//! Guarantees: pure; planes weigh by their pixels; SSIM over 8x8 windows four pixels apart, as x264 and libavfilter
//! do. Deliberately absent: formats whose planes are not luma and chroma of 8 to 16 bits.

use crate::media::av::Frame;
use crate::media::product::Quality;

/// What PSNR says where nothing differs.
const IDENTICAL_DB: f64 = 100.0;

/// One plane of one picture.
#[derive(Debug, Clone, Copy, Default)]
struct PlaneLikeness {
    /// Mean squared error over the square of the largest value.
    error: f64,
    ssim: f64,
    pixels: f64,
}

/// One picture.
#[derive(Debug, Clone, Copy)]
pub struct Likeness {
    planes: [PlaneLikeness; 3],
}

impl Likeness {
    /// Of two pictures of one size and format; none when they are not, or their samples are no luma and chroma.
    pub fn of(one: &Frame, other: &Frame) -> Option<Self> {
        let format = one.pixel_format().without_range().0;
        let shape = |frame: &Frame| (frame.width(), frame.height(), frame.pixel_format().without_range().0);
        let planar = format
            .name()
            .is_some_and(|name| name.starts_with("yuv4") || name.starts_with("gray"));
        if shape(one) != shape(other) || !planar {
            return None;
        }
        let depth = format.bit_depth();
        let mut planes = [PlaneLikeness::default(); 3];
        for (number, plane) in planes.iter_mut().enumerate() {
            let (Some(first), Some(second)) = (Plane::of(one, number, depth), Plane::of(other, number, depth)) else {
                continue;
            };
            plane.pixels = (first.width * first.height) as f64;
            plane.error = first.error(&second);
            plane.ssim = first.ssim(&second);
        }
        (planes[0].pixels > 0.0).then_some(Likeness { planes })
    }

    /// Mean squared error of 8-bit luma alone, over the square of the largest value; none where it is not that.
    pub fn luma_error(one: &Frame, other: &Frame) -> Option<f64> {
        let shape = |frame: &Frame| (frame.width(), frame.height(), frame.pixel_format().bit_depth());
        if shape(one) != shape(other) || one.pixel_format().bit_depth() != 8 {
            return None;
        }
        let (mut sum, mut pixels) = (0_u64, 0_u64);
        for (row, beside) in (0..).map_while(|y| Some((one.row(0, y)?, other.row(0, y)?))) {
            let squares = row.iter().zip(beside).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2));
            sum += u64::from(squares.sum::<u32>());
            pixels += row.len() as u64;
        }
        (pixels > 0).then(|| sum as f64 / pixels as f64 / (255.0 * 255.0))
    }

    fn weighed(&self, of: fn(&PlaneLikeness) -> f64) -> f64 {
        let pixels: f64 = self.planes.iter().map(|plane| plane.pixels).sum();
        self.planes.iter().map(|plane| of(plane) * plane.pixels).sum::<f64>() / pixels
    }
    /// Mean squared error of all planes.
    pub fn error(&self) -> f64 {
        self.weighed(|plane| plane.error)
    }
    /// Mean squared error of luma.
    pub fn error_y(&self) -> f64 {
        self.planes[0].error
    }
    /// SSIM of all planes.
    pub fn ssim(&self) -> f64 {
        self.weighed(|plane| plane.ssim)
    }
    /// SSIM of luma.
    pub fn ssim_y(&self) -> f64 {
        self.planes[0].ssim
    }
}

/// Many pictures.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    frames: u32,
    error: f64,
    error_y: f64,
    ssim: f64,
    ssim_y: f64,
    worst_error: f64,
    worst_ssim: f64,
    worst_at_s: f64,
}

impl Tally {
    /// Adds a picture.
    pub fn add(&mut self, likeness: &Likeness, at_s: f64) {
        let (error, ssim) = (likeness.error(), likeness.ssim());
        if self.frames == 0 || error > self.worst_error {
            (self.worst_error, self.worst_at_s) = (error, at_s);
        }
        self.worst_ssim = if self.frames == 0 {
            ssim
        } else {
            self.worst_ssim.min(ssim)
        };
        self.frames += 1;
        self.error += error;
        self.error_y += likeness.error_y();
        self.ssim += ssim;
        self.ssim_y += likeness.ssim_y();
    }

    /// Pictures added.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// PSNR of luma over all of them.
    pub fn psnr_y_db(&self) -> f64 {
        decibel(self.error_y / f64::from(self.frames.max(1)))
    }

    /// All of them; none without any.
    pub fn quality(&self, psnr: bool, ssim: bool) -> Option<Quality> {
        let count = f64::from(self.frames);
        let rounded = |value: f64, by: f64| (value * by).round() / by;
        let db = |error: f64| psnr.then(|| rounded(decibel(error), 1e4));
        let share = |value: f64| ssim.then(|| rounded(value, 1e6));
        (self.frames > 0).then(|| Quality {
            frames: self.frames,
            psnr_db: db(self.error / count),
            psnr_y_db: db(self.error_y / count),
            psnr_min_db: db(self.worst_error),
            ssim: share(self.ssim / count),
            ssim_y: share(self.ssim_y / count),
            ssim_min: share(self.worst_ssim),
            worst_at_s: Some(rounded(self.worst_at_s, 1e6)),
            ..Quality::default()
        })
    }
}

/// Decibels of a mean squared error.
fn decibel(error: f64) -> f64 {
    if error <= 0.0 {
        IDENTICAL_DB
    } else {
        (-10.0 * error.log10()).min(IDENTICAL_DB)
    }
}

/// One plane as numbers.
struct Plane {
    width: usize,
    height: usize,
    largest: f64,
    values: Vec<u16>,
}

impl Plane {
    fn of(frame: &Frame, plane: usize, depth: u32) -> Option<Plane> {
        let mut values = Vec::new();
        let mut width = 0;
        let mut height = 0;
        for row in (0..).map_while(|y| frame.row(plane, y)) {
            if depth > 8 {
                values.extend(row.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
                width = row.len() / 2;
            } else {
                values.extend(row.iter().map(|value| u16::from(*value)));
                width = row.len();
            }
            height += 1;
        }
        (width > 0 && height > 0).then(|| Plane {
            width,
            height,
            largest: f64::from((1_u32 << depth) - 1),
            values,
        })
    }

    fn error(&self, other: &Plane) -> f64 {
        let mut sum = 0_u64;
        for (row, beside) in self.rows().zip(other.rows()) {
            sum += row
                .iter()
                .zip(beside)
                .map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2))
                .sum::<u64>();
        }
        sum as f64 / (self.width * self.height) as f64 / (self.largest * self.largest)
    }

    fn rows(&self) -> impl Iterator<Item = &[u16]> {
        self.values.chunks_exact(self.width)
    }

    fn ssim(&self, other: &Plane) -> f64 {
        let (across, down) = (self.width / 4, self.height / 4);
        if across < 2 || down < 2 {
            return 1.0;
        }
        let square = self.largest * self.largest * 64.0;
        let (low, middle) = (0.01 * 0.01 * square, 0.03 * 0.03 * square * 63.0);
        let mut above = self.blocks(other, 0);
        let mut sum = 0.0;
        for line in 1..down {
            let here = self.blocks(other, line);
            for at in 0..across - 1 {
                let mut window = Block::default();
                for block in [above[at], above[at + 1], here[at], here[at + 1]] {
                    window.add(block);
                }
                sum += window.ssim(low, middle);
            }
            above = here;
        }
        sum / ((across - 1) * (down - 1)) as f64
    }

    /// Sums over the blocks of 4x4 pixels of one line of blocks.
    fn blocks(&self, other: &Plane, line: usize) -> Vec<Block> {
        let mut blocks = vec![Block::default(); self.width / 4];
        for y in line * 4..line * 4 + 4 {
            let row = &self.values[y * self.width..(y + 1) * self.width];
            let beside = &other.values[y * self.width..(y + 1) * self.width];
            for ((block, ours), theirs) in blocks.iter_mut().zip(row.chunks_exact(4)).zip(beside.chunks_exact(4)) {
                for (a, b) in ours.iter().zip(theirs) {
                    let (a, b) = (u64::from(*a), u64::from(*b));
                    block.add(Block {
                        ours: a,
                        theirs: b,
                        squares: a * a + b * b,
                        product: a * b,
                    });
                }
            }
        }
        blocks
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Block {
    ours: u64,
    theirs: u64,
    squares: u64,
    product: u64,
}

impl Block {
    fn add(&mut self, other: Block) {
        self.ours += other.ours;
        self.theirs += other.theirs;
        self.squares += other.squares;
        self.product += other.product;
    }

    /// Of a window of 64 pixels.
    fn ssim(&self, low: f64, middle: f64) -> f64 {
        let (ours, theirs) = (self.ours as f64, self.theirs as f64);
        let variance = self.squares as f64 * 64.0 - ours * ours - theirs * theirs;
        let covariance = self.product as f64 * 64.0 - ours * theirs;
        (2.0 * ours * theirs + low) * (2.0 * covariance + middle)
            / ((ours * ours + theirs * theirs + low) * (variance + middle))
    }
}

#[cfg(test)]
mod tests {
    use super::Likeness;
    use super::Tally;
    use crate::media::av::Frame;
    use crate::media::av::PixelFormat;

    fn picture(of: impl Fn(u32, usize) -> u8) -> Frame {
        let mut frame = Frame::picture(PixelFormat::YUV420P, 32, 32).expect("a picture");
        for plane in 0..3 {
            for y in 0.. {
                let Some(row) = frame.row_mut(plane, y) else { break };
                for (x, value) in row.iter_mut().enumerate() {
                    *value = of(y, x);
                }
            }
        }
        frame
    }

    #[test]
    fn the_same_picture_is_wholly_alike() {
        let one = picture(|y, x| (y as usize * 7 + x * 3) as u8);
        let mut tally = Tally::default();
        tally.add(&Likeness::of(&one, &one).expect("comparable"), 1.0);
        let quality = tally.quality(true, true).expect("one picture");
        assert_eq!((quality.psnr_db, quality.ssim), (Some(100.0), Some(1.0)));
        assert_eq!(tally.quality(false, true).and_then(|quality| quality.psnr_db), None);
    }

    #[test]
    fn an_error_of_one_everywhere_is_48_13_db() {
        let one = picture(|_, x| 100 + (x % 2) as u8);
        let other = picture(|_, x| 101 + (x % 2) as u8);
        let mut tally = Tally::default();
        tally.add(&Likeness::of(&one, &other).expect("comparable"), 0.0);
        assert!((tally.psnr_y_db() - 48.1308).abs() < 0.001);
    }

    #[test]
    fn pictures_of_two_sizes_are_not_compared() {
        let small = Frame::picture(PixelFormat::YUV420P, 16, 16).expect("a picture");
        assert!(Likeness::of(&small, &picture(|_, _| 0)).is_none());
    }
}
