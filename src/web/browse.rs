//! Looking into the folders of storages: pages of names, and how full they are.
//!
//! Guarantees: each storage has a few threads of its own for it, so one that hangs answers with a fault in time and
//! holds up nobody else. Deliberately absent: opening what is found.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::browse;
use crate::objects::browse::Entry;
use crate::objects::local::Folder;
use crate::objects::storages::FolderStorage;
use crate::objects::storages::Storages;
use std::time::Duration;

/// How long a storage may take to answer.
const WITHIN: Duration = Duration::from_secs(10);

/// How full a storage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that we could still write.
    pub free_bytes: u64,
    /// Bytes of the file system.
    pub size_bytes: u64,
}

/// Looks into storages.
#[derive(Debug, Clone)]
pub struct Browser(Storages);

impl Browser {
    /// A browser of these storages.
    pub fn new(storages: Storages) -> Self {
        Browser(storages)
    }

    /// Names of the storages.
    pub fn names(&self) -> Vec<String> {
        self.0.names()
    }

    /// Whether there is a storage of that name.
    pub fn knows(&self, storage: &str) -> bool {
        self.0.has(storage)
    }

    /// Up to `limit` names in the folder `key` of a storage, that begin with `start` and come after `after`.
    ///
    /// # Errors
    /// There is no such storage, or it does not answer in time.
    pub async fn page(
        &self,
        storage: &str,
        key: &str,
        start: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, Fault> {
        let (key, start, after) = (key.to_owned(), start.to_owned(), after.map(str::to_owned));
        self.run(storage, "list", move |folder| {
            browse::page(&folder, &key, &start, after.as_deref(), limit)
        })
        .await?
    }

    /// How full a storage is.
    ///
    /// # Errors
    /// There is no such storage, or it does not answer in time.
    pub async fn space(&self, storage: &str) -> Result<Space, Fault> {
        let asked = self.run(storage, "measure", |folder| {
            space_of(folder.root()).map_err(|error| {
                Fault::new(
                    "StorageOffline",
                    Blame::Host,
                    "measure",
                    folder.name(),
                    error.to_string(),
                    "Check the mount and its server.",
                )
            })
        });
        asked.await?
    }

    async fn run<T: Send + 'static>(
        &self,
        storage: &str,
        operation: &'static str,
        work: impl FnOnce(Folder) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let Some(FolderStorage { folder, lane, .. }) = self.0.folder(storage) else {
            return Err(Fault::new(
                "StorageUnknown",
                Blame::Request,
                operation,
                storage,
                format!("there is no folder storage {storage}"),
                "Name one of the storages of the configuration; list them with GET /api/v1/storages.",
            ));
        };
        lane.run(operation, WITHIN, move || work(folder)).await
    }
}

/// How full the file system of a folder is. May block as long as the file system does.
///
/// # Errors
/// It cannot be asked.
pub fn space_of(folder: &std::path::Path) -> std::io::Result<Space> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(Space {
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        size_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
    })
}
