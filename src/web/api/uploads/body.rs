//! Taking the body of a request into an upload.
//!
//! Guarantees: bytes go to disk as they come, in bounded memory; the offset that is noted was synced before; a body with
//! a checksum counts wholly or not at all; a sender that falls silent is let go, and what it sent is kept. Deliberately
//! absent: what the request's headers mean.

use crate::base::clock::UtcMs;
use crate::objects::inflow::Synced;
use crate::store::error::StoreError;
use crate::store::uploads::UploadRow;
use crate::web::api::uploads;
use crate::web::api::wish;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::ports::OpenIncoming;
use crate::web::state::WebState;
use axum::body::Body;
use axum::body::Bytes;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use md5::Digest as _;
use std::time::Duration;
use std::time::Instant;

/// Bytes gathered before they are written.
const PIECE_BYTES: usize = 1 << 20;
/// Bytes, and time, after which what came is made durable and noted.
const SYNC_BYTES: u64 = 32 << 20;
const SYNC_EVERY: Duration = Duration::from_secs(5);
/// What is read of a body that nobody wants, so that its sender hears why.
const DRAIN_BYTES: usize = 8 << 20;
const DRAIN_WITHIN: Duration = Duration::from_secs(2);

/// What a body must come to.
pub(super) enum Checksum {
    Sha1(sha1::Sha1, Vec<u8>),
    Sha256(sha2::Sha256, Vec<u8>),
    Md5(md5::Md5, Vec<u8>),
}

/// The names of the checksums, as tus tells them.
pub(super) const CHECKSUMS: &str = "sha1,sha256,md5";

impl Checksum {
    /// Reads tus's header, `sha1 BASE64`.
    pub fn read(text: &str) -> Answer<Self> {
        let (name, value) = text.trim().split_once(' ').unwrap_or((text, ""));
        let wanted = STANDARD.decode(value.trim()).unwrap_or_default();
        let checksum = match (name.to_ascii_lowercase().as_str(), wanted.len()) {
            ("sha1", 20) => Checksum::Sha1(sha1::Sha1::new(), wanted),
            ("sha256", 32) => Checksum::Sha256(sha2::Sha256::new(), wanted),
            ("md5", 16) => Checksum::Md5(md5::Md5::new(), wanted),
            _ => {
                return Err(Problem::bad_request(
                    "BadChecksum",
                    format!("the checksum {text:?} is not understood"),
                    "Send Upload-Checksum: sha1, sha256 or md5, a space, and the digest in Base64.",
                ));
            }
        };
        Ok(checksum)
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Checksum::Sha1(hash, _) => hash.update(bytes),
            Checksum::Sha256(hash, _) => hash.update(bytes),
            Checksum::Md5(hash, _) => hash.update(bytes),
        }
    }

    /// Whether that is what came.
    fn holds(self) -> bool {
        match self {
            Checksum::Sha1(hash, wanted) => hash.finalize().as_slice() == wanted,
            Checksum::Sha256(hash, wanted) => hash.finalize().as_slice() == wanted,
            Checksum::Md5(hash, wanted) => hash.finalize().as_slice() == wanted,
        }
    }
}

/// A body that was agreed on.
pub(super) struct Sending<'a> {
    pub state: &'a WebState,
    pub row: &'a UploadRow,
    /// Bytes at its head that came before.
    pub skip: u64,
    /// The size of the whole, where this request says it.
    pub size_bytes: Option<u64>,
    pub checksum: Option<Checksum>,
}

/// Why a body ended before its end.
enum Cut {
    Broken(String),
    Silent,
    Stopping,
}

/// Takes the body from the offset of the row on; the new offset.
pub(super) async fn take(sending: Sending<'_>, body: Body) -> Answer<u64> {
    let size_bytes = sending.row.size_bytes.or(sending.size_bytes);
    let file = uploads::incoming(sending.row);
    let opened = sending
        .state
        .writer
        .append(&file, sending.row.received_bytes, size_bytes);
    let taking = Taking {
        open: opened.await.map_err(uploads::storage_problem)?,
        upto: sending.row.received_bytes,
        noted: sending.row.received_bytes,
        size_bytes,
        sending,
    };
    taking.run(body).await
}

struct Taking<'a> {
    sending: Sending<'a>,
    open: Box<dyn OpenIncoming>,
    size_bytes: Option<u64>,
    /// Written up to here.
    upto: u64,
    /// Durable, and told to the store.
    noted: u64,
}

impl Taking<'_> {
    async fn run(mut self, body: Body) -> Answer<u64> {
        let mut stream = body.into_data_stream();
        let mut gathered: Vec<u8> = Vec::with_capacity(PIECE_BYTES);
        let mut synced = Instant::now();
        let idle = self.sending.state.inlet.rules.idle;
        let cut = loop {
            let next = tokio::select! {
                next = tokio::time::timeout(idle, stream.next()) => next,
                () = self.sending.state.stopping.cancelled() => break Some(Cut::Stopping),
            };
            match next {
                Ok(Some(Ok(bytes))) => {
                    let bytes = self.new_of(bytes);
                    self.check_room(gathered.len() + bytes.len())?;
                    gathered.extend_from_slice(&bytes);
                }
                Ok(Some(Err(error))) => break Some(Cut::Broken(error.to_string())),
                Ok(None) => break None,
                Err(_) => break Some(Cut::Silent),
            }
            if gathered.len() >= PIECE_BYTES {
                self.write(&mut gathered).await?;
            }
            // With a checksum nothing counts before all of it is there.
            let due = self.upto - self.noted >= SYNC_BYTES || synced.elapsed() >= SYNC_EVERY;
            if due && self.sending.checksum.is_none() && self.upto > self.noted {
                self.note().await?;
                synced = Instant::now();
            }
        };
        if let Some(checksum) = &mut self.sending.checksum {
            checksum.update(&gathered);
        }
        let checked = self.sending.checksum.take().map(Checksum::holds);
        match (cut, checked) {
            (None, Some(false)) => Err(mismatch()),
            // Nobody can tell whether what came is right.
            (Some(cut), Some(_)) => Err(why(cut)),
            (cut, _) => {
                self.write_rest(&mut gathered).await?;
                self.note().await?;
                cut.map_or(Ok(self.noted), |cut| Err(why(cut)))
            }
        }
    }

    /// Of these bytes those that did not come before.
    fn new_of(&mut self, mut bytes: Bytes) -> Bytes {
        let known = usize::try_from(self.sending.skip)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        self.sending.skip -= known as u64;
        bytes.split_off(known)
    }

    /// Whether so many more bytes may come.
    fn check_room(&self, more: usize) -> Answer<()> {
        let whole = self.upto.saturating_add(more as u64);
        match (self.size_bytes, self.sending.state.inlet.rules.max_bytes) {
            (Some(size_bytes), _) if whole > size_bytes => Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "UploadTooLong",
                format!("more comes than the {size_bytes} bytes that were announced"),
                "Ask for the offset and send what is missing, or begin a new upload with the right size.",
            )),
            (None, Some(max_bytes)) if whole > max_bytes => Err(wish::too_large(max_bytes)),
            _ => Ok(()),
        }
    }

    async fn write(&mut self, gathered: &mut Vec<u8>) -> Answer<()> {
        if let Some(checksum) = &mut self.sending.checksum {
            checksum.update(gathered);
        }
        self.write_rest(gathered).await
    }

    async fn write_rest(&mut self, gathered: &mut Vec<u8>) -> Answer<()> {
        if gathered.is_empty() {
            return Ok(());
        }
        let bytes = Bytes::from(std::mem::replace(gathered, Vec::with_capacity(PIECE_BYTES)));
        let length = bytes.len() as u64;
        if let Err(fault) = self.open.write(bytes).await {
            // What was written before is worth keeping: a full disk may have room again.
            if self.sending.checksum.is_none()
                && let Err(problem) = self.note().await
            {
                tracing::debug!(upload = %self.sending.row.id, problem = problem.detail, "an offset was not kept");
            }
            return Err(uploads::storage_problem(fault));
        }
        self.upto += length;
        Ok(())
    }

    /// Makes durable what was written, and then notes it.
    async fn note(&mut self) -> Answer<()> {
        let durable = match self.open.sync().await {
            Ok(durable) => durable,
            Err(fault) => {
                // A bucket that did not take a part: what it has, and what waits for it here, counts all the same, and
                // where it dropped everything that is to be known too.
                if let Ok(durable) = self.open.sync().await {
                    self.keep(durable).await?;
                }
                return Err(uploads::storage_problem(fault));
            }
        };
        self.keep(durable).await
    }

    async fn keep(&mut self, durable: Synced) -> Answer<()> {
        let state = self.sending.state;
        let expires = uploads::expiry(state, UtcMs::now());
        let (id, size_bytes) = (&self.sending.row.id, self.size_bytes);
        let noted = state
            .store
            .upload_received(id, durable.offset, durable.pieces, size_bytes, expires);
        match noted.await {
            Ok(()) => {
                self.noted = durable.offset;
                Ok(())
            }
            Err(StoreError::Conflict(_)) => {
                // Cancelled meanwhile, and its pieces with it.
                Err(uploads::gone(&state.store.upload(&self.sending.row.id).await?))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn why(cut: Cut) -> Problem {
    let remedy = "Ask for the offset and send the rest.";
    match cut {
        Cut::Broken(cause) => Problem::bad_request("BodyCut", format!("the body broke off: {cause}"), remedy),
        Cut::Silent => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "BodySilent",
            "nothing came for too long",
            remedy,
        ),
        Cut::Stopping => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Stopping",
            "the daemon is stopping",
            "Ask for the offset when it has started, and send the rest.",
        ),
    }
}

/// 460, which tus gives to this.
fn mismatch() -> Problem {
    Problem {
        status: 460,
        title: "Checksum Mismatch".to_owned(),
        detail: "what came has another checksum than was sent with it, and was dropped".to_owned(),
        code: "ChecksumMismatch".to_owned(),
        remedy: "Send the piece again.".to_owned(),
    }
}

/// Reads on for a moment, so that whoever is sending gets to read the answer before the connection closes.
pub(super) async fn drain(body: Body) {
    let reading = async {
        let mut stream = body.into_data_stream();
        let mut read = 0;
        while let Some(Ok(bytes)) = stream.next().await {
            read += bytes.len();
            if read > DRAIN_BYTES {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_WITHIN, reading).await;
}

#[cfg(test)]
mod tests {
    use super::Checksum;

    #[test]
    fn checksums_are_read_and_hold() {
        for header in [
            "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
            "SHA256 ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "md5 kAFQmDzST7DWlj99KOF/cg==",
        ] {
            let mut checksum = Checksum::read(header).map_err(|problem| problem.detail).expect(header);
            checksum.update(b"a");
            checksum.update(b"bc");
            assert!(checksum.holds(), "{header}");
            let mut other = Checksum::read(header).map_err(|problem| problem.detail).expect(header);
            other.update(b"abd");
            assert!(!other.holds(), "{header}");
        }
        for bad in ["crc32 AAAA", "sha1", "sha1 !!", "sha1 AAAA", ""] {
            assert!(Checksum::read(bad).is_err(), "{bad}");
        }
    }
}
