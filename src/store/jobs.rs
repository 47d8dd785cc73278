//! Rows of `jobs`: one activity within a task each, and the queue of those that are ready.
//!
//! Guarantees: a status changes only in [`change`], through `workflow::status`. Deliberately absent: which jobs share
//! an attempt, and when one is tried again.

use super::Store;
use super::error::StoreError;
use super::row::Columns;
use super::row::serde_word;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::events::Detail;
use crate::media::product::FailedOutput;
use crate::media::product::LadderDecision;
use crate::media::product::QcReport;
use crate::media::product::StillMark;
use crate::workflow::opinion::Opinion;
use crate::workflow::opinion::Verdict;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobEvent;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::named_params;
use serde::Deserialize;
use serde::Serialize;

/// One job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// Its task.
    pub task: TaskId,
    /// Its activity's id.
    pub activity: String,
    /// Its place among the activities.
    pub ordinal: usize,
    /// What it is.
    pub kind: ActivityKind,
    /// Where it stands.
    pub status: JobStatus,
    /// When its needs let it run.
    pub ready_at: Option<UtcMs>,
    /// Not before then, when it is tried again.
    pub not_before: UtcMs,
    /// Attempts that failed it.
    pub tries: u32,
    /// A fused attempt died with it.
    pub apart: bool,
    /// Attempts that found every session of their device taken.
    pub waits: u32,
    /// Why it is done in software from now on.
    pub software: Option<String>,
    /// The attempt that holds or held it.
    pub attempt: Option<AttemptId>,
    /// Why it failed, or last failed.
    pub fault: Option<Fault>,
    /// Why it was skipped.
    pub skip_reason: Option<String>,
    /// What it did, when it succeeded.
    pub result: Option<JobResult>,
    /// The fact that told of its end.
    pub told: Option<Detail>,
    /// When it was made.
    pub created_at: UtcMs,
    /// When its first attempt began.
    pub started_at: Option<UtcMs>,
    /// When it ended.
    pub ended_at: Option<UtcMs>,
}

/// What a job did, beside its outputs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JobResult {
    /// Where the work was done.
    pub backend: String,
    /// Why not where it was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_reason: Option<String>,
    /// What of the source could not be carried over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// What deserves a look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Less was made than was asked for, and the activity accepts that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Outputs that are missing for that reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_outputs: Vec<FailedOutput>,
    /// What quality control found, the first stretches of each check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qc: Option<Box<QcReport>>,
    /// Why ladders that were left to the source are what they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<LadderDecision>,
    /// What a person or a program thinks of the media.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinion: Option<Box<Opinion>>,
    /// The first stills, in the order of their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stills: Vec<StillMark>,
}

impl JobResult {
    /// Whoever was asked said block.
    pub fn blocks(&self) -> bool {
        self.opinion
            .as_ref()
            .is_some_and(|opinion| opinion.verdict == Verdict::Block)
    }
}

/// A ready job, as the queue tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyJob {
    /// The job.
    pub id: JobId,
    /// What it is.
    pub kind: ActivityKind,
    /// Its task.
    pub task: TaskId,
}

const COLUMNS: &str = "select id, task_id, activity, ordinal, kind, status, ready_ms, not_before_ms, tries, apart, \
    attempt_id, fault, skip_reason, result, told, created_ms, started_ms, ended_ms, waits, software from jobs";

impl Store {
    /// The job with this id.
    pub async fn job(&self, id: &JobId) -> Result<JobRow, StoreError> {
        let id = id.clone();
        self.read("read a job", move |connection| job_row(connection, &id))
            .await
    }

    /// The jobs of a task, in the order of its activities.
    pub async fn jobs_of_task(&self, task: &TaskId) -> Result<Vec<JobRow>, StoreError> {
        let task = task.clone();
        self.read("read the jobs of a task", move |connection| jobs_of(connection, &task))
            .await
    }

    /// Tasks with jobs that may run in a worker now, the most urgent first, at most `limit`.
    pub async fn tasks_ready(&self, now: UtcMs, limit: u32) -> Result<Vec<TaskId>, StoreError> {
        const SQL: &str = "select task_id from jobs where status = 'Init' and ready_ms is not null and carrier = 0 \
            and not_before_ms <= :now order by priority desc, ready_ms, task_id limit :rows";
        self.read("look for ready jobs", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            // A task seldom has more than eight ready jobs; a busier one merely shortens this list.
            let mut rows = statement.query(named_params! { ":now": now.0, ":rows": limit.saturating_mul(8) })?;
            let mut found: Vec<TaskId> = Vec::new();
            while let Some(row) = rows.next()? {
                let task = TaskId::from(row.text(0)?);
                if !found.contains(&task) {
                    found.push(task);
                }
                if found.len() >= limit as usize {
                    break;
                }
            }
            Ok(found)
        })
        .await
    }

    /// Jobs that the daemon does at once, the most urgent first.
    pub async fn daemon_jobs_ready(&self, limit: u32) -> Result<Vec<ReadyJob>, StoreError> {
        const SQL: &str = "select id, task_id, kind from jobs where status = 'Init' and ready_ms is not null \
            and carrier = 1 order by priority desc, ready_ms, task_id limit ?1";
        self.read("look for jobs of the daemon", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(ReadyJob {
                    id: row.text(0)?.into(),
                    task: row.text(1)?.into(),
                    kind: row.word(2, serde_word)?,
                });
            }
            Ok(found)
        })
        .await
    }

    /// When the next job that waits for its retry, or for somebody's answer, is due; none waits: none.
    pub async fn next_retry_at(&self, now: UtcMs) -> Result<Option<UtcMs>, StoreError> {
        const SQL: &str = "select min(at) from ( \
            select min(not_before_ms) as at from jobs where status = 'Init' and not_before_ms > 0 and not_before_ms > ?1 \
            union all \
            select min(not_before_ms) from jobs where status = 'Waiting' and not_before_ms > 0 and not_before_ms > ?1 \
            union all \
            select min(due_ms) from reviews where state = 'waiting' and due_ms is not null and due_ms > ?1)";
        self.read("look for the next retry", move |connection| {
            let at: Option<i64> = connection.prepare_cached(SQL)?.query_row([now.0], |row| row.get(0))?;
            Ok(at.map(UtcMs))
        })
        .await
    }
}

/// The job with this id.
pub(super) fn job_row(connection: &Connection, id: &JobId) -> Result<JobRow, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} where id = ?1"))?;
    let mut rows = statement.query([id.as_str()])?;
    let row = rows.next()?.ok_or_else(|| StoreError::not_found("job", id.as_str()))?;
    read(row)
}

/// The jobs of a task, in the order of its activities.
pub(super) fn jobs_of(connection: &Connection, task: &TaskId) -> Result<Vec<JobRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} where task_id = ?1 order by ordinal"))?;
    let mut rows = statement.query([task.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The jobs that an attempt holds now.
pub(super) fn jobs_held_by(connection: &Connection, attempt: &AttemptId) -> Result<Vec<JobRow>, StoreError> {
    let sql = format!("{COLUMNS} where attempt_id = ?1 and status = 'Processing' order by ordinal");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([attempt.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Changes a job's status, the only place that does, and its times with it. `job` is brought up to date.
pub(super) fn change(connection: &Connection, job: &mut JobRow, event: JobEvent, now: UtcMs) -> Result<(), StoreError> {
    const SQL: &str = "update jobs set status = :status, started_ms = :started, ended_ms = :ended where id = :id";
    job.status = job.status.next(event)?;
    if matches!(event, JobEvent::Leased | JobEvent::Held) {
        job.started_at.get_or_insert(now);
    }
    job.ended_at = job.status.ended().then_some(now);
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":status": job.status.as_str(), ":started": job.started_at.map(|at| at.0),
        ":ended": job.ended_at.map(|at| at.0), ":id": job.id.as_str(),
    })?;
    Ok(())
}

/// Writes what is known of a job beside its status.
pub(super) fn keep(connection: &Connection, job: &JobRow) -> Result<(), StoreError> {
    const SQL: &str = "update jobs set ready_ms = :ready, not_before_ms = :not_before, tries = :tries, apart = :apart, \
        attempt_id = :attempt, fault = :fault, skip_reason = :skip_reason, result = :result, told = :told, \
        waits = :waits, software = :software \
        where id = :id";
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":ready": job.ready_at.map(|at| at.0), ":not_before": job.not_before.0, ":tries": job.tries,
        ":apart": job.apart, ":attempt": job.attempt.as_ref().map(AttemptId::as_str), ":fault": json(job.fault.as_ref())?,
        ":skip_reason": job.skip_reason, ":result": json(job.result.as_ref())?, ":told": json(job.told.as_ref())?,
        ":waits": job.waits, ":software": job.software, ":id": job.id.as_str(),
    })?;
    Ok(())
}

fn json<T: Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    Ok(value.map(serde_json::to_string).transpose()?)
}

fn read(row: &Row<'_>) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        id: row.text(0)?.into(),
        task: row.text(1)?.into(),
        activity: row.text(2)?,
        ordinal: row.count(3)? as usize,
        kind: row.word(4, serde_word)?,
        status: row.word(5, JobStatus::parse)?,
        ready_at: row.maybe_time(6)?,
        not_before: row.time(7)?,
        tries: row.count(8)?,
        apart: row.get(9)?,
        attempt: row.get::<_, Option<String>>(10)?.map(AttemptId::from),
        fault: row.json(11)?,
        skip_reason: row.get(12)?,
        result: row.json(13)?,
        told: row.json(14)?,
        created_at: row.time(15)?,
        started_at: row.maybe_time(16)?,
        ended_at: row.maybe_time(17)?,
        waits: row.count(18)?,
        software: row.get(19)?,
    })
}
