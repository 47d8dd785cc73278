//! Whether and when a failed job is tried again. Pure.
//!
//! Guarantees: bounded; a cause that cannot heal is not tried again. Deliberately absent: time.

use crate::base::backoff;
use crate::base::fault::Fault;
use crate::media::spec::Backend;

/// How failed jobs are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts a job gets at most, the first included.
    pub tries: u32,
    /// Wait before the second.
    pub first_ms: i64,
    /// Longest wait.
    pub ceiling_ms: i64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            tries: 5,
            first_ms: 2_000,
            ceiling_ms: 300_000,
        }
    }
}

/// Fault code of a worker: the device, or its context, failed.
pub(super) const DEVICE_FAILED: &str = "DeviceFailed";
/// Fault code of a worker: every session of the device is taken.
pub(super) const DEVICE_BUSY: &str = "DeviceBusy";
/// Fault code of a worker: there is no driver, or the device cannot do this.
pub(super) const BACKEND_UNAVAILABLE: &str = "BackendUnavailable";
/// Times a job that must have a device finds it busy before that counts as a failure: four hours at the longest wait.
const BUSY_WAITS: u32 = 240;
const BUSY_FIRST_MS: i64 = 5_000;
const BUSY_CEILING_MS: i64 = 60_000;

/// What to do with a failed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextTry {
    /// Again, after so many milliseconds.
    After {
        /// How long to wait.
        delay_ms: i64,
        /// In an attempt of its own.
        apart: bool,
        /// In software.
        software: bool,
        /// The failed one counts.
        counted: bool,
    },
    /// It has failed.
    No,
}

impl RetryPolicy {
    /// What to do with a job that failed with `fault` after `tries` earlier failed ones. `crashed_fused`: its worker
    /// died by itself while it carried other jobs too, so nobody knows whose doing it was.
    pub fn next(&self, fault: &Fault, tries: u32, crashed_fused: bool) -> NextTry {
        let failed = tries.saturating_add(1);
        if failed >= self.tries || !(fault.retryable || crashed_fused) {
            return NextTry::No;
        }
        NextTry::After {
            delay_ms: backoff::delay_ms(failed, self.first_ms, self.ceiling_ms),
            apart: crashed_fused,
            software: false,
            counted: true,
        }
    }

    /// The same for a job that had a device, which may be what failed it. `waits`: how often its device was busy before.
    /// A job whose `policy` lets it leave the device leaves it for good; one that must have it waits for it, and a
    /// busy device is no failure of the job for a long time.
    pub fn next_on_device(
        &self,
        fault: &Fault,
        (tries, waits): (u32, u32),
        (crashed, fused): (bool, bool),
        policy: Backend,
    ) -> NextTry {
        let of_device = matches!(fault.code.as_str(), DEVICE_FAILED | DEVICE_BUSY | BACKEND_UNAVAILABLE);
        match policy {
            Backend::Auto if of_device || crashed => NextTry::After {
                delay_ms: 0,
                apart: crashed && fused,
                software: true,
                counted: true,
            },
            Backend::Gpu if fault.code == DEVICE_BUSY && waits < BUSY_WAITS => NextTry::After {
                delay_ms: backoff::delay_ms(waits.saturating_add(1), BUSY_FIRST_MS, BUSY_CEILING_MS),
                apart: false,
                software: false,
                counted: false,
            },
            _ => self.next(fault, tries, crashed && fused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NextTry;
    use super::RetryPolicy;
    use crate::base::fault::Blame;
    use crate::base::fault::Fault;
    use crate::media::spec::Backend;

    fn fault(blame: Blame) -> Fault {
        Fault::new("Code", blame, "decode", "a", "b", "c.")
    }

    fn after(delay_ms: i64, apart: bool, software: bool) -> NextTry {
        NextTry::After {
            delay_ms,
            apart,
            software,
            counted: true,
        }
    }

    #[test]
    fn what_can_heal_is_tried_with_growing_waits_up_to_the_limit() {
        let policy = RetryPolicy::default();
        let host = fault(Blame::Host);
        let waits: Vec<NextTry> = (0..5).map(|tries| policy.next(&host, tries, false)).collect();
        let after = |delay_ms| after(delay_ms, false, false);
        assert_eq!(
            waits,
            [after(2_000), after(4_000), after(8_000), after(16_000), NextTry::No]
        );
    }

    #[test]
    fn a_bad_source_is_not_tried_again_unless_nobody_knows_whose_doing_it_was() {
        let policy = RetryPolicy::default();
        let source = fault(Blame::Source);
        assert_eq!(policy.next(&source, 0, false), NextTry::No);
        assert_eq!(policy.next(&source, 0, true), after(2_000, true, false));
        assert_eq!(policy.next(&source, 4, true), NextTry::No, "bounded all the same");
    }

    #[test]
    fn a_job_that_may_leave_its_device_leaves_it_at_the_first_failure() {
        let policy = RetryPolicy::default();
        let alone = (false, false);
        for code in ["DeviceFailed", "DeviceBusy", "BackendUnavailable"] {
            let fault = Fault::new(code, Blame::Host, "encode", "a", "b", "c.").retryable(code == "DeviceFailed");
            let next = policy.next_on_device(&fault, (0, 0), alone, Backend::Auto);
            assert_eq!(next, after(0, false, true), "{code}");
        }
        let crash = fault(Blame::Source);
        let next = |crashed| policy.next_on_device(&crash, (0, 0), crashed, Backend::Auto);
        assert_eq!(next((true, false)), after(0, false, true));
        assert_eq!(next((true, true)), after(0, true, true));
        assert_eq!(
            next(alone),
            NextTry::No,
            "the source's own fault is met in software too"
        );
    }

    #[test]
    fn a_job_that_must_have_its_device_waits_for_it_but_not_for_ever() {
        let policy = RetryPolicy::default();
        let busy = Fault::new("DeviceBusy", Blame::Host, "encode", "a", "b", "c.");
        let next = |tries, waits| policy.next_on_device(&busy, (tries, waits), (false, false), Backend::Gpu);
        let waits = |next| match next {
            NextTry::After {
                delay_ms,
                counted: false,
                software: false,
                ..
            } => delay_ms,
            other => panic!("{other:?}"),
        };
        assert_eq!(waits(next(4, 0)), 5_000, "whatever failed it before");
        assert_eq!(waits(next(0, 239)), 60_000);
        assert_eq!(next(0, 240), after(2_000, false, false), "then it counts");
        assert_eq!(next(4, 240), NextTry::No);
        let failed = Fault::new("DeviceFailed", Blame::Host, "decode", "a", "b", "c.");
        let next = policy.next_on_device(&failed, (0, 0), (false, false), Backend::Gpu);
        assert_eq!(next, after(2_000, false, false));
        let unable = Fault::new("BackendUnavailable", Blame::Host, "encode", "a", "b", "c.").retryable(false);
        let next = policy.next_on_device(&unable, (0, 0), (false, false), Backend::Gpu);
        assert_eq!(next, NextTry::No);
    }
}
