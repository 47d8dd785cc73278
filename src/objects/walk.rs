//! The objects beneath a prefix of a folder storage, folder by folder in the order of names, a page at a time.
//!
//! Guarantees: a page reads the names of the folders on its way and looks only at what it returns; it resumes after any
//! key, though that object be gone; symbolic links are not followed, ignored names passed over. Deliberately absent:
//! memory between pages, and noticing changes (`scan`).

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::ignored;
use crate::objects::local::Folder;
use crate::objects::scan;
use crate::objects::scan::Look;

/// Folders within folders that are looked into.
const DEEPEST: usize = 128;

/// Keys of the objects of `folder` that begin with `prefix`, after the key `after`, at most `limit`. Blocks as the
/// storage does.
///
/// # Errors
/// A folder cannot be read, or the prefix leads out of the storage.
pub fn walk(folder: &Folder, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, Fault> {
    let mut walk = Walk {
        folder,
        prefix,
        limit,
        found: Vec::new(),
    };
    let start = prefix.rfind('/').map_or("", |slash| &prefix[..slash]);
    // What is left of the last key of the page before, from this folder on.
    let rest = match start {
        "" => after,
        start => after.and_then(|after| after.strip_prefix(start)?.strip_prefix('/')),
    };
    walk.enter(start, rest, 0)?;
    Ok(walk.found)
}

struct Walk<'a> {
    folder: &'a Folder,
    prefix: &'a str,
    limit: usize,
    found: Vec<String>,
}

impl Walk<'_> {
    fn enter(&mut self, folder: &str, after: Option<&str>, depth: usize) -> Result<(), Fault> {
        if depth > DEEPEST {
            return Ok(());
        }
        let (passed, within) = match after.map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
            Some((name, rest)) => (Some(name), rest),
            None => (None, ""),
        };
        // Names are read through the storage's own guard, so nothing outside of it is ever looked at.
        let mut names = self.folder.list(folder)?;
        names.retain(|name| ignored::why_name(name).is_none() && passed.is_none_or(|passed| name.as_str() >= passed));
        names.sort_unstable();
        for name in names {
            if self.found.len() >= self.limit {
                break;
            }
            let key = match folder.is_empty() {
                true => name.clone(),
                false => format!("{folder}/{name}"),
            };
            if !key.starts_with(self.prefix) {
                continue;
            }
            let look = scan::look(self.folder.root(), &key).map_err(|error| unreadable(self.folder, &key, &error))?;
            let on_the_way = passed == Some(name.as_str());
            match look {
                Look::Object(_) if !on_the_way => self.found.push(key),
                Look::Folder if on_the_way && within.is_empty() => self.enter(&key, None, depth + 1)?,
                Look::Folder if on_the_way => self.enter(&key, Some(within), depth + 1)?,
                Look::Folder => self.enter(&key, None, depth + 1)?,
                Look::Object(_) | Look::Nothing => {}
            }
        }
        Ok(())
    }
}

fn unreadable(folder: &Folder, key: &str, error: &std::io::Error) -> Fault {
    Fault::new(
        "StorageUnreadable",
        Blame::Host,
        "list",
        format!("{}:{key}", folder.name()),
        error.to_string(),
        "Check that the storage is mounted and readable for the daemon's user.",
    )
    .retryable(true)
}

#[cfg(test)]
mod tests {
    use super::walk;
    use crate::objects::local::Folder;

    #[test]
    fn pages_join_to_all_keys_in_their_order() {
        let root = tempfile::tempdir().expect("a folder");
        let mut keys = [
            "a.mp4",
            "a/1.mp4",
            "a/b/2.mp4",
            "a-b/3.mp4",
            "a/b.mp4",
            "b/.reelmill/x",
            "b/.hidden",
            "b/4.mp4",
            "c",
        ];
        for key in keys {
            let path = root.path().join(key);
            std::fs::create_dir_all(path.parent().expect("has one")).expect("made");
            std::fs::write(path, b"x").expect("written");
        }
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).expect("linked");
        let folder = Folder::new("s", root.path());
        keys.sort_by_key(|key| key.split('/').collect::<Vec<_>>());
        let visible: Vec<&str> = keys.into_iter().filter(|key| !key.contains("/.")).collect();
        assert_eq!(walk(&folder, "", None, 100).expect("walks"), visible);
        for limit in 1..4 {
            let (mut all, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
            loop {
                let page = walk(&folder, "", after.as_deref(), limit).expect("walks");
                assert!(page.len() <= limit);
                let Some(last) = page.last() else { break };
                after = Some(last.clone());
                all.extend(page);
            }
            assert_eq!(all, visible, "pages of {limit}");
        }
        assert_eq!(
            walk(&folder, "a/", None, 9).expect("walks"),
            ["a/1.mp4", "a/b/2.mp4", "a/b.mp4"]
        );
        assert_eq!(walk(&folder, "a/b", None, 9).expect("walks"), ["a/b/2.mp4", "a/b.mp4"]);
        assert_eq!(walk(&folder, "nowhere/", None, 9).expect("walks"), Vec::<String>::new());
        assert!(walk(&folder, "../", None, 9).is_err(), "outside");
    }
}
