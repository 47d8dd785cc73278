//! A relayed file, and relayed files by name, as the engine reads them.
//!
//! Guarantees: the size is the one the executor saw; reads fill the buffer or reach the end. Deliberately absent: the
//! line.

use crate::media::av::source::ReadAt;
use crate::media::family::Shelf;
use crate::worker::protocol::RelayedPicture;
use crate::worker::relay::line::Line;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// One relayed file.
#[derive(Debug, Clone)]
pub struct RelayedBytes {
    line: Line,
    member: u32,
    size_bytes: u64,
}

impl RelayedBytes {
    /// File number `member` of a line.
    pub fn new(line: &Line, member: u32, size_bytes: u64) -> Self {
        RelayedBytes {
            line: line.clone(),
            member,
            size_bytes,
        }
    }
}

impl ReadAt for RelayedBytes {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.line.read(self.member, self.size_bytes, buffer, offset)
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.size_bytes)
    }
}

/// The pictures of a family, by name.
#[derive(Debug)]
pub struct RelayedShelf {
    line: Line,
    members: HashMap<String, (u32, u64)>,
}

impl RelayedShelf {
    /// Files of a line, the first of which is number `first`.
    pub fn new(line: &Line, first: u32, pictures: &[RelayedPicture]) -> Self {
        let members = (first..).zip(pictures);
        RelayedShelf {
            line: line.clone(),
            members: members
                .map(|(member, picture)| (picture.name.clone(), (member, picture.size_bytes)))
                .collect(),
        }
    }
}

impl Shelf for RelayedShelf {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ReadAt>> {
        let (member, size_bytes) = self.members.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(RelayedBytes::new(&self.line, *member, *size_bytes)))
    }
}
