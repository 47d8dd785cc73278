//! Measures of 8-bit planes.
//!
//! Guarantees: pure. Deliberately absent: packed and deeper formats, which are converted first.

use crate::media::av::Frame;
use crate::media::av::PixelFormat;

/// Rows of a plane that are looked at, at most.
const ROWS: usize = 576;

/// Whether the planes of a format are 8-bit luma and chroma.
pub fn is_plain(format: PixelFormat) -> bool {
    const PLAIN: [&str; 8] = [
        "yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuv410p", "gray", "nv12",
    ];
    let (format, _) = format.without_range();
    format.name().is_some_and(|name| PLAIN.contains(&name.as_str()))
}

/// Every n-th row of a picture this high is looked at.
pub fn steps(height: u32) -> usize {
    (height as usize).div_ceil(ROWS).max(1)
}

fn rows(frame: &Frame, plane: usize, step: usize) -> impl Iterator<Item = &[u8]> {
    (0..).step_by(step).map_while(move |y| frame.row(plane, y))
}

/// Share of the pixels of a plane for which `holds` says yes, 0..=1; 0 of a plane that is not there.
pub fn share(frame: &Frame, plane: usize, step: usize, holds: impl Fn(u8) -> bool) -> f64 {
    let (mut holding, mut all) = (0_u64, 0_u64);
    for row in rows(frame, plane, step) {
        // Sums of 16 bits in pieces: what a compiler turns into vectors.
        for piece in row.chunks(4096) {
            holding += u64::from(piece.iter().map(|value| u16::from(holds(*value))).sum::<u16>());
        }
        all += row.len() as u64;
    }
    holding as f64 / all.max(1) as f64
}

/// Mean difference of two pictures over all planes, of full scale; 1 when they cannot be compared.
pub fn difference(one: &Frame, other: &Frame, step: usize) -> f64 {
    let shape = |frame: &Frame| (frame.width(), frame.height(), frame.pixel_format().without_range().0);
    if shape(one) != shape(other) {
        return 1.0;
    }
    let (mut sum, mut all) = (0_u64, 0_u64);
    for plane in 0..3 {
        for (row, beside) in rows(one, plane, step).zip(rows(other, plane, step)) {
            let differences = row.iter().zip(beside).map(|(a, b)| u32::from(a.abs_diff(*b)));
            sum += u64::from(differences.sum::<u32>());
            all += row.len() as u64;
        }
    }
    sum as f64 / all.max(1) as f64 / 256.0
}
