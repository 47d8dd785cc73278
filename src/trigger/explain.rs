//! What a trigger says of one object now: which rule keeps it from arriving, as far as the ledger does not know.
//!
//! The answer to "why was this not triggered?" has two halves: what the ledger remembers, which the store reads, and
//! what the storage and the rules of its trigger say at this moment, which is told here. Guarantees: an answer in seconds,
//! also of a storage that hangs; nothing is written, nothing counts as seen because somebody asked; the same rules as
//! those of scans and looks, called, not repeated. Deliberately absent: workflows.

use crate::objects::lane::Lane;
use crate::objects::name_rules::Role;
use crate::objects::scan;
use crate::objects::scan::Look;
use crate::objects::uri::key_bytes;
use crate::trigger::StorageOptions;
use crate::trigger::WatchMode;
use crate::trigger::beside;
use crate::trigger::board::Board;
use futures_util::future::BoxFuture;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// Longest that the storage is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest that the trigger's own task is waited for: it may be busy with a portion of a scan, or hang.
const TASK_PATIENCE: Duration = Duration::from_secs(3);

/// One thing that is to be said of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The rule or state, one word for programs: `ignored`, `missing`, `growing`, `marker` ...
    pub code: &'static str,
    /// It keeps the object from arriving. False: worth knowing, no more.
    pub prevents: bool,
    /// A sentence for people, with its full stop.
    pub text: String,
}

impl Word {
    /// Something that keeps the object from arriving.
    pub fn prevents(code: &'static str, text: impl Into<String>) -> Self {
        Word {
            code,
            prevents: true,
            text: text.into(),
        }
    }

    /// Something worth knowing.
    pub fn tells(code: &'static str, text: impl Into<String>) -> Self {
        Word {
            prevents: false,
            ..Word::prevents(code, text)
        }
    }
}

/// Answers for one storage; each kind of trigger has one and enters it at the board.
pub trait Explainer: Send + Sync {
    /// What is to be said of the object, the weightiest first. Answers in seconds, whatever hangs.
    fn explain<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Vec<Word>>;
}

/// Answers for a folder.
pub(super) struct FolderExplainer {
    options: StorageOptions,
    board: Board,
    lane: Lane,
}

impl FolderExplainer {
    pub(super) fn new(options: StorageOptions, board: Board, lane: Lane) -> Self {
        FolderExplainer { options, board, lane }
    }

    async fn words(&self, key: &str) -> Vec<Word> {
        if let Some(word) = by_key(&self.options, key) {
            // Nothing else matters, and what lies outside is not looked at.
            return vec![word];
        }
        let mut words = Vec::new();
        if self.options.watch == WatchMode::Off {
            words.push(Word::prevents(
                "not_watched",
                "The storage is not watched (watch = \"off\"): nothing of it runs by itself.",
            ));
        }
        let (root, named) = (self.options.root.clone(), key.to_owned());
        let names = self.options.names.clone();
        let look = move || {
            let (mut words, there) = by_look(&root, &named);
            if there {
                words.extend(beside::told_of(&root, &names, &named));
            }
            (words, there)
        };
        let seen = self.lane.run("explain", PATIENCE, look).await;
        match seen {
            Ok((mut said, there)) => {
                words.append(&mut said);
                if there && self.options.watch != WatchMode::Off {
                    words.extend(self.of_the_task(key).await);
                }
            }
            Err(fault) => words.push(Word::prevents(
                "not_answering",
                format!("The storage does not answer: {}.", fault.cause),
            )),
        }
        words.sort_by_key(|word| !word.prevents);
        let mut said = Vec::new();
        // Two rules may see the same from two sides.
        words.retain(|word| {
            !said.contains(&word.code) && {
                said.push(word.code);
                true
            }
        });
        words
    }

    /// What the trigger's task knows of an object that has not settled: why it waits.
    async fn of_the_task(&self, key: &str) -> Option<Word> {
        let answer = self.board.question(&self.options.name, key)?;
        match tokio::time::timeout(TASK_PATIENCE, answer).await {
            Ok(Ok(word)) => word,
            _ => Some(Word::tells(
                "busy",
                "The trigger of the storage is busy and cannot say whether the object waits for something.",
            )),
        }
    }
}

impl Explainer for FolderExplainer {
    fn explain<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Vec<Word>> {
        Box::pin(self.words(key))
    }
}

/// The rules that need no look: what the key alone says. None: an object of this key can arrive.
pub(super) fn by_key(options: &StorageOptions, key: &str) -> Option<Word> {
    let path = PathBuf::from(OsStr::from_bytes(&key_bytes(key)));
    if key.is_empty() || path.components().any(|part| !matches!(part, Component::Normal(_))) {
        return Some(Word::prevents(
            "outside",
            "A key names a file within the storage: without `..`, not empty, not beginning with a slash.",
        ));
    }
    if let Some(other) = options.others_within.iter().find(|other| path.starts_with(other)) {
        return Some(Word::prevents(
            "other_storage",
            format!(
                "The folder {} within this storage is another storage, which what lies in it belongs to.",
                other.display()
            ),
        ));
    }
    if options.sentinel.as_deref() == Some(key) {
        return Some(Word::prevents(
            "sentinel",
            "It is the sentinel of the storage, which is no object.",
        ));
    }
    let why = options.names.why_not(key)?;
    let code = match options.names.role(key) {
        Role::Object => "ignored",
        Role::Marker => "marker",
        Role::Checksum => "checksum",
        Role::Order => "order",
        Role::Subtitle => "subtitle",
        Role::Excluded(_) => "excluded",
        Role::NotIncluded => "not_included",
    };
    Some(Word::prevents(code, why))
}

/// What stands under the key now, and whether that is a file. Blocks as the storage does.
fn by_look(root: &Path, key: &str) -> (Vec<Word>, bool) {
    if let Err(error) = std::fs::metadata(root) {
        let text = format!("The folder of the storage cannot be looked at: {error}.");
        return (vec![Word::prevents("storage_missing", text)], false);
    }
    if let Some(word) = on_the_way(root, key) {
        return (vec![word], false);
    }
    match scan::look(root, key) {
        Ok(Look::Object(found)) if found.size_bytes == 0 => {
            let text = "It is empty; files without content wait until something is written into them.";
            (vec![Word::prevents("empty", text)], true)
        }
        Ok(Look::Object(found)) => {
            let mut words = Vec::new();
            let unreadable = std::fs::File::open(root.join(OsStr::from_bytes(&key_bytes(key)))).err();
            if let Some(error) = unreadable {
                let text = format!("It is there, but cannot be opened for reading: {error}; a task of it fails.");
                words.push(Word::tells("unreadable", text));
            }
            words.push(Word::tells(
                "there",
                format!("It is there now, {} bytes.", found.size_bytes),
            ));
            (words, true)
        }
        Ok(Look::Folder) => {
            let text = "It is a folder; the files in it are objects, each under its own key.";
            (vec![Word::prevents("folder", text)], false)
        }
        Ok(Look::Nothing) => {
            let path = root.join(OsStr::from_bytes(&key_bytes(key)));
            let word = match std::fs::symlink_metadata(path) {
                Ok(found) if found.file_type().is_symlink() => Word::prevents(
                    "link",
                    "It is a symbolic link; links are not followed, and what they point to within a storage arrives under its own key.",
                ),
                Ok(_) => Word::prevents("special", "It is neither a file nor a folder."),
                Err(_) => Word::prevents(
                    "missing",
                    "Nothing stands under this key now; names are taken letter by letter, upper and lower case too.",
                ),
            };
            (vec![word], false)
        }
        Err(error) => {
            let text = format!("It cannot be looked at: {error}.");
            (vec![Word::prevents("unreadable", text)], false)
        }
    }
}

/// A link or a closed folder above the object: scans do not come past it.
fn on_the_way(root: &Path, key: &str) -> Option<Word> {
    let mut above: Vec<&str> = key.split('/').collect();
    above.pop();
    let mut path = root.to_owned();
    let mut so_far = String::new();
    for name in above {
        path.push(OsStr::from_bytes(&key_bytes(name)));
        if !so_far.is_empty() {
            so_far.push('/');
        }
        so_far.push_str(name);
        let found = std::fs::symlink_metadata(&path).ok()?;
        if found.file_type().is_symlink() {
            let text = format!("The folder {so_far} on its way is a symbolic link, which is not followed.");
            return Some(Word::prevents("link", text));
        }
        if found.is_dir()
            && let Err(error) = std::fs::read_dir(&path)
        {
            let text = format!("The folder {so_far} on its way cannot be listed: {error}.");
            return Some(Word::prevents("unreadable", text));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::by_look;

    fn code(root: &std::path::Path, key: &str) -> &'static str {
        by_look(root, key).0.first().expect("a word").code
    }

    #[test]
    fn what_stands_there_is_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        std::fs::create_dir(root.join("sub")).expect("made");
        std::fs::write(root.join("sub/a.mp4"), "x").expect("written");
        std::fs::write(root.join("empty.mp4"), "").expect("written");
        std::os::unix::fs::symlink("sub", root.join("link")).expect("linked");
        std::os::unix::fs::symlink("sub/a.mp4", root.join("b.mp4")).expect("linked");
        assert_eq!(code(root, "sub/a.mp4"), "there");
        assert_eq!(code(root, "sub"), "folder");
        assert_eq!(code(root, "empty.mp4"), "empty");
        assert_eq!(code(root, "link/a.mp4"), "link");
        assert_eq!(code(root, "b.mp4"), "link");
        assert_eq!(code(root, "sub/A.mp4"), "missing");
        assert_eq!(code(&root.join("gone"), "a.mp4"), "storage_missing");
    }
}
