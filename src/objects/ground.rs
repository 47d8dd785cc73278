//! What the folder of a storage has to lie on, so that nobody writes into the hole that an unmounted share leaves.
//!
//! The trigger of a storage says what it believes; every operation on the storage asks just before it begins. Guarantees:
//! the kernel's list of mounts is asked, never the mount; before anybody has said anything, nothing is refused.
//! Deliberately absent: deciding what to believe.

use crate::base::fault::Fault;
use crate::objects::mounts::mount_of;
use crate::objects::refusal;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

/// The ground of one storage. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Ground(Arc<RwLock<State>>);

#[derive(Debug, Default)]
enum State {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// The folder (without links) lies on this.
    Mount { real: PathBuf, mount: String },
    /// It is not the storage, with the reason.
    Refused(String),
}

impl Ground {
    /// The folder `real`, a path without links, lies on `mount`, and that is right.
    pub fn stands_on(&self, real: &Path, mount: &str) {
        self.set(State::Mount {
            real: real.to_owned(),
            mount: mount.to_owned(),
        });
    }

    /// What is there is not the storage.
    pub fn refuse(&self, why: &str) {
        self.set(State::Refused(why.to_owned()));
    }

    /// Whether the folder lies on what it should at this moment.
    ///
    /// # Errors
    /// `StorageOffline`, which may heal.
    pub fn check(&self, operation: &str, subject: &str) -> Result<(), Fault> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            State::Unknown => Ok(()),
            State::Refused(why) => Err(refusal::offline(operation, subject, why.as_str())),
            State::Mount { real, mount } => match mount_of(real).map(|found| found.text()) {
                Some(found) if found == *mount => Ok(()),
                Some(found) => {
                    let why = format!("its folder lay on {mount} and now lies on {found}");
                    Err(refusal::offline(operation, subject, why))
                }
                None => Err(refusal::offline(
                    operation,
                    subject,
                    "its mount is not among the kernel's",
                )),
            },
        }
    }

    fn set(&self, state: State) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

#[cfg(test)]
mod tests {
    use super::Ground;
    use crate::objects::mounts::mount_of;

    #[test]
    fn work_is_refused_where_the_folder_lies_on_something_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let real = folder.path().canonicalize().expect("a path");
        let ground = Ground::default();
        assert_eq!(ground.check("publish", "nas:a"), Ok(()));
        ground.stands_on(&real, &mount_of(&real).expect("a mount").text());
        assert_eq!(ground.check("publish", "nas:a"), Ok(()));
        ground.stands_on(&real, "/mnt/nas (nfs4 nas:/vol)");
        let fault = ground.check("publish", "nas:a").expect_err("another mount");
        assert!(fault.code == "StorageOffline" && fault.retryable, "{fault}");
        assert!(fault.cause.contains("nas:/vol"), "{fault}");
        ground.refuse("its sentinel is gone");
        assert!(ground.check("publish", "nas:a").is_err());
    }
}
