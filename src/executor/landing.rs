//! What is done in storages to files that came in whole: checked, named, or dropped.
//!
//! Guarantees: those of `objects::inflow`; a storage that hangs is told as such. Deliberately absent: which key is tried
//! next when one is taken, and rows.

pub use crate::objects::inflow::Named;

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::incoming::Digest;
use crate::objects::incoming::Incoming;
use crate::objects::inflow::Inflow;
use crate::objects::local::Folder;
use crate::objects::pulse::Pulse;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use md5::Digest as _;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use tokio_util::bytes::Bytes;

/// Where files land.
#[derive(Debug, Clone)]
pub struct Landings(Inflow);

impl Landings {
    /// Files that `inflow` brought in.
    pub fn new(inflow: Inflow) -> Self {
        Landings(inflow)
    }

    /// In one folder.
    #[cfg(test)]
    pub(crate) fn in_folder(name: &str, root: &std::path::Path) -> Self {
        let storages = crate::objects::storages::Storages::new([Folder::new(name, root)]);
        Landings(Inflow::new(storages, root.join(".spool")))
    }

    /// Size and time of a file that waits for its name (the time 0 where only its name will tell it); none: it has its
    /// name, or is lost.
    ///
    /// # Errors
    /// What the storage says.
    pub async fn waiting(&self, file: &Incoming) -> Result<Option<(u64, i64)>, Fault> {
        self.0.waiting(file).await
    }

    /// Compares a file that waits for its name, of this size, with what it must come to.
    ///
    /// # Errors
    /// `DigestWrong` when it comes to something else; what the storage says.
    pub async fn check(&self, file: &Incoming, size_bytes: u64, digest: &str) -> Result<(), Fault> {
        if let Some(content) = self.0.content_in_bucket(file, size_bytes).await? {
            let found = match Digest::parse(digest) {
                Some(Digest::Md5(_)) => hash_stream(content, md5::Md5::new()).await?,
                _ => hash_stream(content, sha2::Sha256::new()).await?,
            };
            return compare(file, digest, &found);
        }
        let (incoming, digest) = (file.clone(), digest.to_owned());
        let checked = self.0.storages().on(&file.object, "check", move |folder, pulse| {
            check(folder, &incoming, &digest, pulse)
        });
        checked.await
    }

    /// Puts a file whose size and time are given under the name of its object, where nothing else stands there or may be
    /// replaced. What is adopted after a crash has its name already.
    ///
    /// # Errors
    /// `UploadLost`; what the storage says.
    pub async fn name(&self, file: &Incoming, staged: (u64, i64), overwrite: bool) -> Result<Named, Fault> {
        self.0.name(file, staged, overwrite).await
    }

    /// Drops the pieces of a file. What cannot be dropped now is swept later.
    pub async fn discard(&self, file: &Incoming) {
        if let Err(fault) = self.0.discard(file).await {
            tracing::warn!(id = file.id, %fault, "pieces of a file are left until the next sweep");
        }
    }

    /// Drops, in every storage, the pieces of files that are not `wanted` and were not touched for a while.
    pub async fn sweep(&self, wanted: &BTreeSet<String>, untouched_since_ns: i64) {
        let told = |place: &str, swept: Result<usize, Fault>| match swept {
            Ok(0) => {}
            Ok(count) => tracing::info!(place, count, "pieces of abandoned files were removed"),
            Err(fault) => tracing::warn!(place, %fault, "pieces of abandoned files could not be removed"),
        };
        told("spool", self.0.sweep_spool(wanted, untouched_since_ns).await);
        // A storage that hangs must not keep the others waiting.
        let names = self.0.storages().names();
        let sweeps = names.iter().map(|name| async move {
            told(name, self.0.sweep(name, wanted, untouched_since_ns).await);
        });
        futures_util::future::join_all(sweeps).await;
    }
}

fn check(folder: &Folder, incoming: &Incoming, digest: &str, pulse: &Pulse) -> Result<(), Fault> {
    let unreadable = |error: std::io::Error| {
        let access = crate::objects::refusal::Access::Write;
        crate::objects::refusal::fault(access, "check", &incoming.object.to_string(), &error)
    };
    let (file, _) = folder.open(&incoming.staged_key())?;
    let found = match Digest::parse(digest) {
        Some(Digest::Md5(_)) => hash(&file, md5::Md5::new(), pulse),
        _ => hash(&file, sha2::Sha256::new(), pulse),
    };
    compare(incoming, digest, &found.map_err(unreadable)?)
}

/// Whether what was found is what a file must come to.
fn compare(incoming: &Incoming, digest: &str, found: &str) -> Result<(), Fault> {
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
    match Digest::parse(digest) {
        Some(Digest::Md5(wanted) | Digest::Sha256(wanted)) if found.eq_ignore_ascii_case(wanted) => Ok(()),
        Some(Digest::Md5(wanted) | Digest::Sha256(wanted)) => {
            Err(refused(format!("what came has the digest {found} instead of {wanted}")))
        }
        None => Err(refused(format!("{digest} is no digest that is known"))),
    }
}

async fn hash_stream<D: md5::Digest>(
    mut content: BoxStream<'static, Result<Bytes, Fault>>,
    mut hash: D,
) -> Result<String, Fault> {
    while let Some(piece) = content.next().await {
        hash.update(&piece?);
    }
    Ok(hex::encode(hash.finalize()))
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
        publish::folder::sweep(&folder, &[]).expect("swept");
        publish::folder::clear(&folder, &attempt).expect("cleared");
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
            pieces: None,
        };
        let sha256 = "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        landings.check(&file, 3, sha256).await.expect("right");
        landings
            .check(&file, 3, "md5:900150983cd24fb0d6963f7d28e17f72")
            .await
            .expect("right");
        let wrong = landings.check(&file, 3, "md5:00000000000000000000000000000000").await;
        assert_eq!(wrong.expect_err("wrong").code, "DigestWrong");
    }
}
