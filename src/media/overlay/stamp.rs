//! A mark in the numbers of a rendition, ready to be laid onto its pictures.
//!
//! Guarantees: where it covers nothing, pixels stay bit by bit; where it covers all, they become its own. Only the rows
//! and columns it covers are touched. Works on planar luma and chroma of 8 to 16 bit. Deliberately absent: time.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::PixelFormat;
use crate::media::overlay::bitmap::Bitmap;
use crate::media::overlay::ink::Ink;
use crate::media::software::marks;
use std::ops::Range;

/// A cover of everything.
const ALL: u32 = 1 << 16;

/// One plane of a stamp: values and covers of the rectangle it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Layer {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    values: Vec<u16>,
    covers: Vec<u32>,
}

/// A mark at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    deep: bool,
    layers: [Layer; 3],
}

impl Stamp {
    /// Of a bitmap whose top left corner stands at `at`; what lies outside the canvas is cut off. `opacity` 0..=1.
    pub fn new(
        bitmap: &Bitmap,
        at: (i64, i64),
        opacity: f64,
        canvas: (u32, u32),
        format: PixelFormat,
        ink: &Ink,
    ) -> Self {
        let cut = |start: i64, length: u32, edge: u32| -> Range<u32> {
            let from = start.clamp(0, i64::from(edge)) as u32;
            let to = (start + i64::from(length)).clamp(i64::from(from), i64::from(edge)) as u32;
            from..to
        };
        let xs = cut(at.0, bitmap.width(), canvas.0);
        let ys = cut(at.1, bitmap.height(), canvas.1);
        let cover = opacity.clamp(0.0, 1.0) / 255.0;
        let pixel = |x: u32, y: u32| -> [u8; 4] {
            if !xs.contains(&x) || !ys.contains(&y) {
                return [0; 4];
            }
            bitmap.pixel((i64::from(x) - at.0) as u32, (i64::from(y) - at.1) as u32)
        };
        let most = f64::from((1_u32 << format.bit_depth().clamp(8, 16)) - 1);
        let mut memo = Memo::default();
        let mut layer = |plane: usize, (right, down): (u32, u32)| -> Layer {
            let (first_x, end_x) = (xs.start >> right, (xs.end + (1 << right) - 1) >> right);
            let (first_y, end_y) = (ys.start >> down, (ys.end + (1 << down) - 1) >> down);
            let (mut values, mut covers) = (Vec::new(), Vec::new());
            for y in first_y..end_y {
                for x in first_x..end_x {
                    let (mut value, mut covered, mut count) = (0.0, 0.0, 0.0);
                    for inner_y in (y << down)..((y + 1) << down).min(canvas.1) {
                        for inner_x in (x << right)..((x + 1) << right).min(canvas.0) {
                            let [r, g, b, a] = pixel(inner_x, inner_y);
                            count += 1.0;
                            if a > 0 {
                                covered += f64::from(a);
                                value += f64::from(a) * memo.of(ink, [r, g, b])[plane];
                            }
                        }
                    }
                    values.push(if covered > 0.0 {
                        (value / covered).round().clamp(0.0, most) as u16
                    } else {
                        0
                    });
                    covers.push((covered / f64::max(count, 1.0) * cover * f64::from(ALL)).round() as u32);
                }
            }
            Layer {
                x: first_x,
                y: first_y,
                width: end_x.saturating_sub(first_x),
                height: end_y.saturating_sub(first_y),
                values,
                covers,
            }
        };
        let chroma = format.chroma_shift();
        let layers = [layer(0, (0, 0)), layer(1, chroma), layer(2, chroma)];
        Stamp {
            deep: format.bit_depth() > 8,
            layers,
        }
    }

    /// Whether it covers nothing at all.
    pub fn is_clear(&self) -> bool {
        self.layers[0].covers.iter().all(|cover| *cover == 0)
    }

    /// Its luma, Cb and Cr, as a device takes them.
    pub fn layers(&self) -> [marks::Layer<'_>; 3] {
        self.layers.each_ref().map(|layer| marks::Layer {
            x: layer.x,
            y: layer.y,
            width: layer.width,
            height: layer.height,
            values: &layer.values,
            covers: &layer.covers,
        })
    }

    /// Lays it onto a picture whose pixels nobody shares.
    pub fn draw(&self, frame: &mut Frame) -> Result<(), AvError> {
        for (plane, layer) in self.layers.iter().enumerate() {
            for line in 0..layer.height {
                let row = frame
                    .row_mut(plane, layer.y + line)
                    .ok_or_else(|| AvError::argument("draw"))?;
                let own = (line * layer.width) as usize..((line + 1) * layer.width) as usize;
                let marks = layer.values[own.clone()].iter().zip(&layer.covers[own]);
                let from = layer.x as usize;
                if self.deep {
                    for (sample, (value, cover)) in row.chunks_exact_mut(2).skip(from).zip(marks) {
                        let before = u16::from_le_bytes([sample[0], sample[1]]);
                        sample.copy_from_slice(&blend(before, *value, *cover).to_le_bytes());
                    }
                } else {
                    for (sample, (value, cover)) in row.iter_mut().skip(from).zip(marks) {
                        *sample = blend(u16::from(*sample), *value, *cover) as u8;
                    }
                }
            }
        }
        Ok(())
    }
}

fn blend(before: u16, mark: u16, cover: u32) -> u16 {
    // 65535 * 65536 and the half still fit.
    ((u32::from(before) * (ALL - cover) + u32::from(mark) * cover + ALL / 2) >> 16) as u16
}

/// The last colour looked up: neighbours mostly have the same.
#[derive(Default)]
struct Memo(Option<([u8; 3], [f64; 3])>);

impl Memo {
    fn of(&mut self, ink: &Ink, rgb: [u8; 3]) -> [f64; 3] {
        match self.0 {
            Some((known, yuv)) if known == rgb => yuv,
            _ => {
                let yuv = ink.yuv(rgb);
                self.0 = Some((rgb, yuv));
                yuv
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Stamp;
    use super::blend;
    use crate::media::av::Color;
    use crate::media::av::Frame;
    use crate::media::av::PixelFormat;
    use crate::media::cuda::Layout;
    use crate::media::overlay::bitmap::Bitmap;
    use crate::media::overlay::ink::Ink;
    use crate::media::software::Raster;
    use crate::media::software::marks;

    fn grey(format: PixelFormat, value: u16) -> Frame {
        let mut frame = Frame::picture(format, 16, 8).expect("a frame");
        for plane in 0..3 {
            let mut y = 0;
            while let Some(row) = frame.row_mut(plane, y) {
                if format.bit_depth() > 8 {
                    row.chunks_exact_mut(2)
                        .for_each(|two| two.copy_from_slice(&value.to_le_bytes()));
                } else {
                    row.fill(value as u8);
                }
                y += 1;
            }
        }
        frame
    }
    fn white(width: u32, height: u32) -> Bitmap {
        Bitmap::new(width, height, vec![255; (width * height * 4) as usize]).expect("pixels")
    }
    fn stamped(format: PixelFormat, value: u16, bitmap: &Bitmap, at: (i64, i64), opacity: f64) -> Frame {
        let ink = Ink::new(Color::BT709, format.bit_depth(), 1920, 1080);
        let stamp = Stamp::new(bitmap, at, opacity, (16, 8), format, &ink);
        let mut frame = grey(format, value);
        stamp.draw(&mut frame).expect("drawn");
        frame
    }

    #[test]
    fn blending_is_exact_at_its_ends() {
        for before in [0, 1, 128, 255, 1023, 65_535] {
            assert_eq!(blend(before, 7, 0), before);
            assert_eq!(blend(7, before, 65_536), before);
        }
        assert_eq!(blend(0, 200, 32_768), 100);
        assert_eq!(blend(65_535, 65_535, 12_345), 65_535);
    }

    #[test]
    fn only_what_is_covered_changes() {
        let frame = stamped(PixelFormat::YUV420P, 50, &white(4, 2), (3, 2), 1.0);
        assert_eq!(frame.row(0, 1).expect("a row"), [50; 16]);
        let row = frame.row(0, 2).expect("a row");
        assert_eq!(&row[..9], [50, 50, 50, 235, 235, 235, 235, 50, 50]);
        assert_eq!(frame.row(0, 4).expect("a row"), [50; 16]);
        // Columns 3 and 6 are covered by half of the chroma's.
        assert_eq!(&frame.row(1, 1).expect("a row")[..5], [50, 89, 128, 89, 50]);
        assert_eq!(frame.row(1, 0).expect("a row"), [50; 8]);
    }

    #[test]
    fn a_device_that_does_what_it_must_draws_the_same() {
        let half = Bitmap::new(9, 5, [200, 90, 30, 77].repeat(45)).expect("pixels");
        for (format, layout) in [
            (PixelFormat::YUV420P, Layout::Nv12),
            (PixelFormat::YUV420P10, Layout::P016),
        ] {
            let ink = Ink::new(Color::BT709, format.bit_depth(), 1920, 1080);
            let stamp = Stamp::new(&half, (3, -1), 0.7, (16, 8), format, &ink);
            let mut frame = grey(format, 90);
            stamp.draw(&mut frame).expect("drawn");
            let mut raster = Raster::new(layout, 16, 8);
            let places = |raster: &Raster, component| {
                let (width, height) = raster.size(component);
                (0..height).flat_map(move |y| (0..width).map(move |x| (x, y)))
            };
            for component in 0..3 {
                for (x, y) in places(&raster, component) {
                    raster.set(component, x, y, 90);
                }
            }
            marks::blend(&mut raster, &stamp.layers());
            for component in 0..3 {
                for (x, y) in places(&raster, component) {
                    let row = frame.row(component, y as u32).expect("a row");
                    let drawn = match layout {
                        Layout::Nv12 => i32::from(row[x]),
                        _ => i32::from(u16::from_le_bytes([row[2 * x], row[2 * x + 1]])),
                    };
                    assert_eq!(raster.sample(component, x, y), drawn, "{layout:?} {component} {x},{y}");
                }
            }
        }
    }

    #[test]
    fn opacity_and_cover_multiply() {
        let half = Bitmap::new(16, 8, [255, 255, 255, 128].repeat(128)).expect("pixels");
        let frame = stamped(PixelFormat::YUV420P, 35, &half, (0, 0), 0.5);
        // 35 + (235 - 35) * 128/255 * 0.5
        assert_eq!(frame.row(0, 0).expect("a row"), [85; 16]);
    }

    #[test]
    fn ten_bits_keep_their_steps() {
        let frame = stamped(PixelFormat::YUV420P10, 401, &white(2, 2), (0, 0), 0.5);
        let row = frame.row(0, 0).expect("a row");
        let at = |x: usize| u16::from_le_bytes([row[2 * x], row[2 * x + 1]]);
        assert_eq!((at(0), at(1), at(2)), (671, 671, 401));
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        for at in [(-3, -1), (14, 7), (100, 100), (-100, 0)] {
            let frame = stamped(PixelFormat::YUV420P, 50, &white(4, 2), at, 1.0);
            let touched = (0..8)
                .flat_map(|y| frame.row(0, y).expect("a row").to_vec())
                .filter(|value| *value == 235);
            let wanted = if at.0.abs() == 100 {
                0
            } else if at.0 < 0 {
                1
            } else {
                2
            };
            assert_eq!(touched.count(), wanted, "{at:?}");
        }
    }
}
