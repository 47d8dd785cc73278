//! Pulls: which are fetched, when a failed one is tried again, and their end.
//!
//! Guarantees: a pull that brought a good piece is not given up for the count of its tries; one that somebody ended is
//! stopped; a stop of the daemon counts no try. Deliberately absent: fetching.

use crate::base::backoff;
use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::JobId;
use crate::executor::pull::Broken;
use crate::executor::pull::Came;
use crate::executor::pull::PullOrder;
use crate::objects::incoming::Incoming;
use crate::scheduler::inlet::InletOptions;
use crate::scheduler::inlet::Shared;
use crate::scheduler::inlet::gone;
use crate::scheduler::inlet::landing;
use crate::scheduler::inlet::locked;
use crate::store::error::StoreError;
use crate::store::media::type_by_name;
use crate::store::pulls::Fetched;
use crate::store::pulls::PullRow;
use crate::store::pulls::Request;
use crate::store::pulls::seal_purpose;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

/// A try that brought so much begins the count of tries anew.
const GOOD_PIECE_BYTES: u64 = 1 << 20;

/// Stops what somebody ended, begins what is due; when the next one is.
pub(super) async fn run(
    shared: &Arc<Shared>,
    driven: &mut JoinSet<()>,
    now: UtcMs,
) -> Result<Option<UtcMs>, StoreError> {
    let running: Vec<JobId> = locked(&shared.fetching).keys().cloned().collect();
    let free = shared.options.pulls.saturating_sub(running.len());
    for id in shared.store.pulls_ended(running).await? {
        if let Some(stop) = locked(&shared.fetching).get(&id) {
            stop.cancel();
        }
    }
    if free == 0 {
        // The end of one rings.
        return Ok(None);
    }
    for row in shared.store.take_pulls(now, free).await? {
        let stop = CancellationToken::new();
        locked(&shared.fetching).insert(row.id.clone(), stop.clone());
        let shared = Arc::clone(shared);
        driven.spawn(async move {
            let id = row.id.clone();
            drive(&shared, row, &stop).await;
            locked(&shared.fetching).remove(&id);
            shared.bells.inlet.ring();
        });
    }
    shared.store.next_pull_at().await
}

/// Brings one pull as far as it comes now.
async fn drive(shared: &Shared, row: PullRow, stop: &CancellationToken) {
    let id = row.id.clone();
    let mut file = Incoming {
        id: id.as_str().to_owned(),
        object: row.object.clone(),
        pieces: row.pieces.clone(),
    };
    // Planned: it is whole, and a daemon died while it was given its name.
    if row.mtime_ns.is_none() {
        match fetch(shared, &row, &file, stop).await {
            Ok(came) => {
                file.pieces.clone_from(&came.pieces);
                if let Err(error) = shared.store.pull_received(&id, fetched(&came)).await {
                    return unkept(shared, &row, &file, error).await;
                }
            }
            Err(broken) => {
                file.pieces.clone_from(&broken.came.pieces);
                return broke(shared, &row, &file, *broken).await;
            }
        }
    }
    land(shared, &row, file).await;
}

async fn fetch(shared: &Shared, row: &PullRow, file: &Incoming, stop: &CancellationToken) -> Result<Came, Box<Broken>> {
    let came = Came {
        received_bytes: row.received_bytes,
        size_bytes: row.size_bytes,
        validator: row.validator.clone(),
        pieces: row.pieces.clone(),
    };
    let request = match open(shared, row) {
        Ok(request) => request,
        Err(fault) => {
            return Err(Box::new(Broken {
                fault,
                came,
                went_on: false,
                retry_after: None,
                stopped: false,
            }));
        }
    };
    let (url, headers) = request;
    let order = PullOrder {
        named_media: type_by_name(&row.object.key).is_some() || type_by_name(url.path()).is_some(),
        file: file.clone(),
        url,
        headers,
        shown: row.url.clone(),
        came,
    };
    let (news, mut heard) = mpsc::channel::<Came>(4);
    let keeping = async {
        while let Some(came) = heard.recv().await {
            match shared.store.pull_received(&row.id, fetched(&came)).await {
                Ok(()) => {}
                // Somebody ended it.
                Err(StoreError::Conflict(_)) => stop.cancel(),
                Err(error) => tracing::warn!(pull = %row.id, %error, "what came of a pull cannot be kept now"),
            }
        }
    };
    let fetching = async {
        let ended = shared.puller.fetch(&order, &news, stop).await;
        drop(news);
        ended
    };
    let (ended, ()) = tokio::join!(fetching, keeping);
    ended
}

/// The address and headers of a pull.
fn open(shared: &Shared, row: &PullRow) -> Result<(Url, Vec<(String, String)>), Fault> {
    let unreadable = || {
        Fault::new(
            "SealUnreadable",
            Blame::Request,
            "fetch",
            row.url.as_str(),
            "its address and headers were sealed with another key",
            "Ask for it again; put seal.key back into the state directory when a database is restored.",
        )
    };
    let text = shared
        .sealer
        .open(&seal_purpose(&row.id), &row.request)
        .ok_or_else(unreadable)?;
    let request: Request = serde_json::from_str(&text).map_err(|_| unreadable())?;
    let url = Url::parse(&request.url).map_err(|_| unreadable())?;
    Ok((url, request.headers))
}

/// A try did not bring the whole file.
async fn broke(shared: &Shared, row: &PullRow, file: &Incoming, broken: Broken) {
    let id = &row.id;
    if let Err(error) = shared.store.pull_received(id, fetched(&broken.came)).await {
        return unkept(shared, row, file, error).await;
    }
    let now = UtcMs::now();
    let kept = if broken.stopped {
        shared.store.delay_pull(id, row.tries, now, None).await
    } else {
        match next_try(&shared.options, row, &broken) {
            Some((tries, wait_ms)) => {
                tracing::info!(pull = %id, fault = %broken.fault, tries, wait_ms, "a pull is tried again");
                shared
                    .store
                    .delay_pull(id, tries, now.plus_ms(wait_ms), Some(&broken.fault))
                    .await
            }
            None => {
                return fail(shared, row, file, &broken.fault).await;
            }
        }
    };
    if let Err(error) = kept {
        unkept(shared, row, file, error).await;
    }
}

/// How often it failed in a row by now, and how long the next try waits; none: it has failed.
fn next_try(options: &InletOptions, row: &PullRow, broken: &Broken) -> Option<(u32, i64)> {
    if !broken.fault.retryable {
        return None;
    }
    let more = broken.came.received_bytes.saturating_sub(row.received_bytes);
    let good_piece = match broken.came.size_bytes {
        Some(size_bytes) => GOOD_PIECE_BYTES.max(size_bytes / 100),
        None => GOOD_PIECE_BYTES,
    };
    // A server that always begins anew brings the same piece each time.
    let went_on = broken.went_on && more >= good_piece;
    let tries = if went_on { 1 } else { row.tries.saturating_add(1) };
    if tries >= options.pull_tries {
        return None;
    }
    let wait_ms = backoff::delay_ms(tries, options.first_ms, options.ceiling_ms);
    let asked_ms = broken
        .retry_after
        .map_or(0, |wait: Duration| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
    Some((tries, wait_ms.max(asked_ms)))
}

async fn land(shared: &Shared, row: &PullRow, file: Incoming) {
    let id = &row.id;
    let whole = landing::Whole {
        file,
        // The size of the file itself counts: what the server said was compared when it came.
        size_bytes: row.mtime_ns.and(row.size_bytes.or(Some(row.received_bytes))),
        mtime_ns: row.mtime_ns,
        on_conflict: row.on_conflict,
        digest: row.digest.as_deref(),
    };
    let (store, planned) = (shared.store.clone(), id.clone());
    let plan = move |key: String, mtime_ns: i64| -> BoxFuture<'static, Result<(), StoreError>> {
        let (store, id) = (store.clone(), planned.clone());
        Box::pin(async move { store.plan_pull(&id, &key, mtime_ns).await })
    };
    match landing::give_name(&shared.landings, &whole, &plan).await {
        Ok(source) => match shared.store.end_pull(id, source.clone(), UtcMs::now()).await {
            Ok(became) => {
                tracing::info!(pull = %id, object = %source.object, media = %became.media, "a pull landed");
                shared.told();
            }
            Err(StoreError::NotFound { noun, id: missing }) => {
                fail(shared, row, &whole.file, &gone(&source.object, noun, &missing)).await;
            }
            Err(error) => unkept(shared, row, &whole.file, error).await,
        },
        Err(landing::Unlanded::Refused(fault)) if fault.retryable => {
            let wait_ms = backoff::delay_ms(
                row.tries.saturating_add(1),
                shared.options.first_ms,
                shared.options.ceiling_ms,
            );
            tracing::warn!(pull = %id, %fault, wait_ms, "a whole pull cannot get its name now; tried again");
            let tries = row.tries.saturating_add(1);
            let next_at = UtcMs::now().plus_ms(wait_ms);
            if let Err(error) = shared.store.delay_pull(id, tries, next_at, Some(&fault)).await {
                unkept(shared, row, &whole.file, error).await;
            }
        }
        Err(landing::Unlanded::Refused(fault)) => fail(shared, row, &whole.file, &fault).await,
        Err(landing::Unlanded::Store(error)) => unkept(shared, row, &whole.file, error).await,
    }
}

async fn fail(shared: &Shared, row: &PullRow, file: &Incoming, fault: &Fault) {
    tracing::warn!(pull = %row.id, %fault, "a pull failed");
    match shared.store.fail_pull(&row.id, fault, UtcMs::now()).await {
        Ok(()) => {
            // What a retry cannot use need not take room.
            if !fault.retryable {
                shared.landings.discard(file).await;
            }
            shared.told();
        }
        Err(error) => unkept(shared, row, file, error).await,
    }
}

/// The row does not take it: somebody ended the pull meanwhile, or the database is ill and a later turn does it again.
async fn unkept(shared: &Shared, row: &PullRow, file: &Incoming, error: StoreError) {
    if let StoreError::Conflict(why) = &error {
        tracing::debug!(pull = %row.id, why, "a pull was ended while it was fetched");
        shared.landings.discard(file).await;
        return;
    }
    tracing::error!(pull = %row.id, %error, "the database does not take what became of a pull; trying again");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let later = UtcMs::now().plus_ms(shared.options.first_ms);
    if let Err(error) = shared.store.delay_pull(&row.id, row.tries, later, None).await {
        tracing::error!(pull = %row.id, %error, "a pull goes on after the next start");
    }
}

fn fetched(came: &Came) -> Fetched {
    Fetched {
        received_bytes: came.received_bytes,
        size_bytes: came.size_bytes,
        validator: came.validator.clone(),
        pieces: came.pieces.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::next_try;
    use crate::base::clock::UtcMs;
    use crate::base::fault::Blame;
    use crate::base::fault::Fault;
    use crate::executor::pull::Broken;
    use crate::executor::pull::Came;
    use crate::objects::uri::ObjectUri;
    use crate::scheduler::inlet::InletOptions;
    use crate::store::admission::Wanted;
    use crate::store::pulls::PullRow;
    use crate::store::pulls::PullState;
    use crate::workflow::resolved::OnConflict;
    use std::time::Duration;

    fn row(tries: u32, received_bytes: u64) -> PullRow {
        PullRow {
            id: "1".into(),
            url: "http://example.com/a.mp4".to_owned(),
            request: String::new(),
            object: ObjectUri::new("nas", "a.mp4"),
            on_conflict: OnConflict::Version,
            state: PullState::Fetching,
            tries,
            next_at: UtcMs(0),
            received_bytes,
            size_bytes: None,
            validator: None,
            digest: None,
            mtime_ns: None,
            pieces: None,
            wanted: Wanted::media(),
            became: None,
            fault: None,
            who: "somebody".to_owned(),
            created_at: UtcMs(0),
            ended_at: None,
        }
    }

    fn broken(blame: Blame, received_bytes: u64, went_on: bool) -> Broken {
        Broken {
            fault: Fault::new("PullCut", blame, "fetch", "it", "why", "What."),
            came: Came {
                received_bytes,
                size_bytes: Some(1 << 30),
                validator: None,
                pieces: None,
            },
            went_on,
            retry_after: None,
            stopped: false,
        }
    }

    #[test]
    fn a_good_piece_begins_the_count_anew_and_a_repeated_one_does_not() {
        let options = InletOptions::default();
        let again = |row: &PullRow, broken: &Broken| next_try(&options, row, broken).map(|(tries, _)| tries);
        assert_eq!(again(&row(6, 0), &broken(Blame::Host, 0, true)), Some(7));
        assert_eq!(again(&row(7, 0), &broken(Blame::Host, 0, true)), None);
        assert_eq!(again(&row(7, 0), &broken(Blame::Host, 100 << 20, true)), Some(1));
        assert_eq!(
            again(&row(7, 50 << 20), &broken(Blame::Host, 51 << 20, true)),
            None,
            "not good enough"
        );
        assert_eq!(
            again(&row(7, 50 << 20), &broken(Blame::Host, 90 << 20, false)),
            None,
            "from its begin again"
        );
        assert_eq!(again(&row(0, 0), &broken(Blame::Source, 100 << 20, true)), None);
    }

    #[test]
    fn the_server_may_ask_for_a_longer_wait() {
        let options = InletOptions::default();
        let mut busy = broken(Blame::Host, 0, true);
        assert_eq!(next_try(&options, &row(0, 0), &busy), Some((1, 2_000)));
        busy.retry_after = Some(Duration::from_secs(90));
        assert_eq!(next_try(&options, &row(0, 0), &busy), Some((1, 90_000)));
        assert_eq!(next_try(&options, &row(6, 0), &busy), Some((7, 128_000)));
    }
}
