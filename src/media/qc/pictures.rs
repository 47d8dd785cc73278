//! What is looked for in decoded pictures: black, freezes, levels, repeats, combing, their times.
//!
//! Guarantees: pictures are measured as they were decoded, before anything is done to them; black and frozen are
//! meant as libavfilter's blackdetect and freezedetect mean them; at most three pictures are held. Of large pictures
//! every n-th row is looked at. Deliberately absent: judging, which `judge` does at the end.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::PixelFormat;
use crate::media::av::Scaler;
use crate::media::av::color;
use crate::media::av::scale::Filter;
use crate::media::qc::cadence::Cadence;
use crate::media::qc::combing;
use crate::media::qc::combing::Combing;
use crate::media::qc::plane;
use crate::media::qc::span::Run;
use crate::media::spec::QcCheck;
use crate::media::spec::QcSpec;

/// Pictures in a row that are the same at most, to count as repeats rather than as a still scene.
const REPEATS_IN_A_ROW: u64 = 3;
/// Mean difference up to which a picture may repeat the one before, of full scale: encoders leave noise.
const SAME: f64 = 0.001_5;
/// And of what moves usually: a slow scene is no row of repeats.
const SAME_OF_USUAL: f64 = 0.15;
/// Weight of the latest picture in what moves usually.
const USUAL_WEIGHT: f64 = 0.1;
/// Fields look woven in one order so many times as often as in the other.
const ONE_ORDER: u64 = 3;
/// One in so many pictures is looked at for combing.
const COMBING_EVERY: u64 = 4;

/// What is found in pictures.
#[derive(Debug)]
pub struct PictureScan {
    spec: QcSpec,
    to_plain: Option<Scaler>,
    /// The picture before, and the one before it.
    previous: Option<Frame>,
    before: Option<Frame>,
    /// The picture a freeze would have begun with.
    frozen_from: Option<Frame>,
    begins_freeze: bool,
    same_in_a_row: u64,
    usual_difference: f64,
    row_since_s: f64,
    out_of_range_sum: f64,
    /// The source has pictures whose range allows every value.
    full_range: bool,
    refused: Option<String>,
    /// Black stretches.
    pub black: Run,
    /// Frozen stretches.
    pub freeze: Run,
    /// Stretches out of range.
    pub levels: Run,
    /// Times of pictures.
    pub cadence: Cadence,
    /// Pictures that look woven, by which field comes first.
    woven: [u64; 2],
    /// Pictures that look like one moment.
    pub whole: u64,
    /// Pictures marked as interlaced.
    pub marked_interlaced: u64,
    /// Pictures seen.
    pub frames: u64,
    /// Per cent out of range in the worst picture.
    pub out_of_range_max: f64,
}

impl PictureScan {
    /// For a stream whose pictures usually last `step_s`.
    pub fn new(spec: &QcSpec, step_s: f64) -> Self {
        PictureScan {
            black: Run::new(spec.black_min_s),
            freeze: Run::new(spec.freeze_min_s),
            levels: Run::new(0.0),
            cadence: Cadence::new(step_s),
            spec: spec.clone(),
            to_plain: None,
            previous: None,
            before: None,
            frozen_from: None,
            begins_freeze: false,
            same_in_a_row: 0,
            usual_difference: 0.0,
            row_since_s: 0.0,
            out_of_range_sum: 0.0,
            full_range: false,
            refused: None,
            woven: [0; 2],
            whole: 0,
            marked_interlaced: 0,
            frames: 0,
            out_of_range_max: 0.0,
        }
    }

    /// Why pictures could not be measured, if it came to that.
    pub fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }
    /// Per cent out of range, on average.
    pub fn out_of_range_mean(&self) -> f64 {
        self.out_of_range_sum / self.frames.max(1) as f64
    }
    /// Pictures of two moments. Chance finds both orders alike, fields one.
    pub fn combed(&self) -> u64 {
        let (more, fewer) = (self.woven[0].max(self.woven[1]), self.woven[0].min(self.woven[1]));
        if more >= ONE_ORDER * fewer { more - fewer } else { 0 }
    }
    /// Pictures of which something can be told.
    pub fn told(&self) -> u64 {
        self.woven[0] + self.woven[1] + self.whole
    }
    /// Every value is allowed.
    pub fn is_full_range(&self) -> bool {
        self.full_range
    }

    /// Looks at a decoded picture that is shown from `at_s` on.
    pub fn look(&mut self, frame: &Frame, at_s: f64) {
        if self.refused.is_none()
            && let Err(refusal) = self.measure(frame, at_s)
        {
            self.refused = Some(refusal.to_string());
        }
    }

    /// The last picture ends.
    pub fn end(&mut self, end_s: f64) {
        self.black.ends(end_s);
        self.freeze.ends(end_s);
        self.levels.ends(end_s);
        self.previous = None;
        self.before = None;
        self.frozen_from = None;
    }

    fn measure(&mut self, frame: &Frame, at_s: f64) -> Result<(), AvError> {
        self.frames += 1;
        self.marked_interlaced += u64::from(frame.is_interlaced());
        let is_rgb = frame.pixel_format().is_rgb();
        let full = is_rgb || frame.color().range == color::FULL;
        self.full_range |= full;
        let frame = self.plain(frame)?;
        let steps = plane::steps(frame.height());
        self.look_for_black(&frame, at_s, full && !is_rgb, steps);
        if self.spec.looks_for(QcCheck::Levels) && !full {
            self.look_at_levels(&frame, at_s, steps);
        }
        self.compare(&frame, at_s, steps);
        self.cadence.picture(at_s);
        if self.spec.looks_for(QcCheck::Interlace)
            && self.frames.is_multiple_of(COMBING_EVERY)
            && let (Some(before), Some(middle)) = (&self.before, &self.previous)
        {
            match combing::of(before, middle, &frame) {
                Combing::TopFirst => self.woven[0] += 1,
                Combing::BottomFirst => self.woven[1] += 1,
                Combing::Whole => self.whole += 1,
                Combing::Unknown => {}
            }
        }
        self.before = self.previous.replace(frame);
        Ok(())
    }

    /// Eight bits, luma apart: as it is where it is so already.
    fn plain(&mut self, frame: &Frame) -> Result<Frame, AvError> {
        if plane::is_plain(frame.pixel_format()) {
            return frame.share();
        }
        let size = (frame.width(), frame.height());
        let fits = |scaler: &Scaler| (scaler.width(), scaler.height()) == size;
        if !self.to_plain.as_ref().is_some_and(fits) {
            self.to_plain = Some(Scaler::new(PixelFormat::YUV420P, size.0, size.1, Filter::Area)?);
        }
        match &mut self.to_plain {
            Some(scaler) => scaler.run(frame),
            None => frame.share(),
        }
    }

    fn look_for_black(&mut self, frame: &Frame, at_s: f64, full: bool, step: usize) {
        let (low, width) = if full { (0.0, 255.0) } else { (16.0, 219.0) };
        let most = (low + self.spec.black_pixel * width) as u8;
        let black = plane::share(frame, 0, step, |value| value <= most);
        if black * 100.0 >= self.spec.black_picture_percent {
            self.black.holds(at_s, 0.0);
        } else {
            self.black.ends(at_s);
        }
    }

    fn look_at_levels(&mut self, frame: &Frame, at_s: f64, step: usize) {
        let [low, high] = self.spec.luma_range;
        let mut worst = plane::share(frame, 0, step, |value| value < low || value > high);
        let [low, high] = self.spec.chroma_range;
        for chroma in [1, 2] {
            worst = worst.max(plane::share(frame, chroma, step, |value| value < low || value > high));
        }
        let percent = worst * 100.0;
        self.out_of_range_sum += percent;
        self.out_of_range_max = self.out_of_range_max.max(percent);
        if percent > self.spec.levels_percent {
            self.levels.holds(at_s, percent);
        } else {
            self.levels.ends(at_s);
        }
    }

    /// Freezes, by the picture they began with; and pictures that repeat the one before.
    fn compare(&mut self, frame: &Frame, at_s: f64, step: usize) {
        let noise = 10f64.powf(self.spec.freeze_noise_db / 20.0);
        let is_black = self.black.since_s().is_some();
        let from_previous = self
            .previous
            .as_ref()
            .map_or(1.0, |previous| plane::difference(previous, frame, step));
        // Right after its beginning the first picture of a freeze is the one before.
        let from_first = match &self.frozen_from {
            Some(first) if !self.begins_freeze => plane::difference(first, frame, step),
            Some(_) => from_previous,
            None => 1.0,
        };
        let is_frozen = !is_black && from_first <= noise;
        self.begins_freeze = !is_frozen;
        if !is_frozen {
            self.freeze.ends(at_s);
            self.frozen_from = frame.share().ok().filter(|_| !is_black);
            if !is_black {
                self.freeze.holds(at_s, 0.0);
            }
        }
        if !is_black && from_previous <= SAME.min(SAME_OF_USUAL * self.usual_difference) {
            if self.same_in_a_row == 0 {
                self.row_since_s = at_s;
            }
            self.same_in_a_row += 1;
            return;
        }
        // Whether pictures repeat or a scene stands still is known when it moves again.
        let moves = !is_black && !is_frozen;
        if moves && (1..=REPEATS_IN_A_ROW).contains(&self.same_in_a_row) {
            self.cadence
                .repeated(self.row_since_s, at_s, self.same_in_a_row, self.frames);
        }
        if moves && self.previous.is_some() {
            self.usual_difference += (from_previous - self.usual_difference)
                * if self.usual_difference == 0.0 {
                    1.0
                } else {
                    USUAL_WEIGHT
                };
        }
        self.same_in_a_row = 0;
    }
}
