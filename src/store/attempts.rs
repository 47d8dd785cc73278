//! Rows of `attempts`: leases, and how they end.
//!
//! Guarantees: a lease is on disk before its worker starts; an attempt that lost its lease cannot conclude anything
//! (its jobs are not its own any more). Deliberately absent: which jobs to lease together, and workers.

use super::Store;
use super::error::StoreError;
use super::jobs;
use super::row::Columns;
use super::settling;
use super::tasks::task_row;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::media::progress::Cost;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobEvent;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;
use rusqlite::named_params;
use std::sync::Arc;

/// Jobs to lease to one attempt.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The attempt to be.
    pub attempt: AttemptId,
    /// Its task.
    pub task: TaskId,
    /// Its jobs.
    pub jobs: Vec<JobId>,
    /// Threads it gets.
    pub threads: u32,
    /// UUID of the device it gets; none: the processors.
    pub device: Option<String>,
    /// When it ends unless renewed.
    pub expires_at: UtcMs,
}

/// How an attempt ended, as its row says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its pass came to its end.
    Done,
    /// It failed as a whole.
    Failed,
    /// Its worker died by itself.
    Crashed,
    /// It was stopped by a user or a shutdown.
    Stopped,
    /// The daemon died.
    Lost,
}

impl Outcome {
    /// The word in rows and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Crashed => "crashed",
            Outcome::Stopped => "stopped",
            Outcome::Lost => "lost",
        }
    }
}

/// An attempt that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAttempt {
    /// Its id.
    pub id: AttemptId,
    /// Its task.
    pub task: TaskId,
    /// Intents of it are committed.
    pub publishing: bool,
    /// The jobs it still holds.
    pub held: Vec<JobId>,
}

impl Store {
    /// Commits a lease: the jobs become Processing, the task begins (and says so the first time). Returns the number
    /// of the attempt within its task, or none when the jobs are not to be had any more (canceled, leased, not ready).
    /// If the process dies after the commit, recovery finds the attempt and gives its jobs back.
    pub async fn lease(
        &self,
        lease: Lease,
        workflow: Arc<ResolvedWorkflow>,
        now: UtcMs,
    ) -> Result<Option<u32>, StoreError> {
        const NUMBER: &str = "select coalesce(max(number), 0) + 1 from attempts where task_id = ?1";
        const MAKE: &str = "insert into attempts (id, task_id, number, phase, jobs, threads, device, \
            lease_expires_ms, started_ms) values (:id, :task, :number, 'running', :jobs, :threads, :device, :expires, :now)";
        self.write("lease jobs", move |connection| {
            let mut task = task_row(connection, &lease.task)?;
            if task.intent.is_some() || task.status.ended() {
                return Ok(None);
            }
            let mut rows = Vec::new();
            for id in &lease.jobs {
                let row = jobs::job_row(connection, id)?;
                let free = row.status == JobStatus::Init && row.ready_at.is_some() && row.not_before <= now;
                if !free || row.task != lease.task {
                    return Ok(None);
                }
                rows.push(row);
            }
            let number: u32 = connection
                .prepare_cached(NUMBER)?
                .query_row([lease.task.as_str()], |row| row.get(0))?;
            connection.prepare_cached(MAKE)?.execute(named_params! {
                ":id": lease.attempt.as_str(), ":task": lease.task.as_str(), ":number": number,
                ":jobs": serde_json::to_string(&lease.jobs)?, ":threads": lease.threads, ":device": lease.device,
                ":expires": lease.expires_at.0, ":now": now.0,
            })?;
            for row in &mut rows {
                jobs::change(connection, row, JobEvent::Leased, now)?;
                row.attempt = Some(lease.attempt.clone());
                jobs::keep(connection, row)?;
            }
            settling::begin(connection, &mut task, &workflow, now)?;
            Ok(Some(number))
        })
        .await
    }

    /// Moves the end of leases; attempts that have ended are left alone.
    pub async fn renew_leases(&self, attempts: Vec<AttemptId>, expires_at: UtcMs) -> Result<(), StoreError> {
        const SQL: &str = "update attempts set lease_expires_ms = :expires where id = :id and phase <> 'ended'";
        self.write("renew leases", move |connection| {
            for attempt in &attempts {
                let named = named_params! { ":expires": expires_at.0, ":id": attempt.as_str() };
                connection.prepare_cached(SQL)?.execute(named)?;
            }
            Ok(())
        })
        .await
    }

    /// Ends an attempt. Jobs it still holds go back to the queue without a try counted, but for those with open
    /// intents, which must be concluded first: then nothing is changed and the answer is false.
    pub async fn end_attempt(
        &self,
        id: &AttemptId,
        outcome: Outcome,
        fault: Option<Fault>,
        cost: Option<Cost>,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        const INTENTS: &str = "select count(*) from publish_intents where attempt_id = ?1";
        const END: &str = "update attempts set phase = 'ended', ended_ms = :now, outcome = :outcome, fault = :fault, \
            cost = :cost where id = :id and phase <> 'ended'";
        let id = id.clone();
        self.write("end an attempt", move |connection| {
            let open: i64 = connection
                .prepare_cached(INTENTS)?
                .query_row([id.as_str()], |row| row.get(0))?;
            if open > 0 {
                return Ok(false);
            }
            for mut job in jobs::jobs_held_by(connection, &id)? {
                jobs::change(connection, &mut job, JobEvent::Requeued, now)?;
            }
            connection.prepare_cached(END)?.execute(named_params! {
                ":now": now.0, ":outcome": outcome.as_str(), ":id": id.as_str(),
                ":fault": fault.as_ref().map(serde_json::to_string).transpose()?,
                ":cost": cost.as_ref().map(serde_json::to_string).transpose()?,
            })?;
            Ok(true)
        })
        .await
    }

    /// Attempts that have not ended. At start all of them are left over from a daemon that died.
    pub async fn open_attempts(&self) -> Result<Vec<OpenAttempt>, StoreError> {
        const SQL: &str = "select id, task_id, phase from attempts where phase <> 'ended' order by id";
        self.read("look for open attempts", |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let id = AttemptId::from(row.text(0)?);
                found.push(OpenAttempt {
                    held: held_by(connection, &id)?,
                    id,
                    task: row.text(1)?.into(),
                    publishing: row.text(2)? == "publishing",
                });
            }
            Ok(found)
        })
        .await
    }
}

fn held_by(connection: &Connection, attempt: &AttemptId) -> Result<Vec<JobId>, StoreError> {
    Ok(jobs::jobs_held_by(connection, attempt)?
        .into_iter()
        .map(|job| job.id)
        .collect())
}
