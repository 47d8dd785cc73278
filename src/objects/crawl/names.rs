//! The names of one folder, as the kernel hands them over and in their order.
//!
//! Guarantees: a folder of millions takes the bytes of its names and eight more each; ignored names are not kept.
//! Deliberately absent: what lies under a name.

use crate::objects::ignored;
use crate::objects::uri::key_text;
use rustix::fs::FileType;
use rustix::fs::RawDir;
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::time::Instant;

/// Names that were read.
#[derive(Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    pub(super) all: Vec<Name>,
}

/// Where one of them lies.
#[derive(Clone, Copy)]
pub(super) struct Name {
    from: u32,
    length: u16,
    pub(super) kind: Kind,
}

/// What the folder says of what stands under it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// The file system does not say.
    Unknown,
}

impl Names {
    pub(super) fn bytes_of(&self, name: Name) -> &[u8] {
        let from = name.from as usize;
        &self.bytes[from..from + usize::from(name.length)]
    }

    pub(super) fn push(&mut self, name: &[u8], kind: Kind) -> Result<(), Errno> {
        let from = u32::try_from(self.bytes.len()).map_err(|_| Errno::NOMEM)?;
        let length = u16::try_from(name.len()).map_err(|_| Errno::NAMETOOLONG)?;
        self.bytes.extend_from_slice(name);
        self.all.push(Name { from, length, kind });
        Ok(())
    }

    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes;
        let of = |name: &Name| &bytes[name.from as usize..name.from as usize + usize::from(name.length)];
        self.all.sort_unstable_by(|a, b| of(a).cmp(of(b)));
    }
}

/// A folder whose names are being read.
pub(super) struct Reading {
    pub(super) open: OwnedFd,
    pub(super) key: String,
    pub(super) names: Names,
    pub(super) entries: u64,
}

impl Reading {
    pub(super) fn new(open: OwnedFd, key: String) -> Self {
        Reading {
            open,
            key,
            names: Names::default(),
            entries: 0,
        }
    }

    /// Reads on; says whether all names are there. The kernel remembers where the folder was left, so a pause comes only
    /// when everything that it handed over was taken.
    pub(super) fn go_on(&mut self, space: &mut Vec<u8>, until: Instant) -> Result<bool, Errno> {
        let mut names = RawDir::new(&self.open, space.spare_capacity_mut());
        while let Some(entry) = names.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                self.entries += 1;
                let kind = match entry.file_type() {
                    FileType::RegularFile => Some(Kind::File),
                    FileType::Directory => Some(Kind::Folder),
                    FileType::Unknown => Some(Kind::Unknown),
                    _ => None,
                };
                if let Some(kind) = kind
                    && ignored::why_name(&key_text(name)).is_none()
                {
                    self.names.push(name, kind)?;
                }
            }
            if names.is_buffer_empty() && Instant::now() >= until {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
