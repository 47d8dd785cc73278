//! How far running attempts are, and what jobs wait for that could run: a board in memory that one side writes and any number read.
//!
//! Guarantees: reading never waits for more than the copy of a short list; a reader that watches misses no last
//! state. Deliberately absent: history and rows; a restart begins with an empty board.

use crate::base::ids::AttemptId;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use tokio::sync::watch;

/// One running attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Its task.
    pub task: TaskId,
    /// Its jobs.
    pub jobs: Vec<JobId>,
    /// 0..=100, never falling.
    pub percent: f64,
    /// Source frames done.
    pub frames: u64,
    /// Source frames a second.
    pub fps: f64,
    /// Source seconds a second.
    pub speed: f64,
    /// Seconds left.
    pub eta_s: Option<f64>,
    /// Where the work was sent; none: to the processors.
    pub device: Option<RunsOn>,
}

/// A device that an attempt was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsOn {
    /// Number within the driver.
    pub ordinal: u32,
    /// Its name, `NVIDIA H200`; empty: it is not known any more.
    pub name: String,
}

/// The board. Clones share it.
#[derive(Debug, Clone)]
pub struct ProgressBoard(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    running: Mutex<BTreeMap<AttemptId, Running>>,
    waits: Mutex<BTreeMap<JobId, String>>,
    changes: watch::Sender<u64>,
}

impl Default for ProgressBoard {
    fn default() -> Self {
        ProgressBoard(Arc::new(Shared {
            running: Mutex::new(BTreeMap::new()),
            waits: Mutex::default(),
            changes: watch::Sender::new(0),
        }))
    }
}

impl ProgressBoard {
    /// Writes where an attempt is.
    pub fn put(&self, attempt: &AttemptId, running: Running) {
        self.lock().insert(attempt.clone(), running);
        self.0.changes.send_modify(|count| *count += 1);
    }

    /// Takes an ended attempt off.
    pub fn clear(&self, attempt: &AttemptId) {
        if self.lock().remove(attempt).is_some() {
            self.0.changes.send_modify(|count| *count += 1);
        }
    }

    /// Everything that runs, oldest attempt first.
    pub fn all(&self) -> Vec<(AttemptId, Running)> {
        let running = self.lock();
        running.iter().map(|(id, one)| (id.clone(), one.clone())).collect()
    }

    /// Writes which jobs could run but for something that is short, each with a sentence; those before are forgotten.
    pub fn set_waits(&self, waits: BTreeMap<JobId, String>) {
        *self.0.waits.lock().unwrap_or_else(PoisonError::into_inner) = waits;
    }

    /// What a job waits for that could run; none: nothing that is known.
    pub fn why_waiting(&self, job: &JobId) -> Option<String> {
        let waits = self.0.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.get(job).cloned()
    }

    /// A counter that moves with every change, to wait on.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AttemptId, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
