//! A copy out of a bucket into a folder, up to the moment before it is named.
//!
//! Guarantees: what is staged is whole and has the hash that was told; the object is read only while it is the one that
//! was looked at first; the folder is touched on its own threads alone. Deliberately absent: naming (`folder`).

use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::executor::PublishFile;
use crate::executor::publish::changed;
use crate::executor::publish::corrupt;
use crate::executor::publish::folder;
use crate::executor::publish::folder::Standing;
use crate::objects::refusal;
use crate::objects::refusal::Access;
use crate::objects::s3::Bucket;
use crate::objects::storages::FolderStorage;
use md5::Digest;
use md5::Md5;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use tokio_util::bytes::Bytes;

/// Bytes asked of the bucket at once.
const PIECE_BYTES: u64 = 8 << 20;
/// Bytes written at once, so that a slow NAS is seen to live.
const STEP_BYTES: usize = 1 << 20;

/// Brings the object that `file` is a copy of into the staging folder of `storage`.
pub async fn stage(
    storage: &FolderStorage,
    attempt: &AttemptId,
    file: &PublishFile,
    bucket: &Bucket,
) -> Result<Standing, Fault> {
    let told = file.to.to_string();
    let (target, asked, of) = (storage.folder.clone(), file.clone(), attempt.clone());
    let known = storage
        .pool
        .run("publish", &told, move |pulse| folder::look(&target, &of, &asked, pulse));
    if let Some(standing) = known.await? {
        return Ok(standing);
    }
    let from = file.from.as_ref().map(|from| from.key.as_str()).unwrap_or_default();
    let head = bucket.head(from).await?.ok_or_else(|| changed(file))?;
    let other = file.from_etag.as_ref().is_some_and(|etag| *etag != head.etag);
    if head.size_bytes != file.size_bytes || other {
        return Err(changed(file));
    }
    let staged = folder::staged_key(attempt, &file.to.key);
    let (target, key) = (storage.folder.clone(), staged.clone());
    let open = storage
        .pool
        .run("publish", &told, move |_| target.grow(&key, 0))
        .await?;
    let open = Arc::new(open);
    let mut hash = Md5::new();
    let mut at = 0;
    while at < file.size_bytes {
        let end = (at + PIECE_BYTES).min(file.size_bytes);
        let bytes = bucket.read(from, &head.etag, at..end).await?;
        let (open, told_too) = (Arc::clone(&open), told.clone());
        hash = storage
            .pool
            .run("publish", &told, move |pulse| {
                write(&open, &bytes, &told_too, || pulse.beat())?;
                hash.update(&bytes);
                Ok(hash)
            })
            .await?;
        at = end;
    }
    if hex::encode(hash.finalize()) != file.md5 {
        return Err(changed(file));
    }
    let (target, wanted) = (storage.folder.clone(), Some((file.size_bytes, file.md5.clone())));
    let whole = storage.pool.run("publish", &told, move |pulse| {
        target.sync_file(&staged, &open)?;
        Ok(target.measure(&staged, pulse)? == wanted)
    });
    match whole.await? {
        true => Ok(Standing::Staged),
        false => Err(corrupt(
            file,
            "what the storage gave back is not what was written to it",
            "Check the storage and its network for faulty hardware; the copy is tried again by itself.",
        )),
    }
}

fn write(mut open: &File, bytes: &Bytes, subject: &str, beat: impl Fn() -> std::io::Result<()>) -> Result<(), Fault> {
    for step in bytes.chunks(STEP_BYTES) {
        beat()
            .and_then(|()| open.write_all(step))
            .map_err(|error| refusal::fault(Access::Write, "write", subject, &error))?;
    }
    Ok(())
}
