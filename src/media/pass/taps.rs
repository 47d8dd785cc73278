//! Picture jobs that ride the pass, each in its own thread.

use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::media::av::PixelFormat;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::pass::PassJob;
use crate::media::pass::PassOrder;
use crate::media::pass::Watch;
use crate::media::pass::grade::Grade;
use crate::media::pass::plan::VideoEncode;
use crate::media::pass::rung::Picture;
use crate::media::picture_tap::PictureTap;
use crate::media::product::JobEnd;
use crate::media::spec::MediaWork;
use crate::media::tap::FrameTap;
use crate::media::tap::TapOrder;
use std::sync::mpsc::Receiver;

/// Pictures waiting for a tap: at the source's size each is as large as the source is.
pub const QUEUE: usize = 2;

/// A picture job and its tap.
pub struct Tapped {
    /// The job.
    pub job: JobId,
    /// What takes its pictures.
    pub tap: Box<dyn FrameTap>,
}

/// The rendition a tap listens to: the smallest SDR one that is not smaller than it wants; none: the source itself.
pub fn place(tap: &dyn FrameTap, videos: &[VideoEncode], grades: &[Grade]) -> Option<usize> {
    let (width, height) = tap.wanted_size()?;
    videos
        .iter()
        .zip(grades)
        .enumerate()
        .rev()
        .find(|(_, (video, grade))| {
            !grade.is_hdr && grade.format != PixelFormat::NONE && video.width >= width && video.height >= height
        })
        .map(|(index, _)| index)
}

/// Shows a tap the pictures of a pass until they end.
pub fn run(tapped: Tapped, pictures: Receiver<Picture>, unit: Ratio) -> (Tapped, Result<(), Fault>) {
    let mut tapped = tapped;
    for picture in pictures {
        let at_s = picture.pts as f64 * unit.value();
        if tapped.tap.wants(at_s, picture.duration as f64 * unit.value())
            && let Err(fault) = tapped.tap.take(&picture.frame, at_s)
        {
            return (tapped, Err(fault));
        }
    }
    (tapped, Ok(()))
}

/// How a picture job ended.
pub fn end(tapped: Tapped, answer: Result<(), Fault>, end_s: f64) -> (JobId, JobEnd) {
    let end = match answer {
        Ok(()) => tapped.tap.end(end_s),
        Err(fault) => JobEnd::Failed { fault },
    };
    (tapped.job, end)
}

/// Opens what picture jobs take of a pass; those that cannot be opened are told to have ended.
pub fn open(order: &PassOrder, facts: &MediaFacts, name: &str, pictures: &[PassJob], watch: &dyn Watch) -> Vec<Tapped> {
    let mut taps = Vec::new();
    for job in pictures.iter().filter(|job| !matches!(job.work, MediaWork::Qc(_))) {
        let tap_order = TapOrder {
            facts: facts.clone(),
            scratch: order.scratch.clone(),
            directory: job.job.as_str().to_owned(),
            source_name: name.to_owned(),
        };
        match PictureTap::open(&tap_order, &job.work) {
            Ok(tap) => taps.push(Tapped {
                job: job.job.clone(),
                tap: Box::new(tap),
            }),
            Err(end) => watch.job_ended(&job.job, *end),
        }
    }
    taps
}
