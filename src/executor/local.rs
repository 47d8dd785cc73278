//! The executor of this host: child processes, and storages that are folders.
//!
//! Guarantees: those of [`Executor`]; the source is opened by the daemon and handed to the worker as a descriptor or
//! read for it (`attempt`), so the worker needs no right to any storage; every touch of a folder goes through that
//! storage's own threads. Deliberately absent: policy and rows; what is said to buckets.

use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::executor::AttemptEnd;
use crate::executor::AttemptOrder;
use crate::executor::AttemptUpdate;
use crate::executor::Executor;
use crate::executor::Identity;
use crate::executor::PublishFile;
use crate::executor::after;
use crate::executor::bucket_source;
use crate::executor::devices;
use crate::executor::hook;
use crate::executor::hook::HookAnswer;
use crate::executor::hook::HookOrder;
use crate::executor::hook::Signer;
use crate::executor::hook::Ways;
use crate::executor::names;
use crate::executor::publish::Publisher;
use crate::media::device_report::DeviceReport;
use crate::media::family::Family;
use crate::media::product::Place;
use crate::media::product::ProductFile;
use crate::objects::local::Folder;
use crate::objects::pool::StoragePool;
use crate::objects::pulse::Pulse;
use crate::objects::storages::FolderStorage;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use crate::objects::uri::key_bytes;
use crate::worker::device_look::DeviceLook;
use crate::worker::environment::DeviceEnvironment;
use crate::worker::protocol::SandboxMode;
use crate::worker::scratch::ScratchRoot;
use crate::worker::supervisor::SupervisorOptions;
use crate::workflow::resolved::AfterRule;
use futures_util::future::BoxFuture;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Operations at once on scratch.
const SCRATCH_SLOTS: usize = 8;
/// Scratch that shows no sign of life for so long is taken for hung.
const SCRATCH_PATIENCE: Duration = Duration::from_secs(60);
/// Longer than any client of a bucket tries again.
const RELAY_PATIENCE: Duration = Duration::from_secs(300);

/// How the executor of this host works.
#[derive(Debug, Clone)]
pub struct LocalExecutorOptions {
    /// Root of the scratch directories.
    pub scratch_root: PathBuf,
    /// The storages.
    pub storages: Storages,
    /// How tightly workers are confined.
    pub sandbox: SandboxMode,
    /// How workers are started and ended.
    pub supervisor: SupervisorOptions,
    /// How long a worker waits for the next bytes of something that lies in a bucket. The bucket's own client gives up
    /// earlier; this holds where it does not.
    pub relay_patience: Duration,
    /// Where files beside the source lie that are named without a storage; none: such a name is refused.
    pub plain_names: Option<PathBuf>,
    /// The source of all attempts is a family of numbered pictures in this folder.
    pub family: Option<(PathBuf, Family)>,
    /// Where the executables lie that hooks may name; none: no hook may.
    pub hooks_dir: Option<PathBuf>,
    /// Signs questions to services; none: they go unsigned.
    pub hook_signer: Option<Signer>,
}

impl LocalExecutorOptions {
    /// The usual, with scratch beneath `scratch_root` and no storage yet.
    pub fn new(scratch_root: impl Into<PathBuf>) -> Self {
        LocalExecutorOptions {
            scratch_root: scratch_root.into(),
            storages: Storages::default(),
            sandbox: SandboxMode::Auto,
            supervisor: SupervisorOptions::default(),
            relay_patience: RELAY_PATIENCE,
            plain_names: None,
            family: None,
            hooks_dir: None,
            hook_signer: None,
        }
    }

    /// With the variables that workers which may use a device get.
    pub fn with_environment(mut self, environment: DeviceEnvironment) -> Self {
        self.supervisor.environment = environment;
        self
    }

    /// With the folder `root` as the storage `name`.
    pub fn with_folder(self, name: impl Into<String>, root: impl Into<PathBuf>) -> Self {
        let folder = FolderStorage::new(Folder::new(name, root));
        self.storages.insert(Medium::Folder(folder));
        self
    }
}

/// The executor of this host.
#[derive(Debug)]
pub struct LocalExecutor {
    pub(super) scratch: ScratchRoot,
    pub(super) scratch_pool: StoragePool,
    pub(super) storages: Storages,
    publisher: Publisher,
    pub(super) sandbox: SandboxMode,
    pub(super) supervisor: SupervisorOptions,
    pub(super) relay_patience: Duration,
    pub(super) plain_names: Option<PathBuf>,
    pub(super) family: Option<(PathBuf, Family)>,
    hooks_dir: Option<PathBuf>,
    hook_signer: Option<Signer>,
}

impl LocalExecutor {
    /// One that works as `options` say. Touches nothing yet.
    pub fn new(options: LocalExecutorOptions) -> Self {
        let scratch_pool = StoragePool::new("scratch", SCRATCH_SLOTS, SCRATCH_PATIENCE);
        LocalExecutor {
            publisher: Publisher::new(options.storages.clone(), &options.scratch_root, scratch_pool.clone()),
            storages: options.storages,
            scratch_pool,
            scratch: ScratchRoot::new(options.scratch_root),
            sandbox: options.sandbox,
            supervisor: options.supervisor,
            relay_patience: options.relay_patience,
            plain_names: options.plain_names,
            family: options.family,
            hooks_dir: options.hooks_dir,
            hook_signer: options.hook_signer,
        }
    }

    /// Does `work` on the folder storage of `object`, on its threads.
    pub(super) async fn on<T: Send + 'static>(
        &self,
        object: &ObjectUri,
        operation: &str,
        work: impl FnOnce(&Folder, &Pulse) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.storages.on(object, operation, work).await
    }

    /// The scratch directory of an attempt as a folder that no name in it can lead out of.
    fn scratch_folder(&self, attempt: &AttemptId) -> Folder {
        Folder::new("scratch", self.scratch.of(attempt))
    }
}

impl Executor for LocalExecutor {
    fn carry_out<'a>(
        &'a self,
        order: AttemptOrder,
        updates: mpsc::Sender<AttemptUpdate>,
        stop: CancellationToken,
    ) -> BoxFuture<'a, AttemptEnd> {
        Box::pin(self.carry_out_order(order, updates, stop))
    }

    fn head<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<Identity>, Fault>> {
        Box::pin(async move {
            if let Medium::Bucket(bucket) = self.storages.medium(object, "stat")? {
                let head = bucket.head(&object.key).await?;
                return Ok(head.map(|head| Identity {
                    size_bytes: head.size_bytes,
                    mtime_ns: head.mtime_ns,
                    etag: head.etag,
                }));
            }
            let key = object.key.clone();
            let stat = self.on(object, "stat", move |folder, _| folder.stat(&key)).await?;
            Ok(stat.map(|stat| Identity {
                size_bytes: stat.size_bytes,
                mtime_ns: stat.mtime_ns,
                etag: String::new(),
            }))
        })
    }

    fn write_names<'a>(
        &'a self,
        attempt: &'a AttemptId,
        file: &'a ProductFile,
        main_key: &'a str,
        keys: Vec<(Place, String)>,
    ) -> BoxFuture<'a, Result<ProductFile, Fault>> {
        let (scratch, file, own_key) = (self.scratch_folder(attempt), file.clone(), main_key.to_owned());
        Box::pin(async move {
            self.scratch_pool
                .run("write names", main_key, move |pulse| {
                    names::write(&scratch, &file, &own_key, &keys, pulse)
                })
                .await
        })
    }

    fn publish<'a>(
        &'a self,
        attempt: &'a AttemptId,
        files: &'a [PublishFile],
    ) -> BoxFuture<'a, Result<Vec<Identity>, Fault>> {
        Box::pin(self.publisher.publish(attempt, self.scratch_folder(attempt), files))
    }

    fn withdraw<'a>(&'a self, files: &'a [PublishFile]) -> BoxFuture<'a, Vec<ObjectUri>> {
        Box::pin(self.publisher.withdraw(files))
    }

    fn discard<'a>(&'a self, attempt: &'a AttemptId, storages: &'a [String]) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            self.publisher.clear(attempt, storages.iter()).await;
            let (scratch, removed) = (self.scratch.clone(), attempt.clone());
            let answer = self.scratch_pool.run("remove scratch", attempt.as_str(), move |_| {
                scratch.remove(&removed).map_err(|error| {
                    let access = crate::objects::refusal::Access::Write;
                    crate::objects::refusal::fault(access, "remove scratch", removed.as_str(), &error)
                })
            });
            if let Err(fault) = answer.await {
                tracing::warn!(%attempt, %fault, "a scratch directory is left until the next start");
            }
        })
    }

    fn sweep<'a>(&'a self, keep: &'a [AttemptId]) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let (scratch, kept) = (self.scratch.clone(), keep.to_vec());
            let swept = tokio::task::spawn_blocking(move || scratch.sweep(&kept)).await;
            if let Ok(Err(error)) = swept {
                tracing::warn!(%error, "old scratch directories could not all be removed");
            }
            self.publisher.sweep(keep).await;
        })
    }

    fn after<'a>(
        &'a self,
        source: &'a ObjectUri,
        identity: &'a Identity,
        rule: &'a AfterRule,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(after::apply(&self.storages, source, identity, rule))
    }

    fn measure<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<(u64, String)>, Fault>> {
        Box::pin(async move {
            if let Medium::Bucket(bucket) = self.storages.medium(object, "measure")? {
                return bucket_source::measure(&bucket, &object.key).await;
            }
            let key = object.key.clone();
            self.on(object, "measure", move |folder, pulse| folder.measure(&key, pulse))
                .await
        })
    }

    fn ask<'a>(&'a self, order: HookOrder, stop: CancellationToken) -> BoxFuture<'a, Result<HookAnswer, Fault>> {
        Box::pin(async move {
            let scratch = self.scratch.clone();
            let attempt = order.attempt.clone();
            let room = self
                .scratch_pool
                .run("make scratch directory", order.attempt.as_str(), move |_| {
                    scratch.make(&attempt)
                })
                .await?;
            let ways = Ways {
                hooks_dir: self.hooks_dir.as_deref(),
                signer: self.hook_signer.as_ref(),
                room: &room,
            };
            hook::ask(&order, ways, stop).await
        })
    }

    fn path_of(&self, object: &ObjectUri) -> Option<PathBuf> {
        let storage = self.storages.folder(&object.storage)?;
        let key = String::from_utf8(key_bytes(&object.key)).ok()?;
        Some(storage.folder.root().join(key))
    }

    fn devices<'a>(&'a self) -> BoxFuture<'a, Result<DeviceReport, Fault>> {
        let usual = DeviceLook::in_environment(self.supervisor.environment.clone());
        Box::pin(devices::look(DeviceLook {
            program: self.supervisor.program.clone(),
            ..usual
        }))
    }

    fn scratch_dir(&self, attempt: &AttemptId) -> PathBuf {
        self.scratch.of(attempt)
    }
}
