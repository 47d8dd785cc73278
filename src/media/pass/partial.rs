//! A source that is not whole and whose jobs accept that: which jobs go on, and with which length.
//!
//! Guarantees: jobs that did not ask for it fail; those that go on say that they are partial. Deliberately absent: read
//! errors, and pictures that come out damaged, which fail an attempt whatever its jobs accept.

use crate::base::fault::Fault;
use crate::base::ids::JobId;
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
use crate::media::spec::TranscodeSpec;

/// What of a source is not there, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// It ends before it should.
    End(String),
    /// Something in its middle.
    Middle(String),
}

impl Lack {
    /// The fault of a job that does not take what there is.
    pub fn fault(&self, operation: &str, name: &str) -> Fault {
        match self {
            Lack::End(what) => error::source_truncated(operation, name, what.as_str()),
            Lack::Middle(what) => error::source_with_hole(operation, name, what.as_str()),
        }
    }

    /// The warning of one that does.
    pub fn words(&self) -> String {
        match self {
            Lack::End(what) => format!("the source is truncated, and what there is was taken: {what}"),
            Lack::Middle(what) => format!("the source has a hole, and what there is was taken: {what}"),
        }
    }
}

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
pub fn mark(end: JobEnd, lack: &Lack) -> JobEnd {
    match end {
        JobEnd::Success(mut product) => {
            product.partial = true;
            product.warnings.push(lack.words());
            JobEnd::Success(product)
        }
        end => end,
    }
}

/// Fails the jobs that do not take a truncated source; all of them fails the attempt.
pub fn keep_transcodes<'a>(
    jobs: &[(&'a JobId, &'a TranscodeSpec)],
    fault: Fault,
    watch: &dyn Watch,
) -> Result<Vec<(&'a JobId, &'a TranscodeSpec)>, Fault> {
    if !jobs.iter().any(|(_, spec)| spec.partial) {
        return Err(fault);
    }
    let (kept, refused): (Vec<_>, Vec<_>) = jobs.iter().copied().partition(|(_, spec)| spec.partial);
    for (job, _) in refused {
        watch.job_ended(job, JobEnd::Failed { fault: fault.clone() });
    }
    Ok(kept)
}
