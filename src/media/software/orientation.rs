//! Which part of a picture counts, and how it is turned.

/// A rectangle of a picture as it is coded, pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crop {
    /// From the left edge; even, because chroma is shared by two.
    pub x: u32,
    /// From the upper edge; even.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Crop {
    /// All of a picture.
    pub fn whole(width: u32, height: u32) -> Self {
        Crop {
            x: 0,
            y: 0,
            width,
            height,
        }
    }

    /// Whether it lies in a picture of this size, on whole samples of chroma, and is not empty.
    pub fn fits(&self, width: u32, height: u32) -> bool {
        let inside = |at: u32, length: u32, edge: u32| {
            length > 0 && at.is_multiple_of(2) && at.checked_add(length).is_some_and(|end| end <= edge)
        };
        inside(self.x, self.width, width) && inside(self.y, self.height, height)
    }
}

/// Turned clockwise by a multiple of 90 degrees and then, if so, mirrored left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Turn {
    /// 0, 90, 180, 270.
    pub rotation_degrees: u32,
    /// Left and right change places, after the turn.
    pub mirrored: bool,
}

impl Turn {
    /// Whether rows become columns.
    pub fn swaps(self) -> bool {
        self.rotation_degrees % 180 == 90
    }

    /// Size before the turn of what has this size after it; its own inverse.
    pub fn before(self, width: u32, height: u32) -> (u32, u32) {
        if self.swaps() { (height, width) } else { (width, height) }
    }

    /// Whether rows, and columns, of what is turned are read from their end when the result is written in order.
    pub fn reversals(self) -> (bool, bool) {
        match self.rotation_degrees % 360 {
            90 => (false, !self.mirrored),
            180 => (!self.mirrored, true),
            270 => (true, self.mirrored),
            _ => (self.mirrored, false),
        }
    }

    /// Where a pixel of the result (of `width` by `height`) stood before the turn.
    pub fn origin(self, (x, y): (usize, usize), (width, height): (usize, usize)) -> (usize, usize) {
        let x = if self.mirrored { width - 1 - x } else { x };
        match self.rotation_degrees % 360 {
            90 => (y, width - 1 - x),
            180 => (width - 1 - x, height - 1 - y),
            270 => (height - 1 - y, x),
            _ => (x, y),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Crop;
    use super::Turn;

    #[test]
    fn reversals_say_the_same_as_origins() {
        for rotation_degrees in [0, 90, 180, 270] {
            for mirrored in [false, true] {
                let turn = Turn {
                    rotation_degrees,
                    mirrored,
                };
                let (across, down) = turn.reversals();
                for (x, y) in [(0, 0), (4, 0), (0, 2), (3, 1)] {
                    let (u, v) = if turn.swaps() { (y, x) } else { (x, y) };
                    let (wide, high) = turn.before(5, 3);
                    let read =
                        |at: usize, length: u32, backward: bool| if backward { length as usize - 1 - at } else { at };
                    let wanted = (read(u, wide, across), read(v, high, down));
                    assert_eq!(turn.origin((x, y), (5, 3)), wanted, "{turn:?} {x},{y}");
                }
            }
        }
    }

    #[test]
    fn a_crop_lies_on_whole_chroma_inside() {
        let crop = |x, y, width, height| Crop { x, y, width, height };
        assert!(crop(2, 4, 6, 4).fits(8, 8));
        assert!(!crop(1, 4, 6, 4).fits(8, 8));
        assert!(!crop(2, 4, 7, 4).fits(8, 8));
        assert!(!crop(2, 4, 0, 4).fits(8, 8));
        assert!(!crop(u32::MAX - 1, 0, 4, 4).fits(8, 8));
    }
}
