//! The trigger of one folder storage: hears, scans, waits until objects settle, writes them into the ledger.
//!
//! One task, one step at a time: guard the mount, take hints, take looks that are due, take a portion of a scan. A
//! scan is taken in portions so that hints and looks never wait for its end. Guarantees: nothing is written while the
//! mount is in doubt; what could not be written is taken up again; a hung storage makes its own task wait and nobody
//! else's. Deliberately absent: what an arrival starts.

mod belief;
pub(super) mod portions;
mod rooms;

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::wake::Bell;
use crate::objects::companions::SpokenOf;
use crate::objects::lane::Lane;
use crate::objects::local::Folder;
use crate::objects::name_rules::Role;
use crate::objects::scan;
use crate::objects::scan::Found;
use crate::objects::scan::Look;
use crate::store::Store;
use crate::store::arrivals::Settled;
use crate::store::error::StoreError;
use crate::telemetry::metrics::Metric;
use crate::telemetry::metrics::Metrics;
use crate::trigger::StorageOptions;
use crate::trigger::board::Board;
use crate::trigger::group::gathering::Gathering;
use crate::trigger::hints::Hints;
use crate::trigger::ledger::Ledger;
use crate::trigger::look;
use crate::trigger::look::PATIENCE;
use crate::trigger::look::RootSeen;
use crate::trigger::scans::Scans;
use crate::trigger::settle::Answer;
use crate::trigger::settle::Compared;
use crate::trigger::settle::Settling;
use crate::trigger::verification::Verifications;
use crate::workflow::arrival::Arrival;
use belief::Halt;
use std::time::Duration;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Time between looks at the root while the storage is in doubt.
const DOUBT_EVERY: Duration = Duration::from_secs(5);
/// Looks at objects in one go.
const LOOKS: usize = 512;
/// Time between two goes through the ledger for objects that are gone.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// Time between two lists of what waits longest, and how many it has.
const SLOW_EVERY: Duration = Duration::from_secs(2);
const SLOW_SHOWN: usize = 20;

/// The trigger of one storage.
pub(super) struct WatchFolder {
    options: StorageOptions,
    store: Store,
    scheduler: Bell,
    board: Board,
    asked: Bell,
    lane: Lane,
    metrics: Metrics,
    began: Instant,
    ledger: Ledger,
    folder: Folder,
    root: Option<RootSeen>,
    hints: Option<Hints>,
    heard: Bell,
    settling: Settling,
    gathering: Gathering,
    verifications: Verifications,
    next_slow: Instant,
    scans: Scans,
    next_guard: Instant,
    next_sweep: Instant,
    halted: Option<Halt>,
    thaw: bool,
    /// Objects that are gone are to be noted at the end of the next scan, also when there are none left.
    sweep_now: bool,
    /// What was said of folders that cannot be seen.
    unseen_note: Option<String>,
}

impl WatchFolder {
    pub(super) fn new(
        options: StorageOptions,
        store: Store,
        scheduler: Bell,
        board: Board,
        asked: Bell,
        lane: Lane,
        (metrics, entered): (Metrics, UtcMs),
    ) -> Self {
        let now = Instant::now();
        let heard = Bell::default();
        let folder = Folder::new(&options.name, &options.root);
        WatchFolder {
            ledger: Ledger::new(&options.name, store.clone(), entered),
            settling: Settling::new(options.settle_rules("local")),
            gathering: Gathering::new(options.groups.clone(), options.settle_rules("local").interval_ms),
            verifications: Verifications::new(folder.clone(), heard.clone()),
            folder,
            next_slow: now,
            scans: Scans::new(&options),
            options,
            store,
            scheduler,
            board,
            asked,
            lane,
            metrics,
            began: now,
            root: None,
            hints: None,
            heard,
            next_guard: now,
            next_sweep: now + SWEEP_EVERY,
            halted: None,
            thaw: false,
            sweep_now: false,
            unseen_note: None,
        }
    }

    /// Watches until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.serve() => {}
        }
    }

    async fn serve(&mut self) {
        self.ledger.load().await;
        self.halted = self.ledger.frozen().map(|why| Halt::Frozen(why.to_owned()));
        let frozen = self.ledger.frozen().map(str::to_owned);
        self.board.update(&self.options.name, |state| state.frozen = frozen);
        loop {
            let asked = self.board.take_asked(&self.options.name);
            self.thaw |= asked.thaw;
            for question in self.board.take_questions(&self.options.name) {
                // Nobody waits any more: fine.
                let why = self.settling.why_waiting(&question.key);
                let _ = question
                    .answer
                    .send(why.or_else(|| self.gathering.why_waiting(&question.key)));
            }
            if asked.scan || asked.thaw {
                self.scans.whole_now();
            }
            if self.thaw || Instant::now() >= self.next_guard {
                self.guard().await;
            }
            if self.halted.is_some() {
                self.wait(self.next_guard).await;
                continue;
            }
            let step = self.step().await;
            self.show();
            match step {
                Ok(true) => {}
                Ok(false) => self.wait(self.next_moment()).await,
                Err(fault) => self.halt(Halt::Silent(fault.cause)).await,
            }
        }
    }

    /// One round of work; says whether there may be more right now.
    async fn step(&mut self) -> Result<bool, Fault> {
        self.take_hints().await?;
        self.take_verified();
        self.take_due().await?;
        self.take_rooms().await?;
        let ledger = &mut self.ledger;
        let sieve = |whole| if whole { ledger.begin_round() } else { ledger.sieve() };
        if !self.scans.begin_due(sieve) {
            return Ok(false);
        }
        self.take_portion().await?;
        Ok(true)
    }

    fn next_moment(&self) -> Instant {
        let due = self
            .settling
            .next_ms()
            .into_iter()
            .chain(self.gathering.next_ms())
            .min();
        let due = due.map(|ms| self.began + Duration::from_millis(ms));
        let next = self.next_guard.min(self.scans.next());
        due.map_or(next, |due| due.min(next))
    }

    async fn wait(&self, until: Instant) {
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            () = self.heard.wait() => {}
            () = self.asked.wait() => {}
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn take_hints(&mut self) -> Result<(), Fault> {
        let Some(hints) = &self.hints else { return Ok(()) };
        let gathered = hints.take();
        if gathered.incomplete {
            self.scans.whole_now();
        }
        let keys: Vec<String> = gathered
            .paths
            .into_iter()
            .filter_map(|path| scan::key_of(&self.options.root, &self.options.others_within, &path))
            .collect();
        for keys in keys.chunks(LOOKS) {
            let (root, keys) = (self.options.root.clone(), keys.to_vec());
            let looks = self
                .lane
                .run("look", PATIENCE, move || look::at_keys(&root, keys))
                .await?;
            let mut found = Vec::new();
            for (key, look) in looks {
                match look {
                    Ok(Look::Object(object)) => found.push(object),
                    Ok(Look::Folder) => self.scans.folder_appeared(key),
                    Ok(Look::Nothing) => {}
                    Err(error) => tracing::debug!(key, %error, "a hint could not be followed"),
                }
            }
            self.consider(found).await;
        }
        Ok(())
    }

    /// Sorts objects that were met: known ones, old ones of the first scan, and news.
    async fn consider(&mut self, found: Vec<Found>) {
        let (now_ms, at) = (self.now_ms(), UtcMs::now());
        let mut old = Vec::new();
        let mut news = Vec::new();
        let mut spoken_of = SpokenOf::default();
        for object in found {
            if self.ledger.meet(&object) || self.options.sentinel.as_ref() == Some(&object.key) {
                continue;
            }
            let names = &self.options.names;
            if names.role(&object.key) != Role::Object {
                names.note_spoken_of(&object.key, &mut spoken_of);
                continue;
            }
            if self.is_held(&object) {
                continue;
            }
            let arrival = Arrival {
                key: object.key.clone(),
                size_bytes: object.size_bytes,
                mtime_ns: object.mtime_ns,
                etag: String::new(),
                seen_at: at,
            };
            if self.ledger.is_old(&object) {
                old.push(arrival);
            } else if self
                .settling
                .heard(&object, self.ledger.ran_before(&object.key), now_ms, at)
            {
                self.hear_of(&object.key, now_ms);
                news.push(arrival);
            }
        }
        if !spoken_of.is_empty() {
            self.settling.wake(|key| spoken_of.is_meant(key), now_ms);
        }
        if !old.is_empty() {
            match self.ledger.record_old(old).await {
                Ok(news) => news.iter().for_each(|arrival| self.settling.again(arrival, now_ms)),
                Err(error) => self.put_off(&error),
            }
        }
        self.see(news).await;
    }

    /// Notes objects that were seen; those that were seen as they are by an earlier run are as old as it says.
    async fn see(&mut self, seen: Vec<Arrival>) {
        if seen.is_empty() {
            return;
        }
        match self.ledger.see(seen).await {
            Ok(before) => {
                for (key, since) in before {
                    self.settling.is_so_since(&key, since);
                }
            }
            // It is written when it settles.
            Err(error) => tracing::warn!(storage = self.options.name, %error, "arrivals could not be noted"),
        }
    }

    async fn take_due(&mut self) -> Result<(), Fault> {
        loop {
            let due = self.settling.due(self.now_ms(), LOOKS * self.threads());
            if due.is_empty() {
                return Ok(());
            }
            let looks = match self.look_at(&due).await {
                Ok(looks) => looks,
                Err(fault) => {
                    let now_ms = self.now_ms();
                    due.iter().for_each(|due| self.settling.later(&due.key, now_ms));
                    return Err(fault);
                }
            };
            let (now_ms, at) = (self.now_ms(), UtcMs::now());
            let (mut settled, mut gone) = (Vec::new(), Vec::new());
            for (due, sight) in looks {
                match sight {
                    Ok(sight) => {
                        let identity = sight.as_ref().map(|sight| (sight.size_bytes, sight.mtime_ns));
                        match self.settling.looked(&due.key, sight, now_ms, at) {
                            Answer::Wait => {}
                            Answer::Verify(claim) => {
                                self.verifications.begin(&due.key, identity.unwrap_or_default(), claim);
                            }
                            Answer::Settled(arrived) => settled.push(*arrived),
                            Answer::Gone => gone.push(due.key),
                        }
                    }
                    Err(error) => {
                        tracing::debug!(key = due.key, %error, "an object could not be looked at");
                        self.settling.looked_in_vain(&due.key, error.to_string(), now_ms);
                    }
                }
            }
            if !self.mount_is_the_same() {
                // Looked at through the hole that an unmounted share leaves: none of it counts.
                self.next_guard = Instant::now();
                return Ok(());
            }
            self.write_settled(settled).await;
            if !gone.is_empty()
                && let Err(error) = self.ledger.forget_unsettled(gone).await
            {
                tracing::debug!(%error, "vanished objects stay in the ledger");
            }
            let young = self.settling.take_young();
            self.see(young).await;
            let notes = self.settling.take_notes();
            if !notes.is_empty()
                && let Err(error) = self.ledger.explain_waiting(notes).await
            {
                tracing::debug!(%error, "why objects wait could not be noted");
            }
        }
    }

    /// Takes in which objects are what their checksums say.
    fn take_verified(&mut self) {
        let now_ms = self.now_ms();
        for done in self.verifications.take_done() {
            if let Some(Compared::Other(found)) = &done.compared {
                tracing::warn!(
                    storage = self.options.name,
                    key = done.key,
                    list = done.claim.list,
                    said = done.claim.hex,
                    found,
                    "an object is not what its checksum says; it waits"
                );
            }
            self.settling.verified(&done.key, &done.claim, done.compared, now_ms);
        }
    }

    async fn write_settled(&mut self, settled: Vec<Settled>) {
        let settled = self.hold_some(settled);
        if settled.is_empty() {
            return;
        }
        if let Err(error) = self.settle(&settled).await {
            tracing::warn!(storage = self.options.name, %error, "arrivals could not be written down; trying again");
            let now_ms = self.now_ms();
            for one in &settled {
                self.settling.again(&one.arrival, now_ms);
            }
        }
    }

    async fn settle(&mut self, settled: &[Settled]) -> Result<(), StoreError> {
        let new = self.ledger.settle(settled).await?;
        if new > 0 {
            self.scheduler.ring();
            self.metrics
                .add_labelled(Metric::Arrivals, &self.options.name, new as f64);
            tracing::debug!(storage = self.options.name, new, "objects arrived");
        }
        Ok(())
    }

    fn show(&mut self) {
        let (objects, backlog) = (self.ledger.objects(), self.settling.len() + self.gathering.len());
        let incomplete = self.gathering.incomplete();
        let incomplete = incomplete.map(|(why, media)| format!("{media} media wait for files. {why}"));
        if Instant::now() >= self.next_slow {
            self.next_slow = Instant::now() + SLOW_EVERY;
            let (slow, troubles) = self.settling.slowest(SLOW_SHOWN);
            self.board.update(&self.options.name, |state| {
                state.slow = slow;
                state.troubles = troubles;
            });
        }
        let scan = self.scanning();
        self.board.update(&self.options.name, |state| {
            state.scan = scan;
            state.objects = objects;
            state.backlog = backlog;
            state.incomplete = incomplete;
        });
    }
}
