//! Progress as events: a task is told to have come as far as another tenth.
//!
//! Guarantees: written only while somebody listens; each tenth of a task is told once, over restarts and attempts too, and
//! never after its end; a retry by a user begins anew. Deliberately absent: progress itself, which lives in memory (the
//! scheduler's board) and in no row.

use super::Store;
use super::announce::announce;
use super::error::StoreError;
use super::intents::Intent;
use super::jobs;
use super::listeners;
use super::tasks::TaskRow;
use super::tasks::task_row;
use super::telling;
use crate::base::clock::UtcMs;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::events::Detail;
use crate::events::Event;
use crate::events::EventType;
use crate::workflow::resolved::ResolvedWorkflow;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use std::sync::Arc;

/// How much of a task is worth an event, per cent.
const STEP_PERCENT: f64 = 10.0;

impl Store {
    /// Whether anybody wants to hear how far `task` is.
    pub async fn progress_is_heard(&self, task: &TaskRow, workflow: &ResolvedWorkflow) -> Result<bool, StoreError> {
        let rule = task.callback(workflow).clone();
        let listeners = self.listeners().await?;
        Ok(listeners.any_wants(&rule, EventType::WorkflowTaskProgress, false))
    }

    /// Announces how far a task is when it has come as far as another tenth; `running` says how far its running jobs are.
    /// True: it was told, and the callback's bell is to be rung. If the process dies before the commit it is told by
    /// the next step.
    pub async fn tell_progress(
        &self,
        task: &TaskId,
        running: Vec<(JobId, f64)>,
        workflow: Arc<ResolvedWorkflow>,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        let task = task.clone();
        self.write("tell progress", move |connection| {
            let task = task_row(connection, &task)?;
            let rule = task.callback(&workflow);
            if task.status.ended()
                || task.intent == Some(Intent::Cancel)
                || !listeners::listeners(connection)?.any_wants(rule, EventType::WorkflowTaskProgress, false)
            {
                return Ok(false);
            }
            let percent = percent_of(connection, &task.id, &running)?;
            let step = step_of(percent);
            // The last one is told by the end of the task.
            if percent >= 100.0 || step <= told_step(connection, &task.id)? {
                return Ok(false);
            }
            let event = telling::event(connection, &task, None, Detail::TaskProgressed { percent }, now)?;
            announce(connection, &event, rule)?;
            Ok(true)
        })
        .await
    }
}

/// Over all jobs of a task, to a tenth of a per cent.
fn percent_of(connection: &Connection, task: &TaskId, running: &[(JobId, f64)]) -> Result<f64, StoreError> {
    let jobs = jobs::jobs_of(connection, task)?;
    let done: f64 = jobs
        .iter()
        .map(|job| match running.iter().find(|(id, _)| *id == job.id) {
            _ if job.status.ended() => 100.0,
            Some((_, percent)) => percent.clamp(0.0, 100.0),
            None => 0.0,
        })
        .sum();
    let percent = done / jobs.len().max(1) as f64;
    Ok((percent * 10.0).floor() / 10.0)
}

fn step_of(percent: f64) -> u32 {
    (percent / STEP_PERCENT) as u32
}

/// The tenth that was told last in this run of the task; 0: none.
fn told_step(connection: &Connection, task: &TaskId) -> Result<u32, StoreError> {
    const SQL: &str = "select body from events where task_id = ?1 \
        and type in ('WorkflowTaskProgress', 'WorkflowTaskComplete') order by seq desc limit 1";
    let body: Option<String> = connection
        .prepare_cached(SQL)?
        .query_row([task.as_str()], |row| row.get(0))
        .optional()?;
    let Some(body) = body else {
        return Ok(0);
    };
    Ok(match serde_json::from_str::<Event>(&body)?.detail {
        Detail::TaskProgressed { percent } => step_of(percent),
        // It ended before, and was retried.
        _ => 0,
    })
}
