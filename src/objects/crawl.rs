//! A walk through the whole of a folder storage, or through one of its folders, by a few threads at once.
//!
//! Guarantees: symbolic links are never followed, not even when one takes a folder's place meanwhile, and paths may be as
//! long as they like, because every name is opened and looked at relative to its own folder; ignored names are passed over
//! without looking into them; what the sieve knows costs no memory, the rest is handed out in portions; memory is bounded
//! by the names of the largest folder; folders that cannot be seen are named, so that nobody takes what is in them for
//! gone. The names of a folder come in their order, which the ledger's tree likes. Deliberately absent: memory of earlier
//! walks, waiting, and threads: whoever has some calls [`Crawl::portion`] on each.

mod names;

use crate::objects::scan::Found;
use crate::objects::sieve::Sieve;
use crate::objects::sieve::Sighting;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;
use names::Kind;
use names::Names;
use names::Reading;
use rustix::fs::AtFlags;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::Stat;
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

/// Names that are looked at in one piece.
const PIECE: usize = 1_024;
/// Looks between two glances at the clock: one may take milliseconds on a share.
const LOOKS: usize = 16;
/// Bytes of names that the kernel hands over at once.
const NAMES: usize = 32 * 1024;
/// Folders that cannot be seen, of which the names are kept.
const UNSEEN: usize = 1_000;

/// What a walk could not see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unseen {
    /// Folders that this user may not list, as keys.
    pub denied: Vec<String>,
    /// There were more of them than are kept.
    pub more_denied: bool,
    /// The first other failure: the walk is not whole.
    pub failure: Option<String>,
}

/// A walk. Clones are the same one.
#[derive(Clone)]
pub struct Crawl(Arc<Shared>);

struct Shared {
    others_within: Vec<PathBuf>,
    sieve: Box<dyn Sieve>,
    work: Mutex<Work>,
    entries: AtomicU64,
    objects: AtomicU64,
}

/// Pieces of the walk that nobody has taken, the next one last.
struct Work {
    pieces: Vec<Piece>,
    taken: usize,
    unseen: Unseen,
}

enum Piece {
    /// A folder at its full path: where the walk begins.
    Top { path: PathBuf, key: String },
    /// A folder that has not been opened.
    Folder {
        parent: Arc<OwnedFd>,
        name: Vec<u8>,
        key: String,
    },
    /// One whose names are being read.
    Reading(Reading),
    /// Names of one that are to be looked at.
    Looking {
        folder: Arc<Folder>,
        from: usize,
        to: usize,
    },
}

/// A folder whose names are known.
struct Folder {
    open: Arc<OwnedFd>,
    /// What the keys in it begin with: empty, or with a slash at its end.
    prefix: String,
    names: Names,
}

impl Crawl {
    /// Begins at the folder `from` (a key in text form, empty: the whole storage). Folders of `others_within`,
    /// relative to the root, belong to other storages and are passed over.
    pub fn begin(root: &Path, from: &str, others_within: &[PathBuf], sieve: impl Sieve + 'static) -> Self {
        let top = Piece::Top {
            path: root.join(OsStr::from_bytes(&key_bytes(from))),
            key: from.to_owned(),
        };
        Crawl(Arc::new(Shared {
            others_within: others_within.to_vec(),
            sieve: Box::new(sieve),
            work: Mutex::new(Work {
                pieces: vec![top],
                taken: 0,
                unseen: Unseen::default(),
            }),
            entries: AtomicU64::new(0),
            objects: AtomicU64::new(0),
        }))
    }

    /// The next news: about `limit` of them at most, and what can be had within `time`. Blocks as the storage does. May be
    /// called on several threads at once.
    pub fn portion(&self, limit: usize, time: Duration) -> Vec<Found> {
        let until = Instant::now() + time;
        let mut hands = Hands::default();
        while hands.found.len() < limit {
            let Some((piece, mut turn)) = self.take() else { break };
            self.carry_out(piece, until, &mut hands, &mut turn.rest);
            drop(turn);
            if Instant::now() >= until {
                break;
            }
        }
        hands.found
    }

    /// There is nothing more, and nobody is looking.
    pub fn done(&self) -> bool {
        let work = self.work();
        work.pieces.is_empty() && work.taken == 0
    }

    /// Pieces that another thread could take now.
    pub fn pieces(&self) -> usize {
        self.work().pieces.len()
    }

    /// What was not seen so far.
    pub fn unseen(&self) -> Unseen {
        self.work().unseen.clone()
    }

    /// Names met so far, ignored ones and folders too.
    pub fn entries(&self) -> u64 {
        self.0.entries.load(Ordering::Relaxed)
    }

    /// Objects met so far.
    pub fn objects(&self) -> u64 {
        self.0.objects.load(Ordering::Relaxed)
    }

    fn take(&self) -> Option<(Piece, Turn<'_>)> {
        let mut work = self.work();
        let piece = work.pieces.pop()?;
        work.taken += 1;
        drop(work);
        let turn = Turn {
            crawl: self,
            rest: Vec::new(),
        };
        Some((piece, turn))
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.0.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does as much of a piece as the time allows, at least a little; what follows from it goes into `rest`, the next last.
    fn carry_out(&self, piece: Piece, until: Instant, hands: &mut Hands, rest: &mut Vec<Piece>) {
        match piece {
            Piece::Top { path, key } => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                // The root may be a link; nothing beneath it may.
                let flags = if key.is_empty() {
                    flags
                } else {
                    flags | OFlags::NOFOLLOW
                };
                match rustix::fs::open(&path, flags, Mode::empty()) {
                    Ok(open) => rest.push(Piece::Reading(Reading::new(open, key))),
                    Err(error) => self.top_unseen(&path, &key, error),
                }
            }
            Piece::Folder { parent, name, key } => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match rustix::fs::openat(&*parent, name.as_slice(), flags, Mode::empty()) {
                    Ok(open) => self.read(Reading::new(open, key), until, hands, rest),
                    Err(error) => self.folder_unseen(key, error),
                }
            }
            Piece::Reading(reading) => self.read(reading, until, hands, rest),
            Piece::Looking { folder, from, to } => self.look(&folder, (from, to), until, hands, rest),
        }
    }

    /// Reads names; when all are there, what is to be done with them.
    fn read(&self, mut reading: Reading, until: Instant, hands: &mut Hands, rest: &mut Vec<Piece>) {
        match reading.go_on(&mut hands.names, until) {
            Ok(true) => {}
            Ok(false) => return rest.push(Piece::Reading(reading)),
            // What was read before is not lost, and the walk is known not to be whole.
            Err(error) => self.folder_unseen(reading.key.clone(), error),
        }
        let Reading {
            open,
            key,
            mut names,
            entries,
        } = reading;
        self.0.entries.fetch_add(entries, Ordering::Relaxed);
        names.sort();
        let open = Arc::new(open);
        let prefix = if key.is_empty() { key } else { format!("{key}/") };
        // Taken from the end: files first, in order, then the folders.
        for name in names.all.iter().rev().filter(|name| name.kind == Kind::Folder) {
            self.push_folder(&open, &prefix, names.bytes_of(*name), rest);
        }
        names.all.retain(|name| name.kind != Kind::Folder);
        let count = names.all.len();
        let folder = Arc::new(Folder { open, prefix, names });
        for from in (0..count).step_by(PIECE).rev() {
            let to = (from + PIECE).min(count);
            rest.push(Piece::Looking {
                folder: Arc::clone(&folder),
                from,
                to,
            });
        }
    }

    fn push_folder(&self, parent: &Arc<OwnedFd>, prefix: &str, name: &[u8], rest: &mut Vec<Piece>) {
        let key = format!("{prefix}{}", key_text(name));
        let is_another = |other: &PathBuf| other.as_os_str().as_bytes() == key_bytes(&key);
        if !self.0.others_within.iter().any(is_another) {
            rest.push(Piece::Folder {
                parent: Arc::clone(parent),
                name: name.to_owned(),
                key,
            });
        }
    }

    /// Looks at names of a folder and takes up what is news.
    fn look(
        &self,
        folder: &Arc<Folder>,
        (from, to): (usize, usize),
        until: Instant,
        hands: &mut Hands,
        rest: &mut Vec<Piece>,
    ) {
        hands.clear();
        let mut at = from;
        while at < to {
            if (at - from) % LOOKS == 0 && at > from && Instant::now() >= until {
                rest.push(Piece::Looking {
                    folder: Arc::clone(folder),
                    from: at,
                    to,
                });
                break;
            }
            let name = folder.names.all[at];
            at += 1;
            let bytes = folder.names.bytes_of(name);
            match rustix::fs::statat(&*folder.open, bytes, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                    FileType::RegularFile => hands.saw(&folder.prefix, bytes, &stat),
                    FileType::Directory => self.push_folder(&folder.open, &folder.prefix, bytes, rest),
                    _ => {}
                },
                Err(Errno::NOENT) => {}
                Err(error) => {
                    let key = format!("{}{}", folder.prefix, key_text(bytes));
                    self.fail(&key, error);
                }
            }
        }
        self.0.objects.fetch_add(hands.sights.len() as u64, Ordering::Relaxed);
        hands.sift(&*self.0.sieve);
    }

    fn top_unseen(&self, path: &Path, key: &str, error: Errno) {
        match error {
            // A folder that appeared and went; a storage's own folder does not just go.
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP if !key.is_empty() => {}
            Errno::ACCESS | Errno::PERM if !key.is_empty() => self.folder_unseen(key.to_owned(), error),
            _ => self.fail(&path.display().to_string(), error),
        }
    }

    fn folder_unseen(&self, key: String, error: Errno) {
        match error {
            // It went, or something else took its place: the walk after this meets that.
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP => {}
            Errno::ACCESS | Errno::PERM => {
                let unseen = &mut self.work().unseen;
                if unseen.denied.len() < UNSEEN {
                    unseen.denied.push(key);
                } else {
                    unseen.more_denied = true;
                }
            }
            error => self.fail(&key, error),
        }
    }

    fn fail(&self, what: &str, error: Errno) {
        let said = || format!("{what}: {}", std::io::Error::from(error));
        self.work().unseen.failure.get_or_insert_with(said);
    }
}

/// A piece that one thread has. Dropping it, also by a panic, gives back what is left.
struct Turn<'a> {
    crawl: &'a Crawl,
    rest: Vec<Piece>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut work = self.crawl.work();
        work.pieces.append(&mut self.rest);
        work.taken -= 1;
    }
}

/// What one thread works with, used again for each piece.
struct Hands {
    found: Vec<Found>,
    /// Room for what the kernel hands over; its length stays 0.
    names: Vec<u8>,
    keys: String,
    sights: Vec<Sight>,
    news: Vec<bool>,
}

/// A sighting whose key lies in [`Hands::keys`].
struct Sight {
    from: usize,
    to: usize,
    size_bytes: u64,
    mtime_ns: i64,
    ctime_ns: i64,
}

impl Default for Hands {
    fn default() -> Self {
        Hands {
            found: Vec::new(),
            names: Vec::with_capacity(NAMES),
            keys: String::new(),
            sights: Vec::new(),
            news: Vec::new(),
        }
    }
}

impl Hands {
    fn clear(&mut self) {
        self.keys.clear();
        self.sights.clear();
        self.news.clear();
    }

    fn saw(&mut self, prefix: &str, name: &[u8], stat: &Stat) {
        let from = self.keys.len();
        self.keys.push_str(prefix);
        self.keys.push_str(&key_text(name));
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        self.sights.push(Sight {
            from,
            to: self.keys.len(),
            size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
            mtime_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec as i64),
            ctime_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec as i64),
        });
    }

    fn sift(&mut self, sieve: &dyn Sieve) {
        let sightings: Vec<Sighting<'_>> = self
            .sights
            .iter()
            .map(|sight| Sighting {
                key: &self.keys[sight.from..sight.to],
                size_bytes: sight.size_bytes,
                mtime_ns: sight.mtime_ns,
                ctime_ns: sight.ctime_ns,
            })
            .collect();
        sieve.news(&sightings, &mut self.news);
        let news = sightings.iter().zip(&self.news).filter(|(_, news)| **news);
        self.found.extend(news.map(|(seen, _)| Found {
            key: seen.key.to_owned(),
            size_bytes: seen.size_bytes,
            mtime_ns: seen.mtime_ns,
            ctime_ns: seen.ctime_ns,
        }));
    }
}

#[cfg(test)]
mod tests;
