//! What the kernel does with open directories: everything is named relative to one, so that nothing is reached that
//! does not lie beneath it.
//!
//! Guarantees: a path is resolved within its root, whatever links or `..` it meets. Deliberately absent: keys, and the
//! words of a refusal; errors are the system's.

use rustix::fs::AtFlags;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::ResolveFlags;
use rustix::io::Errno;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

/// Longest path that the kernel takes at once, with room for its end.
const LONGEST: usize = 4_000;

/// Opens `path` without ever leaving `root`. Paths may be longer than the kernel takes: they are walked in pieces, each
/// resolved within the one before.
pub(super) fn beneath(root: &OwnedFd, path: &[u8], flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
    let (mut folder, mut path) = (None, path);
    while path.len() > LONGEST {
        // A name has 255 bytes at most, so there is a slash unless the name itself is refused.
        let Some(end) = path[..LONGEST].iter().rposition(|byte| *byte == b'/') else {
            return Err(Errno::NAMETOOLONG.into());
        };
        let from = folder.as_ref().unwrap_or(root);
        folder = Some(piece(
            from,
            &path[..end],
            OFlags::PATH | OFlags::DIRECTORY,
            Mode::empty(),
        )?);
        path = &path[end + 1..];
    }
    piece(folder.as_ref().unwrap_or(root), path, flags, mode)
}

fn piece(root: &OwnedFd, path: &[u8], flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
    let mut tries = 0;
    loop {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(root, OsStr::from_bytes(path), flags | OFlags::CLOEXEC, mode, resolve) {
            Ok(opened) => return Ok(opened),
            // The kernel asks to try again when something was renamed while it walked.
            Err(Errno::AGAIN) if tries < 64 => tries += 1,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Renames without replacing anything, where the file system has no flag for it.
pub(super) fn rename_by_link(from: &OwnedFd, from_leaf: &[u8], to: &OwnedFd, to_leaf: &[u8]) -> Result<(), Errno> {
    match rustix::fs::linkat(from, from_leaf, to, to_leaf, AtFlags::empty()) {
        Ok(()) => rustix::fs::unlinkat(from, from_leaf, AtFlags::empty()),
        Err(Errno::EXIST) => Err(Errno::EXIST),
        // Neither: FAT, most SMB mounts. Looking first is the best these can do.
        Err(_) => match rustix::fs::statat(to, to_leaf, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) => rustix::fs::renameat(from, from_leaf, to, to_leaf),
            Err(error) => Err(error),
        },
    }
}

/// Syncs a folder that may be open as a bare path. File systems that cannot sync folders need not.
pub(super) fn sync_folder(folder: &OwnedFd) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = rustix::fs::openat(folder, c".", flags, Mode::empty())?;
    match rustix::fs::fsync(&open) {
        Ok(()) | Err(Errno::INVAL | Errno::BADF | Errno::NOTSUP) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The names in a folder, in no order.
pub(super) fn names_in(folder: &OwnedFd) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    Ok(names)
}

/// Removes everything in a folder, never following a link.
pub(super) fn empty_folder(folder: &OwnedFd) -> io::Result<()> {
    for name in names_in(folder)? {
        match rustix::fs::unlinkat(folder, name.as_slice(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => continue,
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let inner = rustix::fs::openat(folder, name.as_slice(), flags, Mode::empty())?;
        empty_folder(&inner)?;
        rustix::fs::unlinkat(folder, name.as_slice(), AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

/// Nothing is there under that name.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOENT | Errno::NOTDIR))
}
