//! Media: found, shown, registered, described, and linked to.
//!
//! Guarantees: a link is as good as the object for as long as it lasts, so only callers with a token get one; an object
//! is registered only when it is there. Deliberately absent: additions, deleting, and files that are sent or fetched,
//! which have files of their own.

use crate::base::clock::UtcMs;
use crate::base::ids::MediaId;
use crate::base::ids::OutputId;
use crate::events::library::MediaType;
use crate::events::library::Role;
use crate::objects::uri::ObjectUri;
use crate::store::admission;
use crate::store::admission::Wanted as WantedOfFile;
use crate::store::events::EventFilter;
use crate::store::library::description::Change;
use crate::store::library::description::Described;
use crate::store::listing::media::MediaFilter;
use crate::store::listing::media::MediaRow;
use crate::store::listing::tasks::TaskFilter;
use crate::store::media::MediaState;
use crate::store::media::Origin;
use crate::store::media::Source;
use crate::web::api::additions::AdditionView;
use crate::web::api::deliveries;
use crate::web::api::media_view;
use crate::web::api::media_view::MediaDetailView;
use crate::web::api::media_view::MediaLinks;
use crate::web::api::media_view::MediaView;
use crate::web::api::outputs::OutputView;
use crate::web::api::parts_view::PartsView;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::idempotency;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::paging::sought;
use crate::web::state::WebState;
use crate::web::user_data::UserData;
use crate::web::wording;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// Which media, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those with all of these words, anywhere in title, key, description or tags.
    search: Option<String>,
    /// The same, by its older name.
    text: Option<String>,
    /// Only those with this tag.
    tag: Option<String>,
    /// Only those filed under this category, by id.
    category: Option<String>,
    /// Only those of this state: Preparing, Normal, Failed, Blocked or Deleted; all but the deleted when absent.
    state: Option<String>,
    /// Only those of this storage.
    storage: Option<String>,
    /// Only those of this kind: video, audio, image or text.
    #[serde(rename = "type")]
    media_type: Option<String>,
    /// Only those that came this way: arrival, upload, pull or reference.
    origin: Option<String>,
    /// Only those made at this time or later, yyyy-MM-ddTHH:mm:ssZ.
    created_after: Option<String>,
    /// Only those made before this time.
    created_before: Option<String>,
    /// -created_at (newest first, as when absent) or created_at.
    sort: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// An object that becomes a media.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// What is there, `storage:key`.
    object: String,
    /// Its title; its file name when absent.
    #[serde(default)]
    title: String,
    /// What it is about.
    #[serde(default)]
    description: String,
    /// What it is found by.
    #[serde(default)]
    tags: Vec<String>,
    /// Id of the category it is filed under.
    category: Option<String>,
    /// video, audio, image or text; told by its name when absent.
    #[serde(rename = "type")]
    media_type: Option<String>,
    /// Id or name of an enabled workflow of which a task starts on it.
    workflow: Option<String>,
    /// Echoed in its events; a NotifyAddress in it is told of them.
    #[schema(value_type = Option<Object>)]
    user_data: Option<UserData>,
}

/// What registering made.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegisteredView {
    /// The media.
    #[serde(flatten)]
    media: MediaView,
    /// The library did not have it before: one input is one media.
    new: bool,
    /// Tasks that look at it or run on it.
    tasks: Vec<String>,
}

/// What shall be said of a media from now on; absent: as before, null: nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// Its title; null or empty: its file name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    title: Option<Option<String>>,
    /// What it is about.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// What it is found by.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    tags: Option<Option<Vec<String>>>,
    /// Id of the category it is filed under.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    category: Option<Option<String>>,
    /// A picture: `storage:key`, the id of an output of this media, or an http address.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    cover: Option<Option<String>>,
    /// Echoed in its events.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    user_data: Option<Option<UserData>>,
}

/// Tells null from absent.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}

const TASKS_SHOWN: usize = 100;
const OUTPUTS_SHOWN: usize = 500;
const EVENTS_SHOWN: usize = 100;
const OPINIONS_SHOWN: u32 = 100;

/// List or search media, newest first.
#[utoipa::path(get, path = "/api/v1/media", tag = "media", params(ListQuery),
    responses((status = 200, body = Page<MediaView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<MediaView>>> {
    let wanted = Wanted::read("media", query.limit, query.cursor.as_deref())?;
    let filter = filter(query)?;
    let rows = state
        .store
        .list_media(filter, wanted.after.clone(), wanted.rows())
        .await?;
    Ok(Json(wanted.page(
        "media",
        rows,
        |row| row.id.as_str().to_owned(),
        |row| MediaView::new(row, &state),
    )))
}

fn filter(query: ListQuery) -> Answer<MediaFilter> {
    let oldest_first = match query.sort.as_deref() {
        None | Some("-created_at") => false,
        Some("created_at") => true,
        Some(other) => return Err(bad_word("sort", other, "-created_at or created_at")),
    };
    let kinds = "video, audio, image or text";
    let states = "Preparing, Normal, Failed, Blocked or Deleted";
    let origins = "arrival, upload, pull or reference";
    let time = |field: &'static str, text: Option<String>| -> Answer<Option<UtcMs>> {
        word(field, text, UtcMs::parse_wire, "a time as 2026-01-31T12:00:00Z")
    };
    let not_empty = |text: &String| !text.is_empty();
    Ok(MediaFilter {
        search: sought("search", query.search.or(query.text))?,
        tag: query.tag.filter(not_empty),
        category: query.category.filter(not_empty),
        state: word("state", query.state, MediaState::parse, states)?,
        storage: query.storage.filter(not_empty),
        media_type: word("type", query.media_type, MediaType::parse, kinds)?,
        origin: word("origin", query.origin, Origin::parse, origins)?,
        created_after: time("created_after", query.created_after)?,
        created_before: time("created_before", query.created_before)?,
        oldest_first,
    })
}

/// A word of a closed list, where one is given.
fn word<T>(field: &str, given: Option<String>, parse: impl Fn(&str) -> Option<T>, allowed: &str) -> Answer<Option<T>> {
    given
        .map(|given| parse(&given).ok_or_else(|| bad_word(field, &given, allowed)))
        .transpose()
}

fn bad_word(field: &str, given: &str, allowed: &str) -> Problem {
    Problem::bad_request("BadQuery", format!("{field} is {given:?}"), format!("Use {allowed}."))
}

/// One media with everything that belongs to it. Its ETag can be sent back with a change.
#[utoipa::path(get, path = "/api/v1/media/{id}", tag = "media", params(("id" = String, Path,)),
    responses((status = 200, body = MediaDetailView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Response> {
    let id = MediaId::from(id);
    let media = state.store.show_media(&id).await?;
    let tag = entity_tag(&media);
    let of_media = TaskFilter {
        media: Some(id.as_str().to_owned()),
        ..TaskFilter::default()
    };
    let tasks = state.store.list_tasks(of_media, None, TASKS_SHOWN).await?;
    let outputs = state.store.outputs_of_media(&id, OUTPUTS_SHOWN).await?;
    let additions = state.store.additions(&id, None).await?;
    let overview = state.store.overview(&id, OPINIONS_SHOWN).await?;
    let of_media = EventFilter {
        media: Some(id.clone()),
        ..EventFilter::default()
    };
    let events = state.store.events(of_media, None, EVENTS_SHOWN).await?;
    let (qc, opinions) = media_view::said(&overview);
    let of_role = |role: Role| {
        let additions = additions.iter().filter(|addition| addition.role == role);
        additions.map(|addition| AdditionView::new(addition, &state)).collect()
    };
    let own = state.store.media(&id).await?;
    let view = MediaDetailView {
        parts: PartsView::of(&own.source.object, own.parts),
        deleting: state.store.deletion_of(&id).await?.map(|what| what.as_str().to_owned()),
        attachments: of_role(Role::Attachment),
        renditions: of_role(Role::Rendition),
        tasks: tasks.into_iter().map(Into::into).collect(),
        outputs: outputs
            .into_iter()
            .map(|output| OutputView::new(output, &state))
            .collect(),
        qc,
        opinions,
        reviews: overview.reviews.into_iter().map(Into::into).collect(),
        events: events.into_iter().map(Into::into).collect(),
        deliveries: deliveries::of_media(&state, &id, EVENTS_SHOWN).await?,
        links: MediaLinks::of(id.as_str()),
        media: MediaView::new(media, &state),
    };
    Ok(([(header::ETAG, tag)], Json(view)).into_response())
}

/// What tells one state of what is said of a media from another.
fn entity_tag(media: &MediaRow) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{}\"", media.modified_ms)).expect("digits in quotes are a header")
}

/// Register an object that is there as a media: it is looked at, and RegisterMediaComplete tells how that went. One
/// input is one media: registering it again answers the same id. With an Idempotency-Key, the same call made again
/// answers what the first one made.
#[utoipa::path(post, path = "/api/v1/media", tag = "media", request_body = RegisterRequest,
    params(("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 201, body = RegisteredView),
        (status = 200, body = RegisteredView, description = "the library has it already, or an earlier call with this key registered it"),
        (status = "default", body = Problem)))]
pub async fn register(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Given(request): Given<RegisterRequest>,
) -> Answer<(StatusCode, Json<RegisteredView>)> {
    let key = idempotency::key(&headers, &caller, "POST /api/v1/media", &request)?;
    let object = wording::object(&request.object)?;
    let kinds = "video, audio, image or text";
    let media_type = word("type", request.media_type, MediaType::parse, kinds)?;
    let wanted = WantedOfFile {
        title: wording::title("title", &request.title)?,
        description: wording::description(&request.description)?,
        tags: wording::tags(&request.tags)?,
        category: category(&state, request.category).await?,
        user_data: request.user_data.as_ref().map_or(Ok(None), wording::user_data)?,
        workflow: request.workflow,
        register: true,
        ..WantedOfFile::media()
    };
    if let Some(name) = &wanted.workflow {
        let workflow = state.store.workflow(name).await?;
        if !workflow.enabled {
            return Err(Problem::conflict(
                "WorkflowDisabled",
                format!("workflow {} is disabled", workflow.name),
                "Enable it first: POST /api/v1/workflows/ID/enable.",
            ));
        }
    }
    let source = source_of(&state, &object).await?;
    let media_type = media_type.unwrap_or_else(|| admission::media_type_of(&object.key));
    let once = state
        .store
        .admit_object(wanted, source, media_type, key, UtcMs::now())
        .await?;
    let (status, admitted) = idempotency::made(once)?;
    let status = if admitted.new { status } else { StatusCode::OK };
    state.bells.scheduler.ring();
    state.bells.callback.ring();
    state.audit(&caller, "media.register", admitted.media.as_str()).await;
    let media = state.store.show_media(&admitted.media).await?;
    let view = RegisteredView {
        media: MediaView::new(media, &state),
        new: admitted.new,
        tasks: admitted.tasks.into_iter().map(|task| task.into_string()).collect(),
    };
    Ok((status, Json(view)))
}

/// A category that is there.
async fn category(state: &WebState, id: Option<String>) -> Answer<Option<String>> {
    match id {
        Some(id) => match state.store.category(&id).await {
            Ok(found) => Ok(Some(found.id)),
            Err(_) => Err(Problem::unacceptable(
                "CategoryNotFound",
                format!("there is no category {id}"),
                "Use the id of one of GET /api/v1/categories.",
            )),
        },
        None => Ok(None),
    }
}

/// An object as it is now.
///
/// # Errors
/// It is not there, or its storage does not answer.
pub(super) async fn source_of(state: &WebState, object: &ObjectUri) -> Answer<Source> {
    let head = state.objects.head(object).await?.ok_or_else(|| {
        Problem::unacceptable(
            "ObjectNotFound",
            format!("there is no object {object}"),
            "Check the storage and the key.",
        )
    })?;
    Ok(Source {
        object: object.clone(),
        size_bytes: head.size_bytes,
        mtime_ns: head.mtime_ns,
        etag: head.etag,
    })
}

/// Change what is said of a media. MediaBaseChangeComplete tells what became other. With If-Match, only if it is still as
/// it was shown.
#[utoipa::path(patch, path = "/api/v1/media/{id}", tag = "media", request_body = ChangeRequest,
    params(("id" = String, Path,), ("If-Match" = Option<String>, Header,)),
    responses((status = 200, body = MediaView), (status = 412, body = Problem, description = "it was changed meanwhile"),
        (status = "default", body = Problem)))]
pub async fn change(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Named(id): Named,
    Given(request): Given<ChangeRequest>,
) -> Answer<Response> {
    let id = MediaId::from(id);
    state.store.show_media(&id).await?;
    let seen = if_match(&headers)?;
    let change = Change {
        title: request
            .title
            .map(|title| wording::title("title", &title.unwrap_or_default()))
            .transpose()?,
        description: request
            .description
            .map(|text| wording::description(&text.unwrap_or_default()))
            .transpose()?,
        tags: request
            .tags
            .map(|tags| wording::tags(&tags.unwrap_or_default()))
            .transpose()?,
        category: match request.category {
            Some(given) => Some(category(&state, given).await?),
            None => None,
        },
        cover: match request.cover {
            Some(Some(given)) => Some(Some(cover(&state, &id, &given).await?)),
            Some(None) => Some(None),
            None => None,
        },
        user_data: request
            .user_data
            .map(|given| given.as_ref().map_or(Ok(None), wording::user_data))
            .transpose()?,
    };
    match state.store.describe_media(&id, change, seen, UtcMs::now()).await? {
        Described::Stale => {
            return Err(Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "ChangedMeanwhile",
                format!("media {id} was changed since it was shown"),
                "Look at it again and send the change with its new ETag.",
            ));
        }
        Described::Changed(changes) if !changes.is_empty() => {
            state.bells.callback.ring();
            state.audit(&caller, "media.change", id.as_str()).await;
        }
        Described::Changed(_) => {}
    }
    let media = state.store.show_media(&id).await?;
    let tag = entity_tag(&media);
    Ok(([(header::ETAG, tag)], Json(MediaView::new(media, &state))).into_response())
}

/// The state that the caller looked at, where they say so.
fn if_match(headers: &HeaderMap) -> Answer<Option<i64>> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    // Another's tag is no number of ours, and so no state of this media.
    Ok(Some(text.trim_matches('"').parse().unwrap_or(-1)))
}

/// A picture that can be a cover, as it is kept.
async fn cover(state: &WebState, media: &MediaId, given: &str) -> Answer<String> {
    if given.starts_with("http://") || given.starts_with("https://") {
        return url::Url::parse(given)
            .ok()
            .filter(|address| address.has_host() && given.len() <= 2_048)
            .map(|_| given.to_owned())
            .ok_or_else(|| no_cover(format!("{given:?} is no address")));
    }
    let object = if given.contains(':') {
        wording::object(given)?
    } else {
        let output = state.store.show_output(&OutputId::from(given)).await?;
        let task = state.store.show_task_summary(&output.task).await?;
        if task.media != *media {
            return Err(no_cover(format!("output {given} is none of this media")));
        }
        output.object
    };
    if admission::media_type_of(&object.key) != MediaType::Image {
        return Err(no_cover(format!("{object} is no picture")));
    }
    source_of(state, &object).await?;
    Ok(object.to_string())
}

fn no_cover(why: String) -> Problem {
    Problem::unacceptable(
        "BadCover",
        why,
        "Name a picture: STORAGE:KEY, the id of an output of this media, or an http address.",
    )
}
