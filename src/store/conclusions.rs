//! The transactions that end jobs.
//!
//! Guarantees: status, outputs, events, successors and the end of the task change together or not at all; a verdict
//! of an attempt that does not hold the job any more changes nothing, so a replay is harmless. Deliberately absent:
//! the verdicts.

use super::Store;
use super::announce::announce;
use super::covers;
use super::error::StoreError;
use super::jobs;
use super::jobs::JobResult;
use super::jobs::JobRow;
use super::outputs;
use super::outputs::StoodFile;
use super::reviews;
use super::series;
use super::settling;
use super::tasks;
use super::tasks::TaskRow;
use super::tasks::task_row;
use super::telling;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::events::Detail;
use crate::media::product::Measured;
use crate::workflow::deed::ReviewRule;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobEvent;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;
use rusqlite::Connection;
use std::sync::Arc;

/// What becomes of a job that an attempt held.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Done; every file of its reservation stands under its final name.
    Success {
        /// What it did; none: as its reservation says.
        result: Option<JobResult>,
        /// What is known of its files in place.
        files: Vec<StoodFile>,
    },
    /// Nothing to do.
    Skipped {
        /// Why.
        reason: String,
    },
    /// Failed for good.
    Failed(Fault),
    /// Failed for good by what it found, which stays.
    Rejected {
        /// Why.
        fault: Fault,
        /// What was found.
        result: Box<JobResult>,
        /// What was measured of the source.
        measured: Option<Box<Measured>>,
    },
    /// Failed, and tried again.
    Again {
        /// Why it failed.
        fault: Fault,
        /// Not before then.
        not_before: UtcMs,
        /// Alone from now on.
        apart: bool,
        /// In software from now on, and why.
        software: Option<String>,
        /// A try is counted; false: it only waited for its device.
        counted: bool,
    },
    /// It waits for somebody else's answer, and holds nothing meanwhile.
    Held {
        /// What is known already.
        result: Option<Box<JobResult>>,
        /// How long it waits for the answer; none: no end, or the review says so.
        until: Option<UtcMs>,
        /// A person is asked.
        ask: Option<ReviewRule>,
    },
    /// Back to the queue as if it had not run.
    Requeued,
    /// A user stopped it.
    Canceled,
}

/// What a conclusion did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concluded {
    /// It holds; the task goes on.
    Yes,
    /// It holds, and the task has ended with it.
    TaskEnded(TaskStatus),
    /// The attempt does not hold the job any more: concluded before, or taken from it. Nothing was changed.
    Stale,
}

impl Store {
    /// Concludes one job of an attempt in one transaction. After a death it holds whole or not at all; in the second
    /// case recovery concludes it again, and no event has left under an id that is lost. Ring the callback's bell, and
    /// the scheduler's, afterwards.
    pub async fn conclude(
        &self,
        attempt: &AttemptId,
        job: &JobId,
        verdict: Verdict,
        workflow: Arc<ResolvedWorkflow>,
        now: UtcMs,
    ) -> Result<Concluded, StoreError> {
        let (attempt, job) = (attempt.clone(), job.clone());
        self.write("conclude a job", move |connection| {
            let mut row = jobs::job_row(connection, &job)?;
            if row.status != JobStatus::Processing || row.attempt.as_ref() != Some(&attempt) {
                return Ok(Concluded::Stale);
            }
            let mut task = task_row(connection, &row.task)?;
            apply(connection, &task, &mut row, verdict, now)?;
            finish(connection, &mut task, &mut row, (&workflow, None), now)
        })
        .await
    }

    /// Does a job that needs nothing done: leased and published in one transaction. Same guarantees as
    /// [`conclude`](Self::conclude).
    pub async fn conclude_noop(
        &self,
        job: &JobId,
        workflow: Arc<ResolvedWorkflow>,
        now: UtcMs,
    ) -> Result<Concluded, StoreError> {
        let job = job.clone();
        self.write("do a noop", move |connection| {
            let mut row = jobs::job_row(connection, &job)?;
            let mut task = task_row(connection, &row.task)?;
            if row.status != JobStatus::Init || row.ready_at.is_none() || task.intent.is_some() {
                return Ok(Concluded::Stale);
            }
            jobs::change(connection, &mut row, JobEvent::Leased, now)?;
            jobs::change(connection, &mut row, JobEvent::Published, now)?;
            row.result = Some(JobResult {
                backend: "none".to_owned(),
                ..JobResult::default()
            });
            settling::begin(connection, &mut task, &workflow, now)?;
            finish(connection, &mut task, &mut row, (&workflow, None), now)
        })
        .await
    }
}

/// Concludes a job that waits, with what its answer came to. `said` is told before the job's own end: the decision of a
/// person. Stale: it does not wait (any more).
pub(super) fn conclude_waiting(
    connection: &Connection,
    job: &JobId,
    verdict: Verdict,
    said: Option<Detail>,
    now: UtcMs,
) -> Result<Concluded, StoreError> {
    let mut row = jobs::job_row(connection, job)?;
    if row.status != JobStatus::Waiting {
        return Ok(Concluded::Stale);
    }
    let mut task = task_row(connection, &row.task)?;
    let workflow = tasks::workflow_of(connection, &task)?;
    jobs::change(connection, &mut row, JobEvent::Leased, now)?;
    row.not_before = UtcMs(0);
    apply(connection, &task, &mut row, verdict, now)?;
    finish(connection, &mut task, &mut row, (&workflow, said), now)
}

/// Changes the job as the verdict says, with its outputs.
fn apply(
    connection: &Connection,
    task: &TaskRow,
    row: &mut JobRow,
    verdict: Verdict,
    now: UtcMs,
) -> Result<(), StoreError> {
    match verdict {
        Verdict::Success { result, files } => {
            jobs::change(connection, row, JobEvent::Published, now)?;
            outputs::settle_intents(connection, &row.id, &files)?;
            row.result = result.or(row.result.take());
            row.fault = None;
            return Ok(());
        }
        Verdict::Skipped { reason } => {
            jobs::change(connection, row, JobEvent::Skipped, now)?;
            row.skip_reason = Some(reason);
            row.fault = None;
        }
        Verdict::Failed(fault) => {
            jobs::change(connection, row, JobEvent::Failed, now)?;
            row.tries += 1;
            row.fault = Some(fault);
        }
        Verdict::Rejected {
            fault,
            result,
            measured,
        } => {
            jobs::change(connection, row, JobEvent::Failed, now)?;
            row.tries += 1;
            row.fault = Some(fault);
            outputs::release(connection, &row.id)?;
            row.result = Some(*result);
            return match measured {
                Some(measured) => series::keep_of_job(connection, &row.id, &measured),
                None => Ok(()),
            };
        }
        Verdict::Again {
            fault,
            not_before,
            apart,
            software,
            counted,
        } => {
            jobs::change(connection, row, JobEvent::Requeued, now)?;
            match counted {
                true => row.tries += 1,
                false => row.waits += 1,
            }
            row.software = row.software.take().or(software);
            row.not_before = not_before;
            row.apart |= apart;
            row.fault = Some(fault);
        }
        Verdict::Held { result, until, ask } => {
            jobs::change(connection, row, JobEvent::Held, now)?;
            row.not_before = until.unwrap_or(UtcMs(0));
            row.result = result.map(|result| *result);
            row.fault = None;
            if let Some(rule) = ask {
                reviews::ask(connection, task, row, &rule, now)?;
            }
            return Ok(());
        }
        Verdict::Requeued => jobs::change(connection, row, JobEvent::Requeued, now)?,
        Verdict::Canceled => jobs::change(connection, row, JobEvent::Canceled, now)?,
    }
    row.result = None;
    outputs::release(connection, &row.id)
}

/// Tells the end of the job, writes it, and settles its task. `said` is told before the end itself.
fn finish(
    connection: &Connection,
    task: &mut TaskRow,
    row: &mut JobRow,
    (workflow, said): (&ResolvedWorkflow, Option<Detail>),
    now: UtcMs,
) -> Result<Concluded, StoreError> {
    if matches!(row.status, JobStatus::Success | JobStatus::Fail) {
        let activity = workflow
            .activities
            .get(row.ordinal)
            .ok_or_else(|| StoreError::unreadable("a job has no activity in its workflow"))?;
        let outputs = outputs::outputs_of_job(connection, &row.id)?;
        covers::adopt(connection, task, activity, row, &outputs, now)?;
        if let Some(said) = &said {
            let brief = telling::brief(activity, row);
            let event = telling::event(connection, task, Some(brief), said.clone(), now)?;
            announce(connection, &event, task.callback(workflow))?;
        }
        row.told = telling::tell_end(connection, task, workflow, activity, row, &outputs, now)?.or(said);
    }
    jobs::keep(connection, row)?;
    Ok(match settling::settle(connection, task, workflow, now)? {
        Some(status) => Concluded::TaskEnded(status),
        None => Concluded::Yes,
    })
}
