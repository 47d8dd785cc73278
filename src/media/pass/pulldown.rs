//! One picture in five left out where a film was spread to thirty a second, and the other four spaced evenly.
//!
//! Guarantees: a group whose five pictures all differ (video among film) goes through whole, with its own times; each
//! group fills exactly the time it had, so nothing drifts. Deliberately absent: matching of fields, done before.

use crate::media::av::Frame;

/// Pictures of a group, of which one is the repeat.
const GROUP: usize = 5;
/// Side of the blocks that are compared, pixels.
const BLOCK: usize = 32;
/// Of these, every so many rows are looked at.
const ROW_STEP: usize = 4;
/// Mean difference of a pixel, 8 bit, below which nothing moves at all.
const STILL: f64 = 0.5;
/// A repeat differs from its original by at most this part of what other neighbours differ by.
const REPEAT_SHARE: f64 = 0.5;

#[derive(Debug)]
struct Held {
    frame: Frame,
    pts: i64,
    /// From the picture before it.
    difference: f64,
}

/// Takes repeats out.
#[derive(Debug)]
pub struct Pulldown {
    usual: i64,
    held: Vec<Held>,
    last: Option<Frame>,
    /// Where in the group the repeat stood last time.
    phase: Option<usize>,
    dropped: u64,
}

impl Pulldown {
    /// `usual`: how long a picture of the source lasts, in the unit of its time stamps.
    pub fn new(usual: i64) -> Self {
        Pulldown {
            usual,
            held: Vec::with_capacity(GROUP + 1),
            last: None,
            phase: None,
            dropped: 0,
        }
    }

    /// Repeats left out so far.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes the next picture; groups that are complete are appended.
    pub fn push(&mut self, frame: Frame, out: &mut Vec<Frame>) {
        let pts = frame.pts().unwrap_or(0);
        let difference = self.last.as_ref().map_or(f64::MAX, |last| difference(last, &frame));
        self.last = frame.share().ok();
        // A hole in time ends the group as it is.
        let step = self.held.last().map_or(self.usual, |last| pts - last.pts);
        if step > self.usual * 3 / 2 || step <= 0 {
            self.give_all(out);
        }
        if self.held.len() == GROUP {
            self.give_group(pts, out);
        }
        self.held.push(Held { frame, pts, difference });
    }

    /// The pictures of the last, short group.
    pub fn drain(&mut self, out: &mut Vec<Frame>) {
        if self.held.len() == GROUP {
            let end = self.held[GROUP - 1].pts + self.usual;
            self.give_group(end, out);
        }
        self.give_all(out);
        self.last = None;
        self.phase = None;
    }

    fn give_all(&mut self, out: &mut Vec<Frame>) {
        out.extend(self.held.drain(..).map(|held| held.frame));
    }

    fn give_group(&mut self, end: i64, out: &mut Vec<Frame>) {
        let differences: Vec<f64> = self.held.iter().map(|held| held.difference).collect();
        let Some(repeat) = repeat_of(&differences, self.phase) else {
            self.phase = None;
            return self.give_all(out);
        };
        self.phase = Some(repeat);
        self.dropped += 1;
        let start = self.held[0].pts;
        let mut place = 0;
        for (number, mut held) in self.held.drain(..).enumerate() {
            if number == repeat {
                continue;
            }
            held.frame.set_pts(start + (end - start) * place / (GROUP as i64 - 1));
            place += 1;
            out.push(held.frame);
        }
    }
}

/// Which of five pictures repeats the one before it, by their differences.
fn repeat_of(differences: &[f64], phase: Option<usize>) -> Option<usize> {
    let (least, smallest) = differences
        .iter()
        .copied()
        .enumerate()
        .min_by(|one, other| one.1.total_cmp(&other.1))?;
    let second = differences
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != least)
        .map(|(_, difference)| *difference)
        .fold(f64::MAX, f64::min);
    if smallest <= second * REPEAT_SHARE && second > STILL {
        return Some(least);
    }
    // Where little moves, any of them can go; the one of the last group keeps the rhythm.
    let usual = phase.unwrap_or(least);
    (second <= STILL || differences[usual] <= smallest * 1.2).then_some(usual)
}

/// The largest mean difference of any block of luma, 8 bit a pixel whatever the depth.
fn difference(one: &Frame, other: &Frame) -> f64 {
    let deep = one.pixel_format().bit_depth() > 8;
    let (width, height) = (one.width() as usize, one.height());
    if (other.width() as usize, other.height(), other.pixel_format()) != (width, height, one.pixel_format()) {
        return f64::MAX;
    }
    let columns = width.div_ceil(BLOCK);
    let mut worst = 0.0_f64;
    for top in (0..height as usize).step_by(BLOCK) {
        let mut sums = vec![0_u64; columns];
        let mut rows = 0_u64;
        for y in (top..(top + BLOCK).min(height as usize)).step_by(ROW_STEP) {
            let (Some(first), Some(second)) = (one.row(0, y as u32), other.row(0, y as u32)) else {
                continue;
            };
            rows += 1;
            for (column, sum) in sums.iter_mut().enumerate() {
                let bytes = if deep { 2 * BLOCK } else { BLOCK };
                let from = column * bytes;
                let (first, second) = (
                    &first[from..(from + bytes).min(first.len())],
                    &second[from..(from + bytes).min(second.len())],
                );
                *sum += if deep {
                    let sample = |pair: &[u8]| u64::from(u16::from_le_bytes([pair[0], pair[1]]));
                    let pairs = first.chunks_exact(2).zip(second.chunks_exact(2));
                    pairs.map(|(a, b)| sample(a).abs_diff(sample(b))).sum::<u64>() >> 2
                } else {
                    first.iter().zip(second).map(|(a, b)| u64::from(a.abs_diff(*b))).sum()
                };
            }
        }
        let pixels = (rows * BLOCK as u64).max(1) as f64;
        worst = sums.iter().fold(worst, |worst, sum| worst.max(*sum as f64 / pixels));
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::Pulldown;
    use super::repeat_of;
    use crate::media::av::Frame;
    use crate::media::av::PixelFormat;

    fn frame(pts: i64, luma: u8) -> Frame {
        let mut frame = Frame::picture(PixelFormat::YUV420P, 64, 64).expect("a picture");
        for y in 0..64 {
            frame.row_mut(0, y).expect("unshared").fill(luma);
        }
        frame.set_pts(pts);
        frame
    }

    #[test]
    fn four_of_five_stay_and_share_the_time() {
        let mut pulldown = Pulldown::new(10);
        let mut out = Vec::new();
        // A film of 24 pictures a second where every fifth picture repeats the one before.
        let lumas = [10, 20, 30, 30, 40, 50, 60, 70, 70, 80, 90, 100, 110, 110, 120, 130];
        for (number, luma) in lumas.iter().enumerate() {
            pulldown.push(frame(number as i64 * 10, *luma), &mut out);
        }
        pulldown.drain(&mut out);
        let times: Vec<i64> = out.iter().map(|frame| frame.pts().expect("a time")).collect();
        assert_eq!(times, [0, 12, 25, 37, 50, 62, 75, 87, 100, 112, 125, 137, 150]);
        assert_eq!(pulldown.dropped(), 3);
    }

    #[test]
    fn video_among_film_goes_through_whole() {
        assert_eq!(repeat_of(&[9.0, 8.0, 10.0, 9.5, 8.5], Some(2)), None);
        assert_eq!(repeat_of(&[9.0, 8.0, 0.4, 9.5, 8.5], None), Some(2));
        assert_eq!(repeat_of(&[0.1, 0.1, 0.1, 0.1, 0.0], Some(1)), Some(1), "nothing moves");
    }

    #[test]
    fn a_hole_in_time_ends_the_group() {
        let mut pulldown = Pulldown::new(10);
        let mut out = Vec::new();
        for (pts, luma) in [(0, 10), (10, 20), (200, 30)] {
            pulldown.push(frame(pts, luma), &mut out);
        }
        pulldown.drain(&mut out);
        let times: Vec<i64> = out.iter().map(|frame| frame.pts().expect("a time")).collect();
        assert_eq!(times, [0, 10, 200]);
    }
}
