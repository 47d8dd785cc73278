//! Facts in the outside world's words.
//!
//! An [`Event`] is written in the same transaction as the change it tells, and holds all that any wire profile
//! needs, so a replay a month later says the same thing. Guarantees: complete by itself. Deliberately absent:
//! transport, and the deployment's own names (user id, region, URLs), which are added when it is rendered.

pub mod ims;
pub mod native;
pub mod profile;
#[cfg(test)]
pub(crate) mod specimen;
pub mod urls;
pub mod vod;

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::EventId;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::OutputId;
use crate::base::ids::TaskId;
use crate::base::ids::WorkflowId;
use crate::media::facts::MediaFacts;
use crate::media::product::FailedOutput;
use crate::media::product::QcReport;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;
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
    /// The media it is about.
    pub media: MediaBrief,
    /// The task it belongs to.
    pub task: TaskBrief,
    /// The job it tells of; none for facts of the task itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobBrief>,
    /// What happened.
    pub detail: Detail,
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

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Detail {
    /// The first job of a task began.
    TaskStarted,
    /// The facts of a source are known, or could not be had.
    AnalysisEnded {
        /// The facts; none on failure.
        facts: Option<Box<MediaFacts>>,
    },
    /// One output of a transcode stands under its final name, or will not.
    OutputEnded {
        /// The output's own id.
        output: OutputId,
        /// Its name in the definition.
        name: String,
        /// Its group's name.
        group: String,
        /// Where it stands; none on failure.
        object: Option<ObjectUri>,
        /// Bytes, of a set all its files.
        size_bytes: u64,
        /// MD5 of the main object.
        md5: Option<String>,
        /// Its facts as re-read.
        facts: Option<Box<MediaFacts>>,
    },
    /// Every output of a group ended.
    OutputGroupEnded {
        /// The group's own id.
        group: OutputId,
        /// Its name.
        name: String,
        /// Whether all its outputs succeeded.
        ok: bool,
    },
    /// A transcode ended.
    TranscodeEnded,
    /// Stills or sprites were made, or will not be.
    SnapshotEnded {
        /// `Normal`, `Sprite` or `WebVtt` as the clouds call it.
        snapshot_type: String,
        /// Pictures made.
        count: u32,
        /// Where they stand, with `{Count}` in the place of the number (or the single object).
        object: Option<ObjectUri>,
        /// The WebVTT index.
        webvtt: Option<ObjectUri>,
    },
    /// An animated picture was made, or will not be.
    AnimationEnded {
        /// Where it stands.
        object: Option<ObjectUri>,
    },
    /// Quality control ended.
    QcEnded {
        /// What it found; none on failure.
        report: Option<Box<QcReport>>,
        /// Where the report stands as a file.
        object: Option<ObjectUri>,
    },
    /// A task ended.
    TaskEnded {
        /// How.
        status: TaskStatus,
        /// Each of its activities.
        activities: Vec<ActivityBrief>,
    },
}

/// One activity in the event that ends a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivityBrief {
    /// The job.
    pub job: JobBrief,
    /// When its first attempt began.
    pub started_at: Option<UtcMs>,
    /// The event that told of its own end, where there was one.
    pub event: Option<Box<Detail>>,
}

/// Names of events as destinations select them and as `ims` spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventType {
    /// Opt-in.
    WorkflowTaskStart,
    /// A task ended.
    WorkflowTaskComplete,
    /// Facts are known.
    VideoAnalysisComplete,
    /// One output.
    MediaConvertOutputComplete,
    /// One output group.
    MediaConvertOutputGroupComplete,
    /// One transcode.
    MediaConvertComplete,
    /// Stills or sprites.
    SnapshotComplete,
    /// Animated picture.
    DynamicImageComplete,
    /// Quality control; ours alone.
    QcComplete,
}

impl EventType {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::WorkflowTaskStart => "WorkflowTaskStart",
            EventType::WorkflowTaskComplete => "WorkflowTaskComplete",
            EventType::VideoAnalysisComplete => "VideoAnalysisComplete",
            EventType::MediaConvertOutputComplete => "MediaConvertOutputComplete",
            EventType::MediaConvertOutputGroupComplete => "MediaConvertOutputGroupComplete",
            EventType::MediaConvertComplete => "MediaConvertComplete",
            EventType::SnapshotComplete => "SnapshotComplete",
            EventType::DynamicImageComplete => "DynamicImageComplete",
            EventType::QcComplete => "QcComplete",
        }
    }
}

impl Event {
    /// Its name.
    pub fn event_type(&self) -> EventType {
        match self.detail {
            Detail::TaskStarted => EventType::WorkflowTaskStart,
            Detail::AnalysisEnded { .. } => EventType::VideoAnalysisComplete,
            Detail::OutputEnded { .. } => EventType::MediaConvertOutputComplete,
            Detail::OutputGroupEnded { .. } => EventType::MediaConvertOutputGroupComplete,
            Detail::TranscodeEnded => EventType::MediaConvertComplete,
            Detail::SnapshotEnded { .. } => EventType::SnapshotComplete,
            Detail::AnimationEnded { .. } => EventType::DynamicImageComplete,
            Detail::QcEnded { .. } => EventType::QcComplete,
            Detail::TaskEnded { .. } => EventType::WorkflowTaskComplete,
        }
    }
}
