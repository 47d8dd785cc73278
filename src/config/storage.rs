//! One `[[storage]]` section, checked.
//!
//! Guarantees: every contradiction is found, not only the first. Deliberately absent: where storages lie among each other
//! (`layout`), and whether the folder or the bucket is there.

use crate::base::reader;
use crate::config::bucket;
use crate::config::resolved::Findings;
use crate::config::storage_section::Credentials;
use crate::config::storage_section::Grouping;
use crate::config::storage_section::Ready;
use crate::config::storage_section::StorageSection;
use crate::config::storage_section::Watch;
use crate::objects::companions::Marker;
use crate::objects::name_rules::NameOptions;
use crate::objects::name_rules::NameRules;
use crate::workflow::secrets::Hidden;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// One storage.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// How changes are noticed.
    pub watch: Watch,
    /// When what comes counts as arrived.
    pub arriving: Arriving,
    /// Time between whole scans or listings; none: by file system, or as it turns out.
    pub poll_interval: Option<Duration>,
    /// Folders of other storages beneath this one, relative to it: what lies there belongs to them.
    pub others_within: Vec<PathBuf>,
}

impl Arriving {
    /// Which names are objects, and which speak of others.
    pub fn names(&self) -> NameOptions {
        NameOptions {
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            marker: (self.ready == Ready::Marker).then(|| {
                let written = Marker::parse(&self.marker);
                written.unwrap_or_else(|_| Marker::Ending(".done".to_owned()))
            }),
            checksums: self.ready == Ready::Checksum,
            orders: self.sidecars,
            subtitles: self.subtitles,
        }
    }
}

impl Storage {
    /// Its folder; none: it is a bucket.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(folder) => Some(&folder.path),
            Place::Bucket(_) => None,
        }
    }
}

/// Where a storage is.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// In a folder.
    Folder(FolderPlace),
    /// In a bucket.
    Bucket(Box<BucketPlace>),
}

/// A folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderPlace {
    /// The folder, absolute.
    pub path: PathBuf,
    /// A file in it without which it is not believed to be the storage; none: not asked for.
    pub sentinel: Option<String>,
    /// Permission bits of published files; none: what the umask leaves.
    pub file_mode: Option<u32>,
    /// Permission bits of folders made for them; none: what the umask leaves.
    pub folder_mode: Option<u32>,
    /// Group of both, by name or number; none: that of the process, or as the folder says.
    pub file_group: Option<String>,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPlace {
    /// Where the service answers.
    pub endpoint: Url,
    /// Its region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// The bucket stands in the path of addresses.
    pub path_style: bool,
    /// Where the keys come from.
    pub credentials: Credentials,
    /// Of `files`: the access key.
    pub access_key_file: PathBuf,
    /// Of `files`: the secret key.
    pub secret_key_file: PathBuf,
    /// Of `files`: the token of a session.
    pub session_token_file: Option<PathBuf>,
    /// Authorities to trust besides the system's.
    pub tls_ca_file: Option<PathBuf>,
    /// Storage class of outputs; empty: the service's.
    pub storage_class: String,
    /// Canned ACL of outputs; empty: none is sent.
    pub acl: String,
    /// Encryption at rest: empty, `AES256` or `aws:kms`.
    pub sse: String,
    /// Key of `aws:kms`; empty: the service's.
    pub sse_kms_key: String,
    /// `Cache-Control` of outputs; empty: none.
    pub cache_control: String,
    /// Bytes of a part of an upload.
    pub part_bytes: u64,
    /// Requests with bodies at once.
    pub concurrency: usize,
    /// For how long a request without an answer is repeated.
    pub retry: Duration,
    /// Holds the secret of notifications; none: they are refused.
    pub notify_secret_file: Option<PathBuf>,
    /// What addresses of subscriptions may begin with besides those of SNS.
    pub notify_confirm_urls: Vec<String>,
    /// Prefixes beneath which new keys always sort behind the old ones.
    pub monotonic_prefixes: Vec<String>,
    /// What was given instead of files, of one made through the API.
    pub given: Option<Box<Given>>,
}

/// What a bucket that was made through the API was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The access key.
    pub access_key: Hidden,
    /// The secret key.
    pub secret_key: Hidden,
    /// The token of a session.
    pub session_token: Option<Hidden>,
    /// Authorities to trust besides the system's, PEM; empty: none.
    pub tls_ca: String,
    /// The secret of notifications.
    pub notify_secret: Option<Hidden>,
    /// This very host may be meant.
    pub may_be_local: bool,
}

/// When what comes counts as arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Arriving {
    /// What makes a file ready.
    pub ready: Ready,
    /// Of `marker`: the suffix of markers, or the name of one for its folder.
    pub marker: String,
    /// Looks without a change before an object counts as settled; none: by file system.
    pub settle_looks: Option<u32>,
    /// Time between looks; none: by file system.
    pub settle_interval: Option<Duration>,
    /// Time that must have passed since an object was first seen as it is.
    pub min_age: Duration,
    /// Globs of keys, one of which must fit; empty: all do.
    pub include: Vec<String>,
    /// Globs of keys, none of which may fit.
    pub exclude: Vec<String>,
    /// `NAME.reelmill.json` may set options of the task.
    pub sidecars: bool,
    /// Subtitles beside a film belong to it.
    pub subtitles: bool,
    /// Which files are one media together.
    pub groups: Vec<Grouping>,
    /// Pictures a second of sequences.
    pub sequence_fps: f64,
}

/// The storage of the section at `path`; relative paths begin at `folder`. None: of a kind that there is not, or without
/// what every storage needs.
pub(super) fn resolve(findings: &mut Findings, path: &str, section: &StorageSection, folder: &Path) -> Option<Storage> {
    resolve_with(findings, path, section, folder, None)
}

/// The same with what was given instead of files.
pub(super) fn resolve_with(
    findings: &mut Findings,
    path: &str,
    section: &StorageSection,
    folder: &Path,
    given: Option<Given>,
) -> Option<Storage> {
    let place = match section.kind.as_str() {
        "folder" => Place::Folder(folder_place(findings, path, section, folder)),
        "s3" => Place::Bucket(Box::new(bucket::resolve(findings, path, section, folder, given)?)),
        other => {
            let why = format!(
                "{other:?} is no kind of storage; {}",
                reader::meant(other, &["folder", "s3"])
            );
            findings.error(format!("{path}.kind"), why);
            return None;
        }
    };
    let poll_interval = interval(
        findings,
        &format!("{path}.poll_interval_s"),
        section.poll_interval_s,
        0.5,
    );
    Some(Storage {
        name: section.name.clone(),
        place,
        watch: section.watch,
        arriving: arriving(findings, path, section),
        poll_interval,
        others_within: Vec::new(),
    })
}

fn folder_place(findings: &mut Findings, path: &str, section: &StorageSection, folder: &Path) -> FolderPlace {
    let of_buckets = [
        ("endpoint", !section.endpoint.is_empty()),
        ("bucket", !section.bucket.is_empty()),
        ("access_key_file", !section.access_key_file.is_empty()),
        ("secret_key_file", !section.secret_key_file.is_empty()),
        ("session_token_file", !section.session_token_file.is_empty()),
        ("tls_ca_file", !section.tls_ca_file.is_empty()),
        ("path_style", section.path_style),
        ("storage_class", !section.storage_class.is_empty()),
        ("acl", !section.acl.is_empty()),
        ("sse", !section.sse.is_empty()),
        ("sse_kms_key", !section.sse_kms_key.is_empty()),
        ("cache_control", !section.cache_control.is_empty()),
        ("notify_secret_file", !section.notify_secret_file.is_empty()),
        ("notify_confirm_urls", !section.notify_confirm_urls.is_empty()),
        ("monotonic_prefixes", !section.monotonic_prefixes.is_empty()),
    ];
    for (key, _) in of_buckets.into_iter().filter(|(_, set)| *set) {
        findings.error(format!("{path}.{key}"), "is for storages of kind \"s3\"");
    }
    if section.path.is_empty() {
        findings.error(format!("{path}.path"), "is missing: the folder of the storage");
    }
    let mut mode = |key: &str, text: &str| {
        if text.is_empty() {
            return None;
        }
        let bits = u32::from_str_radix(text, 8).ok().filter(|bits| *bits <= 0o7777);
        if bits.is_none() {
            findings.error(
                format!("{path}.{key}"),
                format!("{text:?} are no permission bits; write them in octal, as \"0664\""),
            );
        }
        bits
    };
    let file_mode = mode("file_mode", &section.file_mode);
    let folder_mode = mode("folder_mode", &section.folder_mode);
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    FolderPlace {
        path: folder.join(&section.path),
        sentinel: said(&section.sentinel),
        file_mode,
        folder_mode,
        file_group: said(&section.file_group),
    }
}

fn arriving(findings: &mut Findings, path: &str, section: &StorageSection) -> Arriving {
    if section.settle_looks > 100 {
        findings.error(
            format!("{path}.settle_looks"),
            format!("{} is out of range, 0 to 100", section.settle_looks),
        );
    }
    if !(0.0..=604_800.0).contains(&section.min_age_s) {
        findings.error(
            format!("{path}.min_age_s"),
            format!("{} is out of range, 0 to 604800", section.min_age_s),
        );
    }
    if !(0.1..=1_000.0).contains(&section.sequence_fps) {
        findings.error(
            format!("{path}.sequence_fps"),
            format!("{} is out of range, 0.1 to 1000", section.sequence_fps),
        );
    }
    match (section.ready, section.marker.as_str()) {
        (_, "") => {}
        (Ready::Marker, marker) => {
            if let Err(why) = Marker::parse(marker) {
                findings.error(format!("{path}.marker"), why);
            }
        }
        _ => findings.error(format!("{path}.marker"), "is for ready = \"marker\""),
    }
    for (key, patterns) in [("include", &section.include), ("exclude", &section.exclude)] {
        let rules = NameRules::new(NameOptions {
            exclude: patterns.clone(),
            ..NameOptions::default()
        });
        if let Err(why) = rules {
            findings.error(format!("{path}.{key}"), why);
        }
    }
    let settle_interval = interval(
        findings,
        &format!("{path}.settle_interval_s"),
        section.settle_interval_s,
        0.1,
    );
    Arriving {
        ready: section.ready,
        marker: section.marker.clone(),
        settle_looks: (section.settle_looks > 0).then_some(section.settle_looks),
        settle_interval,
        min_age: Duration::try_from_secs_f64(section.min_age_s).unwrap_or_default(),
        include: section.include.clone(),
        exclude: section.exclude.clone(),
        sidecars: section.sidecars,
        subtitles: section.subtitles,
        groups: section.groups.clone(),
        sequence_fps: section.sequence_fps,
    }
}

fn interval(findings: &mut Findings, path: &str, seconds: f64, shortest: f64) -> Option<Duration> {
    if seconds == 0.0 {
        return None;
    }
    if !(shortest..=86_400.0).contains(&seconds) {
        findings.error(
            path,
            format!("{seconds} is out of range, 0 (by file system) or {shortest} to 86400"),
        );
        return None;
    }
    Some(Duration::from_secs_f64(seconds))
}
