//! What the scheduler counts.
//!
//! Guarantees: counts what was committed, after it was. Deliberately absent: how numbers are shown.

use crate::media::progress::Cost;
use crate::scheduler::capacity::Busy;
use crate::store::attempts::Outcome;
use crate::store::conclusions::Verdict;
use crate::telemetry::metrics::Metric;
use crate::telemetry::metrics::Metrics;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;

/// The counters; without metrics it counts into nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Option<Metrics>);

impl Tally {
    /// Counts into `metrics`.
    pub fn into(metrics: Metrics) -> Self {
        Tally(Some(metrics))
    }

    /// A verdict was concluded.
    pub fn job(&self, verdict: &Verdict) {
        let status = match verdict {
            Verdict::Success { .. } => JobStatus::Success,
            Verdict::Skipped { .. } => JobStatus::Skipped,
            Verdict::Failed(_) | Verdict::Rejected { .. } => JobStatus::Fail,
            Verdict::Canceled => JobStatus::Canceled,
            Verdict::Again { .. } | Verdict::Held { .. } | Verdict::Requeued => return,
        };
        self.one(Metric::JobsEnded, status.as_str());
    }

    /// A task ended, or not.
    pub fn task(&self, ended: Option<TaskStatus>) {
        if let Some(status) = ended {
            self.one(Metric::TasksEnded, status.as_str());
        }
    }

    /// An attempt ended.
    pub fn attempt(&self, outcome: Outcome, cost: Option<Cost>) {
        self.one(Metric::AttemptsEnded, outcome.as_str());
        if let (Some(metrics), Some(cost)) = (&self.0, cost) {
            metrics.add(Metric::WorkerCpuSeconds, cost.cpu_ms as f64 / 1e3);
            metrics.add(Metric::WorkerWallSeconds, cost.wall_ms as f64 / 1e3);
            metrics.add(Metric::SourceBytesRead, cost.read_bytes as f64);
        }
    }

    /// Files stand under their names.
    pub fn published(&self, size_bytes: u64) {
        if let Some(metrics) = &self.0 {
            metrics.add(Metric::PublishedBytes, size_bytes as f64);
        }
    }

    /// So many jobs are done in software that might have been done on a device; `word` says why.
    pub fn fallbacks(&self, word: &str, jobs: usize) {
        if let Some(metrics) = self.0.as_ref().filter(|_| jobs > 0) {
            metrics.add_labelled(Metric::GpuFallbacks, word, jobs as f64);
        }
    }

    /// So many attempts run now.
    pub fn running(&self, busy: Busy) {
        if let Some(metrics) = &self.0 {
            metrics.set(
                Metric::AttemptsRunning,
                f64::from(busy.heavy + busy.light + busy.carried),
            );
        }
    }

    fn one(&self, metric: Metric, label: &str) {
        if let Some(metrics) = &self.0 {
            metrics.add_labelled(metric, label, 1.0);
        }
    }
}
