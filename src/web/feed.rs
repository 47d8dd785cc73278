//! New events for everybody who listens: read from the table once, however many listen.
//!
//! Guarantees: a listener that asks for what comes after an event gets all of it in order, whether it is remembered
//! here or has to be read; nothing is read while nobody listens. Deliberately absent: who listens, and in which form
//! they are told.

use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::events::StoredEvent;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::watch;

/// Events that are remembered.
const KEPT: usize = 2_000;
/// Events read at once.
const BATCH: usize = 500;
/// Time in which what comes together is read together.
const GATHER: Duration = Duration::from_millis(20);
/// How often it is looked without a change, to see whether anybody listens still.
const IDLE_LOOK: Duration = Duration::from_secs(5);

/// The newest events. Clones share them.
#[derive(Debug, Clone)]
pub struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    kept: Mutex<Kept>,
    newest: watch::Sender<i64>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Without a gap, oldest first.
    events: VecDeque<Arc<StoredEvent>>,
    /// Somebody reads the table for all.
    reading: bool,
}

impl Feed {
    /// Of the events of `store`.
    pub fn new(store: Store) -> Self {
        Feed(Arc::new(Inner {
            store,
            kept: Mutex::default(),
            newest: watch::Sender::new(0),
        }))
    }

    /// Changes whenever there are new events, until it is dropped.
    pub fn listen(&self) -> watch::Receiver<i64> {
        let newest = self.0.newest.subscribe();
        let mut kept = self.kept();
        if !kept.reading {
            kept.reading = true;
            tokio::spawn(read(self.clone()));
        }
        newest
    }

    /// Events after `seq`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// They are not remembered here and cannot be read.
    pub async fn after(&self, seq: i64, limit: usize) -> Result<Vec<Arc<StoredEvent>>, StoreError> {
        if let Some(remembered) = self.remembered(seq, limit) {
            return Ok(remembered);
        }
        let rows = self.0.store.events_after(seq, limit).await?;
        Ok(rows.into_iter().map(Arc::new).collect())
    }

    /// The same from memory; none: it does not reach back so far.
    fn remembered(&self, seq: i64, limit: usize) -> Option<Vec<Arc<StoredEvent>>> {
        let kept = self.kept();
        if kept.events.front()?.seq > seq.saturating_add(1) {
            return None;
        }
        let begin = kept.events.partition_point(|event| event.seq <= seq);
        Some(kept.events.iter().skip(begin).take(limit).cloned().collect())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends reading when nobody listens; says whether it did.
    fn ends(&self) -> bool {
        let mut kept = self.kept();
        if self.0.newest.receiver_count() > 0 {
            return false;
        }
        *kept = Kept::default();
        true
    }

    fn remember(&self, rows: Vec<StoredEvent>) {
        let mut kept = self.kept();
        kept.events.extend(rows.into_iter().map(Arc::new));
        let surplus = kept.events.len().saturating_sub(KEPT);
        kept.events.drain(..surplus);
    }
}

/// Reads what is new for as long as anybody listens.
async fn read(feed: Feed) {
    let store = feed.0.store.clone();
    let mut changed = store.changed();
    let mut last = None;
    while !feed.ends() {
        if let Err(error) = read_on(&feed, &mut last).await {
            // Listeners read for themselves meanwhile.
            tracing::debug!(%error, "new events could not be read for those who listen");
        }
        tokio::time::sleep(GATHER).await;
        tokio::select! {
            changed = changed.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(IDLE_LOOK) => {}
        }
    }
}

async fn read_on(feed: &Feed, last: &mut Option<i64>) -> Result<(), StoreError> {
    let store = &feed.0.store;
    let mut seq = match *last {
        Some(seq) => seq,
        None => store.last_event_seq().await?,
    };
    loop {
        *last = Some(seq);
        let rows = store.events_after(seq, BATCH).await?;
        let Some(newest) = rows.last().map(|row| row.seq) else {
            return Ok(());
        };
        feed.remember(rows);
        feed.0.newest.send_replace(newest);
        seq = newest;
    }
}
