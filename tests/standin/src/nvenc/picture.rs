//! Pictures in the memory of the device, and as the software encoders take them.

use std::hash::DefaultHasher;
use std::hash::Hasher;

/// One plane without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    pub row_bytes: usize,
    pub bytes: Vec<u8>,
}

/// A picture of 4:2:0 in three planes; of more than 8 bits in words of 16, low bits, little endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub planes: [Plane; 3],
}

impl Picture {
    /// A grey one.
    pub fn grey(width: usize, height: usize, depth: u32) -> Self {
        let sample: &[u8] = if depth == 10 { &[0, 2] } else { &[128] };
        let plane = |width: usize, height: usize| Plane {
            row_bytes: width * sample.len(),
            bytes: sample.repeat(width * height),
        };
        Picture {
            planes: [
                plane(width, height),
                plane(width / 2, height / 2),
                plane(width / 2, height / 2),
            ],
        }
    }
}

/// Where a registered picture lies: luma, and below it chroma, its two kinds side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub width: usize,
    pub height: usize,
    pub pitch: usize,
    pub is_ten_bit: bool,
}

impl Shape {
    fn sample_bytes(&self) -> usize {
        if self.is_ten_bit { 2 } else { 1 }
    }

    /// Bytes of a row that count.
    pub fn row_bytes(&self) -> usize {
        self.width * self.sample_bytes()
    }

    /// Rows of both planes.
    pub fn rows(&self) -> usize {
        self.height + self.height / 2
    }

    /// From the first byte to the last that counts.
    pub fn extent(&self) -> usize {
        self.pitch * (self.rows() - 1) + self.row_bytes()
    }

    fn row<'a>(&self, memory: &'a [u8], row: usize) -> &'a [u8] {
        &memory[row * self.pitch..][..self.row_bytes()]
    }

    /// A number that changes when a sample does.
    pub fn digest(&self, memory: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        for row in 0..self.rows() {
            hasher.write(self.row(memory, row));
        }
        hasher.finish()
    }

    /// Bytes of the memory that a picture of this size takes.
    pub fn bytes(width: u32, height: u32, depth: u32) -> usize {
        let samples = width as usize * height as usize * 3 / 2;
        if depth == 10 { samples * 2 } else { samples }
    }

    /// The picture, with samples of `depth` bits.
    pub fn picture(&self, memory: &[u8], depth: u32) -> Picture {
        let mut samples = [Vec::new(), Vec::new(), Vec::new()];
        for row in 0..self.rows() {
            let is_luma = row < self.height;
            if is_luma && !self.is_ten_bit && depth == 8 {
                samples[0].extend_from_slice(self.row(memory, row));
                continue;
            }
            for (index, sample) in self.row(memory, row).chunks_exact(self.sample_bytes()).enumerate() {
                let plane = if is_luma { 0 } else { 1 + index % 2 };
                let to = &mut samples[plane];
                match (sample, depth) {
                    ([value], 8) => to.push(*value),
                    ([value], _) => to.extend_from_slice(&(u16::from(*value) << 2).to_le_bytes()),
                    // The value stands in the high bits of its word.
                    ([low, high], 8) => to.push((u16::from_le_bytes([*low, *high]) >> 8) as u8),
                    ([low, high], _) => to.extend_from_slice(&(u16::from_le_bytes([*low, *high]) >> 6).to_le_bytes()),
                    _ => {}
                }
            }
        }
        let bytes = if depth == 10 { 2 } else { 1 };
        let [luma, cb, cr] = samples;
        let plane = |width: usize, samples| Plane {
            row_bytes: width * bytes,
            bytes: samples,
        };
        Picture {
            planes: [
                plane(self.width, luma),
                plane(self.width / 2, cb),
                plane(self.width / 2, cr),
            ],
        }
    }
}
