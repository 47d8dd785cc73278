//! Facts of the media library: what was uploaded, registered, changed, reviewed and deleted.
//!
//! Guarantees: complete by themselves, like every fact; what failed carries its fault. Deliberately absent: the
//! clouds' spelling (the profiles).

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::base::ids::ReviewId;
use crate::objects::uri::ObjectUri;
use serde::Deserialize;
use serde::Serialize;

/// What a file in the library is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaType {
    /// Moving pictures, with or without sound.
    Video,
    /// Sound alone.
    Audio,
    /// A still picture.
    Image,
    /// Subtitles and other text.
    Text,
}

impl MediaType {
    /// All of them.
    pub const ALL: [MediaType; 4] = [MediaType::Video, MediaType::Audio, MediaType::Image, MediaType::Text];

    /// The word on the wire and in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            MediaType::Video => "video",
            MediaType::Audio => "audio",
            MediaType::Image => "image",
            MediaType::Text => "text",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// What a file that came in became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A media of its own.
    Media,
    /// Something that belongs to a media: subtitles, a watermark, a picture.
    Attachment,
    /// A rendition or track of a media that was made elsewhere (the clouds' stream).
    Rendition,
}

impl Role {
    /// The word in rows and on our own wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Media => "media",
            Role::Attachment => "attachment",
            Role::Rendition => "rendition",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(word: &str) -> Option<Self> {
        [Role::Media, Role::Attachment, Role::Rendition]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

/// What is deleted of a media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeleteType {
    /// Record, outputs and source.
    All,
    /// The record alone; its files stay.
    Media,
    /// Its outputs; record and source stay.
    Outputs,
    /// Its source; record and outputs stay.
    Source,
}

impl DeleteType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            DeleteType::All => "all",
            DeleteType::Media => "media",
            DeleteType::Outputs => "outputs",
            DeleteType::Source => "source",
        }
    }
}

/// What a review came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuditStatus {
    /// Approved.
    Normal,
    /// Blocked.
    Blocked,
}

impl AuditStatus {
    /// The word on the wire and in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            AuditStatus::Normal => "Normal",
            AuditStatus::Blocked => "Blocked",
        }
    }
}

/// One field of a media that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// `title`, `description`, `tags`, `category`, `cover` or `user_data`.
    pub field: String,
    /// What it was; empty: nothing. Tags are separated by commas, a cover is its object or its address.
    pub old: String,
    /// What it is.
    pub new: String,
}

/// One fact of the library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum LibraryFact {
    /// A file came in, or could not be kept.
    Uploaded {
        /// What it became.
        role: Role,
        /// What it is.
        media_type: MediaType,
        /// The job that fetched it, and from where; none: it was sent to us.
        pulled: Option<Pulled>,
        /// Where it stands; none on failure.
        object: Option<ObjectUri>,
        /// Bytes.
        size_bytes: u64,
        /// The caller's JSON text, echoed.
        user_data: Option<String>,
        /// Why it failed.
        fault: Option<Fault>,
    },
    /// A rendition or track that was made elsewhere and stands in a storage was added to a media.
    StreamRegistered {
        /// Where it stands.
        object: ObjectUri,
        /// The caller's JSON text, echoed.
        user_data: Option<String>,
        /// Why it failed.
        fault: Option<Fault>,
    },
    /// An object was registered as a media, and looked at.
    MediaRegistered {
        /// The caller's JSON text, echoed.
        user_data: Option<String>,
        /// Why it failed.
        fault: Option<Fault>,
    },
    /// A media, or files of it, were deleted.
    MediaDeleted {
        /// What was asked for.
        delete_type: DeleteType,
        /// Files that are gone.
        objects: Vec<ObjectUri>,
        /// Why it failed; what is listed is gone all the same.
        fault: Option<Fault>,
    },
    /// What is said about a media changed.
    MediaChanged {
        /// What the media is.
        media_type: MediaType,
        /// The fields.
        changes: Vec<FieldChange>,
    },
    /// A person, or the time limit, ended a review.
    ReviewEnded {
        /// The review.
        review: ReviewId,
        /// What it came to; none: it failed, see `fault`.
        audit: Option<AuditStatus>,
        /// Who decided.
        auditor: String,
        /// Why.
        reason: String,
        /// What they said.
        comment: String,
        /// When it was asked for.
        asked_at: UtcMs,
        /// Why there is no decision.
        fault: Option<Fault>,
    },
}

/// The fetching of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    /// The job.
    pub job: JobId,
    /// From where, without user name and password.
    pub url: String,
}
