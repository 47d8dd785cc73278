//! Files beside the source that a spec names: a watermark's picture, subtitles, clips to join.
//!
//! Guarantees: only what the caller opened can be read; the engine opens no path of its own accord. Deliberately
//! absent: storages; a name here is the text of the spec, `storage:key`.

use crate::base::fault::Fault;
use crate::media::error;
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

/// Open files by the text that names them in specs.
#[derive(Debug, Clone, Default)]
pub struct SideFiles(BTreeMap<String, Arc<File>>);

impl SideFiles {
    /// Adds a file.
    pub fn insert(&mut self, name: &str, file: File) {
        self.0.insert(name.to_owned(), Arc::new(file));
    }

    /// A file by its name in the spec. Its position is shared with other users: read at offsets only.
    pub fn get(&self, name: &str) -> Result<Arc<File>, Fault> {
        self.0
            .get(name)
            .cloned()
            .ok_or_else(|| error::broken_invariant("open", name, "the order names a file that came without it"))
    }
}
