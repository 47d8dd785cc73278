//! The trigger of one folder storage: hears, scans, waits until objects settle, writes them into the ledger.
//!
//! One task, one step at a time: guard the mount, take hints, take looks that are due, take a portion of a scan. A
//! scan is taken in portions so that hints and looks never wait for its end. Guarantees: nothing is written while the
//! mount is in doubt; what could not be written is taken up again; a hung storage makes its own task wait and nobody
//! else's. Deliberately absent: what an arrival starts.

use crate::base::backoff;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::wake::Bell;
use crate::objects::lane::Lane;
use crate::objects::scan;
use crate::objects::scan::Found;
use crate::objects::scan::Look;
use crate::objects::scan::Scan;
use crate::store::Store;
use crate::store::arrivals::StorageRow;
use crate::store::error::StoreError;
use crate::trigger::StorageOptions;
use crate::trigger::WatchMode;
use crate::trigger::board::Board;
use crate::trigger::hints::Hints;
use crate::trigger::known::Known;
use crate::trigger::look;
use crate::trigger::look::RootSeen;
use crate::trigger::mount_guard;
use crate::trigger::mount_guard::Belief;
use crate::trigger::settle::Answer;
use crate::trigger::settle::Rules;
use crate::trigger::settle::Settling;
use crate::workflow::arrival::Arrival;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long one operation on the storage may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(30);
/// Building the watch on a tree of many folders takes its time.
const WATCH_PATIENCE: Duration = Duration::from_secs(600);
/// Time between looks at the root and its mount.
const GUARD_EVERY: Duration = Duration::from_secs(15);
/// The same while the storage is in doubt.
const DOUBT_EVERY: Duration = Duration::from_secs(5);
/// A portion of a scan.
const PORTION: usize = 2_000;
/// Longest time a portion holds its thread.
const PORTION_TIME: Duration = Duration::from_millis(200);
/// Looks at objects in one go.
const LOOKS: usize = 512;
/// A folder that appeared is scanned again after this: files may have come between the scan and the kernel's watch.
const FOLDER_AGAIN: Duration = Duration::from_secs(2);
/// Time between two goes through the ledger for objects that are gone.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// How long rows of gone objects are kept.
const GONE_KEPT_MS: i64 = 30 * 86_400_000;
/// Grain of the clock that stamps local files.
const CLOCK_GRAIN_NS: i64 = 20_000_000;
/// Rows of one page of the ledger.
const PAGE: u32 = 4_000;

/// The trigger of one storage.
pub(super) struct WatchFolder {
    options: StorageOptions,
    store: Store,
    scheduler: Bell,
    board: Board,
    asked: Bell,
    lane: Lane,
    began: Instant,
    row: StorageRow,
    root: Option<RootSeen>,
    hints: Option<Hints>,
    heard: Bell,
    rules: Rules,
    poll_every: Duration,
    known: Known,
    settling: Settling,
    scan: Option<Box<Scan>>,
    whole: bool,
    /// While the first whole scan goes on, however often it begins again: what changed before this moment (nanoseconds
    /// since 1970) is old.
    baseline_ns: Option<i64>,
    folders: VecDeque<(Instant, String, bool)>,
    next_scan: Instant,
    next_guard: Instant,
    next_sweep: Instant,
    objects_before: usize,
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
    ) -> Self {
        let now = Instant::now();
        let rules = rules(&options, "local");
        WatchFolder {
            options,
            store,
            scheduler,
            board,
            asked,
            lane,
            began: now,
            row: StorageRow {
                id: 0,
                baseline_at: None,
                mount: None,
                frozen: None,
            },
            root: None,
            hints: None,
            heard: Bell::default(),
            rules,
            poll_every: Duration::from_secs(10),
            known: Known::default(),
            settling: Settling::new(rules),
            scan: None,
            whole: false,
            baseline_ns: None,
            folders: VecDeque::new(),
            next_scan: now,
            next_guard: now,
            next_sweep: now + SWEEP_EVERY,
            objects_before: 0,
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
        if self.options.watch == WatchMode::Off {
            return self.only_look_at_the_root().await;
        }
        self.load().await;
        loop {
            let asked = self.board.take_asked(&self.options.name);
            self.thaw |= asked.thaw;
            if asked.scan || asked.thaw {
                self.next_scan = Instant::now();
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
                Err(fault) => {
                    self.doubt(fault.cause.clone()).await;
                }
            }
        }
    }

    /// One round of work; says whether there may be more right now.
    async fn step(&mut self) -> Result<bool, Fault> {
        self.take_hints().await?;
        self.take_due().await?;
        if self.scan.is_none() {
            let now = Instant::now();
            if now >= self.next_scan {
                self.begin_scan();
            } else if self.folders.front().is_some_and(|(at, ..)| *at <= now)
                && let Some((_, key, again)) = self.folders.pop_front()
            {
                if again {
                    self.folders.push_back((now + FOLDER_AGAIN, key.clone(), false));
                }
                self.whole = false;
                self.scan = Some(Box::new(Scan::begin(
                    &self.options.root,
                    &key,
                    &self.options.others_within,
                )));
            } else {
                return Ok(false);
            }
        }
        self.take_portion().await?;
        Ok(true)
    }

    fn next_moment(&self) -> Instant {
        let due = self.settling.next_ms().map(|ms| self.began + Duration::from_millis(ms));
        let folder = self.folders.front().map(|(at, ..)| *at);
        [Some(self.next_scan), Some(self.next_guard), due, folder]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(self.next_guard)
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

    /// Reads what the ledger knows; tries for as long as it takes.
    async fn load(&mut self) {
        for tries in 1.. {
            match self.try_load().await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(storage = self.options.name, %error, "the ledger of a storage cannot be read yet");
                    tokio::time::sleep(wait_after(tries)).await;
                }
            }
        }
    }

    async fn try_load(&mut self) -> Result<(), StoreError> {
        self.row = self.store.enter_storage(&self.options.name).await?;
        self.frozen = self.row.frozen.clone();
        self.known.clear();
        let mut after = String::new();
        loop {
            let page = self.store.ledger_page(self.row.id, &after, PAGE).await?;
            let last = page.len() < PAGE as usize;
            for row in page {
                match (row.settled, row.gone) {
                    (true, false) => self.known.insert(&row.key, row.size_bytes, row.mtime_ns),
                    (true, true) => self.known.insert_gone(&row.key, row.size_bytes, row.mtime_ns),
                    (false, _) => {}
                }
                after = row.key;
            }
            if last {
                break;
            }
        }
        self.objects_before = self.known.present();
        Ok(())
    }

    /// Looks at the root and decides whether it is still the storage.
    async fn guard(&mut self) {
        let path = self.options.root.clone();
        let seen = self
            .lane
            .run("look at the root", PATIENCE, move || look::at_root(&path))
            .await;
        let thaw = std::mem::take(&mut self.thaw);
        let seen = match seen.map_err(|fault| fault.cause).and_then(|seen| seen) {
            Ok(seen) => seen,
            Err(cause) => return self.doubt(cause).await,
        };
        let objects = self.objects_before.max(self.known.present());
        let belief = match (thaw, mount_guard::judge(self.row.mount.as_deref(), objects, &seen.root)) {
            // By hand: what is there now is the storage, and what the ledger knows stays known.
            (true, Belief::Doubt(_)) => {
                self.known.begin_round();
                self.objects_before = 0;
                Belief::Same
            }
            (_, belief) => belief,
        };
        match belief {
            Belief::Doubt(why) => return self.doubt(why).await,
            Belief::Begin if self.row.mount.is_some() => {
                tracing::info!(
                    storage = self.options.name,
                    mount = seen.root.mount,
                    "a share was mounted where nothing was; beginning anew"
                );
                if let Err(error) = self.store.restart_baseline(self.row.id).await {
                    return self.doubt(error.to_string()).await;
                }
                self.row.baseline_at = None;
                self.baseline_ns = None;
                self.root = None;
            }
            Belief::Begin | Belief::Same => {}
        }
        if self.row.mount.as_deref() != Some(seen.root.mount.as_str()) {
            match self.store.set_mount(self.row.id, seen.root.mount.clone()).await {
                Ok(()) => self.row.mount = Some(seen.root.mount.clone()),
                Err(error) => return self.doubt(error.to_string()).await,
            }
        }
        self.next_guard = Instant::now() + GUARD_EVERY;
        let same = |root: &RootSeen| root.is_the_same_as(&seen);
        if !self.root.as_ref().is_some_and(same) || self.frozen.is_some() {
            self.believe(seen).await;
        }
    }

    /// The storage is there: begin to listen, and scan.
    async fn believe(&mut self, seen: RootSeen) {
        self.rules = rules(&self.options, seen.file_system);
        self.settling = Settling::new(self.rules);
        self.scan = None;
        self.folders.clear();
        self.next_scan = Instant::now();
        let listen = match self.options.watch {
            WatchMode::Auto => !seen.root.shared,
            WatchMode::Inotify => true,
            WatchMode::Poll | WatchMode::Off => false,
        };
        self.hints = None;
        let mut note = None;
        if listen {
            let (path, bell) = (self.options.root.clone(), self.heard.clone());
            let hints = self
                .lane
                .run("watch", WATCH_PATIENCE, move || Hints::begin(&path, bell))
                .await;
            match hints.map_err(|fault| fault.cause).and_then(|hints| hints) {
                Ok(hints) => self.hints = Some(hints),
                Err(cause) => {
                    let said = format!("inotify cannot be used, so the storage is polled: {cause}");
                    tracing::warn!(storage = self.options.name, "{said}");
                    note = Some(said);
                }
            }
        }
        let polled = if self.hints.is_some() { 300 } else { 10 };
        self.poll_every = self.options.poll_interval.unwrap_or(Duration::from_secs(polled));
        let watch = if self.hints.is_some() { "inotify" } else { "poll" };
        if let Some(why) = self.frozen.take() {
            tracing::info!(storage = self.options.name, why, "the storage is back");
        }
        if self.row.frozen.take().is_some()
            && let Err(error) = self.store.set_frozen(self.row.id, None).await
        {
            tracing::warn!(storage = self.options.name, %error, "the end of a doubt could not be written down");
        }
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
        self.folders.clear();
        self.scan = None;
        self.hints = None;
        if self.frozen.as_ref() != Some(&why) {
            tracing::error!(
                storage = self.options.name,
                why,
                "the storage is frozen: nothing of it is triggered, nothing is forgotten"
            );
        }
        if self.row.frozen.as_ref() != Some(&why) && self.row.id != 0 {
            match self.store.set_frozen(self.row.id, Some(why.clone())).await {
                Ok(()) => self.row.frozen = Some(why.clone()),
                Err(error) => tracing::warn!(storage = self.options.name, %error, "a doubt could not be written down"),
            }
        }
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
            self.next_scan = Instant::now();
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
                    Ok(Look::Folder) => self.folders.push_front((Instant::now(), key, true)),
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
            if self.known.meet(&object.key, object.size_bytes, object.mtime_ns) {
                continue;
            }
            let arrival = Arrival {
                key: object.key.clone(),
                size_bytes: object.size_bytes,
                mtime_ns: object.mtime_ns,
                etag: String::new(),
                seen_at: at,
            };
            if self.baseline_ns.is_some_and(|since| object.ctime_ns < since) {
                old.push(arrival);
            } else if self.settling.heard(&object, now_ms, at) {
                news.push(arrival);
            }
        }
        if !old.is_empty() {
            match self.store.record_existing(self.row.id, old.clone()).await {
                Ok(unsettled) => {
                    let is_news = |key: &String| unsettled.contains(key);
                    for arrival in old {
                        if is_news(&arrival.key) {
                            // It came while an earlier run of the daemon made this scan, which did not live to end it.
                            self.settling.again(&arrival, now_ms);
                        } else {
                            self.known.insert(&arrival.key, arrival.size_bytes, arrival.mtime_ns);
                        }
                    }
                }
                Err(error) => self.put_off(&error),
            }
        }
        if !news.is_empty()
            && let Err(error) = self.store.see_arrivals(self.row.id, news).await
        {
            // It is written when it settles.
            tracing::warn!(storage = self.options.name, %error, "arrivals could not be noted");
        }
    }

    /// The whole scan must be made again: something of it is not in the ledger.
    fn put_off(&mut self, error: &StoreError) {
        tracing::warn!(storage = self.options.name, %error, "what a scan found could not be written down; scanning again");
        self.scan = None;
        self.next_scan = Instant::now() + DOUBT_EVERY;
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
                && let Err(error) = self.store.forget_unsettled(self.row.id, gone).await
            {
                tracing::debug!(%error, "vanished objects stay in the ledger");
            }
        }
    }

    async fn write_settled(&mut self, settled: Vec<Arrival>) {
        if settled.is_empty() {
            return;
        }
        match self.store.settle_arrivals(self.row.id, settled.clone()).await {
            Ok(new) => {
                for arrival in &settled {
                    self.known.insert(&arrival.key, arrival.size_bytes, arrival.mtime_ns);
                }
                if new > 0 {
                    self.scheduler.ring();
                    tracing::debug!(storage = self.options.name, new, "objects arrived");
                }
            }
            Err(error) => {
                tracing::warn!(storage = self.options.name, %error, "arrivals could not be written down; trying again");
                let now_ms = self.now_ms();
                for arrival in &settled {
                    self.settling.again(arrival, now_ms);
                }
            }
        }
    }

    fn mount_is_the_same(&self) -> bool {
        let Some(root) = &self.root else { return false };
        look::mount_of(&root.real).is_some_and(|mount| mount.text() == root.root.mount)
    }

    fn begin_scan(&mut self) {
        if self.row.baseline_at.is_none() && self.baseline_ns.is_none() {
            self.baseline_ns = Some(UtcMs::now().0.saturating_mul(1_000_000) - CLOCK_GRAIN_NS);
        }
        self.objects_before = self.known.present();
        self.known.begin_round();
        self.whole = true;
        self.next_scan = Instant::now() + self.poll_every;
        self.scan = Some(Box::new(Scan::begin(
            &self.options.root,
            "",
            &self.options.others_within,
        )));
    }

    async fn take_portion(&mut self) -> Result<(), Fault> {
        let Some(mut scan) = self.scan.take() else {
            return Ok(());
        };
        let portion = self.lane.run("scan", PATIENCE, move || {
            let found = scan.portion(PORTION, PORTION_TIME);
            (scan, found)
        });
        let (scan, found) = portion.await?;
        if !self.mount_is_the_same() {
            self.next_guard = Instant::now();
            self.next_scan = Instant::now();
            return Ok(());
        }
        let done = scan.done();
        let unseen = scan.unseen().map(str::to_owned);
        let nothing = scan.entries() == 0;
        self.scan = Some(scan);
        self.consider(found).await;
        if done && self.scan.take().is_some() && self.whole {
            self.end_scan(unseen, nothing).await;
        }
        Ok(())
    }

    async fn end_scan(&mut self, unseen: Option<String>, nothing: bool) {
        self.next_scan = Instant::now() + self.poll_every;
        if let Some(unseen) = unseen {
            let note = format!("parts of the storage cannot be seen: {unseen}");
            tracing::warn!(storage = self.options.name, "{note}");
            self.board.update(&self.options.name, |state| state.note = Some(note));
            return;
        }
        if nothing && self.objects_before > 0 {
            // The root emptied since it was last looked at; the guard decides what that means.
            self.next_guard = Instant::now();
        }
        if self.baseline_ns.is_some() {
            let now = UtcMs::now();
            match self.store.end_baseline(self.row.id, now).await {
                Ok(()) => {
                    self.row.baseline_at = Some(now);
                    self.baseline_ns = None;
                    let objects = self.known.present();
                    tracing::info!(
                        storage = self.options.name,
                        objects,
                        "the first scan ended; what comes from now on is new"
                    );
                    release_existing(&self.store, &self.scheduler, &self.options.name).await;
                }
                Err(error) => return self.put_off(&error),
            }
        }
        let (before, after) = (self.objects_before, self.known.present());
        if before >= 100 && after < before / 2 {
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
            if let Err(error) = self.sweep().await {
                tracing::warn!(storage = self.options.name, %error, "gone objects could not be noted");
            }
        }
    }

    /// Notes in the ledger which objects the last scan did not meet, and prunes those gone for long.
    async fn sweep(&mut self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let page = self.store.ledger_page(self.row.id, &after, PAGE).await?;
            let last = page.len() < PAGE as usize;
            if let Some(row) = page.last() {
                after.clone_from(&row.key);
            }
            let (mut gone, mut back) = (Vec::new(), Vec::new());
            for row in page.into_iter().filter(|row| row.settled) {
                match (self.known.is_present(&row.key), row.gone) {
                    (false, false) => gone.push(row.key),
                    (true, true) => back.push(row.key),
                    _ => {}
                }
            }
            if !gone.is_empty() || !back.is_empty() {
                self.store.mark_gone(self.row.id, gone, back, UtcMs::now()).await?;
            }
            if last {
                break;
            }
        }
        self.store.prune_gone(UtcMs::now().plus_ms(-GONE_KEPT_MS)).await?;
        Ok(())
    }

    fn show(&self) {
        let (objects, backlog) = (self.known.len(), self.settling.len());
        let scanning = self.scan.is_some() && self.whole;
        self.board.update(&self.options.name, |state| {
            state.objects = objects;
            state.backlog = backlog;
            state.scanning = scanning;
        });
    }

    /// A storage that is not watched is looked at now and then, so that the board tells the truth.
    async fn only_look_at_the_root(&mut self) {
        loop {
            let path: PathBuf = self.options.root.clone();
            let seen = self
                .lane
                .run("look at the root", PATIENCE, move || look::at_root(&path))
                .await;
            let seen = seen.map_err(|fault| fault.cause).and_then(|seen| seen);
            self.board.update(&self.options.name, |state| match seen {
                Ok(seen) => {
                    state.available = true;
                    state.note = None;
                    state.file_system = seen.file_system.to_owned();
                }
                Err(cause) => {
                    state.available = false;
                    state.note = Some(cause);
                }
            });
            tokio::time::sleep(GUARD_EVERY).await;
        }
    }
}

/// Makes existing objects ready that an enabled workflow asks for.
pub(super) async fn release_existing(store: &Store, scheduler: &Bell, name: &str) {
    match store.release_existing(name).await {
        Ok(0) => {}
        Ok(released) => {
            tracing::info!(
                storage = name,
                released,
                "objects that were there before run, as a workflow asks"
            );
            scheduler.ring();
        }
        Err(error) => tracing::warn!(storage = name, %error, "existing objects could not be looked through"),
    }
}

/// Looks and their distance, by file system where the configuration leaves it open.
fn rules(options: &StorageOptions, file_system: &str) -> Rules {
    let seconds = match file_system {
        "local" => 1,
        // Clients write in bursts, and the server tells late: size and time lie for many seconds.
        "cifs" | "smb2" | "smbfs" => 15,
        _ => 5,
    };
    let interval = options.settle_interval.unwrap_or(Duration::from_secs(seconds));
    Rules {
        looks: options.settle_looks.unwrap_or(2),
        interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX).max(1),
    }
}

fn wait_after(tries: u32) -> Duration {
    Duration::from_millis(u64::try_from(backoff::delay_ms(tries, 200, 10_000)).unwrap_or(10_000))
}
