//! The trigger of one folder storage: hears, scans, waits until objects settle, writes them into the ledger.
//!
//! One task, one step at a time: guard the mount, take hints, take looks that are due, take a portion of a scan. A
//! scan is taken in portions so that hints and looks never wait for its end. Guarantees: nothing is written while the
//! mount is in doubt; what could not be written is taken up again; a hung storage makes its own task wait and nobody
//! else's. Deliberately absent: what an arrival starts.

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::wake::Bell;
use crate::objects::lane::Lane;
use crate::objects::scan;
use crate::objects::scan::Found;
use crate::objects::scan::Look;
use crate::objects::scan::Scan;
use crate::store::Store;
use crate::store::arrivals::Settled;
use crate::store::error::StoreError;
use crate::telemetry::metrics::Metric;
use crate::telemetry::metrics::Metrics;
use crate::trigger::StorageOptions;
use crate::trigger::WatchMode;
use crate::trigger::board::Board;
use crate::trigger::hints::Hints;
use crate::trigger::ledger::Ledger;
use crate::trigger::look;
use crate::trigger::look::PATIENCE;
use crate::trigger::look::ROOT_EVERY;
use crate::trigger::look::RootSeen;
use crate::trigger::mount_guard;
use crate::trigger::mount_guard::Belief;
use crate::trigger::scans::Scans;
use crate::trigger::settle::Answer;
use crate::trigger::settle::Settling;
use crate::workflow::arrival::Arrival;
use std::time::Duration;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Time between looks at the root while the storage is in doubt.
const DOUBT_EVERY: Duration = Duration::from_secs(5);
/// A portion of a scan.
const PORTION: usize = 2_000;
/// Longest time a portion holds its thread.
const PORTION_TIME: Duration = Duration::from_millis(200);
/// Looks at objects in one go.
const LOOKS: usize = 512;
/// Time between two goes through the ledger for objects that are gone.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

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
    root: Option<RootSeen>,
    hints: Option<Hints>,
    heard: Bell,
    settling: Settling,
    scans: Scans,
    next_guard: Instant,
    next_sweep: Instant,
    frozen: Option<String>,
    thaw: bool,
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
        WatchFolder {
            ledger: Ledger::new(&options.name, store.clone(), entered),
            settling: Settling::new(options.settle_rules("local")),
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
            heard: Bell::default(),
            next_guard: now,
            next_sweep: now + SWEEP_EVERY,
            frozen: None,
            thaw: false,
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
        self.frozen = self.ledger.frozen().map(str::to_owned);
        loop {
            let asked = self.board.take_asked(&self.options.name);
            self.thaw |= asked.thaw;
            if asked.scan || asked.thaw {
                self.scans.whole_now();
            }
            if self.thaw || Instant::now() >= self.next_guard {
                self.guard().await;
            }
            if self.frozen.is_some() {
                self.wait(self.next_guard).await;
                continue;
            }
            let step = self.step().await;
            self.show();
            match step {
                Ok(true) => {}
                Ok(false) => self.wait(self.next_moment()).await,
                Err(fault) => self.doubt(fault.cause).await,
            }
        }
    }

    /// One round of work; says whether there may be more right now.
    async fn step(&mut self) -> Result<bool, Fault> {
        self.take_hints().await?;
        self.take_due().await?;
        if !self.scans.begin_due(|| self.ledger.begin_round()) {
            return Ok(false);
        }
        self.take_portion().await?;
        Ok(true)
    }

    fn next_moment(&self) -> Instant {
        let due = self.settling.next_ms().map(|ms| self.began + Duration::from_millis(ms));
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

    /// Looks at the root and decides whether it is still the storage.
    async fn guard(&mut self) {
        let seen = look::at_root_in(&self.lane, &self.options.root).await;
        let thaw = std::mem::take(&mut self.thaw);
        let seen = match seen {
            Ok(seen) => seen,
            Err(cause) => return self.doubt(cause).await,
        };
        let objects = self.ledger.objects_expected();
        let belief = match (thaw, mount_guard::judge(self.ledger.mount(), objects, &seen.root)) {
            (true, Belief::Doubt(_)) => {
                self.ledger.expect_nothing();
                Belief::Same
            }
            (_, belief) => belief,
        };
        match belief {
            Belief::Doubt(why) => return self.doubt(why).await,
            Belief::Begin if self.ledger.mount().is_some() => {
                tracing::info!(
                    storage = self.options.name,
                    mount = seen.root.mount,
                    "a share was mounted where nothing was; beginning anew"
                );
                if let Err(error) = self.ledger.restart_baseline().await {
                    return self.doubt(error.to_string()).await;
                }
                self.root = None;
            }
            Belief::Begin | Belief::Same => {}
        }
        if let Err(error) = self.ledger.keep_mount(&seen.root.mount).await {
            return self.doubt(error.to_string()).await;
        }
        self.next_guard = Instant::now() + ROOT_EVERY;
        let same = |root: &RootSeen| root.is_the_same_as(&seen);
        if !self.root.as_ref().is_some_and(same) || self.frozen.is_some() {
            self.believe(seen).await;
        }
    }

    /// The storage is there: begin to listen, and scan.
    async fn believe(&mut self, seen: RootSeen) {
        self.settling = Settling::new(self.options.settle_rules(seen.file_system));
        self.scans.drop_all();
        self.scans.whole_now();
        let listen = match self.options.watch {
            WatchMode::Auto => !seen.root.shared,
            WatchMode::Inotify => true,
            WatchMode::Poll | WatchMode::Off => false,
        };
        self.hints = None;
        let mut note = None;
        if listen {
            match Hints::begin_in(&self.lane, &self.options.root, self.heard.clone()).await {
                Ok(hints) => self.hints = Some(hints),
                Err(cause) => {
                    let said = format!("inotify cannot be used, so the storage is polled: {cause}");
                    tracing::warn!(storage = self.options.name, "{said}");
                    note = Some(said);
                }
            }
        }
        let polled = if self.hints.is_some() { 300 } else { 10 };
        self.scans
            .every(self.options.poll_interval.unwrap_or(Duration::from_secs(polled)));
        let watch = if self.hints.is_some() { "inotify" } else { "poll" };
        if let Some(why) = self.frozen.take() {
            tracing::info!(storage = self.options.name, why, "the storage is back");
        }
        self.ledger.thaw().await;
        tracing::info!(
            storage = self.options.name,
            watch,
            file_system = seen.file_system,
            mount = seen.root.mount,
            "watching"
        );
        self.board.update(&self.options.name, |state| {
            state.watch = watch;
            state.file_system = seen.file_system.to_owned();
            state.available = true;
            state.frozen = None;
            state.note = note;
        });
        self.root = Some(seen);
    }

    /// Stops triggering, says why, and looks again soon.
    async fn doubt(&mut self, why: String) {
        self.next_guard = Instant::now() + DOUBT_EVERY;
        self.settling.clear();
        self.scans.drop_all();
        self.hints = None;
        if self.frozen.as_ref() != Some(&why) {
            tracing::error!(
                storage = self.options.name,
                why,
                "the storage is frozen: nothing of it is triggered, nothing is forgotten"
            );
        }
        self.ledger.freeze(&why).await;
        self.board.update(&self.options.name, |state| {
            state.available = false;
            state.frozen = Some(why.clone());
            state.scanning = false;
        });
        self.frozen = Some(why);
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
        for object in found {
            if self.ledger.meet(&object) {
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
            } else if self.settling.heard(&object, now_ms, at) {
                news.push(arrival);
            }
        }
        if !old.is_empty() {
            match self.ledger.record_old(old).await {
                Ok(news) => news.iter().for_each(|arrival| self.settling.again(arrival, now_ms)),
                Err(error) => self.put_off(&error),
            }
        }
        if !news.is_empty()
            && let Err(error) = self.ledger.see(news).await
        {
            // It is written when it settles.
            tracing::warn!(storage = self.options.name, %error, "arrivals could not be noted");
        }
    }

    /// The whole scan must be made again: something of it is not in the ledger.
    fn put_off(&mut self, error: &StoreError) {
        tracing::warn!(storage = self.options.name, %error, "what a scan found could not be written down; scanning again");
        self.scans.put_off(DOUBT_EVERY);
    }

    async fn take_due(&mut self) -> Result<(), Fault> {
        loop {
            let due = self.settling.due(self.now_ms(), LOOKS);
            if due.is_empty() {
                return Ok(());
            }
            let (root, looked_at) = (self.options.root.clone(), due.clone());
            let looks = match self
                .lane
                .run("look", PATIENCE, move || look::at_due(&root, looked_at))
                .await
            {
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
                    Ok(sight) => match self.settling.looked(&due.key, sight, now_ms, at) {
                        Answer::Wait => {}
                        Answer::Settled(arrival) => settled.push(arrival),
                        Answer::Gone => gone.push(due.key),
                    },
                    Err(error) => {
                        tracing::debug!(key = due.key, %error, "an object could not be looked at");
                        self.settling.later(&due.key, now_ms);
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
        }
    }

    async fn write_settled(&mut self, settled: Vec<Arrival>) {
        if settled.is_empty() {
            return;
        }
        let settled: Vec<Settled> = settled.into_iter().map(Settled::from).collect();
        match self.ledger.settle(&settled).await {
            Ok(new) => {
                if new > 0 {
                    self.scheduler.ring();
                    self.metrics
                        .add_labelled(Metric::Arrivals, &self.options.name, new as f64);
                    tracing::debug!(storage = self.options.name, new, "objects arrived");
                }
            }
            Err(error) => {
                tracing::warn!(storage = self.options.name, %error, "arrivals could not be written down; trying again");
                let now_ms = self.now_ms();
                for one in &settled {
                    self.settling.again(&one.arrival, now_ms);
                }
            }
        }
    }

    fn mount_is_the_same(&self) -> bool {
        let Some(root) = &self.root else { return false };
        look::mount_of(&root.real).is_some_and(|mount| mount.text() == root.root.mount)
    }

    async fn take_portion(&mut self) -> Result<(), Fault> {
        let Some(mut running) = self.scans.take() else {
            return Ok(());
        };
        let portion = self.lane.run("scan", PATIENCE, move || {
            let found = running.scan.portion(PORTION, PORTION_TIME);
            (running, found)
        });
        let (running, found) = portion.await?;
        if !self.mount_is_the_same() {
            self.next_guard = Instant::now();
            self.scans.whole_now();
            return Ok(());
        }
        let done = running.scan.done();
        self.scans.go_on(running);
        self.consider(found).await;
        if done && let Some(running) = self.scans.take().filter(|running| running.whole) {
            self.end_scan(&running.scan).await;
        }
        Ok(())
    }

    async fn end_scan(&mut self, scan: &Scan) {
        self.scans.ended();
        let nothing = scan.entries() == 0;
        if let Some(unseen) = scan.unseen() {
            let note = format!("parts of the storage cannot be seen: {unseen}");
            tracing::warn!(storage = self.options.name, "{note}");
            self.board.update(&self.options.name, |state| state.note = Some(note));
            return;
        }
        if nothing && self.ledger.was_filled() {
            // The root emptied since it was last looked at; the guard decides what that means.
            self.next_guard = Instant::now();
        }
        match self.ledger.end_baseline().await {
            Ok(None) => {}
            Ok(Some(objects)) => {
                tracing::info!(
                    storage = self.options.name,
                    objects,
                    "the first scan ended; what comes from now on is new"
                );
                crate::trigger::release_existing(&self.store, &self.scheduler, &self.options.name).await;
            }
            Err(error) => return self.put_off(&error),
        }
        if let Some((before, after)) = self.ledger.most_are_gone() {
            tracing::error!(
                storage = self.options.name,
                before,
                after,
                "most objects of the storage are gone; nothing is forgotten, and what comes back does not run again"
            );
            let note = format!("of {before} objects {} are gone since the scan before", before - after);
            self.board.update(&self.options.name, |state| state.note = Some(note));
        }
        self.board
            .update(&self.options.name, |state| state.last_scan = Some(UtcMs::now()));
        if Instant::now() >= self.next_sweep && self.frozen.is_none() && !nothing {
            self.next_sweep = Instant::now() + SWEEP_EVERY;
            if let Err(error) = self.ledger.sweep().await {
                tracing::warn!(storage = self.options.name, %error, "gone objects could not be noted");
            }
        }
    }

    fn show(&self) {
        let (objects, backlog) = (self.ledger.objects(), self.settling.len());
        let scanning = self.scans.is_whole();
        self.board.update(&self.options.name, |state| {
            state.objects = objects;
            state.backlog = backlog;
            state.scanning = scanning;
        });
    }
}
