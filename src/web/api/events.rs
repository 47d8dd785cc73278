//! Events as a list, and one.
//!
//! Guarantees: what is shown is the fact itself, in our own words. Deliberately absent: wire profiles, which belong to
//! deliveries; the stream (`stream`).

use crate::base::ids::EventId;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::events::event_type::EventType;
use crate::store::events::EventFilter;
use crate::store::events::StoredEvent;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// One event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView {
    /// Id, the same in every delivery of it.
    pub id: String,
    /// When it became true.
    pub created_at: String,
    /// Order of commit; the id of the event in the stream.
    pub seq: i64,
    /// Its name, `WorkflowTaskComplete`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its task; none: it happened outside of any.
    pub task: Option<String>,
    /// Its media; none: it is about the installation itself.
    pub media: Option<String>,
    /// Its job; none for facts of the task.
    pub job: Option<String>,
    /// All of it.
    pub body: Value,
}

impl From<StoredEvent> for EventView {
    fn from(stored: StoredEvent) -> Self {
        // An event is plain data that was read from JSON, so it can be written as JSON.
        let body = serde_json::to_value(&stored.event).unwrap_or(Value::Null);
        let event = stored.event;
        EventView {
            seq: stored.seq,
            created_at: event.at.wire(),
            kind: event.event_type().as_str().to_owned(),
            id: event.id.into_string(),
            task: event.task.map(|task| task.id.into_string()),
            media: event.media.map(|media| media.id.into_string()),
            job: event.job.map(|job| job.id.into_string()),
            body,
        }
    }
}

/// Which events, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those of this type.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only those of this task.
    task: Option<String>,
    /// Only those of this media.
    media: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// List events, newest first.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(ListQuery),
    responses((status = 200, body = Page<EventView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<EventView>>> {
    let wanted = Wanted::read("events", query.limit, query.cursor.as_deref())?;
    let before = wanted.after.as_deref().and_then(|key| key.parse().ok());
    let filter = EventFilter {
        event_type: query.kind.as_deref().map(event_type).transpose()?,
        task: query.task.map(TaskId::from),
        media: query.media.map(MediaId::from),
    };
    let rows = state.store.events(filter, before, wanted.rows()).await?;
    Ok(Json(wanted.page("events", rows, |row| row.seq.to_string(), Into::into)))
}

/// The type of this name. A name that is misspelt is refused: an empty list would say that nothing of it ever happened.
pub(super) fn event_type(word: &str) -> Answer<EventType> {
    EventType::parse(word).ok_or_else(|| {
        let known: Vec<&str> = EventType::ALL.iter().map(|known| known.as_str()).collect();
        Problem::bad_request(
            "BadEventType",
            format!("there is no event of type {word:?}"),
            format!("Use one of {}.", known.join(", ")),
        )
    })
}

/// One event.
#[utoipa::path(get, path = "/api/v1/events/{id}", tag = "events", params(("id" = String, Path,)),
    responses((status = 200, body = EventView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<EventView>> {
    Ok(Json(state.store.event(&EventId::from(id)).await?.into()))
}
