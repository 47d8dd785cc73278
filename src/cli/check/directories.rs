//! The directories of the configuration and the folders of its storages.
//!
//! Guarantees: a share that hangs is reported after a few seconds instead of hanging the check. Deliberately absent:
//! making directories; the daemon does that.

use crate::base::file_system;
use crate::cli::check::finding::Finding;
use crate::config::resolved::Config;
use crate::config::storage::Storage;
use crate::config::storage_section::Watch;
use rustix::fs::Access;
use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

/// How long a storage may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Scratch space below which a ladder of a feature film does not fit.
const ROOMY_BYTES: u64 = 20 << 30;

/// Looks at every directory.
pub fn look(config: &Config, findings: &mut Vec<Finding>) {
    let server = &config.server;
    own(findings, "state_dir", &server.state_dir, true);
    own(findings, "scratch_dir", &server.scratch_dir, false);
    for storage in &config.storages {
        if let Some(path) = storage.path() {
            findings.push(within(storage.clone(), path.to_owned()));
        }
    }
    if config.storages.is_empty() {
        findings.push(Finding::note(
            "storages",
            "no storage is configured",
            "Add a [[storage]] to the configuration; until then nothing can be watched or written.",
        ));
    }
}

/// A directory of our own: there or makeable, writable, on a local disk.
fn own(findings: &mut Vec<Finding>, key: &str, path: &Path, state: bool) {
    let existing = nearest(path);
    if !existing.is_dir() {
        findings.push(Finding::stops(
            key,
            format!(
                "{} cannot be used: {} is not a directory",
                path.display(),
                existing.display()
            ),
            format!("Move that file away, or set server.{key} to a directory on a local disk."),
        ));
        return;
    }
    if let Err(error) = rustix::fs::access(&existing, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        findings.push(Finding::stops(
            key,
            format!("{} is not writable for this user: {error}", existing.display()),
            format!("Give it to the daemon's user, run the check as that user, or set server.{key}."),
        ));
        return;
    }
    match file_system::of(&existing) {
        Ok(found) if found.network && state => findings.push(Finding::stops(
            key,
            format!(
                "{} lies on {}, where SQLite's locks and syncs cannot be trusted",
                path.display(),
                found.name
            ),
            "Set server.state_dir to a directory on a local disk.",
        )),
        Ok(found) if found.network => findings.push(Finding::note(
            key,
            format!(
                "{} lies on {}: every intermediate file crosses the network",
                path.display(),
                found.name
            ),
            "Set server.scratch_dir to a directory on a fast local disk.",
        )),
        Ok(_) => space(findings, key, path, &existing, state),
        Err(error) => findings.push(Finding::stops(
            key,
            format!("statfs of {} failed: {error}", existing.display()),
            format!("Repair the file system, or set server.{key}."),
        )),
    }
}

fn space(findings: &mut Vec<Finding>, key: &str, path: &Path, existing: &Path, state: bool) {
    let free = rustix::fs::statvfs(existing).map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    let made = if existing == path {
        "is writable"
    } else {
        "will be made"
    };
    let detail = format!(
        "{} {made}, {:.1} GiB free",
        path.display(),
        free as f64 / f64::from(1 << 30)
    );
    let enough = if state { 1 << 30 } else { ROOMY_BYTES };
    findings.push(if free >= enough {
        Finding::good(key, detail)
    } else {
        Finding::note(
            key,
            detail,
            format!(
                "Free some space, or set server.{key} to a larger disk: at least {} GiB.",
                enough >> 30
            ),
        )
    });
}

/// The path itself, or what exists nearest above it.
fn nearest(path: &Path) -> PathBuf {
    let existing = path.ancestors().find(|above| above.symlink_metadata().is_ok());
    existing.unwrap_or(Path::new("/")).to_owned()
}

/// What is found of a storage before it counts as hung.
fn within(storage: Storage, path: PathBuf) -> Finding {
    let subject = format!("storage {}", storage.name);
    let looked = path.clone();
    let (tell, told) = mpsc::channel();
    // Left behind when it hangs: the process ends soon and takes it along.
    let asked = std::thread::Builder::new().spawn(move || {
        let _ = tell.send(folder(&storage, &looked));
    });
    if let Err(error) = asked {
        return Finding::broken(
            subject,
            format!("no thread to look at it: {error}"),
            "Raise the limit of threads.",
        );
    }
    told.recv_timeout(ANSWER_WITHIN).unwrap_or_else(|_| {
        Finding::broken(
            subject,
            format!("{} did not answer within {} s", path.display(), ANSWER_WITHIN.as_secs()),
            "See whether its server is up: df on the path hangs as well. The daemon goes on without it.",
        )
    })
}

fn folder(storage: &Storage, path: &Path) -> Finding {
    let subject = format!("storage {}", storage.name);
    let shown = path.display();
    let found = match file_system::of(path) {
        Ok(found) => found,
        Err(error) => {
            return Finding::broken(
                subject,
                format!("{shown} cannot be reached: {error}"),
                "Mount it, or correct its path; the daemon starts without it and takes it up when it is there.",
            );
        }
    };
    if let Err(error) = std::fs::read_dir(path) {
        return Finding::broken(
            subject,
            format!("{shown} cannot be listed: {error}"),
            "Let the daemon's user read and enter the folder.",
        );
    }
    let how = match storage.watch {
        Watch::Off => "not watched",
        Watch::Poll => "watched by scans",
        Watch::Auto if found.network => "watched by scans",
        Watch::Auto | Watch::Inotify => "watched by inotify and scans",
    };
    let writable = rustix::fs::access(path, Access::WRITE_OK).is_ok();
    let detail = format!("{shown} on {}, {how}", found.name);
    if !writable {
        return Finding::note(
            subject,
            format!("{detail}, not writable for this user"),
            "Fine for a source; for outputs let the daemon's user write the folder. A service that may write it all the same needs the drop-in of `reelmill check --unit-paths`.",
        );
    }
    if storage.watch == Watch::Inotify && found.network {
        return Finding::note(
            subject,
            detail,
            "inotify does not see what other hosts write on a share; set watch = \"auto\" or \"poll\".",
        );
    }
    Finding::good(subject, format!("{detail}, writable"))
}

#[cfg(test)]
mod tests {
    use super::own;
    use crate::cli::check::finding::Level;

    #[test]
    fn a_directory_that_can_be_made_is_fine_and_a_file_in_its_place_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut findings = Vec::new();
        own(&mut findings, "state_dir", &folder.path().join("a/b"), true);
        assert_ne!(findings[0].level, Level::Stops);
        std::fs::write(folder.path().join("file"), "").expect("written");
        findings.clear();
        own(&mut findings, "state_dir", &folder.path().join("file/b"), true);
        assert_eq!(findings[0].level, Level::Stops, "{:?}", findings[0]);
    }
}
