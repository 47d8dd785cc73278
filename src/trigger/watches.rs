//! The watches that run now: begun, ended and exchanged while the program runs.
//!
//! Guarantees: at most one watch a storage; one that is ended writes nothing any more when the end is told; whatever
//! hangs holds up nobody but itself. Deliberately absent: which storages there are.

use crate::base::clock::UtcMs;
use crate::base::wake::Bells;
use crate::objects::lane::Lane;
use crate::store::Store;
use crate::telemetry::metrics::Metric;
use crate::telemetry::metrics::Metrics;
use crate::trigger::BucketWatch;
use crate::trigger::StorageOptions;
use crate::trigger::WatchMode;
use crate::trigger::board::Board;
use crate::trigger::explain::FolderExplainer;
use crate::trigger::s3_scan;
use crate::trigger::s3_scan::BucketExplainer;
use crate::trigger::s3_scan::Surroundings;
use crate::trigger::s3_scan::WatchBucket;
use crate::trigger::unwatched::Unwatched;
use crate::trigger::watch_folder::WatchFolder;
use crate::trigger::watch_folder::portions;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A watch ends between two of its steps; one that does not in this time is cut off.
const END_WITHIN: Duration = Duration::from_secs(5);

/// What is to be watched.
#[derive(Debug, Clone)]
pub enum Watched {
    /// A folder, also one that is only guarded.
    Folder(Box<StorageOptions>),
    /// A bucket, also one that is not listed.
    Bucket(Box<BucketWatch>),
}

impl Watched {
    fn name(&self) -> &str {
        match self {
            Watched::Folder(options) => &options.name,
            Watched::Bucket(watch) => &watch.name,
        }
    }
}

/// Begins and ends watches while the triggers run. Clones are the same.
#[derive(Debug, Clone)]
pub struct Hands(mpsc::UnboundedSender<Order>);

#[derive(Debug)]
pub(super) struct Order {
    deed: Deed,
    done: oneshot::Sender<()>,
}

#[derive(Debug)]
enum Deed {
    Begin { watched: Watched, since: UtcMs },
    End { name: String },
}

impl Hands {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Order>) {
        let (orders, taken) = mpsc::unbounded_channel();
        (Hands(orders), taken)
    }

    /// Watches this from now on, instead of what was watched under its name. What came at `since` or later is new.
    /// Done when it is on the board; before the triggers run, when they begin to.
    pub async fn begin(&self, watched: Watched, since: UtcMs) {
        self.order(Deed::Begin { watched, since }).await;
    }

    /// The same without waiting.
    pub fn begin_soon(&self, watched: Watched, since: UtcMs) {
        drop(self.send(Deed::Begin { watched, since }));
    }

    /// Stops watching what has this name, and takes it from the board.
    pub async fn end(&self, name: &str) {
        self.order(Deed::End { name: name.to_owned() }).await;
    }

    async fn order(&self, deed: Deed) {
        // Where nobody takes it the program is stopping, and its storages come back with the next start.
        let _ = self.send(deed).await;
    }

    fn send(&self, deed: Deed) -> oneshot::Receiver<()> {
        let (done, told) = oneshot::channel();
        // As above.
        let _ = self.0.send(Order { deed, done });
        told
    }
}

/// What all watches share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) bells: Bells,
    pub(super) board: Board,
    pub(super) metrics: Metrics,
}

/// The watches that run now.
pub(super) struct Watches {
    shared: Shared,
    running: BTreeMap<String, Running>,
}

struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
    watched: bool,
    bucket: bool,
}

impl Watches {
    pub(super) fn new(shared: Shared) -> Self {
        Watches {
            shared,
            running: BTreeMap::new(),
        }
    }

    /// Carries an order out.
    pub(super) async fn obey(&mut self, order: Order) {
        match order.deed {
            Deed::Begin { watched, since } => {
                self.end(watched.name()).await;
                self.begin(watched, since);
            }
            Deed::End { name } => {
                self.end(&name).await;
                self.shared.board.leave(&name);
            }
        }
        // Nobody waits for it: fine.
        let _ = order.done.send(());
    }

    /// Names of what is watched for arrivals.
    pub(super) fn watched(&self) -> Vec<String> {
        let watched = self.running.iter().filter(|(_, running)| running.watched);
        watched.map(|(name, _)| name.clone()).collect()
    }

    /// Those of them that are buckets.
    pub(super) fn buckets(&self) -> Vec<String> {
        let buckets = self
            .running
            .iter()
            .filter(|(_, running)| running.watched && running.bucket);
        buckets.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn begin(&mut self, watched: Watched, since: UtcMs) {
        let name = watched.name().to_owned();
        let running = match watched {
            Watched::Folder(options) => self.begin_folder(*options, since),
            Watched::Bucket(watch) => self.begin_bucket(*watch, since),
        };
        if running.watched {
            // A counter begins at nothing, so that its first step is seen as one.
            self.shared.metrics.add_labelled(Metric::Arrivals, &name, 0.0);
        }
        self.running.insert(name, running);
    }

    async fn end(&mut self, name: &str) {
        let Some(mut running) = self.running.remove(name) else {
            return;
        };
        running.stop.cancel();
        if tokio::time::timeout(END_WITHIN, &mut running.task).await.is_err() {
            tracing::warn!(storage = name, "a watch did not end by itself and is cut off");
            running.task.abort();
            let _ = running.task.await;
        }
    }

    /// Ends all of them at once, whatever hangs.
    pub(super) async fn shut_down(self) {
        for running in self.running.values() {
            running.stop.cancel();
            running.task.abort();
        }
        for running in self.running.into_values() {
            let _ = running.task.await;
        }
    }

    fn begin_folder(&self, storage: StorageOptions, since: UtcMs) -> Running {
        let shared = &self.shared;
        let watched = storage.watch != WatchMode::Off;
        let location = storage.root.display().to_string();
        let asked = shared.board.enter(&storage.name, "folder", location, watched);
        let lane = Lane::new(&storage.name, portions::THREADS);
        let explainer = FolderExplainer::new(
            storage.clone(),
            shared.board.clone(),
            Lane::new(format!("{}-explain", storage.name), 1),
        );
        shared.board.explained_by(&storage.name, Arc::new(explainer));
        let stop = CancellationToken::new();
        let task = if watched {
            let folder = WatchFolder::new(
                storage,
                shared.store.clone(),
                shared.bells.scheduler.clone(),
                shared.board.clone(),
                asked,
                lane,
                (shared.metrics.clone(), since),
            );
            tokio::spawn(folder.run(stop.clone()))
        } else {
            let unwatched = Unwatched::new(storage, shared.store.clone(), shared.board.clone(), asked, lane);
            tokio::spawn(unwatched.run(stop.clone()))
        };
        Running {
            stop,
            task,
            watched,
            bucket: false,
        }
    }

    fn begin_bucket(&self, bucket: BucketWatch, since: UtcMs) -> Running {
        let shared = &self.shared;
        let watched = bucket.watch != WatchMode::Off;
        let location = s3_scan::location(&bucket.bucket);
        let asked = shared.board.enter(&bucket.name, "s3", location, watched);
        let surroundings = Surroundings {
            store: shared.store.clone(),
            scheduler: shared.bells.scheduler.clone(),
            board: shared.board.clone(),
            asked,
            metrics: shared.metrics.clone(),
            entered: since,
        };
        let lister = Arc::new(bucket.bucket.clone());
        let explainer = BucketExplainer {
            options: bucket.clone(),
            lister: lister.clone(),
            store: shared.store.clone(),
        };
        shared.board.explained_by(&bucket.name, Arc::new(explainer));
        let stop = CancellationToken::new();
        let task = tokio::spawn(WatchBucket::new(bucket, lister, surroundings).run(stop.clone()));
        Running {
            stop,
            task,
            watched,
            bucket: true,
        }
    }
}
