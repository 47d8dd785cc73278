//! The registered folder storages by name, each with the threads on which it is touched.
//!
//! Guarantees: an object outside of them is refused by name; a storage that hangs blocks nobody but who waits for it.
//! Deliberately absent: other kinds of storage, and what is done in them.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::local::Folder;
use crate::objects::pool::StoragePool;
use crate::objects::pulse::Pulse;
use crate::objects::uri::ObjectUri;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Operations at once on one storage.
const SLOTS: usize = 8;
/// A storage that shows no sign of life for so long is taken for hung.
const PATIENCE: Duration = Duration::from_secs(60);

/// The storages. Clones share them and their threads.
#[derive(Debug, Clone)]
pub struct Storages(Arc<BTreeMap<String, (Folder, StoragePool)>>);

impl Storages {
    /// These.
    pub fn new(folders: impl IntoIterator<Item = Folder>) -> Self {
        let with_threads = folders.into_iter().map(|folder| {
            let name = folder.name().to_owned();
            let pool = StoragePool::new(&name, SLOTS, PATIENCE);
            (name, (folder, pool))
        });
        Storages(Arc::new(with_threads.collect()))
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is one of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Does `work` on the storage of `object`, on its threads.
    ///
    /// # Errors
    /// `StorageUnknown`, `StorageNotAnswering`, or what `work` says.
    pub async fn on<T: Send + 'static>(
        &self,
        object: &ObjectUri,
        operation: &str,
        work: impl FnOnce(&Folder, &Pulse) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (folder, pool) = self.0.get(&object.storage).ok_or_else(|| {
            Fault::new(
                "StorageUnknown",
                Blame::Request,
                operation,
                object.to_string(),
                format!("no storage is named `{}`", object.storage),
                "Name one of the storages of the configuration; list them with GET /api/v1/storages.",
            )
        })?;
        let folder = folder.clone();
        pool.run(operation, &object.to_string(), move |pulse| work(&folder, pulse))
            .await
    }
}
