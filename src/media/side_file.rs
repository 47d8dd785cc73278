//! Files beside the source that a spec names: a watermark's picture, subtitles, clips to join.
//!
//! Guarantees: only what the caller opened can be read; the engine opens no path of its own accord. Deliberately
//! absent: storages; a name here is the text of the spec, `storage:key`.

use crate::base::fault::Fault;
use crate::media::av::source;
use crate::media::av::source::ReadAt;
use crate::media::error;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Marks and subtitles are far smaller; more is a wrong file.
const MAX_READ_BYTES: u64 = 256 << 20;

/// Open files by the text that names them in specs.
#[derive(Clone, Default)]
pub struct SideFiles(BTreeMap<String, Arc<dyn ReadAt>>);

impl std::fmt::Debug for SideFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl SideFiles {
    /// Adds a file.
    pub fn insert(&mut self, name: &str, file: impl ReadAt + 'static) {
        self.insert_shared(name, Arc::new(file));
    }

    /// The same, where others read it too.
    pub fn insert_shared(&mut self, name: &str, file: Arc<dyn ReadAt>) {
        self.0.insert(name.to_owned(), file);
    }

    /// A file by its name in the spec.
    pub fn get(&self, name: &str) -> Result<Arc<dyn ReadAt>, Fault> {
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
        let size_bytes = file.size_bytes().map_err(unreadable)?;
        if size_bytes > MAX_READ_BYTES {
            let cause = format!("{size_bytes} bytes are more than {MAX_READ_BYTES}");
            return Err(error::side_file_refused(OPERATION, name, cause));
        }
        let mut bytes = vec![0; size_bytes as usize];
        if source::fill(&*file, &mut bytes, 0).map_err(unreadable)? < bytes.len() {
            return Err(unreadable(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }
}
