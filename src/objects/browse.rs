//! A page of what lies in one folder of a storage, for people who look for a file.
//!
//! Guarantees: however many names a folder has, only a page of them is held in memory and looked at; names come in the
//! order of their text form. Deliberately absent: what lies deeper, and waiting: the calls block as long as the storage
//! does.

use crate::base::fault::Fault;
use crate::objects::directory::beneath;
use crate::objects::directory::is_absent;
use crate::objects::local::Folder;
use crate::objects::local::Kind;
use crate::objects::local::STAGING;
use crate::objects::refusal;
use crate::objects::refusal::Access;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::OwnedFd;

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the folder, in text form.
    pub name: String,
    /// What it is; a link is what it leads to, where that lies in the storage.
    pub kind: Kind,
    /// Bytes of a file.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// Up to `limit` names in the folder `key` (empty: the root) that begin with `start` and come after `after`; a folder
/// that is not there has none. What we stage is not shown.
///
/// # Errors
/// The storage does not answer, or the key is none.
pub fn page(folder: &Folder, key: &str, start: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>, Fault> {
    let subject = || format!("{}:{key}", folder.name());
    let root = rustix::fs::open(
        folder.root(),
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| {
        let cause = format!(
            "the folder {} cannot be opened: {}",
            folder.root().display(),
            refusal::words(error)
        );
        refusal::offline("list", &subject(), cause)
    })?;
    let shown = |name: &str| {
        name.starts_with(start) && after.is_none_or(|after| name > after) && !(key.is_empty() && name == STAGING)
    };
    let names = match first_names(&root, key, shown, limit) {
        Ok(names) => names,
        Err(error) if is_absent(&error) => Vec::new(),
        Err(error) => return Err(refusal::fault(Access::Read, "list", &subject(), &error)),
    };
    let mut entries = Vec::with_capacity(names.len());
    for name in names {
        let whole = if key.is_empty() {
            name.clone()
        } else {
            format!("{key}/{name}")
        };
        match folder.stat(&whole) {
            Ok(Some(stat)) => entries.push(Entry {
                name,
                kind: stat.kind,
                size_bytes: stat.size_bytes,
                mtime_ns: stat.mtime_ns,
            }),
            // Gone since the folder was read.
            Ok(None) => {}
            // A link that leads out of the storage, or something we may not look at.
            Err(_) => entries.push(Entry {
                name,
                kind: Kind::Other,
                size_bytes: 0,
                mtime_ns: 0,
            }),
        }
    }
    Ok(entries)
}

/// The first `limit` names that are `shown`, in order.
fn first_names(root: &OwnedFd, key: &str, shown: impl Fn(&str) -> bool, limit: usize) -> io::Result<Vec<String>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = if key.is_empty() {
        rustix::fs::openat(root, c".", flags, Mode::empty())?
    } else {
        beneath(root, &key_bytes(key), flags, Mode::empty())?
    };
    let mut first = BinaryHeap::with_capacity(limit + 1);
    for entry in rustix::fs::Dir::read_from(&folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let name = key_text(name);
        let wanted = first.len() < limit || first.peek().is_some_and(|last| name < *last);
        if wanted && shown(&name) {
            first.push(name);
            if first.len() > limit {
                first.pop();
            }
        }
    }
    Ok(first.into_sorted_vec())
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::objects::local::Folder;
    use crate::objects::local::Kind;

    #[test]
    fn pages_follow_one_another_in_order() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join(".reelmill/x")).expect("made");
        std::fs::create_dir_all(root.path().join("in/sub")).expect("made");
        for name in ["c", "a", "b", "ab"] {
            std::fs::write(root.path().join("in").join(name), name).expect("written");
        }
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("in/out")).expect("linked");
        let folder = Folder::new("ingest", root.path());
        let names = |key: &str, start: &str, after: Option<&str>, limit: usize| -> Vec<String> {
            let entries = page(&folder, key, start, after, limit).expect("answers");
            entries.into_iter().map(|entry| entry.name).collect()
        };
        assert_eq!(names("", "", None, 10), ["in"], "what is staged is not shown");
        assert_eq!(names("in", "", None, 3), ["a", "ab", "b"]);
        assert_eq!(names("in", "", Some("b"), 10), ["c", "out", "sub"]);
        assert_eq!(names("in", "a", None, 10), ["a", "ab"]);
        assert_eq!(names("in/nowhere", "", None, 10), Vec::<String>::new());
        let entries = page(&folder, "in", "", Some("b"), 10).expect("answers");
        let kinds: Vec<Kind> = entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [Kind::File, Kind::Other, Kind::Folder]);
        assert_eq!(entries[0].size_bytes, 1);
        let gone = Folder::new("ingest", root.path().join("gone"));
        assert!(page(&gone, "", "", None, 1).expect_err("is refused").retryable);
        assert!(!page(&folder, "..", "", None, 1).expect_err("is refused").retryable);
    }
}
