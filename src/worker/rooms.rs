//! Who makes the pictures of a pass: the seam between the engine's pass and its picture rooms.
//!
//! Guarantees: every picture job it is given ends once, or the whole attempt fails. Deliberately absent: pixels.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::av::Source;
use crate::media::pass::PictureRooms;
use crate::media::pass::PicturesAlone;
use crate::media::pass::Watch;
use crate::media::picture_tap::PictureTap;
use crate::media::pictures_alone::AloneJob;
use crate::media::pictures_alone::carry_out_alone;
use crate::media::probe;
use crate::media::product::JobEnd;
use crate::media::progress::Progress;
use crate::media::spec::MediaWork;
use crate::media::tap::FrameTap;
use crate::media::tap::TapOrder;
use std::time::Instant;

/// The rooms.
pub const ROOMS: PictureRooms = PictureRooms { open_tap, alone };

fn open_tap(work: &MediaWork, order: &TapOrder) -> Result<Box<dyn FrameTap>, Fault> {
    match PictureTap::open(order, work) {
        Ok(tap) => Ok(Box::new(tap)),
        Err(JobEnd::Failed { fault }) => Err(fault),
        Err(JobEnd::Skipped { reason }) => Err(no_pictures(order, reason)),
        Err(JobEnd::Success(_)) => Err(no_pictures(order, "it asks for no frame".to_owned())),
    }
}

/// The pass skips picture jobs of sources without pictures before it comes here.
fn no_pictures(order: &TapOrder, reason: String) -> Fault {
    Fault::new(
        "NoPictures",
        Blame::Source,
        "snapshot",
        &order.source_name,
        reason,
        "Make the activity optional for such sources.",
    )
}

fn alone(work: &PicturesAlone<'_>, source: Source, watch: &dyn Watch) -> Result<u64, Fault> {
    let mut opened = probe::open(source, work.limits)?;
    let counter = opened.demuxer.watch();
    let jobs: Vec<AloneJob<'_>> = work
        .jobs
        .iter()
        .map(|job| AloneJob {
            directory: job.job.as_str(),
            work: &job.work,
        })
        .collect();
    let begun = Instant::now();
    let duration_s = work.facts.duration_s.unwrap_or(0.0);
    let mut on_progress = |share: f64, frames: u64| {
        let elapsed_s = begun.elapsed().as_secs_f64().max(1e-3);
        watch.progress(Progress {
            percent: (share * 100.0).clamp(0.0, 100.0),
            frames,
            fps: frames as f64 / elapsed_s,
            speed: share * duration_s / elapsed_s,
            eta_s: (share > 0.0).then(|| elapsed_s * (1.0 - share) / share),
        });
        !watch.stop_asked()
    };
    let ends = carry_out_alone(
        &mut opened,
        &jobs,
        work.scratch,
        work.threads,
        work.limits,
        &mut on_progress,
    )?;
    for (job, end) in work.jobs.iter().zip(ends) {
        watch.job_ended(&job.job, end);
    }
    Ok(counter.read_bytes())
}
