//! A 4:2:0 picture in red, green and blue, in another size, at a place of a sheet.

use crate::media::software::orientation::Crop;
use crate::media::software::orientation::Turn;
use crate::media::software::range;
use crate::media::software::range::Range;
use crate::media::software::raster::Raster;
use crate::media::software::scale;
use crate::media::software::weights;
use crate::media::software::weights::Filter;
use crate::media::software::weights::Weights;

/// A rectangle of a sheet, and where in it the picture lies. What the picture leaves open is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From the sheet's left edge.
    pub x: u32,
    /// From its upper edge.
    pub y: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Left edge of the picture within the place; below 0 its left is cut off.
    pub left: i32,
    /// Its upper edge.
    pub top: i32,
    /// Its size, upright.
    pub inner_width: u32,
    /// See `inner_width`.
    pub inner_height: u32,
    /// Red, green, blue.
    pub fill: [u8; 3],
}

impl Place {
    /// All of a rectangle is the picture.
    pub fn stretched(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self::centred(x, y, (width, height), (width, height), [0; 3])
    }

    /// A picture of that inner size in the middle, cut evenly where it is larger.
    pub fn centred(x: u32, y: u32, (width, height): (u32, u32), inner: (u32, u32), fill: [u8; 3]) -> Self {
        let middle = |outer: u32, inner: u32| ((i64::from(outer) - i64::from(inner)).div_euclid(2)) as i32;
        Place {
            x,
            y,
            width,
            height,
            left: middle(width, inner.0),
            top: middle(height, inner.1),
            inner_width: inner.0,
            inner_height: inner.1,
            fill,
        }
    }
}

/// What is taken of a picture, and what its numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The part that counts.
    pub crop: Crop,
    /// How it is turned.
    pub turn: Turn,
    /// Its matrix, as H.273 numbers them; what has no meaning there is BT.709.
    pub matrix: i32,
    /// Its range.
    pub range: Range,
    /// None: by the ratio.
    pub filter: Option<Filter>,
}

/// From luma and chroma to red, green and blue, full range: black in 1/128 of an 8-bit step, factors in 1/8192.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factors {
    /// Luma of black.
    pub black: i32,
    /// Luma to all.
    pub luma: i32,
    /// Red difference to red.
    pub cr_to_r: i32,
    /// Blue difference to green; below 0.
    pub cb_to_g: i32,
    /// Red difference to green; below 0.
    pub cr_to_g: i32,
    /// Blue difference to blue.
    pub cb_to_b: i32,
}

/// Weights of red and of blue in the luma of a matrix.
pub fn luma_weights(matrix: i32) -> (f64, f64) {
    match matrix {
        4 => (0.30, 0.11),
        5 | 6 => (0.299, 0.114),
        7 => (0.212, 0.087),
        9 | 10 => (0.2627, 0.0593),
        _ => (0.2126, 0.0722),
    }
}

impl Factors {
    /// Of a matrix and range at a depth.
    pub fn new(matrix: i32, range: Range, depth: u32) -> Self {
        let (kr, kb) = luma_weights(matrix);
        let kg = 1.0 - kr - kb;
        let (luma, chroma) = range::extents((range, depth));
        let whole = |factor: f64| (factor * 255.0 * 8192.0).round() as i32;
        let (red, blue) = (2.0 * (1.0 - kr) / chroma, 2.0 * (1.0 - kb) / chroma);
        Factors {
            black: if range == Range::Limited { 16 * 128 } else { 0 },
            luma: whole(1.0 / luma),
            cr_to_r: whole(red),
            cb_to_g: whole(-blue * kb / kg),
            cr_to_g: whole(-red * kr / kg),
            cb_to_b: whole(blue),
        }
    }

    fn of(&self, y: i32, cb: i32, cr: i32) -> [u8; 3] {
        let light = i64::from(y - self.black) * i64::from(self.luma);
        let (cb, cr) = (i64::from(cb - 128 * 128), i64::from(cr - 128 * 128));
        let channels = [
            light + cr * i64::from(self.cr_to_r),
            light + cb * i64::from(self.cb_to_g) + cr * i64::from(self.cr_to_g),
            light + cb * i64::from(self.cb_to_b),
        ];
        channels.map(|channel| ((channel + (1 << 19)) >> 20).clamp(0, 255) as u8)
    }
}

/// Paints a picture onto a place of an RGB sheet.
pub fn paint(from: &Raster, view: &View, sheet: &mut Raster, place: &Place) {
    let inner = (place.inner_width as usize, place.inner_height as usize);
    let (wide, high) = view.turn.before(place.inner_width, place.inner_height);
    let filter = view
        .filter
        .unwrap_or(Filter::between((view.crop.width, view.crop.height), (wide, high)));
    let depth = from.layout().bit_depth();
    let components = [0, 1, 2].map(|component| {
        let plane = scale::cut(from, component, view.crop);
        let across = Weights::new(plane.width as u32, wide, filter, weights::ACROSS_BITS);
        let down = Weights::new(plane.height() as u32, high, filter, weights::DOWN_BITS);
        plane.scaled(&across, &down, depth)
    });
    let factors = Factors::new(view.matrix, view.range, depth);
    let row_bytes = sheet.width() as usize * 3;
    for (y, x) in (0..place.height).flat_map(|y| (0..place.width).map(move |x| (y, x))) {
        let (u, v) = (
            i64::from(x) - i64::from(place.left),
            i64::from(y) - i64::from(place.top),
        );
        let inside = (0..inner.0 as i64).contains(&u) && (0..inner.1 as i64).contains(&v);
        let pixel = if inside {
            let (u, v) = view.turn.origin((u as usize, v as usize), inner);
            let [luma, cb, cr] = [0, 1, 2].map(|component: usize| {
                let value = components[component][v * wide as usize + u];
                (value + (1 << 11)) >> 12
            });
            factors.of(luma, cb, cr)
        } else {
            place.fill
        };
        let at = (place.y + y) as usize * row_bytes + (place.x + x) as usize * 3;
        sheet.plane_mut(0)[at..at + 3].copy_from_slice(&pixel);
    }
}

#[cfg(test)]
mod tests {
    use super::Factors;
    use super::Place;
    use crate::media::software::range::Range;

    #[test]
    fn primaries_come_out_pure() {
        let hd = Factors::new(1, Range::Limited, 8);
        let of = |y: i32, cb: i32, cr: i32| hd.of(y * 128, cb * 128, cr * 128);
        assert_eq!((of(235, 128, 128), of(16, 128, 128)), ([255; 3], [0; 3]));
        let red = of(63, 102, 240);
        assert!(red[0] >= 254 && red[1] <= 1 && red[2] <= 1, "{red:?}");
        let sd = Factors::new(6, Range::Full, 8);
        assert_eq!(sd.of(255 * 128, 128 * 128, 128 * 128), [255; 3]);
        let blue = sd.of(29 * 128, 255 * 128, 107 * 128);
        assert!(blue[2] >= 253 && blue[0] <= 1 && blue[1] <= 1, "{blue:?}");
    }

    #[test]
    fn a_larger_picture_is_cut_evenly() {
        let place = Place::centred(0, 0, (10, 10), (13, 4), [0; 3]);
        assert_eq!((place.left, place.top), (-2, 3));
    }
}
