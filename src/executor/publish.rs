//! Puts finished files under their final names in a folder storage.
//!
//! Guarantees: a name appears only when its whole file lies on the storage, synced and read back with the right hash;
//! all files of a publish are staged before the first one is named, so a full disk names none; names appear in the
//! order given, the folder of the earlier ones synced before a later one in another folder. Every step may be
//! repeated after a crash at any instant: what is staged or named already is adopted by size and hash, also when
//! scratch is gone by then. Deliberately absent: choosing names; threads and time-outs.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::executor::PublishFile;
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
            Origin::Storage(_) => Fault::new(
                "SourceChanged",
                Blame::Source,
                "copy",
                file.from.as_ref().map(ToString::to_string).unwrap_or_default(),
                "it was changed while it was copied",
                "Run the job again when nothing writes to it any more.",
            ),
        }
    }
}

/// The staging folder of an attempt.
pub fn staging(attempt: &AttemptId) -> String {
    format!("{STAGING}/{attempt}")
}

/// Where a file waits for its name: by the key it will have, so that a replay finds it.
fn staged_key(attempt: &AttemptId, key: &str) -> String {
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
    let key = file.to.key.as_str();
    if key.starts_with(STAGING) {
        return Err(Fault::new(
            "KeyInvalid",
            Blame::Request,
            "publish",
            file.to.to_string(),
            format!("names beneath {STAGING} are swept at every start"),
            "Choose another path template.",
        ));
    }
    let wanted = Some((file.size_bytes, file.md5.clone()));
    match storage.stat(key)? {
        Some(stat) if stat.kind != Kind::File => return Err(taken(file)),
        Some(stat) if stat.size_bytes == file.size_bytes && storage.measure(key, pulse)? == wanted => {
            return Ok(Standing::Named);
        }
        Some(_) if !file.overwrite => return Err(taken(file)),
        _ => {}
    }
    copy(origin, storage, &staged_key(attempt, key), file, pulse).map_err(|fault| Fault {
        // Nobody knows the staged name; the final one tells what is missing.
        subject: file.to.to_string(),
        ..fault
    })
}

/// The copy itself, unless a whole one waits already.
fn copy(origin: &Origin, storage: &Folder, staged: &str, file: &PublishFile, pulse: &Pulse) -> Result<Standing, Fault> {
    let wanted = Some((file.size_bytes, file.md5.clone()));
    let staged_size = storage.stat(staged)?.map(|stat| stat.size_bytes);
    if staged_size == Some(file.size_bytes) && storage.measure(staged, pulse)? == wanted {
        return Ok(Standing::Staged);
    }
    let source = origin.open(file)?;
    storage.stage(staged, &source, pulse)?;
    if storage.measure(staged, pulse)? == wanted {
        return Ok(Standing::Staged);
    }
    storage.remove(staged)?;
    match origin.measure(file, pulse)? {
        found if found == wanted => Err(Fault::new(
            "OutputCorrupt",
            Blame::Host,
            "publish",
            file.to.to_string(),
            "what the storage gave back is not what was written to it",
            "Check the storage and its network for faulty hardware; the copy is tried again by itself.",
        )),
        _ => Err(origin.not_as_it_was(file)),
    }
}

/// Gives the files their names, in their order. `standing` says how [`stage`] left each of them.
pub fn name(
    storage: &Folder,
    attempt: &AttemptId,
    files: &[PublishFile],
    standing: &[Standing],
    pulse: &Pulse,
) -> Result<(), Fault> {
    let mut unsynced: Option<&str> = None;
    for (file, standing) in files.iter().zip(standing) {
        let key = file.to.key.as_str();
        if let Some(earlier) = unsynced.filter(|earlier| folder_of(earlier) != folder_of(key)) {
            storage.sync_parent(earlier)?;
        }
        unsynced = Some(key);
        if *standing == Standing::Staged {
            name_one(storage, attempt, file, pulse)?;
        }
        // Nobody waits for a heartbeat between two renames; a storage that stops here is found by the next call.
        let _ = pulse.beat();
    }
    unsynced.map_or(Ok(()), |last| storage.sync_parent(last))
}

fn name_one(storage: &Folder, attempt: &AttemptId, file: &PublishFile, pulse: &Pulse) -> Result<(), Fault> {
    let key = file.to.key.as_str();
    let staged = staged_key(attempt, key);
    let wanted = Some((file.size_bytes, file.md5.clone()));
    match storage.place(&staged, key, file.overwrite)? {
        Placed::Done => {}
        Placed::Taken if storage.measure(key, pulse)? == wanted => storage.remove(&staged)?,
        Placed::Taken => return Err(taken(file)),
    }
    // NFS promises what was closed to whoever opens next: look as a reader would.
    match storage.stat(key)? {
        Some(stat) if stat.size_bytes == file.size_bytes => Ok(()),
        found => Err(Fault::new(
            "OutputCorrupt",
            Blame::Host,
            "publish",
            file.to.to_string(),
            match found {
                Some(stat) => format!("it has {} bytes there instead of {}", stat.size_bytes, file.size_bytes),
                None => "it is not there right after it was renamed".to_owned(),
            },
            "Check whether something else moves files in the output folder; the work is tried again by itself.",
        )),
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

fn taken(file: &PublishFile) -> Fault {
    Fault::new(
        "OutputTaken",
        Blame::Request,
        "publish",
        file.to.to_string(),
        "another object stands under this name and may not be replaced",
        "Remove or rename it, or set on_conflict to version or overwrite.",
    )
}

fn lost(file: &PublishFile, cause: &str) -> Fault {
    Fault::new(
        "ScratchLost",
        Blame::Host,
        "publish",
        file.to.to_string(),
        format!("its file {} in scratch cannot be used: {cause}", file.scratch_path),
        "Run the job again; keep other programs away from scratch_dir.",
    )
}
