//! How each storage is doing, for whoever asks, and what can be asked of a trigger: a scan, a thaw, an explanation.
//!
//! Guarantees: never waits for a storage; clones show the same board. Deliberately absent: history.

use crate::base::clock::UtcMs;
use crate::base::wake::Bell;
use crate::trigger::explain::Explainer;
use crate::trigger::explain::Word;
use crate::trigger::settle::Slow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use tokio::sync::oneshot;

/// One storage now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageState {
    /// Its name.
    pub name: String,
    /// `folder` or `s3`.
    pub kind: &'static str,
    /// Its folder, or the address of its bucket.
    pub location: String,
    /// `inotify`, `poll`, of buckets `list` and, while notifications tell everything, `notify`, or `off`; `waiting` before
    /// the first look.
    pub watch: &'static str,
    /// Type of its file system, `nfs`; empty before the first look.
    pub file_system: String,
    /// It answers, and what it answers is believed.
    pub available: bool,
    /// Why triggering is stopped; none: it is not.
    pub frozen: Option<String>,
    /// What deserves a look though everything goes on.
    pub note: Option<String>,
    /// What is waited for by media of several files that are not whole; none: nothing.
    pub incomplete: Option<String>,
    /// Objects known.
    pub objects: usize,
    /// Objects seen that have not settled.
    pub backlog: usize,
    /// Those of them that wait longest, a few, with why.
    pub slow: Vec<Slow>,
    /// How many of them wait until somebody does something: a wrong checksum, a missing right.
    pub troubles: usize,
    /// The whole scan that is under way.
    pub scan: Option<Scanning>,
    /// When the last whole scan ended.
    pub last_scan: Option<UtcMs>,
    /// How long it took, milliseconds.
    pub last_scan_ms: u64,
    /// Room in its file system; none: not looked at, or a bucket.
    pub space: Option<Space>,
    /// Calls to the service in the hour before now; none: it is no bucket.
    pub calls_per_hour: Option<u64>,
}

impl StorageState {
    /// A storage that nobody has looked at yet.
    pub fn new(name: &str, kind: &'static str, location: String, watched: bool) -> Self {
        StorageState {
            name: name.to_owned(),
            kind,
            location,
            watch: if watched { "waiting" } else { "off" },
            file_system: String::new(),
            available: false,
            frozen: None,
            note: None,
            incomplete: None,
            objects: 0,
            backlog: 0,
            slow: Vec::new(),
            troubles: 0,
            scan: None,
            last_scan: None,
            last_scan_ms: 0,
            space: None,
            calls_per_hour: None,
        }
    }
}

/// How far a whole scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanning {
    /// When it began.
    pub began: UtcMs,
    /// Objects it has met.
    pub found: u64,
    /// About how many there are: what the scan before met; none: there was none.
    pub expected: Option<u64>,
    /// It is the storage's first one: what it meets triggers nothing.
    pub first: bool,
}

/// Room in a file system, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What this user may still write.
    pub free_bytes: u64,
    /// All of it.
    pub total_bytes: u64,
}

/// All storages.
#[derive(Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<String, Slot>>>);

struct Slot {
    state: StorageState,
    watched: bool,
    bell: Bell,
    scan: bool,
    thaw: bool,
    workflows: bool,
    told: bool,
    explainer: Option<Arc<dyn Explainer>>,
    questions: Vec<Question>,
}

/// Why does this object wait? For the task of a trigger, which answers between two steps.
#[derive(Debug)]
pub struct Question {
    /// The object.
    pub key: String,
    /// Takes the answer; none: it does not wait for anything, as far as the task knows.
    pub answer: oneshot::Sender<Option<Word>>,
}

/// What was asked of a storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// A whole scan now.
    pub scan: bool,
    /// Believe what is there.
    pub thaw: bool,
    /// Workflows changed: others may be concerned.
    pub workflows: bool,
    /// A notification told of an object.
    pub told: bool,
}

impl Board {
    /// Every storage, by name.
    pub fn storages(&self) -> Vec<StorageState> {
        self.slots().values().map(|slot| slot.state.clone()).collect()
    }

    /// Asks for a whole scan soon; false: no such storage, or it is not watched.
    pub fn scan(&self, name: &str) -> bool {
        self.ask(name, |slot| slot.scan = true)
    }

    /// Takes what is there now for the storage, whatever it was before; false: no such storage.
    pub fn thaw(&self, name: &str) -> bool {
        let mut slots = self.slots();
        let slot = slots.get_mut(name);
        if let Some(slot) = &slot {
            slot.bell.ring();
        }
        slot.map(|slot| slot.thaw = true).is_some()
    }

    /// What is to be said of an object beyond the ledger, the weightiest first; none: no such storage.
    pub async fn explain(&self, name: &str, key: &str) -> Option<Vec<Word>> {
        let explainer = self.slots().get(name).map(|slot| slot.explainer.clone())?;
        match explainer {
            Some(explainer) => Some(explainer.explain(key).await),
            None => Some(Vec::new()),
        }
    }

    /// Who explains the objects of a storage.
    pub(super) fn explained_by(&self, name: &str, explainer: Arc<dyn Explainer>) {
        if let Some(slot) = self.slots().get_mut(name) {
            slot.explainer = Some(explainer);
        }
    }

    /// Asks the task of a storage why an object waits; none: nobody watches there.
    pub(super) fn question(&self, name: &str, key: &str) -> Option<oneshot::Receiver<Option<Word>>> {
        let (answer, answered) = oneshot::channel();
        let key = key.to_owned();
        self.ask(name, |slot| slot.questions.push(Question { key, answer }))
            .then_some(answered)
    }

    /// What its task is asked.
    pub(super) fn take_questions(&self, name: &str) -> Vec<Question> {
        let mut slots = self.slots();
        slots
            .get_mut(name)
            .map(|slot| std::mem::take(&mut slot.questions))
            .unwrap_or_default()
    }

    /// Says that workflows changed.
    pub(super) fn workflows_changed(&self, name: &str) {
        self.ask(name, |slot| slot.workflows = true);
    }

    /// Says that a notification told of an object.
    pub(super) fn told(&self, name: &str) {
        self.ask(name, |slot| slot.told = true);
    }

    fn ask(&self, name: &str, change: impl FnOnce(&mut Slot)) -> bool {
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(name).filter(|slot| slot.watched) else {
            return false;
        };
        change(slot);
        slot.bell.ring();
        true
    }

    /// Enters a storage of `kind` (`folder` or `s3`); the bell rings when something is asked of it.
    pub(super) fn enter(&self, name: &str, kind: &'static str, location: String, watched: bool) -> Bell {
        let bell = Bell::default();
        let slot = Slot {
            state: StorageState::new(name, kind, location, watched),
            watched,
            bell: bell.clone(),
            scan: false,
            thaw: false,
            workflows: false,
            told: false,
            explainer: None,
            questions: Vec::new(),
        };
        self.slots().insert(name.to_owned(), slot);
        bell
    }

    /// Takes a storage off the board.
    pub(super) fn leave(&self, name: &str) {
        self.slots().remove(name);
    }

    pub(super) fn update(&self, name: &str, change: impl FnOnce(&mut StorageState)) {
        if let Some(slot) = self.slots().get_mut(name) {
            change(&mut slot.state);
        }
    }

    /// Whether something is asked of a storage that its task has not taken up.
    pub(super) fn is_asked(&self, name: &str) -> bool {
        self.slots().get(name).is_some_and(|slot| slot.scan || slot.thaw)
    }

    pub(super) fn take_asked(&self, name: &str) -> Asked {
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(name) else {
            return Asked::default();
        };
        Asked {
            scan: std::mem::take(&mut slot.scan),
            thaw: std::mem::take(&mut slot.thaw),
            workflows: std::mem::take(&mut slot.workflows),
            told: std::mem::take(&mut slot.told),
        }
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<String, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.storages()).finish()
    }
}
