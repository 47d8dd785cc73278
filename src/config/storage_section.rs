//! One `[[storage]]` section as it is written, a folder or a bucket.
//!
//! Guarantees: unknown keys and words are refused by the reader; what is not said has its default. Deliberately absent:
//! which keys go together (`storage`).

use serde::Deserialize;
use serde::Serialize;

/// `[[storage]]`. A name and a path are required; the rest has defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct StorageSection {
    pub name: String,
    #[serde(default = "StorageSection::default_kind")]
    pub kind: String,
    #[serde(default)]
    pub path: String,
    #[serde(default)]
    pub watch: Watch,
    #[serde(default)]
    pub settle_looks: u32,
    #[serde(default)]
    pub settle_interval_s: f64,
    #[serde(default)]
    pub poll_interval_s: f64,
    #[serde(default = "StorageSection::default_ready")]
    pub ready: Ready,
    #[serde(default)]
    pub sidecars: bool,
    #[serde(default)]
    pub marker: String,
    #[serde(default)]
    pub min_age_s: f64,
    #[serde(default)]
    pub include: Vec<String>,
    #[serde(default)]
    pub exclude: Vec<String>,
    #[serde(default)]
    pub subtitles: bool,
    #[serde(default)]
    pub groups: Vec<Grouping>,
    #[serde(default = "StorageSection::default_sequence_fps")]
    pub sequence_fps: f64,
    #[serde(default)]
    pub sentinel: String,
    #[serde(default)]
    pub file_mode: String,
    #[serde(default)]
    pub folder_mode: String,
    #[serde(default)]
    pub file_group: String,
    // Of buckets.
    #[serde(default)]
    pub endpoint: String,
    #[serde(default = "StorageSection::default_region")]
    pub region: String,
    #[serde(default)]
    pub bucket: String,
    #[serde(default)]
    pub path_style: bool,
    #[serde(default)]
    pub credentials: Credentials,
    #[serde(default)]
    pub access_key_file: String,
    #[serde(default)]
    pub secret_key_file: String,
    #[serde(default)]
    pub session_token_file: String,
    #[serde(default)]
    pub tls_ca_file: String,
    #[serde(default)]
    pub storage_class: String,
    #[serde(default)]
    pub acl: String,
    #[serde(default)]
    pub sse: String,
    #[serde(default)]
    pub sse_kms_key: String,
    #[serde(default)]
    pub cache_control: String,
    #[serde(default = "StorageSection::default_part_mib")]
    pub part_mib: u32,
    #[serde(default = "StorageSection::default_concurrency")]
    pub concurrency: u32,
    #[serde(default = "StorageSection::default_retry_s")]
    pub retry_s: f64,
    #[serde(default)]
    pub notify_secret_file: String,
    #[serde(default)]
    pub notify_confirm_urls: Vec<String>,
    #[serde(default)]
    pub monotonic_prefixes: Vec<String>,
}

impl StorageSection {
    fn default_kind() -> String {
        "folder".to_owned()
    }
    fn default_ready() -> Ready {
        Ready::Stable
    }
    fn default_sequence_fps() -> f64 {
        25.0
    }
    fn default_region() -> String {
        "us-east-1".to_owned()
    }
    fn default_part_mib() -> u32 {
        16
    }
    fn default_retry_s() -> f64 {
        120.0
    }
    fn default_concurrency() -> u32 {
        4
    }
}

/// What makes a file ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ready {
    /// It stayed the same for a while and its container is whole.
    #[default]
    Stable,
    /// It was given its name when it was whole.
    Rename,
    /// A marker says so.
    Marker,
    /// It comes to the checksum in a file beside it.
    Checksum,
}

/// Files that are one media together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// Numbered pictures of a folder.
    Sequences,
    /// Chapters of a GoPro camera.
    Gopro,
    /// Clips of a P2 card.
    P2,
    /// Clips of an XDCAM card.
    Xdcam,
    /// Spanned clips of an AVCHD card.
    Avchd,
}

/// Where the keys to a bucket come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Credentials {
    /// From files.
    #[default]
    Files,
    /// From the environment of the daemon.
    Environment,
    /// From the service of the host that knows its role.
    Instance,
}

/// How changes of a storage are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Watch {
    /// Inotify where the file system is local, else polling.
    #[default]
    Auto,
    /// Inotify, and whole scans now and then.
    Inotify,
    /// Whole scans only.
    Poll,
    /// Nothing that arrives is noticed.
    Off,
}
