//! How one picture looks, as numbers: sharp, well exposed, colourful, or not fit to stand for a film at all.
//!
//! Guarantees: the same picture always gets the same score, larger is better, 0..=10; the cost does not grow with the
//! picture beyond reading it once. Deliberately absent: what is on it; choosing among pictures (`choice`).

use crate::media::picture::BLACK_LUMA;
use crate::media::picture::Picture;

/// Pictures are looked at with at most about so many columns: finer detail is mostly noise.
const COLUMNS: u32 = 960;
/// Blocks across and down whose detail is compared.
const BLOCKS: (usize, usize) = (16, 9);
/// Share of the blocks, the most detailed ones, that say whether a picture is sharp: behind a sharp face much is not.
const SHARP_SHARE: f64 = 0.25;
/// Detail (root mean square of the Laplacian, in steps of luma) below which the sharpest blocks are out of focus.
const BLURRED_BELOW: f64 = 4.0;
/// Detail that counts half.
const SHARP_HALF: f64 = 14.0;
/// Detail below which a block is empty: sky, ground behind a title.
const EMPTY_BELOW: f64 = 1.5;
/// Mean luma below which a picture is black, or nearly.
const DARK_BELOW: f64 = 22.0;
/// Share of black pixels, or of white ones, beyond which there is nothing else.
const ONE_TONE_SHARE: f64 = 0.85;
/// Steps a channel of the histogram has.
const STEPS: usize = 4;

/// Why a picture is not fit to be a cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Black, or nearly: an opening, a fade, a title on black.
    Dark,
    /// White, or nearly.
    Bright,
    /// One colour and nothing on it.
    Empty,
    /// Out of focus, smeared by motion, or in the middle of a dissolve.
    Blurred,
}

impl Flaw {
    /// In a sentence: "every candidate is ...".
    pub fn as_str(self) -> &'static str {
        match self {
            Flaw::Dark => "dark",
            Flaw::Bright => "white",
            Flaw::Empty => "empty",
            Flaw::Blurred => "blurred",
        }
    }
}

/// The numbers of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Mean luma, 0..=255.
    pub brightness: f64,
    /// Standard deviation of luma.
    pub contrast: f64,
    /// Share of black pixels.
    pub black: f64,
    /// Share of pixels that are white without any drawing.
    pub blown: f64,
    /// Detail of the sharpest blocks.
    pub sharpness: f64,
    /// Share of blocks with something on them.
    pub filled: f64,
    /// Hasler's and Süsstrunk's measure; 0 is grey, 109 is extremely colourful.
    pub colour: f64,
    /// Share of pixels for each of the colours that a picture is told from others by.
    histogram: Vec<f32>,
}

/// Luma and colours of a picture, averaged over squares.
struct Reduced {
    width: usize,
    height: usize,
    luma: Vec<f32>,
}

impl Look {
    /// Looks at a picture.
    pub fn of(picture: &Picture) -> Look {
        let step = picture.width().div_ceil(COLUMNS).max(1) as usize;
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let (columns, rows) = ((width / step).max(1), (height / step).max(1));
        let mut reduced = Reduced {
            width: columns,
            height: rows,
            luma: Vec::with_capacity(columns * rows),
        };
        let mut histogram = vec![0_f32; STEPS * STEPS * STEPS];
        let (mut dark, mut blown) = (0_usize, 0_usize);
        let (mut rg, mut yb) = (Moments::default(), Moments::default());
        let rgb = picture.rgb();
        for row in 0..rows {
            for column in 0..columns {
                let mut sum = [0_u32; 3];
                let mut count = 0;
                for y in (row * step)..(row * step + step).min(height) {
                    let from = (y * width + column * step) * 3;
                    let to = (y * width + (column * step + step).min(width)) * 3;
                    for pixel in rgb[from..to].chunks_exact(3) {
                        for (sum, value) in sum.iter_mut().zip(pixel) {
                            *sum += u32::from(*value);
                        }
                        count += 1;
                    }
                }
                let [red, green, blue] = sum.map(|sum| sum as f32 / count as f32);
                let luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
                reduced.luma.push(luma);
                dark += usize::from(luma < f32::from(BLACK_LUMA));
                blown += usize::from(luma > 250.0);
                rg.add(f64::from(red - green));
                yb.add(f64::from(0.5 * (red + green) - blue));
                let step_of = |value: f32| ((value as usize) * STEPS / 256).min(STEPS - 1);
                histogram[(step_of(red) * STEPS + step_of(green)) * STEPS + step_of(blue)] += 1.0;
            }
        }
        let pixels = (columns * rows) as f64;
        for share in &mut histogram {
            *share /= pixels as f32;
        }
        let mut luma = Moments::default();
        reduced.luma.iter().for_each(|value| luma.add(f64::from(*value)));
        let blocks = reduced.detail();
        let sharpest = ((blocks.len() as f64 * SHARP_SHARE).ceil() as usize).clamp(1, blocks.len());
        let spread = (rg.variance() + yb.variance()).sqrt();
        Look {
            brightness: luma.mean(),
            contrast: luma.variance().sqrt(),
            black: dark as f64 / pixels,
            blown: blown as f64 / pixels,
            sharpness: (blocks[..sharpest].iter().sum::<f64>() / sharpest as f64).sqrt(),
            filled: blocks.iter().filter(|detail| detail.sqrt() >= EMPTY_BELOW).count() as f64 / blocks.len() as f64,
            colour: spread + 0.3 * (rg.mean().powi(2) + yb.mean().powi(2)).sqrt(),
            histogram,
        }
    }

    /// What makes it unfit; none: nothing.
    pub fn flaw(&self) -> Option<Flaw> {
        if self.brightness < DARK_BELOW || self.black > ONE_TONE_SHARE {
            Some(Flaw::Dark)
        } else if self.brightness > 235.0 || self.blown > ONE_TONE_SHARE {
            Some(Flaw::Bright)
        } else if self.contrast < 8.0 || self.filled < 0.04 {
            Some(Flaw::Empty)
        } else if self.sharpness < BLURRED_BELOW {
            Some(Flaw::Blurred)
        } else {
            None
        }
    }

    /// How good a cover it is, 0..=10.
    pub fn score(&self) -> f64 {
        let sharp = self.sharpness / (self.sharpness + SHARP_HALF);
        let off = (self.brightness - 118.0) / 65.0;
        let exposure = (-0.5 * off * off).exp() * (1.0 - self.black) * (1.0 - self.blown);
        let contrast = (self.contrast / 60.0).min(1.0);
        let colour = (self.colour / 70.0).min(1.0);
        // Something everywhere is better than a title in the middle of nothing.
        let filled = 0.4 + 0.6 * (self.filled / 0.6).min(1.0);
        10.0 * filled * (0.35 * sharp + 0.25 * exposure + 0.15 * contrast + 0.25 * colour)
    }

    /// How other the colours of two pictures are: 0 the same, 1 nothing in common.
    pub fn distance(&self, other: &Look) -> f64 {
        let pairs = self.histogram.iter().zip(&other.histogram);
        0.5 * pairs.map(|(one, other)| f64::from((one - other).abs())).sum::<f64>()
    }
}

impl Reduced {
    /// Mean square of the Laplacian in each block, the most detailed first; never empty.
    fn detail(&self) -> Vec<f64> {
        let (across, down) = (
            BLOCKS.0.min(self.width.max(3) - 2).max(1),
            BLOCKS.1.min(self.height.max(3) - 2).max(1),
        );
        let mut sums = vec![(0_f64, 0_u32); across * down];
        for y in 1..self.height.saturating_sub(1) {
            let row = &self.luma[y * self.width..(y + 1) * self.width];
            let above = &self.luma[(y - 1) * self.width..y * self.width];
            let below = &self.luma[(y + 1) * self.width..(y + 2) * self.width];
            for x in 1..self.width.saturating_sub(1) {
                let laplacian = 4.0 * row[x] - row[x - 1] - row[x + 1] - above[x] - below[x];
                let block = (y * down / self.height) * across + x * across / self.width;
                let (sum, count) = &mut sums[block];
                *sum += f64::from(laplacian * laplacian);
                *count += 1;
            }
        }
        let mut detail: Vec<f64> = sums
            .into_iter()
            .map(|(sum, count)| sum / f64::from(count.max(1)))
            .collect();
        detail.sort_by(|one, other| other.total_cmp(one));
        detail
    }
}

/// Mean and variance as values come in.
#[derive(Debug, Default, Clone, Copy)]
struct Moments {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    fn mean(&self) -> f64 {
        self.sum / self.count.max(1.0)
    }

    fn variance(&self) -> f64 {
        (self.squares / self.count.max(1.0) - self.mean().powi(2)).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Flaw;
    use super::Look;
    use crate::media::picture::Color;
    use crate::media::picture::Picture;

    fn painted(width: u32, height: u32, paint: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let rgb = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| paint(x, y))
            .collect();
        Picture::new(width, height, rgb).expect("sized right")
    }

    /// Squares in many colours, whose edges are as wide as `soft` says.
    fn squares(soft: f64) -> Picture {
        painted(320, 180, |x, y| {
            let wave = |at: u32, length: f64| {
                let phase = (f64::from(at) / length).sin();
                let edge = (phase / soft).clamp(-1.0, 1.0);
                (128.0 + 100.0 * edge) as u8
            };
            [wave(x, 5.0), wave(y, 7.0), wave(x + y, 11.0)]
        })
    }

    #[test]
    fn nothing_to_see_is_a_flaw() {
        let plain = |level: u8| Look::of(&Picture::filled(64, 36, Color([level; 3])).expect("not empty"));
        assert_eq!(plain(0).flaw(), Some(Flaw::Dark));
        assert_eq!(plain(20).flaw(), Some(Flaw::Dark));
        assert_eq!(plain(255).flaw(), Some(Flaw::Bright));
        assert_eq!(plain(120).flaw(), Some(Flaw::Empty));
        // White letters on black are sharp and still no cover.
        let title = painted(320, 180, |x, y| {
            let letter = (80..100).contains(&y) && x > 60 && x < 260 && (x / 6) % 2 == 0;
            [if letter { 255 } else { 0 }; 3]
        });
        assert_eq!(Look::of(&title).flaw(), Some(Flaw::Dark));
        assert_eq!(Look::of(&squares(0.1)).flaw(), None);
    }

    #[test]
    fn what_is_out_of_focus_is_seen() {
        // Long soft waves of strong contrast.
        let blurred = painted(320, 180, |x, y| {
            let value = 128.0 + 60.0 * (f64::from(x) / 40.0).sin() + 60.0 * (f64::from(y) / 40.0).cos();
            [value as u8; 3]
        });
        assert_eq!(Look::of(&blurred).flaw(), Some(Flaw::Blurred));
        let order: Vec<f64> = [0.05, 0.5, 2.0].map(|soft| Look::of(&squares(soft)).score()).to_vec();
        assert!(order[0] > order[1] && order[1] > order[2], "{order:?}");
    }

    #[test]
    fn colour_and_light_count() {
        let colourful = squares(0.1);
        let change = |change: &dyn Fn([u8; 3]) -> [u8; 3]| {
            let rgb = colourful
                .rgb()
                .chunks_exact(3)
                .flat_map(|pixel| change([pixel[0], pixel[1], pixel[2]]))
                .collect();
            Look::of(&Picture::new(320, 180, rgb).expect("sized right"))
        };
        let best = Look::of(&colourful);
        let grey = change(&|[r, g, b]| [((u16::from(r) + u16::from(g) + u16::from(b)) / 3) as u8; 3]);
        assert!(
            grey.colour < 1.0 && best.colour > 60.0,
            "{} {}",
            grey.colour,
            best.colour
        );
        assert!(best.score() > grey.score() + 1.0);
        let gloomy = change(&|pixel| pixel.map(|value| value / 4));
        assert!(
            best.score() > gloomy.score() + 1.0,
            "{} {}",
            best.score(),
            gloomy.score()
        );
        assert!(best.score() <= 10.0);
    }

    #[test]
    fn distance_is_of_colours_not_of_places() {
        let picture = squares(0.1);
        let one = Look::of(&picture);
        let moved = Look::of(&painted(320, 180, |x, y| picture.pixel((x + 40) % 320, y)));
        let other = Look::of(&painted(320, 180, |x, _| [(x % 60) as u8, 20, 90]));
        assert!(one.distance(&moved) < 0.02);
        assert!(one.distance(&other) > 0.5);
        assert!(one.distance(&one) < 1e-6);
    }

    #[test]
    fn the_smallest_pictures_and_odd_sizes_are_looked_at_too() {
        for (width, height) in [(1, 1), (2, 1), (3, 3), (1921, 7)] {
            let look = Look::of(&Picture::filled(width, height, Color([90, 60, 30])).expect("not empty"));
            assert!(look.score().is_finite() && look.flaw().is_some(), "{width}x{height}");
        }
    }
}
