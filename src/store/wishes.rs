//! Acting on what users asked of tasks: cancel and retry.
//!
//! Guarantees: a wish leaves its row only in the transaction that fulfils it, so it survives any death. Deliberately
//! absent: asking (`store::intents`), and stopping workers.

use super::Store;
use super::error::StoreError;
use super::intents::Intent;
use super::jobs;
use super::outputs;
use super::registration;
use super::row::Columns;
use super::settling;
use super::tasks::task_row;
use crate::base::clock::UtcMs;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::events::Purpose;
use crate::workflow::condition;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobEvent;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskEvent;
use crate::workflow::status::TaskStatus;
use rusqlite::Connection;
use std::sync::Arc;

/// A task of which something was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The task.
    pub task: TaskId,
    /// What.
    pub intent: Intent,
}

/// How far a cancel is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Canceling {
    /// Attempts whose workers are to be stopped.
    pub running: Vec<AttemptId>,
    /// How the task ended, when nothing of it runs.
    pub ended: Option<TaskStatus>,
}

impl Store {
    /// Open wishes, oldest task first.
    pub async fn wishes(&self) -> Result<Vec<Wish>, StoreError> {
        const SQL: &str = "select id, intent from tasks where intent is not null order by id limit 1000";
        self.read("look for wishes", |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Wish {
                    task: row.text(0)?.into(),
                    intent: row.word(1, Intent::parse)?,
                });
            }
            Ok(found)
        })
        .await
    }

    /// Cancels what of a task has not begun, and ends it when nothing runs. Returns the running attempts that are to
    /// be stopped: those that publish are not among them. Repeating it is harmless.
    pub async fn fulfil_cancel(
        &self,
        task: &TaskId,
        workflow: Arc<ResolvedWorkflow>,
        now: UtcMs,
    ) -> Result<Canceling, StoreError> {
        const RUNNING: &str = "select id from attempts where task_id = ?1 and phase = 'running'";
        let task = task.clone();
        self.write("cancel a task", move |connection| {
            let mut row = task_row(connection, &task)?;
            if row.intent != Some(Intent::Cancel) {
                return Ok(Canceling::default());
            }
            let ended = settling::settle(connection, &mut row, &workflow, now)?;
            let mut statement = connection.prepare_cached(RUNNING)?;
            let mut rows = statement.query([task.as_str()])?;
            let mut running = Vec::new();
            while let Some(row) = rows.next()? {
                running.push(AttemptId::from(row.text(0)?));
            }
            Ok(Canceling { running, ended })
        })
        .await
    }

    /// Sends the failed and canceled jobs of an ended task (or those that were named) and what was skipped because of
    /// them back to their beginning, and the task with them.
    pub async fn fulfil_retry(
        &self,
        task: &TaskId,
        workflow: Arc<ResolvedWorkflow>,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        let task = task.clone();
        self.write("retry a task", move |connection| {
            let mut row = task_row(connection, &task)?;
            if row.intent != Some(Intent::Retry) {
                return Ok(());
            }
            send_back(connection, &task, &workflow, now)?;
            settling::change(connection, &mut row, TaskEvent::Retried, now)?;
            if row.purpose == Purpose::Register {
                registration::again(connection, &row, now)?;
            }
            settling::settle(connection, &mut row, &workflow, now)?;
            Ok(())
        })
        .await
    }

    /// Drops a wish that cannot be fulfilled (the workflow is gone).
    pub async fn drop_wish(&self, task: &TaskId) -> Result<(), StoreError> {
        const SQL: &str = "update tasks set intent = null, intent_jobs = null where id = ?1";
        let task = task.clone();
        self.write("drop a wish", move |connection| {
            connection.prepare_cached(SQL)?.execute([task.as_str()])?;
            Ok(())
        })
        .await
    }
}

fn send_back(
    connection: &Connection,
    task: &TaskId,
    workflow: &ResolvedWorkflow,
    now: UtcMs,
) -> Result<(), StoreError> {
    let named: Option<String> =
        connection.query_row("select intent_jobs from tasks where id = ?1", [task.as_str()], |row| {
            row.get(0)
        })?;
    let named: Option<Vec<JobId>> = named.as_deref().map(serde_json::from_str).transpose()?;
    let mut rows = jobs::jobs_of(connection, task)?;
    let failed = |status| matches!(status, JobStatus::Fail | JobStatus::Canceled);
    let again: Vec<usize> = rows
        .iter()
        .filter(|job| failed(job.status) && named.as_ref().is_none_or(|ids| ids.contains(&job.id)))
        .map(|job| job.ordinal)
        .collect();
    // What follows them is decided anew, but for what succeeded already: that is not undone.
    let follow = condition::followers(&workflow.activities, &again);
    for job in &mut rows {
        let back = again.contains(&job.ordinal) || (follow.contains(&job.ordinal) && job.status != JobStatus::Success);
        if !back {
            continue;
        }
        jobs::change(connection, job, JobEvent::Retried, now)?;
        job.ready_at = None;
        job.not_before = UtcMs(0);
        job.tries = 0;
        job.apart = false;
        job.waits = 0;
        job.software = None;
        job.attempt = None;
        job.fault = None;
        job.skip_reason = None;
        job.result = None;
        job.told = None;
        outputs::release(connection, &job.id)?;
        jobs::keep(connection, job)?;
    }
    Ok(())
}
