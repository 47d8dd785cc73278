//! Puts finished files under their final names in a bucket.
//!
//! A bucket has no rename: what is large is sent in parts to its final key and completed later, what fits into one part
//! is looked at and put later. Guarantees: a key appears only whole; all files are staged before the first is named;
//! what others refer to stands before them: manifests come last, in the order given; what is there afterwards was asked
//! for and has our size and hash. A repetition adopts what stands under its key with our hash, goes on with uploads that
//! only lack their completion, aborts the others and sends anew. Deliberately absent: names, and trying again.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::executor::Identity;
use crate::executor::PublishFile;
use crate::executor::publish::MEMORY_MIB;
use crate::executor::publish::changed;
use crate::executor::publish::corrupt;
use crate::executor::publish::origin::Origin;
use crate::executor::publish::origin::not_as_it_was;
use crate::executor::publish::taken;
use crate::executor::publish::traces;
use crate::executor::publish::traces::StagedParts;
use crate::executor::publish::traces::Trace;
use crate::executor::publish::traces::Traces;
use crate::objects::content_type;
use crate::objects::local::Folder;
use crate::objects::pool::StoragePool;
use crate::objects::s3::Bucket;
use crate::objects::s3::Head;
use crate::objects::s3::ObjectInBucket;
use crate::objects::s3::Part;
use crate::objects::s3::Put;
use crate::objects::s3::PutRule;
use crate::objects::s3::Replace;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;
use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use md5::Digest;
use md5::Md5;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::bytes::Bytes;

/// Metadata of every output: its MD5, hex.
pub const META_MD5: &str = "reelmill-md5";
/// Metadata of every output: its id.
pub const META_OUTPUT: &str = "reelmill-output";

/// Files that are looked at, staged or named at once.
const FILES_AT_ONCE: usize = 8;
/// Most parts of one upload, as the protocol has it.
const MOST_PARTS: u64 = 10_000;
/// Bytes of the largest object, as the protocol has it.
const LARGEST: u64 = 5 << 40;
/// Longest key, in bytes, as the protocol has it.
const LONGEST_KEY: usize = 1_024;
/// Fault code of `objects::s3`: the server does not know the upload (any more).
const UPLOAD_GONE: &str = "UploadGone";

/// What staging came to for one file.
#[derive(Debug)]
pub enum Staged {
    /// It stands under its name already.
    Named(Identity),
    /// Looked at; one call puts it there.
    Whole(Origin),
    /// Every part is there; one call names it.
    Parts(Trace),
    /// The server copies it itself.
    Copy(ObjectInBucket),
}

/// What publishing into one bucket needs.
pub struct Room<'a> {
    pub storages: &'a Storages,
    pub scratch: &'a Folder,
    pub scratch_pool: &'a StoragePool,
    pub traces: &'a Traces,
    pub gate: &'a Arc<Semaphore>,
    pub attempt: &'a AttemptId,
    pub bucket: Bucket,
}

impl Room<'_> {
    /// Stages `files`; none of them is named afterwards that was not before.
    pub async fn stage(&self, files: &[PublishFile]) -> Result<Vec<Staged>, Fault> {
        let known = self.traces.of(self.attempt).await?;
        // First a look at all of them: one that is taken must not cost the upload of the others.
        let looks: Vec<BoxFuture<'_, _>> = files.iter().map(|file| self.look(file).boxed()).collect();
        let looks = futures_util::stream::iter(looks).buffered(FILES_AT_ONCE);
        let looks: Vec<Option<Identity>> = looks.try_collect().await?;
        let staging: Vec<BoxFuture<'_, _>> = files
            .iter()
            .zip(looks)
            .map(|(file, standing)| {
                let left: Vec<&Trace> = known.iter().filter(|trace| trace.to == file.to).collect();
                self.stage_one(file, standing, left).boxed()
            })
            .collect();
        let staging = futures_util::stream::iter(staging).buffered(FILES_AT_ONCE);
        staging.try_collect().await
    }

    /// What stands under the name, where it is this very file; none: the name is to be given.
    async fn look(&self, file: &PublishFile) -> Result<Option<Identity>, Fault> {
        check_key(file)?;
        match self.bucket.head(&file.to.key).await? {
            Some(head) if is_this(&head, file) => Ok(Some(identity(&head))),
            Some(_) if !file.overwrite => Err(taken(file)),
            _ => Ok(None),
        }
    }

    async fn stage_one(
        &self,
        file: &PublishFile,
        standing: Option<Identity>,
        left: Vec<&Trace>,
    ) -> Result<Staged, Fault> {
        if let Some(identity) = standing {
            self.abort_but(&left, None).await?;
            return Ok(Staged::Named(identity));
        }
        let whole = left.iter().find(|trace| {
            let staged = trace.staged.as_ref();
            staged.is_some_and(|staged| staged.size_bytes == file.size_bytes && staged.md5 == file.md5)
        });
        self.abort_but(&left, whole.copied()).await?;
        if let Some(trace) = whole {
            return Ok(Staged::Parts((*trace).clone()));
        }
        if let Some(copy) = self.on_the_server(file).await? {
            return Ok(copy);
        }
        let origin = self.origin(file).await?;
        if file.size_bytes > self.part_bytes(file) {
            return self.send_parts(file, &origin).await.map(Staged::Parts);
        }
        // What lies on this host is looked at now, so that nothing is named when one of the files is spoilt.
        if let Origin::File { .. } = origin {
            self.read_whole(file, &origin).await?;
        }
        Ok(Staged::Whole(origin))
    }

    async fn abort_but(&self, left: &[&Trace], kept: Option<&Trace>) -> Result<(), Fault> {
        for trace in left.iter().filter(|trace| Some(**trace) != kept) {
            match traces::abort(&self.bucket, trace).await {
                Ok(()) => self.over(trace).await?,
                // It costs room, but no output: aborted with everything else of the attempt.
                Err(fault) => tracing::warn!(object = %trace.to, %fault, "an upload is left open for a while"),
            }
        }
        Ok(())
    }

    async fn over(&self, trace: &Trace) -> Result<(), Fault> {
        let over = Trace {
            staged: None,
            over: true,
            ..trace.clone()
        };
        self.traces.note(self.attempt, &over).await
    }

    /// A copy that the server makes itself: the object lies beside, and is known to be what was asked for.
    async fn on_the_server(&self, file: &PublishFile) -> Result<Option<Staged>, Fault> {
        let Some(from) = &file.from else { return Ok(None) };
        let Medium::Bucket(other) = self.storages.medium(from, "copy")? else {
            return Ok(None);
        };
        let (here, there) = (self.bucket.options(), other.options());
        if here.endpoint != there.endpoint || here.region != there.region || here.credentials != there.credentials {
            return Ok(None);
        }
        let head = original(&other, file).await?;
        let proved = file.from_etag.is_some() || head.metadata.get(META_MD5) == Some(&file.md5);
        Ok(proved.then(|| {
            Staged::Copy(ObjectInBucket {
                bucket: other,
                key: from.key.clone(),
                etag: head.etag,
                size_bytes: head.size_bytes,
            })
        }))
    }

    async fn origin(&self, file: &PublishFile) -> Result<Origin, Fault> {
        let Some(from) = &file.from else {
            let key = key_text(file.scratch_path.as_bytes());
            return Origin::open(file, self.scratch, self.scratch_pool, key).await;
        };
        match self.storages.medium(from, "copy")? {
            Medium::Folder(other) => Origin::open(file, &other.folder, &other.pool, from.key.clone()).await,
            Medium::Bucket(bucket) => {
                let head = original(&bucket, file).await?;
                Ok(Origin::Object {
                    bucket,
                    key: from.key.clone(),
                    etag: head.etag,
                })
            }
        }
    }

    fn part_bytes(&self, file: &PublishFile) -> u64 {
        part_bytes(file.size_bytes, self.bucket.options().upload.part_bytes)
    }

    /// Sends every part, some at once; the answer is noted before it is given.
    async fn send_parts(&self, file: &PublishFile, origin: &Origin) -> Result<Trace, Fault> {
        let key = file.to.key.as_str();
        let asked = Trace::asked(&file.to);
        self.traces.note(self.attempt, &asked).await?;
        let begun = Trace {
            upload: Some(self.bucket.begin(key, &rule(file)).await?),
            ..asked
        };
        self.traces.note(self.attempt, &begun).await?;
        let upload = begun.upload.clone().unwrap_or_default();
        let (hash, mut parts) = self.send(file, origin, &upload).await?;
        if hash != file.md5 {
            self.abort_but(&[&begun], None).await?;
            return Err(not_as_it_was(file));
        }
        parts.sort_by_key(|part| part.number);
        let whole = Trace {
            staged: Some(StagedParts {
                size_bytes: file.size_bytes,
                md5: hash,
                parts,
            }),
            ..begun
        };
        self.traces.note(self.attempt, &whole).await?;
        Ok(whole)
    }

    async fn send(&self, file: &PublishFile, origin: &Origin, upload: &str) -> Result<(String, Vec<Part>), Fault> {
        let at_once = self.bucket.options().upload.concurrency.max(1);
        let mut hash = Md5::new();
        let mut parts = Vec::new();
        // Dropped with this call, and every part that is on its way with it.
        let mut sending: JoinSet<Result<Part, Fault>> = JoinSet::new();
        for (number, range) in (1..).zip(ranges(file.size_bytes, self.part_bytes(file))) {
            while sending.len() >= at_once
                && let Some(sent) = sending.join_next().await
            {
                parts.push(joined(sent, file)?);
            }
            let turn = self.room_for(range.end - range.start).await;
            let bytes = origin.read(file, range).await?;
            hash = hashed(hash, bytes.clone(), file).await?;
            let (bucket, key, upload) = (self.bucket.clone(), file.to.key.clone(), upload.to_owned());
            sending.spawn(async move {
                let sent = bucket.part(&key, &upload, number, bytes).await;
                drop(turn);
                sent
            });
        }
        while let Some(sent) = sending.join_next().await {
            parts.push(joined(sent, file)?);
        }
        Ok((hex::encode(hash.finalize()), parts))
    }

    /// Waits until so many bytes may be held in memory.
    async fn room_for(&self, bytes: u64) -> OwnedSemaphorePermit {
        let mebibytes = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(MEMORY_MIB);
        let room = mebibytes.clamp(1, MEMORY_MIB);
        let gate = Arc::clone(self.gate);
        gate.acquire_many_owned(room).await.expect("never closed")
    }

    /// A file that fits into one call, with the hash that was proved.
    async fn read_whole(&self, file: &PublishFile, origin: &Origin) -> Result<Bytes, Fault> {
        let bytes = match file.size_bytes {
            0 => Bytes::new(),
            size_bytes => origin.read(file, 0..size_bytes).await?,
        };
        let hash = hashed(Md5::new(), bytes.clone(), file).await?;
        match hex::encode(hash.finalize()) == file.md5 {
            true => Ok(bytes),
            false => Err(not_as_it_was(file)),
        }
    }

    /// Gives the staged files their names: first what is referred to, several at once; then indexes of pictures; then
    /// manifests, one after the other in the order given. Answers what stands there, file by file.
    pub async fn name(&self, files: &[PublishFile], staged: Vec<Staged>) -> Result<Vec<Identity>, Fault> {
        let mut left: Vec<(usize, &PublishFile, Staged)> = files
            .iter()
            .zip(staged)
            .enumerate()
            .map(|(at, (file, staged))| (at, file, staged))
            .collect();
        // Stable: within a rank the order given stays.
        left.sort_by_key(|(_, file, _)| rank(&file.to.key));
        let mut stand = vec![None; files.len()];
        while let Some(first) = left.first() {
            let now = rank(&first.1.to.key);
            let end = left.iter().take_while(|(_, file, _)| rank(&file.to.key) == now).count();
            let at_once = if now == Rank::Manifest { 1 } else { FILES_AT_ONCE };
            let naming: Vec<BoxFuture<'_, _>> = left
                .drain(..end)
                .map(|(at, file, staged)| self.name_at(at, file, staged).boxed())
                .collect();
            let mut named = futures_util::stream::iter(naming).buffer_unordered(at_once);
            while let Some((at, identity)) = named.try_next().await? {
                stand[at] = Some(identity);
            }
        }
        Ok(stand.into_iter().flatten().collect())
    }

    async fn name_at(&self, at: usize, file: &PublishFile, staged: Staged) -> Result<(usize, Identity), Fault> {
        Ok((at, self.name_one(file, staged).await?))
    }

    async fn name_one(&self, file: &PublishFile, staged: Staged) -> Result<Identity, Fault> {
        let key = file.to.key.as_str();
        let put = match &staged {
            Staged::Named(identity) => return Ok(identity.clone()),
            Staged::Whole(origin) => {
                let _turn = self.room_for(file.size_bytes).await;
                let bytes = self.read_whole(file, origin).await?;
                self.bucket.put(key, bytes, &rule(file)).await?
            }
            Staged::Parts(trace) => self.complete(file, trace).await?,
            Staged::Copy(original) => self.bucket.copy(original, key, &rule(file)).await?,
        };
        let head = self.bucket.head(key).await?;
        if let (Put::Taken, Staged::Parts(trace)) = (&put, &staged) {
            self.abort_but(&[trace], None).await?;
        }
        match (put, head) {
            // Also after a call whose answer was lost: its repetition finds its own work.
            (_, Some(head)) if is_this(&head, file) => Ok(identity(&head)),
            (Put::Taken, _) => Err(taken(file)),
            (Put::Done(_), found) => Err(corrupt(
                file,
                match found {
                    Some(head) => format!(
                        "right after it was put there, another object of {} bytes is",
                        head.size_bytes
                    ),
                    None => "it is not there right after it was put there".to_owned(),
                },
                "Check whether something else writes or deletes in the output's folder; the work is tried again by itself.",
            )),
        }
    }

    async fn complete(&self, file: &PublishFile, trace: &Trace) -> Result<Put, Fault> {
        let upload = trace.upload.as_deref().unwrap_or_default();
        let parts = trace
            .staged
            .as_ref()
            .map(|staged| staged.parts.as_slice())
            .unwrap_or_default();
        match self.bucket.complete(&file.to.key, upload, parts, &rule(file)).await {
            Ok(put) => {
                if let Put::Done(_) = put {
                    self.over(trace).await?;
                }
                Ok(put)
            }
            // Completed by a call whose answer was lost, or thrown away by the server: the look at the key tells which.
            Err(fault) if fault.code == UPLOAD_GONE => {
                self.over(trace).await?;
                match self.bucket.head(&file.to.key).await? {
                    Some(head) if is_this(&head, file) => Ok(Put::Done(head.etag)),
                    _ => Err(fault.retryable(true)),
                }
            }
            Err(fault) => Err(fault),
        }
    }
}

/// Removes `file` where what stands under its name is this very output and replaced nothing; answers whether something
/// of somebody else stands there.
pub async fn withdraw(bucket: &Bucket, file: &PublishFile) -> Result<bool, Fault> {
    match bucket.head(&file.to.key).await? {
        None => Ok(false),
        Some(head) if !is_this(&head, file) => Ok(true),
        Some(head) => {
            if !file.overwrite && head.metadata.get(META_OUTPUT) == Some(&file.output) {
                bucket.remove(&file.to.key).await?;
            }
            Ok(false)
        }
    }
}

/// The object that `file` is a copy of, as it was when the copy was decided.
async fn original(bucket: &Bucket, file: &PublishFile) -> Result<Head, Fault> {
    let key = file.from.as_ref().map(|from| from.key.as_str()).unwrap_or_default();
    let head = bucket.head(key).await?.ok_or_else(|| changed(file))?;
    let other = file.from_etag.as_ref().is_some_and(|etag| *etag != head.etag);
    match head.size_bytes != file.size_bytes || other {
        true => Err(changed(file)),
        false => Ok(head),
    }
}

/// What an object says of itself, as the ledger will know it: buckets tell contents apart by ETag, not by time.
fn identity(head: &Head) -> Identity {
    Identity {
        size_bytes: head.size_bytes,
        mtime_ns: 0,
        etag: head.etag.clone(),
    }
}

/// Whether an object is `file`, put there by us at whatever time.
fn is_this(head: &Head, file: &PublishFile) -> bool {
    head.size_bytes == file.size_bytes && head.metadata.get(META_MD5) == Some(&file.md5)
}

fn rule(file: &PublishFile) -> PutRule {
    PutRule {
        content_type: content_type::of(&file.to.key).to_owned(),
        metadata: BTreeMap::from([
            (META_MD5.to_owned(), file.md5.clone()),
            (META_OUTPUT.to_owned(), file.output.clone()),
        ]),
        replace: if file.overwrite {
            Replace::Always
        } else {
            Replace::Never
        },
    }
}

/// When a file is named: whatever refers to others after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Content,
    Index,
    Manifest,
}

fn rank(key: &str) -> Rank {
    match key.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "m3u8" | "mpd" => Rank::Manifest,
        "vtt" => Rank::Index,
        _ => Rank::Content,
    }
}

/// Bytes of a part: as configured, or more where there would be too many of them.
fn part_bytes(size_bytes: u64, configured: u64) -> u64 {
    const MEBIBYTE: u64 = 1 << 20;
    let least = size_bytes.div_ceil(MOST_PARTS).div_ceil(MEBIBYTE) * MEBIBYTE;
    configured.max(5 * MEBIBYTE).max(least)
}

fn ranges(size_bytes: u64, part_bytes: u64) -> impl Iterator<Item = Range<u64>> {
    (0..size_bytes.div_ceil(part_bytes)).map(move |at| {
        let begin = at * part_bytes;
        begin..(begin + part_bytes).min(size_bytes)
    })
}

/// Hashing takes tens of milliseconds a part: not on the threads that everything else waits on.
async fn hashed(mut hash: Md5, bytes: Bytes, file: &PublishFile) -> Result<Md5, Fault> {
    const SMALL: usize = 64 << 10;
    if bytes.len() <= SMALL {
        hash.update(&bytes);
        return Ok(hash);
    }
    let hashing = tokio::task::spawn_blocking(move || {
        hash.update(&bytes);
        hash
    });
    hashing.await.map_err(|error| died(file, &error))
}

fn joined(sent: Result<Result<Part, Fault>, tokio::task::JoinError>, file: &PublishFile) -> Result<Part, Fault> {
    sent.map_err(|error| died(file, &error))?
}

fn died(file: &PublishFile, error: &tokio::task::JoinError) -> Fault {
    Fault::new(
        "PublishDied",
        Blame::Bug,
        "publish",
        file.to.to_string(),
        error.to_string(),
        "This is a defect of reelmill: report it.",
    )
}

/// Refuses keys that a bucket cannot hold, or that only a bucket could: what was named for one storage has to fit
/// through links and into folders as well.
fn check_key(file: &PublishFile) -> Result<(), Fault> {
    let key = key_bytes(&file.to.key);
    let mut parts = key.split(|byte| *byte == b'/');
    if key.contains(&0) || parts.any(|part| part.is_empty() || part == b"." || part == b"..") {
        return Err(Fault::new(
            "KeyInvalid",
            Blame::Request,
            "publish",
            file.to.to_string(),
            "a key is names joined by single slashes, without `.`, `..` or NUL",
            "Correct the key or the path template it was made from.",
        ));
    }
    if file.size_bytes > LARGEST {
        return Err(Fault::new(
            "OutputTooLarge",
            Blame::Request,
            "publish",
            file.to.to_string(),
            format!(
                "it has {} bytes, and buckets hold objects of at most {LARGEST}",
                file.size_bytes
            ),
            "Write it into a storage of kind \"folder\", or cut it into a set.",
        ));
    }
    if key.len() > LONGEST_KEY {
        return Err(Fault::new(
            "OutputNameTooLong",
            Blame::Request,
            "publish",
            file.to.to_string(),
            format!("a key in a bucket has at most {LONGEST_KEY} bytes"),
            "Shorten the path template of the workflow or the name of the source.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Rank;
    use super::part_bytes;
    use super::ranges;
    use super::rank;

    #[test]
    fn ten_thousand_parts_are_enough_for_any_object() {
        const TIB: u64 = 1 << 40;
        for size_bytes in [1, 5 << 20, (16 << 20) + 1, 48 * (TIB / 10)] {
            let part = part_bytes(size_bytes, 16 << 20);
            let parts: Vec<_> = ranges(size_bytes, part).collect();
            assert!(parts.len() <= 10_000, "{size_bytes}: {}", parts.len());
            assert_eq!(parts.last().map(|last| last.end), Some(size_bytes));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(part <= 5 << 30);
        }
        assert_eq!(part_bytes(1, 1), 5 << 20, "no server takes less");
    }

    #[test]
    fn whatever_refers_to_others_comes_after_them() {
        let mut keys = ["a/hls.m3u8", "a/hls/v.m3u8", "a/s.vtt", "a/hls/1.m4s", "a/s.jpg"];
        keys.sort_by_key(|key| rank(key));
        assert_eq!(
            keys,
            ["a/hls/1.m4s", "a/s.jpg", "a/s.vtt", "a/hls.m3u8", "a/hls/v.m3u8"]
        );
        assert!(Rank::Content < Rank::Index && Rank::Index < Rank::Manifest);
    }
}
