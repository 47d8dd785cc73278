//! A file that comes into a bucket, opened by whoever brings more of it.
//!
//! Bytes gather in the spool until they are a part; the part is then sent while the next one gathers. Guarantees: memory
//! is that of the parts being sent, of which all files together have a bounded amount; what `sync` answered for is with
//! the bucket or synced in the spool; a part that was not taken is still in the spool. Deliberately absent: the last
//! part, which goes with the finishing, and rows.

use crate::base::fault::Fault;
use crate::objects::incoming::Incoming;
use crate::objects::inflow::Synced;
use crate::objects::inflow::memory::Memory;
use crate::objects::inflow::pieces::Pieces;
use crate::objects::inflow::pieces::part_bytes;
use crate::objects::inflow::spool;
use crate::objects::inflow::spool::Place;
use crate::objects::inflow::spool::Spool;
use crate::objects::inflow::spool::lost;
use crate::objects::s3::Bucket;
use crate::objects::s3::Part;
use std::fs::File;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::bytes::Bytes;

/// An open file that comes into a bucket.
#[derive(Debug)]
pub struct Growing {
    bucket: Bucket,
    spool: Spool,
    memory: Memory,
    incoming: Incoming,
    /// What the bucket took; none: nothing.
    pieces: Option<Pieces>,
    size_bytes: Option<u64>,
    /// Where the part begins that is gathering now, how much of it is there, and its file.
    start: u64,
    gathered: u64,
    file: Option<Arc<File>>,
    /// Up to here somebody was told that it came.
    noted: u64,
    /// The part before, which is being sent, with its length.
    sending: JoinSet<Result<Part, Fault>>,
    sent_bytes: u64,
}

impl Growing {
    /// Opens `incoming` to go on at `offset`; what lies beyond is dropped. `size_bytes` of the whole, where known.
    pub async fn open(
        bucket: Bucket,
        spool: Spool,
        memory: Memory,
        incoming: &Incoming,
        offset: u64,
        size_bytes: Option<u64>,
    ) -> Result<Self, Fault> {
        let object = incoming.object.clone();
        let mut pieces = Pieces::read(incoming.pieces.as_deref(), &object)?;
        if offset == 0
            && let Some(old) = pieces.take()
        {
            // Nobody goes on with it. What cannot be dropped now is swept.
            let _ = bucket.abort(&incoming.staged_key(), &old.upload).await;
        }
        let start = pieces.as_ref().map_or(0, Pieces::size_bytes);
        let gathered = offset
            .checked_sub(start)
            .ok_or_else(|| lost(&object, "less of it was answered for than the bucket has"))?;
        let place = Place {
            id: incoming.id.clone(),
            start,
        };
        let opened = blocking({
            let spool = spool.clone();
            move || {
                let file = spool.open(&place, gathered, &object)?;
                if let Err(error) = spool.remove_others(&place.id, Some(start)) {
                    tracing::debug!(id = place.id, %error, "older pieces are left until the next sweep");
                }
                Ok(file)
            }
        });
        Ok(Growing {
            file: Some(Arc::new(opened.await?)),
            bucket,
            spool,
            memory,
            incoming: incoming.clone(),
            pieces,
            size_bytes,
            start,
            gathered,
            noted: offset,
            sending: JoinSet::new(),
            sent_bytes: 0,
        })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// What the bucket or the local disk says; what `sync` answers then is what counts.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let part_bytes = self.part_bytes();
            // A whole part goes when more comes: whether it is the last one only the sender knows.
            if self.gathered >= part_bytes {
                self.send().await?;
                continue;
            }
            let room = usize::try_from(part_bytes - self.gathered).unwrap_or(usize::MAX);
            let piece = bytes.split_to(bytes.len().min(room));
            let (file, object, at) = (self.open_file().await?, self.incoming.object.clone(), self.gathered);
            let length = piece.len() as u64;
            blocking(move || spool::write_at(&file, &piece, at, &object)).await?;
            self.gathered += length;
        }
        Ok(())
    }

    /// Makes durable what was written, and says up to where that holds and what is to be remembered of it.
    ///
    /// # Errors
    /// What the bucket or the local disk says.
    pub async fn sync(&mut self) -> Result<Synced, Fault> {
        self.settle().await?;
        if self.gathered > 0 && self.start + self.gathered > self.noted {
            let (spool, file, object) = (
                self.spool.clone(),
                self.open_file().await?,
                self.incoming.object.clone(),
            );
            blocking(move || spool.sync(&file, &object)).await?;
        }
        self.noted = self.start + self.gathered;
        Ok(Synced {
            offset: self.noted,
            pieces: self.pieces.as_ref().map(Pieces::text),
        })
    }

    /// Bytes of the part that is gathering.
    fn part_bytes(&self) -> u64 {
        match &self.pieces {
            // The one being sent counts: it will be taken, or everything begins from it again.
            Some(pieces) => pieces.next_bytes(),
            None => part_bytes(self.bucket.options().upload.part_bytes, self.size_bytes),
        }
    }

    fn place(&self, start: u64) -> Place {
        Place {
            id: self.incoming.id.clone(),
            start,
        }
    }

    async fn open_file(&mut self) -> Result<Arc<File>, Fault> {
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        let (spool, place, gathered) = (self.spool.clone(), self.place(self.start), self.gathered);
        let object = self.incoming.object.clone();
        let file = Arc::new(blocking(move || spool.open(&place, gathered, &object)).await?);
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Begins to send the part that gathered.
    async fn send(&mut self) -> Result<(), Fault> {
        self.settle().await?;
        let key = self.incoming.staged_key();
        if self.pieces.is_none() {
            let rule = crate::objects::inflow::finishing::staging_rule(&self.incoming);
            let upload = self.bucket.begin(&key, &rule).await?;
            self.pieces = Some(Pieces {
                upload,
                part_bytes: part_bytes(self.bucket.options().upload.part_bytes, self.size_bytes),
                grows: self.size_bytes.is_none(),
                taken: Vec::new(),
            });
        }
        let room = self.memory.take(self.gathered).await;
        let (file, object, length) = (self.open_file().await?, self.incoming.object.clone(), self.gathered);
        let bytes = blocking(move || spool::read(&file, length, &object)).await?;
        let pieces = self.pieces.as_ref().expect("it was begun above");
        let (bucket, upload, number) = (self.bucket.clone(), pieces.upload.clone(), pieces.next_number());
        self.sending.spawn(async move {
            let taken = bucket.part(&key, &upload, number, Bytes::from(bytes)).await;
            drop(room);
            taken
        });
        self.sent_bytes = self.gathered;
        self.start += self.gathered;
        self.gathered = 0;
        self.file = None;
        Ok(())
    }

    /// Waits for the part that is being sent.
    async fn settle(&mut self) -> Result<(), Fault> {
        let Some(ended) = self.sending.join_next().await else {
            return Ok(());
        };
        let part_start = self.start - self.sent_bytes;
        let fault = match (ended, &mut self.pieces) {
            (Ok(Ok(part)), Some(pieces)) => {
                pieces.push(part);
                // What was answered for stays until the next answer is kept.
                if part_start >= self.noted {
                    let (spool, place) = (self.spool.clone(), self.place(part_start));
                    if let Err(error) = spool.remove(&place) {
                        tracing::debug!(id = place.id, %error, "a piece is left until the next sweep");
                    }
                }
                return Ok(());
            }
            (Ok(Ok(_)), None) => lost(&self.incoming.object, "its multipart upload was dropped"),
            (Ok(Err(fault)), _) => fault,
            (Err(error), _) => lost(&self.incoming.object, &format!("sending a part ended badly: {error}")),
        };
        Err(self.step_back(part_start, fault))
    }

    /// A part was not taken: it gathers again, whole already, and what gathered after it is dropped.
    fn step_back(&mut self, part_start: u64, fault: Fault) -> Fault {
        let dropped = self.place(self.start);
        if let Err(error) = self.spool.remove(&dropped) {
            tracing::debug!(id = dropped.id, %error, "a piece is left until the next sweep");
        }
        self.file = None;
        if is_gone(&fault) {
            // From the begin.
            self.pieces = None;
            (self.start, self.gathered, self.noted) = (0, 0, 0);
            return lost(
                &self.incoming.object,
                "the bucket does not know its multipart upload any more",
            );
        }
        (self.start, self.gathered) = (part_start, self.sent_bytes);
        fault
    }
}

/// Whether the service says that it knows nothing of the multipart upload.
pub(super) fn is_gone(fault: &Fault) -> bool {
    fault.code == "UploadGone"
}

/// Does file work off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Fault::new(
            "AccessPanicked",
            crate::base::fault::Blame::Bug,
            "keep",
            "the last bytes of a file",
            error.to_string(),
            "Report this message with the daemon's log.",
        )),
    }
}
