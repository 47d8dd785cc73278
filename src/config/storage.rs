//! One `[[storage]]` section, checked.
//!
//! Guarantees: every contradiction is found, not only the first; what a later version will have is told apart from what
//! is wrong. Deliberately absent: where storages lie among each other (`layout`), and whether the folder is there.

use crate::base::reader;
use crate::config::file::StorageSection;
use crate::config::resolved::Findings;
use crate::config::resolved::Storage;
use std::path::Path;
use std::time::Duration;

/// The storage of the section at `path`; relative paths begin at `folder`. None: of a kind that there is not.
pub(super) fn resolve(findings: &mut Findings, path: &str, section: &StorageSection, folder: &Path) -> Option<Storage> {
    match section.kind.as_str() {
        "folder" => {}
        "s3" => {
            findings.error(
                format!("{path}.kind"),
                "storages of kind \"s3\" come with a later version of reelmill; this one has \"folder\"",
            );
            return None;
        }
        other => {
            let why = format!(
                "{other:?} is no kind of storage; {}",
                reader::meant(other, &["folder", "s3"])
            );
            findings.error(format!("{path}.kind"), why);
            return None;
        }
    }
    let of_s3 = [
        ("endpoint", !section.endpoint.is_empty()),
        ("region", !section.region.is_empty()),
        ("bucket", !section.bucket.is_empty()),
        ("access_key_file", !section.access_key_file.is_empty()),
        ("secret_key_file", !section.secret_key_file.is_empty()),
        ("path_style", section.path_style),
    ];
    for (key, _) in of_s3.into_iter().filter(|(_, set)| *set) {
        findings.error(format!("{path}.{key}"), "is for storages of kind \"s3\"");
    }
    if section.path.is_empty() {
        findings.error(format!("{path}.path"), "is missing: the folder of the storage");
    }
    match section.ready.as_str() {
        "stable" => {}
        "rename" | "marker" | "checksum" => {
            let why = format!(
                "{:?} comes with a later version of reelmill; this one has \"stable\"",
                section.ready
            );
            findings.error(format!("{path}.ready"), why);
        }
        other => findings.error(format!("{path}.ready"), format!("{other:?} is not \"stable\"")),
    }
    if section.sidecars {
        findings.error(
            format!("{path}.sidecars"),
            "sidecar files come with a later version of reelmill",
        );
    }
    if section.settle_looks > 100 {
        findings.error(
            format!("{path}.settle_looks"),
            format!("{} is out of range, 0 to 100", section.settle_looks),
        );
    }
    let mut interval = |key: &str, seconds: f64, shortest: f64| {
        if seconds == 0.0 {
            return None;
        }
        if !(shortest..=86_400.0).contains(&seconds) {
            findings.error(
                format!("{path}.{key}"),
                format!("{seconds} is out of range, 0 (by file system) or {shortest} to 86400"),
            );
            return None;
        }
        Some(Duration::from_secs_f64(seconds))
    };
    Some(Storage {
        name: section.name.clone(),
        path: folder.join(&section.path),
        watch: section.watch,
        settle_looks: (section.settle_looks > 0).then_some(section.settle_looks),
        settle_interval: interval("settle_interval_s", section.settle_interval_s, 0.1),
        poll_interval: interval("poll_interval_s", section.poll_interval_s, 0.5),
        others_within: Vec::new(),
    })
}
