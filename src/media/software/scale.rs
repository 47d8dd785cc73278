//! A 4:2:0 picture in another size, layout and range, cropped and turned.

use crate::media::cuda::Layout;
use crate::media::software::orientation::Crop;
use crate::media::software::orientation::Turn;
use crate::media::software::range::Change;
use crate::media::software::range::Range;
use crate::media::software::raster::Raster;
use crate::media::software::weights;
use crate::media::software::weights::Filter;
use crate::media::software::weights::Weights;

/// What is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// How its samples lie.
    pub layout: Layout,
    /// Pixels across, upright.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// None: by the ratio.
    pub filter: Option<Filter>,
    /// Of the source.
    pub crop: Crop,
    /// How the crop is turned.
    pub turn: Turn,
    /// Of the source, and of the result.
    pub range: (Range, Range),
}

/// The picture that is wished for.
pub fn scale(from: &Raster, wish: &Wish) -> Raster {
    let (wide, high) = wish.turn.before(wish.width, wish.height);
    let filter = wish
        .filter
        .unwrap_or(Filter::between((wish.crop.width, wish.crop.height), (wide, high)));
    let mut to = Raster::new(wish.layout, wish.width, wish.height);
    let depths = (from.layout().bit_depth(), wish.layout.bit_depth());
    let change = Change::between((wish.range.0, depths.0), (wish.range.1, depths.1));
    for component in 0..3 {
        let plane = cut(from, component, wish.crop);
        let (width, height) = to.size(component);
        let (wide, high) = wish.turn.before(width as u32, height as u32);
        let across = Weights::new(plane.width as u32, wide, filter, weights::ACROSS_BITS);
        let down = Weights::new(plane.height() as u32, high, filter, weights::DOWN_BITS);
        let scaled = plane.scaled(&across, &down, depths.0);
        for y in 0..height {
            for x in 0..width {
                let (u, v) = wish.turn.origin((x, y), (width, height));
                let mut value = scaled[v * wide as usize + u];
                if let Some(change) = &change {
                    value = change.of(component.min(1), value);
                }
                to.set(component, x, y, rounded(value, depths, x, y));
            }
        }
    }
    to
}

/// The samples of a component.
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) samples: Vec<i32>,
}

/// Those of the crop.
pub(super) fn cut(from: &Raster, component: usize, crop: Crop) -> Plane {
    let shared = if component == 0 { 1 } else { 2 };
    let (left, top) = (crop.x as usize / shared, crop.y as usize / shared);
    let width = (crop.width as usize).div_ceil(shared);
    let height = (crop.height as usize).div_ceil(shared);
    let samples = (top..top + height)
        .flat_map(|y| (left..left + width).map(move |x| from.sample(component, x, y)))
        .collect();
    Plane { width, samples }
}

impl Plane {
    pub(super) fn height(&self) -> usize {
        self.samples.len() / self.width
    }

    /// In steps of 2^-19 of 8 bits: rows first, to 15 bits, then columns.
    pub(super) fn scaled(&self, across: &Weights, down: &Weights, depth: u32) -> Vec<i32> {
        let width = across.count();
        let mut rows = Vec::with_capacity(width * self.height());
        for row in self.samples.chunks_exact(self.width) {
            for x in 0..width {
                let sum: i32 = across.of(x).map(|(at, weight)| row[at] * weight).sum();
                rows.push((sum >> (depth - 1)).min(i32::from(i16::MAX)));
            }
        }
        let mut scaled = Vec::with_capacity(width * down.count());
        for y in 0..down.count() {
            for x in 0..width {
                scaled.push(down.of(y).map(|(at, weight)| rows[at * width + x] * weight).sum());
            }
        }
        scaled
    }
}

/// The nearest number of the result's depth; where bits are lost, in an ordered pattern.
fn rounded(value: i32, (from_depth, to_depth): (u32, u32), x: usize, y: usize) -> i32 {
    let lost = 19 + 8 - to_depth;
    let half = if to_depth < from_depth {
        threshold(x, y) << (lost - 7)
    } else {
        1 << (lost - 1)
    };
    ((value + half) >> lost).clamp(0, (1 << to_depth) - 1)
}

/// From 1 to 127: the pattern of Bayer, made by doubling that of four.
pub(super) fn threshold(x: usize, y: usize) -> i32 {
    const FOUR: [[i32; 2]; 2] = [[0, 2], [3, 1]];
    let order: i32 = (0..3)
        .map(|level| FOUR[(y >> level) & 1][(x >> level) & 1] << (2 * (2 - level)))
        .sum();
    2 * order + 1
}

#[cfg(test)]
mod tests {
    use super::Wish;
    use super::scale;
    use super::threshold;
    use crate::media::cuda::Layout;
    use crate::media::software::orientation::Crop;
    use crate::media::software::orientation::Turn;
    use crate::media::software::range::Range;
    use crate::media::software::raster::Raster;

    fn wish(layout: Layout, width: u32, height: u32, crop: Crop) -> Wish {
        Wish {
            layout,
            width,
            height,
            filter: None,
            crop,
            turn: Turn::default(),
            range: (Range::Limited, Range::Limited),
        }
    }

    fn numbered(layout: Layout, width: u32, height: u32) -> Raster {
        let mut raster = Raster::new(layout, width, height);
        for component in 0..3 {
            let (wide, high) = raster.size(component);
            for (y, x) in (0..high).flat_map(|y| (0..wide).map(move |x| (y, x))) {
                raster.set(component, x, y, (16 + (x * 7 + y * 31 + component * 50) % 200) as i32);
            }
        }
        raster
    }

    #[test]
    fn what_keeps_its_size_keeps_its_numbers() {
        let from = numbered(Layout::Nv12, 12, 8);
        let crop = Crop {
            x: 2,
            y: 4,
            width: 8,
            height: 4,
        };
        let to = scale(&from, &wish(Layout::Yuv420p10, 8, 4, crop));
        assert_eq!(to.sample(0, 7, 3), from.sample(0, 9, 7) * 4);
        assert_eq!(to.sample(2, 1, 1), from.sample(2, 2, 3) * 4);
    }

    #[test]
    fn ten_bits_made_eight_keep_their_mean() {
        let mut from = Raster::new(Layout::P016, 16, 16);
        (0..256).for_each(|at| from.set(0, at % 16, at / 16, 401));
        let to = scale(&from, &wish(Layout::Nv12, 16, 16, Crop::whole(16, 16)));
        let sum: i32 = (0..256).map(|at| to.sample(0, at % 16, at / 16)).sum();
        assert_eq!(sum, 256 * 401 / 4);
        let mut all: Vec<i32> = (0..64).map(|at| threshold(at % 8, at / 8)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..64).map(|at| 2 * at + 1).collect::<Vec<_>>());
    }

    #[test]
    fn even_pictures_stay_even_in_any_size() {
        let mut from = Raster::new(Layout::Yuv420p, 9, 7);
        for component in 0..3 {
            let (wide, high) = from.size(component);
            (0..wide * high).for_each(|at| from.set(component, at % wide, at / wide, 77));
        }
        for (width, height) in [(4, 3), (20, 30), (9, 2), (1, 1)] {
            let to = scale(&from, &wish(Layout::Yuv420p, width, height, Crop::whole(9, 7)));
            assert!(
                (0..3).all(|plane| to.plane(plane).iter().all(|value| *value == 77)),
                "{width}x{height}"
            );
        }
    }
}
