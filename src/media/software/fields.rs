//! A picture of two moments made one of one.
//!
//! The lines of one field stay. A line of the other is, where something moves, the sum of what the lines around it have
//! of low frequencies and its own field just before and just after of high ones, with the weights of BBC PH-2071; bounded
//! by how much changes around it, as bwdif does it.

use crate::media::software::raster::Raster;

/// Which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The first, third, fifth ... line.
    Top,
    /// The others.
    Bottom,
}

/// What is to be made of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Which field was earlier.
    pub first: Field,
    /// The moment of the later field is wanted, not that of the earlier one.
    pub is_second: bool,
}

impl Moment {
    /// Number modulo two of the lines that are made.
    pub fn made_lines(self) -> usize {
        let kept = match (self.first, self.is_second) {
            (Field::Top, false) | (Field::Bottom, true) => 0,
            _ => 1,
        };
        1 - kept
    }

    /// Whether there are no neighbours in time to look at: the earlier field needs a picture before, the later one
    /// one after.
    pub fn is_alone(self, has_previous: bool, has_next: bool) -> bool {
        if self.is_second { !has_next } else { !has_previous }
    }
}

/// The picture at that moment; all of one layout and size. A neighbour that is not there is taken for no change.
pub fn deinterlace(previous: Option<&Raster>, current: &Raster, next: Option<&Raster>, moment: Moment) -> Raster {
    let mut to = current.clone();
    let made = moment.made_lines();
    let alone = moment.is_alone(previous.is_some(), next.is_some());
    let (previous, next) = (previous.unwrap_or(current), next.unwrap_or(current));
    let most = (1 << current.layout().bit_depth()) - 1;
    for component in 0..3 {
        let (width, height) = current.size(component);
        for y in (made..height).step_by(2).filter(|_| height > 1) {
            for x in 0..width {
                let look = Look {
                    pictures: [previous, current, next],
                    own: if moment.is_second { [1, 2] } else { [0, 1] },
                    component,
                    x,
                    y: y as i64,
                    height: height as i64,
                };
                let value = if alone { look.still() } else { look.moving() };
                to.set(component, x, y, value.clamp(0, most));
            }
        }
    }
    to
}

/// A sample that is to be made, and what is around it.
struct Look<'a> {
    pictures: [&'a Raster; 3],
    /// The pictures whose field of these lines is just before and just after.
    own: [usize; 2],
    component: usize,
    x: usize,
    y: i64,
    height: i64,
}

impl Look<'_> {
    fn at(&self, picture: usize, down: i64) -> i32 {
        self.pictures[picture].sample(self.component, self.x, (self.y + down) as usize)
    }

    fn has(&self, down: i64) -> bool {
        (0..self.height).contains(&(self.y + down))
    }

    /// A line of the current picture, or the nearest of the same field on the other side.
    fn line(&self, down: i64) -> i64 {
        if self.has(down) {
            return down;
        }
        let back = -down.signum();
        if self.has(back) { back } else { -back }
    }

    fn sum(&self, downs: &[i64]) -> i32 {
        downs
            .iter()
            .flat_map(|down| self.own.map(|picture| self.at(picture, *down)))
            .sum()
    }

    fn still(&self) -> i32 {
        let near = self.at(1, self.line(-1)) + self.at(1, self.line(1));
        let far = self.at(1, self.line(-3)) + self.at(1, self.line(3));
        (5077 * near - 981 * far) >> 13
    }

    fn moving(&self) -> i32 {
        let (above, below) = (self.line(-1), self.line(1));
        let (c, e) = (self.at(1, above), self.at(1, below));
        let change = (self.at(self.own[0], 0) - self.at(self.own[1], 0)).abs();
        let around = |picture| ((self.at(picture, above) - c).abs() + (self.at(picture, below) - e).abs()) >> 1;
        let mut bound = (change >> 1).max(around(0)).max(around(2));
        let middle = self.sum(&[0]) >> 1;
        if bound == 0 {
            return middle;
        }
        if self.has(-2) && self.has(2) {
            let b = (self.sum(&[-2]) >> 1) - c;
            let f = (self.sum(&[2]) >> 1) - e;
            let steps = [middle - e, middle - c];
            let upper = steps[0].max(steps[1]).max(b.min(f));
            let lower = steps[0].min(steps[1]).min(b.max(f));
            bound = bound.max(lower).max(-upper);
        }
        let value = if !(self.has(-4) && self.has(4)) {
            (c + e) >> 1
        } else if (c - e).abs() > change {
            let high = 5570 * self.sum(&[0]) - 3801 * self.sum(&[-2, 2]) + 1016 * self.sum(&[-4, 4]);
            ((high >> 2) + 4309 * (c + e) - 213 * (self.at(1, -3) + self.at(1, 3))) >> 13
        } else {
            self.still()
        };
        value.max(middle - bound).min(middle + bound)
    }
}

#[cfg(test)]
mod tests {
    use super::Field;
    use super::Moment;
    use super::deinterlace;
    use crate::media::cuda::Layout;
    use crate::media::software::raster::Raster;

    fn painted(luma: impl Fn(usize, usize) -> i32) -> Raster {
        let mut raster = Raster::new(Layout::Nv12, 8, 16);
        (0..128).for_each(|at| raster.set(0, at % 8, at / 8, luma(at % 8, at / 8)));
        raster
    }

    const FIRST: Moment = Moment {
        first: Field::Top,
        is_second: false,
    };

    #[test]
    fn what_stands_still_stays_line_by_line() {
        let still = painted(|x, y| (x * 20 + y * 5) as i32);
        assert_eq!(deinterlace(Some(&still), &still, Some(&still), FIRST), still);
    }

    #[test]
    fn the_other_fields_moment_goes() {
        let before = painted(|_, _| 50);
        // The later field already shows something else.
        let combed = painted(|_, y| if y % 2 == 0 { 50 } else { 200 });
        let after = painted(|_, _| 200);
        let first = deinterlace(Some(&before), &combed, Some(&after), FIRST);
        assert!((0..16).all(|y| first.sample(0, 3, y) == 50), "{first:?}");
        let second = Moment {
            is_second: true,
            ..FIRST
        };
        let second = deinterlace(Some(&before), &combed, Some(&after), second);
        assert!((0..16).all(|y| second.sample(0, 3, y) == 200));
        let alone = deinterlace(None, &combed, Some(&after), FIRST);
        assert!((0..16).all(|y| alone.sample(0, 3, y) == 50));
    }
}
