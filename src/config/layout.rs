//! Which directories may lie where.
//!
//! Guarantees: the database and scratch never lie inside a storage (they would be processed and served) nor a storage
//! inside them; one folder is one storage; a share that hangs is waited for a few seconds, not for ever. A storage inside another is allowed: what lies in it belongs to it alone.
//! Deliberately absent: permissions and free space, which `reelmill check` looks at.

use crate::base::reader::Wrong;
use crate::config::resolved::Findings;
use crate::config::resolved::Server;
use crate::config::storage::Place;
use crate::config::storage::Storage;
use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

/// Longest that storages are waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The storages, each with the folders of others within it.
pub(super) fn check(findings: &mut Findings, server: &Server, mut storages: Vec<Storage>) -> Vec<Storage> {
    // A bucket lies in no folder.
    let paths = storages.iter().map(|storage| storage.path().map(Path::to_owned));
    let (folders, stand): (Vec<_>, Vec<_>) = look_at(paths.collect())
        .into_iter()
        .map(|seen| seen.map_or((None, None), |seen| (Some(seen.real), seen.stands)))
        .unzip();
    for (at, ((storage, folder), stands)) in storages.iter().zip(&folders).zip(stand).enumerate() {
        let (Some(shown), Some(folder)) = (storage.path(), folder) else {
            continue;
        };
        let path = format!("storage[{at}].path");
        if folder == Path::new("/") {
            findings.error(&path, "the root of the host cannot be a storage");
        }
        for (key, own) in own_folders(server) {
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
        match stands {
            None => findings.warning(
                &path,
                format!(
                    "{} did not answer within {} s; the storage waits until it does (does its server?)",
                    shown.display(),
                    ANSWER_WITHIN.as_secs()
                ),
            ),
            Some(Ok(true)) => {}
            Some(Ok(false)) => findings.error(&path, format!("{} is no folder", shown.display())),
            Some(Err(error)) => findings.warning(
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
    set_within(&mut storages, &folders);
    storages
}

/// Says of each storage which folders of others lie within it.
fn set_within(storages: &mut [Storage], folders: &[Option<PathBuf>]) {
    for (at, storage) in storages.iter_mut().enumerate() {
        let Some(own) = &folders[at] else { continue };
        let within = folders.iter().enumerate().filter(|(other, _)| *other != at);
        storage.others_within = within
            .filter_map(|(_, other)| other.as_ref()?.strip_prefix(own).ok())
            .filter(|rest| !rest.as_os_str().is_empty())
            .map(Path::to_owned)
            .collect();
    }
}

/// What is wrong with storages, by name.
type Refused = Vec<(String, Vec<Wrong>)>;

/// Puts storages that were made beside the `fixed` first ones, which are right: they lie beneath one of `roots`, and
/// nowhere where a storage must not. Answers those that can be used and what is wrong with the others. One that does not
/// answer is taken as it is written: it was looked at when it was made.
pub(super) fn place(
    server: &Server,
    storages: Vec<Storage>,
    fixed: usize,
    roots: &[PathBuf],
) -> (Vec<Storage>, Vec<Nested>, Refused) {
    let paths = storages.iter().map(|storage| storage.path().map(Path::to_owned));
    let all = paths.chain(roots.iter().map(|root| Some(root.clone())));
    let mut seen = look_at(all.collect());
    let roots: Vec<PathBuf> = seen
        .split_off(storages.len())
        .into_iter()
        .flatten()
        .map(|seen| seen.real)
        .collect();
    let (mut placed, mut folders, mut refused): (Vec<Storage>, Vec<Option<PathBuf>>, Refused) = Default::default();
    for (at, (mut storage, seen)) in storages.into_iter().zip(seen).enumerate() {
        let Some(Seen { real, stands }) = seen else {
            folders.push(None);
            placed.push(storage);
            continue;
        };
        let taken = || {
            let same = folders.iter().position(|folder| folder.as_ref() == Some(&real))?;
            placed.get(same).map(|other: &Storage| other.name.clone())
        };
        let why = match stands {
            _ if at < fixed => None,
            None => None,
            Some(Ok(false)) => Some(format!("{} is no folder", real.display())),
            _ if !roots.iter().any(|root| real.starts_with(root)) => Some(format!(
                "{} lies beneath none of security.storage_roots ({}); choose another folder, or add one there",
                real.display(),
                shown(&roots)
            )),
            _ => clash(server, &real)
                .or_else(|| taken().map(|other| format!("{} is the storage {other:?} already", real.display()))),
        };
        match why {
            Some(why) => refused.push((storage.name, vec![Wrong::at("path", why)])),
            None => {
                if let (true, Place::Folder(folder)) = (at >= fixed, &mut storage.place) {
                    folder.path.clone_from(&real);
                }
                folders.push(Some(real));
                placed.push(storage);
            }
        }
    }
    set_within(&mut placed, &folders);
    let mut nested = Vec::new();
    for (outer, around) in folders.iter().enumerate() {
        for (inner, within) in folders.iter().enumerate() {
            let (Some(around), Some(within)) = (around, within) else {
                continue;
            };
            match within.strip_prefix(around) {
                Ok(folder) if !folder.as_os_str().is_empty() => nested.push(Nested {
                    outer: placed[outer].name.clone(),
                    inner: placed[inner].name.clone(),
                    folder: folder.to_owned(),
                }),
                _ => {}
            }
        }
    }
    (placed, nested, refused)
}

/// A storage that lies within another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested {
    /// The one around it.
    pub outer: String,
    /// The one within.
    pub inner: String,
    /// Where, relative to the outer one.
    pub folder: PathBuf,
}

/// The daemon's own folders, each with its key.
fn own_folders(server: &Server) -> [(&'static str, &PathBuf); 2] {
    [
        ("server.state_dir", &server.state_dir),
        ("server.scratch_dir", &server.scratch_dir),
    ]
}

fn clash(server: &Server, folder: &Path) -> Option<String> {
    own_folders(server).into_iter().find_map(|(key, own)| {
        let own = canonical(own);
        (own.starts_with(folder) || folder.starts_with(&own)).then(|| {
            format!(
                "{} and {key}, {}, lie within one another; keep storages apart from it",
                folder.display(),
                own.display()
            )
        })
    })
}

fn shown(roots: &[PathBuf]) -> String {
    match roots {
        [] => "there are none".to_owned(),
        roots => {
            let roots: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
            roots.join(", ")
        }
    }
}

/// A folder as it was found.
struct Seen {
    /// Without links; as written where it did not answer.
    real: PathBuf,
    /// Whether it is a folder, or why that cannot be said; none: it did not answer.
    stands: Option<std::io::Result<bool>>,
}

/// Looks at all of them at once, for so long: a daemon starts though one of its shares hangs.
fn look_at(paths: Vec<Option<PathBuf>>) -> Vec<Option<Seen>> {
    let until = Instant::now() + ANSWER_WITHIN;
    let begun = paths.into_iter().map(|path| {
        let path = path?;
        let (tell, told) = mpsc::channel();
        let looked = path.clone();
        // Left behind when it hangs: it holds nothing.
        let _ = std::thread::Builder::new().spawn(move || {
            let stands = std::fs::metadata(&looked).map(|metadata| metadata.is_dir());
            let _ = tell.send((canonical(&looked), stands));
        });
        Some((path, told))
    });
    let begun: Vec<_> = begun.collect();
    let seen = begun.into_iter().map(|begun| {
        let (path, told) = begun?;
        let answer = told.recv_timeout(until.saturating_duration_since(Instant::now()));
        Some(match answer {
            Ok((real, stands)) => Seen {
                real,
                stands: Some(stands),
            },
            Err(_) => Seen {
                real: path,
                stands: None,
            },
        })
    });
    seen.collect()
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
