//! The keys that questions to hooks are signed with: files, which are read anew for every question.
//!
//! Guarantees: what is read is [`Hidden`]; a key that was replaced signs from the next question on. Deliberately absent:
//! signing.

use super::file::ServerSection;
use super::resolved::Findings;
use super::secret;
use crate::workflow::secrets::Hidden;
use std::path::Path;
use std::path::PathBuf;

/// Where the keys lie: the new one first, then the one that it replaces; none: questions are not signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookKeys {
    files: Vec<PathBuf>,
}

impl HookKeys {
    pub(super) fn resolve(findings: &mut Findings, section: &ServerSection, folder: &Path) -> Self {
        let mut files = Vec::new();
        for (key, file) in [
            ("hook_signing_key_file", &section.hook_signing_key_file),
            ("old_hook_signing_key_file", &section.old_hook_signing_key_file),
        ] {
            if file.is_empty() {
                continue;
            }
            let path = secret::place(folder, file);
            match secret::from_file(&path) {
                Ok((_, false)) => {}
                Ok((_, true)) => findings.warning(
                    format!("server.{key}"),
                    "every user of this host can read the file; chmod 640 it",
                ),
                Err(why) => findings.error(format!("server.{key}"), why),
            }
            files.push(path);
        }
        HookKeys { files }
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Where they lie.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }

    /// The keys as they are now. Blocks for a short read.
    ///
    /// # Errors
    /// A clause: one is missing, unreadable, empty or no text.
    pub fn read(&self) -> Result<Vec<Hidden>, String> {
        self.files
            .iter()
            .map(|file| secret::from_file(file).map(|(key, _)| key))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::HookKeys;

    #[test]
    fn a_replaced_key_is_read_at_once_and_a_missing_one_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("key");
        std::fs::write(&file, "one\n").expect("written");
        let keys = HookKeys {
            files: vec![file.clone()],
        };
        let read = || {
            keys.read()
                .map(|keys| keys.iter().map(|key| key.expose().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(read(), Ok(vec!["one".to_owned()]));
        std::fs::write(&file, "two").expect("written");
        assert_eq!(read(), Ok(vec!["two".to_owned()]));
        std::fs::remove_file(&file).expect("there");
        assert!(read().is_err_and(|why| why.contains("cannot read")));
        assert!(HookKeys::default().is_empty());
    }
}
