//! What stands under single keys of a folder storage.
//!
//! Guarantees: symbolic links are never followed (what one points to inside the storage is met under its own name).
//! Deliberately absent: going through a whole storage (`crawl`), memory, and waiting.

use crate::objects::directory::beneath;
use crate::objects::ignored;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

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

/// What stands under a key now. Blocks as the storage does.
///
/// # Errors
/// Those of lstat(2), but for "no such file", which is [`Look::Nothing`].
pub fn look(root: &Path, key: &str) -> std::io::Result<Look> {
    let metadata = match std::fs::symlink_metadata(path_of(root, key)) {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidFilename => long_metadata(root, key),
        other => other,
    };
    match metadata {
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

/// The same of a path that is longer than the kernel takes at once.
fn long_metadata(root: &Path, key: &str) -> std::io::Result<Metadata> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(root, flags, Mode::empty())?;
    let found = beneath(&root, &key_bytes(key), OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())?;
    std::fs::File::from(found).metadata()
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
    use super::key_of;
    use super::look;
    use std::path::Path;
    use std::path::PathBuf;

    #[test]
    fn objects_folders_and_everything_else_are_told_apart() {
        let folder = tempfile::tempdir().expect("temp dir");
        let root = folder.path();
        std::fs::create_dir(root.join("deep")).expect("folder");
        std::fs::write(root.join("deep/a.mp4"), "x").expect("file");
        std::os::unix::fs::symlink("/etc/hostname", root.join("passwd.mp4")).expect("link");
        assert!(matches!(look(root, "deep/a.mp4"), Ok(Look::Object(object)) if object.key == "deep/a.mp4"));
        assert_eq!(look(root, "passwd.mp4").expect("lstat"), Look::Nothing);
        assert_eq!(look(root, "gone").expect("lstat"), Look::Nothing);
        assert_eq!(look(root, "deep/a.mp4/b").expect("lstat"), Look::Nothing);
        assert_eq!(look(root, "deep").expect("lstat"), Look::Folder);
        let others = [PathBuf::from("other")];
        let of = |path: &str| key_of(root, &others, &root.join(path));
        assert_eq!(of("deep/a.mp4").as_deref(), Some("deep/a.mp4"));
        assert_eq!(of("other/b.mp4"), None);
        assert_eq!(of(".reelmill/x"), None);
        assert_eq!(key_of(root, &others, Path::new("/elsewhere")), None);
    }
}
