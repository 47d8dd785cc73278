//! What this module needs of the running program and may not reach by itself: the daemon gives it.
//!
//! Guarantees: everything here may be called by many requests at once. Deliberately absent: the database, which
//! handlers use directly.

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::base::progress_board::RunsOn;
use crate::media::device_report::DeviceFacts;
use crate::media::device_report::DeviceReport;
use crate::objects::incoming::Incoming;
use crate::objects::inflow::Synced;
use crate::objects::uri::ObjectUri;
use crate::workflow::destination::Definition;
use crate::workflow::storage::Definition as StorageDefinition;
use axum::body::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use std::ops::Range;

/// Objects of the registered storages.
pub trait ObjectAccess: Send + Sync {
    /// What stands at `object` now; none: nothing.
    ///
    /// # Errors
    /// The storage is unknown or does not answer.
    fn head<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<ObjectHead>, Fault>>;

    /// Opens `object` for reading; none: there is no such object. Never leaves the storage, whatever the key.
    ///
    /// # Errors
    /// The storage is unknown or does not answer.
    fn open<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<Box<dyn OpenObject>>, Fault>>;

    /// Keys of `storage` that begin with `prefix`, after the key `after` in the storage's own order, at most `limit`.
    ///
    /// # Errors
    /// The storage is unknown or does not answer.
    fn under<'a>(
        &'a self,
        storage: &'a str,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, Fault>>;
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHead {
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970; 0 where the storage has none.
    pub mtime_ns: i64,
    /// ETag of S3 objects, else empty.
    pub etag: String,
}

/// One object that was opened: whatever happens to its name, this content is read.
pub trait OpenObject: Send {
    /// What tells its content from another.
    fn head(&self) -> ObjectHead;

    /// The bytes of `range`, which lies within the size.
    ///
    /// # Errors
    /// `SourceChanged` where another content stands there by now; the storage does not answer.
    fn read(self: Box<Self>, range: Range<u64>) -> BoxFuture<'static, Result<Content, Fault>>;
}

/// The bytes of an object, a piece at a time. An error breaks the answer off: what came is of one content.
pub type Content = BoxStream<'static, Result<Bytes, std::io::Error>>;

/// Makes, extends and removes objects of the registered storages.
///
/// A file that comes in piece by piece is begun, opened for each request that brings more of it, and synced before
/// anybody is told how much of it is there; whoever finishes it gives it its name (`objects::inflow`).
pub trait ObjectWriter: Send + Sync {
    /// Whether there is a storage of this name.
    fn has(&self, storage: &str) -> bool;

    /// Makes ready for the first byte of `incoming`.
    ///
    /// # Errors
    /// `OutputDiskFull` where `size_bytes` do not fit; the storage is unknown or does not answer.
    fn begin<'a>(&'a self, incoming: &'a Incoming, size_bytes: Option<u64>) -> BoxFuture<'a, Result<(), Fault>>;

    /// How much of `incoming` lies there; none: it was not begun, or has its name already.
    ///
    /// # Errors
    /// The storage is unknown or does not answer.
    fn received<'a>(&'a self, incoming: &'a Incoming) -> BoxFuture<'a, Result<Option<u64>, Fault>>;

    /// Opens `incoming` to go on at `offset`; what lies beyond is dropped. `size_bytes`: of the whole, where known.
    ///
    /// # Errors
    /// `UploadLost` when less than `offset` is there; the storage is unknown or does not answer.
    fn append<'a>(
        &'a self,
        incoming: &'a Incoming,
        offset: u64,
        size_bytes: Option<u64>,
    ) -> BoxFuture<'a, Result<Box<dyn OpenIncoming>, Fault>>;

    /// Drops what came of `incoming`; nothing there is fine.
    ///
    /// # Errors
    /// The storage is unknown or does not answer.
    fn discard<'a>(&'a self, incoming: &'a Incoming) -> BoxFuture<'a, Result<(), Fault>>;

    /// Removes `object`, and the folders above it that are empty then, as long as they lie beneath the folder `keep`
    /// (empty: beneath the root). Says whether the object was there.
    ///
    /// # Errors
    /// The storage is unknown, does not answer or refuses.
    fn remove<'a>(&'a self, object: &'a ObjectUri, keep: &'a str) -> BoxFuture<'a, Result<bool, Fault>>;
}

/// A file that comes in, opened by one request. Dropping it loses what was not synced, and nothing else.
pub trait OpenIncoming: Send {
    /// Takes the next bytes.
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), Fault>>;

    /// Makes durable what was written, says up to which offset that holds, and what is to be kept with it.
    fn sync(&mut self) -> BoxFuture<'_, Result<Synced, Fault>>;
}

/// How far running jobs are. Lives in memory, so it is asked, never kept.
pub trait LiveProgress: Send + Sync {
    /// Every running job with its task.
    fn running(&self) -> Vec<Live>;

    /// What a job waits for that could run, in a sentence; none: nothing that is known.
    fn why_waiting(&self, job: &JobId) -> Option<String>;
}

/// How far one running job is.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Its task.
    pub task: TaskId,
    /// The job.
    pub job: JobId,
    /// 0..=100, never falling.
    pub percent: f64,
    /// Source frames done.
    pub frames: u64,
    /// Source frames a second.
    pub fps: f64,
    /// Source seconds a second.
    pub speed: f64,
    /// Seconds left.
    pub eta_s: Option<f64>,
    /// The device it was given; none: the processors.
    pub device: Option<RunsOn>,
}

/// What can be known and asked of NVIDIA devices.
pub trait DeviceControl: Send + Sync {
    /// What the last look found, and what runs on them.
    fn devices(&self) -> DevicesState;

    /// Asks for a look soon; false: the configuration says that none may be used.
    fn look(&self) -> bool;
}

/// The devices as they are known now.
#[derive(Debug, Clone)]
pub struct DevicesState {
    /// When they were last looked at; none: not yet.
    pub looked_at: Option<UtcMs>,
    /// What the driver said then, of all devices of the host, or why it said nothing.
    pub report: Option<Result<DeviceReport, Fault>>,
    /// Those that may be used.
    pub used: Vec<DeviceUse>,
}

/// One device that may be used.
#[derive(Debug, Clone)]
pub struct DeviceUse {
    /// What its driver said when it was last there.
    pub facts: DeviceFacts,
    /// Attempts that run on it.
    pub attempts: u32,
    /// Most at once.
    pub attempts_limit: u32,
    /// Encoder sessions they have, by estimate.
    pub sessions: u32,
    /// Most at once; none: not known.
    pub sessions_limit: Option<u32>,
    /// Memory they have, by estimate, bytes.
    pub memory_bytes: u64,
    /// Most at once, bytes.
    pub memory_limit_bytes: u64,
    /// It failed, and gets no work.
    pub set_aside: Option<SetAside>,
}

/// Why a device gets no work.
#[derive(Debug, Clone)]
pub struct SetAside {
    /// Since when.
    pub since: UtcMs,
    /// Why, without a closing full stop.
    pub why: String,
    /// When it is looked at again.
    pub next_look: UtcMs,
}

/// What triggers and storages can be asked while they run.
pub trait StorageControl: Send + Sync {
    /// The registered storages.
    fn storages(&self) -> Vec<StorageState>;

    /// Asks for a reconcile scan of `storage` soon; false: there is no such storage, or it is not watched.
    fn scan(&self, storage: &str) -> bool;

    /// Takes what is in `storage` now for the storage; false: there is no such storage, or it is not watched.
    fn thaw(&self, storage: &str) -> bool;

    /// What the storage and the rules of its trigger say of an object now, the weightiest first. Answers in seconds,
    /// whatever hangs; nothing counts as seen because of it.
    fn explain<'a>(&'a self, storage: &'a str, key: &'a str) -> BoxFuture<'a, Vec<Word>>;
}

/// One thing that is to be said of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The rule or state, one word for programs.
    pub code: &'static str,
    /// It keeps the object from being triggered.
    pub prevents: bool,
    /// A sentence for people, with its full stop.
    pub text: String,
}

/// One registered storage as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageState {
    /// Name.
    pub name: String,
    /// `folder` or `s3`.
    pub kind: String,
    /// Path of a folder, address and bucket of S3.
    pub location: String,
    /// How it is watched now: `inotify`, `poll`, `list` or `off`.
    pub watch: String,
    /// Type of its file system; empty: not known, or a bucket.
    pub file_system: String,
    /// Whether it answers, and what it answers is believed.
    pub available: bool,
    /// Why triggering is stopped; none: it is not.
    pub frozen: Option<String>,
    /// Why it is not available, or what deserves a look.
    pub note: Option<String>,
    /// Free and all bytes of its file system.
    pub space: Option<(u64, u64)>,
    /// Objects known.
    pub objects: u64,
    /// Objects seen that have not settled.
    pub backlog: u64,
    /// Those of them that wait longest, a few.
    pub waiting: Vec<WaitingObject>,
    /// How many of them wait until somebody does something.
    pub troubled: u64,
    /// The whole scan that goes on.
    pub scan: Option<Scanning>,
    /// When its last complete scan ended.
    pub last_scan: Option<UtcMs>,
    /// How long that one took, milliseconds.
    pub last_scan_ms: u64,
    /// Calls to the service in the last hour, of buckets.
    pub calls_per_hour: Option<u64>,
}

/// An object that was seen and has not settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingObject {
    /// Its key.
    pub key: String,
    /// Bytes when it was last looked at.
    pub size_bytes: u64,
    /// Since when it is looked at.
    pub since: UtcMs,
    /// What it waits for, in a sentence; none: for nothing but the usual looks.
    pub why: Option<String>,
}

/// How far a whole scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanning {
    /// When it began.
    pub began: UtcMs,
    /// Objects it has met.
    pub found: u64,
    /// About how many there are; none: not known.
    pub expected: Option<u64>,
    /// It is the storage's first one.
    pub first: bool,
}

impl StorageState {
    /// In one word: `available`, `scanning` (for the first time), `frozen`, `unavailable` or `waiting`.
    pub fn status(&self) -> &'static str {
        match (&self.frozen, &self.scan) {
            (Some(_), _) => "frozen",
            (None, Some(scan)) if self.available && scan.first => "scanning",
            _ if self.available => "available",
            _ if self.note.is_some() => "unavailable",
            _ => "waiting",
        }
    }

    /// Why it is frozen or unavailable.
    pub fn why(&self) -> Option<&str> {
        match &self.frozen {
            Some(why) => Some(why),
            None => self.note.as_deref().filter(|_| !self.available),
        }
    }
}

/// Makes, changes, removes and tries storages while the program runs.
pub trait StorageMaking: Send + Sync {
    /// How they are written, those of the configuration first, also those that cannot be used.
    fn written(&self) -> BoxFuture<'_, Result<Vec<StorageWritten>, Fault>>;

    /// Makes one, or changes it where `replace` says so; true: it is new. A folder that is missing is made where
    /// `make_folder` says so. Done when it is kept and watched.
    fn save(
        &self,
        definition: StorageDefinition,
        replace: bool,
        make_folder: bool,
    ) -> BoxFuture<'_, Result<bool, StorageRefused>>;

    /// Removes one that nothing uses.
    fn remove(&self, name: String) -> BoxFuture<'_, Result<(), StorageRefused>>;

    /// Lists it, writes into it, reads that back and removes it.
    fn probe<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<ProbeStep>, Fault>>;

    /// Puts a test clip of `seconds` at `key`, as somebody's file would come.
    fn sample<'a>(&'a self, name: &'a str, key: &'a str, seconds: u32) -> BoxFuture<'a, Result<SampleMade, Fault>>;

    /// Where they may be made.
    fn ground(&self) -> BoxFuture<'_, StorageGround>;
}

/// How a storage is written.
#[derive(Debug, Clone, PartialEq)]
pub struct StorageWritten {
    /// What it is, with its keys.
    pub definition: StorageDefinition,
    /// Where it stands.
    pub origin: StorageOrigin,
    /// Why it cannot be used; none: it can.
    pub fault: Option<String>,
}

/// Where a storage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageOrigin {
    /// In the configuration file; read-only.
    File,
    /// In the database.
    Api {
        /// When it was made.
        created: UtcMs,
        /// When it was last changed.
        modified: UtcMs,
    },
}

/// Why a storage was not made, changed or removed.
#[derive(Debug)]
pub enum StorageRefused {
    /// There is none of this name.
    Unknown,
    /// The state of things does not allow it.
    Conflict(Box<Fault>),
    /// Anything else.
    Fault(Box<Fault>),
}

impl From<Fault> for StorageRefused {
    fn from(fault: Fault) -> Self {
        StorageRefused::Fault(Box::new(fault))
    }
}

/// How a storage took one step of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStep {
    /// `list`, `write`, `read` or `remove`.
    pub name: &'static str,
    /// Why it failed; none: it did not.
    pub error: Option<String>,
    /// What to do then.
    pub remedy: Option<String>,
    /// How long it took.
    pub took_ms: u64,
}

/// A test clip that was put into a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleMade {
    /// Where it stands.
    pub key: String,
    /// Its size.
    pub size_bytes: u64,
}

/// Where storages may be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageGround {
    /// Folders beneath which they may lie.
    pub roots: Vec<RootState>,
    /// Buckets may be served by this very host.
    pub local_buckets: bool,
}

/// A folder beneath which storages may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootState {
    /// Where it is.
    pub path: String,
    /// It is there.
    pub is_there: bool,
    /// Free and all bytes of its file system.
    pub space: Option<(u64, u64)>,
}

/// Takes in what services post of their buckets.
pub trait BucketNotices: Send + Sync {
    /// Takes a body that was posted for `storage` by somebody who shows `offered`; done when it is on disk.
    fn take<'a>(
        &'a self,
        storage: &'a str,
        offered: Vec<String>,
        body: Bytes,
    ) -> BoxFuture<'a, Result<(), NoticeRefused>>;
}

/// Why what was posted of a bucket was not taken.
#[derive(Debug)]
pub enum NoticeRefused {
    /// There is no such storage, or its bucket may not tell.
    Unknown,
    /// The secret is missing or wrong.
    Secret,
    /// It cannot be read, with a sentence.
    Unreadable(String),
    /// Worth another try.
    Later(Box<Fault>),
}

/// The destinations of events as the running program has them.
pub trait DestinationControl: Send + Sync {
    /// All of them, by name.
    fn destinations(&self) -> Vec<DestinationState>;

    /// Checks one that is about to be made; keeps nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, definition: &Definition) -> Result<(), Fault>;

    /// Takes over what the database says of destinations now.
    ///
    /// # Errors
    /// The database failed.
    fn changed(&self) -> BoxFuture<'_, Result<(), Fault>>;

    /// Sends a test event to one now.
    ///
    /// # Errors
    /// There is no such destination, or nothing can be told to it.
    fn trial<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<TrialAnswer, Fault>>;
}

/// One destination as it is now.
#[derive(Debug, Clone)]
pub struct DestinationState {
    /// What it is, with its secrets.
    pub definition: Definition,
    /// It stands in the configuration file: read-only.
    pub of_file: bool,
    /// The unified callback goes to it.
    pub unified: bool,
    /// It took nothing lately.
    pub open: bool,
    /// When it is asked again, where it took nothing.
    pub next_try: Option<UtcMs>,
    /// When it last accepted something, since the start.
    pub last_success: Option<UtcMs>,
    /// When and why it last did not, since the start.
    pub last_error: Option<(UtcMs, String)>,
    /// Tries the two below are made of.
    pub tries: usize,
    /// Half of the tries took at most so long.
    pub p50_ms: Option<i64>,
    /// 95 of 100 tries took at most so long.
    pub p95_ms: Option<i64>,
}

/// What became of a test event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialAnswer {
    /// HTTP status, or 200 where there are none and it was accepted.
    pub status: Option<u16>,
    /// Why it was not accepted.
    pub error: Option<String>,
    /// First bytes of the answer.
    pub answer: Option<String>,
    /// How long it took.
    pub took_ms: i64,
}
