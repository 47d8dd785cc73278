//! Files that are on their way into a storage, piece by piece: sent to us, or fetched.
//!
//! They lie in `STORAGE/.reelmill/uploads/ID` until they are whole, on the file system where they will stand, so that
//! getting their name is one rename. Guarantees: a name appears only when the whole file is durable, never over
//! something else unless asked; every step may be repeated after a crash at any instant, and a file that has its name
//! already is known by its size and time. Deliberately absent: which of them are still wanted, which the store knows.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::local::Folder;
use crate::objects::local::Kind;
use crate::objects::local::Placed;
use crate::objects::local::STAGING;
use crate::objects::local::Stat;
use crate::objects::pulse::Pulse;
use crate::objects::uri::ObjectUri;
use crate::objects::uri::key_bytes;
use std::fs::File;
use std::io::Write;

/// The folder of a storage in which they lie, beneath [`STAGING`].
const UPLOADS: &str = "uploads";
/// Longest name that file systems take.
const NAME_BYTES: usize = 255;

/// One file that comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Id of its upload or pull.
    pub id: String,
    /// Where it will stand.
    pub object: ObjectUri,
    /// What `uploads.pieces` or `pulls.pieces` remembers of it: the parts that a bucket took. None: nothing.
    pub pieces: Option<String>,
}

/// What a whole file must come to, besides its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest<'a> {
    /// MD5, hex.
    Md5(&'a str),
    /// SHA-256, hex.
    Sha256(&'a str),
}

impl<'a> Digest<'a> {
    /// Reads `md5:HEX` or `sha256:HEX`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (kind, hex) = text.split_once(':')?;
        let digits = |count: usize| hex.len() == count && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        match kind {
            "md5" if digits(32) => Some(Digest::Md5(hex)),
            "sha256" if digits(64) => Some(Digest::Sha256(hex)),
            _ => None,
        }
    }
}

impl Incoming {
    /// The key under which its pieces lie.
    pub fn staged_key(&self) -> String {
        staged_key(&self.id)
    }

    /// The same fault with the object as its subject: nobody knows the names of pieces.
    fn of(&self, fault: Fault) -> Fault {
        Fault {
            subject: self.object.to_string(),
            ..fault
        }
    }
}

/// What the keys of pieces begin with.
pub fn staged_prefix() -> String {
    format!("{STAGING}/{UPLOADS}/")
}

fn folder_key() -> String {
    format!("{STAGING}/{UPLOADS}")
}

fn staged_key(id: &str) -> String {
    format!("{STAGING}/{UPLOADS}/{id}")
}

/// What is wrong with a key that something shall be stored under.
///
/// # Errors
/// A request fault.
pub fn check_key(object: &ObjectUri) -> Result<(), Fault> {
    let refused = |cause: &str| {
        Err(Fault::new(
            "KeyInvalid",
            Blame::Request,
            "store",
            object.to_string(),
            cause,
            "Give a key such as uploads/clip.mp4.",
        ))
    };
    let parts_are_sound = object
        .key
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..");
    if object.key.len() > 1024 {
        return refused("the key is longer than 1024 bytes");
    }
    if !parts_are_sound || object.key.chars().any(char::is_control) {
        return refused(
            "a key is names joined by single slashes, without `.`, `..`, control characters or a slash at its ends",
        );
    }
    let too_long = |part: &str| key_bytes(part).len() > NAME_BYTES;
    if object.key.split('/').any(too_long) {
        return refused("a name in the key is longer than 255 bytes, which no file system takes");
    }
    if object.key.split('/').next() == Some(STAGING) {
        return refused("names beneath .reelmill are the program's own");
    }
    Ok(())
}

/// Makes the empty file, where there is room for all of it.
pub fn begin(folder: &Folder, incoming: &Incoming, size_bytes: Option<u64>) -> Result<(), Fault> {
    if let (Some(wanted), Some(free)) = (size_bytes, folder.free_bytes().map_err(|fault| incoming.of(fault))?)
        && wanted > free
    {
        return Err(Fault::new(
            "OutputDiskFull",
            Blame::Host,
            "begin",
            incoming.object.to_string(),
            format!("it needs {wanted} bytes and only {free} are free"),
            "Free space on the storage or choose another one, and begin again.",
        ));
    }
    let key = incoming.staged_key();
    let file = folder.grow(&key, 0).map_err(|fault| incoming.of(fault))?;
    folder.sync_file(&key, &file).map_err(|fault| incoming.of(fault))?;
    folder.sync_parent(&key).map_err(|fault| incoming.of(fault))
}

/// Bytes of it that are there; none: nothing was begun, or it has its name.
pub fn received(folder: &Folder, incoming: &Incoming) -> Result<Option<u64>, Fault> {
    let stat = folder
        .stat(&incoming.staged_key())
        .map_err(|fault| incoming.of(fault))?;
    Ok(stat.filter(|stat| stat.kind == Kind::File).map(|stat| stat.size_bytes))
}

/// Opens it to go on at `offset`; what lies beyond is cut off.
pub fn open_at(folder: &Folder, incoming: &Incoming, offset: u64) -> Result<File, Fault> {
    folder
        .grow(&incoming.staged_key(), offset)
        .map_err(|fault| incoming.of(fault))
}

/// Writes the next bytes.
pub fn write(incoming: &Incoming, mut file: &File, bytes: &[u8], pulse: &Pulse) -> Result<(), Fault> {
    let written = bytes.chunks(1 << 20).try_for_each(|part| {
        pulse.beat()?;
        file.write_all(part)
    });
    written.map_err(|error| {
        crate::objects::refusal::fault(
            crate::objects::refusal::Access::Write,
            "write",
            &incoming.object.to_string(),
            &error,
        )
    })
}

/// Makes durable what was written.
pub fn sync(folder: &Folder, incoming: &Incoming, file: &File) -> Result<(), Fault> {
    folder
        .sync_file(&incoming.staged_key(), file)
        .map_err(|fault| incoming.of(fault))
}

/// Size and time of a whole file that waits for its name; none: it does not.
pub fn staged(folder: &Folder, incoming: &Incoming) -> Result<Option<Stat>, Fault> {
    let stat = folder
        .stat(&incoming.staged_key())
        .map_err(|fault| incoming.of(fault))?;
    Ok(stat.filter(|stat| stat.kind == Kind::File))
}

/// Puts a whole file, whose size and time were `staged`, under the name of its object. May be repeated: one that has
/// its name is adopted.
///
/// # Errors
/// `UploadLost` when it is neither in staging nor under its name; what the storage says.
pub fn name(folder: &Folder, incoming: &Incoming, staged: &Stat, overwrite: bool) -> Result<Placed, Fault> {
    let (from, to) = (incoming.staged_key(), incoming.object.key.as_str());
    let placed = if received(folder, incoming)?.is_some() {
        match folder.place(&from, to, overwrite).map_err(|fault| incoming.of(fault))? {
            // A death between the link and the unlink of a file system that cannot rename without replacing.
            Placed::Taken if folder.same_file(&from, to)? => {
                folder.remove(&from)?;
                Placed::Done
            }
            other => other,
        }
    } else {
        match folder.stat(to)? {
            Some(found) if found == *staged => Placed::Done,
            _ => {
                return Err(Fault::new(
                    "UploadLost",
                    Blame::Host,
                    "finish",
                    incoming.object.to_string(),
                    "its pieces are gone from the storage",
                    "Send it again; look whether something else cleans the storage.",
                )
                .retryable(false));
            }
        }
    };
    if placed == Placed::Done {
        folder.sync_parent(to).map_err(|fault| incoming.of(fault))?;
        tidy(folder);
    }
    Ok(placed)
}

/// Removes its pieces; none there is fine.
pub fn discard(folder: &Folder, id: &str) -> Result<(), Fault> {
    folder.remove(&staged_key(id))?;
    tidy(folder);
    Ok(())
}

/// Removes the pieces of everything but `keep` that was not touched since `untouched_since_ns` (nanoseconds since 1970):
/// what is newer may have been begun by somebody whose row is about to be written.
pub fn sweep(
    folder: &Folder,
    keep: &std::collections::BTreeSet<String>,
    untouched_since_ns: i64,
) -> Result<usize, Fault> {
    let mut removed = 0;
    for name in folder.list(&folder_key())? {
        let key = staged_key(&name);
        let old = folder
            .stat(&key)?
            .is_some_and(|stat| stat.mtime_ns < untouched_since_ns);
        if old && !keep.contains(&name) {
            folder.remove(&key)?;
            removed += 1;
        }
    }
    tidy(folder);
    Ok(removed)
}

/// Leaves no empty folders of ours behind; whoever needs them makes them anew.
fn tidy(folder: &Folder) {
    if let Ok(true) = folder.remove_empty_folder(&folder_key()) {
        let _ = folder.remove_empty_folder(STAGING);
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;
    use super::Incoming;
    use super::begin;
    use super::check_key;
    use super::name;
    use super::open_at;
    use super::received;
    use super::staged;
    use super::sweep;
    use super::write;
    use crate::objects::local::Folder;
    use crate::objects::local::Placed;
    use crate::objects::pulse::Pulse;
    use crate::objects::uri::ObjectUri;
    use std::collections::BTreeSet;

    fn one(id: &str, key: &str) -> Incoming {
        Incoming {
            id: id.to_owned(),
            object: ObjectUri::new("nas", key),
            pieces: None,
        }
    }

    fn whole(folder: &Folder, incoming: &Incoming, bytes: &[u8]) {
        begin(folder, incoming, Some(bytes.len() as u64)).expect("begun");
        let file = open_at(folder, incoming, 0).expect("opened");
        write(incoming, &file, bytes, &Pulse::default()).expect("written");
    }

    #[test]
    fn a_whole_file_gets_its_name_once_however_often_it_is_asked_for() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::new("nas", root.path());
        let upload = one("1", "in/clip.mp4");
        whole(&folder, &upload, b"film");
        assert_eq!(received(&folder, &upload).expect("asked"), Some(4));
        let stat = staged(&folder, &upload).expect("asked").expect("waits");
        assert_eq!(name(&folder, &upload, &stat, false).expect("named"), Placed::Done);
        // A death before the store heard of it: asked again.
        assert_eq!(name(&folder, &upload, &stat, false).expect("adopted"), Placed::Done);
        assert_eq!(std::fs::read(root.path().join("in/clip.mp4")).expect("there"), b"film");
        assert!(!root.path().join(".reelmill").exists(), "nothing of ours is left");

        let second = one("2", "in/clip.mp4");
        whole(&folder, &second, b"other");
        let stat = staged(&folder, &second).expect("asked").expect("waits");
        assert_eq!(name(&folder, &second, &stat, false).expect("asked"), Placed::Taken);
        assert_eq!(name(&folder, &second, &stat, true).expect("named"), Placed::Done);
        assert_eq!(std::fs::read(root.path().join("in/clip.mp4")).expect("there"), b"other");
        std::fs::write(root.path().join("in/clip.mp4"), b"somebody's").expect("written");
        assert_eq!(
            name(&folder, &second, &stat, true).expect_err("lost").code,
            "UploadLost"
        );
    }

    #[test]
    fn a_link_without_its_unlink_is_finished() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::new("nas", root.path());
        let upload = one("1", "clip.mp4");
        whole(&folder, &upload, b"film");
        let stat = staged(&folder, &upload).expect("asked").expect("waits");
        std::fs::hard_link(root.path().join(".reelmill/uploads/1"), root.path().join("clip.mp4")).expect("linked");
        assert_eq!(name(&folder, &upload, &stat, false).expect("named"), Placed::Done);
        assert!(!root.path().join(".reelmill").exists());
    }

    #[test]
    fn what_is_wanted_survives_a_sweep() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::new("nas", root.path());
        for id in ["1", "2"] {
            whole(&folder, &one(id, "x"), b"film");
        }
        let keep = BTreeSet::from(["2".to_owned()]);
        assert_eq!(sweep(&folder, &keep, 0).expect("swept"), 0, "both are new");
        assert_eq!(sweep(&folder, &keep, i64::MAX).expect("swept"), 1);
        assert!(root.path().join(".reelmill/uploads/2").exists());
        assert!(!root.path().join(".reelmill/uploads/1").exists());
    }

    #[test]
    fn digests_are_read() {
        let md5 = "md5:900150983cd24fb0d6963f7d28e17f72";
        assert!(matches!(Digest::parse(md5), Some(Digest::Md5(_))));
        for bad in ["md5:12", "sha1:900150983cd24fb0d6963f7d28e17f72", "abc", "sha256:"] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn keys_that_lead_elsewhere_are_refused() {
        for key in [
            "../a",
            "a//b",
            "/a",
            "a/",
            "",
            ".",
            "a/./b",
            ".reelmill/x",
            "a\nb",
            &"x".repeat(2000),
        ] {
            assert!(check_key(&ObjectUri::new("nas", key)).is_err(), "{key:?}");
        }
        for key in ["a", "a/b c/ü.mp4", "caf%E9.mov", ".hidden"] {
            assert!(check_key(&ObjectUri::new("nas", key)).is_ok(), "{key:?}");
        }
    }
}
