//! What all requests to one bucket share: the client, the keys, the clock, the breaker, the slots.
//!
//! Guarantees: addresses are made in one place, in path or virtual-host style. Deliberately absent: sending
//! (`exchange`).

use crate::base::fault::Fault;
use crate::base::http_client;
use crate::base::http_client::HttpOptions;
use crate::objects::s3::breaker::Breaker;
use crate::objects::s3::credentials::Keyring;
use crate::objects::s3::key;
use crate::objects::s3::options::BucketOptions;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

/// Requests at once on one bucket; bodies that are read do not count once they have begun.
const REQUESTS: usize = 32;
/// A bucket that answered so recently is there.
const SEEN_HOLDS: Duration = Duration::from_secs(30);

/// The state of one bucket.
#[derive(Debug)]
pub(super) struct Service {
    pub options: BucketOptions,
    pub client: reqwest::Client,
    pub keyring: Keyring,
    pub breaker: Breaker,
    pub requests: Semaphore,
    /// Who holds one of these may hold a part of an upload in memory.
    pub bodies: Semaphore,
    /// What the service's clock shows beyond ours.
    clock_ms: AtomicI64,
    /// When something of the bucket was last answered.
    seen: Mutex<Option<Instant>>,
    /// An ETag was the MD5 of what was sent: from then on every one has to be.
    pub gives_md5: AtomicBool,
    /// The service refused `Content-MD5`; it is sent SHA-256 sums instead.
    pub wants_sha256: AtomicBool,
}

impl Service {
    pub(super) fn new(options: BucketOptions) -> Result<Self, Fault> {
        let client = http_client::build(&HttpOptions {
            roots_pem: options.tls_ca_pem.iter().cloned().collect(),
            idle_connections: REQUESTS,
            ..HttpOptions::new(options.reach)
        })?;
        Ok(Service {
            client,
            keyring: Keyring::new(&options.name, options.credentials.clone()),
            breaker: Breaker::default(),
            requests: Semaphore::new(REQUESTS),
            bodies: Semaphore::new(options.upload.concurrency.max(1)),
            clock_ms: AtomicI64::new(0),
            seen: Mutex::new(None),
            gives_md5: AtomicBool::new(false),
            wants_sha256: AtomicBool::new(false),
            options,
        })
    }

    /// The address of the object `key`, or of the bucket where it is empty.
    ///
    /// # Errors
    /// A clause: no address can name it.
    pub(super) fn url(&self, key: &str, query: &[(&str, String)]) -> Result<Url, &'static str> {
        let encoded = key::path_of(key)?;
        let mut url = self.options.endpoint.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        let bucket = &self.options.bucket;
        if self.options.path_style {
            url.set_path(&format!("{base}/{bucket}/{encoded}"));
        } else {
            let host = format!("{bucket}.{}", url.host_str().unwrap_or_default());
            url.set_host(Some(&host))
                .map_err(|_| "the name of the bucket does not fit before a host; set path_style = true")?;
            url.set_path(&format!("{base}/{encoded}"));
        }
        url.set_query((!query.is_empty()).then(|| key::query_of(query)).as_deref());
        Ok(url)
    }

    /// The address of the bucket or of an object for people and receivers.
    pub(super) fn address(&self, key: &str) -> String {
        let endpoint = self.options.endpoint.as_str().trim_end_matches('/');
        let bucket = &self.options.bucket;
        let path = key::path_of(key).unwrap_or_default();
        if path.is_empty() {
            format!("{endpoint}/{bucket}")
        } else {
            format!("{endpoint}/{bucket}/{path}")
        }
    }

    /// Now, by the service's clock.
    pub(super) fn now(&self) -> SystemTime {
        let offset_ms = self.clock_ms.load(Ordering::Relaxed);
        let offset = Duration::from_millis(offset_ms.unsigned_abs());
        if offset_ms >= 0 {
            SystemTime::now() + offset
        } else {
            SystemTime::now() - offset
        }
    }

    /// How far `date` of an answer is from what we take for the service's time.
    pub(super) fn clock_error_ms(&self, date_s: i64) -> i64 {
        let now = self.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        date_s.saturating_mul(1_000).saturating_sub(now_ms)
    }

    /// Takes the service's clock for right from now on.
    pub(super) fn correct_clock(&self, error_ms: i64) {
        let offset_ms = self.clock_ms.fetch_add(error_ms, Ordering::Relaxed) + error_ms;
        tracing::warn!(
            storage = %self.options.name, offset_s = offset_ms / 1_000,
            "the clock of a bucket's service differs from ours; requests are signed by its time. Set both with timedatectl set-ntp true"
        );
    }

    /// Something of the bucket was answered.
    pub(super) fn mark_seen(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether the bucket was there a moment ago.
    pub(super) fn was_seen(&self) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_some_and(|at| at.elapsed() < SEEN_HOLDS)
    }

    /// The object as faults name it.
    pub(super) fn subject(&self, key: &str) -> String {
        if key.is_empty() {
            self.options.name.clone()
        } else {
            format!("{}:{key}", self.options.name)
        }
    }
}
