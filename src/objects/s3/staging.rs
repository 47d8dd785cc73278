//! An object of any size, sent but not yet there: all its parts wait for the word that makes it appear.
//!
//! Guarantees: so many parts are in memory as the options allow, over all uploads into the bucket; what was begun and
//! fails is aborted; nothing appears before [`StagedUpload::finish`]. Deliberately absent: where the bytes come from.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::s3::Bucket;
use crate::objects::s3::key;
use crate::objects::s3::multipart::Part;
use crate::objects::s3::writing::Put;
use crate::objects::s3::writing::PutRule;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use md5::Digest;
use md5::Md5;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use tokio_util::bytes::Bytes;

/// Most parts of one upload.
const PARTS: u64 = 10_000;
/// Bytes of the smallest part that is not the last.
const SMALLEST_PART: u64 = 5 << 20;
/// Parts that had to grow are so many bytes long, or a multiple.
const PART_STEP: u64 = 1 << 20;
/// Bytes of the largest object.
const LARGEST: u64 = 5 << 40;

/// Bytes that can be read piece by piece, again if need be.
pub trait PieceSource: Send + Sync + 'static {
    /// The bytes `range`, all of them.
    fn piece(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, Fault>>;
}

impl PieceSource for Bytes {
    fn piece(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, Fault>> {
        let (start, end) = (range.start as usize, range.end as usize);
        Box::pin(async move {
            if end <= self.len() && start <= end {
                Ok(self.slice(start..end))
            } else {
                Err(too_short("the bytes given", end as u64))
            }
        })
    }
}

/// A local file as a source. Not for mounts: a read that hangs holds a thread.
#[derive(Debug)]
pub struct FilePieces {
    file: Arc<File>,
    /// As faults name it.
    subject: String,
}

impl FilePieces {
    /// This file, named `subject` in faults.
    pub fn new(file: File, subject: impl Into<String>) -> Self {
        FilePieces {
            file: Arc::new(file),
            subject: subject.into(),
        }
    }
}

impl PieceSource for FilePieces {
    fn piece(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, Fault>> {
        let file = Arc::clone(&self.file);
        Box::pin(async move {
            let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, range.start).map(|()| bytes)
            });
            match read.await {
                Ok(Ok(bytes)) => Ok(Bytes::from(bytes)),
                Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    Err(too_short(&self.subject, range.end))
                }
                Ok(Err(error)) => Err(unreadable(&self.subject, &error.to_string())),
                Err(_) => Err(unreadable(&self.subject, "reading it failed; see the log")),
            }
        })
    }
}

/// An object that was sent and is not there yet.
pub struct StagedUpload {
    bucket: Bucket,
    key: String,
    rule: PutRule,
    size_bytes: u64,
    /// Of what was read; none: nothing was sent yet.
    md5: Option<String>,
    how: How,
}

enum How {
    /// Small enough for one request, which also makes it appear. The source is read then.
    InOne(Arc<dyn PieceSource>),
    InParts {
        upload: String,
        parts: Vec<Part>,
    },
}

impl std::fmt::Debug for StagedUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StagedUpload")
            .field("key", &self.key)
            .field("size_bytes", &self.size_bytes)
            .field("upload", &self.upload())
            .finish_non_exhaustive()
    }
}

impl Bucket {
    /// Sends the `size_bytes` of `source` for `key`, without letting the object appear.
    ///
    /// # Errors
    /// `KeyRefused`, `ObjectTooLarge`, what the source says, `OutputCorrupt`, or those of [`Bucket::reach`].
    pub async fn upload(
        &self,
        key: &str,
        size_bytes: u64,
        source: impl PieceSource,
        rule: &PutRule,
    ) -> Result<StagedUpload, Fault> {
        key::check_writable(self.name(), key)?;
        if size_bytes > LARGEST {
            return Err(Fault::new(
                "ObjectTooLarge",
                Blame::Request,
                "write",
                self.0.subject(key),
                format!("it has {size_bytes} bytes; buckets hold objects of at most {LARGEST}"),
                "Write it into a storage of kind \"folder\".",
            ));
        }
        let staged = |md5, how| StagedUpload {
            bucket: self.clone(),
            key: key.to_owned(),
            rule: rule.clone(),
            size_bytes,
            md5,
            how,
        };
        let part_bytes = part_bytes(self.options().upload.part_bytes, size_bytes);
        if size_bytes <= part_bytes {
            return Ok(staged(None, How::InOne(Arc::new(source))));
        }
        let upload = self.begin(key, rule).await?;
        match self.send_parts(key, &upload, size_bytes, part_bytes, &source).await {
            Ok((parts, md5)) => Ok(staged(Some(md5), How::InParts { upload, parts })),
            Err(fault) => {
                if let Err(left) = self.abort(key, &upload).await {
                    tracing::warn!(storage = %self.name(), key, upload, fault = %left, "an upload that failed could not be aborted; it is when uploads that were left are looked for");
                }
                Err(fault)
            }
        }
    }

    /// Sends all parts, several at once; they are read in order. The parts, and the MD5 of all bytes.
    async fn send_parts(
        &self,
        key: &str,
        upload: &str,
        size_bytes: u64,
        part_bytes: u64,
        source: &dyn PieceSource,
    ) -> Result<(Vec<Part>, String), Fault> {
        let options = &self.options().upload;
        let concurrency = options.concurrency.max(1);
        // Parts that had to grow count for more, so that memory stays what it was meant to be.
        let weight = part_bytes.div_ceil(options.part_bytes.max(SMALLEST_PART));
        let weight = u32::try_from(weight.min(concurrency as u64)).unwrap_or(1);
        let count = size_bytes.div_ceil(part_bytes);
        let failed = &AtomicBool::new(false);
        let pieces = futures_util::stream::try_unfold((0, Md5::new()), |(done, md5)| async move {
            if done == count || failed.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let slot = self
                .0
                .bodies
                .acquire_many(weight)
                .await
                .expect("the slots are never closed");
            let start = done * part_bytes;
            let bytes = source.piece(start..(start + part_bytes).min(size_bytes)).await?;
            let (bytes, md5) = hashed(bytes, md5).await;
            let whole = (done + 1 == count).then(|| hex::encode(md5.clone().finalize()));
            Ok::<_, Fault>(Some(((done + 1, bytes, slot, whole), (done + 1, md5))))
        });
        let sent = pieces.map(|piece: Result<_, Fault>| async move {
            let send = async {
                let (number, bytes, slot, whole) = piece?;
                let number = u32::try_from(number).expect("there are at most 10,000");
                let part = self.part(key, upload, number, bytes).await?;
                drop(slot);
                Ok((part, whole))
            };
            let answer: Result<(Part, Option<String>), Fault> = send.await;
            failed.fetch_or(answer.is_err(), Ordering::Relaxed);
            answer
        });
        // After a failure no part is begun, but those on their way come to their end: one that arrives after its upload
        // was aborted stays there, and is paid for. Boxed here, where the compiler still knows for how long everything
        // is borrowed: else no caller is `Send`.
        let sent: BoxFuture<'_, Vec<Result<_, Fault>>> = Box::pin(sent.buffer_unordered(concurrency).collect());
        let mut sent: Vec<(Part, Option<String>)> = sent.await.into_iter().collect::<Result<_, Fault>>()?;
        sent.sort_by_key(|(part, _)| part.number);
        let md5 = sent.iter().find_map(|(_, whole)| whole.clone()).unwrap_or_default();
        Ok((sent.into_iter().map(|(part, _)| part).collect(), md5))
    }
}

impl StagedUpload {
    /// The id of its upload; none: it is small, and nothing was sent yet.
    pub fn upload(&self) -> Option<&str> {
        match &self.how {
            How::InOne(_) => None,
            How::InParts { upload, .. } => Some(upload),
        }
    }

    /// The parts that were sent.
    pub fn parts(&self) -> &[Part] {
        match &self.how {
            How::InOne(_) => &[],
            How::InParts { parts, .. } => parts,
        }
    }

    /// MD5 in hex of all bytes that were sent; none: it is small, and nothing was sent yet.
    pub fn md5(&self) -> Option<&str> {
        self.md5.as_deref()
    }

    /// Its bytes.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Lets it appear. May be called again after a fault.
    ///
    /// # Errors
    /// Those of [`Bucket::put`] and [`Bucket::complete`].
    pub async fn finish(&self) -> Result<Put, Fault> {
        match &self.how {
            How::InOne(source) => {
                let slot = self
                    .bucket
                    .0
                    .bodies
                    .acquire()
                    .await
                    .expect("the slots are never closed");
                let bytes = source.piece(0..self.size_bytes).await?;
                let put = self.bucket.put(&self.key, bytes, &self.rule).await;
                drop(slot);
                put
            }
            How::InParts { upload, parts } => self.bucket.complete(&self.key, upload, parts, &self.rule).await,
        }
    }

    /// Takes it back: nothing appears, nothing is left.
    ///
    /// # Errors
    /// Those of [`Bucket::abort`].
    pub async fn drop_it(self) -> Result<(), Fault> {
        match &self.how {
            How::InOne(_) => Ok(()),
            How::InParts { upload, .. } => self.bucket.abort(&self.key, upload).await,
        }
    }
}

/// Bytes of each part but the last, so that there are not too many.
pub(super) fn part_bytes(wished: u64, size_bytes: u64) -> u64 {
    let wished = wished.max(SMALLEST_PART);
    let needed = size_bytes.div_ceil(PARTS).next_multiple_of(PART_STEP);
    wished.max(needed)
}

async fn hashed(bytes: Bytes, mut md5: Md5) -> (Bytes, Md5) {
    tokio::task::spawn_blocking(move || {
        md5.update(&bytes);
        (bytes, md5)
    })
    .await
    .expect("hashing does not panic")
}

fn too_short(subject: &str, end: u64) -> Fault {
    Fault::new(
        "SourceTruncated",
        Blame::Source,
        "read",
        subject,
        format!("it ends before byte {end}"),
        "Nothing: what stands there now is not what was to be written.",
    )
}

fn unreadable(subject: &str, cause: &str) -> Fault {
    Fault::new(
        "SourceUnreadable",
        Blame::Host,
        "read",
        subject,
        cause,
        "Check the disk and the permissions of the file.",
    )
}

#[cfg(test)]
mod tests {
    use super::LARGEST;
    use super::PARTS;
    use super::part_bytes;

    #[test]
    fn ten_thousand_parts_suffice() {
        const MIB: u64 = 1 << 20;
        assert_eq!(part_bytes(16 * MIB, 100 * MIB), 16 * MIB);
        assert_eq!(part_bytes(MIB, 100 * MIB), 5 * MIB);
        for size in [1, 160_000 * MIB, 160_000 * MIB + 1, LARGEST - 1, LARGEST] {
            let part = part_bytes(16 * MIB, size);
            assert!(size.div_ceil(part) <= PARTS, "{size}");
            assert!(part <= 5 << 30 && part.is_multiple_of(MIB));
        }
    }
}
