//! A box that hides what is beneath it.
//!
//! Guarantees: nothing outside the box changes, and nothing from outside flows in, so that a face at its edge cannot be
//! guessed from its surroundings. Deliberately absent: finding what is to be hidden.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::overlay::span::Span;
use crate::media::software::marks::Cover;
use crate::media::spec::MosaicKind;
use crate::media::spec::MosaicSpec;

/// Box blurs in a row: three are close to a Gaussian.
const PASSES: usize = 3;

/// A box on a rendition of one size.
#[derive(Debug, Clone)]
pub struct Mosaic {
    kind: MosaicKind,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    /// Radius of the blur or edge of a square, pixels of luma.
    reach: u32,
    span: Span,
}

impl Mosaic {
    /// For a rendition; none when all of the box lies outside.
    pub fn new(spec: &MosaicSpec, canvas: (u32, u32), length_s: Option<f64>) -> Option<Self> {
        // Whole pixels of chroma: begins even, ends even or at the edge.
        let left = spec.x.on(canvas.0).min(canvas.0);
        let top = spec.y.on(canvas.1).min(canvas.1);
        let (x, y) = (left & !1, top & !1);
        let end = |start: u32, length: u32, edge: u32| (start.saturating_add(length).saturating_add(1) & !1).min(edge);
        let width = end(left, spec.width.on(canvas.0), canvas.0) - x;
        let height = end(top, spec.height.on(canvas.1), canvas.1) - y;
        let reach = (f64::from(canvas.1) * f64::from(spec.strength) / 1000.0).round() as u32;
        (width > 0 && height > 0).then_some(Mosaic {
            kind: spec.kind,
            x,
            y,
            width,
            height,
            reach: reach.max(2) & !1,
            span: Span::new(spec.start_s, spec.duration_s, None, length_s),
        })
    }

    /// Whether it is there at a moment.
    pub fn is_on(&self, at_s: f64) -> bool {
        self.span.holds(at_s)
    }

    /// The box, as a device takes it.
    pub fn cover(&self) -> Cover {
        Cover {
            x: self.x,
            y: self.y,
            width: self.width,
            height: self.height,
            reach: self.reach,
            is_blurred: matches!(self.kind, MosaicKind::Blur),
        }
    }

    /// Hides what is beneath it on a picture whose pixels nobody shares.
    pub fn draw(&self, frame: &mut Frame) -> Result<(), AvError> {
        let format = frame.pixel_format();
        let deep = format.bit_depth() > 8;
        for plane in 0..3 {
            let (right, down) = if plane == 0 { (0, 0) } else { format.chroma_shift() };
            let (x, y) = (self.x >> right, self.y >> down);
            let width = ((self.x + self.width + (1 << right) - 1) >> right) - x;
            let height = ((self.y + self.height + (1 << down) - 1) >> down) - y;
            let mut box_of = Area::read(frame, plane, (x, y), (width, height), deep)?;
            match self.kind {
                MosaicKind::Pixelate => box_of.pixelate((self.reach >> right).max(1), (self.reach >> down).max(1)),
                MosaicKind::Blur => box_of.blur((self.reach >> right).max(1), (self.reach >> down).max(1)),
            }
            box_of.write(frame, plane, (x, y), deep)?;
        }
        Ok(())
    }
}

/// Samples of a part of a plane.
struct Area {
    width: usize,
    height: usize,
    samples: Vec<u16>,
}

impl Area {
    fn read(frame: &Frame, plane: usize, at: (u32, u32), size: (u32, u32), deep: bool) -> Result<Self, AvError> {
        let (width, height) = (size.0 as usize, size.1 as usize);
        let mut samples = Vec::with_capacity(width * height);
        for line in 0..size.1 {
            let row = frame.row(plane, at.1 + line).ok_or_else(|| AvError::argument("draw"))?;
            let from = at.0 as usize;
            if deep {
                let pairs = row.chunks_exact(2).skip(from).take(width);
                samples.extend(pairs.map(|two| u16::from_le_bytes([two[0], two[1]])));
            } else {
                samples.extend(row.iter().skip(from).take(width).map(|sample| u16::from(*sample)));
            }
        }
        if samples.len() != width * height {
            return Err(AvError::argument("draw"));
        }
        Ok(Area { width, height, samples })
    }

    fn write(&self, frame: &mut Frame, plane: usize, at: (u32, u32), deep: bool) -> Result<(), AvError> {
        for (line, own) in (0..).zip(self.samples.chunks_exact(self.width)) {
            let row = frame
                .row_mut(plane, at.1 + line)
                .ok_or_else(|| AvError::argument("draw"))?;
            let from = at.0 as usize;
            if deep {
                for (two, sample) in row.chunks_exact_mut(2).skip(from).zip(own) {
                    two.copy_from_slice(&sample.to_le_bytes());
                }
            } else {
                for (byte, sample) in row.iter_mut().skip(from).zip(own) {
                    *byte = *sample as u8;
                }
            }
        }
        Ok(())
    }

    fn pixelate(&mut self, across: u32, down: u32) {
        let (across, down) = (across as usize, down as usize);
        for top in (0..self.height).step_by(down) {
            for left in (0..self.width).step_by(across) {
                let (bottom, right) = ((top + down).min(self.height), (left + across).min(self.width));
                let mut sum = 0_u64;
                for y in top..bottom {
                    sum += self.samples[y * self.width + left..y * self.width + right]
                        .iter()
                        .map(|sample| u64::from(*sample))
                        .sum::<u64>();
                }
                let count = ((bottom - top) * (right - left)) as u64;
                let mean = ((sum + count / 2) / count) as u16;
                for y in top..bottom {
                    self.samples[y * self.width + left..y * self.width + right].fill(mean);
                }
            }
        }
    }

    fn blur(&mut self, across: u32, down: u32) {
        let mut line = Vec::new();
        for _ in 0..PASSES {
            for y in 0..self.height {
                let row = &mut self.samples[y * self.width..(y + 1) * self.width];
                line.clear();
                line.extend_from_slice(row);
                smooth(&line, across as usize, |x, value| row[x] = value);
            }
            for x in 0..self.width {
                line.clear();
                line.extend(self.samples.iter().skip(x).step_by(self.width));
                smooth(&line, down as usize, |y, value| {
                    self.samples[y * self.width + x] = value
                });
            }
        }
    }
}

/// The mean of each sample and its neighbours up to `reach` away.
fn smooth(line: &[u16], reach: usize, mut put: impl FnMut(usize, u16)) {
    let mut sum: u64 = line.iter().take(reach).map(|sample| u64::from(*sample)).sum();
    for at in 0..line.len() {
        if let Some(entering) = line.get(at + reach) {
            sum += u64::from(*entering);
        }
        if at > reach {
            sum -= u64::from(line[at - reach - 1]);
        }
        let count = ((at + reach).min(line.len() - 1) - at.saturating_sub(reach) + 1) as u64;
        put(at, ((sum + count / 2) / count) as u16);
    }
}

#[cfg(test)]
mod tests {
    use super::Area;
    use super::Mosaic;
    use crate::media::av::Frame;
    use crate::media::av::PixelFormat;
    use crate::media::cuda::Layout;
    use crate::media::software::Raster;
    use crate::media::software::marks;

    fn checked() -> Frame {
        let mut frame = Frame::picture(PixelFormat::YUV420P, 64, 48).expect("a frame");
        for plane in 0..3 {
            let mut y = 0;
            while let Some(row) = frame.row_mut(plane, y) {
                let width = row.len();
                (0..width).for_each(|x| row[x] = if (x as u32 + y).is_multiple_of(2) { 40 } else { 200 });
                y += 1;
            }
        }
        frame
    }

    #[test]
    fn a_box_between_whole_pixels_of_chroma_is_hidden_to_its_last_column() {
        let spec = toml::from_str("x=7\ny=5\nwidth=8\nheight=10").expect("a box");
        let cover = Mosaic::new(&spec, (64, 48), None).expect("inside").cover();
        assert!(cover.x <= 7 && cover.x + cover.width >= 15, "{cover:?}");
        assert!(cover.y <= 5 && cover.y + cover.height >= 15, "{cover:?}");
    }

    #[test]
    fn both_kinds_hide_their_box_and_nothing_else() {
        for kind in ["blur", "pixelate"] {
            let text = format!("kind=\"{kind}\"\nx=8\ny=8\nwidth=32\nheight=16\nstrength=100");
            let spec = toml::from_str(&text).expect("a box");
            let mosaic = Mosaic::new(&spec, (64, 48), None).expect("inside");
            let (before, mut after) = (checked(), checked());
            mosaic.draw(&mut after).expect("drawn");
            for y in 0..48 {
                let (one, two) = (before.row(0, y).expect("row"), after.row(0, y).expect("row"));
                for x in 0..64 {
                    let inside = (8..40).contains(&x) && (8..24).contains(&y);
                    if inside {
                        assert!(two[x].abs_diff(120) <= 24, "{kind} {x},{y}: {}", two[x]);
                    } else {
                        assert_eq!(one[x], two[x], "{kind} {x},{y}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_device_that_does_what_it_must_hides_the_same() {
        for kind in ["blur", "pixelate"] {
            for place in [(8, 8, 32, 16), (50, 30, 40, 40)] {
                let (x, y, width, height) = place;
                let text = format!("kind=\"{kind}\"\nx={x}\ny={y}\nwidth={width}\nheight={height}\nstrength=130");
                let spec = toml::from_str(&text).expect("a box");
                let mosaic = Mosaic::new(&spec, (64, 48), None).expect("inside");
                let mut frame = checked();
                let mut raster = Raster::new(Layout::Yuv420p, 64, 48);
                for plane in 0..3 {
                    let width = raster.size(plane).0;
                    for (y, row) in (0..).zip(raster.plane_mut(plane).chunks_exact_mut(width)) {
                        row.copy_from_slice(&frame.row(plane, y).expect("row")[..width]);
                    }
                }
                mosaic.draw(&mut frame).expect("drawn");
                marks::hide(&mut raster, &mosaic.cover());
                for plane in 0..3 {
                    let width = raster.size(plane).0;
                    for (y, row) in (0..).zip(raster.plane(plane).chunks_exact(width)) {
                        assert_eq!(
                            row,
                            &frame.row(plane, y).expect("row")[..width],
                            "{kind} {place:?} {plane} {y}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn smoothing_keeps_what_is_even_and_takes_nothing_from_outside() {
        let mut even = Area {
            width: 5,
            height: 1,
            samples: vec![77; 5],
        };
        even.blur(3, 3);
        assert_eq!(even.samples, [77; 5]);
        let mut step = Area {
            width: 6,
            height: 1,
            samples: vec![0, 0, 0, 90, 90, 90],
        };
        step.blur(1, 1);
        assert!(
            step.samples.is_sorted() && step.samples[0] < 20 && step.samples[5] > 70,
            "{:?}",
            step.samples
        );
    }

    #[test]
    fn a_box_outside_is_none() {
        let spec = toml::from_str("x=64\ny=0\nwidth=10\nheight=10").expect("a box");
        assert!(Mosaic::new(&spec, (64, 48), None).is_none());
        let spec = toml::from_str("x=60\ny=40\nwidth=\"100%\"\nheight=\"100%\"").expect("a box");
        let mosaic = Mosaic::new(&spec, (64, 48), None).expect("partly inside");
        mosaic.draw(&mut checked()).expect("cut to the picture");
    }
}
