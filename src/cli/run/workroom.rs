//! A scratch directory of a command's own, gone when the command ends.
//!
//! Guarantees: its name cannot be guessed by whoever else may write into the folder for temporary files, and it is
//! made anew. Deliberately absent: surviving `kill -9`; the system empties that folder.

use crate::base::ids::AttemptId;
use anyhow::Context as _;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::path::PathBuf;

/// The directory.
#[derive(Debug)]
pub struct Workroom(PathBuf);

impl Workroom {
    /// Makes one in `folder`, else in `$TMPDIR`, else in the folder for large temporary files.
    ///
    /// # Errors
    /// It cannot be made there.
    pub fn make(folder: Option<&Path>) -> anyhow::Result<Self> {
        let folder = folder
            .map(Path::to_owned)
            .or_else(|| std::env::var_os("TMPDIR").map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("/var/tmp"));
        let path = std::path::absolute(folder)?.join(format!("reelmill-{}", AttemptId::fresh()));
        std::fs::DirBuilder::new().mode(0o700).create(&path).with_context(|| {
            format!(
                "cannot make the scratch directory {}; name another with --scratch",
                path.display()
            )
        })?;
        Ok(Workroom(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Workroom {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!(
                "reelmill: the scratch directory {} is left behind: {error}",
                self.0.display()
            );
        }
    }
}
