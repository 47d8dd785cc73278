//! Writing into folder storages for requests: files that come in, small objects, removal, listing.
//!
//! Guarantees: those of [`ObjectWriter`]; every touch of a storage goes through its own threads, so one that hangs is
//! told as such and blocks nothing else. Deliberately absent: giving a whole file its name, which goes on after the
//! request that brought its last byte.

use crate::base::fault::Fault;
use crate::objects::incoming;
use crate::objects::incoming::Incoming;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use crate::web::ports::ObjectWriter;
use crate::web::ports::OpenIncoming;
use axum::body::Bytes;
use futures_util::future::BoxFuture;
use std::fs::File;
use std::sync::Arc;

/// Writes into these storages.
#[derive(Debug, Clone)]
pub struct FolderWriter(Storages);

impl FolderWriter {
    /// A writer into `storages`.
    pub fn new(storages: Storages) -> Self {
        FolderWriter(storages)
    }
}

impl ObjectWriter for FolderWriter {
    fn has(&self, storage: &str) -> bool {
        self.0.has(storage)
    }

    fn begin<'a>(&'a self, incoming: &'a Incoming, size_bytes: Option<u64>) -> BoxFuture<'a, Result<(), Fault>> {
        let upload = incoming.clone();
        Box::pin(self.0.on(&incoming.object, "begin", move |folder, _| {
            incoming::begin(folder, &upload, size_bytes)
        }))
    }

    fn received<'a>(&'a self, incoming: &'a Incoming) -> BoxFuture<'a, Result<Option<u64>, Fault>> {
        let upload = incoming.clone();
        Box::pin(self.0.on(&incoming.object, "look at", move |folder, _| {
            incoming::received(folder, &upload)
        }))
    }

    fn append<'a>(
        &'a self,
        incoming: &'a Incoming,
        offset: u64,
    ) -> BoxFuture<'a, Result<Box<dyn OpenIncoming>, Fault>> {
        let upload = incoming.clone();
        Box::pin(async move {
            let opened = self.0.on(&incoming.object, "open", move |folder, _| {
                incoming::open_at(folder, &upload, offset)
            });
            let file = opened.await?;
            Ok(Box::new(OpenFile {
                storages: self.0.clone(),
                incoming: incoming.clone(),
                file: Arc::new(file),
                offset,
            }) as Box<dyn OpenIncoming>)
        })
    }

    fn discard<'a>(&'a self, incoming: &'a Incoming) -> BoxFuture<'a, Result<(), Fault>> {
        let id = incoming.id.clone();
        Box::pin(self.0.on(&incoming.object, "remove", move |folder, _| {
            incoming::discard(folder, &id)
        }))
    }

    fn remove<'a>(&'a self, object: &'a ObjectUri, keep: &'a str) -> BoxFuture<'a, Result<bool, Fault>> {
        let (target, keep) = (object.clone(), keep.to_owned());
        Box::pin(self.0.on(object, "remove", move |folder, _| {
            incoming::check_key(&target)?;
            folder.remove_with_folders(&target.key, &keep)
        }))
    }
}

struct OpenFile {
    storages: Storages,
    incoming: Incoming,
    file: Arc<File>,
    offset: u64,
}

impl OpenIncoming for OpenFile {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async move {
            let (incoming, file) = (self.incoming.clone(), Arc::clone(&self.file));
            let length = bytes.len() as u64;
            let object = self.incoming.object.clone();
            let written = self.storages.on(&object, "write", move |_, pulse| {
                incoming::write(&incoming, &file, &bytes, pulse)
            });
            written.await?;
            self.offset += length;
            Ok(())
        })
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<u64, Fault>> {
        Box::pin(async move {
            let (incoming, file) = (self.incoming.clone(), Arc::clone(&self.file));
            let object = self.incoming.object.clone();
            let synced = self.storages.on(&object, "sync", move |folder, _| {
                incoming::sync(folder, &incoming, &file)
            });
            synced.await?;
            Ok(self.offset)
        })
    }
}
