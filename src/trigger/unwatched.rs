//! A storage that is not watched: its root is looked at now and then, so that the board tells the truth, and so that
//! nobody writes into the hole that an unmounted share leaves.
//!
//! Guarantees: what it lies on is remembered, across restarts too; a storage that hangs makes its own task wait and
//! nobody else's. Deliberately absent: everything else; nothing of it is listed, scanned or remembered.

use crate::base::wake::Bell;
use crate::objects::lane::Lane;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::trigger::StorageOptions;
use crate::trigger::board::Board;
use crate::trigger::look;
use crate::trigger::look::NoRoot;
use crate::trigger::look::ROOT_EVERY;
use crate::trigger::look::RootSeen;
use crate::trigger::mount_guard;
use crate::trigger::mount_guard::Belief;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between looks while it is in doubt.
const DOUBT_EVERY: Duration = Duration::from_secs(5);

/// The looks at one storage.
pub(super) struct Unwatched {
    options: StorageOptions,
    board: Board,
    asked: Bell,
    store: Store,
    lane: Lane,
    /// Its number in the database and what it lay on; none: not read yet.
    known: Option<(i64, Option<String>)>,
    frozen: Option<String>,
}

impl Unwatched {
    pub(super) fn new(options: StorageOptions, store: Store, board: Board, asked: Bell, lane: Lane) -> Self {
        Unwatched {
            options,
            board,
            asked,
            store,
            lane,
            known: None,
            frozen: None,
        }
    }

    /// Looks until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.serve() => {}
        }
    }

    async fn serve(&mut self) {
        loop {
            let is_well = match self.look().await {
                Ok(is_well) => is_well,
                Err(error) => {
                    tracing::warn!(storage = self.options.name, %error, "what a storage lies on could not be kept");
                    false
                }
            };
            let next = if is_well { ROOT_EVERY } else { DOUBT_EVERY };
            tokio::select! {
                () = tokio::time::sleep(next) => {}
                () = self.asked.wait() => {}
            }
        }
    }

    /// Looks once; says whether everything is well.
    async fn look(&mut self) -> Result<bool, StoreError> {
        let (id, before) = match self.known.take() {
            Some(known) => known,
            None => {
                let row = self.store.enter_storage(&self.options.name).await?;
                self.frozen = row.frozen;
                (row.id, row.mount)
            }
        };
        self.known = Some((id, before.clone()));
        let thaw = self.board.take_asked(&self.options.name).thaw;
        let sentinel = self.options.sentinel.as_deref();
        let seen = look::at_root_in(&self.lane, &self.options.root, sentinel).await;
        let why = match &seen {
            // Nothing of it is counted: only what it lies on can be doubted.
            Ok(seen) => match mount_guard::judge(before.as_deref(), 0, &seen.root) {
                Belief::Same | Belief::Begin => None,
                Belief::Doubt(_) if thaw => None,
                Belief::Doubt(why) => Some(why),
                Belief::Refusal(why) => {
                    self.options.ground.refuse(&why);
                    Some(why)
                }
            },
            Err(NoRoot { gone: true, why }) if before.is_some() => Some(format!("its folder is gone ({why})")),
            Err(_) => None,
        };
        if let (Ok(seen), None) = (&seen, &why) {
            self.options.ground.stands_on(&seen.real, &seen.root.mount);
            if before.as_deref() != Some(&seen.root.mount) {
                self.store.set_mount(id, seen.root.mount.clone()).await?;
                self.known = Some((id, Some(seen.root.mount.clone())));
            }
        }
        if self.frozen != why {
            if let Some(why) = &why {
                tracing::error!(
                    storage = self.options.name,
                    why,
                    "the storage is frozen: nothing is written there"
                );
            }
            self.store.set_frozen(id, why.clone()).await?;
            self.frozen.clone_from(&why);
        }
        let is_well = why.is_none() && seen.is_ok();
        self.show(seen, why);
        Ok(is_well)
    }

    fn show(&self, seen: Result<RootSeen, NoRoot>, frozen: Option<String>) {
        self.board.update(&self.options.name, |state| {
            state.available = seen.is_ok() && frozen.is_none();
            state.note = None;
            match seen {
                Ok(seen) => {
                    state.file_system = seen.file_system.to_owned();
                    state.space = seen.space;
                }
                Err(none) if frozen.is_none() => state.note = Some(none.why),
                Err(_) => {}
            }
            state.frozen = frozen;
        });
    }
}
