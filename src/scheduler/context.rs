//! What every part of the scheduler holds: the store, the executor, and what runs at this moment.
//!
//! Guarantees: what runs is counted here and nowhere else; a store that fails is asked again, so no result of an
//! attempt is dropped for a full disk. Deliberately absent: decisions.

use crate::base::clock::UtcMs;
use crate::base::ids::AttemptId;
use crate::base::ids::WorkflowId;
use crate::base::progress_board::ProgressBoard;
use crate::base::wake::Bells;
use crate::executor::Executor;
use crate::scheduler::SchedulerOptions;
use crate::scheduler::capacity::Busy;
use crate::scheduler::capacity::Weight;
use crate::scheduler::devices::Devices;
use crate::scheduler::links::Links;
use crate::scheduler::links::NoLinks;
use crate::scheduler::looking::DeviceBoard;
use crate::scheduler::pace::Pace;
use crate::scheduler::tally::Tally;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::tasks::TaskRow;
use crate::workflow::resolved::ResolvedWorkflow;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Resolved workflows kept in memory before the oldest knowledge is dropped.
const WORKFLOWS_KEPT: usize = 512;

/// One attempt that has not ended.
#[derive(Debug, Clone)]
pub(super) struct Live {
    /// Stops its worker.
    pub stop: CancellationToken,
    pub threads: u32,
    pub weight: Weight,
    /// Scratch that it was granted, bytes.
    pub scratch_bytes: u64,
    /// Its worker is gone; it publishes, which takes no capacity.
    pub publishing: bool,
}

/// Shared by the loop and the tasks that drive attempts.
pub(super) struct Context {
    pub options: SchedulerOptions,
    pub store: Store,
    pub executor: Arc<dyn Executor>,
    pub bells: Bells,
    pub board: ProgressBoard,
    pub tally: Tally,
    /// NVIDIA devices, and what runs on them.
    pub devices: DeviceBoard,
    /// Addresses that others may use.
    pub links: Arc<dyn Links>,
    /// How fast attempts were.
    pace: Mutex<Pace>,
    /// Set while no new attempt may begin.
    pub draining: Arc<AtomicBool>,
    /// Cancelled when the daemon stops and the grace time is over.
    pub last_call: CancellationToken,
    /// Sources are being moved or deleted by their `after` rules.
    pub parting: AtomicBool,
    /// Leftovers of other attempts are swept: only then may new attempts make files.
    pub swept: AtomicBool,
    live: Mutex<HashMap<AttemptId, Live>>,
    workflows: Mutex<HashMap<(WorkflowId, u32), Arc<ResolvedWorkflow>>>,
}

impl Context {
    pub fn new(options: SchedulerOptions, store: Store, executor: Arc<dyn Executor>, bells: Bells) -> Self {
        Context {
            devices: DeviceBoard::new(Devices::new(options.devices.clone()), bells.scheduler.clone()),
            pace: Mutex::default(),
            options,
            store,
            executor,
            bells,
            links: Arc::new(NoLinks),
            board: ProgressBoard::default(),
            tally: Tally::default(),
            draining: Arc::default(),
            last_call: CancellationToken::new(),
            parting: AtomicBool::new(false),
            swept: AtomicBool::new(false),
            live: Mutex::new(HashMap::new()),
            workflows: Mutex::new(HashMap::new()),
        }
    }

    /// The workflow as `task` runs it: its version, with what its caller wanted otherwise.
    pub async fn workflow(&self, task: &TaskRow) -> Result<Arc<ResolvedWorkflow>, StoreError> {
        let version = self.version(&task.workflow, task.version).await?;
        Ok(task.overrides.applied_to(&version))
    }

    /// One version of a workflow. Versions never change, so memory is as good as the store.
    pub async fn version(&self, id: &WorkflowId, version: u32) -> Result<Arc<ResolvedWorkflow>, StoreError> {
        let key = (id.clone(), version);
        if let Some(known) = locked(&self.workflows).get(&key) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(self.store.resolved_workflow(id, version).await?);
        let mut known = locked(&self.workflows);
        if known.len() >= WORKFLOWS_KEPT {
            known.clear();
        }
        known.insert(key, Arc::clone(&read));
        Ok(read)
    }

    /// Notes an attempt that begins.
    pub fn enter(&self, attempt: &AttemptId, live: Live) {
        locked(&self.live).insert(attempt.clone(), live);
        self.tally.running(self.busy());
    }

    /// Its worker is gone and its capacity free.
    pub fn only_publishes(&self, attempt: &AttemptId) {
        if let Some(live) = locked(&self.live).get_mut(attempt) {
            live.publishing = true;
        }
        self.tally.running(self.busy());
        self.board.clear(attempt);
        self.bells.scheduler.ring();
    }

    /// It has ended.
    pub fn leave(&self, attempt: &AttemptId) {
        locked(&self.live).remove(attempt);
        self.tally.running(self.busy());
        self.board.clear(attempt);
        self.bells.scheduler.ring();
    }

    /// Asks a worker to stop.
    pub fn stop(&self, attempt: &AttemptId) {
        if let Some(live) = locked(&self.live).get(attempt) {
            live.stop.cancel();
        }
    }

    /// Asks every worker to stop.
    pub fn stop_all(&self) {
        for live in locked(&self.live).values() {
            live.stop.cancel();
        }
    }

    /// Attempts that have not ended.
    pub fn live(&self) -> Vec<AttemptId> {
        locked(&self.live).keys().cloned().collect()
    }

    /// What takes capacity now.
    pub fn busy(&self) -> Busy {
        let live = locked(&self.live);
        let mut busy = Busy::default();
        for one in live.values().filter(|one| !one.publishing) {
            busy.threads += one.threads;
            match one.weight {
                Weight::Heavy => busy.heavy += 1,
                Weight::Light => busy.light += 1,
                Weight::Carried => busy.carried += 1,
                Weight::Asking | Weight::Copying => {}
            }
        }
        busy
    }

    /// Scratch that attempts which have not ended were granted, bytes. What is published lies there until it is.
    pub fn scratch_held(&self) -> u64 {
        locked(&self.live).values().map(|live| live.scratch_bytes).sum()
    }

    /// How many of this weight have not ended.
    pub fn count(&self, weight: Weight) -> usize {
        locked(&self.live).values().filter(|live| live.weight == weight).count()
    }

    /// How fast attempts were.
    pub fn pace(&self) -> MutexGuard<'_, Pace> {
        locked(&self.pace)
    }

    /// Does `write` until the store takes it: a result is never dropped because a disk is full for a while. Errors
    /// that no repetition heals are returned, and so is everything once the daemon is leaving.
    pub async fn insist<T, F>(&self, what: &str, mut write: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut wait = Duration::from_millis(200);
        loop {
            match write().await {
                Err(error @ (StoreError::Sqlite { .. } | StoreError::Undone { .. })) => {
                    if self.last_call.is_cancelled() {
                        return Err(error);
                    }
                    tracing::error!(what, %error, "the database does not take a result; trying again");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(15));
                }
                other => return other,
            }
        }
    }

    /// Now.
    pub fn now(&self) -> UtcMs {
        UtcMs::now()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
