//! Files that are on their way into a storage, whatever it is: a folder takes them as they come (`objects::incoming`), a
//! bucket in parts.
//!
//! Guarantees: what [`OpenInflow::sync`] answered for outlives a crash; a name appears only when the whole file is
//! durable, never over something else unless asked; every step of finishing may be repeated; a storage that does not
//! answer is told as such. Deliberately absent: which files are still wanted, and keeping what is to be remembered of
//! them, which the store does.

mod finishing;
mod growing;
mod memory;
mod pieces;
mod spool;

pub use crate::objects::inflow::finishing::INCOMING_ID;

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::incoming;
use crate::objects::incoming::Incoming;
use crate::objects::inflow::finishing::Finishing;
use crate::objects::inflow::growing::Growing;
use crate::objects::inflow::growing::blocking;
use crate::objects::inflow::memory::Memory;
use crate::objects::inflow::spool::Place;
use crate::objects::inflow::spool::Spool;
use crate::objects::local::Kind;
use crate::objects::local::Placed;
use crate::objects::local::Stat;
use crate::objects::s3::Bucket;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use futures_util::stream::BoxStream;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::bytes::Bytes;

/// Brings files into these storages. Clones share everything.
#[derive(Debug, Clone)]
pub struct Inflow {
    storages: Storages,
    spool: Spool,
    memory: Memory,
}

/// What came of a file and will not be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// Bytes from its begin.
    pub offset: u64,
    /// To be remembered with that offset, and given back as [`Incoming::pieces`].
    pub pieces: Option<String>,
}

/// What putting a file under its name came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// It stands there, with this time and (in buckets) this ETag.
    Done {
        /// Nanoseconds since 1970.
        mtime_ns: i64,
        /// Empty in folders.
        etag: String,
    },
    /// Something else stands there.
    Taken,
}

impl Inflow {
    /// Into `storages`; what is not enough for a part of a bucket waits in the directory `spool`.
    pub fn new(storages: Storages, spool: PathBuf) -> Self {
        Inflow {
            storages,
            spool: Spool::new(spool),
            memory: Memory::default(),
        }
    }

    /// The storages.
    pub fn storages(&self) -> &Storages {
        &self.storages
    }

    fn finishing<'a>(&'a self, bucket: Bucket, file: &'a Incoming) -> Finishing<'a> {
        Finishing {
            bucket,
            spool: &self.spool,
            memory: &self.memory,
            incoming: file,
        }
    }

    /// Makes ready for the first byte of `file`.
    ///
    /// # Errors
    /// `OutputDiskFull` where `size_bytes` do not fit (of a bucket, where there is no room to gather them); the storage is
    /// unknown or does not answer.
    pub async fn begin(&self, file: &Incoming, size_bytes: Option<u64>) -> Result<(), Fault> {
        if let Medium::Folder(_) = self.storages.medium(&file.object, "begin")? {
            let upload = file.clone();
            let begun = self.storages.on(&file.object, "begin", move |folder, _| {
                incoming::begin(folder, &upload, size_bytes)
            });
            return begun.await;
        }
        let (spool, object) = (self.spool.clone(), file.object.clone());
        let place = Place {
            id: file.id.clone(),
            start: 0,
        };
        blocking(move || {
            let file = spool.open(&place, 0, &object)?;
            spool.check_room(size_bytes, &object)?;
            spool.sync(&file, &object)
        })
        .await
    }

    /// How much of `file` came; none: it was not begun, or has its name already.
    ///
    /// # Errors
    /// The storage is unknown or does not answer.
    pub async fn received(&self, file: &Incoming) -> Result<Option<u64>, Fault> {
        match self.storages.medium(&file.object, "look at")? {
            Medium::Bucket(bucket) => self.finishing(bucket, file).received().await,
            Medium::Folder(_) => {
                let upload = file.clone();
                let there = self.storages.on(&file.object, "look at", move |folder, _| {
                    incoming::received(folder, &upload)
                });
                there.await
            }
        }
    }

    /// Opens `file` to go on at `offset`; what lies beyond is dropped. `size_bytes`: of the whole, where known.
    ///
    /// # Errors
    /// `UploadLost` when less than `offset` is there; the storage is unknown or does not answer.
    pub async fn open(&self, file: &Incoming, offset: u64, size_bytes: Option<u64>) -> Result<OpenInflow, Fault> {
        match self.storages.medium(&file.object, "open")? {
            Medium::Bucket(bucket) => {
                let (spool, memory) = (self.spool.clone(), self.memory.clone());
                let growing = Growing::open(bucket, spool, memory, file, offset, size_bytes).await?;
                Ok(OpenInflow::Bucket(Box::new(growing)))
            }
            Medium::Folder(_) => {
                let upload = file.clone();
                let opened = self.storages.on(&file.object, "open", move |folder, _| {
                    incoming::open_at(folder, &upload, offset)
                });
                Ok(OpenInflow::Folder(InFolder {
                    file: Arc::new(opened.await?),
                    storages: self.storages.clone(),
                    incoming: file.clone(),
                    offset,
                }))
            }
        }
    }

    /// Drops what came of `file`; nothing there is fine.
    ///
    /// # Errors
    /// The storage is unknown or does not answer.
    pub async fn discard(&self, file: &Incoming) -> Result<(), Fault> {
        match self.storages.medium(&file.object, "remove")? {
            Medium::Bucket(bucket) => {
                self.finishing(bucket, file).discard().await;
                Ok(())
            }
            Medium::Folder(_) => {
                let id = file.id.clone();
                let dropped = self
                    .storages
                    .on(&file.object, "remove", move |folder, _| incoming::discard(folder, &id));
                dropped.await
            }
        }
    }

    /// Size and time of a whole file that waits for its name (0 where nothing knows the time); none: it has its name, or
    /// is lost.
    ///
    /// # Errors
    /// What the storage says.
    pub async fn waiting(&self, file: &Incoming) -> Result<Option<(u64, i64)>, Fault> {
        match self.storages.medium(&file.object, "look at")? {
            Medium::Bucket(bucket) => self.finishing(bucket, file).waiting().await,
            Medium::Folder(_) => {
                let upload = file.clone();
                let staged = self.storages.on(&file.object, "look at", move |folder, _| {
                    incoming::staged(folder, &upload)
                });
                Ok(staged.await?.map(|stat| (stat.size_bytes, stat.mtime_ns)))
            }
        }
    }

    /// The bytes of a whole file that waits for its name in a bucket, in order; none: the storage is a folder.
    ///
    /// # Errors
    /// `UploadLost`; what the storage says.
    pub async fn content_in_bucket(
        &self,
        file: &Incoming,
        size_bytes: u64,
    ) -> Result<Option<BoxStream<'static, Result<Bytes, Fault>>>, Fault> {
        match self.storages.medium(&file.object, "check")? {
            Medium::Bucket(bucket) => self.finishing(bucket, file).content(size_bytes).await.map(Some),
            Medium::Folder(_) => Ok(None),
        }
    }

    /// Puts a whole file, of which [`waiting`](Self::waiting) told size and time, under the name of its object. May be
    /// repeated: one that has its name is adopted.
    ///
    /// # Errors
    /// `UploadLost` when it is neither waiting nor under its name; what the storage says.
    pub async fn name(&self, file: &Incoming, staged: (u64, i64), overwrite: bool) -> Result<Named, Fault> {
        let (size_bytes, mtime_ns) = staged;
        match self.storages.medium(&file.object, "finish")? {
            Medium::Bucket(bucket) => self.finishing(bucket, file).name(size_bytes, overwrite).await,
            Medium::Folder(_) => {
                let upload = file.clone();
                let stat = Stat {
                    kind: Kind::File,
                    size_bytes,
                    mtime_ns,
                };
                let placed = self.storages.on(&file.object, "finish", move |folder, _| {
                    incoming::name(folder, &upload, &stat, overwrite)
                });
                Ok(match placed.await? {
                    Placed::Done => Named::Done {
                        mtime_ns,
                        etag: String::new(),
                    },
                    Placed::Taken => Named::Taken,
                })
            }
        }
    }

    /// Drops, in one storage, the pieces of files that are not `wanted` and were not touched since then (nanoseconds
    /// since 1970); how many.
    ///
    /// # Errors
    /// What the storage says.
    pub async fn sweep(
        &self,
        storage: &str,
        wanted: &BTreeSet<String>,
        untouched_since_ns: i64,
    ) -> Result<usize, Fault> {
        let object = ObjectUri::new(storage, "");
        match self.storages.medium(&object, "sweep")? {
            Medium::Bucket(bucket) => finishing::sweep(&bucket, wanted, untouched_since_ns).await,
            Medium::Folder(_) => {
                let wanted = wanted.clone();
                let swept = self.storages.on(&object, "sweep", move |folder, _| {
                    incoming::sweep(folder, &wanted, untouched_since_ns)
                });
                swept.await
            }
        }
    }

    /// The same with what waits on the local disk.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn sweep_spool(&self, wanted: &BTreeSet<String>, untouched_since_ns: i64) -> Result<usize, Fault> {
        let (spool, wanted) = (self.spool.clone(), wanted.clone());
        blocking(move || {
            spool.sweep(&wanted, untouched_since_ns).map_err(|error| {
                Fault::new(
                    "ScratchNotWritable",
                    Blame::Host,
                    "sweep",
                    "the ends of files that came into buckets",
                    error.to_string(),
                    "Let the daemon's user write to server.scratch_dir.",
                )
            })
        })
        .await
    }
}

/// A file that comes in, opened by whoever brings more of it. Dropping it loses what was not synced, and nothing else.
#[derive(Debug)]
pub enum OpenInflow {
    /// Into a folder.
    Folder(InFolder),
    /// Into a bucket.
    Bucket(Box<Growing>),
}

impl OpenInflow {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// What the storage says.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Fault> {
        match self {
            OpenInflow::Folder(open) => open.write(bytes).await,
            OpenInflow::Bucket(open) => open.write(bytes).await,
        }
    }

    /// Makes durable what was written, and says up to where that holds.
    ///
    /// # Errors
    /// What the storage says.
    pub async fn sync(&mut self) -> Result<Synced, Fault> {
        match self {
            OpenInflow::Folder(open) => open.sync().await,
            OpenInflow::Bucket(open) => open.sync().await,
        }
    }
}

/// An open file that comes into a folder.
#[derive(Debug)]
pub struct InFolder {
    storages: Storages,
    incoming: Incoming,
    file: Arc<File>,
    offset: u64,
}

impl InFolder {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Fault> {
        let (incoming, file) = (self.incoming.clone(), Arc::clone(&self.file));
        let length = bytes.len() as u64;
        let written = self.storages.on(&self.incoming.object, "write", move |_, pulse| {
            incoming::write(&incoming, &file, &bytes, pulse)
        });
        written.await?;
        self.offset += length;
        Ok(())
    }

    async fn sync(&mut self) -> Result<Synced, Fault> {
        let (incoming, file) = (self.incoming.clone(), Arc::clone(&self.file));
        let synced = self.storages.on(&self.incoming.object, "sync", move |folder, _| {
            incoming::sync(folder, &incoming, &file)
        });
        synced.await?;
        Ok(Synced {
            offset: self.offset,
            pieces: None,
        })
    }
}
