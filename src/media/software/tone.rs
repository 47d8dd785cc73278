//! An HDR picture of BT.2020 made an SDR one of BT.709 in the same size: the tone map of `media::grading`.

use crate::media::cuda::Layout;
use crate::media::software::curves;
use crate::media::software::curves::Curve;
use crate::media::software::range;
use crate::media::software::range::Range;
use crate::media::software::raster::Raster;
use crate::media::software::rgb;
use crate::media::software::scale;

/// What an HDR picture is, as far as a tone map must know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToneMap {
    /// Its transfer.
    pub curve: Curve,
    /// Its range.
    pub range: Range,
    /// Light of its brightest content; white of SDR is 1.
    pub peak: f64,
}

/// BT.2020 to BT.709, ITU-R BT.2407 without any mapping of the gamut.
pub const GAMUT: [f64; 9] = [
    1.660_491, -0.587_641, -0.072_850, -0.124_550, 1.132_900, -0.008_349, -0.018_151, -0.100_579, 1.118_730,
];
/// H.273: BT.2020 without constant luminance, and BT.709.
pub const FROM_MATRIX: i32 = 9;
/// See [`FROM_MATRIX`].
pub const TO_MATRIX: i32 = 1;
/// Light that counts as none.
const DARK: f64 = 1e-6;

impl ToneMap {
    /// What light is divided by so that the brightest content is white.
    pub fn white(&self) -> f64 {
        curves::filmic(self.peak)
    }

    /// SDR signals of three HDR signals.
    pub fn map(&self, signal: [f64; 3]) -> [f64; 3] {
        let light = signal.map(|signal| self.curve.light(signal));
        let narrow = [0, 3, 6].map(|row: usize| (0..3).map(|column| GAMUT[row + column] * light[column]).sum::<f64>());
        let brightest = narrow.iter().copied().fold(DARK, f64::max);
        let factor = curves::filmic(brightest) / self.white() / brightest;
        narrow.map(|light| curves::sdr_signal(light * factor))
    }
}

/// The picture in SDR, limited range. Chroma of both lies left of every second pixel.
pub fn tone(from: &Raster, map: &ToneMap, layout: Layout) -> Raster {
    let (width, height) = from.size(0);
    let (columns, rows) = from.size(1);
    let depth = from.layout().bit_depth();
    let unit = f64::from(1_u32 << (depth - 8));
    let (luma_extent, chroma_extent) = range::extents((map.range, depth));
    let black = if map.range == Range::Limited { 16.0 } else { 0.0 };
    let (kr, kb) = rgb::luma_weights(FROM_MATRIX);
    let kg = 1.0 - kr - kb;
    // Halfway between two columns, a quarter of the way to the next row.
    let chroma = |component: usize, x: usize, y: usize| -> f64 {
        let beside = (x / 2 + x % 2).min(columns - 1);
        let next = if y % 2 == 1 {
            (y / 2 + 1).min(rows - 1)
        } else {
            (y / 2).saturating_sub(1)
        };
        let of = |row: usize| f64::from(from.sample(component, x / 2, row) + from.sample(component, beside, row)) / 2.0;
        ((0.75 * of(y / 2) + 0.25 * of(next)) / unit - 128.0) / chroma_extent
    };
    let mut mapped = Vec::with_capacity(width * height);
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let luma = (f64::from(from.sample(0, x, y)) / unit - black) / luma_extent;
        let (cb, cr) = (chroma(1, x, y), chroma(2, x, y));
        let (r, b) = (luma + 2.0 * (1.0 - kr) * cr, luma + 2.0 * (1.0 - kb) * cb);
        let g = (luma - kr * r - kb * b) / kg;
        mapped.push(map.map([r, g, b]));
    }
    let (kr, kb) = rgb::luma_weights(TO_MATRIX);
    let luma_of = |rgb: [f64; 3]| kr * rgb[0] + (1.0 - kr - kb) * rgb[1] + kb * rgb[2];
    let mut to = Raster::new(layout, from.width(), from.height());
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let value = 16.0 + 219.0 * luma_of(mapped[y * width + x]);
        to.set(0, x, y, whole(value, layout, x, y));
    }
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        let mut sum = [0.0; 3];
        for line in 0..2 {
            let y = (row * 2 + line).min(height - 1);
            let x = column * 2;
            let taps = [(x.saturating_sub(1), 0.25), (x, 0.5), ((x + 1).min(width - 1), 0.25)];
            for (x, weight) in taps {
                let pixel = mapped[y * width + x];
                (0..3).for_each(|channel| sum[channel] += pixel[channel] * weight / 2.0);
            }
        }
        let luma = luma_of(sum);
        let cb = 128.0 + 224.0 * (sum[2] - luma) / (2.0 * (1.0 - kb));
        let cr = 128.0 + 224.0 * (sum[0] - luma) / (2.0 * (1.0 - kr));
        to.set(1, column, row, whole(cb, layout, column, row));
        to.set(2, column, row, whole(cr, layout, column, row));
    }
    to
}

/// Of a number in steps of 8 bits: the nearest of the layout's; 8 bits in an ordered pattern.
fn whole(value: f64, layout: Layout, x: usize, y: usize) -> i32 {
    match layout.bit_depth() {
        8 => ((value + f64::from(scale::threshold(x, y)) / 128.0).floor() as i32).clamp(0, 255),
        _ => ((value * 4.0).round() as i32).clamp(0, 1023),
    }
}

#[cfg(test)]
mod tests {
    use super::ToneMap;
    use crate::media::software::curves::Curve;
    use crate::media::software::range::Range;

    #[test]
    fn greys_stay_grey_and_the_brightest_is_white() {
        let map = ToneMap {
            curve: Curve::Pq,
            range: Range::Limited,
            peak: 10.0,
        };
        let mut last = -1.0;
        for step in 0..=100 {
            let [r, g, b] = map.map([f64::from(step) / 100.0; 3]);
            assert!((r - g).abs() < 1e-4 && (b - g).abs() < 1e-4, "{r} {g} {b}");
            assert!(g >= last, "brighter stays brighter");
            last = g;
        }
        // 1000 cd/m2.
        assert!((map.map([0.751_827; 3])[1] - 1.0).abs() < 1e-3);
    }
}
