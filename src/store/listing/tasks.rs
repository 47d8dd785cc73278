//! Tasks with their jobs and attempts.
//!
//! Guarantees: one read transaction for a task and everything of it. Deliberately absent: changing them.

use super::Conditions;
use super::collect;
use super::json_or_none;
use super::only;
use super::plain;
use super::task_pages;
use super::time;
use super::time_or_none;
use super::word;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::base::ids::WorkflowId;
use crate::media::progress::Cost;
use crate::objects::uri::ObjectUri;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::tasks::Overrides;
use crate::store::workflows;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;
use serde_json::Value;
use std::sync::Arc;

/// Which tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Of this status.
    pub status: Option<TaskStatus>,
    /// Of this workflow, by id or name.
    pub workflow: Option<String>,
    /// Over this media.
    pub media: Option<String>,
    /// Over media of this storage.
    pub storage: Option<String>,
    /// Made at this time or later.
    pub since: Option<UtcMs>,
    /// Made before this time.
    pub until: Option<UtcMs>,
    /// Whose object or user data contain this text.
    pub text: Option<String>,
}

impl TaskFilter {
    /// As conditions on `tasks t` joined with `media m`.
    pub(in crate::store) fn conditions(&self, connection: &Connection) -> Result<ConditionsOf, StoreError> {
        let mut conditions = self.narrow(connection)?;
        task_pages::contains(&mut conditions.0, self.text.as_deref());
        Ok(conditions)
    }

    /// The same without the text.
    pub(super) fn narrow(&self, connection: &Connection) -> Result<ConditionsOf, StoreError> {
        let mut conditions = Conditions::default();
        conditions.when("t.status = ?", self.status.map(TaskStatus::as_str));
        if let Some(workflow) = &self.workflow {
            conditions.when("t.workflow_id = ?", Some(workflow_id(connection, workflow)?));
        }
        conditions.when("t.media_id = ?", self.media.clone());
        conditions.when("m.storage = ?", self.storage.clone());
        conditions.when("t.id >= ?", self.since.map(first_id_of));
        conditions.when("t.id < ?", self.until.map(first_id_of));
        Ok(ConditionsOf(conditions))
    }
}

/// What no id made at `at` or later is less than: ids begin with their time, so the lists' own order finds it.
fn first_id_of(at: UtcMs) -> String {
    format!("{:012x}", at.0.max(0))
}

/// Conditions that another file of the store adds its own to.
pub(in crate::store) struct ConditionsOf(pub(super) Conditions);

impl ConditionsOf {
    /// Adds one without a value.
    pub(in crate::store) fn always(&mut self, condition: &str) {
        self.0.always(condition);
    }

    /// Adds one when there is a value.
    pub(in crate::store) fn when(&mut self, condition: &str, value: Option<String>) {
        self.0.when(condition, value);
    }

    /// The SQL from `where` on.
    pub(in crate::store) fn sql(&self) -> &str {
        &self.0.sql
    }

    /// The values in their order.
    pub(in crate::store) fn values(&self) -> impl Iterator<Item = &dyn rusqlite::ToSql> {
        self.0.values()
    }
}

/// The id of a workflow given by name; what is no name is taken for an id.
fn workflow_id(connection: &Connection, name_or_id: &str) -> Result<String, StoreError> {
    const SQL: &str = "select id from workflows where name = :name";
    let found: Option<String> = connection
        .prepare_cached(SQL)?
        .query_row(named_params! { ":name": name_or_id }, |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or_else(|| name_or_id.to_owned()))
}

/// One task as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSummary {
    /// Id.
    pub id: TaskId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// The version it runs.
    pub workflow_version: i64,
    /// The workflow's name when it was made.
    pub workflow_name: String,
    /// Its media.
    pub media: MediaId,
    /// The source.
    pub object: ObjectUri,
    /// Bytes of the source.
    pub size_bytes: u64,
    /// Where it stands.
    pub status: TaskStatus,
    /// `Console`, `Workflow` or `API`.
    pub trigger: String,
    /// What the caller gave with it.
    pub user_data: Option<String>,
    /// Larger first.
    pub priority: i64,
    /// `cancel` or `retry`, asked for and not finished yet.
    pub intent: Option<String>,
    /// 1 + how often it was retried.
    pub runs: i64,
    /// When it was made.
    pub created: UtcMs,
    /// When its first job began.
    pub started: Option<UtcMs>,
    /// When it ended.
    pub ended: Option<UtcMs>,
}

pub(super) const TASK: &str = "select t.id, t.workflow_id, t.workflow_version, t.workflow_name, t.media_id, m.storage, m.key, \
    m.size_bytes, t.status, t.trigger, t.user_data, t.priority, t.intent, t.runs, t.created_ms, t.started_ms, t.ended_ms \
    from tasks t join media m on m.id = t.media_id";

pub(super) fn task_of(row: &Row<'_>) -> Result<TaskSummary, StoreError> {
    Ok(TaskSummary {
        id: TaskId::from(plain::<String>(row, "id")?),
        workflow: WorkflowId::from(plain::<String>(row, "workflow_id")?),
        workflow_version: plain(row, "workflow_version")?,
        workflow_name: plain(row, "workflow_name")?,
        media: MediaId::from(plain::<String>(row, "media_id")?),
        object: ObjectUri::new(plain::<String>(row, "storage")?, plain::<String>(row, "key")?),
        size_bytes: super::bytes(row, "size_bytes")?,
        status: word(row, "status", TaskStatus::parse)?,
        trigger: plain(row, "trigger")?,
        user_data: plain(row, "user_data")?,
        priority: plain(row, "priority")?,
        intent: plain(row, "intent")?,
        runs: plain(row, "runs")?,
        created: time(row, "created_ms")?,
        started: time_or_none(row, "started_ms")?,
        ended: time_or_none(row, "ended_ms")?,
    })
}

/// One job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobDetail {
    /// Id.
    pub id: JobId,
    /// Its task.
    pub task: TaskId,
    /// Its activity in the workflow.
    pub activity: String,
    /// What it is, a word of `ActivityKind`.
    pub kind: String,
    /// Where it stands.
    pub status: JobStatus,
    /// Attempts that failed it.
    pub tries: i64,
    /// The attempt that holds or held it.
    pub attempt: Option<AttemptId>,
    /// Why it failed, or last failed.
    pub fault: Option<Fault>,
    /// Why it was skipped.
    pub skip_reason: Option<String>,
    /// What it made besides outputs: dropped streams, warnings, backend.
    pub result: Option<Value>,
    /// When it was made.
    pub created: UtcMs,
    /// When its needs allowed it to run.
    pub ready: Option<UtcMs>,
    /// Not before this time.
    pub not_before: UtcMs,
    /// First lease.
    pub started: Option<UtcMs>,
    /// When it ended.
    pub ended: Option<UtcMs>,
}

const JOB: &str = "select id, task_id, activity, kind, status, tries, attempt_id, fault, skip_reason, result, created_ms, \
    ready_ms, not_before_ms, started_ms, ended_ms from jobs";

fn job_of(row: &Row<'_>) -> Result<JobDetail, StoreError> {
    Ok(JobDetail {
        id: JobId::from(plain::<String>(row, "id")?),
        task: TaskId::from(plain::<String>(row, "task_id")?),
        activity: plain(row, "activity")?,
        kind: plain(row, "kind")?,
        status: word(row, "status", JobStatus::parse)?,
        tries: plain(row, "tries")?,
        attempt: plain::<Option<String>>(row, "attempt_id")?.map(AttemptId::from),
        fault: json_or_none(row, "fault")?,
        skip_reason: plain(row, "skip_reason")?,
        result: json_or_none(row, "result")?,
        created: time(row, "created_ms")?,
        ready: time_or_none(row, "ready_ms")?,
        not_before: time(row, "not_before_ms")?,
        started: time_or_none(row, "started_ms")?,
        ended: time_or_none(row, "ended_ms")?,
    })
}

/// One attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptDetail {
    /// Id.
    pub id: AttemptId,
    /// 1, 2, ... within the task.
    pub number: i64,
    /// `running`, `publishing` or `ended`.
    pub phase: String,
    /// Its jobs.
    pub jobs: Vec<JobId>,
    /// Threads it may keep busy.
    pub threads: i64,
    /// UUID of the device it was given; none: the processors.
    pub device: Option<String>,
    /// When it began.
    pub started: UtcMs,
    /// When it ended.
    pub ended: Option<UtcMs>,
    /// `done`, `failed`, `crashed`, `stopped`, `lost`.
    pub outcome: Option<String>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// What it cost.
    pub cost: Option<Cost>,
}

fn attempt_of(row: &Row<'_>) -> Result<AttemptDetail, StoreError> {
    Ok(AttemptDetail {
        id: AttemptId::from(plain::<String>(row, "id")?),
        number: plain(row, "number")?,
        phase: plain(row, "phase")?,
        jobs: json_or_none(row, "jobs")?.unwrap_or_default(),
        threads: plain(row, "threads")?,
        device: plain(row, "device")?,
        started: time(row, "started_ms")?,
        ended: time_or_none(row, "ended_ms")?,
        outcome: plain(row, "outcome")?,
        fault: json_or_none(row, "fault")?,
        cost: json_or_none(row, "cost")?,
    })
}

/// A task and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskDetail {
    /// The task.
    pub task: TaskSummary,
    /// The workflow as this task runs it; none when the version is gone.
    pub workflow: Option<ResolvedWorkflow>,
    /// What its caller wanted otherwise, as written; null: nothing. May hold secrets.
    pub asked: Value,
    /// Its jobs, needs before dependants.
    pub jobs: Vec<JobDetail>,
    /// Its attempts, first to last.
    pub attempts: Vec<AttemptDetail>,
}

impl Store {
    /// Up to `limit` tasks made before the one named `before`, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_tasks(
        &self,
        filter: TaskFilter,
        before: Option<String>,
        limit: usize,
    ) -> Result<Vec<TaskSummary>, StoreError> {
        let store = self.clone();
        self.read("list tasks", move |connection| {
            task_pages::read(connection, &store.0.common, &filter, (before.as_deref(), limit))
        })
        .await
    }

    /// One task with its jobs and attempts.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn show_task(&self, id: &TaskId) -> Result<TaskDetail, StoreError> {
        let id = id.clone();
        self.read("show a task", move |connection| {
            const OVERRIDES: &str = "select overrides from tasks where id = :task";
            const ATTEMPTS: &str = "select id, number, phase, jobs, threads, device, started_ms, ended_ms, \
                outcome, fault, cost from attempts where task_id = :task order by number";
            let task = find_task(connection, &id)?;
            let version = u32::try_from(task.workflow_version).unwrap_or(0);
            let workflow = match workflows::resolved(connection, &task.workflow, version) {
                Ok(workflow) => Some(Arc::new(workflow)),
                Err(StoreError::NotFound { .. }) => None,
                Err(error) => return Err(error),
            };
            let overrides: Option<String> = connection
                .prepare_cached(OVERRIDES)?
                .query_row(named_params! { ":task": id.as_str() }, |row| row.get(0))?;
            let overrides: Overrides = overrides
                .map(|text| serde_json::from_str(&text))
                .transpose()?
                .unwrap_or_default();
            let workflow = workflow.map(|version| Arc::unwrap_or_clone(overrides.applied_to(&version)));
            let mut jobs = connection.prepare_cached(&format!("{JOB} where task_id = :task order by ordinal"))?;
            let jobs = collect(jobs.query(named_params! { ":task": id.as_str() })?, job_of)?;
            let mut attempts = connection.prepare_cached(ATTEMPTS)?;
            let attempts = collect(attempts.query(named_params! { ":task": id.as_str() })?, attempt_of)?;
            Ok(TaskDetail {
                task,
                workflow,
                asked: overrides.asked,
                jobs,
                attempts,
            })
        })
        .await
    }

    /// One task as lists show it.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn show_task_summary(&self, id: &TaskId) -> Result<TaskSummary, StoreError> {
        let id = id.clone();
        self.read("show a task", move |connection| find_task(connection, &id))
            .await
    }

    /// The task that an earlier call with this key made.
    ///
    /// # Errors
    /// The database failed.
    pub async fn task_by_idempotency_key(&self, key: &str) -> Result<Option<TaskSummary>, StoreError> {
        let key = key.to_owned();
        self.read("find a task by its key", move |connection| {
            let mut statement = connection.prepare_cached(&format!("{TASK} where t.idempotency_key = :key"))?;
            let mut rows = statement.query(named_params! { ":key": key })?;
            rows.next()?.map(task_of).transpose()
        })
        .await
    }

    /// One job.
    ///
    /// # Errors
    /// There is none with this id, or the database failed.
    pub async fn show_job(&self, id: &JobId) -> Result<JobDetail, StoreError> {
        let id = id.clone();
        self.read("show a job", move |connection| {
            let mut statement = connection.prepare_cached(&format!("{JOB} where id = :id"))?;
            only(
                statement.query(named_params! { ":id": id.as_str() })?,
                job_of,
                "job",
                id.as_str(),
            )
        })
        .await
    }

    /// How many tasks, and how many jobs, stand at each status.
    ///
    /// # Errors
    /// The database failed.
    pub async fn count_by_status(&self) -> Result<StatusCounts, StoreError> {
        self.read("count tasks and jobs", |connection| {
            let count = |sql: &str| -> Result<Vec<(String, i64)>, StoreError> {
                let mut statement = connection.prepare_cached(sql)?;
                collect(statement.query([])?, |row| Ok((row.get(0)?, row.get(1)?)))
            };
            Ok(StatusCounts {
                tasks: count(
                    "select status, count(*) from tasks where status in ('Init', 'Processing') group by status",
                )?,
                ready_jobs: count(
                    "select status, count(*) from jobs where status = 'Init' and ready_ms is not null group by status",
                )?
                .into_iter()
                .map(|(_, count)| count)
                .sum(),
                running_attempts: count("select phase, count(*) from attempts where phase <> 'ended' group by phase")?
                    .into_iter()
                    .map(|(_, count)| count)
                    .sum(),
                deliveries: count("select state, count(*) from deliveries where state <> 'done' group by state")?,
            })
        })
        .await
    }
}

/// What waits and what runs. Ended tasks are not counted: there may be a million.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusCounts {
    /// Tasks by status, of those that have not ended.
    pub tasks: Vec<(String, i64)>,
    /// Jobs that could run now or at their next time.
    pub ready_jobs: i64,
    /// Attempts that run or publish.
    pub running_attempts: i64,
    /// Deliveries by status, of those that are not done.
    pub deliveries: Vec<(String, i64)>,
}

fn find_task(connection: &Connection, id: &TaskId) -> Result<TaskSummary, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{TASK} where t.id = :id"))?;
    only(
        statement.query(named_params! { ":id": id.as_str() })?,
        task_of,
        "task",
        id.as_str(),
    )
}
