//! Puts finished files under their final names in a folder storage.
//!
//! Guarantees: a name appears only when its whole file lies on the storage, synced and read back with the right hash;
//! all files of a publish are staged before the first one is named, so a full disk names none; names appear in the
//! order given, the folder of the earlier ones synced before a later one in another folder. Every step may be
//! repeated after a crash at any instant: what is staged or named already is adopted by size and hash, also when
//! scratch is gone by then. Deliberately absent: choosing names; threads and time-outs.

use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::executor::Identity;
use crate::executor::PublishFile;
use crate::executor::publish::changed;
use crate::executor::publish::corrupt;
use crate::executor::publish::lost;
use crate::executor::publish::taken;
use crate::objects::local::Folder;
use crate::objects::local::Kind;
use crate::objects::local::Placed;
use crate::objects::local::STAGING;
use crate::objects::pulse::Pulse;
use crate::objects::uri::key_text;
use crate::worker::scratch::is_attempt;
use md5::Digest;
use md5::Md5;
use std::fs::File;

/// Where a file stands after [`stage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Whole in staging.
    Staged,
    /// Already under its final name.
    Named,
}

/// Where the files of a publish lie.
#[derive(Debug, Clone)]
pub enum Origin {
    /// In an attempt's scratch directory.
    Scratch(Folder),
    /// In a storage, from which they are copied.
    Storage(Folder),
}

impl Origin {
    fn place(&self, file: &PublishFile) -> (&Folder, String) {
        match self {
            Origin::Scratch(folder) => (folder, key_text(file.scratch_path.as_bytes())),
            Origin::Storage(folder) => (
                folder,
                file.from.as_ref().map(|from| from.key.clone()).unwrap_or_default(),
            ),
        }
    }

    fn open(&self, file: &PublishFile) -> Result<File, Fault> {
        let (folder, key) = self.place(file);
        match (folder.open(&key), self) {
            (Ok((open, _)), _) => Ok(open),
            (Err(fault), Origin::Scratch(_)) => Err(lost(file, &fault.cause)),
            (Err(fault), Origin::Storage(_)) => Err(fault),
        }
    }

    fn measure(&self, file: &PublishFile, pulse: &Pulse) -> Result<Option<(u64, String)>, Fault> {
        let (folder, key) = self.place(file);
        folder.measure(&key, pulse)
    }

    /// The fault of a file that is not any more what it was when its copy was decided.
    fn not_as_it_was(&self, file: &PublishFile) -> Fault {
        match self {
            Origin::Scratch(_) => lost(file, "the file in scratch is not the one the worker proved"),
            Origin::Storage(_) => changed(file),
        }
    }
}

/// The staging folder of an attempt.
pub fn staging(attempt: &AttemptId) -> String {
    format!("{STAGING}/{attempt}")
}

/// Where a file waits for its name: by the key it will have, so that a replay finds it.
pub fn staged_key(attempt: &AttemptId, key: &str) -> String {
    format!("{}/{}", staging(attempt), hex::encode(Md5::digest(key.as_bytes())))
}

/// Copies one file from where it lies into the staging folder of `storage` and proves the copy.
pub fn stage(
    origin: &Origin,
    storage: &Folder,
    attempt: &AttemptId,
    file: &PublishFile,
    pulse: &Pulse,
) -> Result<Standing, Fault> {
    if let Some(standing) = look(storage, attempt, file, pulse)? {
        return Ok(standing);
    }
    copy(origin, storage, &staged_key(attempt, &file.to.key), file, pulse).map_err(|fault| Fault {
        // Nobody knows the staged name; the final one tells what is missing.
        subject: file.to.to_string(),
        ..fault
    })
}

/// What is there of `file` already, whole; none: it has to be copied.
pub fn look(
    storage: &Folder,
    attempt: &AttemptId,
    file: &PublishFile,
    pulse: &Pulse,
) -> Result<Option<Standing>, Fault> {
    let key = file.to.key.as_str();
    let wanted = Some((file.size_bytes, file.md5.clone()));
    match storage.stat(key)? {
        Some(stat) if stat.kind != Kind::File => return Err(taken(file)),
        Some(stat) if stat.size_bytes == file.size_bytes && storage.measure(key, pulse)? == wanted => {
            return Ok(Some(Standing::Named));
        }
        Some(_) if !file.overwrite => return Err(taken(file)),
        _ => {}
    }
    let staged = staged_key(attempt, key);
    let staged_size = storage.stat(&staged)?.map(|stat| stat.size_bytes);
    let whole = staged_size == Some(file.size_bytes) && storage.measure(&staged, pulse)? == wanted;
    Ok(whole.then_some(Standing::Staged))
}

/// The copy itself.
fn copy(origin: &Origin, storage: &Folder, staged: &str, file: &PublishFile, pulse: &Pulse) -> Result<Standing, Fault> {
    let wanted = Some((file.size_bytes, file.md5.clone()));
    let source = origin.open(file)?;
    storage.stage(staged, &source, pulse)?;
    if storage.measure(staged, pulse)? == wanted {
        return Ok(Standing::Staged);
    }
    storage.remove(staged)?;
    match origin.measure(file, pulse)? {
        found if found == wanted => Err(corrupt(
            file,
            "what the storage gave back is not what was written to it",
            "Check the storage and its network for faulty hardware; the copy is tried again by itself.",
        )),
        _ => Err(origin.not_as_it_was(file)),
    }
}

/// Gives the files their names, in their order. `standing` says how [`stage`] left each of them. Answers what stands
/// there, each looked at in the moment after it was named: one that somebody else puts there later is not it.
pub fn name(
    storage: &Folder,
    attempt: &AttemptId,
    files: &[PublishFile],
    standing: &[Standing],
    pulse: &Pulse,
) -> Result<Vec<Identity>, Fault> {
    let mut stand = Vec::with_capacity(files.len());
    let mut unsynced: Option<&str> = None;
    for (file, standing) in files.iter().zip(standing) {
        let key = file.to.key.as_str();
        if let Some(earlier) = unsynced.filter(|earlier| folder_of(earlier) != folder_of(key)) {
            storage.sync_parent(earlier)?;
        }
        unsynced = Some(key);
        stand.push(match standing {
            Standing::Staged => name_one(storage, attempt, file, pulse)?,
            Standing::Named => standing_there(storage, file)?,
        });
        // Nobody waits for a heartbeat between two renames; a storage that stops here is found by the next call.
        let _ = pulse.beat();
    }
    if let Some(last) = unsynced {
        storage.sync_parent(last)?;
    }
    Ok(stand)
}

fn name_one(storage: &Folder, attempt: &AttemptId, file: &PublishFile, pulse: &Pulse) -> Result<Identity, Fault> {
    let key = file.to.key.as_str();
    let staged = staged_key(attempt, key);
    let wanted = Some((file.size_bytes, file.md5.clone()));
    match storage.place(&staged, key, file.overwrite)? {
        Placed::Done => {}
        Placed::Taken if storage.measure(key, pulse)? == wanted => storage.remove(&staged)?,
        Placed::Taken => return Err(taken(file)),
    }
    standing_there(storage, file)
}

/// What stands under the name of `file`, which was found or put there a moment ago.
fn standing_there(storage: &Folder, file: &PublishFile) -> Result<Identity, Fault> {
    // NFS promises what was closed to whoever opens next: look as a reader would.
    match storage.stat(&file.to.key)? {
        Some(stat) if stat.size_bytes == file.size_bytes => Ok(Identity {
            size_bytes: stat.size_bytes,
            mtime_ns: stat.mtime_ns,
            etag: String::new(),
        }),
        found => Err(corrupt(
            file,
            match found {
                Some(stat) => format!("it has {} bytes there instead of {}", stat.size_bytes, file.size_bytes),
                None => "it is not there right after it was renamed".to_owned(),
            },
            "Check whether something else moves files in the output folder; the work is tried again by itself.",
        )),
    }
}

/// Whether something of somebody else stands under the name of `file` that could be taken for it by its size.
pub fn is_strange(storage: &Folder, file: &PublishFile, pulse: &Pulse) -> Result<bool, Fault> {
    match storage.stat(&file.to.key)? {
        Some(stat) if stat.kind == Kind::File && stat.size_bytes == file.size_bytes => {
            Ok(storage.measure(&file.to.key, pulse)? != Some((file.size_bytes, file.md5.clone())))
        }
        _ => Ok(false),
    }
}

/// Removes the staging folder of an attempt, and the common one when it was the last.
pub fn clear(storage: &Folder, attempt: &AttemptId) -> Result<(), Fault> {
    storage.remove_tree(&staging(attempt))?;
    storage.remove_empty_folder(STAGING).map(|_| ())
}

/// Removes the staging folders of every attempt but `keep`.
pub fn sweep(storage: &Folder, keep: &[AttemptId]) -> Result<(), Fault> {
    for name in storage.list(STAGING)?.iter().filter(|name| is_attempt(name)) {
        let attempt = AttemptId::from(name.as_str());
        if !keep.contains(&attempt) {
            storage.remove_tree(&staging(&attempt))?;
        }
    }
    storage.remove_empty_folder(STAGING).map(|_| ())
}

fn folder_of(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(folder, _)| folder)
}
