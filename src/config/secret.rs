//! A key or token that lies in a file.
//!
//! Guarantees: what is read is [`Hidden`]: never printed. Deliberately absent: how it is used.

use crate::workflow::destination::Hidden;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Bytes of the longest secret read from a file.
const SECRET_BYTES: u64 = 4_096;
/// Bytes of the longest text (certificates, templates) read from a file.
const TEXT_BYTES: u64 = 256 * 1024;

/// Reads a secret from a file; a line end after it is not part of it. Also says whether others may read the file.
///
/// # Errors
/// A clause: missing, unreadable, empty, too long, or not text.
pub(super) fn from_file(path: &Path) -> Result<(Hidden, bool), String> {
    let (text, open) = read(path, SECRET_BYTES)?;
    match text.trim_end_matches(['\n', '\r']) {
        "" => Err(format!("{} is empty", path.display())),
        text => Ok((text.into(), open)),
    }
}

/// Reads a text from a file as it stands. Also says whether others may read the file.
///
/// # Errors
/// A clause: missing, unreadable, empty, too long, or not text.
pub(super) fn text_file(path: &Path) -> Result<(String, bool), String> {
    let (text, open) = read(path, TEXT_BYTES)?;
    match text.trim() {
        "" => Err(format!("{} is empty", path.display())),
        _ => Ok((text, open)),
    }
}

fn read(path: &Path, max: u64) -> Result<(String, bool), String> {
    let said = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let metadata = std::fs::metadata(path).map_err(said)?;
    if metadata.len() > max {
        return Err(format!(
            "{} holds {} bytes; at most {max} are read",
            path.display(),
            metadata.len()
        ));
    }
    let text = std::fs::read_to_string(path).map_err(said)?;
    Ok((text, metadata.permissions().mode() & 0o007 != 0))
}
