//! Marks laid onto a 4:2:0 picture, and boxes that hide what is beneath them.

use crate::media::software::raster::Raster;

/// A cover of everything.
pub const ALL: u32 = 1 << 16;
/// Box blurs in a row: three are close to a Gaussian.
pub const BLURS: usize = 3;

/// One component of a mark: values (of the picture's depth) and covers of a rectangle of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer<'a> {
    /// From the left edge, samples of the component.
    pub x: u32,
    /// From the upper edge.
    pub y: u32,
    /// Samples across.
    pub width: u32,
    /// Samples down.
    pub height: u32,
    /// Row by row.
    pub values: &'a [u16],
    /// Row by row, [`ALL`] at most.
    pub covers: &'a [u32],
}

/// A box in samples of one component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patch {
    /// From the left edge.
    pub x: u32,
    /// From the upper edge.
    pub y: u32,
    /// Samples across; at least 1.
    pub width: u32,
    /// Samples down; at least 1.
    pub height: u32,
    /// Edges of the squares, or how far a blur reaches: across and down; at least 1.
    pub reach: (u32, u32),
}

/// A box on a 4:2:0 picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cover {
    /// From the left edge, pixels; even.
    pub x: u32,
    /// From the upper edge, pixels; even.
    pub y: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Edge of a square, or radius of a blur, pixels.
    pub reach: u32,
    /// Blurred, not in squares.
    pub is_blurred: bool,
}

impl Cover {
    /// The samples of a component beneath it.
    pub fn patch(&self, component: usize) -> Patch {
        let shared = if component == 0 { 1 } else { 2 };
        let (x, y) = (self.x / shared, self.y / shared);
        let reach = (self.reach / shared).max(1);
        Patch {
            x,
            y,
            width: (self.x + self.width).div_ceil(shared) - x,
            height: (self.y + self.height).div_ceil(shared) - y,
            reach: (reach, reach),
        }
    }
}

/// Lays a mark onto a picture; its layers are those of luma, Cb and Cr.
pub fn blend(picture: &mut Raster, layers: &[Layer<'_>; 3]) {
    for (component, layer) in layers.iter().enumerate() {
        let width = layer.width.max(1) as usize;
        for (at, (value, cover)) in layer.values.iter().zip(layer.covers).enumerate() {
            let (x, y) = (layer.x as usize + at % width, layer.y as usize + at / width);
            let before = picture.sample(component, x, y) as u64;
            let cover = u64::from(*cover);
            let sum = before * (u64::from(ALL) - cover) + u64::from(*value) * cover;
            picture.set(component, x, y, ((sum + u64::from(ALL) / 2) / u64::from(ALL)) as i32);
        }
    }
}

/// Hides what is beneath a box.
pub fn hide(picture: &mut Raster, cover: &Cover) {
    for component in 0..3 {
        let patch = cover.patch(component);
        if cover.is_blurred {
            for _ in 0..BLURS {
                mean(picture, component, &patch, (patch.reach.0 as i64, 0));
                mean(picture, component, &patch, (0, patch.reach.1 as i64));
            }
        } else {
            squares(picture, component, &patch);
        }
    }
}

fn squares(picture: &mut Raster, component: usize, patch: &Patch) {
    let before = picture.clone();
    let edges = |at: u32, edge: u32, length: u32| at / edge * edge..(at / edge * edge + edge).min(length);
    for (v, u) in (0..patch.height).flat_map(|v| (0..patch.width).map(move |u| (v, u))) {
        let across = edges(u, patch.reach.0, patch.width);
        let down = edges(v, patch.reach.1, patch.height);
        let count = (across.len() * down.len()) as i64;
        let sum: i64 = down
            .flat_map(|y| across.clone().map(move |x| (x, y)))
            .map(|(x, y)| i64::from(before.sample(component, (patch.x + x) as usize, (patch.y + y) as usize)))
            .sum();
        let value = (sum + count / 2) / count;
        picture.set(component, (patch.x + u) as usize, (patch.y + v) as usize, value as i32);
    }
}

/// Each sample becomes the mean of those up to `reach` away that lie in the box.
fn mean(picture: &mut Raster, component: usize, patch: &Patch, reach: (i64, i64)) {
    let before = picture.clone();
    let (width, height) = (i64::from(patch.width), i64::from(patch.height));
    let near = |at: i64, reach: i64, length: i64| (at - reach).max(0)..(at + reach + 1).min(length);
    for (v, u) in (0..height).flat_map(|v| (0..width).map(move |u| (v, u))) {
        let (mut sum, mut count) = (0, 0);
        for y in near(v, reach.1, height) {
            for x in near(u, reach.0, width) {
                sum +=
                    i64::from(before.sample(component, patch.x as usize + x as usize, patch.y as usize + y as usize));
                count += 1;
            }
        }
        let at = (patch.x as usize + u as usize, patch.y as usize + v as usize);
        picture.set(component, at.0, at.1, ((sum + count / 2) / count) as i32);
    }
}

#[cfg(test)]
mod tests {
    use super::Cover;
    use super::Layer;
    use super::blend;
    use super::hide;
    use crate::media::cuda::Layout;
    use crate::media::software::raster::Raster;

    #[test]
    fn covers_weigh_and_leave_the_rest() {
        let mut picture = Raster::new(Layout::P016, 4, 4);
        let layer = |values, covers| Layer {
            x: 1,
            y: 1,
            width: 2,
            height: 1,
            values,
            covers,
        };
        let none = Layer {
            width: 0,
            height: 0,
            ..layer(&[], &[])
        };
        blend(&mut picture, &[layer(&[1000, 1000], &[65_536, 32_768]), none, none]);
        assert_eq!([0, 1, 2, 3].map(|x| picture.sample(0, x, 1)), [0, 1000, 500, 0]);
    }

    #[test]
    fn a_box_hides_what_is_in_it() {
        for is_blurred in [false, true] {
            let mut picture = Raster::new(Layout::Yuv420p, 16, 16);
            (0..256).for_each(|at| picture.set(0, at % 16, at / 16, if at % 2 == 0 { 40 } else { 200 }));
            let before = picture.clone();
            let cover = Cover {
                x: 4,
                y: 4,
                width: 8,
                height: 8,
                reach: 4,
                is_blurred,
            };
            hide(&mut picture, &cover);
            for (x, y) in (0..16).flat_map(|y| (0..16).map(move |x| (x, y))) {
                let inside = (4..12).contains(&x) && (4..12).contains(&y);
                let value = picture.sample(0, x, y);
                if inside {
                    assert!((100..140).contains(&value), "{x},{y}: {value}");
                } else {
                    assert_eq!(value, before.sample(0, x, y));
                }
            }
        }
    }
}
