//! How each storage is doing, for whoever asks, and the two things that can be asked of a trigger.
//!
//! Guarantees: never waits for a storage; clones show the same board. Deliberately absent: history.

use crate::base::clock::UtcMs;
use crate::base::wake::Bell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// One storage now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageState {
    /// Its name.
    pub name: String,
    /// `folder` or `s3`.
    pub kind: &'static str,
    /// Its folder, or address and name of its bucket.
    pub location: String,
    /// `inotify`, `poll`, `notify` (a bucket whose notifications tell everything) or `off`; `waiting` before the first look.
    pub watch: &'static str,
    /// Type of its file system, `nfs`; empty before the first look.
    pub file_system: String,
    /// It answers, and what it answers is believed.
    pub available: bool,
    /// Why triggering is stopped; none: it is not.
    pub frozen: Option<String>,
    /// What deserves a look though everything goes on.
    pub note: Option<String>,
    /// Objects known.
    pub objects: usize,
    /// Objects seen that have not settled.
    pub backlog: usize,
    /// A scan is under way.
    pub scanning: bool,
    /// When the last whole scan ended.
    pub last_scan: Option<UtcMs>,
    /// What listing a bucket costs; none: it is a folder, or was not listed yet.
    pub listing: Option<Listing>,
}

/// What listing a bucket costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// Seconds from the end of a listing to the begin of the next, as it is now.
    pub interval_s: u64,
    /// Calls to the service in the last hour: pages of listings and looks at single objects.
    pub calls_of_an_hour: u64,
    /// Calls that the last whole listing took.
    pub calls_of_a_listing: u64,
}

/// All storages.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<String, Slot>>>);

#[derive(Debug)]
struct Slot {
    state: StorageState,
    watched: bool,
    bell: Bell,
    scan: bool,
    thaw: bool,
    workflows: bool,
    told: bool,
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

    /// Takes what is there now for the storage, whatever it was before; false: no such storage, or it is not watched.
    pub fn thaw(&self, name: &str) -> bool {
        self.ask(name, |slot| slot.thaw = true)
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

    pub(super) fn enter(&self, name: &str, kind: &'static str, location: String, watched: bool) -> Bell {
        let bell = Bell::default();
        let state = StorageState {
            name: name.to_owned(),
            kind,
            location,
            watch: if watched { "waiting" } else { "off" },
            file_system: String::new(),
            available: false,
            frozen: None,
            note: None,
            objects: 0,
            backlog: 0,
            scanning: false,
            last_scan: None,
            listing: None,
        };
        let slot = Slot {
            state,
            watched,
            bell: bell.clone(),
            scan: false,
            thaw: false,
            workflows: false,
            told: false,
        };
        self.slots().insert(name.to_owned(), slot);
        bell
    }

    pub(super) fn update(&self, name: &str, change: impl FnOnce(&mut StorageState)) {
        if let Some(slot) = self.slots().get_mut(name) {
            change(&mut slot.state);
        }
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
