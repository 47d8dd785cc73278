//! A truncated source whose jobs accept that: which jobs go on, and with which length.
//!
//! Guarantees: jobs that did not ask for it fail; those that go on say that they are partial. Deliberately absent: read
//! errors, which fail an attempt whatever its jobs accept.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Source;
use crate::media::error;
use crate::media::length;
use crate::media::limits::Limits;
use crate::media::pass::PassOrder;
use crate::media::pass::Watch;
use crate::media::probe::Opened;
use crate::media::product::JobEnd;
use crate::media::spec::MediaWork;

/// The order without the jobs that do not take a truncated source, which are told to have failed. When none but facts
/// is left the attempt fails.
pub fn keep(order: &PassOrder, name: &str, missing: &str, watch: &dyn Watch) -> Result<PassOrder, Fault> {
    let fault = error::source_truncated("read", name, missing);
    let is_work = |work: &MediaWork| !matches!(work, MediaWork::Analysis);
    let works = || order.jobs.iter().filter(|job| is_work(&job.work));
    if works().next().is_some() && !works().any(|job| job.work.takes_partial()) {
        return Err(fault);
    }
    let mut kept = order.clone();
    kept.jobs.retain(|job| job.work.takes_partial());
    for job in order.jobs.iter().filter(|job| !job.work.takes_partial()) {
        watch.job_ended(&job.job, JobEnd::Failed { fault: fault.clone() });
    }
    Ok(kept)
}

/// Puts the length of what is there into the facts.
pub fn settle(opened: &mut Opened, source: Source, limits: &Limits, name: &str) -> Result<(), Fault> {
    let watch = opened.demuxer.watch();
    let source = source.watched_by(&watch);
    length::measure(source, limits, &mut opened.facts).map_err(|refusal: AvError| match watch.trouble() {
        Some(trouble) => error::source_unreadable("read", name, trouble),
        None => error::source_refused("read", name, &refusal),
    })
}

/// A picture job's end, marked as what it is.
pub fn mark(end: JobEnd, missing: &str) -> JobEnd {
    match end {
        JobEnd::Success(mut product) => {
            product.partial = true;
            product.warnings.push(words(missing));
            JobEnd::Success(product)
        }
        end => end,
    }
}

/// The warning.
pub fn words(missing: &str) -> String {
    format!("the source is truncated, and what there is was taken: {missing}")
}
