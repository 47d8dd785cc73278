//! Mode and group of what is made in a folder storage.
//!
//! Guarantees: exact, whatever the umask is; what is not said is left to the umask and to the file system. Deliberately
//! absent: owners; everything made here belongs to the daemon's user.

use rustix::fs::AtFlags;
use rustix::fs::Gid;
use rustix::fs::Mode;
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

/// Rights of new files and folders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rights {
    /// Permission bits of files.
    pub file_mode: Option<u32>,
    /// Permission bits of folders.
    pub folder_mode: Option<u32>,
    /// Number of the group of both.
    pub group: Option<u32>,
}

impl Rights {
    /// Gives them to a new file.
    pub(super) fn fit_file(&self, file: &File) -> io::Result<()> {
        // The group first: changing it takes the bits away that run a program as somebody else.
        if let Some(group) = self.group {
            rustix::fs::fchown(file, None, Some(Gid::from_raw(group))).map_err(|error| refused(group, error))?;
        }
        if let Some(mode) = self.file_mode {
            rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?;
        }
        Ok(())
    }

    /// Gives them to the new folder `name` of `parent`.
    pub(super) fn fit_folder(&self, parent: &OwnedFd, name: &[u8]) -> io::Result<()> {
        if let Some(group) = self.group {
            rustix::fs::chownat(
                parent,
                name,
                None,
                Some(Gid::from_raw(group)),
                AtFlags::SYMLINK_NOFOLLOW,
            )
            .map_err(|error| refused(group, error))?;
        }
        if let Some(mode) = self.folder_mode {
            rustix::fs::chmodat(parent, name, Mode::from_raw_mode(mode), AtFlags::empty())?;
        }
        Ok(())
    }
}

fn refused(group: u32, error: Errno) -> io::Error {
    match error {
        Errno::PERM | Errno::ACCESS => io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "its group may not become {group} (file_group): the daemon's user is no member, or the server forbids it"
            ),
        ),
        other => other.into(),
    }
}
