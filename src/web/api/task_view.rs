//! How tasks, jobs and attempts look on the wire.
//!
//! Guarantees: the same shape in lists, by itself and after a change. Deliberately absent: reading them.

use crate::base::ids::JobId;
use crate::store::listing::tasks::AttemptDetail;
use crate::store::listing::tasks::JobDetail;
use crate::store::listing::tasks::TaskSummary;
use crate::web::ports::Live;
use crate::web::ports::LiveProgress;
use crate::workflow::resolved::Activity;
use crate::workflow::status::JobStatus;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One task as lists show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskView {
    /// Id.
    pub id: String,
    /// When it was made.
    pub created_at: String,
    /// Init, Processing, Succeed, Failed or Canceled.
    pub status: String,
    /// Its workflow.
    pub workflow: TaskWorkflow,
    /// Its media.
    pub media: TaskMedia,
    /// What caused it: Console, Workflow or API.
    pub trigger: String,
    /// What the caller gave with it.
    pub user_data: Option<String>,
    /// Larger first.
    pub priority: i64,
    /// `cancel` or `retry`: asked for and not finished yet.
    pub intent: Option<String>,
    /// 1 + how often it was retried.
    pub runs: i64,
    /// When its first job began.
    pub started_at: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
}

/// The workflow of a task.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskWorkflow {
    /// Id.
    pub id: String,
    /// Its name when the task was made.
    pub name: String,
    /// The version that the task runs.
    pub version: i64,
}

/// The media of a task.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskMedia {
    /// Id.
    pub id: String,
    /// The source, `storage:key`.
    pub object: String,
    /// Bytes of the source.
    pub size_bytes: u64,
}

impl From<TaskSummary> for TaskView {
    fn from(task: TaskSummary) -> Self {
        TaskView {
            id: task.id.into_string(),
            created_at: task.created.wire(),
            status: task.status.as_str().to_owned(),
            workflow: TaskWorkflow {
                id: task.workflow.into_string(),
                name: task.workflow_name,
                version: task.workflow_version,
            },
            media: TaskMedia {
                id: task.media.into_string(),
                object: task.object.to_string(),
                size_bytes: task.size_bytes,
            },
            trigger: task.trigger,
            user_data: task.user_data,
            priority: task.priority,
            intent: task.intent,
            runs: task.runs,
            started_at: task.started.map(|at| at.wire()),
            ended_at: task.ended.map(|at| at.wire()),
        }
    }
}

/// One activity of the workflow that a task runs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActivityView {
    /// Unique in its workflow.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The activities it follows; empty: Start.
    pub needs: Vec<String>,
    /// Does not count for the task's success.
    pub optional: bool,
    /// The template it was made from.
    pub template: Option<String>,
    /// Its parameters.
    pub parameters: Value,
}

impl From<Activity> for ActivityView {
    fn from(activity: Activity) -> Self {
        ActivityView {
            id: activity.id,
            kind: activity.kind.as_str().to_owned(),
            needs: activity.needs,
            optional: activity.optional,
            template: activity.template,
            parameters: activity.parameters,
        }
    }
}

/// How far a running job is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProgressView {
    /// 0 to 100, never falling within an attempt.
    pub percent: f64,
    /// Source frames done.
    pub frames: u64,
    /// Source frames a second.
    pub fps: f64,
    /// Source seconds a second.
    pub speed: f64,
    /// Seconds left.
    pub eta_s: Option<f64>,
    /// gpu: it was given a device; software: the processors. What was used in the end stands in its result.
    pub backend: &'static str,
    /// The device, by its name or `device 0`; none: the processors.
    pub device: Option<String>,
}

impl From<&Live> for ProgressView {
    fn from(live: &Live) -> Self {
        ProgressView {
            percent: live.percent,
            frames: live.frames,
            fps: live.fps,
            speed: live.speed,
            eta_s: live.eta_s,
            backend: if live.device.is_some() { "gpu" } else { "software" },
            device: live.device.as_ref().map(|device| match device.name.as_str() {
                "" => format!("device {}", device.ordinal),
                name => format!("{name} ({})", device.ordinal),
            }),
        }
    }
}

/// One job.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobView {
    /// Id.
    pub id: String,
    /// When it was made.
    pub created_at: String,
    /// Init, Waiting, Processing, Success, Fail, Skipped or Canceled.
    pub status: String,
    /// Its task.
    pub task: String,
    /// Its activity in the workflow.
    pub activity: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Attempts that failed it.
    pub tries: i64,
    /// The attempt that holds or held it.
    pub attempt: Option<String>,
    /// How far it is; only while it runs.
    pub progress: Option<ProgressView>,
    /// Why it failed, or last failed: code, operation, subject, cause, remedy.
    pub fault: Option<Value>,
    /// Why it was skipped.
    pub skip_reason: Option<String>,
    /// What was dropped, warnings, where the work was done, what quality control found, and under `opinion` what a person or
    /// a program thinks: verdict, labels, segments, summary, by.
    pub result: Option<Value>,
    /// When its needs allowed it to run.
    pub ready_at: Option<String>,
    /// When it is tried again, while it waits for that.
    pub next_try_at: Option<String>,
    /// What it waits for that could run now, in a sentence: room in scratch.
    pub waits: Option<String>,
    /// When it first began.
    pub started_at: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
}

impl JobView {
    /// The job, how far it is if it is among the running ones, and what it waits for if it does.
    pub fn new(job: JobDetail, running: &[Live], progress: &dyn LiveProgress) -> Self {
        let begins_later = job.status == JobStatus::Init;
        JobView {
            created_at: job.created.wire(),
            status: job.status.as_str().to_owned(),
            task: job.task.into_string(),
            activity: job.activity,
            kind: job.kind,
            tries: job.tries,
            attempt: job.attempt.map(|attempt| attempt.into_string()),
            progress: progress_of(&job.id, running),
            fault: job.fault.and_then(|fault| serde_json::to_value(fault).ok()),
            skip_reason: job.skip_reason,
            result: job.result,
            ready_at: job.ready.map(|at| at.wire()),
            waits: begins_later.then(|| progress.why_waiting(&job.id)).flatten(),
            next_try_at: (begins_later && job.not_before.0 > 0).then(|| job.not_before.wire()),
            started_at: job.started.map(|at| at.wire()),
            ended_at: job.ended.map(|at| at.wire()),
            id: job.id.into_string(),
        }
    }
}

fn progress_of(job: &JobId, running: &[Live]) -> Option<ProgressView> {
    running.iter().find(|live| live.job == *job).map(ProgressView::from)
}

/// One attempt: a worker process.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttemptView {
    /// Id.
    pub id: String,
    /// When it began.
    pub created_at: String,
    /// running, publishing or ended.
    pub status: String,
    /// 1, 2, ... within the task.
    pub number: i64,
    /// Its jobs.
    pub jobs: Vec<String>,
    /// Threads it may keep busy.
    pub threads: i64,
    /// UUID of the NVIDIA device that it was given, as `/api/v1/system` lists them; null: the processors.
    pub device: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// done, failed, crashed, stopped, lost.
    pub outcome: Option<String>,
    /// Why it failed.
    pub fault: Option<Value>,
    /// What it cost: wall_ms, cpu_ms, read_bytes, peak_memory_bytes.
    pub cost: Option<Value>,
}

impl From<AttemptDetail> for AttemptView {
    fn from(attempt: AttemptDetail) -> Self {
        AttemptView {
            id: attempt.id.into_string(),
            created_at: attempt.started.wire(),
            status: attempt.phase,
            number: attempt.number,
            jobs: attempt.jobs.into_iter().map(|job| job.into_string()).collect(),
            threads: attempt.threads,
            device: attempt.device,
            ended_at: attempt.ended.map(|at| at.wire()),
            outcome: attempt.outcome,
            fault: attempt.fault.and_then(|fault| serde_json::to_value(fault).ok()),
            cost: attempt.cost.and_then(|cost| serde_json::to_value(cost).ok()),
        }
    }
}
