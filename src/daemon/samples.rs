//! Test clips for people who try a storage and its workflows.
//!
//! The clip is made by a child process (`reelmill sample`), since this one never opens libav, and comes into the storage
//! as somebody's file would. Guarantees: one at a time; nothing that stands there is replaced; the key appears when the
//! clip is whole; a child that hangs is ended. Deliberately absent: what happens with it, which its workflows say.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::objects::incoming;
use crate::objects::local::Placed;
use crate::objects::local::STAGING;
use crate::objects::s3::Put;
use crate::objects::s3::PutRule;
use crate::objects::s3::Replace;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::objects::uri::ObjectUri;
use crate::web::ports::SampleMade;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_util::bytes::Bytes;

/// Its folder in scratch.
const FOLDER: &str = "samples";
/// Small enough to be made in seconds on any host.
const SIZE: &str = "640x360";
/// A request ends after a minute; until then it is made or refused.
const MADE_WITHIN: Duration = Duration::from_secs(50);

/// Makes clips.
pub(super) struct Samples {
    storages: Storages,
    folder: PathBuf,
    turn: Mutex<()>,
}

impl Samples {
    pub(super) fn new(storages: Storages, scratch_dir: &Path) -> Self {
        Samples {
            storages,
            folder: scratch_dir.join(FOLDER),
            turn: Mutex::new(()),
        }
    }

    /// Removes what an earlier run left.
    pub(super) async fn sweep(&self) {
        match tokio::fs::remove_dir_all(&self.folder).await {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(%error, folder = %self.folder.display(), "old test clips could not be removed")
            }
        }
    }

    /// Makes a clip of `seconds` and puts it at `key` of the storage `name`.
    ///
    /// # Errors
    /// `StorageUnknown`, `KeyInvalid`, `KeyTaken`, `SampleUnderWay`, `SampleFailed`, or what the storage says.
    pub(super) async fn put(&self, name: &str, key: &str, seconds: u32) -> Result<SampleMade, Fault> {
        let object = ObjectUri::new(name, key);
        incoming::check_key(&object)?;
        let medium = self.storages.medium(&object, "make a test clip")?;
        let Ok(_turn) = self.turn.try_lock() else {
            return Err(Fault::new(
                "SampleUnderWay",
                Blame::Request,
                "make a test clip",
                object.to_string(),
                "another one is being made",
                "Wait a moment and ask again.",
            ));
        };
        if self.stands(&object, &medium).await? {
            return Err(taken(&object));
        }
        let clip = Clip(self.folder.join(format!("{}.mp4", AttemptId::fresh())));
        tokio::fs::create_dir_all(&self.folder)
            .await
            .map_err(|error| failed(&object, error.to_string()))?;
        make(&clip.0, seconds, &object).await?;
        let size_bytes = tokio::fs::metadata(&clip.0).await.map(|metadata| metadata.len());
        let size_bytes = size_bytes.map_err(|error| failed(&object, error.to_string()))?;
        match medium {
            Medium::Folder(_) => self.put_into_folder(&object, clip.0.clone()).await?,
            Medium::Bucket(bucket) => {
                let bytes = tokio::fs::read(&clip.0).await;
                let bytes = bytes.map_err(|error| failed(&object, error.to_string()))?;
                let rule = PutRule {
                    content_type: "video/mp4".to_owned(),
                    // Nothing marks it as ours: it shall be taken for somebody's.
                    metadata: BTreeMap::new(),
                    replace: Replace::Never,
                };
                if bucket.put(key, Bytes::from(bytes), &rule).await? == Put::Taken {
                    return Err(taken(&object));
                }
            }
        }
        Ok(SampleMade {
            key: key.to_owned(),
            size_bytes,
        })
    }

    async fn stands(&self, object: &ObjectUri, medium: &Medium) -> Result<bool, Fault> {
        let key = object.key.clone();
        match medium {
            Medium::Folder(_) => {
                let looked = self.storages.on(object, "look at", move |folder, _| folder.stat(&key));
                looked.await.map(|stat| stat.is_some())
            }
            Medium::Bucket(bucket) => bucket.head(&key).await.map(|head| head.is_some()),
        }
    }

    async fn put_into_folder(&self, object: &ObjectUri, clip: PathBuf) -> Result<(), Fault> {
        let told = object.clone();
        let key = object.key.clone();
        let staged = format!("{STAGING}/{FOLDER}/{}", AttemptId::fresh());
        let placed = self.storages.on(object, "put a test clip", move |folder, pulse| {
            let file = std::fs::File::open(&clip).map_err(|error| failed(&told, error.to_string()))?;
            folder.stage(&staged, &file, pulse)?;
            let placed = folder.place(&staged, &key, false);
            if !matches!(placed, Ok(Placed::Done)) {
                folder.remove(&staged)?;
            }
            folder.remove_empty_folder(&format!("{STAGING}/{FOLDER}"))?;
            let placed = placed?;
            if placed == Placed::Done {
                folder.sync_parent(&key)?;
            }
            Ok(placed)
        });
        match placed.await? {
            Placed::Done => Ok(()),
            Placed::Taken => Err(taken(object)),
        }
    }
}

/// Has a child of this program make the clip.
async fn make(file: &Path, seconds: u32, object: &ObjectUri) -> Result<(), Fault> {
    let mut command = tokio::process::Command::new("/proc/self/exe");
    command
        .arg0("reelmill")
        .arg("sample")
        .arg(file)
        .args(["--seconds", &seconds.to_string(), "--size", SIZE])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let child = command.spawn().map_err(|error| failed(object, error.to_string()))?;
    match tokio::time::timeout(MADE_WITHIN, child.wait_with_output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said: String = said.trim().chars().take(400).collect();
            Err(failed(object, format!("{}: {said}", output.status)))
        }
        Ok(Err(error)) => Err(failed(object, error.to_string())),
        Err(_) => Err(failed(
            object,
            format!("it was not made within {} s", MADE_WITHIN.as_secs()),
        )),
    }
}

fn failed(object: &ObjectUri, cause: String) -> Fault {
    Fault::new(
        "SampleFailed",
        Blame::Host,
        "make a test clip",
        object.to_string(),
        cause,
        "Ask for a shorter one; see whether `reelmill sample FILE` makes one on this host.",
    )
}

fn taken(object: &ObjectUri) -> Fault {
    Fault::new(
        "KeyTaken",
        Blame::Request,
        "put a test clip",
        object.to_string(),
        "something stands there, and it is left alone",
        "Give another key.",
    )
}

/// A clip in scratch; it goes with this.
struct Clip(PathBuf);

impl Drop for Clip {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
