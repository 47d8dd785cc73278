//! The queue of jobs that the daemon does beside its loop, what programs outside are told, and their late answers.
//!
//! Guarantees: a late answer counts once, and only for the attempt that was told to expect it. Deliberately absent:
//! asking, and copying.

use super::Store;
use super::conclusions;
use super::conclusions::Concluded;
use super::conclusions::Verdict;
use super::error::StoreError;
use super::jobs;
use super::jobs::JobRow;
use super::jobs::ReadyJob;
use super::row::Columns;
use super::row::serde_word;
use super::tasks;
use crate::base::clock::UtcMs;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::OutputId;
use crate::base::ids::TaskId;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::Activity;
use crate::workflow::status::JobStatus;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

/// A published file of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFile {
    /// Its output.
    pub output: OutputId,
    /// Its place among the files of its output: manifests last.
    pub ordinal: u32,
    /// Where it stands.
    pub object: ObjectUri,
    /// Bytes.
    pub size_bytes: u64,
    /// MD5, hex.
    pub md5: String,
}

/// A job that waits for an answer from outside.
#[derive(Debug, Clone)]
pub struct Awaited {
    /// The job.
    pub job: JobRow,
    /// What it is.
    pub activity: Activity,
}

impl Store {
    /// Jobs to do beside the loop, the most urgent first: those that copy, or those that ask.
    pub async fn errands_ready(&self, copies: bool, now: UtcMs, limit: u32) -> Result<Vec<ReadyJob>, StoreError> {
        const SQL: &str = "select id, task_id, kind from jobs where status = 'Init' and ready_ms is not null \
            and carrier = 2 and not_before_ms <= :now and (kind = 'copy') = :copies \
            order by priority desc, ready_ms, task_id limit :limit";
        self.read("look for errands", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":now": now.0, ":copies": copies, ":limit": limit })?;
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

    /// The published files of a task's job, in the order of publishing, at most `limit`.
    pub async fn files_of_job(&self, job: &JobId, limit: u32) -> Result<Vec<TaskFile>, StoreError> {
        const SQL: &str = "select f.output_id, f.ordinal, f.storage, f.key, f.size_bytes, f.md5 from outputs o \
            join output_files f on f.output_id = o.id where o.job_id = :job and o.published = 1 \
            order by o.ordinal, f.ordinal limit :limit";
        let job = job.clone();
        self.read("read the files of a job", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":job": job.as_str(), ":limit": limit })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(TaskFile {
                    output: row.text(0)?.into(),
                    ordinal: row.count(1)?,
                    object: ObjectUri::new(row.text(2)?, row.text(3)?),
                    size_bytes: row.size(4)?,
                    md5: row.text(5)?,
                });
            }
            Ok(found)
        })
        .await
    }

    /// Whether the workflow of a task stands in a file of this host; one that is gone does not.
    pub async fn is_workflow_of_file(&self, task: &TaskId) -> Result<bool, StoreError> {
        const SQL: &str = "select w.origin in ('file', 'preset') from tasks t join workflows w on w.id = t.workflow_id \
            where t.id = ?1";
        let task = task.clone();
        self.read("read a workflow's origin", move |connection| {
            let found: Option<bool> = connection
                .prepare_cached(SQL)?
                .query_row([task.as_str()], |row| row.get(0))
                .optional()?;
            Ok(found.unwrap_or(false))
        })
        .await
    }

    /// Jobs whose answer from outside did not come in time.
    pub async fn overdue(&self, now: UtcMs, limit: u32) -> Result<Vec<JobId>, StoreError> {
        const SQL: &str = "select id from jobs where status = 'Waiting' and not_before_ms > 0 and not_before_ms <= :now \
            order by not_before_ms limit :limit";
        self.read("look for answers that are overdue", move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query(named_params! { ":now": now.0, ":limit": limit })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(JobId::from(row.text(0)?));
            }
            Ok(found)
        })
        .await
    }

    /// The job that waits for the answer which `attempt` was told to expect.
    ///
    /// # Errors
    /// `NotFound` when there was no such attempt; `Conflict` when nothing waits for it any more.
    pub async fn awaited(&self, attempt: &AttemptId) -> Result<Awaited, StoreError> {
        let attempt = attempt.clone();
        self.read("look for who waits", move |connection| {
            let job = waiting_for(connection, &attempt)?;
            let task = tasks::task_row(connection, &job.task)?;
            let workflow = tasks::workflow_of(connection, &task)?;
            let activity = workflow
                .activities
                .get(job.ordinal)
                .cloned()
                .ok_or_else(|| StoreError::unreadable("a job has no activity in its workflow"))?;
            Ok(Awaited { job, activity })
        })
        .await
    }

    /// Whether the job of `attempt` is still in its hands: it may wait for an answer in a moment.
    pub async fn is_held_by(&self, attempt: &AttemptId) -> Result<bool, StoreError> {
        let attempt = attempt.clone();
        self.read("look for who waits", move |connection| {
            Ok(!jobs::jobs_held_by(connection, &attempt)?.is_empty())
        })
        .await
    }

    /// Concludes a job that waits for an answer from outside, of `attempt` when one is named. After a death it holds
    /// whole or not at all. Ring both bells afterwards.
    ///
    /// # Errors
    /// `Conflict` when it does not wait (any more).
    pub async fn conclude_awaited(
        &self,
        job: &JobId,
        attempt: Option<&AttemptId>,
        verdict: Verdict,
        now: UtcMs,
    ) -> Result<Concluded, StoreError> {
        let (job, attempt) = (job.clone(), attempt.cloned());
        self.write("conclude a job that waits", move |connection| {
            if let Some(attempt) = &attempt {
                waiting_for(connection, attempt)?;
            } else if jobs::job_row(connection, &job)?.not_before > now {
                return Ok(Concluded::Stale);
            }
            conclusions::conclude_waiting(connection, &job, verdict, None, now)
        })
        .await
    }
}

/// The job that waits for the answer to `attempt`: one whose time is counted, not one that waits for a person.
fn waiting_for(connection: &Connection, attempt: &AttemptId) -> Result<JobRow, StoreError> {
    const SQL: &str = "select jobs from attempts where id = ?1";
    let text: String = connection
        .prepare_cached(SQL)?
        .query_row([attempt.as_str()], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::not_found("question", attempt.as_str()))?;
    let ids: Vec<JobId> = serde_json::from_str(&text)?;
    let id = ids
        .first()
        .ok_or_else(|| StoreError::unreadable("an attempt without jobs"))?;
    let job = jobs::job_row(connection, id)?;
    if job.status == JobStatus::Waiting && job.attempt.as_ref() == Some(attempt) && job.not_before.0 > 0 {
        Ok(job)
    } else {
        Err(StoreError::Conflict(format!(
            "nothing waits for this answer: job {id} is {}",
            job.status.as_str()
        )))
    }
}
