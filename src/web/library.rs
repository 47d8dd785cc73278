//! What the library does by itself: files of media that are to go are removed, and rows are entered into the search.
//!
//! Guarantees: a deletion that was begun is done or given up with an event, across any death; a file goes only while it
//! is what it was when the library learned of it, only out of a registered storage, and only after its tasks ended;
//! what cannot be removed is tried again, then told. Deliberately absent: who may ask (`api::media_deletion`), and what
//! goes (`store::library::deletions`).

use crate::base::backoff;
use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::wake::Bells;
use crate::objects::uri::ObjectUri;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::library::deletions::DeletionRow;
use crate::store::library::deletions::DoomedFile;
use crate::store::library::deletions::Part;
use crate::web::ports::ObjectAccess;
use crate::web::ports::ObjectWriter;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often it looks without being rung.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Deletions of one look, and how many at once: a storage that hangs holds up its own alone.
const LOOK: u32 = 64;
const AT_ONCE: usize = 4;
/// Tries before a deletion is given up.
const TRIES: u32 = 6;
/// Between two tries, milliseconds: the first and the longest wait.
const WAIT_MS: (i64, i64) = (500, 20_000);
/// While its tasks still run.
const TASKS_WAIT_MS: i64 = 500;
/// Rows entered into the search in one transaction: some 10 ms of the writer.
const ENTERED_AT_ONCE: u32 = 256;

/// The keeper, not yet running.
#[derive(Clone)]
pub struct Library {
    store: Store,
    bells: Bells,
    objects: Arc<dyn ObjectAccess>,
    writer: Arc<dyn ObjectWriter>,
}

impl Library {
    /// A keeper of the library in `store`.
    pub fn new(store: Store, bells: Bells, objects: Arc<dyn ObjectAccess>, writer: Arc<dyn ObjectWriter>) -> Self {
        Library {
            store,
            bells,
            objects,
            writer,
        }
    }

    /// Works until `stop`. What is half done then is done after the next start.
    pub async fn run(self, stop: CancellationToken) {
        let enter = self.clone().enter_rows(stop.clone());
        let delete = self.delete_media(stop);
        tokio::join!(enter, delete);
    }

    /// Enters rows into the search, at most half of the time: intake goes first.
    async fn enter_rows(self, stop: CancellationToken) {
        loop {
            let begun = Instant::now();
            let wait = match self.store.index_some(ENTERED_AT_ONCE).await {
                Ok(0) => LOOK_EVERY,
                Ok(_) => begun.elapsed().max(Duration::from_millis(5)),
                Err(error) => {
                    tracing::error!(%error, "rows could not be entered into the search; trying again");
                    LOOK_EVERY
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn delete_media(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let more = tokio::select! {
                more = self.delete_due() => more,
                () = stop.cancelled() => return,
            };
            if more {
                continue;
            }
            tokio::select! {
                () = self.bells.library.wait_at_most(LOOK_EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Carries out what is due; says whether something may be due right now.
    async fn delete_due(&self) -> bool {
        use futures_util::StreamExt;
        let due = match self.store.deletions_due(UtcMs::now(), LOOK).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "deletions could not be read; trying again");
                return false;
            }
        };
        let count = due.len();
        let went = futures_util::stream::iter(due)
            .map(|row| async move {
                let answer = self.delete(&row).await;
                if let Err(error) = &answer {
                    tracing::error!(media = %row.media, %error, "a deletion cannot use the database; trying again");
                }
                answer.is_ok()
            })
            .buffer_unordered(AT_ONCE)
            .all(std::future::ready)
            .await;
        if count > 0 {
            self.bells.callback.ring();
        }
        went && count >= LOOK as usize
    }

    async fn delete(&self, row: &DeletionRow) -> Result<(), StoreError> {
        let mut remains = self.store.remains(row).await?;
        if remains.running {
            let next = UtcMs::now().plus_ms(TASKS_WAIT_MS);
            return self.store.put_off_deletion(&row.media, false, next).await;
        }
        let mut fault = None;
        while !remains.outputs.is_empty() {
            for (output, main) in std::mem::take(&mut remains.outputs) {
                let files = self.store.doomed_files(&output).await?;
                match self.remove_all(&files).await? {
                    Ok(()) => {
                        self.store
                            .part_gone(&row.media, Part::Output(output), Some(main))
                            .await?
                    }
                    Err(refused) => fault = Some(refused),
                }
            }
            // An output that stays would be found again and again.
            if fault.is_none() {
                remains.outputs = self.store.remains(row).await?.outputs;
            }
        }
        for (addition, file) in remains.additions {
            match self.remove_all(std::slice::from_ref(&file)).await? {
                Ok(()) => {
                    self.store
                        .part_gone(&row.media, Part::Addition(addition), Some(file.object))
                        .await?
                }
                Err(refused) => fault = Some(refused),
            }
        }
        // Of a source of several files the one that stands for all goes after the others.
        if fault.is_none()
            && !remains.members.is_empty()
            && let Err(refused) = self.remove_all(&remains.members).await?
        {
            fault = Some(refused);
        }
        // The source last: as long as anything of a media could not be removed, it can still be told by its source.
        if let (Some(source), None) = (remains.source, &fault) {
            match self.remove(&source).await? {
                Ok(true) => {
                    self.store
                        .part_gone(&row.media, Part::Source, Some(source.object))
                        .await?
                }
                Ok(false) => {}
                Err(refused) => fault = Some(refused),
            }
        }
        self.conclude(row, fault).await
    }

    async fn conclude(&self, row: &DeletionRow, fault: Option<Fault>) -> Result<(), StoreError> {
        let now = UtcMs::now();
        let media = &row.media;
        match fault {
            Some(fault) if fault.retryable && row.tries + 1 < TRIES => {
                tracing::warn!(%media, %fault, "a file of a media could not be removed; trying again");
                let wait_ms = backoff::delay_ms(row.tries + 1, WAIT_MS.0, WAIT_MS.1);
                self.store.put_off_deletion(media, true, now.plus_ms(wait_ms)).await
            }
            fault => {
                match &fault {
                    Some(fault) => tracing::warn!(%media, %fault, "a deletion was given up"),
                    None => tracing::info!(%media, what = row.what.as_str(), "deleted"),
                }
                let failed = fault.is_some();
                if !self.store.end_deletion(media, fault, now).await? && !failed {
                    // A task began meanwhile: its outputs go too.
                    let next = now.plus_ms(TASKS_WAIT_MS);
                    return self.store.put_off_deletion(media, false, next).await;
                }
                Ok(())
            }
        }
    }

    /// Removes files of one part; the first refusal is the answer, after all of them were tried.
    async fn remove_all(&self, files: &[DoomedFile]) -> Result<Result<(), Fault>, StoreError> {
        let objects: Vec<ObjectUri> = files.iter().map(|file| file.object.clone()).collect();
        self.store.let_go(objects, UtcMs::now()).await?;
        let mut refused = None;
        for file in files {
            if let Err(fault) = take(self.objects.as_ref(), self.writer.as_ref(), file).await {
                refused.get_or_insert(fault);
            }
        }
        Ok(refused.map_or(Ok(()), Err))
    }

    /// Removes one file; says whether it was there.
    async fn remove(&self, file: &DoomedFile) -> Result<Result<bool, Fault>, StoreError> {
        self.store.let_go(vec![file.object.clone()], UtcMs::now()).await?;
        Ok(take(self.objects.as_ref(), self.writer.as_ref(), file).await)
    }
}

/// Removes a file unless something else stands under its name by now; says whether it did. Empty folders of a set go with
/// it; the folder that a file was put into stays.
///
/// # Errors
/// The storage does not answer or refuses.
pub async fn take(objects: &dyn ObjectAccess, writer: &dyn ObjectWriter, file: &DoomedFile) -> Result<bool, Fault> {
    let Some(head) = objects.head(&file.object).await? else {
        return Ok(false);
    };
    let etag = file.etag.as_deref().filter(|etag| !etag.is_empty());
    let same = head.size_bytes == file.size_bytes
        && file.mtime_ns.is_none_or(|mtime_ns| mtime_ns == head.mtime_ns)
        && etag.is_none_or(|etag| etag == head.etag);
    if !same {
        tracing::info!(object = %file.object, "something else stands there by now, and stays");
        return Ok(false);
    }
    writer.remove(&file.object, &file.keep).await
}
