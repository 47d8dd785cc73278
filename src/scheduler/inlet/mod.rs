//! The loop that brings files into the library: uploads that became whole get their name, pulls are fetched.
//!
//! It runs beside the scheduler's loop, so that a file of a terabyte holds no task up. A turn takes no input: it looks
//! for whole uploads, uploads that waited too long, pulls that somebody ended and pulls that are due. Guarantees:
//! nothing that was told to have come is lost by a kill -9; every upload that became whole and every pull ends, and
//! says so. Deliberately absent: taking pieces of uploads (`web`), and how a file is fetched (`executor::pull`).

mod landing;
mod pulls;

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::base::ids::UploadId;
use crate::base::sealed::Sealer;
use crate::base::wake::Bells;
use crate::executor::landing::Landings;
use crate::executor::pull::Puller;
use crate::objects::incoming::Incoming;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::uploads::UploadRow;
use futures_util::future::BoxFuture;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Longest time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Time between two sweeps of pieces that nobody wants.
const SWEEP_EVERY_MS: i64 = 3_600_000;
/// Pieces that were touched since then are never swept.
const SWEEP_AFTER_MS: i64 = 3_600_000;
/// Pieces of a failed pull are kept for a retry.
const FAILED_PULLS_KEPT_MS: i64 = 24 * 3_600_000;
/// Whole files that are checked and named at once.
const LANDINGS: usize = 4;
/// How long what runs may take to end when the daemon stops; what does not is done again.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

/// How files are brought in.
#[derive(Debug, Clone)]
pub struct InletOptions {
    /// Pulls at once.
    pub pulls: usize,
    /// Failed tries in a row after which a pull has failed.
    pub pull_tries: u32,
    /// Wait before the second try, milliseconds; doubled each time.
    pub first_ms: i64,
    /// Longest wait.
    pub ceiling_ms: i64,
}

impl Default for InletOptions {
    fn default() -> Self {
        InletOptions {
            pulls: 4,
            pull_tries: 8,
            first_ms: 2_000,
            ceiling_ms: 300_000,
        }
    }
}

/// The loop, not yet running.
pub struct Inlet {
    shared: Arc<Shared>,
}

struct Shared {
    options: InletOptions,
    store: Store,
    bells: Bells,
    landings: Landings,
    puller: Puller,
    sealer: Sealer,
    /// Uploads that are being finished now.
    finishing: Mutex<HashSet<UploadId>>,
    /// Uploads whose storage did not take them: failed tries, and when the next one is due.
    delayed: Mutex<HashMap<UploadId, (u32, UtcMs)>>,
    /// Pulls that are being fetched now, and how to stop them.
    fetching: Mutex<HashMap<JobId, CancellationToken>>,
    turns: tokio::sync::Semaphore,
}

impl Inlet {
    /// A loop over `store`, woken by `bells.inlet`, ringing the scheduler and the callbacks for what came of files and
    /// striking `bells.landed`. Requests of pulls are opened with `sealer`.
    pub fn new(
        options: InletOptions,
        store: Store,
        bells: Bells,
        landings: Landings,
        puller: Puller,
        sealer: Sealer,
    ) -> Self {
        Inlet {
            shared: Arc::new(Shared {
                options,
                store,
                bells,
                landings,
                puller,
                sealer,
                finishing: Mutex::default(),
                delayed: Mutex::default(),
                fetching: Mutex::default(),
                turns: tokio::sync::Semaphore::new(LANDINGS),
            }),
        }
    }

    /// Runs until `shutdown`; then pulls keep what came and are given back.
    pub async fn run(self, shutdown: CancellationToken) {
        let shared = self.shared;
        let mut driven = JoinSet::new();
        let mut requeued = false;
        let mut swept_at: Option<UtcMs> = None;
        while !shutdown.is_cancelled() {
            let wait = match turn(&shared, &mut driven, &mut requeued, &mut swept_at).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "files that come in cannot be looked after; trying again");
                    Duration::from_secs(2)
                }
            };
            while let Some(ended) = driven.try_join_next() {
                if let Err(error) = ended {
                    tracing::error!(%error, "a task that brought in a file panicked; it goes on at the next start");
                }
            }
            tokio::select! {
                () = shared.bells.inlet.wait_at_most(wait) => {}
                () = shutdown.cancelled() => {}
            }
        }
        for stop in locked(&shared.fetching).values() {
            stop.cancel();
        }
        let all_ended = async { while driven.join_next().await.is_some() {} };
        if tokio::time::timeout(LEAVE_WITHIN, all_ended).await.is_err() {
            tracing::info!("files that are being brought in go on after the next start");
        }
    }
}

/// One look at everything; how long nothing needs another.
async fn turn(
    shared: &Arc<Shared>,
    driven: &mut JoinSet<()>,
    requeued: &mut bool,
    swept_at: &mut Option<UtcMs>,
) -> Result<Duration, StoreError> {
    let now = UtcMs::now();
    if !*requeued {
        let count = shared.store.requeue_pulls(now).await?;
        if count > 0 {
            tracing::info!(count, "pulls that the last run began go on");
        }
        *requeued = true;
    }
    if swept_at.is_none_or(|at| now >= at.plus_ms(SWEEP_EVERY_MS)) {
        let wanted = shared.store.wanted_pieces(now.plus_ms(-FAILED_PULLS_KEPT_MS)).await?;
        let wanted: BTreeSet<String> = wanted.into_iter().collect();
        let since_ns = now.plus_ms(-SWEEP_AFTER_MS).0.saturating_mul(1_000_000);
        let sweeper = Arc::clone(shared);
        driven.spawn(async move { sweeper.landings.sweep(&wanted, since_ns).await });
        *swept_at = Some(now);
    }
    let next_landing = finish_uploads(shared, driven, now).await?;
    expire_uploads(shared, now).await?;
    let next_pull = pulls::run(shared, driven, now).await?;
    let next_expiry = shared.store.next_upload_expiry().await?;
    let next = [next_landing, next_pull, next_expiry].into_iter().flatten().min();
    let until_next = next.map(|at| Duration::from_millis(u64::try_from(at.0 - now.0).unwrap_or(0)));
    Ok(until_next.unwrap_or(LOOK_EVERY).min(LOOK_EVERY))
}

/// Begins to finish what became whole; when a delayed one is due.
async fn finish_uploads(
    shared: &Arc<Shared>,
    driven: &mut JoinSet<()>,
    now: UtcMs,
) -> Result<Option<UtcMs>, StoreError> {
    let mut next: Option<UtcMs> = None;
    for row in shared.store.finishing_uploads().await? {
        if let Some((_, at)) = locked(&shared.delayed).get(&row.id).filter(|(_, at)| *at > now) {
            next = Some(next.map_or(*at, |next| next.min(*at)));
            continue;
        }
        if !locked(&shared.finishing).insert(row.id.clone()) {
            continue;
        }
        let shared = Arc::clone(shared);
        driven.spawn(async move {
            let id = row.id.clone();
            let turn = shared.turns.acquire().await;
            finish_upload(&shared, row).await;
            drop(turn);
            locked(&shared.finishing).remove(&id);
            // It may have to be tried again.
            shared.bells.inlet.ring();
        });
    }
    Ok(next)
}

async fn finish_upload(shared: &Shared, row: UploadRow) {
    let id = row.id.clone();
    let whole = landing::Whole {
        file: Incoming {
            id: id.as_str().to_owned(),
            object: row.object.clone(),
            pieces: row.pieces.clone(),
        },
        size_bytes: row.size_bytes,
        mtime_ns: row.mtime_ns,
        on_conflict: row.on_conflict,
        digest: row.digest.as_deref(),
    };
    let (store, planned) = (shared.store.clone(), id.clone());
    let plan = move |key: String, mtime_ns: i64| -> BoxFuture<'static, Result<(), StoreError>> {
        let (store, id) = (store.clone(), planned.clone());
        Box::pin(async move { store.plan_upload(&id, &key, mtime_ns).await })
    };
    let ended = match landing::give_name(&shared.landings, &whole, &plan).await {
        Ok(source) => match shared.store.end_upload(&id, source.clone(), UtcMs::now()).await {
            Ok(became) => {
                tracing::info!(upload = %id, object = %source.object, media = %became.media, "an upload landed");
                Ok(())
            }
            Err(StoreError::NotFound { noun, id }) => Err(landing::Unlanded::Refused(gone(&source.object, noun, &id))),
            Err(error) => Err(landing::Unlanded::Store(error)),
        },
        Err(unlanded) => Err(unlanded),
    };
    let outcome = match ended {
        Ok(()) => Ok(()),
        Err(landing::Unlanded::Refused(fault)) if fault.retryable => {
            delay(shared, &id, &fault);
            return;
        }
        Err(landing::Unlanded::Refused(fault)) => {
            tracing::warn!(upload = %id, %fault, "an upload failed");
            let failed = shared.store.fail_upload(&id, &fault, UtcMs::now()).await;
            if failed.is_ok() {
                shared.landings.discard(&whole.file).await;
            }
            failed
        }
        Err(landing::Unlanded::Store(error)) => Err(error),
    };
    match outcome {
        Ok(()) => {
            locked(&shared.delayed).remove(&id);
            shared.told();
        }
        Err(error) => delay(shared, &id, &error.fault(id.as_str())),
    }
}

/// The storage or the database does not take it now.
fn delay(shared: &Shared, id: &UploadId, fault: &Fault) {
    let mut delayed = locked(&shared.delayed);
    let tries = delayed.get(id).map_or(0, |(tries, _)| *tries).saturating_add(1);
    let wait_ms = crate::base::backoff::delay_ms(tries, shared.options.first_ms, shared.options.ceiling_ms);
    tracing::warn!(upload = %id, %fault, wait_ms, "a whole upload cannot get its name now; tried again");
    delayed.insert(id.clone(), (tries, UtcMs::now().plus_ms(wait_ms)));
}

/// Ends uploads that waited too long for more.
async fn expire_uploads(shared: &Shared, now: UtcMs) -> Result<(), StoreError> {
    for row in shared.store.expired_uploads(now).await? {
        let fault = Fault::new(
            "UploadExpired",
            Blame::Request,
            "upload",
            row.object.to_string(),
            format!("only {} bytes came until {}", row.received_bytes, row.expires_at),
            "Send it again.",
        );
        match shared.store.fail_upload(&row.id, &fault, now).await {
            Ok(()) => tracing::info!(upload = %row.id, object = %row.object, "an unfinished upload is dropped"),
            // Its sender came back, or dropped it, at this very moment.
            Err(StoreError::Conflict(_)) => continue,
            Err(error) => return Err(error),
        }
        let file = Incoming {
            id: row.id.into_string(),
            object: row.object,
            pieces: row.pieces,
        };
        shared.landings.discard(&file).await;
        shared.told();
    }
    Ok(())
}

impl Shared {
    /// Something ended: there are events, tasks perhaps, and somebody may wait for it.
    fn told(&self) {
        self.bells.scheduler.ring();
        self.bells.callback.ring();
        self.bells.landed.strike();
    }
}

/// What a file was to be added to is gone.
fn gone(object: &crate::objects::uri::ObjectUri, noun: &str, id: &str) -> Fault {
    Fault::new(
        "WantedGone",
        Blame::Request,
        "admit",
        object.to_string(),
        format!("there is no {noun} {id} any more; the file stands under its name all the same"),
        "Register the object by hand, or delete it.",
    )
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
