//! Small objects written whole, and objects removed.
//!
//! Guarantees: what was sent is what stands there, by checksum; a name that is taken stays taken, also where the service
//! knows no conditional writes (as far as looking first can tell); an answer that was lost is not taken for a failure.
//! Deliberately absent: what is too large for one request (`multipart`).

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::s3::Bucket;
use crate::objects::s3::Head;
use crate::objects::s3::exchange;
use crate::objects::s3::exchange::Ask;
use crate::objects::s3::exchange::Failure;
use crate::objects::s3::forms;
use crate::objects::s3::key;
use crate::objects::s3::refusal::Refusal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Digest;
use md5::Md5;
use reqwest::Method;
use reqwest::header::HeaderMap;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use tokio_util::bytes::Bytes;

/// From so many bytes on, hashing is done beside the loop that serves everybody.
const HASH_BESIDE: usize = 256 << 10;

/// How an object is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutRule {
    /// Its media type; empty: the service's own.
    pub content_type: String,
    /// Noted with it, `x-amz-meta-NAME`; ASCII. With it an object is known as ours when an answer was lost.
    pub metadata: BTreeMap<String, String>,
    /// What happens to an object of the same key.
    pub replace: Replace,
}

/// What happens to an object of the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// It gives way.
    Always,
    /// It stays, and nothing is written.
    Never,
}

/// How writing went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It stands there, with this ETag.
    Done(String),
    /// Something else stands there, and was to stay.
    Taken,
}

/// The sums of a body.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    pub md5: [u8; 16],
    sha256: Option<[u8; 32]>,
}

impl Sums {
    /// In hex, as ETags have it.
    pub(super) fn md5_hex(&self) -> String {
        hex::encode(self.md5)
    }
}

impl Bucket {
    /// Writes `bytes` under `key` in one request.
    ///
    /// # Errors
    /// `KeyRefused`, `OutputCorrupt`, `StorageFull`, or those of [`Bucket::reach`].
    pub async fn put(&self, key: &str, bytes: Bytes, rule: &PutRule) -> Result<Put, Fault> {
        key::check_writable(self.name(), key)?;
        if rule.replace == Replace::Never && self.head(key).await?.is_some() {
            return Ok(Put::Taken);
        }
        let mut conditional = rule.replace == Replace::Never;
        let mut sent_again = false;
        loop {
            let sums = self.sums(&bytes).await;
            let ask = Ask::new("write", Method::PUT, key).body(bytes.clone());
            let mut ask = self.summed(self.described(ask, rule), &sums);
            if conditional {
                ask = ask.header("if-none-match", "*");
            }
            match self.0.exchange(&ask).await {
                Ok(reply) => {
                    let etag = forms::bare_etag(exchange::text(&reply.headers, "etag").unwrap_or_default());
                    match self.compare(&reply.headers, &etag, &sums, sent_again) {
                        Compared::Equal => return Ok(Put::Done(etag)),
                        // It is ours that stands there now.
                        Compared::Differs if !sent_again => (sent_again, conditional) = (true, false),
                        Compared::Differs => return Err(self.corrupt("write", key, &etag, &sums.md5_hex())),
                    }
                }
                Err(Failure::Refused(refusal)) if conditional && refusal.status == 412 => {
                    return self
                        .taken_or_ours(key, bytes.len() as u64, &sums.md5_hex(), rule, &refusal)
                        .await;
                }
                Err(Failure::Refused(refusal)) if conditional && refusal.is_unknown_way() => conditional = false,
                Err(Failure::Refused(refusal)) if self.learns_sums(&refusal) => {}
                Err(failure) => return Err(self.0.fault(&ask, failure)),
            }
        }
    }

    /// Removes the object `key`. That it was not there is no fault.
    ///
    /// # Errors
    /// Those of [`Bucket::reach`].
    pub async fn remove(&self, key: &str) -> Result<(), Fault> {
        let ask = Ask::new("remove", Method::DELETE, key);
        match self.0.exchange(&ask).await {
            Ok(_) => Ok(()),
            Err(Failure::Refused(refusal)) if refusal.status == 404 && !refusal.is_no_bucket() => Ok(()),
            Err(failure) => Err(self.0.fault(&ask, failure)),
        }
    }

    /// The request with what a rule and the options say of the object.
    pub(super) fn described<'a>(&self, ask: Ask<'a>, rule: &PutRule) -> Ask<'a> {
        let upload = &self.options().upload;
        let mut ask = ask;
        for (name, value) in [
            ("content-type", &rule.content_type),
            ("cache-control", &upload.cache_control),
            ("x-amz-acl", &upload.acl),
            ("x-amz-storage-class", &upload.storage_class),
            ("x-amz-server-side-encryption", &upload.sse),
            ("x-amz-server-side-encryption-aws-kms-key-id", &upload.sse_kms_key),
        ] {
            if !value.is_empty() {
                ask = ask.header(name, value);
            }
        }
        for (name, value) in &rule.metadata {
            ask = ask.metadata(name, value);
        }
        ask
    }

    /// The request with the sums of its body, in the way the service takes them.
    pub(super) fn summed<'a>(&self, ask: Ask<'a>, sums: &Sums) -> Ask<'a> {
        match &sums.sha256 {
            Some(sha256) => ask.header("x-amz-checksum-sha256", &STANDARD.encode(sha256)),
            None => ask.header("content-md5", &STANDARD.encode(sums.md5)),
        }
    }

    /// Hashes a body.
    pub(super) async fn sums(&self, bytes: &Bytes) -> Sums {
        let with_sha256 = self.0.wants_sha256.load(Ordering::Relaxed);
        let hash = move |bytes: &[u8]| Sums {
            md5: Md5::digest(bytes).into(),
            sha256: with_sha256.then(|| Sha256::digest(bytes).into()),
        };
        if bytes.len() < HASH_BESIDE {
            return hash(bytes);
        }
        let bytes = bytes.clone();
        tokio::task::spawn_blocking(move || hash(&bytes))
            .await
            .expect("hashing does not panic")
    }

    /// Whether a refusal taught us to send sums in another way; then it is to be tried again.
    pub(super) fn learns_sums(&self, refusal: &Refusal) -> bool {
        refusal.is_unknown_way() && !self.0.wants_sha256.swap(true, Ordering::Relaxed)
    }

    /// Holds the ETag of an answer against the MD5 of what was sent, where the service makes its ETags of it. `again`:
    /// the same body was sent twice and answered with another ETag each time.
    pub(super) fn compare(&self, headers: &HeaderMap, etag: &str, sums: &Sums, again: bool) -> Compared {
        let kms = exchange::text(headers, "x-amz-server-side-encryption").is_some_and(|sse| sse.starts_with("aws:"));
        let is_md5 = etag.len() == 32 && etag.bytes().all(|digit| digit.is_ascii_hexdigit());
        if kms || !is_md5 {
            return Compared::Equal;
        }
        if etag.eq_ignore_ascii_case(&sums.md5_hex()) {
            self.0.gives_md5.store(true, Ordering::Relaxed);
            return Compared::Equal;
        }
        if again && !self.0.gives_md5.load(Ordering::Relaxed) {
            // The service compared the sums that were sent with the body; its ETags are made of something else.
            return Compared::Equal;
        }
        Compared::Differs
    }

    /// What stands there is not what was sent.
    pub(super) fn corrupt(&self, operation: &str, key: &str, theirs: &str, ours: &str) -> Fault {
        Fault::new(
            "OutputCorrupt",
            Blame::Host,
            operation,
            self.0.subject(key),
            format!("the service has {theirs}; what was sent comes to {ours}"),
            "It is sent again. If this comes back, look for failing memory or network hardware between here and the service.",
        )
    }

    /// After "it must not be there": something else is, or what an earlier try of ours wrote.
    pub(super) async fn taken_or_ours(
        &self,
        key: &str,
        size_bytes: u64,
        etag: &str,
        rule: &PutRule,
        refusal: &Refusal,
    ) -> Result<Put, Fault> {
        if !refusal.unsure {
            return Ok(Put::Taken);
        }
        match self.head(key).await? {
            Some(head) if is_ours(&head, size_bytes, etag, rule) => Ok(Put::Done(head.etag)),
            _ => Ok(Put::Taken),
        }
    }
}

/// How an ETag compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    Equal,
    Differs,
}

/// Whether what stands there is what we wrote: by what is noted with it, else by its ETag.
pub(super) fn is_ours(head: &Head, size_bytes: u64, etag: &str, rule: &PutRule) -> bool {
    let noted = rule
        .metadata
        .iter()
        .all(|(name, value)| head.metadata.get(&name.to_ascii_lowercase()) == Some(value));
    head.size_bytes == size_bytes && noted && (!rule.metadata.is_empty() || head.etag == etag)
}
