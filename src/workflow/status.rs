//! The one table of status changes, for jobs and for tasks.
//!
//! Guarantees: every change of a status in the program goes through [`JobStatus::next`] or [`TaskStatus::next`];
//! recovery after a crash replays the same table; an illegal pair is an error that names both sides.
//! Deliberately absent: when to change anything (scheduler) and how it is kept (store).

use serde::Deserialize;
use serde::Serialize;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobStatus {
    /// Not begun: its needs are unfinished, or it waits for capacity or for a retry's time.
    Init,
    /// Waits for a person or another system; holds no capacity.
    Waiting,
    /// Leased to an attempt, or being published.
    Processing,
    /// Done, every output proved and published.
    Success,
    /// Given up.
    Fail,
    /// Nothing to do: its condition did not hold, or the source has nothing for it.
    Skipped,
    /// Stopped by a user.
    Canceled,
}

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobEvent {
    /// An attempt took it.
    Leased,
    /// Its attempt ended without a result that counts (died, lost its lease, will be retried).
    Requeued,
    /// It now waits for someone else.
    Held,
    /// Its outputs stand under their final names.
    Published,
    /// It failed for good.
    Failed,
    /// There is nothing to do.
    Skipped,
    /// A user stopped it.
    Canceled,
    /// A user wants it again.
    Retried,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TaskStatus {
    /// No job has begun.
    Init,
    /// Some job has begun.
    Processing,
    /// Every job that counts succeeded.
    Succeed,
    /// Some job that counts failed.
    Failed,
    /// A user stopped it.
    Canceled,
}

/// What happens to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TaskEvent {
    /// A job of it began.
    Begun,
    /// All its jobs ended well enough.
    Succeeded,
    /// All its jobs ended, not well enough.
    Failed,
    /// All its jobs ended after a user stopped it.
    Canceled,
    /// A user wants (a part of) it again.
    Retried,
}

/// A status change that the table does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {noun} that is {from} cannot become {event}")]
pub struct IllegalChange {
    /// `job` or `task`.
    pub noun: &'static str,
    /// The status it has.
    pub from: String,
    /// What was about to happen to it.
    pub event: String,
}

impl JobStatus {
    /// All of them, in the order of a life.
    pub const ALL: [JobStatus; 7] = [
        JobStatus::Init,
        JobStatus::Waiting,
        JobStatus::Processing,
        JobStatus::Success,
        JobStatus::Fail,
        JobStatus::Skipped,
        JobStatus::Canceled,
    ];

    /// The status after `event`.
    pub fn next(self, event: JobEvent) -> Result<JobStatus, IllegalChange> {
        match (self, event) {
            (JobStatus::Init | JobStatus::Waiting, JobEvent::Leased) => Ok(JobStatus::Processing),
            (JobStatus::Processing, JobEvent::Requeued) => Ok(JobStatus::Init),
            (JobStatus::Init | JobStatus::Processing, JobEvent::Held) => Ok(JobStatus::Waiting),
            (JobStatus::Waiting | JobStatus::Processing, JobEvent::Published) => Ok(JobStatus::Success),
            (JobStatus::Init | JobStatus::Waiting | JobStatus::Processing, JobEvent::Failed) => Ok(JobStatus::Fail),
            (JobStatus::Init | JobStatus::Waiting | JobStatus::Processing, JobEvent::Skipped) => Ok(JobStatus::Skipped),
            (JobStatus::Init | JobStatus::Waiting | JobStatus::Processing, JobEvent::Canceled) => {
                Ok(JobStatus::Canceled)
            }
            (JobStatus::Fail | JobStatus::Canceled | JobStatus::Skipped, JobEvent::Retried) => Ok(JobStatus::Init),
            (from, event) => Err(IllegalChange {
                noun: "job",
                from: format!("{from:?}"),
                event: format!("{event:?}"),
            }),
        }
    }

    /// Nothing more will happen to it by itself.
    pub fn ended(self) -> bool {
        matches!(
            self,
            JobStatus::Success | JobStatus::Fail | JobStatus::Skipped | JobStatus::Canceled
        )
    }

    /// The word in rows, on the wire and in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            JobStatus::Init => "Init",
            JobStatus::Waiting => "Waiting",
            JobStatus::Processing => "Processing",
            JobStatus::Success => "Success",
            JobStatus::Fail => "Fail",
            JobStatus::Skipped => "Skipped",
            JobStatus::Canceled => "Canceled",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl TaskStatus {
    /// All of them, in the order of a life.
    pub const ALL: [TaskStatus; 5] = [
        TaskStatus::Init,
        TaskStatus::Processing,
        TaskStatus::Succeed,
        TaskStatus::Failed,
        TaskStatus::Canceled,
    ];

    /// The status after `event`.
    pub fn next(self, event: TaskEvent) -> Result<TaskStatus, IllegalChange> {
        match (self, event) {
            (TaskStatus::Init | TaskStatus::Processing, TaskEvent::Begun) => Ok(TaskStatus::Processing),
            (TaskStatus::Init | TaskStatus::Processing, TaskEvent::Succeeded) => Ok(TaskStatus::Succeed),
            (TaskStatus::Init | TaskStatus::Processing, TaskEvent::Failed) => Ok(TaskStatus::Failed),
            (TaskStatus::Init | TaskStatus::Processing, TaskEvent::Canceled) => Ok(TaskStatus::Canceled),
            (TaskStatus::Failed | TaskStatus::Canceled | TaskStatus::Succeed, TaskEvent::Retried) => {
                Ok(TaskStatus::Processing)
            }
            (from, event) => Err(IllegalChange {
                noun: "task",
                from: format!("{from:?}"),
                event: format!("{event:?}"),
            }),
        }
    }

    /// Nothing more will happen to it by itself.
    pub fn ended(self) -> bool {
        matches!(self, TaskStatus::Succeed | TaskStatus::Failed | TaskStatus::Canceled)
    }

    /// The word in rows, on the wire and in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskStatus::Init => "Init",
            TaskStatus::Processing => "Processing",
            TaskStatus::Succeed => "Succeed",
            TaskStatus::Failed => "Failed",
            TaskStatus::Canceled => "Canceled",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::JobEvent;
    use super::JobStatus;
    use super::TaskEvent;
    use super::TaskStatus;

    #[test]
    fn a_finished_job_moves_only_by_a_users_wish() {
        for from in JobStatus::ALL.into_iter().filter(|status| status.ended()) {
            for event in [
                JobEvent::Leased,
                JobEvent::Requeued,
                JobEvent::Published,
                JobEvent::Failed,
                JobEvent::Canceled,
            ] {
                assert!(from.next(event).is_err(), "{from:?} must refuse {event:?}");
            }
        }
        assert_eq!(JobStatus::Fail.next(JobEvent::Retried), Ok(JobStatus::Init));
        assert!(JobStatus::Success.next(JobEvent::Retried).is_err());
    }

    #[test]
    fn an_illegal_change_names_both_sides() {
        let error = TaskStatus::Succeed
            .next(TaskEvent::Failed)
            .expect_err("a task that succeeded cannot fail");
        assert_eq!(error.to_string(), "a task that is Succeed cannot become Failed");
    }

    #[test]
    fn words_round_trip() {
        for status in JobStatus::ALL {
            assert_eq!(JobStatus::parse(status.as_str()), Some(status));
        }
        for status in TaskStatus::ALL {
            assert_eq!(TaskStatus::parse(status.as_str()), Some(status));
        }
    }
}
