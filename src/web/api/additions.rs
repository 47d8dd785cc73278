//! Attachments and renditions: files that stand in a storage and are added to a media.
//!
//! Guarantees: only objects that are there are added; taking one away leaves its file unless that is asked for, and a
//! file that another media has stays in any case. Deliberately absent: files that are sent or fetched (`uploads`,
//! `pulls`), which come to the same additions.

use crate::base::clock::UtcMs;
use crate::base::ids::AdditionId;
use crate::base::ids::MediaId;
use crate::events::library::MediaType;
use crate::events::library::Role;
use crate::store::admission;
use crate::store::admission::Wanted as WantedOfFile;
use crate::store::library::additions::AdditionRow;
use crate::store::library::deletions::DoomedFile;
use crate::web::api::media;
use crate::web::api::media_urls;
use crate::web::api::outputs::LINK_MS;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::idempotency;
use crate::web::library;
use crate::web::paging::Page;
use crate::web::state::WebState;
use crate::web::user_data::UserData;
use crate::web::wording;
use axum::Extension;
use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// One attachment or rendition.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdditionView {
    /// Id.
    id: String,
    /// When it was added.
    created_at: String,
    /// The media that it was added to.
    media: String,
    /// attachment or rendition.
    role: String,
    /// video, audio, image or text.
    #[serde(rename = "type")]
    media_type: String,
    /// Of attachments subtitle, watermark, image or other; of renditions their name.
    kind: String,
    /// Where it stands, `storage:key`.
    object: String,
    /// Bytes.
    size_bytes: u64,
    /// Its title; may be empty.
    title: String,
    /// Its language, BCP 47.
    language: Option<String>,
    /// What whoever added it gave with it, JSON text.
    user_data: Option<String>,
    /// A link that works without a token for six hours.
    url: String,
}

impl AdditionView {
    /// The addition with a fresh link.
    pub fn new(addition: &AdditionRow, state: &WebState) -> Self {
        AdditionView {
            id: addition.id.as_str().to_owned(),
            created_at: addition.created_at.wire(),
            media: addition.media.as_str().to_owned(),
            role: addition.role.as_str().to_owned(),
            media_type: addition.media_type.as_str().to_owned(),
            kind: addition.kind.clone(),
            object: addition.object.to_string(),
            size_bytes: addition.size_bytes,
            title: addition.title.clone(),
            language: addition.language.clone(),
            user_data: addition.user_data.clone(),
            url: media_urls::to_file(state, &addition.object, UtcMs::now().plus_ms(LINK_MS)),
        }
    }
}

/// An object that becomes an attachment.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachRequest {
    /// What is there, `storage:key`.
    object: String,
    /// subtitle, watermark, image or other; told by its name when absent.
    kind: Option<String>,
    /// Its title.
    #[serde(default)]
    title: String,
    /// Its language, BCP 47.
    language: Option<String>,
    /// Echoed in its event; a NotifyAddress in it is told of it.
    #[schema(value_type = Option<Object>)]
    user_data: Option<UserData>,
}

/// An object that becomes a rendition.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenditionRequest {
    /// What is there, `storage:key`.
    object: String,
    /// Its name, as 720p; its file name without extension when absent.
    name: Option<String>,
    /// Its title.
    #[serde(default)]
    title: String,
    /// Its language, BCP 47.
    language: Option<String>,
    /// Echoed in its event; a NotifyAddress in it is told of it.
    #[schema(value_type = Option<Object>)]
    user_data: Option<UserData>,
}

/// What becomes of the file.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DropQuery {
    /// true: its file is removed too, unless another media has it.
    file: Option<bool>,
}

/// Add an object that is there to a media as an attachment. AttachedMediaUploadComplete tells it. One that was added
/// before keeps its id.
#[utoipa::path(post, path = "/api/v1/media/{id}/attachments", tag = "media", request_body = AttachRequest,
    params(("id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 201, body = AdditionView),
        (status = 200, body = AdditionView, description = "made by an earlier call with this key"),
        (status = "default", body = Problem)))]
pub async fn attach(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Named(id): Named,
    Given(request): Given<AttachRequest>,
) -> Answer<(StatusCode, Json<AdditionView>)> {
    let key = idempotency::key(
        &headers,
        &caller,
        &format!("POST /api/v1/media/{id}/attachments"),
        &request,
    )?;
    let by_name = match admission::media_type_of(&request.object) {
        MediaType::Text => "subtitle",
        MediaType::Image => "image",
        MediaType::Video | MediaType::Audio => "other",
    };
    let kind = request.kind.unwrap_or_else(|| by_name.to_owned());
    if !wording::ATTACHMENTS.contains(&kind.as_str()) {
        return Err(Problem::unacceptable(
            "BadKind",
            format!("the kind is {kind:?}"),
            format!("Use one of {}.", wording::ATTACHMENTS.join(", ")),
        ));
    }
    let wanted = WantedOfFile {
        role: Role::Attachment,
        media: Some(MediaId::from(id)),
        kind,
        title: wording::title("title", &request.title)?,
        language: request.language.as_deref().map(wording::language).transpose()?,
        user_data: request.user_data.as_ref().map_or(Ok(None), wording::user_data)?,
        ..WantedOfFile::media()
    };
    add(&state, &caller, wanted, &request.object, key).await
}

/// Add an object that is there to a media as a rendition or track that was made elsewhere. RegisterStreamComplete tells
/// it. One that was added before keeps its id.
#[utoipa::path(post, path = "/api/v1/media/{id}/renditions", tag = "media", request_body = RenditionRequest,
    params(("id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 201, body = AdditionView),
        (status = 200, body = AdditionView, description = "made by an earlier call with this key"),
        (status = "default", body = Problem)))]
pub async fn add_rendition(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Named(id): Named,
    Given(request): Given<RenditionRequest>,
) -> Answer<(StatusCode, Json<AdditionView>)> {
    let key = idempotency::key(
        &headers,
        &caller,
        &format!("POST /api/v1/media/{id}/renditions"),
        &request,
    )?;
    let object = wording::object(&request.object)?;
    let file_name = object.file_name();
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let wanted = WantedOfFile {
        role: Role::Rendition,
        media: Some(MediaId::from(id)),
        kind: wording::name("name", request.name.as_deref().unwrap_or(stem))?,
        title: wording::title("title", &request.title)?,
        language: request.language.as_deref().map(wording::language).transpose()?,
        user_data: request.user_data.as_ref().map_or(Ok(None), wording::user_data)?,
        ..WantedOfFile::media()
    };
    add(&state, &caller, wanted, &request.object, key).await
}

async fn add(
    state: &WebState,
    caller: &Caller,
    wanted: WantedOfFile,
    object: &str,
    key: Option<crate::store::idempotency::OnceKey>,
) -> Answer<(StatusCode, Json<AdditionView>)> {
    let object = wording::object(object)?;
    let role = wanted.role;
    // Asked before the object: a media that is not there is what the caller has to know first.
    if let Some(media) = &wanted.media {
        state.store.show_media(media).await?;
    }
    let source = media::source_of(state, &object).await?;
    let media_type = admission::media_type_of(&object.key);
    let once = state
        .store
        .admit_object(wanted, source, media_type, key, UtcMs::now())
        .await?;
    let (status, admitted) = idempotency::made(once)?;
    state.bells.callback.ring();
    let addition = admitted.addition.as_ref().map_or("", AdditionId::as_str);
    state.audit(caller, "media.add", addition).await;
    let addition = state
        .store
        .addition(&admitted.media, role, &AdditionId::from(addition))
        .await?;
    Ok((status, Json(AdditionView::new(&addition, state))))
}

/// List the attachments of a media, oldest first.
#[utoipa::path(get, path = "/api/v1/media/{id}/attachments", tag = "media", params(("id" = String, Path,)),
    responses((status = 200, body = Page<AdditionView>), (status = "default", body = Problem)))]
pub async fn attachments(State(state): State<WebState>, Named(id): Named) -> Answer<Json<Page<AdditionView>>> {
    list(&state, id, Role::Attachment).await
}

/// List the renditions of a media that were made elsewhere, oldest first.
#[utoipa::path(get, path = "/api/v1/media/{id}/renditions", tag = "media", params(("id" = String, Path,)),
    responses((status = 200, body = Page<AdditionView>), (status = "default", body = Problem)))]
pub async fn renditions(State(state): State<WebState>, Named(id): Named) -> Answer<Json<Page<AdditionView>>> {
    list(&state, id, Role::Rendition).await
}

/// A media has at most 500 additions, so its list is one page.
async fn list(state: &WebState, id: String, role: Role) -> Answer<Json<Page<AdditionView>>> {
    let id = MediaId::from(id);
    state.store.show_media(&id).await?;
    let rows = state.store.additions(&id, Some(role)).await?;
    Ok(Json(Page {
        items: rows.iter().map(|row| AdditionView::new(row, state)).collect(),
        next: None,
    }))
}

/// Take an attachment away from its media.
#[utoipa::path(delete, path = "/api/v1/media/{id}/attachments/{aid}", tag = "media",
    params(("id" = String, Path,), ("aid" = String, Path,), DropQuery),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn drop_attachment(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Path((id, aid)): Path<(String, String)>,
    Asked(query): Asked<DropQuery>,
) -> Answer<StatusCode> {
    take_away(&state, &caller, Role::Attachment, id, aid, query).await
}

/// Take a rendition that was made elsewhere away from its media.
#[utoipa::path(delete, path = "/api/v1/media/{id}/renditions/{aid}", tag = "media",
    params(("id" = String, Path,), ("aid" = String, Path,), DropQuery),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn drop_rendition(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Path((id, aid)): Path<(String, String)>,
    Asked(query): Asked<DropQuery>,
) -> Answer<StatusCode> {
    take_away(&state, &caller, Role::Rendition, id, aid, query).await
}

async fn take_away(
    state: &WebState,
    caller: &Caller,
    role: Role,
    id: String,
    aid: String,
    query: DropQuery,
) -> Answer<StatusCode> {
    let (media, id) = (MediaId::from(id), AdditionId::from(aid));
    let addition = state.store.addition(&media, role, &id).await?;
    // The file first: if the program dies in between, the row is there and the call can be made again.
    if query.file.unwrap_or(false) && !state.store.has_elsewhere(&addition.object, &media).await? {
        let file = DoomedFile {
            keep: addition
                .object
                .key
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder)
                .to_owned(),
            object: addition.object,
            size_bytes: addition.size_bytes,
            mtime_ns: addition.mtime_ns,
            etag: addition.etag,
        };
        state.store.let_go(vec![file.object.clone()], UtcMs::now()).await?;
        library::take(state.objects.as_ref(), state.writer.as_ref(), &file).await?;
    }
    state.store.drop_addition(&media, role, &id).await?;
    state.audit(caller, "media.take_away", id.as_str()).await;
    Ok(StatusCode::NO_CONTENT)
}
