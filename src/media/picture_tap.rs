//! A picture job riding a pass.
//!
//! Guarantees: every moment gets the very frame shown then, even where the job would be content with key frames;
//! frames are scaled, and those on a device brought down from there, only when they are taken for a moment. Deliberately absent: decoding; work without a pass.

use crate::base::fault::Fault;
use crate::media::av::Frame;
use crate::media::error;
use crate::media::frame_painter::FramePainter;
use crate::media::picture_job::PictureJob;
use crate::media::picture_job::Prepared;
use crate::media::product::JobEnd;
use crate::media::spec::MediaWork;
use crate::media::tap::FrameTap;
use crate::media::tap::TapOrder;
use std::sync::Arc;

/// One picture job in a pass.
pub struct PictureTap {
    job: PictureJob<Arc<Frame>>,
    painter: FramePainter,
    source_name: String,
}

impl PictureTap {
    /// Makes a tap of a `Snapshot` or `DynamicImage`. The error is the end of a job that needs no frames: skipped
    /// without video, failed when its request cannot be met.
    pub fn open(order: &TapOrder, work: &MediaWork) -> Result<Self, Box<JobEnd>> {
        match PictureJob::prepare(&order.directory, work, &order.facts, &order.scratch, true) {
            Some(Prepared::Job(job)) => Ok(PictureTap {
                job: *job,
                painter: FramePainter::of_pass(),
                source_name: order.source_name.clone(),
            }),
            Some(Prepared::Ended(end)) => Err(end),
            None => Err(Box::new(JobEnd::Failed {
                fault: error::broken_invariant("snapshot", &order.source_name, "the work asks for no pictures"),
            })),
        }
    }
}

impl FrameTap for PictureTap {
    fn wanted_size(&self) -> Option<(u32, u32)> {
        let fit = self.job.fit();
        Some((fit.inner_width, fit.inner_height))
    }

    fn wants(&mut self, _pts_s: f64, _duration_s: f64) -> bool {
        // Which frame is on screen at a moment is known only when the next one begins: lengths of frames are
        // guesses in files of variable rate. Holding a frame costs a reference.
        !self.job.is_done()
    }

    fn take(&mut self, frame: &Frame, pts_s: f64) -> Result<(), Fault> {
        let frame = frame
            .share()
            .map_err(|refusal| error::source_refused("snapshot", &self.source_name, &refusal))?;
        let painter = &mut self.painter;
        let mut of_device = None;
        self.job.offer(pts_s, Arc::new(frame), &mut |frame, fit| {
            painter
                .image(frame, fit)
                .inspect_err(|fault| of_device = Some(fault.clone()))
        });
        // A device that fails concerns the whole pass, and at once.
        match of_device.filter(error::is_of_device) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    fn end(mut self: Box<Self>, end_s: f64) -> JobEnd {
        let painter = &mut self.painter;
        self.job.ends_at(end_s);
        self.job.finish(&mut |frame, fit| painter.image(frame, fit))
    }
}
