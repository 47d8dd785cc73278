//! The bytes of a file on its way into a bucket, wherever they lie.
//!
//! Guarantees: a piece is whole or a fault; a folder is read on its own threads, a bucket only while the object is the
//! one that was looked at. Deliberately absent: what is done with the bytes.

use crate::base::fault::Fault;
use crate::executor::PublishFile;
use crate::executor::publish::changed;
use crate::executor::publish::lost;
use crate::objects::local::Folder;
use crate::objects::pool::StoragePool;
use crate::objects::s3::Bucket;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use tokio_util::bytes::Bytes;

/// Where they lie.
#[derive(Debug, Clone)]
pub enum Origin {
    /// In an open file, read on the threads of its storage.
    File {
        file: Arc<File>,
        pool: StoragePool,
        scratch: bool,
    },
    /// In a bucket.
    Object { bucket: Bucket, key: String, etag: String },
}

impl Origin {
    /// The file `key` of `folder`.
    pub async fn open(file: &PublishFile, folder: &Folder, pool: &StoragePool, key: String) -> Result<Self, Fault> {
        let scratch = file.from.is_none();
        let folder = folder.clone();
        let opened = pool.run("open", &file.to.to_string(), move |_| folder.open(&key)).await;
        let (opened, stat) = match opened {
            Ok(opened) => opened,
            Err(fault) if scratch => return Err(lost(file, &fault.cause)),
            Err(fault) => return Err(fault),
        };
        if stat.size_bytes != file.size_bytes {
            return Err(not_as_it_was(file));
        }
        Ok(Origin::File {
            file: Arc::new(opened),
            pool: pool.clone(),
            scratch,
        })
    }

    /// The bytes of `range`.
    pub async fn read(&self, file: &PublishFile, range: Range<u64>) -> Result<Bytes, Fault> {
        match self {
            Origin::Object { bucket, key, etag } => bucket.read(key, etag, range).await,
            Origin::File {
                file: open,
                pool,
                scratch,
            } => {
                let (open, scratch, told) = (Arc::clone(open), *scratch, file.clone());
                pool.run("read", &file.to.to_string(), move |pulse| {
                    let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
                    let mut at = 0;
                    // In steps, so that a slow NAS is seen to live.
                    while at < bytes.len() {
                        let step = (at + STEP_BYTES).min(bytes.len());
                        let read = pulse
                            .beat()
                            .and_then(|()| open.read_exact_at(&mut bytes[at..step], range.start + at as u64));
                        match read {
                            Ok(()) => at = step,
                            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                                return Err(not_as_it_was(&told));
                            }
                            Err(error) if scratch => return Err(lost(&told, &error.to_string())),
                            Err(error) => {
                                let subject = told.from.as_ref().map(ToString::to_string).unwrap_or_default();
                                let access = crate::objects::refusal::Access::Read;
                                return Err(crate::objects::refusal::fault(access, "copy", &subject, &error));
                            }
                        }
                    }
                    Ok(Bytes::from(bytes))
                })
                .await
            }
        }
    }
}

/// Bytes read at once.
const STEP_BYTES: usize = 1 << 20;

/// The fault of a file whose bytes are not those that were proved.
pub fn not_as_it_was(file: &PublishFile) -> Fault {
    match file.from {
        None => lost(file, "the file in scratch is not the one the worker proved"),
        Some(_) => changed(file),
    }
}
