//! What follows from the ends of jobs, in the transaction that ended them: successors, skips, the end of the task.
//!
//! Guarantees: [`settle`] leaves no task with all jobs ended and itself not; asked twice it changes nothing the second
//! time. Deliberately absent: the rules themselves (`workflow::condition`).

use super::announce::announce;
use super::error::StoreError;
use super::intents::Intent;
use super::jobs;
use super::jobs::JobResult;
use super::jobs::JobRow;
use super::media;
use super::registration;
use super::reviews;
use super::tasks::TaskRow;
use super::telling;
use crate::base::clock::UtcMs;
use crate::events::Detail;
use crate::events::Purpose;
use crate::media::facts::MediaFacts;
use crate::workflow::condition;
use crate::workflow::condition::Node;
use crate::workflow::condition::Step;
use crate::workflow::expression::Done;
use crate::workflow::expression::Subject;
use crate::workflow::resolved::AfterRule;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobEvent;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskEvent;
use crate::workflow::status::TaskStatus;
use rusqlite::Connection;
use rusqlite::named_params;

/// Lets run, skips or cancels what is due in `task`, and ends it with its event when all its jobs have ended. Says
/// how it has ended, when that is now.
pub(super) fn settle(
    connection: &Connection,
    task: &mut TaskRow,
    workflow: &ResolvedWorkflow,
    now: UtcMs,
) -> Result<Option<TaskStatus>, StoreError> {
    if task.status.ended() {
        return Ok(None);
    }
    let mut rows = jobs::jobs_of(connection, &task.id)?;
    if task.intent == Some(Intent::Cancel) {
        for job in &mut rows {
            if job.status == JobStatus::Waiting {
                reviews::drop_question(connection, &job.id, now)?;
            }
            if matches!(job.status, JobStatus::Init | JobStatus::Waiting) {
                jobs::change(connection, job, JobEvent::Canceled, now)?;
            }
        }
    } else {
        step_on(connection, task, &mut rows, workflow, now)?;
    }
    let Some(event) = condition::outcome(workflow, &nodes_of(&rows)) else {
        return Ok(None);
    };
    change(connection, task, event, now)?;
    if task.purpose == Purpose::Register {
        registration::ended(connection, task, &rows, workflow, now)?;
        return Ok(Some(task.status));
    }
    let detail = Detail::TaskEnded {
        status: task.status,
        activities: telling::activities(workflow, &rows),
        source: telling::source(connection, task)?,
    };
    let event = telling::event(connection, task, None, detail, now)?;
    announce(connection, &event, task.callback(workflow))?;
    if task.status == TaskStatus::Succeed && workflow.source.after != AfterRule::Keep {
        const AFTER: &str = "insert or replace into task_afters (task_id, not_before_ms) values (?1, ?2)";
        connection
            .prepare_cached(AFTER)?
            .execute(rusqlite::params![task.id.as_str(), now.0])?;
    }
    Ok(Some(task.status))
}

/// What expressions of a task are about.
fn subject(
    connection: &Connection,
    task: &TaskRow,
    rows: &[JobRow],
) -> Result<(Option<MediaFacts>, Vec<Done>), StoreError> {
    let facts = media::media_row(connection, &task.media)?.facts;
    let done = rows.iter().map(|job| {
        Ok(Done {
            activity: job.activity.clone(),
            status: job.status,
            result: job.result.as_ref().map(serde_json::to_value).transpose()?,
        })
    });
    Ok((facts, done.collect::<Result<_, StoreError>>()?))
}

/// Where the activities of a task stand.
fn nodes_of(rows: &[JobRow]) -> Vec<Node> {
    let node = |job: &JobRow| Node {
        status: job.status,
        ready: job.ready_at.is_some(),
        blocks: job.status == JobStatus::Success && job.result.as_ref().is_some_and(JobResult::blocks),
    };
    rows.iter().map(node).collect()
}

/// Readies and skips what is due.
fn step_on(
    connection: &Connection,
    task: &TaskRow,
    rows: &mut [JobRow],
    workflow: &ResolvedWorkflow,
    now: UtcMs,
) -> Result<(), StoreError> {
    let nodes = nodes_of(rows);
    let (facts, done) = if condition::has_expressions(&workflow.activities) {
        subject(connection, task, rows)?
    } else {
        (None, Vec::new())
    };
    let subject = Subject {
        facts: facts.as_ref(),
        done: &done,
    };
    for (at, step) in condition::due(&workflow.activities, &nodes, &subject) {
        let job = rows
            .get_mut(at)
            .ok_or_else(|| StoreError::unreadable("a task has fewer jobs than its workflow activities"))?;
        match step {
            Step::Run => job.ready_at = Some(now),
            Step::Skip(reason) => {
                jobs::change(connection, job, JobEvent::Skipped, now)?;
                job.skip_reason = Some(reason);
            }
        }
        jobs::keep(connection, job)?;
    }
    Ok(())
}

/// Begins a task with its first job, and says so; one that has begun stays as it is.
pub(super) fn begin(
    connection: &Connection,
    task: &mut TaskRow,
    workflow: &ResolvedWorkflow,
    now: UtcMs,
) -> Result<(), StoreError> {
    if task.status != TaskStatus::Init {
        return Ok(());
    }
    change(connection, task, TaskEvent::Begun, now)?;
    telling::tell_begin(connection, task, workflow, now)
}

/// Changes a task's status, the only place that does, and what goes with it. `task` is brought up to date.
pub(super) fn change(
    connection: &Connection,
    task: &mut TaskRow,
    event: TaskEvent,
    now: UtcMs,
) -> Result<(), StoreError> {
    const SQL: &str = "update tasks set status = :status, started_ms = :started, ended_ms = :ended, runs = :runs, \
        intent = case when :clear then null else intent end, \
        intent_jobs = case when :clear then null else intent_jobs end where id = :id";
    task.status = task.status.next(event)?;
    match event {
        TaskEvent::Begun => {
            task.started_at.get_or_insert(now);
        }
        TaskEvent::Retried => task.runs += 1,
        TaskEvent::Succeeded | TaskEvent::Failed | TaskEvent::Canceled => {}
    }
    task.ended_at = task.status.ended().then_some(now);
    // An end answers a cancel; a retry that began is answered too.
    let clear = task.status.ended() || event == TaskEvent::Retried;
    if clear {
        task.intent = None;
    }
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":status": task.status.as_str(), ":started": task.started_at.map(|at| at.0),
        ":ended": task.ended_at.map(|at| at.0), ":runs": task.runs, ":clear": clear, ":id": task.id.as_str(),
    })?;
    Ok(())
}
