//! Writing into storages for requests: files that come in, and removal.
//!
//! Guarantees: those of [`ObjectWriter`]; a folder is touched on its own threads alone, so one that hangs is told as such
//! and blocks nothing else. Deliberately absent: giving a whole file its name, which goes on after the request that
//! brought its last byte.

use crate::base::fault::Fault;
use crate::objects::incoming;
use crate::objects::incoming::Incoming;
use crate::objects::inflow::Inflow;
use crate::objects::inflow::OpenInflow;
use crate::objects::inflow::Synced;
use crate::objects::storages::Medium;
use crate::objects::uri::ObjectUri;
use crate::web::ports::ObjectWriter;
use crate::web::ports::OpenIncoming;
use crate::web::stored_objects::in_time;
use axum::body::Bytes;
use futures_util::future::BoxFuture;

/// Writes into the storages of an [`Inflow`].
#[derive(Debug, Clone)]
pub struct StorageWriter(Inflow);

impl StorageWriter {
    /// A writer that brings files in by `inflow`.
    pub fn new(inflow: Inflow) -> Self {
        StorageWriter(inflow)
    }
}

impl ObjectWriter for StorageWriter {
    fn has(&self, storage: &str) -> bool {
        self.0.storages().has(storage)
    }

    fn begin<'a>(&'a self, incoming: &'a Incoming, size_bytes: Option<u64>) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(self.0.begin(incoming, size_bytes))
    }

    fn received<'a>(&'a self, incoming: &'a Incoming) -> BoxFuture<'a, Result<Option<u64>, Fault>> {
        Box::pin(self.0.received(incoming))
    }

    fn append<'a>(
        &'a self,
        incoming: &'a Incoming,
        offset: u64,
        size_bytes: Option<u64>,
    ) -> BoxFuture<'a, Result<Box<dyn OpenIncoming>, Fault>> {
        Box::pin(async move {
            let open = self.0.open(incoming, offset, size_bytes).await?;
            Ok(Box::new(open) as Box<dyn OpenIncoming>)
        })
    }

    fn discard<'a>(&'a self, incoming: &'a Incoming) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(self.0.discard(incoming))
    }

    fn remove<'a>(&'a self, object: &'a ObjectUri, keep: &'a str) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            incoming::check_key(object)?;
            match self.0.storages().medium(object, "remove")? {
                // Folders in a bucket are names alone: an empty one is none.
                Medium::Bucket(bucket) => {
                    let there = in_time(object, "remove", bucket.head(&object.key)).await?.is_some();
                    if there {
                        in_time(object, "remove", bucket.remove(&object.key)).await?;
                    }
                    Ok(there)
                }
                Medium::Folder(_) => {
                    let (key, keep) = (object.key.clone(), keep.to_owned());
                    let removed = self.0.storages().on(object, "remove", move |folder, _| {
                        folder.remove_with_folders(&key, &keep)
                    });
                    removed.await
                }
            }
        })
    }
}

impl OpenIncoming for OpenInflow {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(OpenInflow::write(self, bytes))
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<Synced, Fault>> {
        Box::pin(OpenInflow::sync(self))
    }
}
