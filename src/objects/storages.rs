//! The registered storages by name: folders, each with the threads on which it is touched, and buckets.
//!
//! Guarantees: one list for the whole program, whose clones see what is added and removed; an object outside of them is
//! refused by name; a storage that hangs blocks nobody but who waits for it; work that was begun on a storage ends on
//! it, also when it is removed meanwhile. Deliberately absent: what is done in them.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::lane::Lane;
use crate::objects::local::Folder;
use crate::objects::pool::StoragePool;
use crate::objects::pulse::Pulse;
use crate::objects::s3::Bucket;
use crate::objects::uri::ObjectUri;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::time::Duration;

/// Operations at once on one storage.
const SLOTS: usize = 8;
/// A storage that shows no sign of life for so long is taken for hung.
const PATIENCE: Duration = Duration::from_secs(60);
/// Threads that look into a folder for people.
const LOOKS: usize = 2;

/// A folder with its threads. Clones share them.
#[derive(Debug, Clone)]
pub struct FolderStorage {
    /// The folder.
    pub folder: Folder,
    /// Where work on its objects is done.
    pub pool: StoragePool,
    /// Where people look into it: an answer in time or none.
    pub lane: Lane,
}

impl FolderStorage {
    /// This folder, with threads of its own.
    pub fn new(folder: Folder) -> Self {
        Self::with_patience(folder, SLOTS, PATIENCE)
    }

    /// The same with so many operations at once, and with another time until it is taken for hung.
    pub fn with_patience(folder: Folder, slots: usize, patience: Duration) -> Self {
        FolderStorage {
            pool: StoragePool::new(folder.name(), slots, patience),
            lane: Lane::new(format!("{}-browse", folder.name()), LOOKS),
            folder,
        }
    }
}

/// What a storage is.
#[derive(Debug, Clone)]
pub enum Medium {
    /// A folder: local, or the mount point of a NAS.
    Folder(FolderStorage),
    /// A bucket of an S3-compatible service.
    Bucket(Bucket),
}

impl Medium {
    /// The name of the storage.
    pub fn name(&self) -> &str {
        match self {
            Medium::Folder(storage) => storage.folder.name(),
            Medium::Bucket(bucket) => bucket.name(),
        }
    }
}

/// The storages. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Storages(Arc<RwLock<BTreeMap<String, Medium>>>);

impl Storages {
    /// These folders, and no bucket.
    pub fn new(folders: impl IntoIterator<Item = Folder>) -> Self {
        folders
            .into_iter()
            .map(|folder| Medium::Folder(FolderStorage::new(folder)))
            .collect()
    }

    /// Adds a storage; one of the same name gives way.
    pub fn insert(&self, medium: Medium) {
        let mut storages = self.0.write().unwrap_or_else(PoisonError::into_inner);
        storages.insert(medium.name().to_owned(), medium);
    }

    /// Takes a storage away; says whether it was there.
    pub fn remove(&self, name: &str) -> bool {
        let mut storages = self.0.write().unwrap_or_else(PoisonError::into_inner);
        storages.remove(name).is_some()
    }

    /// Their names, sorted.
    pub fn names(&self) -> Vec<String> {
        self.all().iter().map(|medium| medium.name().to_owned()).collect()
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<Medium> {
        let storages = self.0.read().unwrap_or_else(PoisonError::into_inner);
        storages.values().cloned().collect()
    }

    /// The storage of this name.
    pub fn get(&self, name: &str) -> Option<Medium> {
        let storages = self.0.read().unwrap_or_else(PoisonError::into_inner);
        storages.get(name).cloned()
    }

    /// Whether there is one of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The folder of this name; none: there is none, or it is a bucket.
    pub fn folder(&self, name: &str) -> Option<FolderStorage> {
        match self.get(name)? {
            Medium::Folder(storage) => Some(storage),
            Medium::Bucket(_) => None,
        }
    }

    /// The bucket of this name; none: there is none, or it is a folder.
    pub fn bucket(&self, name: &str) -> Option<Bucket> {
        match self.get(name)? {
            Medium::Folder(_) => None,
            Medium::Bucket(bucket) => Some(bucket),
        }
    }

    /// The storage of `object`, for `operation`.
    ///
    /// # Errors
    /// `StorageUnknown`.
    pub fn medium(&self, object: &ObjectUri, operation: &str) -> Result<Medium, Fault> {
        self.get(&object.storage).ok_or_else(|| {
            Fault::new(
                "StorageUnknown",
                Blame::Request,
                operation,
                object.to_string(),
                format!("no storage is named `{}`", object.storage),
                "Add it to the configuration or correct the name; GET /api/v1/storages lists them.",
            )
        })
    }

    /// Does `work` on the folder of `object`, on its threads.
    ///
    /// # Errors
    /// `StorageUnknown`, `StorageIsBucket`, `StorageNotAnswering`, or what `work` says.
    pub async fn on<T: Send + 'static>(
        &self,
        object: &ObjectUri,
        operation: &str,
        work: impl FnOnce(&Folder, &Pulse) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        match self.medium(object, operation)? {
            Medium::Folder(FolderStorage { folder, pool, .. }) => {
                pool.run(operation, &object.to_string(), move |pulse| work(&folder, pulse))
                    .await
            }
            Medium::Bucket(_) => Err(Fault::new(
                "StorageIsBucket",
                Blame::Request,
                operation,
                object.to_string(),
                format!("`{}` is a bucket, and this works in folders only", object.storage),
                "Name a storage of kind \"folder\".",
            )),
        }
    }
}

impl FromIterator<Medium> for Storages {
    fn from_iter<T: IntoIterator<Item = Medium>>(media: T) -> Self {
        let by_name = media.into_iter().map(|medium| (medium.name().to_owned(), medium));
        Storages(Arc::new(RwLock::new(by_name.collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::FolderStorage;
    use super::Medium;
    use super::Storages;
    use crate::objects::local::Folder;
    use crate::objects::uri::ObjectUri;

    #[tokio::test]
    async fn clones_see_what_comes_and_goes() {
        let root = tempfile::tempdir().expect("a folder");
        let storages = Storages::default();
        let seen = storages.clone();
        let object = ObjectUri::new("nas", "a");
        let unknown = seen.on(&object, "stat", |folder, _| folder.stat("a")).await;
        assert_eq!(unknown.expect_err("unknown").code, "StorageUnknown");
        storages.insert(Medium::Folder(FolderStorage::new(Folder::new("nas", root.path()))));
        assert_eq!(seen.names(), ["nas"]);
        assert!(
            seen.on(&object, "stat", |folder, _| folder.stat("a"))
                .await
                .expect("asked")
                .is_none()
        );
        assert!(storages.remove("nas") && !seen.has("nas"));
    }
}
