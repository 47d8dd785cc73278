//! What a path lies on, by the kernel's own list of mounts.
//!
//! Guarantees: asks the kernel, never the mount, so it never hangs; a mount has the same words before and after it was
//! unmounted and mounted again, and other words than the folder beneath it. Deliberately absent: what to make of it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::path::PathBuf;

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

/// What a path (without links) lies on at this moment.
pub fn mount_of(real: &Path) -> Option<Mount> {
    Mount::of(&std::fs::read_to_string("/proc/self/mountinfo").ok()?, real)
}

#[cfg(test)]
mod tests {
    use super::Mount;
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
}
