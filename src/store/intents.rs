//! What users ask for by hand: stop a task, run it again. Written here, carried out by the scheduler.
//!
//! Guarantees: asking twice is asking once; a wish that the task's status does not allow is refused here, in the same
//! transaction that would have written it. Deliberately absent: carrying it out.

use super::Store;
use super::error::StoreError;
use super::listing::tasks::TaskFilter;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::workflow::status::IllegalChange;
use crate::workflow::status::JobEvent;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;
use rusqlite::params_from_iter;

/// What a user wants of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Stop it.
    Cancel,
    /// Run again what did not succeed.
    Retry,
}

impl Intent {
    /// The word in rows and in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Intent::Cancel => "cancel",
            Intent::Retry => "retry",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        [Intent::Cancel, Intent::Retry]
            .into_iter()
            .find(|intent| intent.as_str() == word)
    }

    /// Whether a task of this status can be asked it.
    fn suits(self, status: TaskStatus) -> bool {
        match self {
            Intent::Cancel => !status.ended(),
            Intent::Retry => matches!(status, TaskStatus::Failed | TaskStatus::Canceled),
        }
    }

    /// The condition of [`suits`](Self::suits) in SQL.
    fn condition(self) -> &'static str {
        match self {
            Intent::Cancel => "t.status in ('Init', 'Processing')",
            Intent::Retry => "t.status in ('Failed', 'Canceled')",
        }
    }
}

/// Tasks changed by one transaction of a bulk wish, so that it never holds the writer for long.
const BATCH: usize = 500;

impl Store {
    /// Notes that a user wants `intent` of a task. If the process dies before the answer it is noted or not, never in part.
    ///
    /// # Errors
    /// There is no such task, its status does not allow it, or the database failed.
    pub async fn intend(&self, task: &TaskId, intent: Intent) -> Result<(), StoreError> {
        let task = task.clone();
        self.write("note an intent", move |connection| {
            let status = task_status(connection, &task)?;
            if !intent.suits(status) {
                return Err(illegal("task", status.as_str(), intent));
            }
            note(connection, &task, intent, None)
        })
        .await
    }

    /// Notes that a user wants one job of an ended task run again.
    ///
    /// # Errors
    /// There is no such job, its status or its task's does not allow it, or the database failed.
    pub async fn intend_job_retry(&self, job: &JobId) -> Result<TaskId, StoreError> {
        let job = job.clone();
        self.write("note an intent", move |connection| {
            const SQL: &str = "select task_id, status from jobs where id = :id";
            let (task, status): (String, String) = connection
                .prepare_cached(SQL)?
                .query_row(named_params! { ":id": job.as_str() }, |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?
                .ok_or_else(|| StoreError::not_found("job", job.as_str()))?;
            let status =
                JobStatus::parse(&status).ok_or_else(|| StoreError::unreadable(format!("job status {status}")))?;
            status.next(JobEvent::Retried)?;
            if status == JobStatus::Skipped {
                return Err(StoreError::Conflict(
                    "it was skipped; what made it so is what can be run again, and it follows from that".to_owned(),
                ));
            }
            let task = TaskId::from(task);
            let of_task = task_status(connection, &task)?;
            if !of_task.ended() {
                return Err(StoreError::Conflict(format!(
                    "its task {task} is {}; a job can be run again when its task has ended",
                    of_task.as_str()
                )));
            }
            note(connection, &task, Intent::Retry, Some(&job))?;
            Ok(task)
        })
        .await
    }

    /// Notes `intent` for every task that the filter finds and whose status allows it; how many. Done in batches: if
    /// the process dies on the way, those before stand, and asking again finishes the rest.
    ///
    /// # Errors
    /// The database failed.
    pub async fn intend_all(&self, filter: TaskFilter, intent: Intent) -> Result<usize, StoreError> {
        let mut count = 0;
        let mut before = None;
        loop {
            let filter = filter.clone();
            let from = before.take();
            let ids = self
                .write("note intents", move |connection| {
                    let mut conditions = filter.conditions(connection)?;
                    conditions.always(intent.condition());
                    conditions.when("t.id < ?", from);
                    let sql = format!(
                        "select t.id from tasks t join media m on m.id = t.media_id{} order by t.id desc limit {BATCH}",
                        conditions.sql()
                    );
                    let ids: Vec<String> = connection
                        .prepare_cached(&sql)?
                        .query_map(params_from_iter(conditions.values()), |row| row.get(0))?
                        .collect::<Result<_, _>>()?;
                    for id in &ids {
                        note(connection, &TaskId::from(id.as_str()), intent, None)?;
                    }
                    Ok(ids)
                })
                .await?;
            count += ids.len();
            if ids.len() < BATCH {
                return Ok(count);
            }
            before = ids.last().cloned();
        }
    }
}

/// Writes the wish. A later one replaces an earlier one that was not carried out yet; retries of several jobs add up.
fn note(connection: &Connection, task: &TaskId, intent: Intent, job: Option<&JobId>) -> Result<(), StoreError> {
    const SQL: &str = "update tasks set intent_jobs = case \
            when :job is null then null \
            when intent = 'retry' and intent_jobs is null then null \
            when intent = 'retry' then json_insert(intent_jobs, '$[#]', :job) \
            else json_array(:job) end, \
        intent = :intent where id = :task";
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":task": task.as_str(), ":intent": intent.as_str(), ":job": job.map(JobId::as_str),
    })?;
    Ok(())
}

fn task_status(connection: &Connection, task: &TaskId) -> Result<TaskStatus, StoreError> {
    const SQL: &str = "select status from tasks where id = :id";
    let word: String = connection
        .prepare_cached(SQL)?
        .query_row(named_params! { ":id": task.as_str() }, |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::not_found("task", task.as_str()))?;
    TaskStatus::parse(&word).ok_or_else(|| StoreError::unreadable(format!("task status {word}")))
}

fn illegal(noun: &'static str, from: &str, intent: Intent) -> StoreError {
    StoreError::Illegal(IllegalChange {
        noun,
        from: from.to_owned(),
        event: match intent {
            Intent::Cancel => "Canceled".to_owned(),
            Intent::Retry => "Retried".to_owned(),
        },
    })
}
