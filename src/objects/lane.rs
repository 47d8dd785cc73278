//! The threads on which one storage's file operations run.
//!
//! A mount that hangs holds a thread in the kernel for as long as it likes. So each storage has a few threads of its
//! own, whoever waits for one gives up after a time, and while all of them hang nobody is made to wait at all.
//! Guarantees: never more threads than given; an operation nobody waits for any more is not begun; stopping the
//! program does not wait for them. Deliberately absent: what the operations do.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// The threads of one storage. Clones share them.
#[derive(Clone)]
pub struct Lane(Arc<State>);

struct State {
    name: String,
    threads: usize,
    started: AtomicUsize,
    idle: AtomicUsize,
    /// Operations that no thread has taken up.
    queued: Arc<AtomicUsize>,
    /// Operations that went on longer than anybody waited.
    overdue: Arc<AtomicUsize>,
    queue: mpsc::Sender<Job>,
    waiting: Arc<Mutex<mpsc::Receiver<Job>>>,
}

impl Lane {
    /// Threads for the storage `name`, begun when first needed.
    pub fn new(name: impl Into<String>, threads: usize) -> Self {
        let (queue, waiting) = mpsc::channel();
        Lane(Arc::new(State {
            name: name.into(),
            threads: threads.max(1),
            started: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            queued: Arc::new(AtomicUsize::new(0)),
            overdue: Arc::new(AtomicUsize::new(0)),
            queue,
            waiting: Arc::new(Mutex::new(waiting)),
        }))
    }

    /// Runs one operation and waits for it, at most so long.
    ///
    /// # Errors
    /// `StorageHangs`: it took too long (it goes on in its thread), or all threads hang already.
    pub async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        limit: Duration,
        run: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let state = &self.0;
        if state.overdue.load(Ordering::Acquire) >= state.threads {
            return Err(self.hangs(operation, "earlier operations have not come back"));
        }
        let (tell, mut told) = oneshot::channel();
        let phase = Arc::new(Mutex::new(Phase::Queued));
        let job: Job = Box::new({
            let phase = Arc::clone(&phase);
            let overdue = Arc::clone(&state.overdue);
            let queued = Arc::clone(&state.queued);
            move || {
                queued.fetch_sub(1, Ordering::AcqRel);
                {
                    let mut phase = phase.lock().unwrap_or_else(PoisonError::into_inner);
                    if *phase == Phase::GivenUp {
                        return;
                    }
                    *phase = Phase::Running;
                }
                let _ = tell.send(run());
                let mut phase = phase.lock().unwrap_or_else(PoisonError::into_inner);
                if *phase == Phase::GivenUp {
                    overdue.fetch_sub(1, Ordering::AcqRel);
                }
                *phase = Phase::Done;
            }
        });
        state.queued.fetch_add(1, Ordering::AcqRel);
        state.queue.send(job).expect("the lane holds the receiver itself");
        self.start_thread();
        if let Ok(answer) = tokio::time::timeout(limit, &mut told).await {
            return answer.map_err(|_| self.hangs(operation, "the operation panicked; see the log"));
        }
        let mut phase = phase.lock().unwrap_or_else(PoisonError::into_inner);
        match *phase {
            Phase::Done => {}
            Phase::Running => {
                *phase = Phase::GivenUp;
                state.overdue.fetch_add(1, Ordering::AcqRel);
            }
            Phase::Queued | Phase::GivenUp => *phase = Phase::GivenUp,
        }
        Err(self.hangs(operation, &format!("no answer within {} s", limit.as_secs_f32())))
    }

    fn hangs(&self, operation: &str, cause: &str) -> Fault {
        Fault::new(
            "StorageHangs",
            Blame::Host,
            operation,
            self.0.name.clone(),
            cause,
            "Check the mount and its server; work goes on by itself when it answers again.",
        )
    }

    fn start_thread(&self) {
        let state = &self.0;
        if state.idle.load(Ordering::Acquire) >= state.queued.load(Ordering::Acquire) {
            return;
        }
        let begun = state
            .started
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |started| {
                (started < state.threads).then_some(started + 1)
            });
        let Ok(number) = begun else { return };
        let waiting = Arc::clone(&state.waiting);
        let weak = Arc::downgrade(state);
        let spawned = std::thread::Builder::new()
            .name(format!("lane-{}-{number}", state.name))
            .spawn(move || {
                loop {
                    let idle = |change: fn(&AtomicUsize)| {
                        if let Some(state) = weak.upgrade() {
                            change(&state.idle);
                        }
                    };
                    idle(|count| {
                        count.fetch_add(1, Ordering::AcqRel);
                    });
                    let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    idle(|count| {
                        count.fetch_sub(1, Ordering::AcqRel);
                    });
                    let Ok(job) = job else { return };
                    // A panic is the operation's alone; its waiter learns of it by the dropped channel.
                    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
                }
            });
        if spawned.is_err() {
            state.started.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Queued,
    Running,
    Done,
    GivenUp,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lane").field(&self.0.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Lane;
    use std::sync::mpsc;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_hanging_operation_blocks_nobody_and_heals() {
        let lane = Lane::new("nas", 1);
        assert_eq!(lane.run("look", LONG, || 7).await.expect("answers"), 7);
        let (release, held) = mpsc::channel::<()>();
        let hung = lane.run("look", Duration::from_millis(20), move || held.recv()).await;
        assert_eq!(hung.expect_err("hangs").code, "StorageHangs");
        // All threads hang: refused at once instead of queueing up.
        let refused = lane.run("look", LONG, || ()).await.expect_err("refused");
        assert!(refused.retryable && refused.cause.contains("earlier"), "{refused}");
        release.send(()).expect("still waiting");
        while lane.run("look", LONG, || ()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_its_own_operation() {
        let lane = Lane::new("nas", 1);
        lane.run("look", LONG, || panic!("deliberate"))
            .await
            .expect_err("panicked");
        assert_eq!(lane.run("look", LONG, || 1).await.expect("goes on"), 1);
    }
}
