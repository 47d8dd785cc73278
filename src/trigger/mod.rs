//! What arrives in the storages, written into the ledger; nothing else.
//!
//! Guarantees: what settles is committed before anybody is told; a storage that hangs, vanishes or changes holds up no
//! other, and costs no object its "once". Deliberately absent: workflows and tasks. The scheduler is woken and reads
//! the ledger.

pub mod board;
pub mod box_check;
mod hints;
pub mod known;
mod look;
pub mod mount_guard;
pub mod settle;
mod watch_folder;

use crate::base::wake::Bells;
use crate::objects::lane::Lane;
use crate::store::Store;
use crate::trigger::board::Board;
use crate::trigger::watch_folder::WatchFolder;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What the trigger is built from.
#[derive(Debug, Clone, Default)]
pub struct TriggerOptions {
    /// Every storage, also those that are not watched.
    pub storages: Vec<StorageOptions>,
}

/// One storage.
#[derive(Debug, Clone)]
pub struct StorageOptions {
    /// Its name.
    pub name: String,
    /// Its folder, absolute.
    pub root: PathBuf,
    /// How changes are noticed.
    pub watch: WatchMode,
    /// Looks without a change; none: by file system.
    pub settle_looks: Option<u32>,
    /// Time between looks; none: by file system.
    pub settle_interval: Option<Duration>,
    /// Time between whole scans; none: by file system.
    pub poll_interval: Option<Duration>,
    /// Folders of other storages within this one, relative to its root.
    pub others_within: Vec<PathBuf>,
}

/// How changes are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WatchMode {
    /// Inotify where the file system is local, else polling.
    #[default]
    Auto,
    /// Inotify, with whole scans now and then.
    Inotify,
    /// Whole scans only.
    Poll,
    /// Not at all.
    Off,
}

/// All triggers.
#[derive(Debug)]
pub struct Trigger {
    options: TriggerOptions,
    store: Store,
    bells: Bells,
    board: Board,
}

impl Trigger {
    /// Triggers for these storages; nothing happens before [`run`](Self::run).
    pub fn new(options: TriggerOptions, store: Store, bells: Bells) -> Self {
        Trigger {
            options,
            store,
            bells,
            board: Board::default(),
        }
    }

    /// How the storages are doing. Clones stay current.
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Watches until `stop`; returns at once then, whatever hangs.
    pub async fn run(self, stop: CancellationToken) {
        let mut watches = JoinSet::new();
        let mut watched = Vec::new();
        for storage in self.options.storages {
            let asked = self.board.enter(
                &storage.name,
                storage.root.display().to_string(),
                storage.watch != WatchMode::Off,
            );
            // One thread that hangs leaves one to notice when the storage is back.
            let lane = Lane::new(&storage.name, 2);
            if storage.watch != WatchMode::Off {
                watched.push(storage.name.clone());
            }
            let folder = WatchFolder::new(
                storage,
                self.store.clone(),
                self.bells.scheduler.clone(),
                self.board.clone(),
                asked,
                lane,
            );
            watches.spawn(folder.run(stop.clone()));
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.bells.trigger.wait() => {}
            }
            // Workflows changed: one that takes existing objects may be among them.
            for name in &watched {
                watch_folder::release_existing(&self.store, &self.bells.scheduler, name).await;
            }
        }
        watches.shutdown().await;
    }
}

#[cfg(test)]
mod tests;
