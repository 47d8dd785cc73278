//! A storage that is a bucket of an S3-compatible service.
//!
//! Guarantees: keys are in the text form of [`objects::uri`](crate::objects::uri) everywhere; every failure is a fault
//! that says what to do, after what can be tried again was; access keys never show. Deliberately absent: when to do what,
//! and what the objects mean.

mod breaker;
mod copying;
mod credentials;
mod exchange;
mod forms;
mod key;
mod listing;
mod multipart;
mod options;
mod reading;
mod refusal;
mod service;
mod signing;
mod staging;
pub mod subscription;
mod writing;

pub use copying::ObjectInBucket;
pub use listing::Listed;
pub use listing::OpenUpload;
pub use listing::PAGE_KEYS;
pub use listing::Page;
pub use multipart::Part;
pub use options::BucketOptions;
pub use options::CredentialSource;
pub use options::GivenKeys;
pub use options::Patience;
pub use options::UploadOptions;
pub use reading::Head;
pub use staging::FilePieces;
pub use staging::PieceSource;
pub use staging::StagedUpload;
pub use writing::Put;
pub use writing::PutRule;
pub use writing::Replace;

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use exchange::Ask;
use exchange::Reply;
use service::Service;
use signing::Signer;
use std::sync::Arc;
use std::time::Duration;

/// Links last at most a week.
const LONGEST_LINK: Duration = Duration::from_secs(7 * 86_400);

/// One bucket. Clones share its connections, keys and breaker.
#[derive(Clone)]
pub struct Bucket(Arc<Service>);

impl Bucket {
    /// The bucket of these options. Nothing is asked of it yet.
    ///
    /// # Errors
    /// `CertificateUnreadable`, `HttpClientFailed`.
    pub fn new(options: BucketOptions) -> Result<Self, Fault> {
        Service::new(options).map(|service| Bucket(Arc::new(service)))
    }

    /// The name of the storage.
    pub fn name(&self) -> &str {
        &self.0.options.name
    }

    /// What it is.
    pub fn options(&self) -> &BucketOptions {
        &self.0.options
    }

    /// `ENDPOINT/BUCKET/KEY`, unsigned, the key percent-encoded; of the bucket where `key` is empty.
    pub fn address(&self, key: &str) -> String {
        self.0.address(key)
    }

    /// Whether the service counts as dead now: it did not answer several times, and one request at a time tries.
    pub fn is_silent(&self) -> bool {
        self.0.breaker.is_open()
    }

    /// The address with which anybody may read the object for so long (a week at most).
    ///
    /// # Errors
    /// `StorageDenied`: there are no keys; `KeyRefused`: no address can name it.
    pub async fn presigned(&self, key: &str, expires: Duration) -> Result<String, Fault> {
        let refused = |cause: String| {
            Fault::new(
                "KeyRefused",
                Blame::Request,
                "link",
                self.0.subject(key),
                cause,
                "Rename the object, or correct the keys of the storage.",
            )
        };
        let url = self.0.url(key, &[]).map_err(|cause| refused(cause.to_owned()))?;
        let keys = self.0.keyring.keys().await?;
        let signer = Signer {
            keys: &keys,
            region: &self.0.options.region,
            at: self.0.now(),
        };
        signer.presign(&url, expires.min(LONGEST_LINK)).map_err(refused)
    }

    /// Asks, where every refusal is a fault.
    async fn ask(&self, ask: &Ask<'_>) -> Result<Reply, Fault> {
        self.0.exchange(ask).await.map_err(|failure| self.0.fault(ask, failure))
    }
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Bucket").field(&self.0.options.name).finish()
    }
}
