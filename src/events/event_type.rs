//! Names of events, and which fact bears which.
//!
//! Guarantees: every fact has one name, the one by which destinations select it. Deliberately absent: other names that a
//! profile gives to the same fact (`profile`).

use crate::events::detail::Detail;
use crate::events::detail::LegacyFact;
use crate::events::library::LibraryFact;
use crate::events::library::MediaType;
use crate::events::library::Role;
use crate::workflow::resolved::ActivityKind;
use serde::Deserialize;
use serde::Serialize;

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

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// It is sent only to destinations that name it.
    pub fn opt_in(self) -> bool {
        matches!(self, EventType::WorkflowTaskStart | EventType::WorkflowTaskProgress)
    }

    /// It says in the words of the older transcode calls what other events say, too.
    pub fn is_legacy(self) -> bool {
        matches!(self, EventType::TranscodeComplete | EventType::TranscodeParentComplete)
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
            Detail::TranscodeEnded { .. } => EventType::MediaConvertComplete,
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
            Detail::Legacy { fact } => match fact.as_ref() {
                LegacyFact::OutputEnded { .. } => EventType::TranscodeComplete,
                LegacyFact::JobEnded { .. } => EventType::TranscodeParentComplete,
            },
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
