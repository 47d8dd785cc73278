//! Objects copied from bucket to bucket.
//!
//! Guarantees: on the server where both buckets are of one service, by parts where the object is too large for one
//! request; through this host else. The copy is of the object that was meant, or there is none. Deliberately absent:
//! what happens to the original.

use crate::base::fault::Fault;
use crate::objects::s3::Bucket;
use crate::objects::s3::exchange::Ask;
use crate::objects::s3::exchange::Failure;
use crate::objects::s3::exchange::Wants;
use crate::objects::s3::forms;
use crate::objects::s3::key;
use crate::objects::s3::multipart::Part;
use crate::objects::s3::refusal;
use crate::objects::s3::staging::PieceSource;
use crate::objects::s3::writing::Put;
use crate::objects::s3::writing::PutRule;
use crate::objects::s3::writing::Replace;
use futures_util::future::BoxFuture;
use futures_util::stream;
use futures_util::stream::StreamExt;
use futures_util::stream::TryStreamExt;
use reqwest::Method;
use std::ops::Range;
use tokio_util::bytes::Bytes;

/// Bytes of the largest object that is copied by one request.
const IN_ONE: u64 = 5 << 30;
/// Bytes of each part of a larger one.
const COPY_PART: u64 = 1 << 30;

/// An object in some bucket, as it was seen there.
#[derive(Debug, Clone)]
pub struct ObjectInBucket {
    /// Where.
    pub bucket: Bucket,
    /// Its key.
    pub key: String,
    /// Its ETag.
    pub etag: String,
    /// Its bytes.
    pub size_bytes: u64,
}

impl ObjectInBucket {
    /// Looks whether it still stands there.
    async fn check(&self) -> Result<(), Fault> {
        let subject = self.bucket.0.subject(&self.key);
        match self.bucket.head(&self.key).await? {
            Some(head) if head.size_bytes == self.size_bytes && (self.etag.is_empty() || head.etag == self.etag) => {
                Ok(())
            }
            Some(head) => {
                let cause = format!("its ETag is {} now; it was {}", head.etag, self.etag);
                Err(refusal::source_changed("copy", &subject, &cause))
            }
            None => Err(refusal::source_gone("copy", &subject, "nothing stands there any more")),
        }
    }
}

impl PieceSource for ObjectInBucket {
    fn piece(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, Fault>> {
        Box::pin(self.bucket.read(&self.key, &self.etag, range))
    }
}

impl Bucket {
    /// Copies an object of this or another bucket to `to_key`.
    ///
    /// # Errors
    /// `KeyRefused`, `SourceChanged`, `SourceGone`, or those of [`Bucket::reach`].
    pub async fn copy(&self, from: &ObjectInBucket, to_key: &str, rule: &PutRule) -> Result<Put, Fault> {
        key::check_writable(self.name(), to_key)?;
        if self.same_service(&from.bucket) {
            if rule.replace == Replace::Never && self.head(to_key).await?.is_some() {
                return Ok(Put::Taken);
            }
            // Few services know x-amz-copy-source-if-match: Ceph's gateway and moto copy whatever stands there.
            from.check().await?;
            let copied = if from.size_bytes <= IN_ONE {
                self.copy_in_one(from, to_key, rule).await?
            } else {
                self.copy_in_parts(from, to_key, rule).await?
            };
            if let Some(put) = copied {
                return Ok(put);
            }
        }
        let staged = self.upload(to_key, from.size_bytes, from.clone(), rule).await?;
        match staged.finish().await {
            Ok(put) => Ok(put),
            Err(fault) => {
                if let Err(left) = staged.drop_it().await {
                    tracing::warn!(storage = %self.name(), key = to_key, fault = %left, "a copy that failed left an upload behind");
                }
                Err(fault)
            }
        }
    }

    /// Whether the service of this bucket can read the other by itself.
    fn same_service(&self, other: &Bucket) -> bool {
        let (ours, theirs) = (self.options(), other.options());
        ours.endpoint == theirs.endpoint && ours.region == theirs.region && ours.credentials == theirs.credentials
    }

    /// None: the service cannot.
    async fn copy_in_one(&self, from: &ObjectInBucket, to_key: &str, rule: &PutRule) -> Result<Option<Put>, Fault> {
        let ask = Ask::new("copy", Method::PUT, to_key)
            .header("x-amz-metadata-directive", "REPLACE")
            .wants(Wants::Form)
            .at_work();
        let ask = self.described(self.copied_from(ask, from)?, rule);
        let reply = match self.0.exchange(&ask).await {
            Ok(reply) => reply,
            Err(Failure::Refused(refusal)) if refusal.is_unknown_way() => return Ok(None),
            Err(failure) => return Err(self.0.fault(&ask, failure)),
        };
        let made: forms::Made = forms::read(&reply.body).map_err(|cause| self.misread(&ask, cause))?;
        match self.head(to_key).await? {
            Some(head) if head.size_bytes == from.size_bytes => Ok(Some(Put::Done(head.etag))),
            _ => Err(self.corrupt("copy", to_key, &made.etag, &format!("{} bytes", from.size_bytes))),
        }
    }

    async fn copy_in_parts(&self, from: &ObjectInBucket, to_key: &str, rule: &PutRule) -> Result<Option<Put>, Fault> {
        let upload = self.begin(to_key, rule).await?;
        let made = match self.send_copies(from, to_key, &upload).await {
            Ok(Some(parts)) => self.complete(to_key, &upload, &parts, rule).await.map(Some),
            Ok(None) => Ok(None),
            Err(fault) => Err(fault),
        };
        if !matches!(made, Ok(Some(Put::Done(_))))
            && let Err(left) = self.abort(to_key, &upload).await
        {
            tracing::warn!(storage = %self.name(), key = to_key, upload, fault = %left, "a copy that failed left an upload behind");
        }
        made
    }

    async fn send_copies(&self, from: &ObjectInBucket, to_key: &str, upload: &str) -> Result<Option<Vec<Part>>, Fault> {
        let count = from.size_bytes.div_ceil(COPY_PART);
        let numbers = stream::iter(1..=u32::try_from(count).unwrap_or(u32::MAX));
        let copied = numbers.map(|number| async move {
            let start = u64::from(number - 1) * COPY_PART;
            let end = (start + COPY_PART).min(from.size_bytes);
            let ask = Ask::new("copy part", Method::PUT, to_key)
                .query("partNumber", number.to_string())
                .query("uploadId", upload)
                .header("x-amz-copy-source-range", &format!("bytes={start}-{}", end - 1))
                .wants(Wants::Form)
                .at_work();
            let ask = self.copied_from(ask, from)?;
            let reply = match self.0.exchange(&ask).await {
                Ok(reply) => reply,
                Err(Failure::Refused(refusal)) if refusal.is_unknown_way() => return Ok(None),
                Err(failure) => return Err(self.0.fault(&ask, failure)),
            };
            let made: forms::Made = forms::read(&reply.body).map_err(|cause| self.misread(&ask, cause))?;
            Ok(Some(Part {
                number,
                etag: forms::bare_etag(&made.etag),
                size_bytes: end - start,
                md5: String::new(),
            }))
        });
        let concurrency = self.options().upload.concurrency.max(1);
        copied
            .buffered(concurrency)
            .try_collect::<Vec<_>>()
            .await
            .map(|parts| parts.into_iter().collect())
    }

    fn copied_from<'a>(&self, ask: Ask<'a>, from: &ObjectInBucket) -> Result<Ask<'a>, Fault> {
        let path = key::path_of(&from.key).map_err(|cause| self.misread(&ask, cause.to_owned()))?;
        let source = format!("/{}/{path}", from.bucket.options().bucket);
        let ask = ask.header("x-amz-copy-source", &source);
        Ok(if from.etag.is_empty() {
            ask
        } else {
            ask.header("x-amz-copy-source-if-match", &format!("\"{}\"", from.etag))
        })
    }
}
