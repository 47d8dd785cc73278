//! Whether what stands under a storage's path is still that storage.
//!
//! A share that is not mounted looks like an empty folder; taken at its word, everything in it vanished, and
//! everything is new when it comes back. Guarantees: doubt stops triggering and says why, and nothing else; it ends by
//! itself when the storage is as it was. Deliberately absent: deleting or re-queueing anything, ever.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::path::PathBuf;

/// Objects whose disappearance, all of them, is not believed even on a local disk.
const MANY: usize = 20;

/// What a storage lies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where the file system is mounted.
    pub point: PathBuf,
    /// Its type, `nfs4`.
    pub kind: String,
    /// Its source where that is a lasting name, `nas:/ingest`; device names are not, and are left out.
    pub source: String,
}

impl Mount {
    /// The mount that `path` lies on, out of the text of `/proc/self/mountinfo`; `path` without links.
    pub fn of(mountinfo: &str, path: &Path) -> Option<Self> {
        mountinfo
            .lines()
            .filter_map(Self::parse)
            .filter(|mount| path.starts_with(&mount.point))
            // The deepest one; of several at one point the last is on top.
            .fold(None, |best: Option<Mount>, mount| match best {
                Some(best) if best.point.components().count() > mount.point.components().count() => Some(best),
                _ => Some(mount),
            })
    }

    fn parse(line: &str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let kind = after.next()?.to_owned();
        let source = after.next().unwrap_or_default();
        Some(Mount {
            point: unescape(before.split(' ').nth(4)?),
            kind,
            source: if source.starts_with("/dev/") {
                String::new()
            } else {
                source.to_owned()
            },
        })
    }

    /// One line, for the store and for people.
    pub fn text(&self) -> String {
        format!("{} ({} {})", self.point.display(), self.kind, self.source).replace(" )", ")")
    }
}

/// Spaces and the like stand as octal escapes in mountinfo.
fn unescape(field: &str) -> PathBuf {
    let bytes = field.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = (bytes[at] == b'\\').then(|| field.get(at + 1..at + 4)).flatten();
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 4;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    PathBuf::from(OsString::from_vec(plain))
}

/// A root as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// What it lies on, in words.
    pub mount: String,
    /// It is not the host's root file system and not the one before: a mount of its own point.
    pub own_mount: bool,
    /// It holds nothing, not even hidden names.
    pub empty: bool,
    /// Other hosts write there too.
    pub shared: bool,
}

/// What is made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Belief {
    /// It is the storage.
    Same,
    /// Nothing was there before, and now the share is mounted: begin from the beginning.
    Begin,
    /// It may not be the storage, with the reason.
    Doubt(String),
}

/// Judges a root, given what the storage lay on before and how many objects were in it.
pub fn judge(before: Option<&str>, objects: usize, root: &Root) -> Belief {
    match before {
        None => return Belief::Begin,
        Some(before) if before != root.mount => {
            if objects == 0 && root.own_mount {
                return Belief::Begin;
            }
            return Belief::Doubt(format!(
                "its folder lay on {before} and now lies on {}; mount what was there, or thaw the storage if the change is meant",
                root.mount
            ));
        }
        Some(_) => {}
    }
    if root.empty && objects > 0 && (root.shared || objects >= MANY) {
        return Belief::Doubt(format!(
            "its folder is empty, though {objects} objects were there; it goes on when something is there again, or when it is thawed"
        ));
    }
    Belief::Same
}

#[cfg(test)]
mod tests {
    use super::Belief;
    use super::Mount;
    use super::Root;
    use super::judge;
    use std::path::Path;

    const MOUNTINFO: &str = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        40 22 0:50 / /mnt/nas\\040one rw shared:9 - nfs4 nas:/vol/ingest rw,vers=4.2\n\
        41 22 0:51 / /mnt/over rw - tmpfs tmpfs rw\n\
        42 22 0:52 / /mnt/over rw - fuse.bindfs /srv/x rw\n";

    #[test]
    fn the_deepest_mount_counts_and_the_last_of_equals() {
        let of = |path: &str| Mount::of(MOUNTINFO, Path::new(path)).expect("something").text();
        assert_eq!(of("/mnt/nas one/in"), "/mnt/nas one (nfs4 nas:/vol/ingest)");
        assert_eq!(of("/mnt/nas"), "/ (ext4)");
        assert_eq!(of("/mnt/over/x"), "/mnt/over (fuse.bindfs /srv/x)");
    }

    fn root(mount: &str, empty: bool, shared: bool) -> Root {
        Root {
            mount: mount.to_owned(),
            own_mount: mount != "/ (ext4)",
            empty,
            shared,
        }
    }

    #[test]
    fn another_mount_or_an_emptied_share_is_doubted_and_heals() {
        let nas = "/mnt/nas (nfs4 nas:/vol)";
        assert_eq!(judge(None, 0, &root(nas, false, true)), Belief::Begin);
        assert_eq!(judge(Some(nas), 5, &root(nas, false, true)), Belief::Same);
        assert!(matches!(judge(Some(nas), 5, &root("/ (ext4)", true, false)), Belief::Doubt(why) if why.contains(nas)));
        assert!(matches!(judge(Some(nas), 5, &root(nas, true, true)), Belief::Doubt(_)));
        assert_eq!(judge(Some(nas), 0, &root(nas, true, true)), Belief::Same);
    }

    #[test]
    fn a_share_mounted_after_the_start_is_begun_with_when_nothing_was_there() {
        let nas = root("/mnt/nas (nfs4 nas:/vol)", false, true);
        assert_eq!(judge(Some("/ (ext4)"), 0, &nas), Belief::Begin);
        assert!(matches!(judge(Some("/ (ext4)"), 3, &nas), Belief::Doubt(_)));
    }

    #[test]
    fn a_local_folder_may_be_emptied_of_a_few() {
        assert_eq!(judge(Some("/ (ext4)"), 3, &root("/ (ext4)", true, false)), Belief::Same);
        assert!(matches!(
            judge(Some("/ (ext4)"), 20, &root("/ (ext4)", true, false)),
            Belief::Doubt(_)
        ));
    }
}
