//! What lies in a folder storage: the whole of it in portions, or single objects.
//!
//! Guarantees: symbolic links are never followed (what one points to inside the storage is met under its own name);
//! ignored names are passed over without looking into them; a scan says when it could not see everything, so that
//! nobody takes the unseen for gone. Deliberately absent: memory of earlier scans, and waiting.

use crate::objects::ignored;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

/// One object as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its key, in text form.
    pub key: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// When its name, content or attributes last changed, by the file server's clock.
    pub ctime_ns: i64,
}

/// What stands under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// An object.
    Object(Found),
    /// A folder, whose content is to be scanned.
    Folder,
    /// Nothing, or nothing that could be an object.
    Nothing,
}

/// A walk through a storage, or through a folder of it.
pub struct Scan {
    root: PathBuf,
    others_within: Vec<PathBuf>,
    walk: walkdir::IntoIter,
    unseen: Option<String>,
    entries: u64,
    done: bool,
}

impl Scan {
    /// Begins at the folder `from` (a key in text form, empty: the whole storage). Folders of `others_within`,
    /// relative to the root, belong to other storages and are passed over.
    pub fn begin(root: &Path, from: &str, others_within: &[PathBuf]) -> Self {
        let start = if from.is_empty() {
            root.to_owned()
        } else {
            path_of(root, from)
        };
        Scan {
            root: root.to_owned(),
            others_within: others_within.to_vec(),
            walk: walkdir::WalkDir::new(start)
                .follow_links(false)
                .follow_root_links(from.is_empty())
                .into_iter(),
            unseen: None,
            entries: 0,
            done: false,
        }
    }

    /// The next objects: at most `limit`, and what can be had within `time`. Blocks as the storage does.
    pub fn portion(&mut self, limit: usize, time: Duration) -> Vec<Found> {
        let began = Instant::now();
        let mut found = Vec::new();
        while found.len() < limit && began.elapsed() < time {
            let Some(entry) = self.walk.next() else {
                self.done = true;
                break;
            };
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let vanished = error
                        .io_error()
                        .is_some_and(|io| io.kind() == std::io::ErrorKind::NotFound);
                    if !vanished || error.depth() == 0 {
                        self.unseen.get_or_insert_with(|| error.to_string());
                    }
                    continue;
                }
            };
            if entry.depth() == 0 {
                continue;
            }
            self.entries += 1;
            let Ok(relative) = entry.path().strip_prefix(&self.root) else {
                continue;
            };
            let folder = entry.file_type().is_dir();
            let ignored = ignored::why_name(&key_text(entry.file_name().as_bytes())).is_some();
            if ignored || (folder && self.others_within.iter().any(|other| other == relative)) {
                if folder {
                    self.walk.skip_current_dir();
                }
                continue;
            }
            if !entry.file_type().is_file() {
                continue;
            }
            match std::fs::symlink_metadata(entry.path()) {
                Ok(metadata) if metadata.is_file() => found.push(object(relative, &metadata)),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    self.unseen
                        .get_or_insert_with(|| format!("{}: {error}", entry.path().display()));
                }
            }
        }
        found
    }

    /// There is nothing more.
    pub fn done(&self) -> bool {
        self.done
    }

    /// Why something was not seen; none: everything was.
    pub fn unseen(&self) -> Option<&str> {
        self.unseen.as_deref()
    }

    /// Names met so far, ignored ones and folders too.
    pub fn entries(&self) -> u64 {
        self.entries
    }
}

/// What stands under a key now. Blocks as the storage does.
///
/// # Errors
/// Those of lstat(2), but for "no such file", which is [`Look::Nothing`].
pub fn look(root: &Path, key: &str) -> std::io::Result<Look> {
    match std::fs::symlink_metadata(path_of(root, key)) {
        Ok(metadata) if metadata.is_file() => Ok(Look::Object(Found {
            key: key.to_owned(),
            ..object(Path::new(""), &metadata)
        })),
        Ok(metadata) if metadata.is_dir() => Ok(Look::Folder),
        Ok(_) => Ok(Look::Nothing),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Look::Nothing)
        }
        Err(error) => Err(error),
    }
}

/// The key of a path beneath the root; none: it is not beneath it, is ignored, or belongs to another storage.
pub fn key_of(root: &Path, others_within: &[PathBuf], path: &Path) -> Option<String> {
    let relative = path.strip_prefix(root).ok()?;
    if relative.as_os_str().is_empty() || others_within.iter().any(|other| relative.starts_with(other)) {
        return None;
    }
    let key = key_text(relative.as_os_str().as_bytes());
    ignored::why(&key).is_none().then_some(key)
}

fn path_of(root: &Path, key: &str) -> PathBuf {
    root.join(OsStr::from_bytes(&key_bytes(key)))
}

fn object(relative: &Path, metadata: &Metadata) -> Found {
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    Found {
        key: key_text(relative.as_os_str().as_bytes()),
        size_bytes: metadata.len(),
        mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
    }
}

#[cfg(test)]
mod tests {
    use super::Look;
    use super::Scan;
    use super::key_of;
    use super::look;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::path::PathBuf;
    use std::time::Duration;

    fn keys(root: &Path, others: &[PathBuf], limit: usize) -> Vec<String> {
        let mut scan = Scan::begin(root, "", others);
        let mut keys = Vec::new();
        while !scan.done() {
            keys.extend(
                scan.portion(limit, Duration::from_secs(60))
                    .into_iter()
                    .map(|found| found.key),
            );
        }
        assert_eq!(scan.unseen(), None);
        keys.sort();
        keys
    }

    #[test]
    fn finds_every_object_once_whatever_its_name_and_follows_no_link() {
        let folder = tempfile::tempdir().expect("temp dir");
        let root = folder.path();
        let names: [&[u8]; 6] = [
            b"caf\xe9.mov",
            "cafe\u{301}.mov".as_bytes(),
            b"a 'b' \"c\".mp4",
            b"line\nbreak",
            b"100%E9.mp4",
            b"-rf",
        ];
        std::fs::create_dir_all(root.join("deep/er")).expect("folders");
        for name in names {
            std::fs::write(root.join("deep/er").join(OsStr::from_bytes(name)), "x").expect("file");
        }
        std::fs::create_dir_all(root.join(".reelmill/1")).expect("folders");
        std::fs::create_dir_all(root.join("other")).expect("folders");
        for ignored in [".reelmill/1/a.mp4", "other/b.mp4", "c.mp4.part", ".hidden"] {
            std::fs::write(root.join(ignored), "x").expect("file");
        }
        std::os::unix::fs::symlink("/etc", root.join("etc")).expect("link");
        std::os::unix::fs::symlink("deep", root.join("loop")).expect("link");
        std::os::unix::fs::symlink("/etc/hostname", root.join("passwd.mp4")).expect("link");
        let others = [PathBuf::from("other")];
        let found = keys(root, &others, 2);
        assert_eq!(
            found,
            [
                "deep/er/-rf",
                "deep/er/100%25E9.mp4",
                "deep/er/a 'b' \"c\".mp4",
                "deep/er/caf%E9.mov",
                "deep/er/cafe\u{301}.mov",
                "deep/er/line\nbreak"
            ]
        );
        for key in &found {
            assert!(
                matches!(look(root, key), Ok(Look::Object(object)) if object.key == *key),
                "{key}"
            );
        }
        assert_eq!(look(root, "passwd.mp4").expect("lstat"), Look::Nothing);
        assert_eq!(look(root, "gone").expect("lstat"), Look::Nothing);
        assert_eq!(look(root, "deep").expect("lstat"), Look::Folder);
        assert_eq!(
            key_of(root, &others, &root.join("deep/a.mp4")).as_deref(),
            Some("deep/a.mp4")
        );
        assert_eq!(key_of(root, &others, &root.join("other/b.mp4")), None);
        assert_eq!(key_of(root, &others, &root.join(".reelmill/x")), None);
        assert_eq!(key_of(root, &others, Path::new("/elsewhere")), None);
    }

    #[test]
    fn a_root_that_is_gone_is_not_an_empty_one() {
        let mut scan = Scan::begin(Path::new("/no/such/root"), "", &[]);
        assert!(scan.portion(10, Duration::from_secs(60)).is_empty());
        assert!(scan.unseen().is_some());
    }
}
