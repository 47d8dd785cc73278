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
use tokio_util::bytes::Bytes;

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

#[cfg(test)]
mod tests {
    use super::Members;
    use super::Relay;
    use crate::base::fault::Blame;
    use crate::base::fault::Fault;
    use crate::worker::relay::Line;
    use crate::worker::relay::pulse::RelayPulse;
    use crate::worker::relay::wire::Request;
    use crate::worker::relay::wire::Wish;
    use futures_util::StreamExt;
    use futures_util::future::BoxFuture;
    use futures_util::stream::BoxStream;
    use std::fs::File;
    use std::io::Read;
    use std::io::Write;
    use std::ops::Range;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio_util::bytes::Bytes;

    const SIZE: u64 = 9_000_001;
    const DAY: Duration = Duration::from_secs(86_400);

    /// How the endpoint of a test behaves.
    #[derive(Clone, Copy)]
    enum Endpoint {
        Whole,
        Silent,
        Short,
        Long,
        Changed,
    }

    fn byte(offset: u64) -> u8 {
        (offset.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8
    }

    impl Members for Endpoint {
        fn name(&self, member: u32) -> String {
            format!("bucket:{member}.mp4")
        }
        fn size_bytes(&self, member: u32) -> Option<u64> {
            (member == 0).then_some(SIZE)
        }
        fn stream(&self, _: u32, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Fault>> {
            let range = match self {
                Endpoint::Short => range.start..range.end - 1,
                Endpoint::Long => range.start..range.end + 1,
                Endpoint::Silent => return futures_util::stream::pending().boxed(),
                Endpoint::Changed => {
                    let fault = Fault::new("SourceChanged", Blame::Source, "read", "b:k", "replaced", "Nothing.");
                    return futures_util::stream::iter([Err(fault)]).boxed();
                }
                Endpoint::Whole => range,
            };
            let bytes: Vec<u8> = range.map(byte).collect();
            let pieces: Vec<_> = bytes
                .chunks(70_001)
                .map(|piece| Ok(Bytes::copy_from_slice(piece)))
                .collect();
            futures_util::stream::iter(pieces).boxed()
        }
        fn recheck(&self) -> BoxFuture<'_, Result<(), Fault>> {
            let whole = matches!(self, Endpoint::Whole);
            let fault = || Fault::new("SourceGone", Blame::Source, "look at", "b:k", "gone", "Nothing.");
            Box::pin(async move { if whole { Ok(()) } else { Err(fault()) } })
        }
    }

    fn serve(endpoint: Endpoint, patience: Duration) -> (File, RelayPulse) {
        let (relay, socket) = Relay::new(Arc::new(endpoint), patience).expect("a pair");
        let pulse = relay.pulse();
        tokio::spawn(relay.serve());
        (socket, pulse)
    }

    /// Reads as a worker would, on a thread of its own.
    async fn read(line: &Line, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
        let line = line.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; length];
            let count = line.read(0, SIZE, &mut buffer, offset)?;
            buffer.truncate(count);
            Ok(buffer)
        });
        reading.await.expect("no panic")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_worker_reads_is_what_the_endpoint_has() {
        let (socket, _) = serve(Endpoint::Whole, DAY);
        let line = Line::open(socket).expect("a thread");
        for (offset, length) in [
            (0, 100),
            (5_000_000, 3_999_999),
            (SIZE - 3, 10),
            (77, 8_000_000),
            (SIZE, 1),
        ] {
            let end = (offset + length as u64).min(SIZE);
            let expected: Vec<u8> = (offset..end).map(byte).collect();
            assert!(
                read(&line, offset, length).await.expect("read") == expected,
                "{length} at {offset}"
            );
        }
        let checked = tokio::task::spawn_blocking(move || line.recheck());
        checked.await.expect("no panic").expect("nothing has changed");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_way_an_endpoint_fails_is_its_own_fault() {
        for (endpoint, patience, code) in [
            (Endpoint::Silent, Duration::from_millis(20), "StorageNotAnswering"),
            (Endpoint::Short, DAY, "StorageNotAnswering"),
            (Endpoint::Long, DAY, "StorageNotAnswering"),
            (Endpoint::Changed, DAY, "SourceChanged"),
        ] {
            let (socket, _) = serve(endpoint, patience);
            let line = Line::open(socket).expect("a thread");
            assert!(read(&line, 0, 100).await.is_err(), "{code}");
            let fault = line.fault().expect("it says why");
            assert_eq!(fault.code, code);
            assert_eq!(fault.retryable, code == "StorageNotAnswering");
        }
        let (socket, _) = serve(Endpoint::Changed, DAY);
        let line = Line::open(socket).expect("a thread");
        let checked = tokio::task::spawn_blocking(move || line.recheck());
        assert_eq!(
            checked.await.expect("no panic").expect_err("it is gone").code,
            "SourceGone"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_relay_tells_that_it_waits_for_its_endpoint_and_no_longer() {
        let (socket, pulse) = serve(Endpoint::Silent, DAY);
        let line = Line::open(socket).expect("a thread");
        let asked = line.clone();
        let reading = tokio::spawn(async move { read(&asked, 0, 100).await });
        while !pulse.is_waiting() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        line.end(crate::worker::death::stopped("a.mp4"));
        assert!(reading.await.expect("no panic").is_err(), "a stop ends the wait");

        // A worker that asks and does not take what comes is not waited for.
        let (mut socket, pulse) = serve(Endpoint::Whole, DAY);
        let wish = Wish::Read {
            member: 0,
            offset: 0,
            length: 4 << 20,
        };
        socket.write_all(&Request { id: 1, wish }.encode()).expect("asked");
        let mut head = [0; 12];
        socket.read_exact(&mut head).expect("it begins to come");
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(!pulse.is_waiting());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_worker_gets_nothing_that_is_not_its_own() {
        for (member, offset) in [(1, 0), (0, SIZE), (0, u64::MAX)] {
            let (mut socket, _) = serve(Endpoint::Whole, DAY);
            let wish = Wish::Read {
                member,
                offset,
                length: 1,
            };
            socket.write_all(&Request { id: 1, wish }.encode()).expect("asked");
            let answer = tokio::task::spawn_blocking(move || {
                let mut answer = [0; 512];
                let count = socket.read(&mut answer).expect("answered");
                String::from_utf8_lossy(&answer[12..count]).into_owned()
            });
            let answer = answer.await.expect("no panic");
            assert!(answer.contains("RelayMisused"), "{answer}");
        }
        let (mut socket, _) = serve(Endpoint::Whole, DAY);
        socket.write_all(&[0xFF; Request::BYTES]).expect("said");
        let left = tokio::task::spawn_blocking(move || socket.read(&mut [0; 1]).expect("an end"));
        assert_eq!(left.await.expect("no panic"), 0, "nonsense closes the relay");
    }
}
