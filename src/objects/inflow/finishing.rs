//! The end of files that came into buckets: checked, put under their name, or dropped.
//!
//! A small file is put under its name at once. A larger one was sent in parts to `.reelmill/uploads/ID`, where it can be
//! read back and compared before anybody sees it; the bucket then copies it to its name by itself. (Which name is free is
//! known only then, and the key of a multipart upload cannot be changed.) Guarantees: those of `objects::incoming`; what
//! has its name is known by the id in its metadata. Deliberately absent: which key is tried next when one is taken.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::content_type;
use crate::objects::incoming;
use crate::objects::incoming::Incoming;
use crate::objects::inflow::Named;
use crate::objects::inflow::growing::blocking;
use crate::objects::inflow::growing::is_gone;
use crate::objects::inflow::memory::Memory;
use crate::objects::inflow::pieces::Pieces;
use crate::objects::inflow::spool;
use crate::objects::inflow::spool::Place;
use crate::objects::inflow::spool::Spool;
use crate::objects::s3::Bucket;
use crate::objects::s3::Head;
use crate::objects::s3::ObjectInBucket;
use crate::objects::s3::Put;
use crate::objects::s3::PutRule;
use crate::objects::s3::Replace;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use futures_util::stream::BoxStream;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use tokio_util::bytes::Bytes;

/// Metadata of an object that came in through us: the id of its upload or pull.
pub const INCOMING_ID: &str = "reelmill-incoming";

/// A file that is whole in, or on its way to, a bucket.
#[derive(Debug, Clone)]
pub struct Finishing<'a> {
    pub bucket: Bucket,
    pub spool: &'a Spool,
    pub memory: &'a Memory,
    pub incoming: &'a Incoming,
}

/// Where the content of a whole file is.
enum Whole {
    /// In memory; it is small.
    Small(Bytes),
    /// In the bucket, beneath our staging.
    Staged(ObjectInBucket, u64),
    /// Nowhere but, perhaps, under its name.
    Nowhere,
}

/// How pieces are put: hidden, and of no use to anybody.
pub(super) fn staging_rule(incoming: &Incoming) -> PutRule {
    rule(incoming, Replace::Always)
}

fn rule(incoming: &Incoming, replace: Replace) -> PutRule {
    PutRule {
        content_type: content_type::of(&incoming.object.key).to_owned(),
        metadata: BTreeMap::from([(INCOMING_ID.to_owned(), incoming.id.clone())]),
        replace,
    }
}

impl Finishing<'_> {
    fn pieces(&self) -> Result<Option<Pieces>, Fault> {
        Pieces::read(self.incoming.pieces.as_deref(), &self.incoming.object)
    }

    /// Bytes that are in the spool for the part that begins at `start`.
    async fn gathered(&self, start: u64) -> Result<Option<u64>, Fault> {
        let (spool, object) = (self.spool.clone(), self.incoming.object.clone());
        let place = self.place(start);
        blocking(move || spool.length(&place, &object)).await
    }

    fn place(&self, start: u64) -> Place {
        Place {
            id: self.incoming.id.clone(),
            start,
        }
    }

    /// How much of it came; none: it was not begun, or has its name.
    pub async fn received(&self) -> Result<Option<u64>, Fault> {
        let pieces = self.pieces()?;
        let start = pieces.as_ref().map_or(0, Pieces::size_bytes);
        let gathered = self.gathered(start).await?;
        Ok(match (pieces, gathered) {
            (None, None) => None,
            (_, gathered) => Some(start + gathered.unwrap_or(0)),
        })
    }

    /// Size and time of a whole file that waits for its name; none: it has it, or is lost.
    pub async fn waiting(&self) -> Result<Option<(u64, i64)>, Fault> {
        if self.incoming.pieces.is_some()
            && let Some(head) = self.staged().await?
        {
            return Ok(Some((head.size_bytes, head.mtime_ns)));
        }
        Ok(self.received().await?.map(|size_bytes| (size_bytes, 0)))
    }

    async fn staged(&self) -> Result<Option<Head>, Fault> {
        let head = self.bucket.head(&self.incoming.staged_key()).await;
        head.map_err(|fault| self.of(fault))
    }

    /// The content of the whole file, in order, to be compared before it has its name.
    pub async fn content(&self, size_bytes: u64) -> Result<BoxStream<'static, Result<Bytes, Fault>>, Fault> {
        match self.whole(size_bytes).await? {
            Whole::Small(bytes) => Ok(stream::iter([Ok(bytes)]).boxed()),
            Whole::Staged(from, size_bytes) => Ok(self.bucket.stream(&from.key, &from.etag, 0..size_bytes)),
            Whole::Nowhere => Err(self.lost("its pieces are gone from the storage")),
        }
    }

    /// Puts it under its name. May be repeated: what has its name is adopted.
    pub async fn name(&self, size_bytes: u64, overwrite: bool) -> Result<Named, Fault> {
        let replace = if overwrite { Replace::Always } else { Replace::Never };
        let (key, rule) = (self.incoming.object.key.as_str(), rule(self.incoming, replace));
        let put = match self.whole(size_bytes).await? {
            Whole::Small(bytes) => {
                let room = self.memory.take(bytes.len() as u64).await;
                let put = self.bucket.put(key, bytes, &rule).await?;
                drop(room);
                put
            }
            Whole::Staged(from, _) => {
                let copying: BoxFuture<'_, Result<Put, Fault>> = Box::pin(self.bucket.copy(&from, key, &rule));
                copying.await?
            }
            Whole::Nowhere => Put::Taken,
        };
        let there = self.bucket.head(key).await?;
        let ours = there
            .filter(|head| head.size_bytes == size_bytes && head.metadata.get(INCOMING_ID) == Some(&self.incoming.id));
        match (put, ours) {
            (_, Some(head)) => {
                self.discard().await;
                Ok(Named::Done {
                    mtime_ns: head.mtime_ns,
                    etag: head.etag,
                })
            }
            (Put::Taken, None) if self.waiting().await?.is_some() => Ok(Named::Taken),
            (Put::Taken, None) => Err(self.lost("its pieces are gone from the storage")),
            (Put::Done(_), None) => Err(self.lost("something else was put under its name at the same moment")),
        }
    }

    /// Brings it together where that was not done yet.
    async fn whole(&self, size_bytes: u64) -> Result<Whole, Fault> {
        let Some(mut pieces) = self.pieces()? else {
            return match self.gathered(0).await? {
                Some(_) => Ok(Whole::Small(self.tail(0, size_bytes).await?)),
                None => Ok(Whole::Nowhere),
            };
        };
        if let Some(head) = self.staged().await? {
            return Ok(self.at(head));
        }
        let start = pieces.size_bytes();
        let key = self.incoming.staged_key();
        if size_bytes > start {
            if self.gathered(start).await?.is_none() {
                return Ok(Whole::Nowhere);
            }
            let room = self.memory.take(size_bytes - start).await;
            let bytes = self.tail(start, size_bytes - start).await?;
            let sent = self
                .bucket
                .part(&key, &pieces.upload, pieces.next_number(), bytes)
                .await;
            drop(room);
            match sent {
                Ok(part) => pieces.push(part),
                Err(fault) if is_gone(&fault) => return Ok(Whole::Nowhere),
                Err(fault) => return Err(self.of(fault)),
            }
        }
        let rule = staging_rule(self.incoming);
        match self.bucket.complete(&key, &pieces.upload, &pieces.parts(), &rule).await {
            Ok(_) => {}
            Err(fault) if is_gone(&fault) => return Ok(Whole::Nowhere),
            Err(fault) => return Err(self.of(fault)),
        }
        let head = self.staged().await?;
        head.map(|head| self.at(head))
            .ok_or_else(|| self.lost("what was brought together is gone from the storage"))
    }

    fn at(&self, head: Head) -> Whole {
        let from = ObjectInBucket {
            bucket: self.bucket.clone(),
            key: self.incoming.staged_key(),
            etag: head.etag,
            size_bytes: head.size_bytes,
        };
        Whole::Staged(from, head.size_bytes)
    }

    async fn tail(&self, start: u64, length: u64) -> Result<Bytes, Fault> {
        let (spool, place, object) = (self.spool.clone(), self.place(start), self.incoming.object.clone());
        blocking(move || {
            let file = spool.open(&place, length, &object)?;
            spool::read(&file, length, &object).map(Bytes::from)
        })
        .await
    }

    /// Drops everything that came of it but what has its name. What cannot be dropped now is swept.
    pub async fn discard(&self) {
        let id = &self.incoming.id;
        let left = |what: &str, why: String| tracing::debug!(id, why, "{what} is left until the next sweep");
        if let Ok(Some(pieces)) = self.pieces() {
            let key = self.incoming.staged_key();
            if let Err(fault) = self.bucket.abort(&key, &pieces.upload).await {
                left("a multipart upload", fault.to_string());
            }
            if let Err(fault) = self.bucket.remove(&key).await {
                left("a staged object", fault.to_string());
            }
        }
        let (spool, id) = (self.spool.clone(), id.clone());
        let removed = tokio::task::spawn_blocking(move || spool.remove_others(&id, None)).await;
        if let Ok(Err(error)) = removed {
            left("a piece", error.to_string());
        }
    }

    /// The same fault with the object as its subject: nobody knows the names of pieces.
    fn of(&self, fault: Fault) -> Fault {
        Fault {
            subject: self.incoming.object.to_string(),
            ..fault
        }
    }

    fn lost(&self, cause: &str) -> Fault {
        Fault::new(
            "UploadLost",
            Blame::Host,
            "finish",
            self.incoming.object.to_string(),
            cause,
            "Send it again; look whether something else cleans the storage.",
        )
        .retryable(false)
    }
}

/// Drops what lies beneath our staging in a bucket, of files that are not `wanted` and were not touched since then; how much.
pub async fn sweep(bucket: &Bucket, wanted: &BTreeSet<String>, untouched_since_ns: i64) -> Result<usize, Fault> {
    let prefix = incoming::staged_prefix();
    let id_of = |key: &str| key.strip_prefix(&prefix).map(str::to_owned);
    let unwanted =
        |key: &str, at_ns: i64| at_ns < untouched_since_ns && id_of(key).is_some_and(|id| !wanted.contains(&id));
    let mut removed = 0;
    for open in bucket.uploads(&prefix).await? {
        if unwanted(&open.key, open.begun_s.saturating_mul(1_000_000_000)) {
            bucket.abort(&open.key, &open.upload).await?;
            removed += 1;
        }
    }
    let mut token = None;
    loop {
        let page = bucket.list(&prefix, false, None, token.as_deref(), 1_000).await?;
        for object in page.objects {
            if unwanted(&object.key, object.mtime_ns) {
                bucket.remove(&object.key).await?;
                removed += 1;
            }
        }
        token = page.next;
        if token.is_none() {
            return Ok(removed);
        }
    }
}
