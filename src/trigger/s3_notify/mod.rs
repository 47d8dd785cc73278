//! Taking in what services post of their buckets.
//!
//! Whoever posts shows the secret of the storage; the signature of SNS is not looked at, since its secret is in the
//! address that the topic was given. Guarantees: what is answered with yes is kept, as hints, in the database; only objects
//! of the storage's own bucket are; a notice is never believed, only followed. Deliberately absent: following
//! (`s3_scan`), HTTP.

pub mod dialects;

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::objects::s3::subscription;
use crate::store::Store;
use crate::trigger::board::Board;
use crate::trigger::s3_notify::dialects::Notice;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use subtle::ConstantTimeEq;

/// Longest secret that is read.
const SECRET_BYTES: u64 = 4_096;

/// A storage whose bucket may tell what happens in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// Name of the storage.
    pub storage: String,
    /// Name of its bucket, as the service calls it.
    pub bucket: String,
    /// What has to be shown.
    pub secret: DoorSecret,
    /// What addresses of subscriptions may begin with besides those of SNS.
    pub confirm_urls: Vec<String>,
}

/// Where the secret of a door is.
#[derive(Clone, PartialEq, Eq)]
pub enum DoorSecret {
    /// In this file, read every time.
    File(PathBuf),
    /// This is it.
    Given(String),
}

impl std::fmt::Debug for DoorSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DoorSecret::File(file) => f.debug_tuple("File").field(file).finish(),
            DoorSecret::Given(_) => f.write_str("***"),
        }
    }
}

/// Why a notice was not taken.
#[derive(Debug)]
pub enum Refused {
    /// There is no such storage, or its bucket may not tell.
    Unknown,
    /// The secret is missing or wrong.
    Secret,
    /// It cannot be read, with a sentence.
    Unreadable(String),
    /// It could not be kept, or a subscription not be confirmed: worth another try.
    Later(Box<Fault>),
}

/// Takes notices in. Clones share the doors.
#[derive(Debug, Clone)]
pub struct Notices {
    doors: Arc<RwLock<BTreeMap<String, Door>>>,
    store: Store,
    board: Board,
}

impl Notices {
    /// These doors, and no other.
    pub fn new(doors: impl IntoIterator<Item = Door>, store: Store, board: Board) -> Self {
        let doors = doors.into_iter().map(|door| (door.storage.clone(), door));
        Notices {
            doors: Arc::new(RwLock::new(doors.collect())),
            store,
            board,
        }
    }

    /// Opens a door; one of the same storage gives way.
    pub fn open(&self, door: Door) {
        let mut doors = self.doors.write().unwrap_or_else(PoisonError::into_inner);
        doors.insert(door.storage.clone(), door);
    }

    /// Closes the door of a storage.
    pub fn shut(&self, storage: &str) {
        let mut doors = self.doors.write().unwrap_or_else(PoisonError::into_inner);
        doors.remove(storage);
    }

    /// Takes a body in that somebody posted for `storage`, showing `offered`. `Ok` is said when its hints are on disk.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn take(&self, storage: &str, offered: &[String], body: &[u8]) -> Result<(), Refused> {
        let door = {
            let doors = self.doors.read().unwrap_or_else(PoisonError::into_inner);
            doors.get(storage).cloned().ok_or(Refused::Unknown)?
        };
        // Read every time, so that a new secret holds at once.
        let secret = secret_of(&door).await.ok_or(Refused::Secret)?;
        let shown = offered
            .iter()
            .any(|word| word.as_bytes().ct_eq(secret.as_bytes()).into());
        if !shown {
            return Err(Refused::Secret);
        }
        let notices = dialects::read(body).map_err(Refused::Unreadable)?;
        let mut keys = BTreeSet::new();
        for notice in notices {
            match notice {
                Notice::Changed(change) if change.bucket == door.bucket => keys.extend(change.keys),
                Notice::Changed(change) => {
                    tracing::debug!(
                        storage,
                        bucket = change.bucket,
                        "a notification of another bucket is left alone"
                    );
                }
                Notice::Test => tracing::info!(storage, "the service tried whether notifications come in, and they do"),
                Notice::Confirm { url, topic } => self.confirm(&door, &url, &topic).await?,
                Notice::Ended { topic } => {
                    tracing::warn!(
                        storage,
                        topic,
                        "the topic sends no more notifications; the bucket is listed as often as without"
                    );
                }
                Notice::Other { name } => tracing::debug!(storage, name, "a notification that concerns nobody here"),
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        let keys = keys.into_iter().collect();
        let kept = self.store.keep_hints(storage, keys, UtcMs::now()).await;
        kept.map_err(|error| Refused::Later(Box::new(error.fault(storage))))?;
        self.board.told(storage);
        Ok(())
    }

    async fn confirm(&self, door: &Door, url: &str, topic: &str) -> Result<(), Refused> {
        match subscription::confirm(url, &door.confirm_urls).await {
            Ok(()) => {
                tracing::info!(
                    storage = door.storage,
                    topic,
                    "the subscription to a topic was confirmed"
                );
                Ok(())
            }
            Err(fault) => {
                tracing::warn!(storage = door.storage, topic, %fault, "the subscription to a topic was not confirmed");
                Err(if fault.retryable {
                    Refused::Later(Box::new(fault))
                } else {
                    Refused::Unreadable(format!("{}. {}", fault.cause, fault.remedy))
                })
            }
        }
    }
}

/// The secret of a door; none: it cannot be read or is empty, and then nobody comes in.
async fn secret_of(door: &Door) -> Option<String> {
    use tokio::io::AsyncReadExt as _;
    let file = match &door.secret {
        DoorSecret::Given(secret) => return Some(secret.clone()).filter(|secret| !secret.is_empty()),
        DoorSecret::File(file) => file,
    };
    let read = async {
        let mut text = String::new();
        let opened = tokio::fs::File::open(file).await?;
        opened.take(SECRET_BYTES).read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(text)
    };
    match read.await {
        Ok(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Ok(_) => {
            tracing::error!(storage = door.storage, file = %file.display(), "the secret of notifications is empty: all are refused");
            None
        }
        Err(error) => {
            tracing::error!(storage = door.storage, file = %file.display(), %error, "the secret of notifications cannot be read: all are refused");
            None
        }
    }
}
