//! Events and progress as they happen: server-sent events.
//!
//! Guarantees: an `event` carries its sequence as its id, so a client that comes back with Last-Event-ID misses none,
//! however long it was away; `progress` has no id and is only about now; a stream ends when its caller's token is
//! revoked or the session ends. Deliberately absent: memory of clients; a stream only knows the last event it told.

use crate::store::events::StoredEvent;
use crate::web::api::events::EventView;
use crate::web::api::task_view::ProgressView;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::ports::Live;
use crate::web::state::WebState;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::Event;
use axum::response::sse::KeepAlive;
use axum::response::sse::Sse;
use futures_util::Stream;
use futures_util::stream;
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::watch;

/// How often the running jobs and the caller's rights are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Silence after which a comment is sent, so that proxies keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events read at once.
const BATCH: usize = 200;

/// How far a job is, as the stream tells it.
#[derive(Serialize)]
struct ProgressEvent<'a> {
    task: &'a str,
    job: &'a str,
    #[serde(flatten)]
    progress: ProgressView,
}

struct Follow {
    state: WebState,
    /// Changes when there are new events.
    news: watch::Receiver<i64>,
    /// When the caller's rights were last looked at.
    checked: Option<Instant>,
    /// Whose token or session the stream was opened with.
    caller: Caller,
    last_seq: i64,
    /// What was told of each running job.
    told: BTreeMap<String, ProgressView>,
    /// Made and not sent yet.
    ready: VecDeque<Event>,
    /// More events are waiting in the table than fitted into one read.
    behind: bool,
    first: bool,
}

/// Events (`event`, with the sequence as id) and progress (`progress`) as they happen. Last-Event-ID resumes.
#[utoipa::path(get, path = "/api/v1/events/stream", tag = "events",
    params(("Last-Event-ID" = Option<i64>, Header, description = "the id of the last event seen; absent: only new ones")),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = "default", body = Problem)))]
pub async fn follow(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let last_seq = match headers.get("last-event-id") {
        Some(value) => value
            .to_str()
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| {
                Problem::bad_request(
                    "BadEventId",
                    "Last-Event-ID is not the id of an event of this stream",
                    "Send the last id you saw, or leave the header out.",
                )
            })?,
        None => state.store.last_event_seq().await?,
    };
    let follow = Follow {
        news: state.feed.listen(),
        checked: None,
        state,
        caller,
        last_seq,
        told: BTreeMap::new(),
        ready: VecDeque::new(),
        behind: true,
        first: true,
    };
    let events = stream::unfold(follow, |mut follow| async move {
        let event = follow.next().await?;
        Some((Ok(event), follow))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

impl Follow {
    /// The next event; none when the program stops, the caller may come in no more or the database cannot be read: the client
    /// comes back by itself.
    async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.first) {
            // Tells where to resume before anything has happened.
            return Some(Event::default().id(self.last_seq.to_string()).event("hello").data("{}"));
        }
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if !self.behind {
                tokio::select! {
                    () = self.state.stopping.cancelled() => return None,
                    _ = self.news.changed() => {}
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            }
            // A stream may be open for weeks, and whoever revokes a token expects it to end now.
            if self.checked.is_none_or(|checked| checked.elapsed() >= LOOK_EVERY) {
                match self.caller.is_good(&self.state).await {
                    Ok(true) => self.checked = Some(Instant::now()),
                    Ok(false) => return None,
                    Err(error) => {
                        tracing::warn!(%error, "an event stream ends because its caller cannot be looked up");
                        return None;
                    }
                }
            }
            let rows = match self.state.feed.after(self.last_seq, BATCH).await {
                Ok(rows) => rows,
                Err(error) => {
                    tracing::warn!(%error, "an event stream ends because the events cannot be read");
                    return None;
                }
            };
            self.behind = rows.len() == BATCH;
            for row in rows {
                self.last_seq = row.seq;
                self.ready.extend(event_of(&row));
            }
            if !self.behind {
                let running = self.state.progress.running();
                self.tell_progress(&running);
            }
        }
    }

    /// Makes an event of every job whose progress changed since it was told.
    fn tell_progress(&mut self, running: &[Live]) {
        let mut told = BTreeMap::new();
        for live in running {
            let progress = ProgressView::from(live);
            if self.told.get(live.job.as_str()) != Some(&progress) {
                let event = ProgressEvent {
                    task: live.task.as_str(),
                    job: live.job.as_str(),
                    progress: progress.clone(),
                };
                self.ready.extend(Event::default().event("progress").json_data(&event));
            }
            told.insert(live.job.as_str().to_owned(), progress);
        }
        self.told = told;
    }
}

fn event_of(row: &StoredEvent) -> Option<Event> {
    let seq = row.seq.to_string();
    Event::default()
        .id(seq)
        .event("event")
        .json_data(EventView::from(row.clone()))
        .ok()
}
