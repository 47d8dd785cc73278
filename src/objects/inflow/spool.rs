//! The ends of files that come into buckets: what is not yet enough for a part waits on the local disk.
//!
//! A bucket takes parts of several MiB and nothing smaller, and a sender may bring a kilobyte a request. So every part
//! gathers in a file of its own, named by the incoming file's id and by the offset at which the part begins. Guarantees:
//! what was synced is there after a crash; writing a range again is harmless; a file is cut to what was agreed on before
//! anything is added. Deliberately absent: which of them are still wanted.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::uri::ObjectUri;
use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// What of one file waits at most, as a rule: the part that gathers and the one that is being sent.
const GATHERED_BYTES: u64 = 32 << 20;

/// The directory in which they lie.
#[derive(Debug, Clone)]
pub struct Spool(Arc<PathBuf>);

/// Whose file it is and where in it the part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Id of the incoming file.
    pub id: String,
    /// Offset of the part.
    pub start: u64,
}

impl Spool {
    /// In `directory`, which is made when it is first needed.
    pub fn new(directory: PathBuf) -> Self {
        Spool(Arc::new(directory))
    }

    fn path(&self, place: &Place) -> PathBuf {
        self.0.join(format!("{}-{}", place.id, place.start))
    }

    /// Opens a file of which `length` bytes count; it is made when none do.
    pub fn open(&self, place: &Place, length: u64, object: &ObjectUri) -> Result<File, Fault> {
        let open = || -> std::io::Result<Option<File>> {
            DirBuilder::new().recursive(true).mode(0o700).create(self.0.as_path())?;
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(length == 0).mode(0o600);
            let file = match options.open(self.path(place)) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let there = file.metadata()?.len();
            if there > length {
                file.set_len(length)?;
            }
            Ok((there >= length).then_some(file))
        };
        match open() {
            Ok(Some(file)) => Ok(file),
            Ok(None) => Err(lost(object, "its last bytes are gone from the scratch directory")),
            Err(error) => Err(refused(object, &error)),
        }
    }

    /// Bytes of a file; none: it is not there.
    pub fn length(&self, place: &Place, object: &ObjectUri) -> Result<Option<u64>, Fault> {
        match std::fs::metadata(self.path(place)) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(object, &error)),
        }
    }

    /// Makes what was written, and its name, last.
    pub fn sync(&self, file: &File, object: &ObjectUri) -> Result<(), Fault> {
        let sync = || -> std::io::Result<()> {
            file.sync_data()?;
            File::open(self.0.as_path())?.sync_all()
        };
        sync().map_err(|error| refused(object, &error))
    }

    /// Whether two parts of a file of this size (none: not known), or all of it, find room.
    pub fn check_room(&self, size_bytes: Option<u64>, object: &ObjectUri) -> Result<(), Fault> {
        let wanted = size_bytes.unwrap_or(GATHERED_BYTES).min(GATHERED_BYTES);
        let stat = rustix::fs::statvfs(self.0.as_path()).map_err(|error| refused(object, &error.into()))?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if wanted <= free {
            return Ok(());
        }
        let cause = format!("{wanted} bytes have to wait in it, and only {free} are free");
        Err(refused(object, &std::io::Error::new(ErrorKind::StorageFull, cause)))
    }

    /// Removes one file; none there is fine.
    pub fn remove(&self, place: &Place) -> std::io::Result<()> {
        match std::fs::remove_file(self.path(place)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the files of one id but the one that begins at `keep`.
    pub fn remove_others(&self, id: &str, keep: Option<u64>) -> std::io::Result<()> {
        self.each(|place, _| match place.id == id && Some(place.start) != keep {
            true => self.remove(place),
            false => Ok(()),
        })
    }

    /// Removes the files of ids that are not `wanted` and were not touched since then, nanoseconds since 1970; how many.
    pub fn sweep(&self, wanted: &BTreeSet<String>, untouched_since_ns: i64) -> std::io::Result<usize> {
        let mut removed = 0;
        self.each(|place, touched_ns| {
            if !wanted.contains(&place.id) && touched_ns < untouched_since_ns {
                self.remove(place)?;
                removed += 1;
            }
            Ok(())
        })?;
        Ok(removed)
    }

    fn each(&self, mut visit: impl FnMut(&Place, i64) -> std::io::Result<()>) -> std::io::Result<()> {
        let entries = match std::fs::read_dir(self.0.as_path()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let place = name
                .to_str()
                .and_then(|name| name.rsplit_once('-'))
                .and_then(|(id, start)| {
                    Some(Place {
                        id: id.to_owned(),
                        start: start.parse().ok()?,
                    })
                });
            let Some(place) = place else { continue };
            let touched = entry.metadata().and_then(|found| found.modified()).ok();
            let touched = touched.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            let touched_ns = touched.map_or(0, |age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
            visit(&place, touched_ns)?;
        }
        Ok(())
    }
}

/// Writes at a place of a file, whatever was written before.
pub fn write_at(file: &File, bytes: &[u8], offset: u64, object: &ObjectUri) -> Result<(), Fault> {
    file.write_all_at(bytes, offset)
        .map_err(|error| refused(object, &error))
}

/// Reads the first bytes of a file.
pub fn read(file: &File, length: u64, object: &ObjectUri) -> Result<Vec<u8>, Fault> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(lost(object, "its last bytes are gone from the scratch directory"))
        }
        Err(error) => Err(refused(object, &error)),
    }
}

/// What came cannot be gone on with.
pub fn lost(object: &ObjectUri, cause: &str) -> Fault {
    Fault::new(
        "UploadLost",
        Blame::Host,
        "go on with",
        object.to_string(),
        cause,
        "Ask how many bytes are there and send the rest.",
    )
}

fn refused(object: &ObjectUri, error: &std::io::Error) -> Fault {
    let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    Fault::new(
        if full { "OutputDiskFull" } else { "ScratchNotWritable" },
        Blame::Host,
        "keep the last bytes of",
        object.to_string(),
        format!("the scratch directory does not take them: {error}"),
        "Free space in server.scratch_dir, and let the daemon's user write there.",
    )
}

#[cfg(test)]
mod tests {
    use super::Place;
    use super::Spool;
    use super::read;
    use super::write_at;
    use crate::objects::uri::ObjectUri;
    use std::collections::BTreeSet;

    #[test]
    fn only_what_counts_is_kept() {
        let root = tempfile::tempdir().expect("a folder");
        let spool = Spool::new(root.path().join("spool"));
        let object = ObjectUri::new("cloud", "a");
        let place = |id: &str, start: u64| Place {
            id: id.to_owned(),
            start,
        };
        assert_eq!(spool.length(&place("1", 0), &object).expect("asked"), None);
        let file = spool.open(&place("1", 0), 0, &object).expect("made");
        write_at(&file, b"abcdef", 0, &object).expect("written");
        spool.sync(&file, &object).expect("synced");
        // A request wrote six bytes and only four were answered for.
        let file = spool.open(&place("1", 0), 4, &object).expect("there");
        assert_eq!(read(&file, 4, &object).expect("read"), b"abcd");
        assert_eq!(read(&file, 5, &object).expect_err("cut").code, "UploadLost");
        assert_eq!(
            spool.open(&place("1", 0), 5, &object).expect_err("cut").code,
            "UploadLost"
        );
        assert_eq!(
            spool.open(&place("2", 9), 1, &object).expect_err("none").code,
            "UploadLost"
        );
        spool.open(&place("1", 9), 0, &object).expect("made");
        spool.open(&place("1-x", 0), 0, &object).expect("made");
        spool.remove_others("1", Some(9)).expect("removed");
        assert_eq!(spool.length(&place("1", 0), &object).expect("asked"), None);
        assert_eq!(spool.length(&place("1", 9), &object).expect("asked"), Some(0));
        let wanted = BTreeSet::from(["1".to_owned()]);
        assert_eq!(spool.sweep(&wanted, 0).expect("swept"), 0, "all are new");
        assert_eq!(spool.sweep(&wanted, i64::MAX).expect("swept"), 1);
        assert_eq!(spool.length(&place("1", 9), &object).expect("asked"), Some(0));
    }
}
