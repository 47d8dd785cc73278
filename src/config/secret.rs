//! A key or token that came from a file.
//!
//! Guarantees: never printed, not even by `{:?}`, and not serialisable. Deliberately absent: how it is used.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Bytes of the longest secret read from a file.
const MAX_BYTES: u64 = 4_096;

/// One secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret that was written out.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The secret itself, for whoever signs with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Reads one from a file; a line end after it is not part of it. Also says whether others may read the file.
    ///
    /// # Errors
    /// A clause: missing, unreadable, empty, too long, or not text.
    pub fn from_file(path: &Path) -> Result<(Self, bool), String> {
        let said = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
        let metadata = std::fs::metadata(path).map_err(said)?;
        if metadata.len() > MAX_BYTES {
            return Err(format!(
                "{} holds {} bytes; a key has at most {MAX_BYTES}",
                path.display(),
                metadata.len()
            ));
        }
        let text = std::fs::read_to_string(path).map_err(said)?;
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() {
            return Err(format!("{} is empty", path.display()));
        }
        Ok((Secret::new(text), metadata.permissions().mode() & 0o007 != 0))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
