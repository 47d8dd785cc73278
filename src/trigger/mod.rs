//! What arrives in the storages, written into the ledger; nothing else.
//!
//! Guarantees: what settles is committed before anybody is told; a storage that hangs, vanishes or changes holds up no
//! other, and costs no object its "once". Deliberately absent: workflows and tasks. The scheduler is woken and reads
//! the ledger.

mod beside;
pub mod board;
pub mod box_check;
pub mod checksum;
mod digest;
pub mod explain;
pub mod group;
mod hints;
pub mod known;
mod ledger;
mod look;
pub mod mount_guard;
pub mod queue;
pub mod s3_notify;
pub mod s3_scan;
mod scans;
pub mod settle;
pub mod sight;
mod unwatched;
mod verification;
mod watch_folder;
pub mod watches;

use crate::base::clock::UtcMs;
use crate::base::wake::Bell;
use crate::base::wake::Bells;
use crate::objects::ground::Ground;
use crate::objects::name_rules::NameRules;
use crate::objects::s3::Bucket;
use crate::store::Store;
use crate::telemetry::metrics::Metrics;
use crate::trigger::board::Board;
use crate::trigger::group::GroupKind;
use crate::trigger::settle::Rules;
use crate::trigger::watches::Hands;
use crate::trigger::watches::Order;
use crate::trigger::watches::Shared;
use crate::trigger::watches::Watched;
use crate::trigger::watches::Watches;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the trigger is built from.
#[derive(Debug, Clone, Default)]
pub struct TriggerOptions {
    /// Every storage, also those that are not watched.
    pub storages: Vec<StorageOptions>,
    /// Every bucket, also those that are not watched.
    pub buckets: Vec<BucketWatch>,
    /// Where arrivals are counted; by default nobody reads it.
    pub metrics: Metrics,
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
    /// Which files are taken for one media.
    pub groups: Vec<GroupKind>,
    /// Pictures a second of sequences.
    pub sequence_fps: f64,
    /// A file in it without which it is not believed to be the storage; none: not asked for.
    pub sentinel: Option<String>,
    /// Where is said what the storage has to lie on while it is worked on.
    pub ground: Ground,
    /// What makes a file ready.
    pub ready: Ready,
    /// Time that must have passed since an object was first seen as it is.
    pub min_age: Duration,
    /// Which names are objects, and which speak of others.
    pub names: Arc<NameRules>,
}

/// What makes a file ready. What markers and checksums are called stands in [`StorageOptions::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ready {
    /// It stayed the same for so many looks, and its container is whole.
    #[default]
    Stable,
    /// Writers rename it when it is whole, so one look is enough.
    Rename,
    /// A marker says so, and then one look is enough.
    Marker,
    /// It stayed the same, and it is what its checksum says.
    Checksum,
}

/// One bucket.
#[derive(Debug, Clone)]
pub struct BucketWatch {
    /// Name of the storage.
    pub name: String,
    /// Where it is.
    pub bucket: Bucket,
    /// How changes are noticed: off, or by listing and notifications.
    pub watch: WatchMode,
    /// Time between listings; none: as it turns out.
    pub poll_interval: Option<Duration>,
    /// Age, by the service's stamps, before an object counts as arrived.
    pub min_age: Duration,
    /// Which names are objects.
    pub names: Arc<NameRules>,
    /// Prefixes beneath which new keys always sort behind the old ones.
    pub monotonic_prefixes: Vec<String>,
}

impl StorageOptions {
    /// Looks and their distance, by file system where the configuration leaves it open.
    fn settle_rules(&self, file_system: &str) -> Rules {
        let by_word = matches!(self.ready, Ready::Rename | Ready::Marker);
        let milliseconds = match file_system {
            // Somebody else said that it is whole; a moment is left for what is being done in the same breath.
            _ if by_word => 250,
            "local" => 1_000,
            // Clients write in bursts, and the server tells late: size and time lie for many seconds.
            "cifs" | "smb2" | "smbfs" => 15_000,
            _ => 5_000,
        };
        let milliseconds_of = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let looks = if by_word { 1 } else { 2 };
        Rules {
            looks: self.settle_looks.unwrap_or(looks),
            interval_ms: self.settle_interval.map_or(milliseconds, milliseconds_of).max(1),
            // Copies stall for longer than a recording pauses; whoever sets the times knows better.
            patience_ms: if self.settle_interval.is_some() { 0 } else { 30_000 },
            min_age_ms: milliseconds_of(self.min_age),
        }
    }
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
    hands: Hands,
    orders: mpsc::UnboundedReceiver<Order>,
    /// From here on what comes is new, though the first scan begins a little later.
    made_at: UtcMs,
}

impl Trigger {
    /// Triggers for these storages; nothing happens before [`run`](Self::run).
    pub fn new(options: TriggerOptions, store: Store, bells: Bells) -> Self {
        let (hands, orders) = Hands::new();
        Trigger {
            options,
            store,
            bells,
            board: Board::default(),
            hands,
            orders,
            made_at: UtcMs::now(),
        }
    }

    /// How the storages are doing. Clones stay current.
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Begins and ends watches while it runs.
    pub fn hands(&self) -> Hands {
        self.hands.clone()
    }

    /// Watches until `stop`; returns at once then, whatever hangs.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut watches = Watches::new(Shared {
            store: self.store.clone(),
            bells: self.bells.clone(),
            board: self.board.clone(),
            metrics: self.options.metrics,
        });
        for storage in self.options.storages {
            watches.begin(Watched::Folder(Box::new(storage)), self.made_at);
        }
        for bucket in self.options.buckets {
            watches.begin(Watched::Bucket(Box::new(bucket)), self.made_at);
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.bells.trigger.wait() => {}
                Some(order) = self.orders.recv() => {
                    watches.obey(order).await;
                    continue;
                }
            }
            // Workflows changed: one that takes existing objects may be among them.
            for name in watches.buckets() {
                self.board.workflows_changed(&name);
            }
            for name in watches.watched() {
                release_existing(&self.store, &self.bells.scheduler, &name).await;
            }
        }
        watches.shut_down().await;
    }
}

/// Makes existing objects ready that an enabled workflow asks for.
async fn release_existing(store: &Store, scheduler: &Bell, name: &str) {
    match store.release_existing(name).await {
        Ok(0) => {}
        Ok(released) => {
            tracing::info!(
                storage = name,
                released,
                "objects that were there before run, as a workflow asks"
            );
            scheduler.ring();
        }
        Err(error) => tracing::warn!(storage = name, %error, "existing objects could not be looked through"),
    }
}

#[cfg(test)]
mod tests;
