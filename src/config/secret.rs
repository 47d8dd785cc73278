//! A key or token that lies in a file, or among the credentials that the service manager hands over.
//!
//! Guarantees: what is read is [`Hidden`]: never printed. Deliberately absent: how it is used.

use crate::workflow::secrets::Hidden;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

/// Bytes of the longest secret read from a file.
const SECRET_BYTES: u64 = 4_096;
/// Bytes of the longest text (certificates, templates) read from a file.
const TEXT_BYTES: u64 = 256 * 1024;

/// What systemd puts before the names of credentials that `LoadCredential=reelmill:FOLDER` of the unit reads.
const OF_FOLDER: &str = "reelmill_";

/// The folder beside the configuration that the unit hands over: whoever may read it finds the same without systemd, so
/// that `sudo reelmill check` sees what the service will see.
const FOLDER: &str = "credentials";

/// Where what is called `said` lies: a name without a folder is one of systemd's credentials where there is such a one,
/// or a file of the folder that they come from; else a file of `folder`.
pub(super) fn place(folder: &Path, said: &str) -> PathBuf {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    place_among(credentials.as_deref(), folder, said)
}

fn place_among(credentials: Option<&Path>, folder: &Path, said: &str) -> PathBuf {
    let beside = folder.join(said);
    if said.is_empty() || said.contains('/') || said.starts_with('.') {
        return beside;
    }
    let handed = credentials
        .into_iter()
        .flat_map(|credentials| [credentials.join(said), credentials.join(format!("{OF_FOLDER}{said}"))]);
    handed
        .chain([folder.join(FOLDER).join(said)])
        .find(|file| file.exists())
        .unwrap_or(beside)
}

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

#[cfg(test)]
mod tests {
    use super::place_among;
    use std::path::Path;

    #[test]
    fn a_bare_name_is_a_credential_where_there_is_one() {
        let credentials = tempfile::tempdir().expect("a folder");
        for name in ["mam.key", "reelmill_mam.key", "reelmill_s3.secret"] {
            std::fs::write(credentials.path().join(name), "k").expect("written");
        }
        let etc = Path::new("/etc/reelmill");
        let place = |said: &str| place_among(Some(credentials.path()), etc, said);
        assert_eq!(place("mam.key"), credentials.path().join("mam.key"));
        assert_eq!(place("s3.secret"), credentials.path().join("reelmill_s3.secret"));
        assert_eq!(place("other.key"), etc.join("other.key"));
        assert_eq!(place("keys/mam.key"), etc.join("keys/mam.key"));
        assert_eq!(place("/srv/mam.key"), Path::new("/srv/mam.key"));
        assert_eq!(place(".."), etc.join(".."));
        assert_eq!(place_among(None, etc, "mam.key"), etc.join("mam.key"));
    }

    #[test]
    fn without_systemd_a_bare_name_is_looked_for_in_the_folder_that_the_unit_hands_over() {
        let etc = tempfile::tempdir().expect("a folder");
        let folder = etc.path().join("credentials");
        std::fs::create_dir(&folder).expect("made");
        std::fs::write(folder.join("mam.key"), "k").expect("written");
        assert_eq!(place_among(None, etc.path(), "mam.key"), folder.join("mam.key"));
        assert_eq!(place_among(None, etc.path(), "s3.secret"), etc.path().join("s3.secret"));
        // What systemd handed over goes first: it is what the daemon reads.
        let handed = tempfile::tempdir().expect("a folder");
        std::fs::write(handed.path().join("reelmill_mam.key"), "k").expect("written");
        let found = place_among(Some(handed.path()), etc.path(), "mam.key");
        assert_eq!(found, handed.path().join("reelmill_mam.key"));
    }
}
