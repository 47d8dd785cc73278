//! Facts in the outside world's words.
//!
//! An [`Event`] is written in the same transaction as the change it tells, and holds all that any wire profile
//! needs, so a replay a month later says the same thing. Guarantees: complete by itself. Deliberately absent:
//! transport, and the deployment's own names (user id, region, URLs), which are added when it is rendered.

pub mod detail;
pub mod event_type;
pub mod ims;
pub mod library;
pub mod listeners;
pub mod made;
pub mod mps;
pub mod native;
pub mod profile;
pub mod scene;
#[cfg(test)]
pub(crate) mod specimen;
pub mod urls;
pub mod vod;

pub use detail::ActivityBrief;
pub use detail::CoverCandidate;
pub use detail::Detail;
pub use detail::LegacyFact;
pub use event_type::EventType;

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::EventId;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::base::ids::WorkflowId;
use crate::media::product::FailedOutput;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobStatus;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Stable over every delivery and replay.
    pub id: EventId,
    /// When it became true.
    pub at: UtcMs,
    /// The media it is about; none: it is about the installation itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaBrief>,
    /// The task it belongs to; none: it happened outside of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskBrief>,
    /// The job it tells of; none for facts of the task itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobBrief>,
    /// What happened.
    pub detail: Detail,
}

/// A fact of a task, with the parts that such a fact always has.
#[derive(Debug, Clone, Copy)]
pub struct TaskFact<'a> {
    /// Id of the event.
    pub id: &'a EventId,
    /// When it became true.
    pub at: UtcMs,
    /// The media of the task.
    pub media: &'a MediaBrief,
    /// The task.
    pub task: &'a TaskBrief,
    /// The job it tells of; none for facts of the task itself.
    pub job: Option<&'a JobBrief>,
    /// What happened.
    pub detail: &'a Detail,
}

/// The media of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaBrief {
    /// Id.
    pub id: MediaId,
    /// The source object.
    pub object: ObjectUri,
    /// Bytes of the source.
    pub size_bytes: u64,
}

/// What caused a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TriggerSource {
    /// A person at the dashboard.
    Console,
    /// An automatic trigger.
    Workflow,
    /// A call.
    #[serde(rename = "API")]
    Api,
}

impl TriggerSource {
    /// The word on the wire and in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            TriggerSource::Console => "Console",
            TriggerSource::Workflow => "Workflow",
            TriggerSource::Api => "API",
        }
    }
}

/// Why a task was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To run a workflow.
    #[default]
    Run,
    /// To look at a media that was registered.
    Register,
    /// To do one activity, submitted alone.
    Job,
}

impl Purpose {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Run => "run",
            Purpose::Register => "register",
            Purpose::Job => "job",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        [Purpose::Run, Purpose::Register, Purpose::Job]
            .into_iter()
            .find(|known| known.as_str() == word)
    }

    fn is_run(&self) -> bool {
        *self == Purpose::Run
    }
}

/// The task of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskBrief {
    /// Id.
    pub id: TaskId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// The workflow's name.
    pub workflow_name: String,
    /// What caused it.
    pub trigger: TriggerSource,
    /// Why it was made.
    #[serde(default, skip_serializing_if = "Purpose::is_run")]
    pub purpose: Purpose,
    /// What the caller gave with it, JSON text, echoed.
    pub user_data: Option<String>,
    /// When it was made.
    pub created_at: UtcMs,
}

/// The job of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobBrief {
    /// Id.
    pub id: JobId,
    /// Id of its activity in the workflow.
    pub activity: String,
    /// What it is.
    pub kind: ActivityKind,
    /// Its status after the change.
    pub status: JobStatus,
    /// Template it was made from.
    pub template: Option<String>,
    /// Its parameters.
    pub parameters: Value,
    /// When it became ready.
    pub submitted_at: UtcMs,
    /// When it ended.
    pub finished_at: Option<UtcMs>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// Where the work was done, once it succeeded: `software`, `gpu`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Why not where it was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_reason: Option<String>,
    /// Less was made than was asked for, and the activity accepts that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Outputs that are missing for that reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_outputs: Vec<FailedOutput>,
}

impl TaskFact<'_> {
    /// The name of the event.
    pub fn event_type(&self) -> EventType {
        self.detail.event_type(self.job.map(|job| job.kind))
    }
}

impl Event {
    /// Its name.
    pub fn event_type(&self) -> EventType {
        self.detail.event_type(self.job.as_ref().map(|job| job.kind))
    }

    /// The fact of a task that it is; none: it happened outside of any.
    pub fn of_task(&self) -> Option<TaskFact<'_>> {
        Some(TaskFact {
            id: &self.id,
            at: self.at,
            media: self.media.as_ref()?,
            task: self.task.as_ref()?,
            job: self.job.as_ref(),
            detail: &self.detail,
        })
    }

    /// What its deliveries keep their order by: the task, else the media, else itself.
    pub fn line(&self) -> &str {
        match (&self.task, &self.media) {
            (Some(task), _) => task.id.as_str(),
            (None, Some(media)) => media.id.as_str(),
            (None, None) => self.id.as_str(),
        }
    }
}
