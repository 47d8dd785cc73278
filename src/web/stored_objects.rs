//! Objects of the storages, for links and for checking that a source exists.
//!
//! Guarantees: a folder is never left, whatever the key, and read off the async threads, a piece at a time; of a bucket
//! one content is read, the one whose ETag was looked up, or the answer breaks off; a storage that does not answer is
//! told in time. Deliberately absent: writing.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::ignored;
use crate::objects::local::Kind;
use crate::objects::local::Stat;
use crate::objects::s3::Bucket;
use crate::objects::s3::Head;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use crate::objects::walk::walk;
use crate::web::ports::Content;
use crate::web::ports::ObjectAccess;
use crate::web::ports::ObjectHead;
use crate::web::ports::OpenObject;
use axum::body::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use std::fs::File;
use std::future::Future;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

/// Bytes read at once.
const PIECE_BYTES: u64 = 256 * 1024;
/// How long a bucket may take to answer somebody who waits for it.
const WITHIN: Duration = Duration::from_secs(10);
/// Objects of a bucket that are listed at once.
const LISTED: u32 = 1_000;

/// The objects of storages.
#[derive(Debug, Clone)]
pub struct StoredObjects(Storages);

impl StoredObjects {
    /// Access to these storages.
    pub fn new(storages: Storages) -> Self {
        StoredObjects(storages)
    }
}

/// What a bucket answers within the time that people wait.
///
/// # Errors
/// `StorageNotAnswering`, or what the bucket says.
pub async fn in_time<T>(
    object: &ObjectUri,
    operation: &str,
    asked: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(WITHIN, asked).await {
        Ok(answered) => answered,
        Err(_) => Err(Fault::new(
            "StorageNotAnswering",
            Blame::Host,
            operation,
            object.to_string(),
            format!("the bucket did not answer within {} s", WITHIN.as_secs()),
            "Check its endpoint and the network; try again.",
        )),
    }
}

fn head_of_file(stat: Stat) -> ObjectHead {
    ObjectHead {
        size_bytes: stat.size_bytes,
        mtime_ns: stat.mtime_ns,
        etag: String::new(),
    }
}

fn head_of_object(head: Head) -> ObjectHead {
    ObjectHead {
        size_bytes: head.size_bytes,
        mtime_ns: head.mtime_ns,
        etag: head.etag,
    }
}

impl ObjectAccess for StoredObjects {
    fn head<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<ObjectHead>, Fault>> {
        Box::pin(async move {
            let key = object.key.clone();
            match self.0.medium(object, "look at")? {
                Medium::Bucket(bucket) => {
                    let head = in_time(object, "look at", head_of_key(&bucket, &key)).await?;
                    Ok(head.map(head_of_object))
                }
                Medium::Folder(_) => {
                    let stat = self.0.on(object, "look at", move |folder, _| folder.stat(&key)).await?;
                    Ok(stat.filter(|stat| stat.kind == Kind::File).map(head_of_file))
                }
            }
        })
    }

    fn open<'a>(&'a self, object: &'a ObjectUri) -> BoxFuture<'a, Result<Option<Box<dyn OpenObject>>, Fault>> {
        Box::pin(async move {
            let key = object.key.clone();
            if let Medium::Bucket(bucket) = self.0.medium(object, "open")? {
                let head = in_time(object, "open", head_of_key(&bucket, &key)).await?;
                return Ok(head.map(|head| {
                    Box::new(InBucket {
                        bucket,
                        object: object.clone(),
                        head: head_of_object(head),
                    }) as Box<dyn OpenObject>
                }));
            }
            let opened = self.0.on(object, "open", move |folder, _| match folder.stat(&key)? {
                Some(stat) if stat.kind == Kind::File => folder.open(&key).map(Some),
                _ => Ok(None),
            });
            Ok(opened.await?.map(|(file, stat)| {
                Box::new(OpenFile {
                    file: Arc::new(file),
                    head: head_of_file(stat),
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
            if let Medium::Bucket(bucket) = self.0.medium(&within, "list")? {
                return in_time(&within, "list", keys_under(&bucket, prefix, after, limit)).await;
            }
            let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
            let walked = self.0.on(&within, "list", move |folder, _| {
                walk(folder, &prefix, after.as_deref(), limit)
            });
            walked.await
        })
    }
}

/// What stands under a key. What stands under one that ends in a slash is somebody's sign for a folder.
async fn head_of_key(bucket: &Bucket, key: &str) -> Result<Option<Head>, Fault> {
    match key.ends_with('/') {
        true => Ok(None),
        false => bucket.head(key).await,
    }
}

/// Keys of a bucket in its order, without those that are never objects, and without the empty ones that stand for
/// folders.
async fn keys_under(bucket: &Bucket, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let page = bucket.list(prefix, false, after, token.as_deref(), LISTED).await?;
        let keys = page.objects.into_iter().map(|object| object.key);
        let wanted = keys.filter(|key| !key.ends_with('/') && ignored::why(key).is_none());
        found.extend(wanted.take(limit - found.len()));
        token = page.next;
        if token.is_none() || found.len() >= limit {
            return Ok(found);
        }
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

    fn read(self: Box<Self>, range: Range<u64>) -> BoxFuture<'static, Result<Content, Fault>> {
        let file = self.file;
        let content: Content = Box::pin(stream::try_unfold(range, move |left| {
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
        }));
        Box::pin(async { Ok(content) })
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

struct InBucket {
    bucket: Bucket,
    object: ObjectUri,
    head: ObjectHead,
}

impl OpenObject for InBucket {
    fn head(&self) -> ObjectHead {
        self.head.clone()
    }

    fn read(self: Box<Self>, range: Range<u64>) -> BoxFuture<'static, Result<Content, Fault>> {
        Box::pin(async move {
            if range.is_empty() {
                return Ok(stream::empty().boxed());
            }
            let mut content = self.bucket.stream(&self.object.key, &self.head.etag, range);
            // The first piece says whether it is still that content, while the answer can still say so too.
            let first = in_time(&self.object, "read", async { content.next().await.transpose() }).await?;
            let object = self.object;
            let rest = content.map(move |piece| {
                piece.map_err(|fault| {
                    tracing::warn!(%object, %fault, "an answer with an object broke off");
                    std::io::Error::other(fault)
                })
            });
            Ok(stream::iter(first.map(Ok)).chain(rest).boxed())
        })
    }
}
