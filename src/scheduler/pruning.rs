//! Taking old rows away beside the work: now and then, a small step at a time, with a pause after each.
//!
//! Guarantees: never in the way of the loop (each step is one short transaction, and the pause is longer than the step);
//! a step that fails is logged and the round goes on with the next kind. Deliberately absent: what may go, which
//! `store::pruning` knows.

use crate::base::clock::UtcMs;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::pruning::Family;
use std::time::Duration;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long rows are kept; none: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keeping {
    /// Events, and deliveries that were given up; alerts that are over.
    pub events: Option<Duration>,
    /// Deliveries that were accepted.
    pub deliveries: Option<Duration>,
    /// Tasks that ended, and media that nothing names any more.
    pub tasks: Option<Duration>,
    /// What was done by hand.
    pub audit: Option<Duration>,
    /// Numbers for graphs.
    pub gauges: Option<Duration>,
    /// Uploads and pulls that ended.
    pub uploads: Option<Duration>,
}

/// How long a call may be repeated with its key.
const IDEMPOTENCY: Duration = Duration::from_secs(7 * 86_400);
/// From the start to the first round: a start has better things to do.
const FIRST_AFTER: Duration = Duration::from_secs(300);
/// From a round to the next.
const EVERY: Duration = Duration::from_secs(4 * 3_600);
/// The shortest pause after a step.
const PAUSE: Duration = Duration::from_millis(20);
/// Free pages given back by one step, of 4 KiB.
const PAGES: u32 = 250;

impl Keeping {
    /// What is kept for how long, in the order in which it goes: what names others before what is named.
    fn rules(self) -> [(Family, Option<Duration>); 12] {
        [
            (Family::Sessions, Some(Duration::ZERO)),
            (Family::Idempotency, Some(IDEMPOTENCY)),
            (Family::Deliveries, self.deliveries),
            (Family::Tasks, self.tasks),
            (Family::Events, self.events),
            (Family::Alerts, self.events),
            (Family::Uploads, self.uploads),
            (Family::Pulls, self.uploads),
            (Family::Media, self.tasks),
            (Family::OwnFiles, Some(Duration::ZERO)),
            (Family::Gauges, self.gauges),
            (Family::Audit, self.audit),
        ]
    }
}

/// Rounds until `stop`.
pub async fn run(store: Store, keeping: Keeping, stop: CancellationToken) {
    let mut wait = FIRST_AFTER;
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
        wait = EVERY;
        let removed = round(&store, keeping, UtcMs::now(), &stop).await;
        if removed > 0 {
            tracing::info!(rows = removed, "old rows were taken away");
        }
    }
}

/// One round: everything that is too old at `now`; how many rows went, those that belong to them not counted.
pub async fn round(store: &Store, keeping: Keeping, now: UtcMs, stop: &CancellationToken) -> usize {
    let mut removed = 0;
    for (family, kept) in keeping.rules() {
        let Some(kept) = kept else { continue };
        let before = now.plus_ms(-i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
        match family_round(store, family, before, stop).await {
            Ok(some) => removed += some,
            Err(error) => tracing::warn!(%error, ?family, "old rows could not be taken away; tried again later"),
        }
        if stop.is_cancelled() {
            return removed;
        }
    }
    if let Err(error) = give_back(store, stop).await {
        tracing::warn!(%error, "free pages of the database could not be given back; tried again later");
    }
    removed
}

async fn family_round(
    store: &Store,
    family: Family,
    before: UtcMs,
    stop: &CancellationToken,
) -> Result<usize, StoreError> {
    let mut removed = 0;
    let mut from = String::new();
    loop {
        let began = Instant::now();
        let step = store.prune(family, before, &from).await?;
        removed += step.removed;
        match step.next {
            Some(next) => from = next,
            None => return Ok(removed),
        }
        if !pause(began.elapsed(), stop).await {
            return Ok(removed);
        }
    }
}

async fn give_back(store: &Store, stop: &CancellationToken) -> Result<(), StoreError> {
    loop {
        let began = Instant::now();
        if !store.give_pages_back(PAGES).await? || !pause(began.elapsed(), stop).await {
            return Ok(());
        }
    }
}

/// Leaves the writer to others for four times as long as a step took; false: the program stops.
async fn pause(took: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep((took * 4).max(PAUSE)) => true,
        () = stop.cancelled() => false,
    }
}
