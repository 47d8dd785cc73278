//! What the database knows of one storage, and the part of it that stands in memory.
//!
//! Guarantees: memory is ahead of the database in nothing but what is there right now; the baseline, the time before
//! which everything is old, holds from the begin of the first whole scan to its end, however often it begins again.
//! Deliberately absent: looking at the storage, and when it is scanned.

use crate::base::backoff;
use crate::base::clock::UtcMs;
use crate::objects::scan::Found;
use crate::store::Store;
use crate::store::arrivals::Settled;
use crate::store::error::StoreError;
use crate::store::storages::StorageRow;
use crate::trigger::known::Known;
use crate::trigger::known::KnownSieve;
use crate::workflow::arrival::Arrival;
use std::time::Duration;

/// How long rows of gone objects are kept.
const GONE_KEPT_MS: i64 = 30 * 86_400_000;
/// Grain of the clock that stamps local files.
const CLOCK_GRAIN_NS: i64 = 20_000_000;
/// Rows of one page.
const PAGE: u32 = 4_000;

/// The ledger of one storage.
pub(super) struct Ledger {
    storage: String,
    store: Store,
    row: StorageRow,
    known: Known,
    /// While the first whole scan goes on, however often it begins again: what changed before this moment (nanoseconds
    /// since 1970) is old.
    baseline_ns: Option<i64>,
    /// Since when this storage is ours to watch, where its first scan has not begun: what comes while it waits is new.
    entered: Option<UtcMs>,
    objects_before: usize,
    /// When the scan before began: what went since then is missed by this one.
    before_began: UtcMs,
    began: UtcMs,
    /// The database may hold rows of objects that are gone.
    some_gone: bool,
}

impl Ledger {
    /// Knows nothing before [`load`](Self::load). `entered`: since when the storage is watched, or about to be.
    pub(super) fn new(storage: &str, store: Store, entered: UtcMs) -> Self {
        Ledger {
            storage: storage.to_owned(),
            store,
            row: StorageRow {
                id: 0,
                baseline_at: None,
                mount: None,
                frozen: None,
            },
            known: Known::default(),
            baseline_ns: None,
            entered: Some(entered),
            objects_before: 0,
            before_began: UtcMs::now(),
            began: UtcMs::now(),
            some_gone: true,
        }
    }

    /// Reads what the database knows; tries for as long as it takes.
    pub(super) async fn load(&mut self) {
        for tries in 1.. {
            match self.try_load().await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(storage = self.storage, %error, "the ledger of a storage cannot be read yet");
                    tokio::time::sleep(wait_after(tries)).await;
                }
            }
        }
    }

    async fn try_load(&mut self) -> Result<(), StoreError> {
        self.row = self.store.enter_storage(&self.storage).await?;
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

    /// Objects known, gone ones too.
    pub(super) fn objects(&self) -> usize {
        self.known.len()
    }

    /// Objects that should be there: the most that this scan or the one before met.
    pub(super) fn objects_expected(&self) -> usize {
        self.objects_before.max(self.known.present())
    }

    /// The scan before met some.
    pub(super) fn was_filled(&self) -> bool {
        self.objects_before > 0
    }

    /// Objects that the scan before met, and those that this one has met.
    pub(super) fn before_and_after(&self) -> (usize, usize) {
        (self.objects_before, self.known.present())
    }

    /// Takes note of the objects that we removed ourselves since the scan before: nobody needs to miss them.
    pub(super) async fn let_go_of_ours(&mut self) -> Result<(), StoreError> {
        let since = self.before_began;
        let mut after = String::new();
        loop {
            let page = self.store.gone_page(self.row.id, since, &after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(last);
            let went = page.iter().filter(|key| self.known.let_go(key)).count();
            self.objects_before = self.objects_before.saturating_sub(went);
        }
    }

    /// Lets go on with the count of the scan before, while nobody believes what is there.
    pub(super) fn begin_census(&mut self) -> KnownSieve {
        let before = self.objects_expected();
        self.known.begin_round();
        self.objects_before = before;
        self.known.sieve()
    }

    /// What the storage lay on when it was last believed.
    pub(super) fn mount(&self) -> Option<&str> {
        self.row.mount.as_deref()
    }

    /// Keeps what the storage lies on.
    pub(super) async fn keep_mount(&mut self, mount: &str) -> Result<(), StoreError> {
        if self.mount() != Some(mount) {
            self.store.set_mount(self.row.id, mount.to_owned()).await?;
            self.row.mount = Some(mount.to_owned());
        }
        Ok(())
    }

    /// Why the storage is kept as frozen.
    pub(super) fn frozen(&self) -> Option<&str> {
        self.row.frozen.as_deref()
    }

    /// Keeps why the storage is frozen, as far as the database takes it.
    pub(super) async fn freeze(&mut self, why: &str) {
        if self.frozen() != Some(why) && self.row.id != 0 {
            match self.store.set_frozen(self.row.id, Some(why.to_owned())).await {
                Ok(()) => self.row.frozen = Some(why.to_owned()),
                Err(error) => tracing::warn!(storage = self.storage, %error, "a doubt could not be written down"),
            }
        }
    }

    /// Keeps that the storage is not frozen any more.
    pub(super) async fn thaw(&mut self) {
        if self.row.frozen.take().is_some()
            && let Err(error) = self.store.set_frozen(self.row.id, None).await
        {
            tracing::warn!(storage = self.storage, %error, "the end of a doubt could not be written down");
        }
    }

    /// By hand: what is there now is the storage, and what is known stays known.
    pub(super) fn expect_nothing(&mut self) {
        self.known.begin_round();
        self.objects_before = 0;
    }

    /// Another storage lies there now: its next whole scan is a first one.
    pub(super) async fn restart_baseline(&mut self) -> Result<(), StoreError> {
        self.store.restart_baseline(self.row.id).await?;
        self.row.baseline_at = None;
        self.baseline_ns = None;
        self.entered = None;
        Ok(())
    }

    /// A whole scan begins: nothing has been met yet.
    pub(super) fn begin_round(&mut self) -> KnownSieve {
        if self.row.baseline_at.is_none() && self.baseline_ns.is_none() {
            let since = self.entered.take().unwrap_or_else(UtcMs::now);
            self.baseline_ns = Some(since.0.saturating_mul(1_000_000) - CLOCK_GRAIN_NS);
        }
        self.objects_before = self.known.present();
        self.before_began = self.began;
        self.began = UtcMs::now();
        self.known.begin_round();
        self.known.sieve()
    }

    /// For a scan of a part, which belongs to the round that goes on.
    pub(super) fn sieve(&self) -> KnownSieve {
        self.known.sieve()
    }

    /// Whether the first scan of the storage goes on, or is due.
    pub(super) fn is_first(&self) -> bool {
        self.row.baseline_at.is_none()
    }

    /// A whole scan ended; answers how many objects there are if it was the first one.
    pub(super) async fn end_baseline(&mut self) -> Result<Option<usize>, StoreError> {
        if self.baseline_ns.is_none() {
            return Ok(None);
        }
        let now = UtcMs::now();
        self.store.end_baseline(self.row.id, now).await?;
        self.row.baseline_at = Some(now);
        self.baseline_ns = None;
        Ok(Some(self.known.present()))
    }

    /// Whether exactly this object settled before; notes that it is there.
    pub(super) fn meet(&mut self, object: &Found) -> bool {
        self.known.meet(&object.key, object.size_bytes, object.mtime_ns)
    }

    /// Whether an object of this key settled before, with whatever content.
    pub(super) fn ran_before(&self, key: &str) -> bool {
        self.known.has(key)
    }

    /// Keeps why objects wait that were seen.
    pub(super) async fn explain_waiting(&self, waiting: Vec<(String, String)>) -> Result<(), StoreError> {
        let waiting = waiting.into_iter().map(|(key, why)| (vec![key], why)).collect();
        self.store.explain_waiting(self.row.id, waiting).await
    }

    /// Whether an object was there before anybody watched.
    pub(super) fn is_old(&self, object: &Found) -> bool {
        self.baseline_ns.is_some_and(|since| object.ctime_ns < since)
    }

    /// Whether exactly this settled before.
    pub(super) fn knows(&self, key: &str, size_bytes: u64, mtime_ns: i64) -> bool {
        self.known.knows(key, size_bytes, mtime_ns)
    }

    /// Keeps groups of old objects.
    pub(super) async fn record_old_groups(&mut self, old: Vec<Settled>) -> Result<(), StoreError> {
        self.store.record_existing_groups(self.row.id, old.clone()).await?;
        self.remember_whole(&old);
        Ok(())
    }

    /// Keeps objects that settled and on which nothing is to run.
    pub(super) async fn set_aside(&mut self, aside: Vec<(Arrival, String)>) -> Result<(), StoreError> {
        self.store.set_aside(self.row.id, aside.clone()).await?;
        let arrivals: Vec<Arrival> = aside.into_iter().map(|(arrival, _)| arrival).collect();
        self.remember(&arrivals);
        Ok(())
    }

    /// Keeps why objects that settled are waited with, several with one reason.
    pub(super) async fn explain_held(&self, waiting: Vec<(Vec<String>, String)>) -> Result<(), StoreError> {
        self.store.explain_waiting(self.row.id, waiting).await
    }

    /// Keeps old objects; answers those that are news all the same: they came while an earlier run of the daemon made
    /// this scan, which did not live to end it.
    pub(super) async fn record_old(&mut self, old: Vec<Arrival>) -> Result<Vec<Arrival>, StoreError> {
        let unsettled = self.store.record_existing(self.row.id, old.clone()).await?;
        let (news, old): (Vec<_>, Vec<_>) = old.into_iter().partition(|arrival| unsettled.contains(&arrival.key));
        self.remember(&old);
        Ok(news)
    }

    /// Keeps objects that were seen and have not settled. Answers those that were seen as they are before, each with
    /// since when.
    pub(super) async fn see(&self, news: Vec<Arrival>) -> Result<Vec<(String, UtcMs)>, StoreError> {
        self.store.see_arrivals(self.row.id, news).await
    }

    /// Keeps objects that settled; answers how many of them are new.
    pub(super) async fn settle(&mut self, settled: &[Settled]) -> Result<usize, StoreError> {
        let new = self
            .store
            .settle_arrivals(self.row.id, settled.to_vec(), UtcMs::now())
            .await?;
        self.remember_whole(settled);
        Ok(new)
    }

    /// Forgets objects that vanished before they settled.
    pub(super) async fn forget_unsettled(&self, keys: Vec<String>) -> Result<(), StoreError> {
        self.store.forget_unsettled(self.row.id, keys).await
    }

    /// Notes which objects the last scan did not meet, and prunes those gone for long. What lies beneath the folders
    /// `unseen` may be there.
    pub(super) async fn sweep(&mut self, unseen: &[String]) -> Result<(), StoreError> {
        if !self.some_gone && self.known.present() == self.known.len() {
            return Ok(());
        }
        let is_unseen = |key: &str| {
            let beneath = |folder: &String| {
                key.strip_prefix(folder.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            unseen.iter().any(beneath)
        };
        self.some_gone = false;
        let mut after = String::new();
        loop {
            let page = self.store.ledger_page(self.row.id, &after, PAGE).await?;
            let last = page.len() < PAGE as usize;
            if let Some(row) = page.last() {
                after.clone_from(&row.key);
            }
            let (mut gone, mut back) = (Vec::new(), Vec::new());
            for row in page.into_iter().filter(|row| row.settled) {
                let present = self.known.is_present(&row.key);
                self.some_gone |= !present;
                match (present, row.gone) {
                    (false, false) if !is_unseen(&row.key) => gone.push(row.key),
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

    fn remember_whole(&mut self, settled: &[Settled]) {
        for one in settled {
            let (size_bytes, mtime_ns) = one.own();
            self.known.insert(&one.arrival.key, size_bytes, mtime_ns);
            for member in one.others() {
                self.known.insert(&member.key, member.size_bytes, member.mtime_ns);
            }
        }
    }

    fn remember(&mut self, arrivals: &[Arrival]) {
        for arrival in arrivals {
            self.known.insert(&arrival.key, arrival.size_bytes, arrival.mtime_ns);
        }
    }
}

fn wait_after(tries: u32) -> Duration {
    Duration::from_millis(u64::try_from(backoff::delay_ms(tries, 200, 10_000)).unwrap_or(10_000))
}
