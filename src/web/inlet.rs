//! What requests that bring files share: the rules, what seals their secrets, and who is writing.
//!
//! Guarantees: one writer at a time for each upload; its place is free again however its request ends. Deliberately
//! absent: rows and bytes.

use crate::base::address::Reach;
use crate::base::sealed::Sealer;
use crate::workflow::resolved::OnConflict;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

/// How files may come in.
#[derive(Debug, Clone)]
pub struct InletRules {
    /// Where files go that name no storage; none: each has to name one.
    pub storage: Option<String>,
    /// What their keys begin with where they name none.
    pub prefix: String,
    /// What to do when something stands under the key.
    pub on_conflict: OnConflict,
    /// The largest file; none: any.
    pub max_bytes: Option<u64>,
    /// How long an upload waits for more.
    pub expires: Duration,
    /// A request that brings nothing for so long is ended.
    pub idle: Duration,
    /// How far addresses of pulls may reach.
    pub reach: Reach,
}

/// Shared by the requests that bring files.
#[derive(Debug, Clone)]
pub struct Inlet {
    /// The rules.
    pub rules: Arc<InletRules>,
    /// Seals what of a pull is secret.
    pub sealer: Sealer,
    writing: Arc<Mutex<HashSet<String>>>,
}

impl Inlet {
    /// By these rules.
    pub fn new(rules: InletRules, sealer: Sealer) -> Self {
        Inlet {
            rules: Arc::new(rules),
            sealer,
            writing: Arc::default(),
        }
    }

    /// The right to write to an upload until the answer is dropped; none: somebody has it.
    pub fn hold(&self, upload: &str) -> Option<Held> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        writing.insert(upload.to_owned()).then(|| Held {
            upload: upload.to_owned(),
            writing: Arc::clone(&self.writing),
        })
    }
}

/// The right to write to an upload.
#[derive(Debug)]
pub struct Held {
    upload: String,
    writing: Arc<Mutex<HashSet<String>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.upload);
    }
}
