//! Pictures without a pass: seeks instead of decoding everything.
//!
//! Guarantees: with an index, key-frame jobs read and decode one key frame a picture, and exact jobs only what lies
//! between a key frame and the moment. Without one (transport streams, raw streams, fragments) the file is read once
//! from the start for all jobs together, and decoding is limited to key frames where these will do. Files whose key
//! frames are too few to serve the moments, or do not say when they are shown, are decoded to the exact frames.
//! Deliberately absent: sound.

use crate::base::fault::Fault;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::frame_decoder::Elsewhere;
use crate::media::limits::Limits;
use crate::media::measured_length;
use crate::media::moments;
use crate::media::picture_job::Prepared;
use crate::media::probe::Opened;
use crate::media::product::JobEnd;
use crate::media::spec::MediaWork;
use crate::media::workbench::Job;
use crate::media::workbench::OPERATION;
use crate::media::workbench::OnProgress;
use crate::media::workbench::Setback;
use crate::media::workbench::Workbench;
use std::path::Path;

/// Times a source is read in order at most: key frames, every frame, every frame with the right length.
const MAX_ROUNDS: usize = 3;

/// One picture job.
#[derive(Debug, Clone, Copy)]
pub struct AloneJob<'a> {
    /// Name of its directory beneath the scratch directory.
    pub directory: &'a str,
    /// What to make; only `Snapshot` and `DynamicImage` belong here.
    pub work: &'a MediaWork,
}

/// Carries out picture jobs on an opened source. Gives their ends in their order. `elsewhere` decodes instead of
/// libavcodec, one stream at a time.
///
/// Errors: the source is truncated or cannot be read, or `on_progress` asked to stop; then no job has ended.
pub fn carry_out_alone(
    opened: &mut Opened,
    jobs: &[AloneJob<'_>],
    scratch: &Path,
    threads: u32,
    limits: &Limits,
    elsewhere: Option<&Elsewhere<'_>>,
    on_progress: &mut OnProgress<'_>,
) -> Result<Vec<JobEnd>, Fault> {
    if let Some(missing) = opened.missing_data()
        && !jobs.iter().all(|job| job.work.takes_partial())
    {
        return Err(error::source_truncated(OPERATION, opened.demuxer.name(), missing));
    }
    if jobs.iter().any(|job| needs_length(job.work)) {
        measured_length::measure(opened, OPERATION, on_progress)?;
    }
    let mut ends: Vec<Option<JobEnd>> = jobs.iter().map(|_| None).collect();
    let mut open_jobs = Vec::new();
    for (number, job) in jobs.iter().enumerate() {
        match prepare(job, &opened.facts, scratch) {
            Ok(ready) => open_jobs.push((number, ready)),
            Err(end) => ends[number] = Some(*end),
        }
    }
    if let Some(mut workbench) = Workbench::set_up(opened, threads, limits, elsewhere).filter(|_| !open_jobs.is_empty())
    {
        let total = open_jobs
            .iter()
            .map(|(_, job)| job.moments_s().len())
            .sum::<usize>()
            .max(1);
        let mut in_order = Vec::new();
        if let Some(keys) = workbench.usable_index() {
            let mut before = 0;
            for (number, mut job) in open_jobs {
                let moments = job.moments_s().len();
                let mut report = |done: usize, frames: u64| on_progress((before + done) as f64 / total as f64, frames);
                let mut sought = workbench.by_seeking(&mut job, keys.clone(), &mut report);
                let shared = sought.is_ok() && job.is_intra() && job.wants_own_frames() && job.skipped() > 0;
                if shared || matches!(sought, Err(Setback::Untimed)) {
                    // The index gave times of decoding, so only reading showed that two moments share a key frame.
                    job = restarted(&jobs[number], &workbench, scratch)?;
                    job.make_exact();
                    sought = workbench.by_seeking(&mut job, keys.clone(), &mut report);
                }
                match sought {
                    Ok(()) => ends[number] = Some(workbench.end(*job)),
                    Err(Setback::Fault(fault)) => return Err(fault),
                    Err(Setback::Index | Setback::Untimed) => {
                        in_order.push((number, restarted(&jobs[number], &workbench, scratch)?));
                    }
                }
                before += moments;
            }
        } else {
            in_order = open_jobs;
        }
        // What key frames did not serve is done again with every frame; that may show that the source is far shorter
        // than it says, and what depends on its length is done again with the right one.
        for round in 1..=MAX_ROUNDS {
            if in_order.is_empty() {
                break;
            }
            let mut parts: Vec<&mut Job> = in_order.iter_mut().map(|(_, job)| &mut **job).collect();
            workbench.in_order(&mut parts, on_progress)?;
            let was_wrong = workbench.put_length_right();
            let mut again = Vec::new();
            for (number, job) in in_order {
                let shared = job.skipped() * 2 > job.moments_s().len() || job.wants_own_frames() && job.skipped() > 0;
                let none = job.begins_late() && job.decided() == 0;
                let unserved = job.is_intra() && (shared || none || workbench.is_untimed());
                if round < MAX_ROUNDS && (unserved || was_wrong && needs_length(jobs[number].work)) {
                    let mut job = restarted(&jobs[number], &workbench, scratch)?;
                    if unserved {
                        job.make_exact();
                    }
                    again.push((number, job));
                } else {
                    ends[number] = Some(workbench.end(*job));
                }
            }
            in_order = again;
        }
    }
    Ok(ends
        .into_iter()
        .map(|end| end.unwrap_or_else(|| nothing(&opened.facts)))
        .collect())
}

fn needs_length(work: &MediaWork) -> bool {
    matches!(work, MediaWork::Snapshot(spec) if moments::need_length(spec))
}

fn nothing(facts: &MediaFacts) -> JobEnd {
    let reason = match facts.main_video() {
        Some(_) => "the job asks for no pictures".to_owned(),
        None => "the source has no video that can be decoded".to_owned(),
    };
    JobEnd::Skipped { reason }
}

fn prepare(job: &AloneJob<'_>, facts: &MediaFacts, scratch: &Path) -> Result<Box<Job>, Box<JobEnd>> {
    match Job::prepare(job.directory, job.work, facts, scratch, false) {
        Some(Prepared::Job(job)) => Ok(job),
        Some(Prepared::Ended(end)) => Err(end),
        None => Err(Box::new(nothing(facts))),
    }
}

/// A job from its beginning again; its files are written over.
fn restarted(job: &AloneJob<'_>, workbench: &Workbench<'_>, scratch: &Path) -> Result<Box<Job>, Fault> {
    prepare(job, workbench.facts(), scratch).map_err(|end| match *end {
        JobEnd::Failed { fault } => fault,
        _ => error::broken_invariant(OPERATION, job.directory, "a job could be prepared once but not twice"),
    })
}
