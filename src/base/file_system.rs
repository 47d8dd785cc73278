//! What kind of file system a path lies on, and whether another host may change it behind our back.
//!
//! Guarantees: asks the kernel once a call (statfs), follows links. Deliberately absent: what to make of the answer;
//! the store refuses network file systems, triggers poll them.

use std::path::Path;

/// The file system a path lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// Its name as mount(8) spells it, or `local` for everything that is not on the list of shared ones.
    pub name: &'static str,
    /// Shared with other hosts or served by a program: no reliable locks, no inotify for changes made elsewhere.
    pub network: bool,
}

/// `f_type` of shared file systems, from linux/magic.h and the file systems' own sources.
const SHARED: [(u32, &str); 20] = [
    (0x0000_6969, "nfs"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0000_517b, "smbfs"),
    (0x6573_5546, "fuse"),
    (0x0102_1997, "9p"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x4750_4653, "gpfs"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "kafs"),
    (0x7375_7245, "coda"),
    (0x7461_636f, "ocfs2"),
    (0x0116_1970, "gfs2"),
    (0x1983_0326, "beegfs"),
    (0xaad7_aaea, "panfs"),
    (0x2003_0528, "orangefs"),
    (0x786f_4256, "vboxsf"),
    (0xbacb_acbc, "vmhgfs"),
    (0x0000_564c, "ncp"),
];

/// The file system `path` lies on. Errors are those of statfs(2).
pub fn of(path: &Path) -> std::io::Result<FileSystem> {
    let found = rustix::fs::statfs(path)?;
    // The field's width differs by architecture; the magics are 32-bit.
    Ok(by_magic(found.f_type as u32))
}

fn by_magic(magic: u32) -> FileSystem {
    match SHARED.iter().find(|(known, _)| *known == magic) {
        Some((_, name)) => FileSystem { name, network: true },
        None => FileSystem {
            name: "local",
            network: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::by_magic;
    use super::of;

    #[test]
    fn tells_shared_from_local() {
        assert!(by_magic(0x6969).network);
        assert_eq!(by_magic(0xff53_4d42).name, "cifs");
        assert!(!by_magic(0xef53).network, "ext4 is local");
        assert_eq!(
            of(std::path::Path::new("/proc")).expect("statfs of /proc").name,
            "local"
        );
        assert!(of(std::path::Path::new("/no/such/path")).is_err());
    }
}
