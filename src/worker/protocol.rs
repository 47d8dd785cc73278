//! What the daemon and a worker process say to each other: one order in, JSON lines out.
//!
//! The order is one line of JSON on the worker's stdin; stdin then stays open, and its end means "stop now".
//! The worker answers on stdout with one [`Message`] a line. Both sides are the same binary, so there is a
//! version only to catch a binary replaced under a running daemon. Deliberately absent: storages, keys, names
//! of final objects and secrets: a worker never learns where its files go.

use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::media::assembly::Assembly;
use crate::media::facts::MediaFacts;
use crate::media::family::Family;
use crate::media::limits::Limits;
use crate::media::product::JobEnd;
use crate::media::progress::Cost;
use crate::media::progress::Progress;
use crate::media::spec::Backend;
use crate::media::spec::MediaWork;
use serde::Deserialize;
use serde::Serialize;
use std::path::PathBuf;

/// Grows when a field changes its meaning.
pub const VERSION: u32 = 1;

/// One attempt: one or more jobs of one task over one source, in a single pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// [`VERSION`] of the sender.
    pub version: u32,
    /// This attempt.
    pub attempt: AttemptId,
    /// The jobs, each with its work.
    pub jobs: Vec<JobOrder>,
    /// Where the bytes come from.
    pub source: SourceOrder,
    /// Files that the jobs name beside it, each by the text that names it in their work.
    #[serde(default)]
    pub side: Vec<SourceOrder>,
    /// The descriptor of the socket over which relayed files come; none: there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<i32>,
    /// The other files of the source, in their order; what it is made of is said by `assembly`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<SourceOrder>,
    /// How the source and `members` go together; none: the source is one file or a family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assembly: Option<Assembly>,
    /// Private empty directory; the worker may write here and nowhere else.
    pub scratch: PathBuf,
    /// Threads the attempt may keep busy.
    pub threads: u32,
    /// Which hardware may be used.
    pub backend: Backend,
    /// Which NVIDIA device, by ordinal; none: the first there is.
    #[serde(default)]
    pub device: Option<u32>,
    /// Limits against hostile or hopeless sources.
    pub limits: Limits,
    /// How tightly the worker is confined.
    pub sandbox: SandboxMode,
}

/// One job of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobOrder {
    /// The job; also the name of its directory beneath `scratch`.
    pub job: JobId,
    /// What to make.
    pub work: MediaWork,
}

/// The source, or a file beside it: an open descriptor, or a file of the attempt's relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceOrder {
    /// Number of the inherited descriptor, open for reading; means nothing where it is relayed.
    pub descriptor: i32,
    /// Its file name, for the demuxer's guess and for messages; of a file beside the source the text that names it in
    /// the work. Never opened.
    pub name: String,
    /// Bytes at the time of the lease.
    pub size_bytes: u64,
    /// Modification time at the time of the lease, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// It is a folder, and these files in it are the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// What each file of the family was at the time of the lease: bytes, and time in nanoseconds since 1970; empty: the
    /// folder itself tells whether anything changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<(u64, i64)>,
    /// Its bytes come over the relay, as the file of this number, and its identity is watched over there; none: from its
    /// own descriptor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<u32>,
    /// The pictures of a family that is relayed, which have the numbers from [`SourceOrder::relay`] on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relayed: Vec<RelayedPicture>,
}

/// One picture of a relayed family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayedPicture {
    /// Its file name.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
}

/// How tightly a worker is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SandboxMode {
    /// Everything the kernel offers; what it lacks is reported.
    #[default]
    Auto,
    /// Everything, or the attempt fails.
    Required,
    /// Nothing: for debugging.
    Off,
}

/// One line from a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum Message {
    /// The worker is confined and about to read the source. Names of sandbox layers the kernel lacks.
    Started {
        /// Layers that could not be set.
        sandbox_missing: Vec<String>,
    },
    /// The facts of the source, before the pass begins.
    Facts {
        /// The facts.
        facts: Box<MediaFacts>,
    },
    /// How far the pass is; at most a few a second.
    Progress(Progress),
    /// One job ended; comes once for each job, after all its files are whole, proved and synced.
    JobEnded {
        /// Which.
        job: JobId,
        /// How.
        end: Box<JobEnd>,
    },
    /// What libav said of errors while it worked, the latest lines.
    Heard {
        /// The lines.
        lines: Vec<String>,
    },
    /// The whole attempt failed: every job that has not ended yet fails with this.
    AttemptFailed {
        /// Why.
        fault: Fault,
    },
    /// All is said.
    Finished {
        /// What the pass cost.
        cost: Cost,
    },
}
