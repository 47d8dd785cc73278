//! What stands in a bucket, and its bytes.
//!
//! Guarantees: bytes are those of the object with the given ETag, or a fault; a body that breaks off is gone on with at
//! the byte reached; nothing longer than a piece is held. Deliberately absent: reading ahead, and keeping what was read.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::s3::Bucket;
use crate::objects::s3::exchange;
use crate::objects::s3::exchange::Ask;
use crate::objects::s3::exchange::Failure;
use crate::objects::s3::exchange::Reply;
use crate::objects::s3::exchange::Wants;
use crate::objects::s3::forms;
use crate::objects::s3::refusal;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use reqwest::Method;
use reqwest::Response;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::bytes::Bytes;
use tokio_util::bytes::BytesMut;

/// Time for a look at the bucket for people.
const REACH_LIMIT: Duration = Duration::from_secs(10);

/// What stands under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its bytes.
    pub size_bytes: u64,
    /// When it was written, nanoseconds since 1970; whole seconds, because services tell no more of one object.
    pub mtime_ns: i64,
    /// As the service gives it, without its quotes; of several parts it ends in `-N`.
    pub etag: String,
    /// Its media type; empty: none is known.
    pub content_type: String,
    /// What was noted with it, names in lower case without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

impl Bucket {
    /// Whether the bucket is there and may be listed; one request, a few seconds at most.
    ///
    /// # Errors
    /// `StorageNotAnswering`, `StorageDenied`, `BucketUnknown`, `RegionWrong`, `ClockWrong`, `CertificateRefused`.
    pub async fn reach(&self) -> Result<(), Fault> {
        let ask = Ask::new("reach", Method::GET, "")
            .query("list-type", "2")
            .query("max-keys", "1")
            .wants(Wants::Form)
            .limit(REACH_LIMIT);
        self.ask(&ask).await.map(drop)
    }

    /// What stands under `key`; none: nothing.
    ///
    /// # Errors
    /// Those of [`Bucket::reach`].
    pub async fn head(&self, key: &str) -> Result<Option<Head>, Fault> {
        let ask = Ask::new("look at", Method::HEAD, key);
        match self.0.exchange(&ask).await {
            Ok(reply) => Ok(Some(head_of(&reply.headers))),
            Err(Failure::Refused(refusal)) if refusal.status == 404 => {
                // HEAD is answered without a word: that the key or that the bucket is not there looks the same.
                if refusal.is_no_bucket() || !self.is_there().await? {
                    return Err(refusal::bucket_unknown(
                        ask.operation,
                        &self.0.subject(key),
                        &self.address(""),
                        "the service knows no such bucket",
                    ));
                }
                Ok(None)
            }
            Err(failure) => Err(self.0.fault(&ask, failure)),
        }
    }

    /// The bytes `range` of the object `key` with this ETag (empty: whatever stands there).
    ///
    /// # Errors
    /// `SourceChanged`, `SourceGone`, or those of [`Bucket::reach`]; never fewer bytes.
    pub async fn read(&self, key: &str, etag: &str, range: Range<u64>) -> Result<Bytes, Fault> {
        let length = range.end.saturating_sub(range.start);
        let mut pieces = self.stream(key, etag, range);
        let Some(first) = pieces.try_next().await? else {
            return Ok(Bytes::new());
        };
        if first.len() as u64 == length {
            return Ok(first);
        }
        let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or(0));
        bytes.extend_from_slice(&first);
        while let Some(piece) = pieces.try_next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    }

    /// The same piece by piece, as they come. It ends after the last byte of `range` or with a fault.
    pub fn stream(&self, key: &str, etag: &str, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Fault>> {
        let reading = Reading {
            bucket: self.clone(),
            key: key.to_owned(),
            etag: etag.to_owned(),
            next: range.start,
            end: range.end,
            open: None,
        };
        futures_util::stream::try_unfold(reading, |mut reading| async move {
            let piece = reading.piece().await?;
            Ok(piece.map(|piece| (piece, reading)))
        })
        .boxed()
    }

    /// Whether the bucket is there, where that was not seen a moment ago.
    async fn is_there(&self) -> Result<bool, Fault> {
        if self.0.was_seen() {
            return Ok(true);
        }
        let ask = Ask::new("look at", Method::HEAD, "");
        match self.0.exchange(&ask).await {
            Ok(_) => Ok(true),
            Err(Failure::Refused(refusal)) if refusal.status == 404 => Ok(false),
            // It is there, though we may not look at it.
            Err(Failure::Refused(refusal)) if refusal.status == 403 => Ok(true),
            Err(failure) => Err(self.0.fault(&ask, failure)),
        }
    }
}

/// What the headers of an object say.
pub(super) fn head_of(headers: &HeaderMap) -> Head {
    let text = |name: &str| exchange::text(headers, name).unwrap_or_default();
    let metadata = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-amz-meta-")?;
        Some((name.to_owned(), value.to_str().ok()?.to_owned()))
    });
    Head {
        size_bytes: text("content-length").parse().unwrap_or(0),
        mtime_ns: forms::http_date_s(text("last-modified"))
            .unwrap_or(0)
            .saturating_mul(1_000_000_000),
        etag: forms::bare_etag(text("etag")),
        content_type: text("content-type").to_owned(),
        metadata: metadata.collect(),
    }
}

/// A range that is being read.
struct Reading {
    bucket: Bucket,
    key: String,
    etag: String,
    next: u64,
    end: u64,
    open: Option<Open>,
}

/// A body, and how many bytes of it come before those that are wanted.
struct Open {
    response: Response,
    skip: u64,
}

impl Reading {
    /// The next bytes; none: all were given.
    async fn piece(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.next >= self.end {
            self.open = None;
            return Ok(None);
        }
        let service = std::sync::Arc::clone(&self.bucket.0);
        let patience = service.options.patience;
        // Counted from here: while whoever takes the pieces is busy, nothing is waited for.
        let begun = Instant::now();
        let mut breaks = 0;
        loop {
            let open = match &mut self.open {
                Some(open) => open,
                none => none.insert(open_at(&self.bucket, &self.key, &mut self.etag, self.next..self.end).await?),
            };
            let cause = match exchange::next_piece(&mut open.response, patience.idle).await {
                Ok(Some(mut piece)) => {
                    let skipped = open.skip.min(piece.len() as u64);
                    open.skip -= skipped;
                    let piece = piece.split_off(usize::try_from(skipped).unwrap_or(usize::MAX));
                    if piece.is_empty() {
                        continue;
                    }
                    let wanted = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
                    let piece = piece.slice(..piece.len().min(wanted));
                    self.next += piece.len() as u64;
                    return Ok(Some(piece));
                }
                Ok(None) => "the answer ended early".to_owned(),
                Err(cause) => cause,
            };
            self.open = None;
            breaks += 1;
            let pause = service.pause(breaks);
            if begun.elapsed() + pause >= patience.total {
                let ask = Ask::new("read", Method::GET, &self.key);
                let cause = format!("{cause} at byte {} ({breaks} tries)", self.next);
                return Err(service.not_answering(&ask, cause));
            }
            tracing::debug!(
                storage = %service.options.name, key = %self.key, at_byte = self.next, %cause,
                "a body from a bucket broke off and is gone on with"
            );
            tokio::time::sleep(pause).await;
        }
    }
}

/// Asks for the bytes `range` and looks whether it is they that come.
async fn open_at(bucket: &Bucket, key: &str, etag: &mut String, range: Range<u64>) -> Result<Open, Fault> {
    let service = &bucket.0;
    let mut ask = Ask::new("read", Method::GET, key)
        .header("range", &format!("bytes={}-{}", range.start, range.end - 1))
        .wants(Wants::Head);
    if !etag.is_empty() {
        ask = ask.header("if-match", &format!("\"{etag}\""));
    }
    let reply = service
        .exchange(&ask)
        .await
        .map_err(|failure| service.fault(&ask, failure))?;
    let subject = service.subject(key);
    let changed = |cause: String| refusal::source_changed("read", &subject, &cause);
    let answered = forms::bare_etag(exchange::text(&reply.headers, "etag").unwrap_or_default());
    if etag.is_empty() {
        // From here on it has to be this one.
        etag.clone_from(&answered);
    } else if !answered.is_empty() && answered != *etag {
        // Not every service knows If-Match.
        return Err(changed(format!("its ETag is {answered} now; it was {etag}")));
    }
    let skip = skipped(&reply, &range).map_err(|cause| {
        Fault::new(
            "StorageRefused",
            Blame::Host,
            "read",
            subject.clone(),
            cause,
            "The service does not answer ranges as S3 does; use another one.",
        )
    })?;
    if let Some(size_bytes) = size_of(&reply)
        && size_bytes < range.end
    {
        return Err(changed(format!("it has {size_bytes} bytes now, fewer than it had")));
    }
    let response = reply.open.expect("the body was asked for unread");
    Ok(Open { response, skip })
}

/// How many bytes come before the first that is wanted.
fn skipped(reply: &Reply, range: &Range<u64>) -> Result<u64, String> {
    if reply.status != StatusCode::PARTIAL_CONTENT {
        // All of it comes, from its first byte.
        return Ok(range.start);
    }
    let said = exchange::text(&reply.headers, "content-range").unwrap_or_default();
    let first = said
        .trim_start_matches("bytes")
        .trim()
        .split('-')
        .next()
        .and_then(|first| first.parse::<u64>().ok());
    match first {
        Some(first) if first <= range.start => Ok(range.start - first),
        _ => Err(format!(
            "bytes from {} on were asked for and {said:?} came",
            range.start
        )),
    }
}

/// The size of the whole object, where the answer says it.
fn size_of(reply: &Reply) -> Option<u64> {
    if reply.status == StatusCode::PARTIAL_CONTENT {
        exchange::text(&reply.headers, "content-range")?
            .rsplit('/')
            .next()?
            .trim()
            .parse()
            .ok()
    } else {
        exchange::text(&reply.headers, "content-length")?.parse().ok()
    }
}
