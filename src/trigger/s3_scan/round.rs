//! One listing of everything that is needed of a bucket, page by page, and what its end means.
//!
//! Each page covers a stretch of keys, and is compared with the rows of that stretch. Services list in the order of UTF-8
//! bytes; so does the ledger, but for keys with a `%` that had to be escaped: those are compared one by one, and what is
//! gone of them is found by the hashes of those that were listed. A service that lists in no order is compared so
//! altogether. Guarantees: nothing is taken for gone before a whole listing said so, begun in this run of the daemon; when
//! most would be, nothing is, until it is back or somebody says that it is meant. Deliberately absent: what new objects
//! are (`sift`).

use crate::base::clock::UtcMs;
use crate::objects::ignored;
use crate::objects::name_rules::Role;
use crate::objects::s3::Listed;
use crate::objects::s3::Page;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;
use crate::store::bucket_ledger::BucketRow;
use crate::trigger::board::Scanning;
use crate::trigger::s3_scan::PAGE;
use crate::trigger::s3_scan::Trouble;
use crate::trigger::s3_scan::WatchBucket;
use crate::trigger::s3_scan::cursor::Place;
use crate::trigger::s3_scan::merge;
use crate::trigger::s3_scan::merge::Merged;
use crate::trigger::s3_scan::pace::Outcome;
use crate::trigger::s3_scan::vanished::GONE_KEPT;
use crate::trigger::s3_scan::vanished::MARKED;
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::time::Duration;
use std::time::Instant;

/// Rows read in one go.
pub(super) const STRETCH: u32 = 4_000;
/// Where it is, is kept so often.
const KEEP_EVERY: Duration = Duration::from_secs(5);
/// Prefixes whose keys only grow are listed whole all the same, so often, milliseconds.
const WHOLE_EVERY_MS: i64 = 86_400_000;
/// Time between two goes through the ledger for rows of objects that are gone for long.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);
/// How long such rows are kept, milliseconds.
const GONE_KEPT_MS: i64 = 30 * 86_400_000;

/// A listing that is under way.
pub(super) struct Round {
    begun: UtcMs,
    began: Instant,
    pub(super) prefixes: Vec<String>,
    at: usize,
    token: Option<String>,
    /// The last key that was dealt with, as its bytes; none: the first page of a prefix is next.
    last: Option<String>,
    /// It began at the begin, in this run of the daemon.
    whole: bool,
    /// It leaves out what lies before the last keys of prefixes that only grow.
    jumps: bool,
    /// It looks whether a frozen storage is as it was, and changes nothing.
    dry: bool,
    /// Hints up to this one were told before it began.
    hints_until: i64,
    /// It took the keys for sorted, and they are not: it must be made anew.
    misled: bool,
    calls: u64,
    listed: u64,
    pub(super) met: u64,
    pub(super) found: u64,
    pub(super) missed: u64,
    pub(super) gone: Vec<String>,
    pub(super) gone_count: u64,
    pub(super) hasher: RandomState,
    pub(super) odd_listed: HashSet<u64>,
    pub(super) odd_rows: Vec<String>,
    last_keys: BTreeMap<String, String>,
    kept: Instant,
}

impl WatchBucket {
    /// Begins a listing, or goes on with one that an earlier run of the daemon began.
    pub(super) async fn begin_round(&mut self) -> Result<(), Trouble> {
        self.ask_concern = true;
        self.look_at_concern().await?;
        let now = UtcMs::now();
        let prefixes = self.cursor.needs.cover();
        self.next_round = Instant::now() + self.pace.current();
        if prefixes.is_empty() {
            self.next_round = Instant::now() + super::IDLE_LOOK;
            self.reach().await?;
            return Ok(());
        }
        let kept = self.cursor.listing.take();
        let resumed = kept.and_then(|place| Some((prefixes.iter().position(|prefix| *prefix == place.prefix)?, place)));
        let waiting = self.surroundings.store.hints_waiting(self.id, now).await?;
        let jumps = self.sorted
            && !self.cursor.last_keys.is_empty()
            && now.0.saturating_sub(self.cursor.whole_ms) < WHOLE_EVERY_MS
            && waiting.due <= super::heed::BY_LISTING
            && self.frozen.is_none();
        let (at, begun, last) = match resumed {
            Some((at, place)) => (at, UtcMs(place.begun_ms), place.after),
            None => (0, now, None),
        };
        let whole = at == 0 && last.is_none();
        if !whole {
            tracing::info!(
                storage = self.options.name,
                after = last,
                "a listing goes on where it was"
            );
        }
        self.round = Some(Round {
            begun,
            began: Instant::now(),
            prefixes,
            at,
            token: None,
            last,
            whole,
            jumps,
            dry: self.frozen.is_some(),
            hints_until: waiting.last_seq,
            misled: false,
            calls: 0,
            listed: 0,
            met: 0,
            found: 0,
            missed: 0,
            gone: Vec::new(),
            gone_count: 0,
            hasher: RandomState::new(),
            odd_listed: HashSet::new(),
            odd_rows: Vec::new(),
            last_keys: BTreeMap::new(),
            kept: Instant::now(),
        });
        Ok(())
    }

    /// Whether the listing under way answers every hint that waits now.
    pub(super) fn round_answers_hints(&self) -> bool {
        self.round.as_ref().is_some_and(Round::answers_hints)
    }

    /// Takes the next page of the listing.
    pub(super) async fn take_page(&mut self) -> Result<(), Trouble> {
        let Some(mut round) = self.round.take() else {
            return Ok(());
        };
        match self.page_of(&mut round).await {
            Ok(true) => self.end_round(round).await,
            Ok(false) if round.misled => {
                // It began as if keys came in their order.
                self.next_round = Instant::now();
                Ok(())
            }
            Ok(false) => {
                self.round = Some(round);
                Ok(())
            }
            Err(trouble) => {
                self.round = Some(round);
                Err(trouble)
            }
        }
    }

    /// One page; says whether it was the last of all.
    async fn page_of(&mut self, round: &mut Round) -> Result<bool, Trouble> {
        let Some(prefix) = round.prefixes.get(round.at).cloned() else {
            return Ok(true);
        };
        if let (None, true) = (&round.last, round.jumps) {
            round.last = self.cursor.jump(&raw(&prefix)).map(str::to_owned);
        }
        let after = round.last.as_ref().map(|last| key_text(last.as_bytes()));
        let token = round.token.clone();
        let after = after.as_deref().filter(|_| token.is_none());
        let page = self.page(&prefix, after, token.as_deref(), PAGE).await?;
        self.answered(1);
        round.calls += 1;
        if self.sorted && !in_order(round.last.as_deref(), &page) {
            tracing::warn!(
                storage = self.options.name,
                prefix,
                "the service does not list keys in their order; every key is remembered while it is listed"
            );
            self.sorted = false;
            round.misled = true;
            self.cursor.listing = None;
            return Ok(false);
        }
        let last = page.objects.last().map(|object| raw(&object.key));
        for object in &page.objects {
            let key = raw(&object.key);
            let over = self
                .options
                .monotonic_prefixes
                .iter()
                .filter(|over| key.starts_with(over.as_str()));
            for over in over {
                let known = round.last_keys.entry(over.clone()).or_default();
                if *known < key {
                    known.clone_from(&key);
                }
            }
        }
        let next = page.next;
        let until = match (&next, &last) {
            (Some(_), Some(last)) => Some(last.clone()),
            (Some(_), None) => None,
            (None, _) => Some(format!("{}{}", raw(&prefix), char::MAX)),
        };
        round.listed += page.objects.len() as u64;
        // What is empty is no film yet; consoles make such objects for folders.
        let objects = page.objects.into_iter();
        let objects = objects.filter(|object| object.size_bytes > 0 && self.takes(&object.key));
        let objects = objects.collect();
        self.compare(round, &prefix, objects, until).await?;
        round.last = last.or(round.last.take());
        round.token = next;
        if round.token.is_none() {
            round.at += 1;
            round.last = None;
        } else if round.jumps
            && let Some(target) = round.last.as_deref().and_then(|last| self.cursor.jump(last))
        {
            round.last = Some(target.to_owned());
            round.token = None;
        }
        if round.kept.elapsed() >= KEEP_EVERY && !round.dry && self.sorted {
            round.kept = Instant::now();
            self.cursor.listing = round.place();
            self.keep_cursor(None).await?;
        }
        Ok(round.at >= round.prefixes.len())
    }

    /// Compares the objects of a page with the ledger: up to `until` with all of its rows, without it with its own.
    async fn compare(
        &mut self,
        round: &mut Round,
        prefix: &str,
        objects: Vec<Listed>,
        until: Option<String>,
    ) -> Result<(), Trouble> {
        let sorted = self.sorted;
        let (odd, mut plain): (Vec<Listed>, Vec<Listed>) =
            objects.into_iter().partition(|object| !sorted || is_odd(&object.key));
        if !odd.is_empty() {
            let hasher = &round.hasher;
            round
                .odd_listed
                .extend(odd.iter().map(|object| hasher.hash_one(&object.key)));
            let keys = odd.iter().map(|object| object.key.clone()).collect();
            let rows = self.surroundings.store.bucket_rows(self.id, keys).await?;
            let merged = merge::merge(&odd, &rows, false);
            self.absorb(round, merged).await?;
        }
        let Some(until) = until.filter(|_| sorted) else {
            return Ok(());
        };
        let mut from = round
            .last
            .clone()
            .map_or_else(|| (raw(prefix), true), |last| (last, false));
        loop {
            let store = &self.surroundings.store;
            let rows = store
                .bucket_stretch(self.id, (&from.0, from.1), &until, STRETCH)
                .await?;
            let full = rows.len() >= STRETCH as usize;
            let bound = rows.last().map(|row| row.key.clone()).filter(|_| full);
            let (odd, rows): (Vec<BucketRow>, Vec<BucketRow>) = rows
                .into_iter()
                .filter(|row| row.settled && self.takes(&row.key))
                .partition(|row| is_odd(&row.key));
            round
                .odd_rows
                .extend(odd.into_iter().filter(|row| !row.gone).map(|row| row.key));
            let here = bound.as_ref().map_or(plain.len(), |bound| {
                plain.partition_point(|object| object.key <= *bound)
            });
            let portion: Vec<Listed> = plain.drain(..here).collect();
            let merged = merge::merge(&portion, &rows, round.whole);
            self.absorb(round, merged).await?;
            match bound {
                Some(bound) => from = (bound, false),
                None => return Ok(()),
            }
        }
    }

    async fn absorb(&mut self, round: &mut Round, merged: Merged) -> Result<(), Trouble> {
        round.met += merged.met;
        round.gone_too(merged.gone);
        if round.dry {
            return Ok(());
        }
        if !merged.back.is_empty() {
            let store = &self.surroundings.store;
            store.mark_gone(self.id, Vec::new(), merged.back, UtcMs::now()).await?;
        }
        let again = self.written_again(merged.restamped).await?;
        let candidates = merged.news.into_iter().map(|object| (object, None)).chain(again);
        let sifted = self.sift(candidates.collect()).await?;
        round.found += sifted.arrived;
        round.missed += sifted.late;
        Ok(())
    }

    /// A listing ended.
    async fn end_round(&mut self, mut round: Round) -> Result<(), Trouble> {
        if round.whole {
            self.gone_of_odd(&mut round).await?;
        }
        let doubt = if self.believe { None } else { self.doubt(&round).await? };
        match (doubt, self.frozen.is_some()) {
            (Some(_), true) => {
                self.next_round = Instant::now() + self.pace.current();
                return Ok(());
            }
            (Some(why), false) => {
                self.freeze(why).await?;
                self.cursor.listing = None;
                self.keep_cursor(None).await?;
                return Ok(());
            }
            (None, true) => {
                self.thaw("its objects are back").await;
                // What this listing saw was not written down.
                self.next_round = Instant::now();
                return Ok(());
            }
            (None, false) => {}
        }
        self.conclude(round).await
    }

    async fn conclude(&mut self, mut round: Round) -> Result<(), Trouble> {
        let (store, now) = (self.surroundings.store.clone(), UtcMs::now());
        while !round.gone.is_empty() {
            let rest = round.gone.len().saturating_sub(MARKED);
            let keys = round.gone.split_off(rest);
            store.mark_gone(self.id, keys, Vec::new(), now).await?;
        }
        if Instant::now() >= self.next_prune {
            self.next_prune = Instant::now() + PRUNE_EVERY;
            store.prune_gone(now.plus_ms(-GONE_KEPT_MS)).await?;
        }
        let mut ended = false;
        for prefix in &round.prefixes {
            ended |= self.cursor.needs.listed(prefix, round.begun.0);
        }
        if ended {
            store.end_baseline(self.id, now).await?;
        }
        if round.answers_hints() {
            store.drop_hints_until(self.id, round.hints_until, now).await?;
            self.told = true;
        }
        if self.sorted {
            self.cursor.last_keys.append(&mut round.last_keys);
        } else {
            self.cursor.last_keys.clear();
        }
        if round.whole && !round.jumps {
            self.cursor.whole_ms = round.begun.0;
        }
        self.cursor.listing = None;
        self.keep_cursor(Some(now)).await?;
        self.objects = store.objects_present(self.id).await?;
        if ended {
            tracing::info!(
                storage = self.options.name,
                objects = self.objects,
                calls = round.calls,
                "the first listing ended; what comes from now on is new"
            );
            crate::trigger::release_existing(&store, &self.surroundings.scheduler, &self.options.name).await;
        }
        self.believe = false;
        let outcome = Outcome {
            took: round.began.elapsed(),
            found: round.found,
            missed: round.missed,
        };
        let at_once = std::mem::take(&mut self.again) || round.gone_count > GONE_KEPT as u64;
        let wait = self.pace.ended(outcome, Instant::now());
        self.next_round = Instant::now() + if at_once { Duration::ZERO } else { wait };
        let took_ms = u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX);
        self.surroundings.board.update(&self.options.name, |state| {
            state.last_scan = Some(now);
            state.last_scan_ms = took_ms;
        });
        Ok(())
    }

    /// Whether a key is one that may be an object: neither of a temporary name nor left out by the configuration.
    pub(super) fn takes(&self, key: &str) -> bool {
        !key.ends_with('/') && ignored::why(key).is_none() && self.options.names.role(key) == Role::Object
    }
}

impl Round {
    /// How far it is, for the board.
    pub(super) fn progress(&self, expected: u64, first: bool) -> Scanning {
        Scanning {
            began: self.begun,
            found: self.listed,
            expected: (expected > 0).then_some(expected),
            first,
        }
    }

    fn answers_hints(&self) -> bool {
        self.whole && !self.jumps && !self.dry
    }

    fn place(&self) -> Option<Place> {
        let prefix = self.prefixes.get(self.at)?;
        Some(Place {
            begun_ms: self.begun.0,
            prefix: prefix.clone(),
            after: self.last.clone(),
        })
    }
}

/// A key as the service has it. S3 knows only keys in UTF-8.
fn raw(key: &str) -> String {
    String::from_utf8_lossy(&key_bytes(key)).into_owned()
}

/// Whether a key's text form is not the key itself, so that rows stand in another order than the service lists.
fn is_odd(key: &str) -> bool {
    key.contains('%') && key_bytes(key) != key.as_bytes()
}

/// Whether the keys of a page grow, from the one before it on.
fn in_order(before: Option<&str>, page: &Page) -> bool {
    let mut before = before.map(str::to_owned);
    page.objects.iter().all(|object| {
        let key = raw(&object.key);
        let grows = before.as_ref().is_none_or(|before| *before < key);
        before = Some(key);
        grows
    })
}
