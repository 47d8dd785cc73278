//! Reads for a worker what lies in buckets: answers the requests that come over its socket.
//!
//! Guarantees: only the files of the attempt, by number, and only with the content they had when it began; every request
//! is answered with all of its bytes or a fault, several at once; a piece that does not come within the patience is a
//! fault of the storage, so that the worker never waits for ever; memory is one piece a request. Deliberately absent:
//! repeats after errors, which the storage's client makes; reading ahead, which the worker asks for.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::worker::relay::pulse::RelayPulse;
use crate::worker::relay::wire;
use crate::worker::relay::wire::Answer;
use crate::worker::relay::wire::Head;
use crate::worker::relay::wire::MAX_PIECE_BYTES;
use crate::worker::relay::wire::Request;
use crate::worker::relay::wire::Wish;
use tokio_util::bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::Mutex;

/// Requests that are served at once: a reader in a row has four on their way.
const AT_ONCE: usize = 8;

/// The files of an attempt that are relayed, by number.
pub trait Members: Send + Sync {
    /// What people call one.
    fn name(&self, member: u32) -> String;
    /// Bytes of one; none: there is no such file.
    fn size_bytes(&self, member: u32) -> Option<u64>;
    /// A range of one, in pieces, with the content it had when the attempt began.
    fn stream(&self, member: u32, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Fault>>;
    /// Whether all are still what they were.
    fn recheck(&self) -> BoxFuture<'_, Result<(), Fault>>;
}

/// The executor's end of a relay.
pub struct Relay {
    socket: UnixStream,
    members: Arc<dyn Members>,
    patience: Duration,
    pulse: RelayPulse,
    sent_bytes: Arc<AtomicU64>,
}

impl Relay {
    /// A relay and the end of it that the worker inherits. A request of which nothing comes for `patience` has failed.
    ///
    /// # Errors
    /// No pair of sockets can be had.
    pub fn new(members: Arc<dyn Members>, patience: Duration) -> io::Result<(Self, File)> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let relay = Relay {
            socket: UnixStream::from_std(ours)?,
            members,
            patience,
            pulse: RelayPulse::default(),
            sent_bytes: Arc::default(),
        };
        Ok((relay, File::from(OwnedFd::from(theirs))))
    }

    /// Tells when the endpoint is waited for.
    pub fn pulse(&self) -> RelayPulse {
        self.pulse.clone()
    }

    /// Bytes of files that went to the worker; goes on counting while the relay serves.
    pub fn sent_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.sent_bytes)
    }

    /// Serves until the worker closes its end, or says something that is no request.
    pub async fn serve(self) {
        let (from, to) = self.socket.into_split();
        let answering = Answering {
            to: Mutex::new(to),
            members: self.members,
            patience: self.patience,
            pulse: self.pulse,
            sent_bytes: self.sent_bytes,
        };
        futures_util::stream::unfold(from, next_request)
            .for_each_concurrent(AT_ONCE, |request| answering.answer(request))
            .await;
    }
}

async fn next_request(mut from: OwnedReadHalf) -> Option<(Request, OwnedReadHalf)> {
    let mut bytes = [0; Request::BYTES];
    from.read_exact(&mut bytes).await.ok()?;
    let Some(request) = Request::decode(&bytes) else {
        tracing::warn!("a worker asked its relay for something that is no request; the relay is closed");
        return None;
    };
    Some((request, from))
}

struct Answering {
    to: Mutex<OwnedWriteHalf>,
    members: Arc<dyn Members>,
    patience: Duration,
    pulse: RelayPulse,
    sent_bytes: Arc<AtomicU64>,
}

impl Answering {
    async fn answer(&self, request: Request) {
        let answer = match request.wish {
            Wish::Check => {
                let _waiting = self.pulse.wait();
                self.members.recheck().await
            }
            Wish::Read { member, offset, length } => self.bring(request.id, member, offset, u64::from(length)).await,
        };
        let words = match answer {
            Ok(()) => {
                let head = Head {
                    id: request.id,
                    answer: Answer::Done,
                };
                head.encode().to_vec()
            }
            Err(fault) => wire::encode_fault(request.id, &fault),
        };
        // A worker that is gone hears nothing; the supervisor knows.
        let _ = self.to.lock().await.write_all(&words).await;
    }

    async fn bring(&self, id: u32, member: u32, offset: u64, length: u64) -> Result<(), Fault> {
        let end = offset.checked_add(length);
        let (Some(size_bytes), Some(end)) = (self.members.size_bytes(member), end) else {
            return Err(self.out_of_bounds(member, offset));
        };
        if end > size_bytes {
            return Err(self.out_of_bounds(member, offset));
        }
        let mut pieces = self.members.stream(member, offset..end);
        let mut at = offset;
        loop {
            let next = {
                let _waiting = self.pulse.wait();
                tokio::time::timeout(self.patience, pieces.next()).await
            };
            let piece = match next {
                Err(_) => {
                    let cause = format!("no byte came for {} s, at byte {at}", self.patience.as_secs());
                    return Err(self.not_answering(member, cause));
                }
                Ok(None) if at == end => return Ok(()),
                Ok(None) => return Err(self.not_answering(member, format!("the range to byte {end} ended at {at}"))),
                Ok(Some(piece)) => piece?,
            };
            if piece.len() as u64 > end - at {
                let cause = format!("more came than the range to byte {end}");
                return Err(self.not_answering(member, cause));
            }
            for piece in piece.chunks(MAX_PIECE_BYTES) {
                at += piece.len() as u64;
                let answer = Answer::Piece(u32::try_from(piece.len()).expect("at most MAX_PIECE_BYTES"));
                let mut to = self.to.lock().await;
                let sent = to.write_all(&Head { id, answer }.encode()).await;
                if sent.is_err() || to.write_all(piece).await.is_err() {
                    // The worker is gone, and nobody waits for the rest.
                    return Ok(());
                }
                self.sent_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
            }
        }
    }

    fn not_answering(&self, member: u32, cause: String) -> Fault {
        Fault::new(
            "StorageNotAnswering",
            Blame::Host,
            "read source",
            self.members.name(member),
            cause,
            "Look at the endpoint of the storage and the way to it; the work is tried again by itself.",
        )
    }

    fn out_of_bounds(&self, member: u32, offset: u64) -> Fault {
        Fault::new(
            "RelayMisused",
            Blame::Bug,
            "read source",
            self.members.name(member),
            format!("the worker asked for bytes that it does not have, from {offset} on"),
            "Treat the file as hostile; if it is not, this is a defect of reelmill: report it.",
        )
    }
}
