//! Hears of every end of a job: writes into its product where it was made, and knows which jobs are still to be done
//! when a device fails.
//!
//! Guarantees: a job is told to have ended once.

use crate::base::ids::JobId;
use crate::media::facts::MediaFacts;
use crate::media::pass::Watch;
use crate::media::pass::gpu::hardware::Hardware;
use crate::media::product::JobEnd;
use crate::media::progress::Progress;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Between the pass and whoever watches it.
pub struct Witness<'a> {
    inner: &'a dyn Watch,
    hardware: &'a Hardware,
    ended: Mutex<BTreeSet<JobId>>,
}

impl<'a> Witness<'a> {
    /// In front of a watch.
    pub fn new(inner: &'a dyn Watch, hardware: &'a Hardware) -> Self {
        Witness {
            inner,
            hardware,
            ended: Mutex::default(),
        }
    }

    /// Whether a job is over.
    pub fn has_ended(&self, job: &JobId) -> bool {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).contains(job)
    }
}

impl Watch for Witness<'_> {
    fn facts(&self, facts: &MediaFacts) {
        self.inner.facts(facts);
    }
    fn progress(&self, progress: Progress) {
        self.inner.progress(progress);
    }
    fn job_ended(&self, job: &JobId, mut end: JobEnd) {
        let product = match &mut end {
            JobEnd::Success(product) => Some(product),
            JobEnd::Rejected { found, .. } => Some(&mut **found),
            JobEnd::Skipped { .. } | JobEnd::Failed { .. } => None,
        };
        if let Some(product) = product {
            let used = self.hardware.used();
            used.mode.word().clone_into(&mut product.backend);
            if let Some(reason) = used.reason.as_ref().filter(|_| used.has_failed) {
                product.warnings.push(format!(
                    "the device failed and this was made once more in software: {reason}"
                ));
            }
            product.fallback_reason = used.reason;
            product.fallback_code = used.code;
        }
        self.ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(job.clone());
        self.inner.job_ended(job, end);
    }
    fn stop_asked(&self) -> bool {
        self.inner.stop_asked()
    }
}
