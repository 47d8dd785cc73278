//! A storage that is a bucket of an S3-compatible service.
//!
//! Guarantees: what it is stands in its options; keys and secrets never show. Deliberately absent: when to do what.

use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// What a bucket is, and how to come to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketOptions {
    /// Name of the storage.
    pub name: String,
    /// Where the service answers, `https://s3.example`.
    pub endpoint: Url,
    /// Its region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// The bucket stands in the path of addresses, not before the host.
    pub path_style: bool,
    /// Who we are there.
    pub credentials: CredentialSource,
    /// Authorities that are trusted beside the system's, PEM.
    pub tls_ca_pem: Option<Vec<u8>>,
    /// How objects are written.
    pub upload: UploadOptions,
}

/// Where access keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// From files, read again when they change or are refused.
    Files {
        /// Holds the access key.
        access_key: PathBuf,
        /// Holds the secret key.
        secret_key: PathBuf,
        /// Holds the token of a session.
        session_token: Option<PathBuf>,
    },
    /// From AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
    Environment,
    /// From the service of the host that tells its role's keys.
    Instance,
}

/// How objects are written. Empty texts: as the service does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadOptions {
    /// Storage class.
    pub storage_class: String,
    /// Canned ACL.
    pub acl: String,
    /// `AES256` or `aws:kms`.
    pub sse: String,
    /// Key of `aws:kms`.
    pub sse_kms_key: String,
    /// `Cache-Control` of objects.
    pub cache_control: String,
    /// Bytes of a part.
    pub part_bytes: u64,
    /// Parts at once.
    pub concurrency: usize,
}

impl Default for UploadOptions {
    fn default() -> Self {
        UploadOptions {
            storage_class: String::new(),
            acl: String::new(),
            sse: String::new(),
            sse_kms_key: String::new(),
            cache_control: String::new(),
            part_bytes: 16 << 20,
            concurrency: 4,
        }
    }
}

/// One bucket. Clones share it.
#[derive(Debug, Clone)]
pub struct Bucket(Arc<BucketOptions>);

impl Bucket {
    /// The name of the storage.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is.
    pub fn options(&self) -> &BucketOptions {
        &self.0
    }
}

impl From<BucketOptions> for Bucket {
    fn from(options: BucketOptions) -> Self {
        Bucket(Arc::new(options))
    }
}
