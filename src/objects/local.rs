//! A storage that is a folder: a local directory or the mount point of a NAS.
//!
//! Guarantees: no operation leaves the root, whatever links or `..` its tree or a key holds (the kernel resolves every
//! path beneath the root); the root is opened anew each time, so a remount heals; a name appears only by an atomic
//! rename, never over something else unless asked; what is created is synced, file and folder. Deliberately absent:
//! when to do what, and waiting: every call here may block as long as the storage does.

mod folder_handle;
mod growing;

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::directory::beneath;
use crate::objects::directory::empty_folder;
use crate::objects::directory::is_absent;
use crate::objects::directory::names_in;
use crate::objects::directory::rename_by_link;
use crate::objects::directory::sync_folder;
use crate::objects::pulse::Pulse;
use crate::objects::refusal;
use crate::objects::refusal::Access;
use crate::objects::rights::Rights;
use crate::objects::transfer;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;
use rustix::fs::AtFlags;
use rustix::fs::FallocateFlags;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::RenameFlags;
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// Folder of a storage that holds what is not yet published.
pub const STAGING: &str = ".reelmill";

/// One folder storage.
#[derive(Debug, Clone)]
pub struct Folder {
    name: String,
    root: PathBuf,
    rights: Rights,
}

/// What stands under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// Whether folders missing on the way are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Making {
    None,
    /// And their names synced: they hold what must be there after a power cut.
    Lasting,
    /// But not synced.
    Passing,
}

/// What an object of the file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A device, pipe, socket.
    Other,
}

impl Stat {
    /// What `fstat` says of an open file.
    pub fn of(file: impl std::os::fd::AsFd) -> io::Result<Self> {
        let stat = rustix::fs::fstat(file)?;
        Ok(Stat {
            kind: match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Folder,
                _ => Kind::Other,
            },
            size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
            mtime_ns: (stat.st_mtime as i64)
                .saturating_mul(1_000_000_000)
                .saturating_add(stat.st_mtime_nsec as i64),
        })
    }
}

/// The answer to [`Folder::place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It stands under its name.
    Done,
    /// Something else stood there and was left alone.
    Taken,
}

impl Folder {
    /// The storage `name`, whose objects lie beneath `root`.
    pub fn new(name: impl Into<String>, root: impl Into<PathBuf>) -> Self {
        Folder {
            name: name.into(),
            root: root.into(),
            rights: Rights::default(),
        }
    }

    /// Mode and group of what is made, instead of what the umask and the file system leave.
    pub fn with_rights(mut self, rights: Rights) -> Self {
        self.rights = rights;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it begins.
    pub fn root(&self) -> &std::path::Path {
        &self.root
    }

    /// What stands at `key`, links beneath the root followed; none: nothing does.
    pub fn stat(&self, key: &str) -> Result<Option<Stat>, Fault> {
        let path = self.path(key, "stat")?;
        let root = self.open_root("stat", key)?;
        let answer = beneath(&root, &path, OFlags::PATH, Mode::empty()).and_then(Stat::of);
        match answer {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.refused(Access::Read, "stat", key, &error)),
        }
    }

    /// Opens the file `key`, a source, for reading.
    pub fn open(&self, key: &str) -> Result<(File, Stat), Fault> {
        self.open_for(key, Access::Read)
    }

    fn open_for(&self, key: &str, access: Access) -> Result<(File, Stat), Fault> {
        let path = self.path(key, "open")?;
        let root = self.open_root("open", key)?;
        let open = || -> io::Result<(File, Stat)> {
            // Not waiting for the other end of a pipe somebody put there; it is refused below.
            let file = beneath(&root, &path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
            let stat = Stat::of(&file)?;
            rustix::fs::fcntl_setfl(&file, OFlags::empty())?;
            Ok((File::from(file), stat))
        };
        match open() {
            Ok((file, stat)) if stat.kind == Kind::File => Ok((file, stat)),
            Ok(_) => Err(Fault::new(
                "SourceNotAFile",
                Blame::Source,
                "open",
                self.subject(key),
                "it is not a regular file",
                "Name a file.",
            )),
            // Most mounts that went away leave an empty folder behind: that is no proof that the file was deleted.
            Err(error) if access == Access::Read && is_absent(&error) && self.is_empty(&root) => Err(refusal::offline(
                "open",
                &self.subject(key),
                format!("the folder {} of the storage is empty", self.root.display()),
            )),
            Err(error) => Err(self.refused(access, "open", key, &error)),
        }
    }

    /// Copies all of `from` to `key`, replacing what is there, and syncs it. For names beneath [`STAGING`]: readers
    /// could see it half-written.
    pub fn stage(&self, key: &str, from: &File, pulse: &Pulse) -> Result<(), Fault> {
        // The folders on the way pass with the publish: after a power cut it begins anew, so they are not synced.
        let (parent, leaf) = self.parent(key, "write", Making::Passing)?;
        let stage = || -> io::Result<()> {
            match rustix::fs::unlinkat(&parent, leaf.as_slice(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let to = rustix::fs::openat(&parent, leaf.as_slice(), flags, Mode::from_raw_mode(0o666))?;
            let to = File::from(to);
            let size_bytes = from.metadata()?.len();
            // A disk that cannot hold it says so before an hour of copying; where it cannot be asked, it shows later.
            match rustix::fs::fallocate(&to, FallocateFlags::KEEP_SIZE, 0, size_bytes.max(1)) {
                Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => return Err(error.into()),
                _ => pulse.beat()?,
            }
            let copied = transfer::copy(from, &to, pulse)?;
            if copied != size_bytes {
                return Err(io::Error::other(format!(
                    "only {copied} of {size_bytes} bytes could be read"
                )));
            }
            self.rights.fit_file(&to)?;
            rustix::fs::fsync(&to)?;
            Ok(())
        };
        stage().map_err(|error| self.refused(Access::Write, "write", key, &error))
    }

    /// Size and MD5 of the file `key` as the storage gives it back, not as the page cache remembers it where that
    /// can be helped; none: no file is there.
    pub fn measure(&self, key: &str, pulse: &Pulse) -> Result<Option<(u64, String)>, Fault> {
        match self.stat(key)? {
            Some(stat) if stat.kind == Kind::File => {}
            _ => return Ok(None),
        }
        let (file, _) = self.open_for(key, Access::Write)?;
        // Advice only: a kernel that does not take it costs nothing.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        transfer::measure(&file, pulse)
            .map(Some)
            .map_err(|error| self.refused(Access::Write, "read back", key, &error))
    }

    /// Puts `bytes` at `key` in one step, replacing what is there.
    pub fn write(&self, key: &str, bytes: &[u8]) -> Result<(), Fault> {
        let (parent, leaf) = self.parent(key, "write", Making::Lasting)?;
        let fresh = [leaf.as_slice(), b".new"].concat();
        let write = || -> io::Result<()> {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mut file = File::from(rustix::fs::openat(&parent, &fresh, flags, Mode::from_raw_mode(0o666))?);
            file.write_all(bytes)?;
            self.rights.fit_file(&file)?;
            rustix::fs::fsync(&file)?;
            rustix::fs::renameat(&parent, &fresh, &parent, leaf.as_slice())?;
            sync_folder(&parent)
        };
        write().map_err(|error| self.refused(Access::Write, "write", key, &error))
    }

    /// Renames `staged` to `key` in one step, with the folders it needs. Without `overwrite`, nothing is ever replaced.
    pub fn place(&self, staged: &str, key: &str, overwrite: bool) -> Result<Placed, Fault> {
        let (from, from_leaf) = self.parent(staged, "publish", Making::None)?;
        let (to, to_leaf) = self.parent(key, "publish", Making::Lasting)?;
        let flags = if overwrite {
            RenameFlags::empty()
        } else {
            RenameFlags::NOREPLACE
        };
        let renamed = rustix::fs::renameat_with(&from, from_leaf.as_slice(), &to, to_leaf.as_slice(), flags);
        let renamed = match renamed {
            // NFS, older FUSE and SMB have no such flag: a hard link is refused over an existing name just as well.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !overwrite => {
                rename_by_link(&from, &from_leaf, &to, &to_leaf)
            }
            other => other,
        };
        match renamed {
            Ok(()) => Ok(Placed::Done),
            Err(Errno::EXIST) => Ok(Placed::Taken),
            Err(error) => Err(self.refused(Access::Write, "publish", key, &error.into())),
        }
    }

    /// Makes the names in the folder of `key` survive a power cut.
    pub fn sync_parent(&self, key: &str) -> Result<(), Fault> {
        let (parent, _) = self.parent(key, "sync", Making::None)?;
        sync_folder(&parent).map_err(|error| self.refused(Access::Write, "sync", key, &error))
    }

    /// Removes the file `key`; one that is not there is fine.
    pub fn remove(&self, key: &str) -> Result<(), Fault> {
        self.unlink(key, AtFlags::empty())
    }

    /// Removes the folder `key` when it is empty; says whether it is gone.
    pub fn remove_empty_folder(&self, key: &str) -> Result<bool, Fault> {
        match self.unlink(key, AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            Err(fault) if fault.code == "OutputTaken" => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Removes the folder `key` and everything in it, never following a link.
    pub fn remove_tree(&self, key: &str) -> Result<(), Fault> {
        let path = self.path(key, "remove")?;
        let root = self.open_root("remove", key)?;
        let remove = || -> io::Result<()> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
            match beneath(&root, &path, flags, Mode::empty()) {
                Ok(folder) => empty_folder(&folder),
                Err(error) if is_absent(&error) => Ok(()),
                Err(error) => Err(error),
            }
        };
        remove().map_err(|error| self.refused(Access::Write, "remove", key, &error))?;
        self.remove_empty_folder(key).map(|_| ())
    }

    /// Names in the folder `key` (empty: the root), in their text form, in no order; none are there: empty.
    pub fn list(&self, key: &str) -> Result<Vec<String>, Fault> {
        let root = self.open_root("list", key)?;
        let list = || -> io::Result<Vec<String>> {
            let folder = if key.is_empty() {
                rustix::fs::openat(
                    &root,
                    c".",
                    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
                    Mode::empty(),
                )?
            } else {
                let path = relative_path(key).ok_or(Errno::INVAL)?;
                beneath(&root, &path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?
            };
            names_in(&folder).map(|names| names.iter().map(|name| key_text(name)).collect())
        };
        match list() {
            Ok(names) => Ok(names),
            Err(error) if is_absent(&error) => Ok(Vec::new()),
            Err(error) => Err(self.refused(Access::Read, "list", key, &error)),
        }
    }

    fn unlink(&self, key: &str, flags: AtFlags) -> Result<(), Fault> {
        let (parent, leaf) = match self.parent(key, "remove", Making::None) {
            Ok(found) => found,
            Err(fault) if fault.code == "SourceVanished" => return Ok(()),
            Err(fault) => return Err(fault),
        };
        // Asked first, since a read-only mount refuses to remove even what is not there.
        if rustix::fs::statat(&parent, leaf.as_slice(), AtFlags::SYMLINK_NOFOLLOW).err() == Some(Errno::NOENT) {
            return Ok(());
        }
        match rustix::fs::unlinkat(&parent, leaf.as_slice(), flags) {
            Ok(()) => {
                // A removal that a power cut undoes is done again by whoever asked for it; an empty folder of ours that
                // comes back that way harms nobody.
                let is_passing = flags.contains(AtFlags::REMOVEDIR) && key.split('/').next() == Some(STAGING);
                if !is_passing {
                    let _ = sync_folder(&parent);
                }
                Ok(())
            }
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.refused(Access::Write, "remove", key, &error.into())),
        }
    }

    /// The open folder of `key`, made as `making` says, and the last part of its name.
    fn parent(&self, key: &str, operation: &str, making: Making) -> Result<(OwnedFd, Vec<u8>), Fault> {
        let path = self.path(key, operation)?;
        let root = self.open_root(operation, key)?;
        let (folders, leaf) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (&path[..at], &path[at + 1..]),
            None => (&b""[..], &path[..]),
        };
        let access = if making == Making::None {
            Access::Read
        } else {
            Access::Write
        };
        let opened = if folders.is_empty() {
            Ok(root)
        } else if making == Making::None {
            beneath(&root, folders, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())
        } else {
            self.make_folders(&root, folders, making)
        };
        match opened {
            Ok(folder) => Ok((folder, leaf.to_vec())),
            Err(error) => Err(self.refused(access, operation, key, &error)),
        }
    }

    /// Opens `path` beneath the root, making what is missing. Another attempt may remove an empty folder in between.
    fn make_folders(&self, root: &OwnedFd, path: &[u8], making: Making) -> io::Result<OwnedFd> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.make_folders_once(root, path, making) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 8 => {}
                answer => return answer,
            }
        }
    }

    fn make_folders_once(&self, root: &OwnedFd, path: &[u8], making: Making) -> io::Result<OwnedFd> {
        match beneath(root, path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            answer => return answer,
        }
        let mut parent = root.try_clone()?;
        for (end, _) in path
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
            .chain([(path.len(), &0)])
        {
            let begun = path[..end]
                .iter()
                .rposition(|byte| *byte == b'/')
                .map_or(0, |at| at + 1);
            let mode = self.rights.folder_mode.unwrap_or(0o777);
            match rustix::fs::mkdirat(&parent, &path[begun..end], Mode::from_raw_mode(mode)) {
                Ok(()) => {
                    self.rights.fit_folder(&parent, &path[begun..end])?;
                    if making == Making::Lasting {
                        sync_folder(&parent)?;
                    }
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            parent = beneath(root, &path[..end], OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
        }
        Ok(parent)
    }

    fn open_root(&self, operation: &str, key: &str) -> Result<OwnedFd, Fault> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(&self.root, flags, Mode::empty()).map_err(|error| {
            let cause = format!(
                "the folder {} cannot be opened: {}",
                self.root.display(),
                refusal::words(error)
            );
            refusal::offline(operation, &self.subject(key), cause)
        })
    }

    fn is_empty(&self, root: &OwnedFd) -> bool {
        rustix::fs::openat(
            root,
            c".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(io::Error::from)
        .and_then(|folder| names_in(&folder))
        .is_ok_and(|names| names.is_empty())
    }

    fn path(&self, key: &str, operation: &str) -> Result<Vec<u8>, Fault> {
        relative_path(key).ok_or_else(|| {
            Fault::new(
                "KeyInvalid",
                Blame::Request,
                operation,
                self.subject(key),
                "a key is names joined by single slashes, without `.`, `..` or NUL",
                "Correct the key or the path template it was made from.",
            )
        })
    }

    fn subject(&self, key: &str) -> String {
        format!("{}:{key}", self.name)
    }

    fn refused(&self, access: Access, operation: &str, key: &str, error: &io::Error) -> Fault {
        refusal::fault(access, operation, &self.subject(key), error)
    }
}

/// The bytes of a key when it is a sound relative path.
fn relative_path(key: &str) -> Option<Vec<u8>> {
    let path = key_bytes(key);
    let sound = !path.contains(&0)
        && path
            .split(|byte| *byte == b'/')
            .all(|part| !part.is_empty() && part != b"." && part != b"..");
    sound.then_some(path)
}
