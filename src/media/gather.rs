//! What a picture job does with its pictures, and how their size is found.
//!
//! Guarantees: pictures come in rising order of their labels and in the size [`Gather::fit`] names. Deliberately
//! absent: frames, decoding, which moments are wanted.

use crate::base::fault::Fault;
use crate::media::error;
use crate::media::picture::Color;
use crate::media::picture::Picture;
use crate::media::product::Check;
use crate::media::product::JobProduct;
use crate::media::product::Proof;

/// A consumer of one job's pictures.
pub trait Gather: Send {
    /// The size its pictures must have.
    fn fit(&self) -> Fit;

    /// The next picture. `label_s` is the time it is labelled with, seconds from the first frame shown.
    fn take(&mut self, label_s: f64, picture: Picture) -> Result<(), Fault>;

    /// No more pictures. `end_s` is where the source ends. Gives what was made, proved.
    fn finish(self: Box<Self>, end_s: f64) -> Result<JobProduct, Fault>;
}

/// How a frame becomes a picture of a wanted size without being distorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// Size of the picture.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// Size of the frame's image on it, centred.
    pub inner_width: u32,
    /// See `inner_width`.
    pub inner_height: u32,
    /// What shows beside the image.
    pub ground: Color,
}

impl Fit {
    /// The size for a frame shown at `display` pixels (square pixels, upright). A side that is not given follows the
    /// frame's shape; without either, the frame's own size, at most `widest` wide. With both the image is fitted
    /// inside and centred, unless the shapes differ by less than a hundredth: then it fills the picture.
    pub fn new(width: Option<u32>, height: Option<u32>, display: (u32, u32), widest: u32, ground: Color) -> Self {
        let (shown_width, shown_height) = (f64::from(display.0.max(1)), f64::from(display.1.max(1)));
        let side = |pixels: f64| (pixels.round() as u32).max(1);
        let (inner_width, inner_height) = match (width, height) {
            (Some(width), Some(height)) => {
                let scale = (f64::from(width) / shown_width).min(f64::from(height) / shown_height);
                let stretch = f64::from(width) * shown_height / (f64::from(height) * shown_width);
                if (0.99..=1.01).contains(&stretch) {
                    (width, height)
                } else {
                    (
                        side(shown_width * scale).min(width),
                        side(shown_height * scale).min(height),
                    )
                }
            }
            (Some(width), None) => (width, side(f64::from(width) * shown_height / shown_width)),
            (None, Some(height)) => (side(f64::from(height) * shown_width / shown_height), height),
            (None, None) => {
                let width = display.0.clamp(1, widest);
                (width, side(f64::from(width) * shown_height / shown_width))
            }
        };
        Fit {
            width: width.unwrap_or(inner_width),
            height: height.unwrap_or(inner_height),
            inner_width,
            inner_height,
            ground,
        }
    }

    /// The picture for an image of the inner size.
    pub fn frame(&self, image: Picture) -> Picture {
        if (image.width(), image.height()) == (self.width, self.height) {
            return image;
        }
        let mut picture = Picture::filled(self.width, self.height, self.ground).expect("sides are at least 1");
        picture.paste(
            &image,
            self.width.saturating_sub(image.width()) / 2,
            self.height.saturating_sub(image.height()) / 2,
        );
        picture
    }
}

/// Comparisons made on a finished output.
#[derive(Debug, Default)]
pub struct Checks {
    checks: Vec<Check>,
}

impl Checks {
    /// Expects two values to be the same.
    pub fn same<T: PartialEq + ToString>(&mut self, name: &str, expected: T, found: T) {
        let ok = expected == found;
        self.add(name, expected.to_string(), found.to_string(), ok);
    }

    /// A comparison whose result is known.
    pub fn add(&mut self, name: &str, expected: impl Into<String>, found: impl Into<String>, ok: bool) {
        self.checks.push(Check {
            name: name.to_owned(),
            expected: expected.into(),
            found: found.into(),
            ok,
        });
    }

    /// The proof, or the fault that the first failed comparison is.
    pub fn prove(self, subject: &str) -> Result<Proof, Fault> {
        match self.checks.iter().find(|check| !check.ok) {
            None => Ok(Proof { checks: self.checks }),
            Some(failed) => Err(error::output_unproved(
                subject,
                format!("{} should be {} and is {}", failed.name, failed.expected, failed.found),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Color = Color([0, 0, 0]);

    fn size(width: Option<u32>, height: Option<u32>, display: (u32, u32)) -> (u32, u32, u32, u32) {
        let fit = Fit::new(width, height, display, 480, BLACK);
        (fit.width, fit.height, fit.inner_width, fit.inner_height)
    }

    #[test]
    fn a_missing_side_follows_the_shape() {
        assert_eq!(size(Some(160), None, (1920, 1080)), (160, 90, 160, 90));
        assert_eq!(size(None, Some(90), (1080, 1920)), (51, 90, 51, 90));
        assert_eq!(size(None, None, (1920, 1080)), (480, 270, 480, 270));
        assert_eq!(size(None, None, (320, 240)), (320, 240, 320, 240));
        assert_eq!(size(Some(8), None, (9000, 10)), (8, 1, 8, 1));
    }

    #[test]
    fn both_sides_never_distort() {
        assert_eq!(size(Some(160), Some(160), (1920, 1080)), (160, 160, 160, 90));
        assert_eq!(size(Some(160), Some(90), (1080, 1920)), (160, 90, 51, 90));
        // 853.33 x 480 at 160x90 is the same shape but for rounding.
        assert_eq!(size(Some(160), Some(90), (853, 480)), (160, 90, 160, 90));
    }

    #[test]
    fn the_image_is_centred_on_the_ground() {
        let fit = Fit::new(Some(10), Some(10), (20, 10), 480, Color([0, 0, 9]));
        let picture = fit.frame(Picture::filled(10, 5, Color([255, 0, 0])).expect("not empty"));
        assert_eq!((picture.width(), picture.height()), (10, 10));
        assert_eq!(
            (
                picture.pixel(0, 1),
                picture.pixel(0, 2),
                picture.pixel(9, 6),
                picture.pixel(0, 7)
            ),
            ([0, 0, 9], [255, 0, 0], [255, 0, 0], [0, 0, 9])
        );
    }

    #[test]
    fn one_failed_comparison_is_the_outputs_fault() {
        let mut checks = Checks::default();
        checks.same("cue_count", 3, 3);
        checks.same("picture_count", 3, 2);
        let fault = checks.prove("the sprite").expect_err("2 is not 3");
        assert_eq!(fault.code, "OutputUnproved");
        assert_eq!(fault.cause, "picture_count should be 3 and is 2");
        let mut checks = Checks::default();
        checks.same("cue_count", 3, 3);
        assert_eq!(checks.prove("the sprite").expect("all well").checks.len(), 1);
    }
}
