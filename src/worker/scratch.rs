//! The private directories of attempts, all beneath one root.
//!
//! Guarantees: an attempt begins with an empty directory only its user can enter; what a worker left there is found
//! by the executor without following any link. Deliberately absent: what is in them.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::path::PathBuf;

/// The root of all scratch directories.
#[derive(Debug, Clone)]
pub struct ScratchRoot(PathBuf);

impl ScratchRoot {
    /// Directories beneath `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        ScratchRoot(root.into())
    }

    /// Where `attempt` may write.
    pub fn of(&self, attempt: &AttemptId) -> PathBuf {
        self.0.join(attempt.as_str())
    }

    /// Makes it, empty.
    pub fn make(&self, attempt: &AttemptId) -> Result<PathBuf, Fault> {
        let path = self.of(attempt);
        let make = || -> std::io::Result<()> {
            self.remove(attempt)?;
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)
        };
        make().map_err(|error| {
            Fault::new(
                "ScratchNotWritable",
                Blame::Host,
                "make scratch directory",
                path.display().to_string(),
                error.to_string(),
                "Give the user that reelmill runs as the right to write into scratch_dir, and free space on it.",
            )
        })?;
        Ok(path)
    }

    /// Removes it and what is in it; one that is not there is fine.
    pub fn remove(&self, attempt: &AttemptId) -> std::io::Result<()> {
        remove(&self.of(attempt))
    }

    /// Removes those of every attempt but `keep`.
    pub fn sweep(&self, keep: &[AttemptId]) -> std::io::Result<()> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let name = entry?.file_name();
            let Some(name) = name.to_str().filter(|name| is_attempt(name)) else {
                continue;
            };
            if !keep.iter().any(|attempt| attempt.as_str() == name) {
                remove(&self.0.join(name))?;
            }
        }
        Ok(())
    }
}

/// Whether a name is that of an attempt: whatever else lies in the folder belongs to somebody else.
pub fn is_attempt(name: &str) -> bool {
    name.len() == 32
        && name
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::ScratchRoot;
    use crate::base::ids::AttemptId;

    #[test]
    fn a_sweep_leaves_the_kept_and_the_foreign() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let scratch = ScratchRoot::new(root.path());
        let (kept, dropped) = (AttemptId::fresh(), AttemptId::fresh());
        for attempt in [&kept, &dropped] {
            let path = scratch.make(attempt).expect("it is made");
            std::fs::write(path.join("file"), b"x").expect("it can be written");
        }
        std::fs::create_dir(root.path().join("lost+found")).expect("a foreign folder");
        scratch.sweep(std::slice::from_ref(&kept)).expect("the sweep works");
        assert!(scratch.of(&kept).join("file").exists());
        assert!(!scratch.of(&dropped).exists());
        assert!(root.path().join("lost+found").exists());
    }

    #[test]
    fn an_attempt_begins_empty() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let scratch = ScratchRoot::new(root.path());
        let attempt = AttemptId::fresh();
        let path = scratch.make(&attempt).expect("it is made");
        std::fs::write(path.join("old"), b"x").expect("it can be written");
        scratch.make(&attempt).expect("it is made again");
        assert!(!path.join("old").exists());
    }
}
