//! Facts in the outside world's words.
//!
//! An [`Event`] is written in the same transaction as the change it tells, and holds all that any wire profile
//! needs, so a replay a month later says the same thing. Guarantees: complete by itself. Deliberately absent:
//! transport, and the deployment's own names (user id, region, URLs), which are added when it is rendered.

pub mod ims;
pub mod library;
pub mod native;
pub mod profile;
#[cfg(test)]
pub(crate) mod specimen;
pub mod urls;
pub mod vod;

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::AlertId;
use crate::base::ids::EventId;
use crate::base::ids::JobId;
use crate::base::ids::MediaId;
use crate::base::ids::OutputId;
use crate::base::ids::TaskId;
use crate::base::ids::WorkflowId;
use crate::events::library::LibraryFact;
use crate::events::library::MediaType;
use crate::events::library::Role;
use crate::media::facts::MediaFacts;
use crate::media::product::FailedOutput;
use crate::media::product::QcReport;
use crate::objects::uri::ObjectUri;
use crate::workflow::opinion::Opinion;
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
    /// A program or a person said what they think of the media, or did not.
    OpinionEnded {
        /// What; none on failure.
        opinion: Option<Box<Opinion>>,
    },
    /// A cover was chosen, or will not be.
    CoverEnded {
        /// The candidates that were kept, best first.
        candidates: Vec<CoverCandidate>,
    },
    /// Files were copied to another storage, or will not be.
    CopyEnded {
        /// Where they stand.
        objects: Vec<ObjectUri>,
    },
    /// How far a task is; opt-in.
    TaskProgressed {
        /// 0..=100 over all its jobs.
        percent: f64,
    },
    /// A fact of the library.
    Library {
        /// Which.
        fact: Box<LibraryFact>,
    },
    /// Something that a person should look at began, or is over.
    Alert {
        /// The alert.
        alert: AlertId,
        /// Its kind, CamelCase: `StorageFrozen`, `DeviceDrained`, `DiskLow`, `DeliveriesDead`.
        code: String,
        /// What it is about: the name of a storage, device, directory or destination.
        subject: String,
        /// What is wrong, in a sentence.
        cause: String,
        /// What a person can do.
        remedy: String,
        /// It is over.
        cleared: bool,
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

/// One picture that may stand for the media.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoverCandidate {
    /// How good it is; larger is better.
    pub score: f64,
    /// Its time in the source, milliseconds.
    pub time_ms: f64,
    /// Where it stands.
    pub object: ObjectUri,
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
    /// A file was uploaded.
    FileUploadComplete,
    /// A file was fetched.
    UploadByURLComplete,
    /// A picture was uploaded.
    ImageUploadComplete,
    /// An attachment was uploaded.
    AttachedMediaUploadComplete,
    /// A rendition made elsewhere was registered.
    RegisterStreamComplete,
    /// A rendition made elsewhere was uploaded.
    StreamUploadComplete,
    /// A rendition made elsewhere was fetched.
    UploadStreamByURLComplete,
    /// An object was registered as a media.
    RegisterMediaComplete,
    /// A media or files of it were deleted.
    DeleteMediaComplete,
    /// What is said about a media changed.
    MediaBaseChangeComplete,
    /// A review ended.
    CreateAuditComplete,
    /// Moderation ended.
    AIMediaAuditComplete,
    /// A cover was chosen.
    AIProduceComplete,
    /// Recognition or content analysis ended.
    MediaAiAnalysisComplete,
    /// A hook answered; ours alone.
    HookComplete,
    /// Files were copied; ours alone.
    CopyComplete,
    /// How far a task is; opt-in.
    WorkflowTaskProgress,
    /// Something needs a look; ours alone.
    AlertRaised,
    /// It is over; ours alone.
    AlertCleared,
    /// One output, in the words of the older API.
    TranscodeComplete,
    /// One transcode, in the words of the older API.
    TranscodeParentComplete,
}

impl EventType {
    /// All of them.
    pub const ALL: [EventType; 30] = [
        EventType::WorkflowTaskStart,
        EventType::WorkflowTaskComplete,
        EventType::VideoAnalysisComplete,
        EventType::MediaConvertOutputComplete,
        EventType::MediaConvertOutputGroupComplete,
        EventType::MediaConvertComplete,
        EventType::SnapshotComplete,
        EventType::DynamicImageComplete,
        EventType::QcComplete,
        EventType::FileUploadComplete,
        EventType::UploadByURLComplete,
        EventType::ImageUploadComplete,
        EventType::AttachedMediaUploadComplete,
        EventType::RegisterStreamComplete,
        EventType::StreamUploadComplete,
        EventType::UploadStreamByURLComplete,
        EventType::RegisterMediaComplete,
        EventType::DeleteMediaComplete,
        EventType::MediaBaseChangeComplete,
        EventType::CreateAuditComplete,
        EventType::AIMediaAuditComplete,
        EventType::AIProduceComplete,
        EventType::MediaAiAnalysisComplete,
        EventType::HookComplete,
        EventType::CopyComplete,
        EventType::WorkflowTaskProgress,
        EventType::AlertRaised,
        EventType::AlertCleared,
        EventType::TranscodeComplete,
        EventType::TranscodeParentComplete,
    ];

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
            EventType::FileUploadComplete => "FileUploadComplete",
            EventType::UploadByURLComplete => "UploadByURLComplete",
            EventType::ImageUploadComplete => "ImageUploadComplete",
            EventType::AttachedMediaUploadComplete => "AttachedMediaUploadComplete",
            EventType::RegisterStreamComplete => "RegisterStreamComplete",
            EventType::StreamUploadComplete => "StreamUploadComplete",
            EventType::UploadStreamByURLComplete => "UploadStreamByURLComplete",
            EventType::RegisterMediaComplete => "RegisterMediaComplete",
            EventType::DeleteMediaComplete => "DeleteMediaComplete",
            EventType::MediaBaseChangeComplete => "MediaBaseChangeComplete",
            EventType::CreateAuditComplete => "CreateAuditComplete",
            EventType::AIMediaAuditComplete => "AIMediaAuditComplete",
            EventType::AIProduceComplete => "AIProduceComplete",
            EventType::MediaAiAnalysisComplete => "MediaAiAnalysisComplete",
            EventType::HookComplete => "HookComplete",
            EventType::CopyComplete => "CopyComplete",
            EventType::WorkflowTaskProgress => "WorkflowTaskProgress",
            EventType::AlertRaised => "AlertRaised",
            EventType::AlertCleared => "AlertCleared",
            EventType::TranscodeComplete => "TranscodeComplete",
            EventType::TranscodeParentComplete => "TranscodeParentComplete",
        }
    }

    /// It is sent only to destinations that name it.
    pub fn opt_in(self) -> bool {
        matches!(self, EventType::WorkflowTaskStart | EventType::WorkflowTaskProgress)
    }
}

impl TaskFact<'_> {
    /// The name of the event.
    pub fn event_type(&self) -> EventType {
        self.detail.event_type(self.job.map(|job| job.kind))
    }
}

impl Detail {
    /// The name of the event that tells it, where it is about a job of this kind.
    pub fn event_type(&self, kind: Option<ActivityKind>) -> EventType {
        match self {
            Detail::TaskStarted => EventType::WorkflowTaskStart,
            Detail::AnalysisEnded { .. } => EventType::VideoAnalysisComplete,
            Detail::OutputEnded { .. } => EventType::MediaConvertOutputComplete,
            Detail::OutputGroupEnded { .. } => EventType::MediaConvertOutputGroupComplete,
            Detail::TranscodeEnded => EventType::MediaConvertComplete,
            Detail::SnapshotEnded { .. } => EventType::SnapshotComplete,
            Detail::AnimationEnded { .. } => EventType::DynamicImageComplete,
            Detail::QcEnded { .. } => EventType::QcComplete,
            Detail::TaskEnded { .. } => EventType::WorkflowTaskComplete,
            Detail::OpinionEnded { .. } => match kind {
                Some(ActivityKind::Moderation) => EventType::AIMediaAuditComplete,
                Some(ActivityKind::Recognition | ActivityKind::ContentAnalysis) => EventType::MediaAiAnalysisComplete,
                _ => EventType::HookComplete,
            },
            Detail::CoverEnded { .. } => EventType::AIProduceComplete,
            Detail::CopyEnded { .. } => EventType::CopyComplete,
            Detail::TaskProgressed { .. } => EventType::WorkflowTaskProgress,
            Detail::Alert { cleared: false, .. } => EventType::AlertRaised,
            Detail::Alert { cleared: true, .. } => EventType::AlertCleared,
            Detail::Library { fact } => of_library(fact),
        }
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

fn of_library(fact: &LibraryFact) -> EventType {
    match fact {
        LibraryFact::Uploaded {
            role,
            media_type,
            pulled,
            ..
        } => match (role, pulled) {
            (Role::Media, Some(_)) => EventType::UploadByURLComplete,
            (Role::Media, None) if *media_type == MediaType::Image => EventType::ImageUploadComplete,
            (Role::Media, None) => EventType::FileUploadComplete,
            (Role::Attachment, _) => EventType::AttachedMediaUploadComplete,
            (Role::Rendition, None) => EventType::StreamUploadComplete,
            (Role::Rendition, Some(_)) => EventType::UploadStreamByURLComplete,
        },
        LibraryFact::StreamRegistered { .. } => EventType::RegisterStreamComplete,
        LibraryFact::MediaRegistered { .. } => EventType::RegisterMediaComplete,
        LibraryFact::MediaDeleted { .. } => EventType::DeleteMediaComplete,
        LibraryFact::MediaChanged { .. } => EventType::MediaBaseChangeComplete,
        LibraryFact::ReviewEnded { .. } => EventType::CreateAuditComplete,
    }
}
