//! From a decoded picture to the frame that is lent out: cropped, scaled, its fields doubled, NV12 or P016.

use crate::cuda::code::Code;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::refuse;
use crate::cuvid::libav::Frame;

/// What a frame that is lent out is to be.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// 16 bits a sample.
    pub is_wide: bool,
    /// Pictures of two fields become frames of one.
    pub doubles_fields: bool,
    /// Its size, pixels.
    pub size: (usize, usize),
    /// What of the picture is shown: left, top, right, bottom.
    pub area: [i32; 4],
    /// Where in the frame it is put; all 0: everywhere.
    pub rect: [i32; 4],
}

/// Which field of a picture is wanted, if its fields are doubled.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The lower one.
    pub is_lower: bool,
}

impl Target {
    /// Whether it can be of a picture of that coded size.
    pub fn check(&self, call: &str, coded: (u64, u64)) -> Result<(), Code> {
        let (width, height) = self.size;
        if width == 0 || height == 0 || !width.is_multiple_of(2) || !height.is_multiple_of(2) {
            return refuse(
                call,
                INVALID_VALUE,
                format!("a frame of {width}x{height}: even sizes are taken"),
            );
        }
        let within = |[left, top, right, bottom]: [i32; 4], (width, height): (u64, u64)| {
            left >= 0 && top >= 0 && left < right && top < bottom && right as u64 <= width && bottom as u64 <= height
        };
        if !within(self.area, (coded.0.next_multiple_of(16), coded.1.next_multiple_of(16))) {
            let words = format!("a display area {:?} of a picture of {coded:?}", self.area);
            return refuse(call, INVALID_VALUE, words);
        }
        if self.rect != [0; 4] && !within(self.rect, (width as u64, height as u64)) {
            let words = format!("a target {:?} in a frame of {:?}", self.rect, self.size);
            return refuse(call, INVALID_VALUE, words);
        }
        Ok(())
    }

    /// Bytes of a row that count.
    pub fn row_bytes(&self) -> usize {
        self.size.0 * if self.is_wide { 2 } else { 1 }
    }

    /// Rows of both planes.
    pub fn rows(&self) -> usize {
        self.size.1 + self.size.1 / 2
    }

    /// Writes a picture.
    ///
    /// # Safety
    /// `to` is good for `rows` rows of that pitch, and nobody else touches it.
    pub unsafe fn write(&self, frame: &Frame, field: Option<Field>, to: *mut u8, pitch: usize) {
        let rect = match self.rect {
            [0, 0, 0, 0] => [0, 0, self.size.0 as i32, self.size.1 as i32],
            rect => rect,
        };
        let halved = |edges: [i32; 4]| edges.map(|edge| edge / 2);
        for row in 0..self.rows() {
            // SAFETY: as this function's.
            let line = unsafe { std::slice::from_raw_parts_mut(to.add(row * pitch), self.row_bytes()) };
            let Some(chroma) = row.checked_sub(self.size.1) else {
                self.line(frame, line, 0, 1, row, (self.area, rect), field);
                continue;
            };
            self.line(frame, line, 1, 2, chroma, (halved(self.area), halved(rect)), field);
            let behind = &mut line[if self.is_wide { 2 } else { 1 }..];
            self.line(frame, behind, 2, 2, chroma, (halved(self.area), halved(rect)), field);
        }
    }

    /// One row of one component, whose samples lie `step` samples apart.
    #[allow(clippy::too_many_arguments, reason = "a row has that many properties")]
    fn line(
        &self,
        frame: &Frame,
        to: &mut [u8],
        component: usize,
        step: usize,
        row: usize,
        (area, rect): ([i32; 4], [i32; 4]),
        field: Option<Field>,
    ) {
        let depth = frame.depth();
        let sample = if depth > 8 { 2 } else { 1 };
        let raw = frame.raw();
        let halve = |size: i32| {
            if component == 0 {
                size as usize
            } else {
                (size as usize).div_ceil(2)
            }
        };
        let (width, height) = (halve(raw.width), halve(raw.height));
        let has_component = frame
            .descriptor()
            .is_some_and(|found| component == 0 || found.nb_components >= 3);
        let out = self.size.0 / step;
        let put = |at: usize, value: u32, to: &mut [u8]| {
            if self.is_wide {
                let word = (value << (16 - depth)) as u16;
                to[at * step * 2..at * step * 2 + 2].copy_from_slice(&word.to_le_bytes());
            } else {
                to[at * step] = (value >> (depth - 8)) as u8;
            }
        };
        let grey = 1 << (depth - 1);
        let black = if component == 0 { 0 } else { grey };
        if !(rect[1]..rect[3]).contains(&(row as i32)) || !has_component {
            (0..out).for_each(|at| put(at, if has_component { black } else { grey }, to));
            return;
        }
        let down = Axis::new((area[1], area[3]), (rect[1], rect[3]), height);
        let across = Axis::new((area[0], area[2]), (rect[0], rect[2]), width);
        let (mut upper, mut lower, below) = down.at(row as i32);
        if let Some(field) = field {
            // Lines of one field stand for those of the other.
            let parity = usize::from(field.is_lower);
            let of_field = |row: usize| ((row & !1) | parity).min(height - 1);
            (upper, lower) = (of_field(upper), of_field(lower));
        }
        let rows = [upper, lower].map(|row| frame.row(component, row, height, width * sample));
        let first = area[0] as usize;
        let is_copy = !self.is_wide && sample == 1 && step == 1 && below == 0 && across.is_even();
        if is_copy && rect[0] == 0 && rect[2] as usize == out && first + out <= width {
            to[..out].copy_from_slice(&rows[0][first..first + out]);
            return;
        }
        let read = |row: &[u8], at: usize| match sample {
            1 => u32::from(row[at]),
            _ => u32::from(u16::from_le_bytes([row[2 * at], row[2 * at + 1]])),
        };
        for at in 0..out {
            if !(rect[0]..rect[2]).contains(&(at as i32)) {
                put(at, black, to);
                continue;
            }
            let (left, right, beside) = across.at(at as i32);
            let value = if beside == 0 && below == 0 {
                read(rows[0], left)
            } else {
                let mix = |row: &[u8]| read(row, left) * (256 - beside) + read(row, right) * beside;
                (mix(rows[0]) * (256 - below) + mix(rows[1]) * below + (1 << 15)) >> 16
            };
            put(at, value, to);
        }
    }
}

/// How places along one edge of a frame are those of a picture.
struct Axis {
    from: i32,
    to: i32,
    start: i32,
    length: i32,
    most: usize,
}

impl Axis {
    fn new(area: (i32, i32), rect: (i32, i32), most: usize) -> Self {
        Axis {
            from: area.0,
            to: (area.1 - area.0).max(1),
            start: rect.0,
            length: (rect.1 - rect.0).max(1),
            most,
        }
    }

    /// Nothing becomes larger or smaller along it.
    fn is_even(&self) -> bool {
        self.to == self.length
    }

    /// The two places between which it lies, and how far from the first one, in 256ths.
    fn at(&self, place: i32) -> (usize, usize, u32) {
        let clamp = |at: i64| (at.max(0) as usize).min(self.most.saturating_sub(1));
        let offset = i64::from(place - self.start);
        if self.is_even() {
            let at = clamp(i64::from(self.from) + offset);
            return (at, at, 0);
        }
        // Middles of samples lie on middles of samples.
        let scaled = ((2 * offset + 1) * i64::from(self.to) * 128) / i64::from(self.length) - 128;
        let whole = scaled.div_euclid(256);
        let first = i64::from(self.from) + whole;
        (clamp(first), clamp(first + 1), scaled.rem_euclid(256) as u32)
    }
}
