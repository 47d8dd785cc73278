//! Files beside the source that a spec names: a watermark's picture, subtitles, clips to join.
//!
//! Guarantees: only what the caller opened can be read; the engine opens no path of its own accord. Deliberately
//! absent: storages; a name here is the text of the spec, `storage:key`.

use crate::base::fault::Fault;
use crate::media::error;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Marks and subtitles are far smaller; more is a wrong file.
const MAX_READ_BYTES: u64 = 256 << 20;

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

    /// All of a small file. The error names it.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Fault> {
        const OPERATION: &str = "read the file";
        let file = self.get(name)?;
        let unreadable = |cause: std::io::Error| error::source_unreadable(OPERATION, name, cause.to_string());
        let size_bytes = file.metadata().map_err(unreadable)?.len();
        if size_bytes > MAX_READ_BYTES {
            let cause = format!("{size_bytes} bytes are more than {MAX_READ_BYTES}");
            return Err(error::side_file_refused(OPERATION, name, cause));
        }
        let mut bytes = vec![0; size_bytes as usize];
        file.read_exact_at(&mut bytes, 0).map_err(unreadable)?;
        Ok(bytes)
    }
}
