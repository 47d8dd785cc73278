//! From a whole file to its name: which key, checked by which size and digest.
//!
//! Guarantees: the key is committed before the rename to it, so a replay knows its own file; nothing is replaced unless
//! the rule says so. Deliberately absent: what becomes of it then.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::landing::Landings;
use crate::executor::landing::Named;
use crate::objects::incoming::Incoming;
use crate::store::error::StoreError;
use crate::store::media::Source;
use crate::workflow::resolved::OnConflict;
use futures_util::future::BoxFuture;

/// Versions that are tried before the key is given up.
const VERSIONS: u32 = 10_000;

/// A file that is whole.
#[derive(Debug)]
pub(super) struct Whole<'a> {
    pub file: Incoming,
    /// What it must have; none: whatever it has.
    pub size_bytes: Option<u64>,
    /// Its time, where its key is chosen already.
    pub mtime_ns: Option<i64>,
    pub on_conflict: OnConflict,
    pub digest: Option<&'a str>,
}

/// Commits a key, and the file's time, before it is tried.
pub(super) type Plan<'a> = &'a (dyn Fn(String, i64) -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync);

/// Why it has no name.
#[derive(Debug)]
pub(super) enum Unlanded {
    /// The storage, or a rule.
    Refused(Fault),
    /// The database.
    Store(StoreError),
}

impl From<Fault> for Unlanded {
    fn from(fault: Fault) -> Self {
        Unlanded::Refused(fault)
    }
}

/// Gives the file its name.
pub(super) async fn give_name(landings: &Landings, whole: &Whole<'_>, plan: Plan<'_>) -> Result<Source, Unlanded> {
    let mut file = whole.file.clone();
    let first_key = file.object.key.clone();
    let waiting = landings.waiting(&file).await?;
    let stat = match (waiting, whole.mtime_ns, whole.size_bytes) {
        (Some(stat), _, _) => stat,
        // Renamed before a death: found under its name, or lost.
        (None, Some(mtime_ns), Some(size_bytes)) => (size_bytes, mtime_ns),
        (None, _, _) => return Err(lost(&file).into()),
    };
    if whole.mtime_ns.is_none() {
        if let Some(size_bytes) = whole.size_bytes.filter(|size_bytes| *size_bytes != stat.0) {
            return Err(short(&file, stat.0, size_bytes).into());
        }
        if let Some(digest) = whole.digest {
            landings.check(&file, stat.0, digest).await?;
        }
        plan(file.object.key.clone(), stat.1).await.map_err(Unlanded::Store)?;
    }
    for version in 2..VERSIONS {
        let overwrite = whole.on_conflict == OnConflict::Overwrite;
        if let Named::Done { mtime_ns, etag } = landings.name(&file, stat, overwrite).await? {
            return Ok(Source {
                object: file.object,
                size_bytes: stat.0,
                mtime_ns,
                etag,
            });
        }
        if whole.on_conflict != OnConflict::Version {
            break;
        }
        file.object.key = versioned(&first_key, version);
        plan(file.object.key.clone(), stat.1).await.map_err(Unlanded::Store)?;
    }
    Err(Unlanded::Refused(Fault::new(
        "KeyTaken",
        Blame::Request,
        "finish",
        whole.file.object.to_string(),
        "another object stands under this name and may not be replaced",
        "Choose another key, or on_conflict version or overwrite.",
    )))
}

/// The key with a number on its stem: `a/clip-2.mp4`.
fn versioned(key: &str, version: u32) -> String {
    let name_at = key.rfind('/').map_or(0, |at| at + 1);
    match key[name_at..].rfind('.').filter(|at| *at > 0) {
        Some(dot) => format!("{}-{version}{}", &key[..name_at + dot], &key[name_at + dot..]),
        None => format!("{key}-{version}"),
    }
}

fn lost(file: &Incoming) -> Fault {
    Fault::new(
        "UploadLost",
        Blame::Host,
        "finish",
        file.object.to_string(),
        "its pieces are gone from the storage",
        "Bring it again; look whether something else cleans the storage.",
    )
    .retryable(false)
}

fn short(file: &Incoming, there: u64, wanted: u64) -> Fault {
    Fault::new(
        "UploadLost",
        Blame::Host,
        "finish",
        file.object.to_string(),
        format!("{there} bytes are there instead of {wanted}"),
        "Bring it again; look whether something else writes to the storage.",
    )
    .retryable(false)
}

#[cfg(test)]
mod tests {
    use super::Unlanded;
    use super::Whole;
    use super::give_name;
    use super::versioned;
    use crate::executor::landing::Landings;
    use crate::objects::incoming::Incoming;
    use crate::objects::uri::ObjectUri;
    use crate::store::error::StoreError;
    use crate::workflow::resolved::OnConflict;
    use futures_util::future::BoxFuture;
    use std::sync::Arc;
    use std::sync::Mutex;

    #[test]
    fn versions_stand_on_the_stem() {
        for (key, second) in [
            ("a/clip.mp4", "a/clip-2.mp4"),
            ("clip", "clip-2"),
            ("a.b/clip", "a.b/clip-2"),
            (".hidden", ".hidden-2"),
            ("a.tar.gz", "a.tar-2.gz"),
        ] {
            assert_eq!(versioned(key, 2), second);
        }
    }

    #[tokio::test]
    async fn a_taken_key_is_treated_by_the_rule_and_a_replay_keeps_its_version() {
        let root = tempfile::tempdir().expect("a folder");
        let landings = Landings::in_folder("nas", root.path());
        let planned = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&planned);
        let plan = move |key: String, mtime_ns: i64| -> BoxFuture<'static, Result<(), StoreError>> {
            noted.lock().expect("free").push((key, mtime_ns));
            Box::pin(async { Ok(()) })
        };
        let whole = |on_conflict, key: &str, mtime_ns| Whole {
            file: Incoming {
                id: "1".to_owned(),
                object: ObjectUri::new("nas", key),
                pieces: None,
            },
            size_bytes: Some(3),
            mtime_ns,
            on_conflict,
            digest: None,
        };
        let put = |bytes: &[u8]| {
            std::fs::create_dir_all(root.path().join(".reelmill/uploads")).expect("made");
            std::fs::write(root.path().join(".reelmill/uploads/1"), bytes).expect("written");
        };
        std::fs::write(root.path().join("a.mp4"), b"old").expect("written");
        put(b"new");
        let refused = give_name(&landings, &whole(OnConflict::Fail, "a.mp4", None), &plan).await;
        assert!(matches!(refused, Err(Unlanded::Refused(fault)) if fault.code == "KeyTaken"));
        let named = give_name(&landings, &whole(OnConflict::Version, "a.mp4", None), &plan).await;
        let named = named.map_err(|_| "unlanded").expect("named");
        assert_eq!(named.object.key, "a-2.mp4");
        let (key, mtime_ns) = planned.lock().expect("free").last().cloned().expect("planned");
        assert_eq!((key.as_str(), mtime_ns), ("a-2.mp4", named.mtime_ns));
        // A death before the row said so: adopted.
        let again = give_name(&landings, &whole(OnConflict::Version, &key, Some(mtime_ns)), &plan).await;
        assert_eq!(again.map_err(|_| "unlanded").expect("adopted"), named);
        put(b"other");
        let short = give_name(&landings, &whole(OnConflict::Overwrite, "a.mp4", None), &plan).await;
        assert!(matches!(short, Err(Unlanded::Refused(fault)) if fault.code == "UploadLost"));
        put(b"two");
        let over = give_name(&landings, &whole(OnConflict::Overwrite, "a.mp4", None), &plan).await;
        assert!(over.is_ok());
        assert_eq!(std::fs::read(root.path().join("a.mp4")).expect("there"), b"two");
    }
}
