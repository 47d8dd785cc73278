//! The loop that makes things happen: reads the store, acts, sleeps until something may have changed.
//!
//! A turn of the loop takes no input. It looks for wishes of users, settled arrivals, jobs that need no worker, questions
//! whose time is over, sources to move, ready jobs and errands, in this order, and acts on what it finds; so the path after a crash is the path of every
//! day. Bells and a timer only say when to look. Guarantees: nothing it decided is lost by a kill -9 (every decision
//! is a committed row); attempts run beside the loop and never block it. Deliberately absent: how work is carried
//! out (`executor`), how facts reach anyone (`callback`).

mod alone;
mod asking;
mod attempt;
pub mod capacity;
mod conclude;
mod context;
mod copying;
pub mod device;
pub mod devices;
mod draft;
mod errands;
mod ground;
pub mod inlet;
mod intake;
mod lease;
pub mod links;
pub mod looking;
mod milestones;
pub mod need;
mod order;
mod pace;
mod parting;
pub mod pruning;
mod publication;
mod recovery;
pub mod retry;
mod reviews;
pub mod room;
mod tally;
mod wishes;

use crate::base::clock::UtcMs;
use crate::base::progress_board::ProgressBoard;
use crate::base::pulse::Pulse;
use crate::base::wake::Bells;
use crate::executor::Executor;
use crate::media::limits::Limits;
use crate::scheduler::capacity::Capacity;
use crate::scheduler::context::Context;
use crate::scheduler::devices::DeviceRules;
use crate::scheduler::links::Links;
use crate::scheduler::looking::DeviceBoard;
use crate::scheduler::retry::RetryPolicy;
use crate::scheduler::tally::Tally;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::telemetry::metrics::Metrics;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How the scheduler works.
#[derive(Debug, Clone)]
pub struct SchedulerOptions {
    /// How much may run at once.
    pub capacity: Capacity,
    /// How much of scratch attempts may fill together; none: as much as there is.
    pub scratch: Option<room::Limit>,
    /// How devices are used.
    pub devices: DeviceRules,
    /// How failed jobs are tried again.
    pub retry: RetryPolicy,
    /// Programs outside that are asked at once.
    pub asking: usize,
    /// Copies between storages at once.
    pub copying: usize,
    /// Limits against hostile sources, for every worker.
    pub limits: Limits,
    /// How long running attempts may go on after a stop was asked.
    pub grace: Duration,
    /// How long an attempt owns its jobs without a renewal; renewed every third of it.
    pub lease_ms: i64,
    /// Longest time between two looks.
    pub look_every: Duration,
    /// How long rows are kept.
    pub keeping: pruning::Keeping,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        SchedulerOptions {
            capacity: Capacity::auto(),
            scratch: None,
            devices: DeviceRules::default(),
            retry: RetryPolicy::default(),
            asking: 16,
            copying: 4,
            limits: Limits::default(),
            grace: Duration::from_secs(20),
            lease_ms: 60_000,
            look_every: Duration::from_secs(15),
            keeping: pruning::Keeping::default(),
        }
    }
}

/// The loop, not yet running.
pub struct Scheduler {
    context: Context,
    pulse: Pulse,
}

impl Scheduler {
    /// A scheduler over `store` that carries out through `executor`, woken by `bells.scheduler` and ringing
    /// `bells.callback`.
    pub fn new(options: SchedulerOptions, store: Store, executor: Arc<dyn Executor>, bells: Bells) -> Self {
        Scheduler {
            context: Context::new(options, store, executor, bells),
            pulse: Pulse::default(),
        }
    }

    /// Counts what it does in `metrics`.
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.context.tally = Tally::into(metrics);
        self
    }

    /// Begins no attempt while `draining` is set; what runs goes on, and so does everything that needs no worker. Ring
    /// `bells.scheduler` when it is cleared.
    pub fn with_drain(mut self, draining: Arc<AtomicBool>) -> Self {
        self.context.draining = draining;
        self
    }

    /// Tells programs outside addresses made by `links`.
    pub fn with_links(mut self, links: Arc<dyn Links>) -> Self {
        self.context.links = links;
        self
    }

    /// Beats once a turn of the loop, which comes every `look_every` at the latest.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Where running attempts are, for whoever shows it.
    pub fn board(&self) -> ProgressBoard {
        self.context.board.clone()
    }

    /// The devices, for whoever shows them or wants them looked at.
    pub fn devices(&self) -> DeviceBoard {
        self.context.devices.clone()
    }

    /// Runs until `shutdown`; then lets running attempts end within the grace time, stops the others and gives their
    /// jobs back. Returns when nothing of it runs any more.
    pub async fn run(self, shutdown: CancellationToken) {
        let context = Arc::new(self.context);
        let mut driven = JoinSet::new();
        while let Err(error) = recovery::run(&context, &mut driven).await {
            tracing::error!(%error, "recovery failed; trying again");
            if !pause(&shutdown, Duration::from_secs(5)).await {
                break;
            }
        }
        let (store, keeping) = (context.store.clone(), context.options.keeping);
        // Whoever drops this loop drops its helper too, and nothing of them holds the database any longer.
        let pruning = AbortOnDropHandle::new(tokio::spawn(pruning::run(store, keeping, shutdown.clone())));
        let mut renewed = UtcMs::now();
        while !shutdown.is_cancelled() {
            self.pulse.beat();
            let wait = match turn(&context, &mut driven, &mut renewed).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "the scheduler cannot use the database; trying again");
                    Duration::from_secs(2)
                }
            };
            // Collect what ended, so that the set does not grow.
            while let Some(ended) = driven.try_join_next() {
                if let Err(error) = ended {
                    tracing::error!(%error, "a task that drove an attempt panicked; its jobs go back at the next start");
                }
            }
            tokio::select! {
                () = context.bells.scheduler.wait_at_most(wait) => {}
                () = shutdown.cancelled() => {}
            }
        }
        leave(&context, driven).await;
        if let Err(error) = pruning.await {
            tracing::error!(%error, "what takes old rows away ended by a panic");
        }
    }
}

/// One look at everything; how long nothing needs another.
async fn turn(context: &Arc<Context>, driven: &mut JoinSet<()>, renewed: &mut UtcMs) -> Result<Duration, StoreError> {
    looking::run(context, driven);
    wishes::run(context).await?;
    let mut more = intake::run(context).await?;
    more |= alone::run(context).await?;
    more |= reviews::run(context).await?;
    alone::afters(context, driven).await?;
    // Taken before the look: what becomes due during it is then still ahead, and met at once.
    let now = context.now();
    lease::run(context, driven).await?;
    errands::run(context, driven).await?;
    let live = context.live();
    if !live.is_empty() && now >= renewed.plus_ms(context.options.lease_ms / 3) {
        let until = now.plus_ms(context.options.lease_ms);
        context.store.renew_leases(live.clone(), until).await?;
        *renewed = now;
    }
    if more {
        return Ok(Duration::ZERO);
    }
    let mut wait = context.options.look_every;
    if !live.is_empty() {
        wait = wait.min(Duration::from_millis(
            u64::try_from(context.options.lease_ms / 3).unwrap_or(1_000),
        ));
    }
    let next_look = context.devices.lock().next_look();
    for at in [context.store.next_retry_at(now).await?, next_look]
        .into_iter()
        .flatten()
    {
        wait = wait.min(Duration::from_millis(u64::try_from(at.0 - now.0).unwrap_or(0)));
    }
    Ok(wait)
}

/// Ends in order: grace, stop, publish what is reserved, done.
async fn leave(context: &Arc<Context>, mut driven: JoinSet<()>) {
    let all_ended = async { while driven.join_next().await.is_some() {} };
    if tokio::time::timeout(context.options.grace, all_ended).await.is_ok() {
        return;
    }
    tracing::info!(
        attempts = context.live().len(),
        "the grace time is over; attempts are stopped and run again later"
    );
    context.last_call.cancel();
    context.stop_all();
    while driven.join_next().await.is_some() {}
}

/// Waits; false when the shutdown came first.
async fn pause(shutdown: &CancellationToken, so_long: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(so_long) => true,
        () = shutdown.cancelled() => false,
    }
}
