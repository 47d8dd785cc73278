//! What is left to do when the device failed in the middle of a stretch.
//!
//! Guarantees: jobs that ended are not done again; nothing that was begun for the others is left.

use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::media::error;
use crate::media::pass::PassJob;
use crate::media::pass::PassOrder;
use crate::media::pass::gpu::witness::Witness;
use crate::media::pass::stretch::Stretch;

/// A stretch with the jobs that did not end.
pub struct Left<'a> {
    /// Its transcodes.
    pub stretch: Stretch<'a>,
    /// What rides it.
    pub riding: Vec<PassJob>,
}

impl<'a> Left<'a> {
    /// Of a stretch that was begun; the directories of its jobs are empty afterwards. None: all ended.
    pub fn of(
        order: &PassOrder,
        stretch: &Stretch<'a>,
        riding: &[PassJob],
        witness: &Witness<'_>,
    ) -> Result<Option<Self>, Fault> {
        let waits = |job: &JobId| !witness.has_ended(job);
        let mut stretch = stretch.clone();
        stretch.jobs.retain(|(job, _)| waits(job));
        let riding: Vec<PassJob> = riding.iter().filter(|job| waits(&job.job)).cloned().collect();
        if stretch.jobs.is_empty() && riding.is_empty() {
            return Ok(None);
        }
        let riders = riding.iter().map(|job| &job.job);
        for job in stretch.jobs.iter().map(|(job, _)| *job).chain(riders) {
            let path = order.scratch.join(job.as_str());
            let emptied = std::fs::remove_dir_all(&path).and_then(|()| std::fs::create_dir_all(&path));
            emptied.map_err(|cause| error::output_io("empty the job's directory", &path, &cause))?;
        }
        Ok(Some(Left { stretch, riding }))
    }
}
