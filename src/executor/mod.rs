//! Carries out what the scheduler decided: attempts as child processes, publishing into storages.
//!
//! Guarantees: [`Executor::carry_out`] ends with one [`AttemptEnd`] whatever the child does; [`Executor::publish`]
//! may be called again after a crash at any instant and adopts what it already did. Deliberately absent: policy
//! (what to run, when to retry, where outputs go), and the database.

pub mod after;
mod attempt;
mod attempt_log;
mod bucket_source;
pub mod devices;
mod grouped;
pub mod hook;
mod inheritance;
pub mod landing;
pub mod local;
pub mod names;
pub mod publish;
pub mod pull;
pub mod relay;
pub mod side;

pub use crate::objects::pool;

use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::executor::hook::HookAnswer;
use crate::executor::hook::HookOrder;
use crate::media::device_report::DeviceReport;
use crate::media::facts::MediaFacts;
use crate::media::limits::Limits;
use crate::media::product::JobEnd;
use crate::media::product::ProductFile;
use crate::media::progress::Cost;
use crate::media::progress::Progress;
use crate::media::spec::Backend;
use crate::media::spec::MediaWork;
use crate::objects::uri::ObjectUri;
use crate::workflow::arrival::Parts;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde::Serialize;
use std::path::PathBuf;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What is to be carried out in one child process.
#[derive(Debug, Clone)]
pub struct AttemptOrder {
    /// The attempt; names its scratch directory.
    pub attempt: AttemptId,
    /// Its task, for logs.
    pub task: TaskId,
    /// Its jobs.
    pub jobs: Vec<(JobId, MediaWork)>,
    /// The source.
    pub source: ObjectUri,
    /// The identity the source must still have; of several files that are one source, that of all together.
    pub identity: Identity,
    /// What the source consists of and what was said of it beside it; none: it is one file, and nothing was.
    pub parts: Option<Parts>,
    /// Threads the attempt may keep busy.
    pub threads: u32,
    /// Which hardware it may use.
    pub backend: Backend,
    /// Which NVIDIA device, by ordinal; none: the first there is.
    pub device: Option<u32>,
    /// Limits against hostile sources.
    pub limits: Limits,
}

/// What tells one content of a key from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970; 0 where the storage has none.
    pub mtime_ns: i64,
    /// ETag of S3 objects, else empty.
    pub etag: String,
}

impl Identity {
    /// Whether `other`, seen at another time, is the same content: buckets tell by ETag, folders by time.
    pub fn is_same(&self, other: &Identity) -> bool {
        self.size_bytes == other.size_bytes
            && match self.etag.is_empty() || other.etag.is_empty() {
                true => self.mtime_ns == 0 || other.mtime_ns == 0 || self.mtime_ns == other.mtime_ns,
                false => self.etag == other.etag,
            }
    }
}

/// News of a running attempt.
#[derive(Debug, Clone)]
pub enum AttemptUpdate {
    /// The facts of the source.
    Facts(Box<MediaFacts>),
    /// How far it is.
    Progress(Progress),
    /// One job ended; its files lie in scratch until [`Executor::discard`].
    JobEnded(JobId, Box<JobEnd>),
    /// What there is to tell of it, in lines; comes last.
    Log(String),
}

/// How an attempt ended. Jobs that were not reported by then have no result.
#[derive(Debug, Clone)]
pub struct AttemptEnd {
    /// Why, when the attempt as a whole failed: the child died, hung, was stopped, or the source failed it.
    pub fault: Option<Fault>,
    /// The child died by itself (signal, non-zero exit): its jobs are to be retried apart.
    pub crashed: bool,
    /// It was stopped because the token was cancelled.
    pub stopped: bool,
    /// What it cost, when it came to say so.
    pub cost: Option<Cost>,
}

/// One file to put under its final name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishFile {
    /// Relative to the attempt's scratch directory; empty for copies.
    pub scratch_path: String,
    /// The object that it is a copy of; none: it lies in scratch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ObjectUri>,
    /// ETag with which that object has this hash; none: it lies in a folder, or only the hash is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_etag: Option<String>,
    /// Id of the output it belongs to; objects in buckets bear it.
    #[serde(default)]
    pub output: String,
    /// Where it goes.
    pub to: ObjectUri,
    /// Bytes.
    pub size_bytes: u64,
    /// MD5, 32 lower-case hex digits.
    pub md5: String,
    /// May replace what stands there.
    pub overwrite: bool,
}

/// Carries out attempts and publishes their results.
pub trait Executor: Send + Sync {
    /// Runs one attempt to its end. Updates are sent as they come. When `stop` is cancelled the child is asked to
    /// stop, then killed. The scratch directory stays until [`discard`](Executor::discard).
    fn carry_out<'a>(
        &'a self,
        order: AttemptOrder,
        updates: mpsc::Sender<AttemptUpdate>,
        stop: CancellationToken,
    ) -> BoxFuture<'a, AttemptEnd>;

    /// What stands at `object` now: its identity, or none.
    fn head<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<Identity>, Fault>>;

    /// Replaces the references in a text file of an attempt (see `media::product::reference`) by relative names, where
    /// `main_key` is the final key of the file itself and `keys` those of the others; returns its new size and MD5.
    /// Repeating it with other keys works: it starts from the file as the worker wrote it.
    fn write_names<'a>(
        &'a self,
        attempt: &'a AttemptId,
        file: &'a ProductFile,
        main_key: &'a str,
        keys: Vec<(crate::media::product::Place, String)>,
    ) -> BoxFuture<'a, Result<ProductFile, Fault>>;

    /// Puts every file under its final name: copy into `STORAGE/.reelmill/ATTEMPT/`, fsync, compare the hash, rename,
    /// fsync the folder; in buckets: send all parts, complete. In the order given, so manifests stand last. What already
    /// stands under its name with the same size and hash is adopted. Answers what stands there, file by file, as it was
    /// right after it was named; buckets tell contents apart by ETag, so their time is 0.
    fn publish<'a>(
        &'a self,
        attempt: &'a AttemptId,
        files: &'a [PublishFile],
    ) -> BoxFuture<'a, Result<Vec<Identity>, Fault>>;

    /// Takes away again what a publish that failed for good has named already, as far as it replaced nothing. Answers
    /// the names under which something of somebody else stands.
    fn withdraw<'a>(&'a self, files: &'a [PublishFile]) -> BoxFuture<'a, Vec<ObjectUri>> {
        let _ = files;
        Box::pin(async { Vec::new() })
    }

    /// Removes the scratch directory of an attempt, and what it staged in the named storages.
    fn discard<'a>(&'a self, attempt: &'a AttemptId, storages: &'a [String]) -> BoxFuture<'a, ()>;

    /// At start: removes scratch directories and what was staged of every attempt but these.
    fn sweep<'a>(&'a self, keep: &'a [AttemptId]) -> BoxFuture<'a, ()>;

    /// Applies the source's `after` rule; called only after everything is published. Adopts a finished one.
    fn after<'a>(
        &'a self,
        source: &'a ObjectUri,
        identity: &'a Identity,
        rule: &'a crate::workflow::resolved::AfterRule,
    ) -> BoxFuture<'a, Result<(), Fault>>;

    /// Size and MD5 of what stands at `object` now, read whole; none: no file does.
    ///
    /// # Errors
    /// The storage is unknown or does not answer.
    fn measure<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<(u64, String)>, Fault>>;

    /// Asks a program outside. Ends within the time of the order, and soon after `stop` is cancelled; nothing of a
    /// program that was started is left then. An executor that asks nobody says so.
    ///
    /// # Errors
    /// Nobody could be asked, or the answer is none.
    fn ask<'a>(&'a self, order: HookOrder, stop: CancellationToken) -> BoxFuture<'a, Result<HookAnswer, Fault>> {
        drop(stop);
        Box::pin(async move { Err(hook::nobody_here(&order)) })
    }

    /// Where an object lies on this host, for programs of this host; none: it has no path, or none that is text.
    fn path_of(&self, object: &ObjectUri) -> Option<PathBuf> {
        let _ = object;
        None
    }

    /// What devices attempts may be given, asked anew. An executor without any says so.
    ///
    /// # Errors
    /// They could not be asked.
    fn devices<'a>(&'a self) -> BoxFuture<'a, Result<DeviceReport, Fault>> {
        Box::pin(async { Ok(DeviceReport::default()) })
    }

    /// Where an attempt may write.
    fn scratch_dir(&self, attempt: &AttemptId) -> PathBuf;
}
