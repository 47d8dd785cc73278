//! Scans of the storage, a portion at a time, by several threads of its own.
//!
//! Guarantees: what one portion found is written down while the next is looked for, in its order, and none of it counts
//! when the mount changed meanwhile; a whole scan that could not see everything takes nothing for gone. Deliberately
//! absent: when scans are due (`scans`), and what an object means (`consider`).

use super::DOUBT_EVERY;
use super::SWEEP_EVERY;
use super::WatchFolder;
use super::belief::Halt;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::objects::crawl::Crawl;
use crate::objects::crawl::Unseen;
use crate::objects::lane::Lane;
use crate::objects::mounts;
use crate::objects::scan::Found;
use crate::store::error::StoreError;
use crate::trigger::board::Scanning;
use crate::trigger::look;
use crate::trigger::look::PATIENCE;
use crate::trigger::look::RootSeen;
use crate::trigger::scans::Running;
use crate::trigger::settle::Due;
use crate::trigger::sight::Sight;
use futures_util::future::join_all;
use std::time::Duration;
use std::time::Instant;

/// News of a portion: rows of one commit.
const PORTION: usize = 8_192;
/// Longest time a portion holds its threads.
const PORTION_TIME: Duration = Duration::from_millis(200);
/// Threads that look at once where a look is a question to another host.
const FAR_THREADS: usize = 4;
/// The same where it is not.
const NEAR_THREADS: usize = 2;

/// Looks that are not worth a thread more.
const FEW: usize = 16;

/// Threads of a storage: those of a scan, and so many that a few may hang and one still notices when the storage is back.
pub(in crate::trigger) const THREADS: usize = FAR_THREADS + 2;

/// The next portion of a walk.
pub(super) async fn portion(lane: &Lane, crawl: &Crawl, threads: usize) -> Result<Vec<Found>, Fault> {
    let threads = crawl.pieces().clamp(1, threads);
    let looks = (0..threads).map(|_| {
        let crawl = crawl.clone();
        lane.run("scan", PATIENCE, move || crawl.portion(PORTION / threads, PORTION_TIME))
    });
    let mut found = Vec::new();
    for look in join_all(looks).await {
        found.append(&mut look?);
    }
    Ok(found)
}

/// Whether a root still lies on what it lay on.
pub(super) fn lies_on(seen: &RootSeen) -> bool {
    mounts::mount_of(&seen.real).is_some_and(|mount| mount.text() == seen.root.mount)
}

impl WatchFolder {
    /// Threads that a scan of this storage may have.
    pub(super) fn threads(&self) -> usize {
        let is_far = self.root.as_ref().is_none_or(|seen| seen.root.shared);
        if is_far { FAR_THREADS } else { NEAR_THREADS }
    }

    pub(super) fn mount_is_the_same(&self) -> bool {
        self.root.as_ref().is_some_and(lies_on)
    }

    /// Looks at what is due, on several threads at once.
    pub(super) async fn look_at(&self, due: &[Due]) -> Result<Vec<(Due, std::io::Result<Option<Sight>>)>, Fault> {
        let each = due.len().div_ceil(self.threads()).max(FEW);
        let looks = due.chunks(each).map(|due| {
            let (folder, names, due) = (self.folder.clone(), self.options.names.clone(), due.to_vec());
            self.lane
                .run("look", PATIENCE, move || look::at_due(&folder, &names, due))
        });
        let mut seen = Vec::with_capacity(due.len());
        for looks in join_all(looks).await {
            seen.append(&mut looks?);
        }
        Ok(seen)
    }

    /// Takes the next portion of the scan that goes on.
    pub(super) async fn take_portion(&mut self) -> Result<(), Fault> {
        let Some(mut running) = self.scans.take() else {
            return Ok(());
        };
        let ahead = std::mem::take(&mut running.ahead);
        let nothing_ahead = ahead.is_empty();
        let (lane, crawl, threads) = (self.lane.clone(), running.crawl.clone(), self.threads());
        self.scans.go_on(running);
        let (found, ()) = tokio::join!(portion(&lane, &crawl, threads), self.consider(ahead));
        let found = found?;
        if !self.mount_is_the_same() {
            self.next_guard = Instant::now();
            self.scans.drop_all();
            self.scans.whole_now();
            return Ok(());
        }
        // It may have been broken off because something could not be written down.
        let Some(mut running) = self.scans.take() else {
            return Ok(());
        };
        if !found.is_empty() || !nothing_ahead || !running.crawl.done() {
            running.ahead = found;
            self.scans.go_on(running);
            return Ok(());
        }
        if running.whole {
            self.end_scan(&running).await;
        }
        Ok(())
    }

    async fn end_scan(&mut self, running: &Running) {
        let took = running.began.elapsed();
        self.scans.ended(took);
        let Unseen {
            denied,
            more_denied,
            failure,
        } = running.crawl.unseen();
        let mut note = None;
        if let Some(failure) = &failure {
            note = Some(format!("parts of the storage could not be seen: {failure}"));
        } else if let Some(first) = denied.first() {
            let others = match denied.len() {
                1 => String::new(),
                many if more_denied => format!(" and more than {} others", many - 1),
                many => format!(" and {} others", many - 1),
            };
            note = Some(format!(
                "this user may not list the folder {first}{others}; what lies there arrives as new when it may"
            ));
        }
        let before = self.unseen_note.take();
        if note != before {
            if let Some(note) = &note {
                tracing::warn!(storage = self.options.name, "{note}");
            }
            self.board.update(&self.options.name, |state| {
                // One that speaks of something else stays.
                if note.is_some() || state.note == before {
                    state.note.clone_from(&note);
                }
            });
        }
        self.unseen_note = note;
        if failure.is_some() {
            return;
        }
        let is_whole = denied.is_empty();
        let nothing = running.crawl.entries() == 0;
        if nothing && self.ledger.was_filled() {
            // The root emptied since it was last looked at; the guard decides what that means.
            self.next_guard = Instant::now();
        }
        match self.take_old_rooms().await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return self.put_off(&error),
            Err(fault) => return self.halt(Halt::Silent(fault.cause)).await,
        }
        if let Err(error) = self.end_baseline().await {
            return self.put_off(&error);
        }
        if is_whole && let Some(why) = self.mass().await {
            return self.halt(Halt::Frozen(why)).await;
        }
        self.board.update(&self.options.name, |state| {
            state.last_scan = Some(UtcMs::now());
            state.last_scan_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        });
        self.sweep(nothing, &denied, more_denied).await;
    }

    async fn end_baseline(&mut self) -> Result<(), StoreError> {
        if let Some(objects) = self.ledger.end_baseline().await? {
            tracing::info!(
                storage = self.options.name,
                objects,
                "the first scan ended; what comes from now on is new"
            );
            crate::trigger::release_existing(&self.store, &self.scheduler, &self.options.name).await;
        }
        Ok(())
    }

    /// Notes in the ledger what is gone, now and then.
    async fn sweep(&mut self, nothing: bool, unseen: &[String], more_unseen: bool) {
        let due = Instant::now() >= self.next_sweep && !nothing;
        if more_unseen || !(due || self.sweep_now) {
            return;
        }
        self.next_sweep = Instant::now() + SWEEP_EVERY;
        match self.ledger.sweep(unseen).await {
            Ok(()) => self.sweep_now = false,
            Err(error) => {
                tracing::warn!(storage = self.options.name, %error, "gone objects could not be noted");
            }
        }
    }

    /// The whole scan must be made again: something of it is not in the ledger.
    pub(super) fn put_off(&mut self, error: &StoreError) {
        tracing::warn!(storage = self.options.name, %error, "what a scan found could not be written down; scanning again");
        self.scans.put_off(DOUBT_EVERY);
    }

    /// How far the whole scan is that goes on.
    pub(super) fn scanning(&self) -> Option<Scanning> {
        let running = self.scans.whole()?;
        let (before, _) = self.ledger.before_and_after();
        Some(Scanning {
            began: running.began_at,
            found: running.crawl.objects(),
            expected: Some(before as u64).filter(|before| *before > 0),
            first: self.ledger.is_first(),
        })
    }
}
