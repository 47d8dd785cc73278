//! Whether and when a failed job is tried again. Pure.
//!
//! Guarantees: bounded; a cause that cannot heal is not tried again. Deliberately absent: time.

use crate::base::backoff;
use crate::base::fault::Fault;

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

/// What to do with a failed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextTry {
    /// Again, after so many milliseconds.
    After {
        /// How long to wait.
        delay_ms: i64,
        /// In an attempt of its own.
        apart: bool,
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NextTry;
    use super::RetryPolicy;
    use crate::base::fault::Blame;
    use crate::base::fault::Fault;

    fn fault(blame: Blame) -> Fault {
        Fault::new("Code", blame, "decode", "a", "b", "c.")
    }

    #[test]
    fn what_can_heal_is_tried_with_growing_waits_up_to_the_limit() {
        let policy = RetryPolicy::default();
        let host = fault(Blame::Host);
        let waits: Vec<NextTry> = (0..5).map(|tries| policy.next(&host, tries, false)).collect();
        let after = |delay_ms| NextTry::After { delay_ms, apart: false };
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
        assert_eq!(
            policy.next(&source, 0, true),
            NextTry::After {
                delay_ms: 2_000,
                apart: true
            }
        );
        assert_eq!(policy.next(&source, 4, true), NextTry::No, "bounded all the same");
    }
}
