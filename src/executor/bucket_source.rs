//! Objects of buckets as sources: what they were when the attempt began, and whether they still are.
//!
//! Guarantees: every range is of that very content or a fault; an object that was replaced is `SourceChanged`, one that
//! is gone `SourceGone`, and an endpoint that fails is the endpoint's fault. Deliberately absent: sockets.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::Identity;
use crate::executor::relay::Members;
use crate::objects::s3::Bucket;
use crate::objects::s3::Head;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use md5::Digest;
use md5::Md5;
use std::ops::Range;
use tokio_util::bytes::Bytes;

/// Objects that are looked at again at once.
const LOOKS_AT_ONCE: usize = 8;
const NS_PER_S: i64 = 1_000_000_000;

/// One object, by the content it had.
#[derive(Debug, Clone)]
pub struct BucketSource {
    bucket: Bucket,
    key: String,
    etag: String,
    /// Bytes.
    pub size_bytes: u64,
    /// When it was written, nanoseconds since 1970.
    pub mtime_ns: i64,
}

impl BucketSource {
    /// What stands under `key` now.
    ///
    /// # Errors
    /// `SourceGone`, or what the endpoint says.
    pub async fn open(bucket: &Bucket, key: &str) -> Result<Self, Fault> {
        let head = bucket.head(key).await?.ok_or_else(|| gone(bucket, key))?;
        Ok(Self::of(bucket, key, head))
    }

    /// The same, when it is what arrived.
    ///
    /// # Errors
    /// `SourceChanged` besides.
    pub async fn open_as(bucket: &Bucket, key: &str, identity: &Identity) -> Result<Self, Fault> {
        let source = Self::open(bucket, key).await?;
        // Some services list objects without their ETags, and tell times of single ones by the second only.
        let is_same = match (identity.etag.as_str(), identity.mtime_ns / NS_PER_S) {
            ("", 0) => true,
            ("", mtime_s) => mtime_s == source.mtime_ns / NS_PER_S,
            (etag, _) => etag == source.etag,
        };
        if !is_same || source.size_bytes != identity.size_bytes {
            return Err(changed(bucket, key, "what stands there now is not what arrived"));
        }
        Ok(source)
    }

    /// What was seen there before, which is not looked at again now.
    pub fn known(bucket: &Bucket, key: &str, identity: Identity) -> Self {
        BucketSource {
            bucket: bucket.clone(),
            key: key.to_owned(),
            etag: identity.etag,
            size_bytes: identity.size_bytes,
            mtime_ns: identity.mtime_ns,
        }
    }

    fn of(bucket: &Bucket, key: &str, head: Head) -> Self {
        BucketSource {
            bucket: bucket.clone(),
            key: key.to_owned(),
            etag: head.etag,
            size_bytes: head.size_bytes,
            mtime_ns: head.mtime_ns,
        }
    }

    fn stream(&self, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Fault>> {
        self.bucket.stream(&self.key, &self.etag, range)
    }

    async fn recheck(&self) -> Result<(), Fault> {
        let Some(head) = self.bucket.head(&self.key).await? else {
            return Err(gone(&self.bucket, &self.key));
        };
        if head.etag != self.etag || head.size_bytes != self.size_bytes {
            return Err(changed(
                &self.bucket,
                &self.key,
                "it was replaced while it was being processed",
            ));
        }
        Ok(())
    }

    fn name(&self) -> String {
        format!("{}:{}", self.bucket.name(), self.key)
    }
}

/// Size and MD5 of what stands under `key` now, read whole; none: nothing does.
///
/// # Errors
/// What the endpoint says; `SourceChanged` when it is replaced meanwhile.
pub async fn measure(bucket: &Bucket, key: &str) -> Result<Option<(u64, String)>, Fault> {
    let Some(head) = bucket.head(key).await? else {
        return Ok(None);
    };
    let size_bytes = head.size_bytes;
    let mut hash = Md5::new();
    if size_bytes > 0 {
        let mut pieces = bucket.stream(key, &head.etag, 0..size_bytes);
        while let Some(piece) = pieces.try_next().await? {
            hash.update(&piece);
        }
    }
    Ok(Some((size_bytes, hex::encode(hash.finalize()))))
}

fn gone(bucket: &Bucket, key: &str) -> Fault {
    Fault::new(
        "SourceGone",
        Blame::Source,
        "read source",
        format!("{}:{key}", bucket.name()),
        "there is no such object any more",
        "Put the object there again; it then runs as a new arrival.",
    )
}

fn changed(bucket: &Bucket, key: &str, cause: &str) -> Fault {
    Fault::new(
        "SourceChanged",
        Blame::Source,
        "read source",
        format!("{}:{key}", bucket.name()),
        cause,
        "Nothing: what stands there now runs as a new arrival.",
    )
}

/// The relayed files of an attempt.
#[derive(Debug)]
pub struct BucketSources(pub Vec<BucketSource>);

impl BucketSources {
    fn get(&self, member: u32) -> Option<&BucketSource> {
        self.0.get(usize::try_from(member).ok()?)
    }
}

impl Members for BucketSources {
    fn name(&self, member: u32) -> String {
        self.get(member)
            .map_or_else(|| format!("file {member}"), BucketSource::name)
    }

    fn size_bytes(&self, member: u32) -> Option<u64> {
        self.get(member).map(|source| source.size_bytes)
    }

    fn stream(&self, member: u32, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Fault>> {
        match self.get(member) {
            Some(source) => source.stream(range),
            None => futures_util::stream::empty().boxed(),
        }
    }

    fn recheck(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async move {
            let looks = self.0.iter().map(BucketSource::recheck);
            futures_util::stream::iter(looks)
                .buffer_unordered(LOOKS_AT_ONCE)
                .try_collect::<()>()
                .await
        })
    }
}
