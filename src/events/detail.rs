//! What an event tells: one variant a kind of fact, in our own words.
//!
//! Guarantees: complete by itself; serialised facts of earlier versions are still read (fields are only added, with
//! defaults). Deliberately absent: what the fact is about (`Event`), and its name (`event_type`).

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::AlertId;
use crate::base::ids::OutputId;
use crate::events::JobBrief;
use crate::events::library::LibraryFact;
use crate::events::made::FileBrief;
use crate::events::made::MadeOutput;
use crate::media::facts::MediaFacts;
use crate::media::product::QcReport;
use crate::objects::uri::ObjectUri;
use crate::workflow::opinion::Opinion;
use crate::workflow::status::TaskStatus;
use serde::Deserialize;
use serde::Serialize;

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
        /// Why it is missing, where its job takes what it gets; a failed job has its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<Fault>,
    },
    /// Every output of a group ended.
    OutputGroupEnded {
        /// The group's own id.
        group: OutputId,
        /// Its name.
        name: String,
        /// Its outputs stand, but for those that its job may do without.
        ok: bool,
    },
    /// A transcode ended.
    TranscodeEnded {
        /// What it made, and what it should have made.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        outputs: Vec<MadeOutput>,
    },
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
        /// Files under numbers from 1 on, where `object` has the place of one.
        #[serde(default)]
        file_count: u32,
        /// When the first stills were taken, seconds, in the order of their numbers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        times_s: Vec<f64>,
    },
    /// An animated picture was made, or will not be.
    AnimationEnded {
        /// Where it stands.
        object: Option<ObjectUri>,
        /// Bytes.
        #[serde(default)]
        size_bytes: u64,
        /// MD5.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        md5: Option<String>,
        /// What it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<Box<FileBrief>>,
    },
    /// Quality control ended.
    QcEnded {
        /// What it found, also where that failed the job; none where it could not be looked at.
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
    /// What other facts say of a transcode, for whoever still listens to the older calls.
    Legacy {
        /// Which.
        fact: Box<LegacyFact>,
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
        /// What is known of its source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Box<FileBrief>>,
    },
}

/// What the older transcode calls announce.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "legacy", rename_all = "snake_case")]
pub enum LegacyFact {
    /// One output, their sub-job.
    OutputEnded {
        /// The output's own id.
        output: OutputId,
        /// Where it stands; none on failure.
        object: Option<ObjectUri>,
        /// Bytes, of a set all its files.
        size_bytes: u64,
        /// Its facts as re-read.
        facts: Option<Box<MediaFacts>>,
        /// Why it is missing, where its job takes what it gets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<Fault>,
    },
    /// All outputs, their main job.
    JobEnded {
        /// Each of them.
        outputs: Vec<MadeOutput>,
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
