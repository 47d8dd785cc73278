//! Objects of folder storages, for links and for checking that a source exists.
//!
//! Guarantees: every access goes through `objects::local`, which cannot leave the storage's root; files are read off the
//! async threads, a piece at a time. Deliberately absent: other kinds of storage.

use crate::base::fault::Fault;
use crate::objects::local::Kind;
use crate::objects::local::Stat;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use crate::objects::walk::walk;
use crate::web::ports::ObjectAccess;
use crate::web::ports::ObjectHead;
use crate::web::ports::OpenObject;
use axum::body::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream;
use futures_util::stream::BoxStream;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes read at once.
const PIECE_BYTES: u64 = 256 * 1024;

/// The folder storages by name.
#[derive(Debug, Clone)]
pub struct FolderObjects(Storages);

impl FolderObjects {
    /// Access to these storages.
    pub fn new(storages: Storages) -> Self {
        FolderObjects(storages)
    }
}

fn head_of(stat: Stat) -> ObjectHead {
    ObjectHead {
        size_bytes: stat.size_bytes,
        mtime_ns: stat.mtime_ns,
        etag: String::new(),
    }
}

impl ObjectAccess for FolderObjects {
    fn head<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<ObjectHead>, Fault>> {
        Box::pin(async move {
            let key = object.key.clone();
            let stat = self.0.on(object, "look at", move |folder, _| folder.stat(&key)).await?;
            Ok(stat.filter(|stat| stat.kind == Kind::File).map(head_of))
        })
    }

    fn open<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<Box<dyn OpenObject>>, Fault>> {
        Box::pin(async move {
            let key = object.key.clone();
            let opened = self.0.on(object, "open", move |folder, _| match folder.stat(&key)? {
                Some(stat) if stat.kind == Kind::File => folder.open(&key).map(Some),
                _ => Ok(None),
            });
            Ok(opened.await?.map(|(file, stat)| {
                Box::new(OpenFile {
                    file: Arc::new(file),
                    head: head_of(stat),
                }) as Box<dyn OpenObject>
            }))
        })
    }

    fn under<'a>(
        &'a self,
        storage: &'a str,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, Fault>> {
        Box::pin(async move {
            let within = ObjectUri::new(storage, prefix);
            let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
            let walked = self.0.on(&within, "list", move |folder, _| {
                walk(folder, &prefix, after.as_deref(), limit)
            });
            walked.await
        })
    }
}

struct OpenFile {
    file: Arc<File>,
    head: ObjectHead,
}

impl OpenObject for OpenFile {
    fn head(&self) -> ObjectHead {
        self.head.clone()
    }

    fn read(self: Box<Self>, range: Range<u64>) -> BoxStream<'static, Result<Bytes, std::io::Error>> {
        let file = self.file;
        Box::pin(stream::try_unfold(range, move |left| {
            let file = Arc::clone(&file);
            async move {
                if left.start >= left.end {
                    return Ok(None);
                }
                let piece = tokio::task::spawn_blocking(move || read_piece(&file, left.start, left.end))
                    .await
                    .map_err(std::io::Error::other)??;
                let next = left.start + piece.len() as u64;
                Ok(Some((piece, next..left.end)))
            }
        }))
    }
}

/// The next bytes from `start`, at least one; a file that became shorter meanwhile is an error, not a short answer.
fn read_piece(file: &File, start: u64, end: u64) -> std::io::Result<Bytes> {
    let length = (end - start).min(PIECE_BYTES);
    let mut buffer = vec![0; usize::try_from(length).unwrap_or(0)];
    let read = file.read_at(&mut buffer, start)?;
    if read == 0 {
        return Err(std::io::Error::new(
            std::io::ErrorKind::UnexpectedEof,
            "the object became shorter while it was read",
        ));
    }
    buffer.truncate(read);
    Ok(Bytes::from(buffer))
}
