//! Puts finished files under their final names, in folders and in buckets.
//!
//! Guarantees: all files of a publish are staged, whole and proved, before the first one is named; names appear in an
//! order in which nothing ever refers to what is not there; every step may be repeated after a crash at any instant,
//! and adopts what it did. What it answers is what stands there, as it was put there: a file that somebody else put
//! under the name a moment later is not taken for ours. Deliberately absent: choosing names, and trying again.

mod bucket;
mod fetch;
pub mod folder;
mod origin;
mod traces;

pub use bucket::META_MD5;
pub use bucket::META_OUTPUT;
pub use folder::staging;

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::executor::Identity;
use crate::executor::PublishFile;
use crate::executor::publish::bucket::Room;
use crate::executor::publish::bucket::Staged;
use crate::executor::publish::folder::Origin;
use crate::executor::publish::folder::Standing;
use crate::executor::publish::traces::Traces;
use crate::objects::local::Folder;
use crate::objects::local::STAGING;
use crate::objects::pool::StoragePool;
use crate::objects::s3::Bucket;
use crate::objects::storages::FolderStorage;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Memory of the parts that are on their way, of all publishing together.
const MEMORY_MIB: u32 = 256;
/// Fault codes: no room is left on the output storage.
const FULL: [&str; 2] = ["OutputDiskFull", "StorageFull"];

/// Publishes into the storages.
#[derive(Debug, Clone)]
pub struct Publisher {
    storages: Storages,
    scratch_pool: StoragePool,
    traces: Traces,
    gate: Arc<Semaphore>,
}

/// What the files of one storage became in staging.
enum Run {
    Folder(FolderStorage, Vec<Standing>),
    Bucket(Bucket, Vec<Staged>),
}

impl Publisher {
    /// Publishes into `storages`; what it must not forget of uploads it notes beneath `scratch_root`.
    pub fn new(storages: Storages, scratch_root: &std::path::Path, scratch_pool: StoragePool) -> Self {
        Publisher {
            storages,
            traces: Traces::new(scratch_root, scratch_pool.clone()),
            scratch_pool,
            gate: Arc::new(Semaphore::new(MEMORY_MIB as usize)),
        }
    }

    /// Puts `files` under their names; `scratch` is the directory of the attempt. Answers what stands there, file by
    /// file.
    pub async fn publish(
        &self,
        attempt: &AttemptId,
        scratch: Folder,
        files: &[PublishFile],
    ) -> Result<Vec<Identity>, Fault> {
        let answer = self.publish_files(attempt, scratch, files).await;
        let storages: std::collections::BTreeSet<&String> = files.iter().map(|file| &file.to.storage).collect();
        match &answer {
            Ok(_) => self.clear(attempt, storages.into_iter()).await,
            // Half a set must not keep a full disk full.
            Err(fault) if FULL.contains(&fault.code.as_str()) => self.clear(attempt, storages.into_iter()).await,
            Err(_) => {}
        }
        answer
    }

    async fn publish_files(
        &self,
        attempt: &AttemptId,
        scratch: Folder,
        files: &[PublishFile],
    ) -> Result<Vec<Identity>, Fault> {
        let mut staged = Vec::new();
        // Consecutive files of one storage share what there is to share.
        for run in files.chunk_by(|one, next| one.to.storage == next.to.storage) {
            for file in run {
                check_key(file)?;
            }
            staged.push((run, self.stage(attempt, &scratch, run).await?));
        }
        let mut stand = Vec::with_capacity(files.len());
        for (run, state) in staged {
            match state {
                Run::Folder(storage, standing) => {
                    let (attempt, named) = (attempt.clone(), run.to_vec());
                    let told = run[0].to.to_string();
                    let done = storage.pool.run("publish", &told, move |pulse| {
                        folder::name(&storage.folder, &attempt, &named, &standing, pulse)
                    });
                    stand.extend(done.await?);
                }
                Run::Bucket(bucket, files) => {
                    stand.extend(self.room(attempt, &scratch, bucket).name(run, files).await?);
                }
            }
        }
        Ok(stand)
    }

    async fn stage(&self, attempt: &AttemptId, scratch: &Folder, run: &[PublishFile]) -> Result<Run, Fault> {
        match self.storages.medium(&run[0].to, "publish")? {
            Medium::Folder(storage) => {
                let mut standing = Vec::with_capacity(run.len());
                for file in run {
                    standing.push(self.stage_in_folder(attempt, scratch, &storage, file).await?);
                }
                Ok(Run::Folder(storage, standing))
            }
            Medium::Bucket(bucket) => {
                let staged = self.room(attempt, scratch, bucket.clone()).stage(run).await?;
                Ok(Run::Bucket(bucket, staged))
            }
        }
    }

    async fn stage_in_folder(
        &self,
        attempt: &AttemptId,
        scratch: &Folder,
        storage: &FolderStorage,
        file: &PublishFile,
    ) -> Result<Standing, Fault> {
        let origin = match &file.from {
            None => Origin::Scratch(scratch.clone()),
            Some(from) => match self.storages.medium(from, "copy")? {
                Medium::Folder(other) => Origin::Storage(other.folder),
                Medium::Bucket(bucket) => return fetch::stage(storage, attempt, file, &bucket).await,
            },
        };
        let (attempt, staged, folder) = (attempt.clone(), file.clone(), storage.folder.clone());
        storage
            .pool
            .run("publish", &file.to.to_string(), move |pulse| {
                folder::stage(&origin, &folder, &attempt, &staged, pulse)
            })
            .await
    }

    fn room<'a>(&'a self, attempt: &'a AttemptId, scratch: &'a Folder, bucket: Bucket) -> Room<'a> {
        Room {
            storages: &self.storages,
            scratch,
            scratch_pool: &self.scratch_pool,
            traces: &self.traces,
            gate: &self.gate,
            attempt,
            bucket,
        }
    }

    /// Takes away what an attempt that failed for good has named already in buckets: it belongs to nothing. What may have
    /// replaced something stays, and in folders nobody can tell who named a file. Answers the names under which
    /// something of somebody else stands. What cannot be reached is left, and told in the log.
    pub async fn withdraw(&self, files: &[PublishFile]) -> Vec<ObjectUri> {
        let mut strange = Vec::new();
        for file in files {
            let answer = match self.storages.medium(&file.to, "withdraw") {
                Ok(Medium::Bucket(bucket)) => bucket::withdraw(&bucket, file).await,
                Ok(Medium::Folder(storage)) => {
                    let (asked, told) = (file.clone(), file.to.to_string());
                    let look = storage.pool.run("withdraw", &told, move |pulse| {
                        folder::is_strange(&storage.folder, &asked, pulse)
                    });
                    look.await
                }
                Err(fault) => Err(fault),
            };
            match answer {
                Ok(true) => strange.push(file.to.clone()),
                Ok(false) => {}
                Err(fault) => {
                    tracing::warn!(object = %file.to, %fault, "what a failed output left under its name stays there");
                    // The next ones would wait as long and learn the same.
                    if fault.retryable {
                        break;
                    }
                }
            }
        }
        strange
    }

    /// Removes what `attempt` staged in these storages and did not name.
    pub async fn clear(&self, attempt: &AttemptId, storages: impl Iterator<Item = &String>) {
        let mut buckets = false;
        for name in storages {
            let object = ObjectUri::new(name.as_str(), folder::staging(attempt));
            let cleared = attempt.clone();
            let answer = match self.storages.medium(&object, "remove") {
                Ok(Medium::Folder(storage)) => {
                    let told = object.to_string();
                    let clear = storage
                        .pool
                        .run("remove", &told, move |_| folder::clear(&storage.folder, &cleared));
                    clear.await
                }
                Ok(Medium::Bucket(_)) => {
                    buckets = true;
                    Ok(())
                }
                Err(fault) => Err(fault),
            };
            if let Err(fault) = answer {
                tracing::warn!(%attempt, storage = %name, %fault, "a staging folder is left until the next start");
            }
        }
        if buckets {
            self.abort(attempt).await;
        }
    }

    /// Aborts the uploads that `attempt` left open. What cannot be reached now is aborted after a later start.
    async fn abort(&self, attempt: &AttemptId) {
        if let Err(fault) = traces::abort_all(&self.traces, &self.storages, attempt).await {
            tracing::warn!(%attempt, %fault, "uploads are left open until a later start");
        }
    }

    /// Removes what every attempt but `keep` staged. Folders are done when it returns; uploads into buckets are aborted
    /// beside it, since they are noted by attempt and no new attempt can be taken for one of them.
    pub async fn sweep(&self, keep: &[AttemptId]) {
        // All storages at once: one that hangs must not keep the others waiting at start.
        let names: Vec<String> = self.storages.names();
        let sweeps = names.iter().map(|name| async move {
            let kept = keep.to_vec();
            let object = ObjectUri::new(name.as_str(), STAGING);
            let Ok(Medium::Folder(storage)) = self.storages.medium(&object, "sweep") else {
                return;
            };
            let told = object.to_string();
            let answer = storage
                .pool
                .run("sweep", &told, move |_| folder::sweep(&storage.folder, &kept));
            if let Err(fault) = answer.await {
                tracing::warn!(storage = %name, %fault, "old staging folders could not all be removed");
            }
        });
        futures_util::future::join_all(sweeps).await;
        match self.traces.attempts().await {
            Ok(mut left) => {
                left.retain(|attempt| !keep.contains(attempt));
                if !left.is_empty() {
                    let publisher = self.clone();
                    tokio::spawn(async move {
                        for attempt in left {
                            publisher.abort(&attempt).await;
                        }
                    });
                }
            }
            Err(fault) => tracing::warn!(%fault, "it is not known which uploads were left open"),
        }
    }
}

/// Refuses keys that no output may have, whatever the storage.
fn check_key(file: &PublishFile) -> Result<(), Fault> {
    if !file.to.key.starts_with(STAGING) {
        return Ok(());
    }
    Err(Fault::new(
        "KeyInvalid",
        Blame::Request,
        "publish",
        file.to.to_string(),
        format!("names beneath {STAGING} are swept at every start"),
        "Choose another path template.",
    ))
}

/// The fault of a name that is somebody else's.
fn taken(file: &PublishFile) -> Fault {
    Fault::new(
        "OutputTaken",
        Blame::Request,
        "publish",
        file.to.to_string(),
        "another object stands under this name and may not be replaced",
        "Remove or rename it, or set on_conflict to version or overwrite.",
    )
}

/// The fault of a proved file that is gone from scratch, or is another one.
fn lost(file: &PublishFile, cause: &str) -> Fault {
    Fault::new(
        "ScratchLost",
        Blame::Host,
        "publish",
        file.to.to_string(),
        format!("its file {} in scratch cannot be used: {cause}", file.scratch_path),
        "Run the job again; keep other programs away from scratch_dir.",
    )
}

/// The fault of an object that is not any more what it was when its copy was decided.
fn changed(file: &PublishFile) -> Fault {
    Fault::new(
        "SourceChanged",
        Blame::Source,
        "copy",
        file.from.as_ref().map(ToString::to_string).unwrap_or_default(),
        "it was changed while it was copied",
        "Run the job again when nothing writes to it any more.",
    )
}

/// The fault of a storage that does not give back what it was given.
fn corrupt(file: &PublishFile, cause: impl Into<String>, remedy: &str) -> Fault {
    Fault::new(
        "OutputCorrupt",
        Blame::Host,
        "publish",
        file.to.to_string(),
        cause,
        remedy,
    )
}
