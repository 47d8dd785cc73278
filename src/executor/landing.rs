//! What is done in storages to files that came in whole: checked, named, or dropped.
//!
//! Guarantees: those of `objects::incoming`; a file that hangs with its storage is told as such. Deliberately absent:
//! which key is tried next when one is taken, and rows.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::Identity;
use crate::objects::incoming;
use crate::objects::incoming::Digest;
use crate::objects::incoming::Incoming;
use crate::objects::local::Folder;
use crate::objects::local::Kind;
use crate::objects::local::Placed;
use crate::objects::local::Stat;
use crate::objects::pulse::Pulse;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use md5::Digest as _;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;

/// Where files land.
#[derive(Debug, Clone)]
pub struct Landings(Storages);

impl Landings {
    /// In these storages.
    pub fn new(storages: Storages) -> Self {
        Landings(storages)
    }

    /// In one folder.
    #[cfg(test)]
    pub(crate) fn in_folder(name: &str, root: &std::path::Path) -> Self {
        Landings(Storages::new([Folder::new(name, root)]))
    }

    /// Size and time of a file that waits for its name; none: it has it, or is lost.
    ///
    /// # Errors
    /// What the storage says.
    pub async fn waiting(&self, file: &Incoming) -> Result<Option<(u64, i64)>, Fault> {
        let incoming = file.clone();
        let staged = self.0.on(&file.object, "look at", move |folder, _| {
            incoming::staged(folder, &incoming)
        });
        Ok(staged.await?.map(|stat| (stat.size_bytes, stat.mtime_ns)))
    }

    /// Compares a file that waits for its name with what it must come to.
    ///
    /// # Errors
    /// `DigestWrong` when it comes to something else; what the storage says.
    pub async fn check(&self, file: &Incoming, digest: &str) -> Result<(), Fault> {
        let (incoming, digest) = (file.clone(), digest.to_owned());
        self.0
            .on(&file.object, "check", move |folder, pulse| {
                check(folder, &incoming, &digest, pulse)
            })
            .await
    }

    /// Puts a file whose size and time are given under the name of its object; false: something else stands there.
    /// What is adopted after a crash has its name already.
    ///
    /// # Errors
    /// `UploadLost`; what the storage says.
    pub async fn name(
        &self,
        file: &Incoming,
        (size_bytes, mtime_ns): (u64, i64),
        overwrite: bool,
    ) -> Result<bool, Fault> {
        let incoming = file.clone();
        let staged = Stat {
            kind: Kind::File,
            size_bytes,
            mtime_ns,
        };
        let placed = self.0.on(&file.object, "finish", move |folder, _| {
            incoming::name(folder, &incoming, &staged, overwrite)
        });
        Ok(placed.await? == Placed::Done)
    }

    /// What stands under the name of an object.
    ///
    /// # Errors
    /// What the storage says.
    pub async fn head(&self, object: &ObjectUri) -> Result<Option<Identity>, Fault> {
        let key = object.key.clone();
        let stat = self.0.on(object, "look at", move |folder, _| folder.stat(&key));
        Ok(stat.await?.filter(|stat| stat.kind == Kind::File).map(|stat| Identity {
            size_bytes: stat.size_bytes,
            mtime_ns: stat.mtime_ns,
            etag: String::new(),
        }))
    }

    /// Drops the pieces of a file. What cannot be dropped now is swept later.
    pub async fn discard(&self, file: &Incoming) {
        let id = file.id.clone();
        let dropped = self
            .0
            .on(&file.object, "remove", move |folder, _| incoming::discard(folder, &id));
        if let Err(fault) = dropped.await {
            tracing::warn!(id = file.id, %fault, "pieces of a file are left until the next sweep");
        }
    }

    /// Drops, in every storage, the pieces of files that are not `wanted` and were not touched for a while.
    pub async fn sweep(&self, wanted: &BTreeSet<String>, untouched_since_ns: i64) {
        // A storage that hangs must not keep the others waiting.
        let names = self.0.names();
        let sweeps = names.iter().map(|name| async move {
            let object = ObjectUri::new(name.as_str(), "");
            let wanted = wanted.clone();
            let swept = self.0.on(&object, "sweep", move |folder, _| {
                incoming::sweep(folder, &wanted, untouched_since_ns)
            });
            match swept.await {
                Ok(0) => {}
                Ok(count) => tracing::info!(storage = name, count, "pieces of abandoned files were removed"),
                Err(fault) => tracing::warn!(storage = name, %fault, "pieces of abandoned files could not be removed"),
            }
        });
        futures_util::future::join_all(sweeps).await;
    }
}

fn check(folder: &Folder, incoming: &Incoming, digest: &str, pulse: &Pulse) -> Result<(), Fault> {
    let refused = |cause: String| {
        Fault::new(
            "DigestWrong",
            Blame::Request,
            "check",
            incoming.object.to_string(),
            cause,
            "Send the file again.",
        )
    };
    let unreadable = |error: std::io::Error| {
        let access = crate::objects::refusal::Access::Write;
        crate::objects::refusal::fault(access, "check", &incoming.object.to_string(), &error)
    };
    let (file, _) = folder.open(&incoming.staged_key())?;
    let (found, wanted) = match Digest::parse(digest) {
        Some(Digest::Md5(wanted)) => (hash(&file, md5::Md5::new(), pulse).map_err(unreadable)?, wanted),
        Some(Digest::Sha256(wanted)) => (hash(&file, sha2::Sha256::new(), pulse).map_err(unreadable)?, wanted),
        None => return Err(refused(format!("{digest} is no digest that is known"))),
    };
    if found.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(refused(format!("what came has the digest {found} instead of {wanted}")))
}

fn hash<D: md5::Digest>(mut file: &File, mut hash: D, pulse: &Pulse) -> std::io::Result<String> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        pulse.beat()?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex::encode(hash.finalize())),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Landings;
    use crate::base::ids::AttemptId;
    use crate::executor::publish;
    use crate::objects::incoming::Incoming;
    use crate::objects::local::Folder;
    use crate::objects::uri::ObjectUri;

    #[test]
    fn pieces_outlive_the_sweep_of_attempts() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::new("nas", root.path());
        let piece = root.path().join(".reelmill/uploads/1");
        folder.append(".reelmill/uploads/1", b"abc").expect("written");
        let attempt = AttemptId::fresh();
        folder
            .append(&format!(".reelmill/{attempt}/x"), b"abc")
            .expect("written");
        publish::sweep(&folder, &[]).expect("swept");
        publish::clear(&folder, &attempt).expect("cleared");
        assert!(piece.exists());
        assert!(!root.path().join(format!(".reelmill/{attempt}")).exists());
    }

    #[tokio::test]
    async fn a_file_that_comes_to_something_else_is_told() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join(".reelmill/uploads")).expect("made");
        std::fs::write(root.path().join(".reelmill/uploads/1"), b"abc").expect("written");
        let landings = Landings::in_folder("nas", root.path());
        let file = Incoming {
            id: "1".to_owned(),
            object: ObjectUri::new("nas", "a"),
        };
        let sha256 = "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        landings.check(&file, sha256).await.expect("right");
        landings
            .check(&file, "md5:900150983cd24fb0d6963f7d28e17f72")
            .await
            .expect("right");
        let wrong = landings.check(&file, "md5:00000000000000000000000000000000").await;
        assert_eq!(wrong.expect_err("wrong").code, "DigestWrong");
    }
}
