//! What the threads of a storage do for its trigger: look at objects, at their tails and containers, at the root.
//!
//! Guarantees: reads at most a tail and some box heads of each object; never follows a link out of the storage.
//! Deliberately absent: deciding anything, and waiting for a hung mount, which the lane does.

use crate::base::file_system;
use crate::objects::lane::Lane;
use crate::objects::local::Folder;
use crate::objects::mounts::mount_of;
use crate::objects::name_rules::NameRules;
use crate::objects::scan;
use crate::objects::scan::Look;
use crate::trigger::beside::Surroundings;
use crate::trigger::board::Space;
use crate::trigger::box_check;
use crate::trigger::box_check::Verdict;
use crate::trigger::mount_guard::Root;
use crate::trigger::settle::Due;
use crate::trigger::sight::Sight;
use std::fs::File;
use std::hash::Hasher;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// How long one operation on the storage may take before it counts as hung.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Time between looks at a root and its mount.
pub const ROOT_EVERY: Duration = Duration::from_secs(15);
/// Bytes at the end of a file whose change means that it is being written.
const TAIL_BYTES: u64 = 64 * 1024;

/// Looks at objects that may have settled. An error means "look again later".
pub fn at_due(folder: &Folder, rules: &NameRules, due: Vec<Due>) -> Vec<(Due, std::io::Result<Option<Sight>>)> {
    let mut surroundings = Surroundings::new(folder, rules);
    due.into_iter()
        .map(|due| {
            let sight = sight(folder, &mut surroundings, &due);
            (due, sight)
        })
        .collect()
}

fn sight(folder: &Folder, surroundings: &mut Surroundings<'_>, due: &Due) -> std::io::Result<Option<Sight>> {
    let Look::Object(found) = scan::look(folder.root(), &due.key)? else {
        return Ok(None);
    };
    let mut sight = Sight {
        size_bytes: found.size_bytes,
        mtime_ns: found.mtime_ns,
        ..Sight::default()
    };
    if due.check {
        sight.beside = surroundings.of(&found, due.changed)?;
    }
    // What waits for others is not read again and again meanwhile.
    if sight.beside.obstacle.is_some() || found.size_bytes == 0 {
        return Ok(Some(sight));
    }
    match folder.open(&due.key) {
        Ok((mut file, stat)) => {
            sight.size_bytes = stat.size_bytes;
            sight.mtime_ns = stat.mtime_ns;
            sight.tail = Some(tail(&mut file, stat.size_bytes)?);
            if due.check
                && let Verdict::Unfinished(why) = box_check::check(&mut file, stat.size_bytes)?
            {
                sight.unfinished = Some(why);
            }
        }
        Err(fault) => sight.unreadable = Some(fault.cause),
    }
    Ok(Some(sight))
}

fn tail(file: &mut File, size_bytes: u64) -> std::io::Result<u64> {
    file.seek(SeekFrom::Start(size_bytes.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    // The same hash as long as the program runs; nothing of it is kept.
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(&bytes);
    Ok(hasher.finish())
}

/// What stands under the paths that were heard of.
pub fn at_keys(root: &Path, keys: Vec<String>) -> Vec<(String, std::io::Result<Look>)> {
    keys.into_iter()
        .map(|key| {
            let look = scan::look(root, &key);
            (key, look)
        })
        .collect()
}

/// A root and the type of its file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootSeen {
    /// For the guard.
    pub root: Root,
    /// The path without links.
    pub real: PathBuf,
    /// Type of the file system as statfs has it, `local` for ordinary ones.
    pub file_system: &'static str,
    /// Number of the folder in its file system.
    pub inode: u64,
    /// Room in it.
    pub space: Option<Space>,
}

impl RootSeen {
    /// Whether a watch on the one is a watch on the other. Shares may number their folders anew, and are polled.
    pub fn is_the_same_as(&self, other: &RootSeen) -> bool {
        self.root.mount == other.root.mount
            && self.real == other.real
            && (self.root.shared || self.inode == other.inode)
    }
}

/// Why a root was not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRoot {
    /// Something answered: there is no such folder.
    pub gone: bool,
    /// A clause.
    pub why: String,
}

/// Looks at a root, and whether `sentinel` is in it.
///
/// # Errors
/// It is not there, is no folder, or does not answer.
pub fn at_root(path: &Path, sentinel: Option<&str>) -> Result<RootSeen, NoRoot> {
    let said = |error: std::io::Error| NoRoot {
        gone: matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        why: format!("{}: {error}", path.display()),
    };
    let real = path.canonicalize().map_err(said)?;
    let found = file_system::of(&real).map_err(said)?;
    let inode = std::fs::metadata(&real).map_err(said)?.ino();
    let first = std::fs::read_dir(&real).map_err(said)?.next();
    let empty = first.transpose().map_err(said)?.is_none();
    let missing = |name: &&str| std::fs::symlink_metadata(real.join(name)).is_err();
    let missing_sentinel = sentinel.filter(missing).map(str::to_owned);
    let mount = mount_of(&real).ok_or_else(|| NoRoot {
        gone: false,
        why: format!("{}: its mount is not in mountinfo", path.display()),
    })?;
    let space = rustix::fs::statvfs(&real).ok().map(|stat| Space {
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
    });
    Ok(RootSeen {
        root: Root {
            own_mount: mount.point != Path::new("/"),
            mount: mount.text(),
            empty,
            shared: found.network,
            missing_sentinel,
        },
        real,
        file_system: found.name,
        inode,
        // Some file systems say that they have no room at all, and take files all the same.
        space: space.filter(|space| space.total_bytes > 0),
    })
}

/// The same on a thread of the storage, given up when it hangs.
///
/// # Errors
/// Why it is not believed to be there.
pub async fn at_root_in(lane: &Lane, path: &Path, sentinel: Option<&str>) -> Result<RootSeen, NoRoot> {
    let (path, sentinel) = (path.to_owned(), sentinel.map(str::to_owned));
    let look = move || at_root(&path, sentinel.as_deref());
    let seen = lane.run("look at the root", PATIENCE, look).await;
    seen.map_err(|fault| NoRoot {
        gone: false,
        why: fault.cause,
    })
    .and_then(|seen| seen)
}
