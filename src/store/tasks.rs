//! Rows of `tasks`: runs of workflows over media, and what users asked of them.
//!
//! Guarantees: a task is made with all its jobs in one transaction; the same idempotency key makes one
//! task only. Deliberately absent: asking (`store::intents`) and acting on what was asked (`store::wishes`).

use super::Store;
use super::error::StoreError;
use super::intake;
use super::intents::Intent;
use super::media;
use super::media::Origin;
use super::media::Source;
use super::media::media_for;
use super::row::Columns;
use super::workflows;
use crate::base::clock::UtcMs;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::base::ids::WorkflowId;
use crate::events::Purpose;
use crate::events::TriggerSource;
use crate::workflow::condition;
use crate::workflow::condition::Node;
use crate::workflow::condition::Step;
use crate::workflow::expression::Subject;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::CallbackRule;
use crate::workflow::resolved::OutputRule;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::named_params;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// What a caller wants otherwise than the workflow says, for one task. Checked before it is kept
/// (`workflow::otherwise`), so carrying it out looks nothing up.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Overrides {
    /// Where outputs go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputRule>,
    /// Whom it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<CallbackRule>,
    /// Activities that are done otherwise, whole: each stands in the place of the one with its id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<Activity>,
    /// All of it as the caller wrote it, for showing and for telling two requests apart; may hold secrets.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub asked: Value,
    /// The priority that it was started with, where that was changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_priority: Option<i64>,
}

impl Overrides {
    /// The workflow as a task with these runs it.
    pub fn applied_to(&self, workflow: &Arc<ResolvedWorkflow>) -> Arc<ResolvedWorkflow> {
        if self.output.is_none() && self.callback.is_none() && self.activities.is_empty() {
            return Arc::clone(workflow);
        }
        let mut own = ResolvedWorkflow::clone(workflow);
        if let Some(output) = &self.output {
            own.output = output.clone();
        }
        if let Some(callback) = &self.callback {
            own.callback = callback.clone();
        }
        for activity in &mut own.activities {
            if let Some(other) = self.activities.iter().find(|other| other.id == activity.id) {
                *activity = other.clone();
            }
        }
        Arc::new(own)
    }
}

/// One task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// The version it runs.
    pub version: u32,
    /// The workflow's name when the task was made.
    pub workflow_name: String,
    /// What it runs on.
    pub media: MediaId,
    /// Where it stands.
    pub status: TaskStatus,
    /// What caused it.
    pub trigger: TriggerSource,
    /// What it is for.
    pub purpose: Purpose,
    /// The caller's JSON text.
    pub user_data: Option<String>,
    /// Larger first.
    pub priority: i64,
    /// What the caller wants otherwise.
    pub overrides: Overrides,
    /// What a user asked and is not finished.
    pub intent: Option<Intent>,
    /// 1 and one more for each retry by a user.
    pub runs: u32,
    /// When it was made.
    pub created_at: UtcMs,
    /// When its first job began.
    pub started_at: Option<UtcMs>,
    /// When it ended.
    pub ended_at: Option<UtcMs>,
}

impl TaskRow {
    /// Whom its events are for.
    pub fn callback<'a>(&'a self, workflow: &'a ResolvedWorkflow) -> &'a CallbackRule {
        self.overrides.callback.as_ref().unwrap_or(&workflow.callback)
    }

    /// Where its outputs go.
    pub fn output<'a>(&'a self, workflow: &'a ResolvedWorkflow) -> &'a OutputRule {
        self.overrides.output.as_ref().unwrap_or(&workflow.output)
    }
}

/// A task to start by hand.
#[derive(Debug, Clone)]
pub struct StartTask {
    /// Id or name of the workflow, which must be enabled.
    pub workflow: String,
    /// The object as it is now.
    pub source: Source,
    /// Console or API.
    pub trigger: TriggerSource,
    /// JSON text to echo in events.
    pub user_data: Option<String>,
    /// Larger first, 0 as usual.
    pub priority: i64,
    /// What is wanted otherwise.
    pub overrides: Overrides,
    /// The caller's key: the same key starts one task only.
    pub idempotency_key: Option<String>,
}

/// What starting did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The task.
    pub task: TaskId,
    /// It was made now; false: an earlier call with the same key made it.
    pub new: bool,
}

/// A task to insert.
pub(super) struct NewTask<'a> {
    pub workflow: &'a WorkflowId,
    pub version: u32,
    pub source: &'a Source,
    pub trigger: TriggerSource,
    pub purpose: Purpose,
    pub user_data: Option<&'a str>,
    pub priority: i64,
    pub overrides: &'a Overrides,
    pub idempotency_key: Option<&'a str>,
    pub arrival_seq: Option<i64>,
}

impl Store {
    /// Makes a task of an enabled workflow on an object, with its media and jobs, in one transaction: after a death
    /// it is there whole or not at all. Ring the scheduler's bell afterwards.
    ///
    /// # Errors
    /// `NotFound` for the workflow; `Conflict` when it is disabled.
    pub async fn start_task(&self, start: StartTask, now: UtcMs) -> Result<Started, StoreError> {
        const KNOWN: &str = "select id from tasks where idempotency_key = ?1";
        self.write("start a task", move |connection| {
            if let Some(key) = &start.idempotency_key {
                let known: Option<String> = connection
                    .prepare_cached(KNOWN)?
                    .query_row([key], |row| row.get(0))
                    .optional()?;
                if let Some(task) = known {
                    return Ok(Started {
                        task: task.into(),
                        new: false,
                    });
                }
            }
            let workflow = workflows::find(connection, &start.workflow)?;
            if !workflow.enabled {
                return Err(StoreError::Conflict(format!(
                    "workflow {} is disabled; enable it to run it",
                    workflow.name
                )));
            }
            let new = NewTask {
                workflow: &workflow.id,
                version: workflow.version,
                source: &start.source,
                trigger: start.trigger,
                purpose: Purpose::Run,
                user_data: start.user_data.as_deref(),
                priority: start.priority,
                overrides: &start.overrides,
                idempotency_key: start.idempotency_key.as_deref(),
                arrival_seq: None,
            };
            let task = insert(connection, &new, &workflow.resolved, now)?;
            if let Some(parts) = intake::parts_of_source(connection, &start.source)? {
                media::keep_parts(connection, &start.source, &parts)?;
            }
            Ok(Started { task, new: true })
        })
        .await
    }

    /// The task with this id.
    pub async fn task(&self, id: &TaskId) -> Result<TaskRow, StoreError> {
        let id = id.clone();
        self.read("read a task", move |connection| task_row(connection, &id))
            .await
    }
}

/// Makes a task with its media and jobs; those without needs are ready at once.
pub(super) fn insert(
    connection: &Connection,
    new: &NewTask<'_>,
    workflow: &ResolvedWorkflow,
    now: UtcMs,
) -> Result<TaskId, StoreError> {
    const TASK: &str = "insert into tasks (id, workflow_id, workflow_version, workflow_name, media_id, status, trigger, \
        user_data, priority, overrides, idempotency_key, arrival_seq, created_ms, purpose) values (:id, :workflow, \
        :version, :name, :media, 'Init', :trigger, :user_data, :priority, :overrides, :idempotency_key, :arrival, :now, \
        :purpose)";
    const JOB: &str = "insert into jobs (id, task_id, activity, ordinal, kind, status, priority, ready_ms, created_ms, carrier) \
        values (:id, :task, :activity, :ordinal, :kind, 'Init', :priority, :ready, :now, :carrier)";
    let origin = match new.arrival_seq {
        Some(_) => Origin::Arrival,
        None => Origin::Reference,
    };
    let media = media_for(connection, new.source, origin, now)?;
    let task = TaskId::fresh();
    let overrides = match new.overrides {
        none if *none == Overrides::default() => None,
        some => Some(serde_json::to_string(some)?),
    };
    connection.prepare_cached(TASK)?.execute(named_params! {
        ":id": task.as_str(), ":workflow": new.workflow.as_str(), ":version": new.version, ":name": workflow.name,
        ":media": media.as_str(), ":trigger": new.trigger.as_str(), ":user_data": new.user_data,
        ":priority": new.priority, ":overrides": overrides, ":idempotency_key": new.idempotency_key,
        ":arrival": new.arrival_seq, ":now": now.0, ":purpose": new.purpose.as_str(),
    })?;
    let fresh = Node {
        status: JobStatus::Init,
        ready: false,
        blocks: false,
    };
    let due = condition::due(
        &workflow.activities,
        &vec![fresh; workflow.activities.len()],
        &Subject::default(),
    );
    for (ordinal, activity) in workflow.activities.iter().enumerate() {
        let ready = due.iter().any(|(at, step)| *at == ordinal && *step == Step::Run);
        connection.prepare_cached(JOB)?.execute(named_params! {
            ":id": JobId::fresh().as_str(), ":task": task.as_str(), ":activity": activity.id,
            ":ordinal": i64::try_from(ordinal).unwrap_or(i64::MAX), ":kind": activity.kind.as_str(),
            ":priority": new.priority, ":ready": ready.then_some(now.0), ":now": now.0,
            ":carrier": activity.kind.carrier().as_number(),
        })?;
    }
    Ok(task)
}

/// The workflow as `task` runs it.
pub(super) fn workflow_of(connection: &Connection, task: &TaskRow) -> Result<Arc<ResolvedWorkflow>, StoreError> {
    let version = workflows::resolved(connection, &task.workflow, task.version)?;
    Ok(task.overrides.applied_to(&Arc::new(version)))
}

/// The task with this id.
pub(super) fn task_row(connection: &Connection, id: &TaskId) -> Result<TaskRow, StoreError> {
    const SQL: &str = "select id, workflow_id, workflow_version, workflow_name, media_id, status, trigger, user_data, \
        priority, overrides, intent, runs, created_ms, started_ms, ended_ms, purpose from tasks where id = ?1";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([id.as_str()])?;
    let row = rows.next()?.ok_or_else(|| StoreError::not_found("task", id.as_str()))?;
    let intent: Option<String> = row.get(10)?;
    Ok(TaskRow {
        id: row.text(0)?.into(),
        workflow: row.text(1)?.into(),
        version: row.count(2)?,
        workflow_name: row.text(3)?,
        media: row.text(4)?.into(),
        status: row.word(5, TaskStatus::parse)?,
        trigger: row.word(6, super::row::serde_word)?,
        user_data: row.get(7)?,
        priority: row.get(8)?,
        overrides: row.json(9)?.unwrap_or_default(),
        intent: intent.as_deref().and_then(Intent::parse),
        runs: row.count(11)?,
        created_at: row.time(12)?,
        started_at: row.maybe_time(13)?,
        ended_at: row.maybe_time(14)?,
        purpose: row.word(15, Purpose::parse)?,
    })
}
