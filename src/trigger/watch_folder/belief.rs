//! Whether the storage is there and is the storage: asked again and again, and what follows from the answer.
//!
//! Two things can be wrong. It does not answer: nothing can be said, and nothing has to be done but to try again. Or
//! it answers, and what it says is not believed: another mount, an empty folder, most objects gone, no sentinel; then it
//! is frozen until it is as it was, or until somebody says that the change is meant. Guarantees: in doubt nothing is
//! triggered, forgotten or deleted; objects that we removed ourselves raise no doubt; after a mass disappearance objects
//! are counted, and nothing else, until enough of them are back. Deliberately absent: the rules (`mount_guard`).

use super::DOUBT_EVERY;
use super::WatchFolder;
use super::portions;
use crate::base::fault::Fault;
use crate::objects::crawl::Crawl;
use crate::trigger::WatchMode;
use crate::trigger::group::gathering::Gathering;
use crate::trigger::hints::Hints;
use crate::trigger::look;
use crate::trigger::look::ROOT_EVERY;
use crate::trigger::look::RootSeen;
use crate::trigger::mount_guard;
use crate::trigger::mount_guard::Belief;
use crate::trigger::settle::Settling;
use std::time::Duration;
use std::time::Instant;

/// Shortest time between two counts of a storage of which most objects are gone.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// Why nothing of a storage is triggered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// It is not believed to be the storage.
    Frozen(String),
    /// It does not answer, or has not been there yet.
    Silent(String),
}

impl WatchFolder {
    /// Looks at the root and decides whether it is still the storage.
    pub(super) async fn guard(&mut self) {
        let sentinel = self.options.sentinel.as_deref();
        let seen = look::at_root_in(&self.lane, &self.options.root, sentinel).await;
        let thaw = std::mem::take(&mut self.thaw);
        let seen = match seen {
            Ok(seen) => seen,
            Err(none) if none.gone && self.ledger.mount().is_some() => {
                let why = format!("its folder is gone ({}); it goes on when it is back", none.why);
                return self.halt(Halt::Frozen(why)).await;
            }
            Err(none) => return self.halt(Halt::Silent(none.why)).await,
        };
        let belief = match self.judge(&seen).await {
            Belief::Doubt(_) if thaw => {
                self.ledger.expect_nothing();
                self.sweep_now = true;
                Belief::Same
            }
            belief => belief,
        };
        match belief {
            Belief::Doubt(why) => return self.halt(Halt::Frozen(why)).await,
            Belief::Refusal(why) => {
                self.options.ground.refuse(&why);
                return self.halt(Halt::Frozen(why)).await;
            }
            Belief::Begin if self.ledger.mount().is_some() => {
                tracing::info!(
                    storage = self.options.name,
                    mount = seen.root.mount,
                    "a share was mounted where nothing was; beginning anew"
                );
                if let Err(error) = self.ledger.restart_baseline().await {
                    return self.halt(Halt::Silent(error.to_string())).await;
                }
                self.root = None;
            }
            Belief::Begin | Belief::Same => {}
        }
        if thaw {
            self.ledger.expect_nothing();
            self.sweep_now = true;
        } else if self.is_mass() && !self.counted_enough(&seen).await {
            return;
        }
        if let Err(error) = self.ledger.keep_mount(&seen.root.mount).await {
            return self.halt(Halt::Silent(error.to_string())).await;
        }
        self.next_guard = Instant::now() + ROOT_EVERY;
        let same = |root: &RootSeen| root.is_the_same_as(&seen);
        if !self.root.as_ref().is_some_and(same) || self.halted.is_some() {
            self.believe(seen).await;
        } else {
            let space = seen.space;
            self.board.update(&self.options.name, |state| state.space = space);
        }
    }

    /// What is to be made of a root, after taking note of what we removed ourselves.
    async fn judge(&mut self, seen: &RootSeen) -> Belief {
        let judge =
            |folder: &Self| mount_guard::judge(folder.ledger.mount(), folder.ledger.objects_expected(), &seen.root);
        match judge(self) {
            Belief::Doubt(_) if self.let_go_of_ours().await => judge(self),
            belief => belief,
        }
    }

    /// Takes note of what we removed ourselves; says whether that could be read.
    async fn let_go_of_ours(&mut self) -> bool {
        let read = self.ledger.let_go_of_ours().await;
        if let Err(error) = &read {
            tracing::warn!(storage = self.options.name, %error, "what was removed by ourselves could not be looked up");
        }
        read.is_ok()
    }

    /// The doubt that most objects being gone raises, if it does.
    pub(super) async fn mass(&mut self) -> Option<String> {
        let judge = |folder: &Self| {
            let (before, after) = folder.ledger.before_and_after();
            mount_guard::mass(before, after)
        };
        judge(self)?;
        self.let_go_of_ours().await;
        judge(self)
    }

    fn is_mass(&self) -> bool {
        matches!(&self.halted, Some(Halt::Frozen(why)) if mount_guard::is_mass(why))
    }

    /// Counts how many of the objects that should be there are, and nothing else; says whether it is enough to go on.
    async fn counted_enough(&mut self, seen: &RootSeen) -> bool {
        let began = Instant::now();
        let sieve = self.ledger.begin_census();
        let crawl = Crawl::begin(&self.options.root, "", &self.options.others_within, sieve);
        while !crawl.done() {
            // Dropped: what is new is found again when the storage is believed.
            if let Err(Fault { cause, .. }) = portions::portion(&self.lane, &crawl, self.threads()).await {
                self.halt(Halt::Silent(cause)).await;
                return false;
            }
            if self.board.is_asked(&self.options.name) {
                // A thaw by hand among others: it goes before.
                self.next_guard = Instant::now();
                return false;
            }
        }
        let is_whole = crawl.unseen().failure.is_none() && portions::lies_on(seen);
        match self.mass().await {
            None if is_whole => return true,
            Some(why) => self.halt(Halt::Frozen(why)).await,
            None => {}
        }
        self.next_guard = Instant::now() + COUNT_EVERY.max(began.elapsed());
        false
    }

    /// The storage is there: begin to listen, and scan.
    async fn believe(&mut self, seen: RootSeen) {
        let rules = self.options.settle_rules(seen.file_system);
        self.gathering = Gathering::new(self.options.groups.clone(), rules.interval_ms);
        self.settling = Settling::new(rules);
        self.verifications.clear();
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
        if let Some(halt) = self.halted.take() {
            tracing::info!(storage = self.options.name, ?halt, "the storage is back");
        }
        self.ledger.thaw().await;
        tracing::info!(
            storage = self.options.name,
            watch,
            file_system = seen.file_system,
            mount = seen.root.mount,
            "watching"
        );
        self.options.ground.stands_on(&seen.real, &seen.root.mount);
        self.board.update(&self.options.name, |state| {
            state.watch = watch;
            state.file_system = seen.file_system.to_owned();
            state.space = seen.space;
            state.available = true;
            state.frozen = None;
            state.note = note;
        });
        self.root = Some(seen);
    }

    /// Stops triggering, says why, and looks again soon.
    pub(super) async fn halt(&mut self, halt: Halt) {
        self.next_guard = Instant::now() + DOUBT_EVERY;
        self.settling.clear();
        self.gathering.clear();
        self.verifications.clear();
        self.scans.drop_all();
        self.hints = None;
        let is_news = self.halted.as_ref() != Some(&halt);
        match &halt {
            Halt::Frozen(why) => {
                if is_news {
                    tracing::error!(
                        storage = self.options.name,
                        why,
                        "the storage is frozen: nothing of it is triggered, nothing is forgotten"
                    );
                }
                self.ledger.freeze(why).await;
            }
            Halt::Silent(why) if is_news => {
                tracing::error!(
                    storage = self.options.name,
                    why,
                    "the storage does not answer; it is tried again"
                );
            }
            Halt::Silent(_) => {}
        }
        self.board.update(&self.options.name, |state| {
            state.available = false;
            state.scan = None;
            match &halt {
                Halt::Frozen(why) => {
                    state.frozen = Some(why.clone());
                    state.note = None;
                }
                Halt::Silent(why) => {
                    state.frozen = None;
                    state.note = Some(why.clone());
                }
            }
        });
        self.halted = Some(halt);
    }
}
