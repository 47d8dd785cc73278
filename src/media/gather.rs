//! What a picture job does with its pictures, and how their size is found.
//!
//! Guarantees: pictures come in rising order of their labels and in the size [`Gather::fit`] names. Deliberately
//! absent: frames, decoding, which moments are wanted.

use crate::base::fault::Fault;
use crate::media::backdrop;
use crate::media::error;
use crate::media::picture::Color;
use crate::media::picture::Picture;
use crate::media::product::Check;
use crate::media::product::JobProduct;
use crate::media::product::Proof;
use crate::media::spec::PictureFill;

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
    /// Size of the frame's image on it, centred; what is larger than the picture is cut off evenly.
    pub inner_width: u32,
    /// See `inner_width`.
    pub inner_height: u32,
    /// What shows beside the image.
    pub ground: Ground,
}

/// What shows beside an image that does not fill its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// One colour.
    Plain(Color),
    /// The image itself, enlarged and blurred.
    Blurred,
}

impl Fit {
    /// The size for a frame shown at `display` pixels (square pixels, upright). A side that is not given follows the
    /// frame's shape; without either, the frame's own size, at most `widest` wide. With both and another shape (by
    /// more than a hundredth) `fill` decides; without it the image is fitted inside, centred on `ground`.
    pub fn new(
        (width, height): (Option<u32>, Option<u32>),
        display: (u32, u32),
        widest: u32,
        ground: Color,
        fill: Option<PictureFill>,
    ) -> Self {
        let (shown_width, shown_height) = (f64::from(display.0.max(1)), f64::from(display.1.max(1)));
        let side = |pixels: f64| (pixels.round() as u32).max(1);
        let plain = |width: u32, height: u32| Fit {
            width,
            height,
            inner_width: width,
            inner_height: height,
            ground: Ground::Plain(ground),
        };
        let (width, height) = match (width, height) {
            (Some(width), Some(height)) => (width, height),
            (Some(width), None) => return plain(width, side(f64::from(width) * shown_height / shown_width)),
            (None, Some(height)) => return plain(side(f64::from(height) * shown_width / shown_height), height),
            (None, None) => {
                let width = display.0.clamp(1, widest);
                return plain(width, side(f64::from(width) * shown_height / shown_width));
            }
        };
        let stretch = f64::from(width) * shown_height / (f64::from(height) * shown_width);
        if (0.99..=1.01).contains(&stretch) || fill == Some(PictureFill::Stretch) {
            return plain(width, height);
        }
        let (across, down) = (f64::from(width) / shown_width, f64::from(height) / shown_height);
        let inside = (
            side(shown_width * across.min(down)).min(width),
            side(shown_height * across.min(down)).min(height),
        );
        let fitted = |ground: Ground| Fit {
            inner_width: inside.0,
            inner_height: inside.1,
            ground,
            ..plain(width, height)
        };
        match fill {
            None | Some(PictureFill::Stretch) => fitted(Ground::Plain(ground)),
            Some(PictureFill::Black) => fitted(Ground::Plain(Color([0; 3]))),
            Some(PictureFill::White) => fitted(Ground::Plain(Color([255; 3]))),
            Some(PictureFill::Blur) => fitted(Ground::Blurred),
            Some(PictureFill::Keep) => plain(inside.0, inside.1),
            Some(PictureFill::Crop) => Fit {
                inner_width: side(shown_width * across.max(down)).max(width),
                inner_height: side(shown_height * across.max(down)).max(height),
                ..plain(width, height)
            },
        }
    }

    /// The same with both sides even, as encoders of video want them.
    pub fn even(self) -> Self {
        let even = |pixels: u32| (pixels.max(2) + 1) & !1;
        let (width, height) = (even(self.width), even(self.height));
        let follow = |inner: u32, side: u32, evened: u32| if inner == side { evened } else { inner };
        Fit {
            width,
            height,
            inner_width: follow(self.inner_width, self.width, width),
            inner_height: follow(self.inner_height, self.height, height),
            ground: self.ground,
        }
    }

    /// The picture for an image of the inner size.
    pub fn frame(&self, image: Picture) -> Picture {
        if (image.width(), image.height()) == (self.width, self.height) {
            return image;
        }
        let cut = image.middle(self.width, self.height);
        let mut picture = match self.ground {
            Ground::Plain(color) => Picture::filled(self.width, self.height, color).expect("sides are at least 1"),
            Ground::Blurred => backdrop::blurred(&image, self.width, self.height),
        };
        picture.paste(&cut, (self.width - cut.width()) / 2, (self.height - cut.height()) / 2);
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
        let fit = Fit::new((width, height), display, 480, BLACK, None);
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
        let fit = Fit::new((Some(10), Some(10)), (20, 10), 480, Color([0, 0, 9]), None);
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
    fn each_fill_has_its_sizes() {
        let size = |fill| {
            let fit = Fit::new((Some(100), Some(100)), (1920, 1080), 480, BLACK, Some(fill));
            (fit.width, fit.height, fit.inner_width, fit.inner_height, fit.ground)
        };
        let plain = |level| Ground::Plain(Color([level; 3]));
        assert_eq!(size(PictureFill::Stretch), (100, 100, 100, 100, plain(0)));
        assert_eq!(size(PictureFill::White), (100, 100, 100, 56, plain(255)));
        assert_eq!(size(PictureFill::Blur), (100, 100, 100, 56, Ground::Blurred));
        assert_eq!(size(PictureFill::Keep), (100, 56, 100, 56, plain(0)));
        assert_eq!(size(PictureFill::Crop), (100, 100, 178, 100, plain(0)));
        let odd = Fit::new((Some(101), None), (1920, 1080), 480, BLACK, None).even();
        assert_eq!(
            (odd.width, odd.height, odd.inner_width, odd.inner_height),
            (102, 58, 102, 58)
        );
    }

    #[test]
    fn cropping_keeps_the_middle() {
        let fit = Fit::new((Some(10), Some(10)), (20, 10), 480, BLACK, Some(PictureFill::Crop));
        let mut image = Picture::filled(20, 10, Color([9; 3])).expect("not empty");
        image.paste(&Picture::filled(10, 10, Color([200; 3])).expect("not empty"), 5, 0);
        let picture = fit.frame(image);
        assert_eq!((picture.width(), picture.height()), (10, 10));
        assert!(picture.rgb().iter().all(|value| *value == 200));
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
