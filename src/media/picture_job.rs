//! One picture job while frames go by: which it wants, what it makes of them, how it ends.
//!
//! Guarantees: frames are rendered only when they are wanted; the same frame wanted several times is rendered once;
//! a job that fails does not disturb its neighbours. Deliberately absent: decoding and scaling; the caller brings a renderer.

use crate::base::fault::Fault;
use crate::media::claimed_length::ClaimedLength;
use crate::media::dark_search::DarkSearch;
use crate::media::facts::MediaFacts;
use crate::media::gather::Fit;
use crate::media::gather::Gather;
use crate::media::moments::MAX_PICTURES;
use crate::media::picker::Pick;
use crate::media::picker::Picker;
use crate::media::picker::TOLERANCE_S;
use crate::media::picture::Picture;
use crate::media::product::JobEnd;
use crate::media::scratch_file::JobScratch;
use crate::media::spec::MediaWork;
use crate::media::timeline::Timeline;
use crate::media::wish::Wish;
use std::path::Path;

/// Makes the image of a frame, in the inner size of a fit.
pub type Render<'a, F> = dyn FnMut(&F, Fit) -> Result<Picture, Fault> + 'a;

/// A picture job on its way. `F` is whatever stands for a frame; clones share it.
pub struct PictureJob<F> {
    intra: bool,
    own_frames: bool,
    begins_s: f64,
    candidates: bool,
    /// Number of pictures to be spread, each of another frame.
    spread: Option<usize>,
    picker: Picker<F>,
    moments_s: Vec<f64>,
    label: Label,
    gather: Box<dyn Gather>,
    dark: DarkSearch,
    rendered: Option<(f64, Picture)>,
    warnings: Vec<String>,
    fault: Option<Fault>,
    last_label_s: Option<f64>,
    /// Time of the frame that stood for the moment before.
    last_pick_s: Option<f64>,
    last_frame_s: f64,
    end_s: f64,
    /// Pictures made so far.
    taken: usize,
    skipped: usize,
    missed: usize,
    length: ClaimedLength,
}

/// What a picture is labelled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    /// The moment asked for: the frame is the one shown at it.
    Moment,
    /// The frame's own time.
    Frame,
}

/// A job made ready, or its end when there is nothing to wait for.
pub enum Prepared<F> {
    /// Waits for frames.
    Job(Box<PictureJob<F>>),
    /// Has ended already: nothing to do, or a request that cannot be met.
    Ended(Box<JobEnd>),
}

impl<F: Clone> PictureJob<F> {
    /// Makes a job ready. None when the work is not about pictures. With `exact` every moment gets the very frame
    /// shown then, whatever the spec says: right where all frames go by anyway.
    pub fn prepare(
        directory: &str,
        work: &MediaWork,
        facts: &MediaFacts,
        scratch: &Path,
        exact: bool,
    ) -> Option<Prepared<F>> {
        if !matches!(work, MediaWork::Snapshot(_) | MediaWork::DynamicImage(_)) {
            return None;
        }
        let Some((_, video)) = facts.main_video() else {
            let reason = "the source has no video that can be decoded".to_owned();
            return Some(Prepared::Ended(Box::new(JobEnd::Skipped { reason })));
        };
        let (display, timeline) = (video.display_size(), Timeline::of(facts));
        let wish = JobScratch::create(scratch, directory).and_then(|scratch| match work {
            MediaWork::DynamicImage(spec) => Wish::animation(spec, display, timeline, scratch).map(Some),
            MediaWork::Snapshot(spec) => Wish::snapshot(spec, display, timeline, &seed(facts), scratch).map(Some),
            MediaWork::Analysis | MediaWork::Transcode(_) | MediaWork::Qc(_) => Ok(None),
        });
        Some(match wish {
            Ok(wish) => Prepared::Job(Box::new(Self::new(
                wish?,
                timeline,
                facts.main_audio().is_some(),
                exact,
            ))),
            Err(fault) => Prepared::Ended(Box::new(JobEnd::Failed { fault })),
        })
    }

    fn new(wish: Wish, timeline: Timeline, has_sound: bool, exact: bool) -> Self {
        let intra = wish.intra && !exact;
        PictureJob {
            intra,
            own_frames: wish.own_frames,
            begins_s: wish.begins_s,
            spread: wish.moments.spread.filter(|_| !wish.candidates),
            candidates: wish.candidates,
            picker: Picker::new(wish.moments.at_s.clone()),
            moments_s: wish.moments.at_s,
            label: if intra { Label::Frame } else { Label::Moment },
            gather: wish.gather,
            dark: DarkSearch::new(wish.black),
            rendered: None,
            warnings: wish.moments.warnings,
            fault: None,
            last_label_s: None,
            last_pick_s: None,
            last_frame_s: 0.0,
            end_s: timeline.end_s,
            taken: 0,
            skipped: 0,
            missed: 0,
            length: ClaimedLength::of(timeline, has_sound),
        }
    }

    /// The size its pictures have.
    pub fn fit(&self) -> Fit {
        self.gather.fit()
    }

    /// Every moment, seconds on the source's clock.
    pub fn moments_s(&self) -> &[f64] {
        &self.moments_s
    }

    /// Number of moments already decided.
    pub fn decided(&self) -> usize {
        self.picker.pending()
    }

    /// Wants no more frames: all taken, or failed.
    pub fn is_done(&self) -> bool {
        self.fault.is_some() || (self.picker.is_done() && !self.is_searching())
    }

    /// It is looking for a brighter frame than the one it has.
    pub fn is_searching(&self) -> bool {
        self.dark.until_s().is_some()
    }

    /// First moment without a frame; none when all have one.
    pub fn pending_s(&self) -> Option<f64> {
        self.picker.pending_s()
    }

    /// Fails the job; the first fault counts.
    pub fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    /// The next frame, shown from `frame_s` on, seconds on the source's clock.
    pub fn offer(&mut self, frame_s: f64, frame: F, render: &mut Render<'_, F>) {
        if self.is_done() {
            return;
        }
        self.last_frame_s = self.last_frame_s.max(frame_s);
        let picks = self.picker.offer(frame_s, frame.clone());
        // The frame just offered comes after the picked ones, so it may relieve a dark one.
        for pick in picks {
            self.pick(pick, render);
        }
        self.search(frame_s, &frame, render);
    }

    /// The last frame offered stands for the next moment.
    pub fn settle_next(&mut self, render: &mut Render<'_, F>) {
        if let Some(pick) = self.picker.settle_next() {
            self.pick(pick, render);
        }
    }

    /// The last frame offered stands for all moments left; there are no more frames. Where the length was unknown,
    /// or what the source said of it turns out to be far too long, moments after its true end are none.
    pub fn settle_all(&mut self, render: &mut Render<'_, F>) {
        // A job that had all its frames stopped listening, and the last key frame says nothing of the frames after
        // it: only one that waits for more of all frames has seen the end.
        let waits = !self.picker.is_done();
        let over_s = self.length.over_s(self.last_frame_s);
        let is_over = waits && self.length.is_refuted_by(over_s, self.intra);
        if let Some(end_s) = self.length.end_s(over_s).filter(|_| is_over) {
            self.end_s = end_s;
        }
        let mut beyond = 0;
        for pick in self.picker.finish() {
            if is_over && pick.moment > 0 && self.moments_s[pick.moment] >= over_s {
                beyond += 1;
            } else {
                self.pick(pick, render);
            }
        }
        if beyond > 0 && self.moments_s.len() < MAX_PICTURES {
            self.warnings.push(format!(
                "{beyond} moments at or after the end ({over_s:.3} s) were left out"
            ));
        }
        self.end_search();
    }

    /// The source was seen to last until then, sound included.
    pub fn ends_at(&mut self, end_s: f64) {
        self.length.saw(end_s);
        self.end_s = self.end_s.max(end_s);
    }

    /// Something to tell that is no failure.
    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Nothing could be decoded for the next moment.
    pub fn miss_next(&mut self) {
        self.picker.skip_next();
        self.missed += 1;
    }

    /// Key frames will do: each frame is labelled with its own time, and a moment that falls on the key frame of the
    /// one before gets no picture.
    pub fn is_intra(&self) -> bool {
        self.intra
    }

    /// Every moment wants a frame of its own: where key frames cannot give one, the very frame shown then.
    pub fn wants_own_frames(&self) -> bool {
        self.own_frames
    }

    /// Whether it wants but one picture.
    pub fn is_lone(&self) -> bool {
        self.moments_s.len() == 1
    }

    /// Nothing before a moment of its own is to be shown, however near a key frame is.
    pub fn begins_late(&self) -> bool {
        self.intra && self.begins_s > 0.0
    }

    /// A key frame shown from `frame_s` on lies before everything that is to be shown.
    pub fn is_too_early(&self, frame_s: f64) -> bool {
        self.begins_late() && frame_s + TOLERANCE_S < self.begins_s
    }

    /// Passes over black frames.
    pub fn minds_black(&self) -> bool {
        self.dark.minds_black()
    }

    /// From now on every moment gets the very frame shown then.
    pub fn make_exact(&mut self) {
        self.intra = false;
        self.label = Label::Moment;
    }

    /// Moments that got no picture of their own so far.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Moments at which nothing could be decoded so far.
    pub fn missed(&self) -> usize {
        self.missed
    }

    /// Nothing brighter will be offered for the moment just decided.
    pub fn end_search(&mut self) {
        if let Some((label_s, picture)) = self.dark.end() {
            self.hand_over(label_s, picture);
        }
    }

    /// Until when a brighter frame is of use; none when none is looked for.
    pub fn search_until_s(&self) -> Option<f64> {
        self.dark.until_s()
    }

    /// There are no more frames. Gives the job's end; `end_s` of the source is raised to the last frame seen.
    pub fn finish(mut self, render: &mut Render<'_, F>) -> JobEnd {
        self.settle_all(render);
        if let Some(fault) = self.fault {
            return JobEnd::Failed { fault };
        }
        if self.skipped > 0 && !self.candidates {
            self.warnings.push(format!(
                "{} of {} moments fall on the key frame of the one before and got no picture of their own",
                self.skipped,
                self.moments_s.len()
            ));
        }
        let told_otherwise = self.skipped + self.missed;
        if let Some(asked) = self.spread.filter(|asked| self.taken + told_otherwise < *asked) {
            self.warnings.push(format!(
                "{asked} pictures were asked for, and only {} frames are shown at the moments they are spread to; each was \
                 taken once",
                self.taken
            ));
        }
        if self.missed > 0 {
            self.warnings
                .push(format!("nothing could be decoded at {} moments", self.missed));
        }
        match self.gather.finish(self.end_s.max(self.last_frame_s)) {
            Ok(mut product) => {
                product.warnings.append(&mut self.warnings);
                JobEnd::Success(product)
            }
            Err(fault) => JobEnd::Failed { fault },
        }
    }

    /// Judges the frame's own image, not the ground beside it.
    fn pick(&mut self, pick: Pick<F>, render: &mut Render<'_, F>) {
        self.end_search();
        if self.fault.is_some() {
            return;
        }
        if self.label == Label::Frame && self.last_label_s.is_some_and(|last_s| pick.frame_s <= last_s) {
            self.skipped += 1;
            return;
        }
        let is_again = self.last_pick_s.is_some_and(|last_s| pick.frame_s <= last_s);
        self.last_pick_s = Some(pick.frame_s);
        if is_again && self.spread.is_some() {
            // Told at the end, with the number of pictures that there are.
            return;
        }
        // What is not wanted again makes room before the next one is made.
        let picture = match self.rendered.take().filter(|(frame_s, _)| *frame_s == pick.frame_s) {
            Some((_, picture)) => picture,
            None => match render(&pick.frame, self.gather.fit()) {
                Ok(picture) => picture,
                Err(fault) => return self.fail(fault),
            },
        };
        let label_s = match self.label {
            Label::Moment => self.moments_s[pick.moment],
            // The frame on screen when a clip begins may have been there before.
            Label::Frame => pick.frame_s.max(if self.intra { self.begins_s } else { 0.0 }),
        };
        if self.dark.is_too_dark(&picture) {
            let next_s = self.moments_s.get(pick.moment + 1).copied().unwrap_or(f64::INFINITY);
            self.dark.begin(label_s, picture, self.moments_s[pick.moment], next_s);
            self.rendered = None;
        } else {
            self.hand_over(label_s, picture.clone());
            self.rendered = Some((pick.frame_s, picture));
        }
    }

    fn search(&mut self, frame_s: f64, frame: &F, render: &mut Render<'_, F>) {
        let Some(until_s) = self.search_until_s() else {
            return;
        };
        if frame_s >= until_s {
            return self.end_search();
        }
        match render(frame, self.gather.fit()) {
            Ok(picture) if !self.dark.is_too_dark(&picture) => {
                self.dark.end();
                self.hand_over(frame_s, picture);
            }
            Ok(_) => {}
            Err(fault) => self.fail(fault),
        }
    }

    fn hand_over(&mut self, label_s: f64, picture: Picture) {
        // Containers let the first frame begin a little before the start.
        let label_s = label_s.max(0.0);
        self.last_label_s = Some(label_s);
        self.taken += 1;
        if let Err(fault) = self.gather.take(label_s, self.gather.fit().frame(picture)) {
            self.fail(fault);
        }
    }
}

/// What tells this source from others, for what is drawn by lot.
fn seed(facts: &MediaFacts) -> Vec<u8> {
    serde_json::to_vec(facts).unwrap_or_default()
}

#[cfg(test)]
mod tests;
