//! What shows beside a picture that does not fill its frame: itself, enlarged until it covers, and blurred.
//!
//! Guarantees: the result has the size asked for; its cost grows with that size alone. Deliberately absent: the
//! picture on top.

use crate::media::picture::Picture;

/// Pixels of the backdrop that one sample stands for: what is blurred away need not be computed.
const COARSE: u32 = 8;

/// Samples to each side that a blur mixes, and how often: three boxes are nearly a Gaussian.
const REACH: usize = 2;
const PASSES: usize = 3;

/// How much darker it is, in 1/256, so that it does not compete with the picture.
const DIM: u32 = 208;

/// `image` made to cover `width` x `height`, out of focus.
pub fn blurred(image: &Picture, width: u32, height: u32) -> Picture {
    let (columns, rows) = (width.div_ceil(COARSE).max(1), height.div_ceil(COARSE).max(1));
    let mut samples = sampled(image, columns, rows);
    for _ in 0..PASSES {
        samples = boxed(&samples, columns as usize, rows as usize, 1, columns as usize);
        samples = boxed(&samples, rows as usize, columns as usize, columns as usize, 1);
    }
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height {
        let (top, bottom, down) = between(y, height, rows);
        for x in 0..width {
            let (left, right, across) = between(x, width, columns);
            let at = |row: u32, column: u32| samples[(row * columns + column) as usize].map(u32::from);
            let corners = [at(top, left), at(top, right), at(bottom, left), at(bottom, right)];
            rgb.extend([0, 1, 2].map(|channel| {
                let [a, b, c, d] = corners.map(|corner: [u32; 3]| corner[channel]);
                let upper = a * (256 - across) + b * across;
                let lower = c * (256 - across) + d * across;
                let mixed = (upper * (256 - down) + lower * down) >> 16;
                ((mixed * DIM) >> 8) as u8
            }));
        }
    }
    Picture::new(width, height, rgb).expect("as many samples as its size says")
}

/// The middle of the image in the shape asked for, as the mean colour of each of so many fields.
fn sampled(image: &Picture, columns: u32, rows: u32) -> Vec<[u8; 3]> {
    let (across, down) = (image.width(), image.height());
    let (mut part_width, mut part_height) = (across, down);
    if u64::from(across) * u64::from(rows) > u64::from(down) * u64::from(columns) {
        part_width = ((u64::from(down) * u64::from(columns) / u64::from(rows)) as u32).clamp(1, across);
    } else {
        part_height = ((u64::from(across) * u64::from(rows) / u64::from(columns)) as u32).clamp(1, down);
    }
    let (left, top) = ((across - part_width) / 2, (down - part_height) / 2);
    let field = |number: u32, count: u32, length: u32| {
        let from = (u64::from(number) * u64::from(length) / u64::from(count)) as u32;
        let to = (u64::from(number + 1) * u64::from(length) / u64::from(count)) as u32;
        (from, to.max(from + 1))
    };
    let mut samples = Vec::with_capacity((columns * rows) as usize);
    for row in 0..rows {
        let (y_from, y_to) = field(row, rows, part_height);
        for column in 0..columns {
            let (x_from, x_to) = field(column, columns, part_width);
            let (mut sums, mut count) = ([0u64; 3], 0);
            for y in y_from..y_to {
                for x in x_from..x_to {
                    for (sum, value) in sums.iter_mut().zip(image.pixel(left + x, top + y)) {
                        *sum += u64::from(value);
                    }
                    count += 1;
                }
            }
            samples.push(sums.map(|sum| (sum / count) as u8));
        }
    }
    samples
}

/// The mean of each sample and its neighbours along one direction: `length` samples `stride` apart, in `lines` lines
/// that begin `line_stride` apart.
fn boxed(samples: &[[u8; 3]], length: usize, lines: usize, stride: usize, line_stride: usize) -> Vec<[u8; 3]> {
    let mut mixed = samples.to_vec();
    for line in 0..lines {
        for at in 0..length {
            let (from, to) = (at.saturating_sub(REACH), (at + REACH).min(length - 1));
            let mut sums = [0u32; 3];
            for near in from..=to {
                for (sum, value) in sums.iter_mut().zip(samples[line * line_stride + near * stride]) {
                    *sum += u32::from(value);
                }
            }
            mixed[line * line_stride + at * stride] = sums.map(|sum| (sum / (to - from + 1) as u32) as u8);
        }
    }
    mixed
}

/// The two samples beside a pixel and how much the second one counts, in 1/256.
fn between(at: u32, length: u32, samples: u32) -> (u32, u32, u32) {
    // Centres of pixels and samples, in 1/512 of a sample.
    let place = (u64::from(2 * at + 1) * u64::from(samples) * 256 / u64::from(length)).saturating_sub(256);
    let first = ((place / 512) as u32).min(samples - 1);
    (first, (first + 1).min(samples - 1), (place % 512 / 2) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::picture::Color;

    #[test]
    fn one_colour_stays_one_colour_in_any_size() {
        let image = Picture::filled(40, 10, Color([200, 100, 50])).expect("not empty");
        for (width, height) in [(1, 1), (7, 90), (300, 20), (64, 64)] {
            let backdrop = blurred(&image, width, height);
            assert_eq!((backdrop.width(), backdrop.height()), (width, height));
            let first = backdrop.pixel(0, 0);
            assert!(
                backdrop.rgb().chunks_exact(3).all(|pixel| pixel == first),
                "{width}x{height}"
            );
            assert!((150..200).contains(&first[0]), "{first:?}");
        }
    }

    #[test]
    fn edges_are_gone_but_sides_keep_their_colour() {
        let mut image = Picture::filled(200, 100, Color([0, 0, 0])).expect("not empty");
        image.paste(&Picture::filled(100, 100, Color([250; 3])).expect("not empty"), 100, 0);
        let backdrop = blurred(&image, 200, 200);
        let row: Vec<i32> = (0..200).map(|x| i32::from(backdrop.pixel(x, 100)[0])).collect();
        assert!(row[0] < 20 && row[199] > 180, "{} {}", row[0], row[199]);
        let steepest = row.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max();
        assert!(steepest < Some(12), "{steepest:?}");
    }
}
