//! Deliveries of events: lists, one with its tries, and sending again.
//!
//! Guarantees: a replay carries the same event id; keys of destinations are never shown. Deliberately absent: sending.

use crate::base::clock::UtcMs;
use crate::base::ids::DeliveryId;
use crate::base::ids::EventId;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::store::delivery_list::DeliveryFilter;
use crate::store::delivery_list::DeliveryRow;
use crate::store::delivery_list::TryRow;
use crate::web::api::events::event_type;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// One delivery: one event to one destination.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// Id.
    pub id: String,
    /// When it was made.
    pub created_at: String,
    /// pending, done or dead.
    pub status: String,
    /// The event it tells.
    pub event: String,
    /// Its type.
    pub event_type: String,
    /// Its task.
    pub task: String,
    /// Name of the destination, or the address of an inline one.
    pub destination: String,
    /// X-Reelmill-Event-Seq: its place among the events of its task to this destination.
    pub seq: i64,
    /// Tries since it was made or last sent again.
    pub tries: u32,
    /// How often it was sent again by hand.
    pub replays: u32,
    /// Earliest next try; none: it ended, or waits behind an earlier one of its task.
    pub next_try_at: Option<String>,
    /// HTTP status of the last try.
    pub last_status: Option<u16>,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was accepted or given up.
    pub ended_at: Option<String>,
}

impl From<DeliveryRow> for DeliveryView {
    fn from(row: DeliveryRow) -> Self {
        DeliveryView {
            id: row.id.into_string(),
            created_at: row.created.wire(),
            status: row.state,
            event: row.event.into_string(),
            event_type: row.event_type,
            task: row.task.into_string(),
            destination: row.inline_url.unwrap_or(row.destination),
            seq: row.seq,
            tries: row.tries,
            replays: row.replays,
            next_try_at: row.next.map(UtcMs::wire),
            last_status: row.last_status,
            last_error: row.last_error,
            ended_at: row.ended.map(UtcMs::wire),
        }
    }
}

/// One try of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct TryView {
    /// From 1, over all sendings.
    number: u32,
    /// When it ended.
    at: String,
    /// How long it took.
    took_ms: i64,
    /// HTTP status; none: there was no answer.
    status: Option<u16>,
    /// Why it failed; none: accepted.
    error: Option<String>,
    /// First bytes of the answer.
    answer: Option<String>,
}

impl From<TryRow> for TryView {
    fn from(row: TryRow) -> Self {
        TryView {
            number: row.number,
            at: row.at.wire(),
            took_ms: row.took_ms,
            status: row.status,
            error: row.error,
            answer: row.answer,
        }
    }
}

/// A delivery with every try.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryDetailView {
    /// The delivery.
    #[serde(flatten)]
    delivery: DeliveryView,
    /// Its tries, first to last.
    history: Vec<TryView>,
}

/// Which deliveries, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// pending, done or dead.
    status: Option<String>,
    /// Only those to this destination.
    destination: Option<String>,
    /// Only those of this task.
    task: Option<String>,
    /// Only those of events of this media.
    media: Option<String>,
    /// Only those of this event.
    event: Option<String>,
    /// Only those of events of this type, as WorkflowTaskComplete.
    event_type: Option<String>,
    /// Only those made at this time or later, as 2026-01-02T03:04:05Z.
    since: Option<String>,
    /// Only those made before this time.
    until: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Which deliveries to send again; dead ones when no status is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// done or dead.
    status: Option<String>,
    /// Only those to this destination.
    destination: Option<String>,
    /// Only those of this task.
    task: Option<String>,
    /// Only those of this event.
    event: Option<String>,
    /// Only those of events of this type.
    event_type: Option<String>,
    /// Only those made at this time or later.
    since: Option<String>,
    /// Only those made before this time.
    until: Option<String>,
}

/// Which dead letters to discard.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardRequest {
    /// Only those to this destination.
    destination: Option<String>,
    /// Only those of this task.
    task: Option<String>,
    /// Only those of this event.
    event: Option<String>,
    /// Only those of events of this type.
    event_type: Option<String>,
    /// Only those made at this time or later.
    since: Option<String>,
    /// Only those made before this time.
    until: Option<String>,
}

/// What a bulk discard reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiscardAnswer {
    /// Dead letters that were discarded; at most 10 000 a call.
    deliveries: u64,
}

/// What a bulk replay reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayAnswer {
    /// Deliveries that will be sent again; at most 10 000 a call.
    deliveries: u64,
}

/// Filters as they come in.
struct Filters {
    status: Option<String>,
    destination: Option<String>,
    task: Option<String>,
    media: Option<String>,
    event: Option<String>,
    event_type: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

fn filter(given: Filters) -> Answer<DeliveryFilter> {
    if let Some(word) = given
        .status
        .as_deref()
        .filter(|word| !["pending", "done", "dead"].contains(word))
    {
        return Err(Problem::bad_request(
            "BadStatus",
            format!("there is no delivery status {word}"),
            "Use pending, done or dead.",
        ));
    }
    let time = |text: Option<String>| match text {
        None => Ok(None),
        Some(text) => match UtcMs::parse_wire(&text) {
            Some(at) => Ok(Some(at)),
            None => Err(Problem::bad_request(
                "BadTime",
                format!("{text:?} is no time"),
                "Write it as 2026-01-02T03:04:05Z.",
            )),
        },
    };
    Ok(DeliveryFilter {
        state: given.status,
        destination: given.destination,
        task: given.task.map(TaskId::from),
        media: given.media.map(MediaId::from),
        event: given.event.map(EventId::from),
        event_type: given.event_type.as_deref().map(event_type).transpose()?,
        since: time(given.since)?,
        until: time(given.until)?,
    })
}

/// The deliveries of a task, newest first.
pub async fn of_task(state: &WebState, task: &TaskId, limit: usize) -> Answer<Vec<DeliveryView>> {
    let of_task = DeliveryFilter {
        task: Some(task.clone()),
        ..DeliveryFilter::default()
    };
    let rows = state.store.deliveries(of_task, None, limit).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The deliveries of events of a media, newest first.
pub async fn of_media(state: &WebState, media: &MediaId, limit: usize) -> Answer<Vec<DeliveryView>> {
    let of_media = DeliveryFilter {
        media: Some(media.clone()),
        ..DeliveryFilter::default()
    };
    let rows = state.store.deliveries(of_media, None, limit).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// List deliveries, newest first.
#[utoipa::path(get, path = "/api/v1/deliveries", tag = "deliveries", params(ListQuery),
    responses((status = 200, body = Page<DeliveryView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<DeliveryView>>> {
    let wanted = Wanted::read("deliveries", query.limit, query.cursor.as_deref())?;
    let filter = filter(Filters {
        status: query.status,
        destination: query.destination,
        task: query.task,
        media: query.media,
        event: query.event,
        event_type: query.event_type,
        since: query.since,
        until: query.until,
    })?;
    let before = wanted.after.clone().map(DeliveryId::from);
    let rows = state.store.deliveries(filter, before, wanted.rows()).await?;
    Ok(Json(wanted.page(
        "deliveries",
        rows,
        |row| row.id.as_str().to_owned(),
        Into::into,
    )))
}

/// One delivery with every try.
#[utoipa::path(get, path = "/api/v1/deliveries/{id}", tag = "deliveries", params(("id" = String, Path,)),
    responses((status = 200, body = DeliveryDetailView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<DeliveryDetailView>> {
    let id = DeliveryId::from(id);
    let delivery = state.store.delivery(&id).await?.into();
    let history = state.store.delivery_tries(&id).await?;
    Ok(Json(DeliveryDetailView {
        delivery,
        history: history.into_iter().map(Into::into).collect(),
    }))
}

/// Send a delivery again that was accepted or given up.
#[utoipa::path(post, path = "/api/v1/deliveries/{id}/replay", tag = "deliveries", params(("id" = String, Path,)),
    responses((status = 202, body = DeliveryView), (status = "default", body = Problem)))]
pub async fn replay(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<(StatusCode, Json<DeliveryView>)> {
    let id = DeliveryId::from(id);
    let row = state.store.replay_delivery(&id, UtcMs::now()).await?;
    state.bells.callback.ring();
    state.audit(&caller, "delivery.replay", id.as_str()).await;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

/// Send every delivery again that the filters find.
#[utoipa::path(post, path = "/api/v1/deliveries/replay", tag = "deliveries", request_body = ReplayRequest,
    responses((status = 202, body = ReplayAnswer), (status = "default", body = Problem)))]
pub async fn replay_many(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<ReplayRequest>,
) -> Answer<(StatusCode, Json<ReplayAnswer>)> {
    let filter = filter(Filters {
        status: request.status,
        destination: request.destination,
        task: request.task,
        media: None,
        event: request.event,
        event_type: request.event_type,
        since: request.since,
        until: request.until,
    })?;
    let count = state.store.replay_deliveries(filter, UtcMs::now()).await?;
    state.bells.callback.ring();
    state
        .audit(&caller, "delivery.replay", &format!("{count} deliveries"))
        .await;
    let deliveries = u64::try_from(count).unwrap_or(u64::MAX);
    Ok((StatusCode::ACCEPTED, Json(ReplayAnswer { deliveries })))
}

/// Take a dead letter off the list. It counts as done from then on, with a note, and can still be replayed.
#[utoipa::path(post, path = "/api/v1/deliveries/{id}/discard", tag = "deliveries", params(("id" = String, Path,)),
    responses((status = 200, body = DeliveryView), (status = "default", body = Problem)))]
pub async fn discard(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<Json<DeliveryView>> {
    let id = DeliveryId::from(id);
    state.store.discard_delivery(&id).await?;
    state.audit(&caller, "delivery.discard", id.as_str()).await;
    Ok(Json(state.store.delivery(&id).await?.into()))
}

/// Take every dead letter off the list that the filters find.
#[utoipa::path(post, path = "/api/v1/deliveries/discard", tag = "deliveries", request_body = DiscardRequest,
    responses((status = 200, body = DiscardAnswer), (status = "default", body = Problem)))]
pub async fn discard_many(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<DiscardRequest>,
) -> Answer<Json<DiscardAnswer>> {
    let filter = filter(Filters {
        media: None,
        status: None,
        destination: request.destination,
        task: request.task,
        event: request.event,
        event_type: request.event_type,
        since: request.since,
        until: request.until,
    })?;
    let count = state.store.discard_deliveries(filter).await?;
    state
        .audit(&caller, "delivery.discard", &format!("{count} deliveries"))
        .await;
    Ok(Json(DiscardAnswer {
        deliveries: u64::try_from(count).unwrap_or(u64::MAX),
    }))
}
