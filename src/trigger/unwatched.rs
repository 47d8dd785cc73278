//! A storage that is not watched: its root is looked at now and then, so that the board tells the truth.
//!
//! Guarantees: a storage that hangs makes its own task wait and nobody else's. Deliberately absent: everything else;
//! nothing of it is listed, scanned or remembered.

use crate::objects::lane::Lane;
use crate::trigger::StorageOptions;
use crate::trigger::board::Board;
use crate::trigger::look;
use crate::trigger::look::ROOT_EVERY;
use tokio_util::sync::CancellationToken;

/// The looks at one storage.
pub(super) struct Unwatched {
    options: StorageOptions,
    board: Board,
    lane: Lane,
}

impl Unwatched {
    pub(super) fn new(options: StorageOptions, board: Board, lane: Lane) -> Self {
        Unwatched { options, board, lane }
    }

    /// Looks until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.serve() => {}
        }
    }

    async fn serve(&self) {
        loop {
            let seen = look::at_root_in(&self.lane, &self.options.root).await;
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
            tokio::time::sleep(ROOT_EVERY).await;
        }
    }
}
