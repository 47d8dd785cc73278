//! What a pass reads: an open file or folder of this host, or what somebody else brings.
//!
//! Guarantees: any number of readers, each at its own place. Deliberately absent: names and how bytes come here.

use crate::media::av::source::ReadAt;
use crate::media::family::Shelf;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// The source of a pass.
#[derive(Clone)]
pub enum Given {
    /// An open file; of a family of pictures their folder.
    File(Arc<File>),
    /// The bytes of a file.
    Bytes(Arc<dyn ReadAt>),
    /// The pictures of a family.
    Shelf(Arc<dyn Shelf>),
}

impl From<File> for Given {
    fn from(file: File) -> Self {
        Given::File(Arc::new(file))
    }
}

impl Given {
    /// As an open file of this host.
    pub fn file(&self) -> io::Result<Arc<File>> {
        match self {
            Given::File(file) => Ok(Arc::clone(file)),
            Given::Bytes(_) | Given::Shelf(_) => Err(io::Error::other("it is no file of this host")),
        }
    }

    /// As one file.
    pub fn bytes(&self) -> io::Result<Arc<dyn ReadAt>> {
        match self {
            Given::File(file) => Ok(Arc::clone(file) as Arc<dyn ReadAt>),
            Given::Bytes(bytes) => Ok(Arc::clone(bytes)),
            Given::Shelf(_) => Err(io::Error::other("it is many files, not one")),
        }
    }

    /// As the place of a family.
    pub fn shelf(&self) -> io::Result<Arc<dyn Shelf>> {
        match self {
            Given::File(folder) => Ok(Arc::clone(folder) as Arc<dyn Shelf>),
            Given::Shelf(shelf) => Ok(Arc::clone(shelf)),
            Given::Bytes(_) => Err(io::Error::other("it is one file, not a folder of them")),
        }
    }
}
