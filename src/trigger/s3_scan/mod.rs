//! The trigger of one bucket: lists what workflows need of it, follows what notifications tell, writes arrivals into the
//! ledger.
//!
//! One task, one step at a time: hints that wait, then a page of the listing that is under way. Listing is the truth; a
//! hint only says where to look first. Guarantees: a bucket of any size is compared in the memory of a page; what was
//! there before it was watched runs nothing, what came while nobody watched does; a service that fails makes its own task
//! wait, says why on the board, and costs no object its "once". Deliberately absent: what an arrival starts, and what is
//! an object's settling: S3 shows an object when it is whole.

pub mod cursor;
mod explain;
mod heed;
mod lister;
pub mod merge;
pub mod needs;
pub mod pace;
mod round;
mod sift;
mod vanished;

pub(in crate::trigger) use explain::BucketExplainer;
pub use lister::Lister;

use crate::base::backoff;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::wake::Bell;
use crate::objects::s3::Bucket;
use crate::objects::uri::key_text;
use crate::store::Store;
use crate::store::bucket_ledger::Concern;
use crate::store::error::StoreError;
use crate::telemetry::metrics::Metrics;
use crate::trigger::BucketWatch;
use crate::trigger::WatchMode;
use crate::trigger::board::Board;
use crate::trigger::s3_scan::cursor::Cursor;
use crate::trigger::s3_scan::pace::Calls;
use crate::trigger::s3_scan::pace::Pace;
use crate::trigger::s3_scan::round::Round;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Time between looks at a bucket of which nothing is needed.
const IDLE_LOOK: Duration = Duration::from_secs(60);
/// First and longest wait after a failure, milliseconds.
const AGAIN_MS: (i64, i64) = (1_000, 60_000);
/// Keys of one call, and rows of one transaction.
const PAGE: u32 = 1_000;
/// Looks at single objects at once.
const AT_ONCE: usize = 16;

/// Where a bucket is, in words.
pub(super) fn location(bucket: &Bucket) -> String {
    let options = bucket.options();
    format!("{} {}", options.endpoint.as_str().trim_end_matches('/'), options.bucket)
}

/// What the trigger of a bucket works with.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The ledger.
    pub store: Store,
    /// Rung when something arrived.
    pub scheduler: Bell,
    /// Where it shows how it is doing.
    pub board: Board,
    /// Rung when something is asked of it.
    pub asked: Bell,
    /// Where arrivals are counted.
    pub metrics: Metrics,
    /// What was stamped before this moment is old where nobody watched before.
    pub entered: UtcMs,
}

/// Why a step could not be done.
enum Trouble {
    /// The service says no, or nothing.
    Service(Box<Fault>),
    /// The database says no.
    Ledger(StoreError),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Trouble::Service(Box::new(fault))
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Ledger(error)
    }
}

/// The trigger of one bucket.
pub struct WatchBucket {
    options: BucketWatch,
    lister: Arc<dyn Lister>,
    surroundings: Surroundings,
    began: Instant,
    /// Its number in the ledger.
    id: i64,
    cursor: Cursor,
    kept: String,
    concern: Concern,
    /// The workflows must be asked what they need.
    ask_concern: bool,
    pace: Pace,
    calls: Calls,
    round: Option<Round>,
    next_round: Instant,
    /// The next round begins as soon as this one ended.
    again: bool,
    /// The service lists keys in their order, as S3 does.
    sorted: bool,
    /// Hints may wait.
    told: bool,
    next_hint: Option<UtcMs>,
    backlog: u64,
    objects: u64,
    tries: u32,
    next_try: Instant,
    trouble: Option<String>,
    frozen: Option<String>,
    /// Somebody said that what is there is the storage.
    believe: bool,
    next_prune: Instant,
}

impl WatchBucket {
    /// Does nothing before [`run`](Self::run).
    pub fn new(options: BucketWatch, lister: Arc<dyn Lister>, surroundings: Surroundings) -> Self {
        let now = Instant::now();
        WatchBucket {
            pace: Pace::new(options.poll_interval.unwrap_or(pace::USUAL)),
            options,
            lister,
            surroundings,
            began: now,
            id: 0,
            cursor: Cursor::default(),
            kept: String::new(),
            concern: Concern::default(),
            ask_concern: true,
            calls: Calls::default(),
            round: None,
            next_round: now,
            again: false,
            sorted: true,
            told: true,
            next_hint: None,
            backlog: 0,
            objects: 0,
            tries: 0,
            next_try: now,
            trouble: None,
            frozen: None,
            believe: false,
            next_prune: now,
        }
    }

    /// Watches until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.serve() => {}
        }
    }

    /// Does what is to be done until there is nothing more: hints that wait, and one whole listing. For tests and
    /// measurements.
    ///
    /// # Errors
    /// The service or the database failed, in words.
    pub async fn list_once(&mut self) -> Result<(), String> {
        let mut step = async || -> Result<(), Trouble> {
            self.load().await?;
            self.next_round = Instant::now();
            self.ask_concern = true;
            while self.step().await? {}
            Ok(())
        };
        step().await.map_err(|trouble| match trouble {
            Trouble::Service(fault) => fault.to_string(),
            Trouble::Ledger(error) => error.to_string(),
        })
    }

    async fn serve(&mut self) {
        if self.options.watch == WatchMode::Off {
            return self.look_only().await;
        }
        for tries in 1.. {
            match self.load().await {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!(storage = self.options.name, %error, "the ledger of a bucket cannot be read yet");
                    tokio::time::sleep(wait_after(tries)).await;
                }
            }
        }
        tracing::info!(
            storage = self.options.name,
            bucket = location(&self.options.bucket),
            interval_s = self.pace.current().as_secs_f64(),
            "watching"
        );
        loop {
            self.take_asked().await;
            let more = match self.step().await {
                Ok(more) => more,
                Err(trouble) => {
                    self.put_off(trouble);
                    false
                }
            };
            self.show();
            if !more {
                self.wait().await;
            }
        }
    }

    /// A bucket that is not watched is asked now and then whether it is there.
    async fn look_only(&mut self) {
        loop {
            if let Err(fault) = self.reach().await {
                self.put_off(fault.into());
            }
            tokio::time::sleep(IDLE_LOOK).await;
        }
    }

    async fn load(&mut self) -> Result<(), StoreError> {
        let store = &self.surroundings.store;
        let row = store.enter_storage(&self.options.name).await?;
        self.id = row.id;
        let location = location(&self.options.bucket);
        if row.mount.as_deref() != Some(&location) {
            if let Some(before) = &row.mount {
                tracing::info!(
                    storage = self.options.name,
                    before,
                    location,
                    "the storage lies elsewhere now; beginning anew"
                );
            }
            store.begin_bucket(row.id, location, UtcMs::now()).await?;
        } else {
            self.frozen = row.frozen;
        }
        self.kept = store.bucket_cursor(self.id).await?.unwrap_or_default();
        self.cursor = Cursor::read(Some(self.kept.as_str()).filter(|text| !text.is_empty()));
        self.objects = store.objects_present(self.id).await?;
        Ok(())
    }

    async fn take_asked(&mut self) {
        let asked = self.surroundings.board.take_asked(&self.options.name);
        self.ask_concern |= asked.workflows;
        if asked.told {
            self.told = true;
            self.pace.heard(Instant::now());
        }
        if asked.scan || asked.thaw {
            self.next_try = Instant::now();
            self.next_round = Instant::now();
            self.again = self.round.is_some();
        }
        if asked.thaw {
            self.believe = true;
            self.round = None;
            self.again = false;
            self.thaw("by hand").await;
        }
    }

    /// One round of work; says whether there may be more right now.
    async fn step(&mut self) -> Result<bool, Trouble> {
        if Instant::now() < self.next_try {
            return Ok(false);
        }
        if self.ask_concern {
            self.look_at_concern().await?;
        }
        if self.heed().await? {
            return Ok(true);
        }
        if self.round.is_none() {
            if Instant::now() < self.next_round {
                return Ok(false);
            }
            self.begin_round().await?;
        }
        if self.round.is_none() {
            return Ok(false);
        }
        self.take_page().await?;
        Ok(true)
    }

    /// Asks the workflows what they need.
    async fn look_at_concern(&mut self) -> Result<(), Trouble> {
        self.concern = self.surroundings.store.concern_of(&self.options.name).await?;
        let plain = self
            .concern
            .prefixes
            .iter()
            .map(|prefix| prefix.trim_start_matches('/'));
        let prefixes: Vec<String> = plain.map(|prefix| key_text(prefix.as_bytes())).collect();
        let now = UtcMs::now();
        // What an enabled workflow has needed since the start is watched since the start.
        let first = self.kept.is_empty();
        let since = if first { self.surroundings.entered } else { now };
        if self.cursor.needs.need(&prefixes, now.0, since.0) {
            self.keep_cursor(None).await?;
            if !self.cursor.needs.all_done() {
                self.round = None;
                self.next_round = Instant::now();
            }
        }
        self.ask_concern = false;
        Ok(())
    }

    async fn keep_cursor(&mut self, ended: Option<UtcMs>) -> Result<(), StoreError> {
        let text = self.cursor.text();
        if text != self.kept || ended.is_some() {
            self.surroundings
                .store
                .keep_bucket_cursor(self.id, text.clone(), ended)
                .await?;
            self.kept = text;
        }
        Ok(())
    }

    fn next_moment(&self) -> Instant {
        let now = UtcMs::now();
        let in_ms =
            |at: i64| Instant::now() + Duration::from_millis(u64::try_from(at.saturating_sub(now.0)).unwrap_or(0));
        let forgotten = self.cursor.needs.next_ms().map(in_ms);
        let hint = self.next_hint.filter(|_| self.frozen.is_none()).map(|at| in_ms(at.0));
        let at_once = self.round.is_some() || self.told && self.frozen.is_none();
        let at_once = at_once.then(Instant::now);
        let next = [forgotten, hint, at_once]
            .into_iter()
            .flatten()
            .fold(self.next_round, Instant::min);
        next.max(self.next_try)
    }

    async fn wait(&mut self) {
        if self.cursor.needs.next_ms().is_some_and(|at| at <= UtcMs::now().0) {
            self.ask_concern = true;
        }
        // Never quite at once: whatever is due finds the clock moved on.
        let until = self.next_moment().max(Instant::now() + Duration::from_millis(5));
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            () = self.surroundings.asked.wait() => {}
        }
    }

    /// The service answered.
    fn answered(&mut self, calls: u64) {
        self.calls.add(self.began.elapsed().as_secs() / 60, calls);
        self.tries = 0;
        if self.trouble.take().is_some() {
            tracing::info!(storage = self.options.name, "the bucket answers again");
        }
        self.surroundings.board.update(&self.options.name, |state| {
            state.available = true;
            if state.frozen.is_none() {
                state.note = None;
            }
        });
    }

    /// Waits, says why, and tries again.
    fn put_off(&mut self, trouble: Trouble) {
        self.tries = self.tries.saturating_add(1);
        let wait = wait_after(self.tries);
        self.next_try = Instant::now() + wait;
        let fault = match trouble {
            Trouble::Service(fault) => fault,
            Trouble::Ledger(error) => {
                tracing::warn!(storage = self.options.name, %error, "the ledger of a bucket cannot be written; trying again");
                return;
            }
        };
        self.calls.add(self.began.elapsed().as_secs() / 60, 1);
        let why = format!("{} ({}). {}", fault.cause, fault.code, fault.remedy);
        if self.trouble.as_ref() != Some(&why) {
            tracing::error!(
                storage = self.options.name,
                code = fault.code,
                why,
                "a bucket cannot be listed; trying again, nothing is lost"
            );
        }
        self.surroundings.board.update(&self.options.name, |state| {
            state.available = false;
            state.note = Some(why.clone());
            state.scan = None;
        });
        self.trouble = Some(why);
    }

    /// Stops triggering, says why, and goes on listing until it is as it was.
    async fn freeze(&mut self, why: String) -> Result<(), StoreError> {
        tracing::error!(
            storage = self.options.name,
            why,
            "the storage is frozen: nothing of it is triggered, nothing is forgotten"
        );
        self.surroundings.store.set_frozen(self.id, Some(why.clone())).await?;
        self.frozen = Some(why);
        Ok(())
    }

    async fn thaw(&mut self, how: &str) {
        if self.frozen.is_none() {
            return;
        }
        match self.surroundings.store.set_frozen(self.id, None).await {
            Ok(()) => {
                tracing::info!(storage = self.options.name, how, "the storage is not frozen any more");
                self.frozen = None;
                self.told = true;
            }
            Err(error) => {
                tracing::warn!(storage = self.options.name, %error, "the end of a doubt could not be written down")
            }
        }
    }

    fn show(&self) {
        let now = Instant::now();
        let watch = if self.pace.notified(now) { "notify" } else { "list" };
        let calls = self.calls.of_an_hour(self.began.elapsed().as_secs() / 60);
        let scan = self.round.as_ref().filter(|_| self.trouble.is_none());
        let scan = scan.map(|round| round.progress(self.objects, !self.cursor.needs.all_done()));
        self.surroundings.board.update(&self.options.name, |state| {
            state.watch = watch;
            state.frozen.clone_from(&self.frozen);
            state.objects = usize::try_from(self.objects).unwrap_or(usize::MAX);
            state.backlog = usize::try_from(self.backlog).unwrap_or(usize::MAX);
            state.scan = scan;
            state.calls_per_hour = Some(calls);
        });
    }
}

fn wait_after(tries: u32) -> Duration {
    let (first, most) = AGAIN_MS;
    Duration::from_millis(u64::try_from(backoff::delay_ms(tries, first, most)).unwrap_or(60_000))
}
