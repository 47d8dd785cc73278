//! Which directories may lie where.
//!
//! Guarantees: the database and scratch never lie inside a storage (they would be processed and served) nor a storage
//! inside them; one folder is one storage. A storage inside another is allowed: what lies in it belongs to it alone.
//! Deliberately absent: permissions and free space, which `reelmill check` looks at.

use crate::config::resolved::Findings;
use crate::config::resolved::Server;
use crate::config::storage::Storage;
use std::path::Path;
use std::path::PathBuf;

/// The storages, each with the folders of others within it.
pub(super) fn check(findings: &mut Findings, server: &Server, mut storages: Vec<Storage>) -> Vec<Storage> {
    // A bucket lies in no folder.
    let folders: Vec<Option<PathBuf>> = storages.iter().map(|storage| storage.path().map(canonical)).collect();
    let own = [
        ("server.state_dir", &server.state_dir),
        ("server.scratch_dir", &server.scratch_dir),
    ];
    for (at, (storage, folder)) in storages.iter().zip(&folders).enumerate() {
        let (Some(shown), Some(folder)) = (storage.path(), folder) else {
            continue;
        };
        let path = format!("storage[{at}].path");
        if folder == Path::new("/") {
            findings.error(&path, "the root of the host cannot be a storage");
        }
        for (key, own) in own {
            let own = canonical(own);
            if own.starts_with(folder) {
                findings.error(
                    key,
                    format!(
                        "{} lies in storage {:?}; keep it outside of every storage",
                        own.display(),
                        storage.name
                    ),
                );
            } else if folder.starts_with(&own) {
                findings.error(
                    &path,
                    format!("{} lies in {key}; keep storages outside of it", folder.display()),
                );
            }
        }
        match std::fs::metadata(shown) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => findings.error(&path, format!("{} is no folder", shown.display())),
            Err(error) => findings.warning(
                &path,
                format!(
                    "{}: {error}; the storage waits until it is there (is the share mounted?)",
                    shown.display()
                ),
            ),
        }
        for (other_at, other) in folders.iter().enumerate().filter(|(other_at, _)| *other_at != at) {
            if other.as_ref() == Some(folder) && other_at < at {
                findings.error(&path, format!("{} is storage[{other_at}] already", folder.display()));
            }
        }
    }
    for (at, storage) in storages.iter_mut().enumerate() {
        let Some(own) = &folders[at] else { continue };
        let within = folders.iter().enumerate().filter(|(other, _)| *other != at);
        storage.others_within = within
            .filter_map(|(_, other)| other.as_ref()?.strip_prefix(own).ok())
            .filter(|rest| !rest.as_os_str().is_empty())
            .map(Path::to_owned)
            .collect();
    }
    storages
}

/// The path without links as far as it exists; the rest as written.
fn canonical(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut present = path;
    loop {
        if let Ok(real) = present.canonicalize() {
            return missing
                .into_iter()
                .rev()
                .fold(real, |path: PathBuf, part: &std::ffi::OsStr| path.join(part));
        }
        let (Some(parent), Some(name)) = (present.parent(), present.file_name()) else {
            return path.to_owned();
        };
        missing.push(name);
        present = parent;
    }
}
