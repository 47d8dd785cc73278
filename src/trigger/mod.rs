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
mod unwatched;
mod verification;
mod watch_folder;

use crate::base::clock::UtcMs;
use crate::base::wake::Bell;
use crate::base::wake::Bells;
use crate::objects::ground::Ground;
use crate::objects::lane::Lane;
use crate::objects::name_rules::NameRules;
use crate::objects::s3::Bucket;
use crate::store::Store;
use crate::telemetry::metrics::Metric;
use crate::telemetry::metrics::Metrics;
use crate::trigger::board::Board;
use crate::trigger::explain::FolderExplainer;
use crate::trigger::group::GroupKind;
use crate::trigger::s3_scan::BucketExplainer;
use crate::trigger::s3_scan::Surroundings;
use crate::trigger::s3_scan::WatchBucket;
use crate::trigger::settle::Rules;
use crate::trigger::unwatched::Unwatched;
use crate::trigger::watch_folder::WatchFolder;
use crate::trigger::watch_folder::portions;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
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
    /// From here on what comes is new, though the first scan begins a little later.
    made_at: UtcMs,
}

impl Trigger {
    /// Triggers for these storages; nothing happens before [`run`](Self::run).
    pub fn new(options: TriggerOptions, store: Store, bells: Bells) -> Self {
        Trigger {
            options,
            store,
            bells,
            board: Board::default(),
            made_at: UtcMs::now(),
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
                "folder",
                storage.root.display().to_string(),
                storage.watch != WatchMode::Off,
            );
            let lane = Lane::new(&storage.name, portions::THREADS);
            let explainer = FolderExplainer::new(
                storage.clone(),
                self.board.clone(),
                Lane::new(format!("{}-explain", storage.name), 1),
            );
            self.board.explained_by(&storage.name, Arc::new(explainer));
            if storage.watch == WatchMode::Off {
                watches.spawn(
                    Unwatched::new(storage, self.store.clone(), self.board.clone(), asked, lane).run(stop.clone()),
                );
                continue;
            }
            watched.push(storage.name.clone());
            // A counter begins at nothing, so that its first step is seen as one.
            self.options.metrics.add_labelled(Metric::Arrivals, &storage.name, 0.0);
            let folder = WatchFolder::new(
                storage,
                self.store.clone(),
                self.bells.scheduler.clone(),
                self.board.clone(),
                asked,
                lane,
                (self.options.metrics.clone(), self.made_at),
            );
            watches.spawn(folder.run(stop.clone()));
        }
        let mut buckets = Vec::new();
        for bucket in self.options.buckets {
            let watched = bucket.watch != WatchMode::Off;
            let asked = self
                .board
                .enter(&bucket.name, "s3", s3_scan::location(&bucket.bucket), watched);
            if watched {
                buckets.push(bucket.name.clone());
                self.options.metrics.add_labelled(Metric::Arrivals, &bucket.name, 0.0);
            }
            let surroundings = Surroundings {
                store: self.store.clone(),
                scheduler: self.bells.scheduler.clone(),
                board: self.board.clone(),
                asked,
                metrics: self.options.metrics.clone(),
                entered: self.made_at,
            };
            let lister = Arc::new(bucket.bucket.clone());
            let explainer = BucketExplainer {
                options: bucket.clone(),
                lister: lister.clone(),
                store: self.store.clone(),
            };
            self.board.explained_by(&bucket.name, Arc::new(explainer));
            watches.spawn(WatchBucket::new(bucket, lister, surroundings).run(stop.clone()));
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.bells.trigger.wait() => {}
            }
            // Workflows changed: one that takes existing objects may be among them.
            for name in &buckets {
                self.board.workflows_changed(name);
            }
            for name in watched.iter().chain(&buckets) {
                release_existing(&self.store, &self.bells.scheduler, name).await;
            }
        }
        watches.shutdown().await;
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
