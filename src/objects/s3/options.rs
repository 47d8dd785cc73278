//! What a bucket is, how to come to it, and how patient to be with it.
//!
//! Guarantees: keys that were given are never shown, not even in part. Deliberately absent: reading files of keys
//! (`credentials`), and the section of the configuration all this comes from.

use crate::base::address::Reach;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// What a bucket is, and how to come to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketOptions {
    /// Name of the storage.
    pub name: String,
    /// Where the service answers, `https://s3.example`; a path in it is kept.
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
    /// How far the endpoint may reach: this host too where the administrator of the host wrote it down.
    pub reach: Reach,
    /// How long to wait, and for what.
    pub patience: Patience,
}

/// Where access keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// From files, read again now and then and when the keys are refused.
    Files {
        /// Holds the access key.
        access_key: PathBuf,
        /// Holds the secret key.
        secret_key: PathBuf,
        /// Holds the token of a session.
        session_token: Option<PathBuf>,
    },
    /// From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    Environment,
    /// From the service of the host (or of its container) that tells its role's keys.
    Instance,
    /// These.
    Given(GivenKeys),
}

/// Keys that were given with a storage.
#[derive(Clone, PartialEq, Eq)]
pub struct GivenKeys {
    /// The access key.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
    /// The token of a session.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for GivenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
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
    /// Bytes of a part; more where 10,000 of them would not do.
    pub part_bytes: u64,
    /// Bodies sent at once, over all uploads into this bucket. So many parts are in memory at most.
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

/// How long to wait before giving up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one request with all its repetitions; a body that is read begins anew with every byte that comes.
    pub total: Duration,
    /// Without a byte in either direction.
    pub idle: Duration,
    /// The same for what the service does by itself before it answers: completing an upload, copying.
    pub idle_at_work: Duration,
    /// Before the first repetition, about; then twice as long each time.
    pub first_pause: Duration,
    /// Between repetitions, at most.
    pub longest_pause: Duration,
}

impl Patience {
    /// That of requests which are repeated for `total`.
    pub fn of(total: Duration) -> Self {
        let usual = Patience::default();
        Patience {
            total,
            // Time for at least two tries, also where nothing comes at all.
            idle: usual.idle.min(total / 3).max(Duration::from_millis(200)),
            ..usual
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            total: Duration::from_secs(120),
            idle: Duration::from_secs(60),
            idle_at_work: Duration::from_secs(600),
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(15),
        }
    }
}
