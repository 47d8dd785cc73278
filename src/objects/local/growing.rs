//! Files of a folder storage that grow, and what else a library needs of a folder besides publishing.
//!
//! Guarantees: a file that grows is cut to the offset that was agreed on before anything is added, so bytes nobody
//! answered for are never part of it; an empty folder is removed only beneath the one its caller names. Deliberately
//! absent: what the files are.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::directory::beneath;
use crate::objects::local::Folder;
use crate::objects::local::Kind;
use crate::objects::local::Making;
use crate::objects::refusal::Access;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use std::fs::File;
use std::io;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;

impl Folder {
    /// Opens the file `key` to go on at `offset`, made with its folders when `offset` is 0 and it is not there. What
    /// lies beyond the offset is cut off.
    ///
    /// # Errors
    /// `UploadLost` when the file is shorter than the offset, else what the storage says.
    pub fn grow(&self, key: &str, offset: u64) -> Result<File, Fault> {
        let (parent, leaf) = self.parent(key, "write", Making::Lasting)?;
        let open = || -> io::Result<(File, u64)> {
            let create = if offset == 0 { OFlags::CREATE } else { OFlags::empty() };
            let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | create;
            let file = File::from(rustix::fs::openat(
                &parent,
                leaf.as_slice(),
                flags,
                Mode::from_raw_mode(0o666),
            )?);
            let size_bytes = file.metadata()?.len();
            if offset == 0 && size_bytes == 0 {
                self.rights.fit_file(&file)?;
            }
            Ok((file, size_bytes))
        };
        let lost = |there: u64| {
            Fault::new(
                "UploadLost",
                Blame::Host,
                "go on with",
                self.subject(key),
                format!("only {there} of the {offset} bytes that came are there"),
                "Ask how many bytes are there and send the rest; look whether something else cleans the storage.",
            )
        };
        let (file, size_bytes) = match open() {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound && offset > 0 => return Err(lost(0)),
            Err(error) => return Err(self.refused(Access::Write, "write", key, &error)),
        };
        if size_bytes < offset {
            return Err(lost(size_bytes));
        }
        let cut = || -> io::Result<()> {
            if size_bytes > offset {
                file.set_len(offset)?;
            }
            (&file).seek(SeekFrom::Start(offset)).map(|_| ())
        };
        match cut() {
            Ok(()) => Ok(file),
            Err(error) => Err(self.refused(Access::Write, "write", key, &error)),
        }
    }

    /// Adds `bytes` to the end of the file `key` (made with its folders when it is not there) and syncs it. One call
    /// is one write, so lines of several writers stay whole on a local file system.
    pub fn append(&self, key: &str, bytes: &[u8]) -> Result<(), Fault> {
        let (parent, leaf) = self.parent(key, "append", Making::Lasting)?;
        let append = || -> io::Result<()> {
            let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mode = Mode::from_raw_mode(0o666);
            let mut file = File::from(rustix::fs::openat(&parent, leaf.as_slice(), flags, mode)?);
            if file.metadata()?.len() == 0 {
                self.rights.fit_file(&file)?;
            }
            file.write_all(bytes)?;
            rustix::fs::fsync(&file)?;
            Ok(())
        };
        append().map_err(|error| self.refused(Access::Write, "append", key, &error))
    }

    /// Bytes that may still be written; none where the file system cannot be asked.
    pub fn free_bytes(&self) -> Result<Option<u64>, Fault> {
        let root = self.open_root("look at", "")?;
        let free = rustix::fs::fstatvfs(&root).map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
        // Some network file systems say that they have no room at all, and take files all the same.
        Ok(free.ok().filter(|free| *free > 0))
    }

    /// Whether both keys are names of one and the same file.
    pub fn same_file(&self, one: &str, other: &str) -> Result<bool, Fault> {
        let root = self.open_root("stat", one)?;
        let identity = |key: &str| -> Result<Option<(u64, u64)>, Fault> {
            let path = self.path(key, "stat")?;
            let stat = beneath(&root, &path, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())
                .and_then(|file| Ok(rustix::fs::fstat(file)?));
            match stat {
                Ok(stat) => Ok(Some((stat.st_dev, stat.st_ino))),
                Err(error) if crate::objects::directory::is_absent(&error) => Ok(None),
                Err(error) => Err(self.refused(Access::Read, "stat", key, &error)),
            }
        };
        let (one, other) = (identity(one)?, identity(other)?);
        Ok(one.is_some() && one == other)
    }

    /// Removes the file `key` and the folders above it that are empty then, up to but not including the folder
    /// `keep` (empty: the root). A key outside of `keep` loses no folder. Says whether the file was there.
    pub fn remove_with_folders(&self, key: &str, keep: &str) -> Result<bool, Fault> {
        let there = self.stat(key)?.is_some();
        self.remove(key)?;
        let keep = keep.trim_end_matches('/');
        let mut folder = key;
        while let Some((above, _)) = folder.rsplit_once('/') {
            let within = keep.is_empty() || above.strip_prefix(keep).is_some_and(|rest| rest.starts_with('/'));
            if !within || !self.remove_empty_folder(above)? {
                break;
            }
            folder = above;
        }
        Ok(there)
    }

    /// Whether a file, not a folder or a device, stands under `key`.
    pub fn is_file(&self, key: &str) -> Result<bool, Fault> {
        Ok(self.stat(key)?.is_some_and(|stat| stat.kind == Kind::File))
    }

    /// Gives a file that was opened by [`grow`](Folder::grow) to the disk: what was written survives a power cut.
    pub fn sync_file(&self, key: &str, file: &File) -> Result<(), Fault> {
        rustix::fs::fsync(file).map_err(|error| self.refused(Access::Write, "sync", key, &error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::Folder;
    use std::io::Write;

    fn folder() -> (tempfile::TempDir, Folder) {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::new("nas", root.path());
        (root, folder)
    }

    #[test]
    fn a_file_goes_on_at_the_agreed_offset_and_nowhere_else() {
        let (root, folder) = folder();
        let mut file = folder.grow("a/b", 0).expect("made");
        file.write_all(b"0123456789").expect("written");
        drop(file);
        // Six bytes were answered for; the rest is cut off.
        let mut file = folder.grow("a/b", 6).expect("opened");
        file.write_all(b"xy").expect("written");
        assert_eq!(std::fs::read(root.path().join("a/b")).expect("there"), b"012345xy");
        assert_eq!(folder.grow("a/b", 9).expect_err("too short").code, "UploadLost");
        assert_eq!(folder.grow("a/none", 1).expect_err("not there").code, "UploadLost");
        assert!(!root.path().join("a/none").exists());
    }

    #[test]
    fn lines_are_added_and_folders_made() {
        let (root, folder) = folder();
        folder.append("archive/day.jsonl", b"1\n").expect("appended");
        folder.append("archive/day.jsonl", b"2\n").expect("appended");
        assert_eq!(
            std::fs::read(root.path().join("archive/day.jsonl")).expect("there"),
            b"1\n2\n"
        );
    }

    #[test]
    fn only_empty_folders_beneath_the_kept_one_go_with_a_file() {
        let (root, folder) = folder();
        for key in ["in/a/b/one", "in/a/two", "in/c/three"] {
            folder.append(key, b"x").expect("written");
        }
        assert!(folder.remove_with_folders("in/a/b/one", "in/").expect("removed"));
        assert!(!root.path().join("in/a/b").exists() && root.path().join("in/a/two").exists());
        folder.remove_with_folders("in/a/two", "in").expect("removed");
        assert!(!root.path().join("in/a").exists() && root.path().join("in").exists());
        // Outside of the folder that is kept nothing but the file goes.
        folder.remove_with_folders("in/c/three", "elsewhere/").expect("removed");
        assert!(root.path().join("in/c").exists());
        assert!(!folder.remove_with_folders("in/none", "").expect("fine"));
    }

    #[test]
    fn free_space_and_same_files_are_told() {
        let (_root, folder) = folder();
        for key in ["a", "b"] {
            folder.append(key, b"x").expect("written");
        }
        assert!(folder.same_file("b", "b").expect("asked") && !folder.same_file("b", "a").expect("asked"));
        assert!(folder.free_bytes().expect("asked").is_some());
    }
}
