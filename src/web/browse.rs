//! Looking into the folders of storages: pages of names, and how full they are.
//!
//! In a bucket, a folder is what keys have in common up to a slash. Guarantees: each folder storage has a few threads of
//! its own for it, so one that hangs answers with a fault in time and holds up nobody else; a bucket is waited for as
//! long. Deliberately absent: opening what is found.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::browse;
use crate::objects::browse::Entry;
use crate::objects::local::Folder;
use crate::objects::local::Kind;
use crate::objects::local::STAGING;
use crate::objects::s3::Bucket;
use crate::objects::storages::FolderStorage;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use crate::web::stored_objects::in_time;
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

    /// Names of the storages that can be full: those that are folders.
    pub fn measurable(&self) -> Vec<String> {
        let names = self.0.names().into_iter();
        names.filter(|name| self.0.folder(name).is_some()).collect()
    }

    /// Whether there is a storage of that name.
    pub fn knows(&self, storage: &str) -> bool {
        self.0.has(storage)
    }

    /// Up to `limit` names in the folder `key` of a storage, that begin with `start` and come after `after`, which ends
    /// in a slash where it was a folder.
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
        if let Some(bucket) = self.0.bucket(storage) {
            let object = ObjectUri::new(storage, key);
            return in_time(&object, "list", page_of_bucket(&bucket, key, start, after, limit)).await;
        }
        let after = after.map(|after| after.trim_end_matches('/').to_owned());
        let (key, start) = (key.to_owned(), start.to_owned());
        self.run(storage, "list", move |folder| {
            browse::page(&folder, &key, &start, after.as_deref(), limit)
        })
        .await?
    }

    /// How full a folder storage is.
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

/// The same page of a bucket.
async fn page_of_bucket(
    bucket: &Bucket,
    folder: &str,
    start: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Entry>, Fault> {
    let base = match folder {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    let prefix = format!("{base}{start}");
    let after = after.map(|after| match after.strip_suffix('/') {
        // Past everything in that folder: its keys go on with characters, and this is the last there is.
        Some(passed) => format!("{base}{passed}/{}", char::MAX),
        None => format!("{base}{after}"),
    });
    let (mut entries, mut token) = (Vec::new(), None::<String>);
    while entries.len() < limit {
        let wanted = u32::try_from(limit - entries.len()).unwrap_or(u32::MAX);
        let page = bucket
            .list(&prefix, true, after.as_deref(), token.as_deref(), wanted)
            .await?;
        let objects = page.objects.into_iter().map(|object| Entry {
            name: object.key,
            kind: Kind::File,
            size_bytes: object.size_bytes,
            mtime_ns: object.mtime_ns,
        });
        let folders = page.folders.into_iter().map(|name| Entry {
            name,
            kind: Kind::Folder,
            size_bytes: 0,
            mtime_ns: 0,
        });
        let mut found: Vec<Entry> = objects.chain(folders).collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        entries.extend(found.into_iter().filter_map(|mut entry| {
            let name = entry.name.strip_prefix(&base)?;
            let name = name.strip_suffix('/').unwrap_or(name);
            // An empty name is an object that stands for the folder itself, or what no path can name.
            let is_ours = base.is_empty() && name == STAGING;
            let shown = !name.is_empty() && !name.contains('/') && !is_ours;
            entry.name = name.to_owned();
            shown.then_some(entry)
        }));
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    Ok(entries)
}
