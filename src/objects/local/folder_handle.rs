//! A folder of a storage handed on as an open directory, for whoever may read the files in it and nothing else.

use super::Folder;
use crate::base::fault::Fault;
use crate::objects::directory::beneath;
use crate::objects::refusal::Access;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use std::fs::File;

impl Folder {
    /// Opens the folder `key` (empty: the root) for reading.
    ///
    /// # Errors
    /// It is not there, is no folder, or may not be read.
    pub fn open_folder(&self, key: &str) -> Result<File, Fault> {
        let path = match key {
            "" => b".".to_vec(),
            key => self.path(key, "open")?,
        };
        let root = self.open_root("open", key)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        match beneath(&root, &path, flags, Mode::empty()) {
            Ok(folder) => Ok(File::from(folder)),
            Err(error) => Err(self.refused(Access::Read, "open", key, &error)),
        }
    }
}
