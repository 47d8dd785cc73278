//! Uploads: files that are sent to us and go on after an interruption, by tus or by plain requests with ranges.
//!
//! Both speak of the same uploads: one may be begun one way and continued the other. Guarantees: an offset that was
//! told is durable; an upload has one writer at a time; what is whole gets its name and becomes what is wanted, after
//! a restart too. Deliberately absent: giving the name, which the scheduler's side does.

mod body;
pub mod ranged;
pub mod tus;

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::ids::UploadId;
use crate::objects::incoming::Incoming;
use crate::store::idempotency::Once;
use crate::store::idempotency::OnceKey;
use crate::store::uploads::NewUpload;
use crate::store::uploads::UploadFilter;
use crate::store::uploads::UploadRow;
use crate::store::uploads::UploadState;
use crate::web::api::wish;
use crate::web::api::wish::BecameView;
use crate::web::api::wish::Wish;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::idempotency;
use crate::web::inlet::Held;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::FromRequest;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde_json::Value;
use std::time::Duration;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// How long a request that brought the last byte waits for what becomes of the file.
const LANDED_WITHIN: Duration = Duration::from_secs(30);

/// An upload to begin.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct UploadRequest {
    /// Bytes of the whole; may be said later with the pieces.
    #[serde(default)]
    size_bytes: Option<u64>,
    /// Where it goes and what becomes of it.
    #[serde(flatten)]
    wish: Wish,
}

impl<'de> Deserialize<'de> for UploadRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The derived one is a function of the type itself.
        let body = |json: &str| Self::deserialize(&mut serde_json::Deserializer::from_str(json));
        wish::read(deserializer, body, |request| &mut request.wish)
    }
}

impl Serialize for UploadRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// Which uploads, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those of this status: Waiting, Processing, Success, Fail, Canceled.
    status: Option<String>,
    /// Only those into this storage.
    storage: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// One upload.
#[derive(Debug, Serialize, ToSchema)]
pub struct UploadView {
    /// Id.
    id: String,
    /// When it was begun.
    created_at: String,
    /// Waiting (for more of it), Processing (it is whole and gets its name), Success, Fail, Canceled.
    status: String,
    /// Where it goes, or stands, `storage:key`.
    object: String,
    /// Bytes of the whole; null: not said yet.
    size_bytes: Option<u64>,
    /// Bytes that came and are durable: the next piece begins there.
    offset: u64,
    /// What the whole must come to.
    digest: Option<String>,
    /// media, attachment or rendition.
    role: String,
    /// The workflow that was asked for.
    workflow: Option<String>,
    /// Who began it.
    who: String,
    /// When it is dropped unless more of it comes; null: it has ended.
    expires_at: Option<String>,
    /// When it ended.
    ended_at: Option<String>,
    /// Why it failed.
    fault: Option<Value>,
    /// What became of it.
    #[serde(flatten)]
    became: BecameView,
}

impl From<UploadRow> for UploadView {
    fn from(row: UploadRow) -> Self {
        let open = row.state == UploadState::Open;
        UploadView {
            id: row.id.into_string(),
            created_at: row.created_at.wire(),
            status: status_of(row.state).to_owned(),
            object: row.object.to_string(),
            size_bytes: row.size_bytes,
            offset: row.received_bytes,
            digest: row.digest,
            role: row.wanted.role.as_str().to_owned(),
            workflow: row.wanted.workflow,
            who: row.who,
            expires_at: open.then(|| row.expires_at.wire()),
            ended_at: row.ended_at.map(UtcMs::wire),
            fault: row.fault.and_then(|fault| serde_json::to_value(fault).ok()),
            became: row.became.into(),
        }
    }
}

const STATUSES: [(UploadState, &str); 5] = [
    (UploadState::Open, "Waiting"),
    (UploadState::Finishing, "Processing"),
    (UploadState::Done, "Success"),
    (UploadState::Failed, "Fail"),
    (UploadState::Canceled, "Canceled"),
];

fn status_of(state: UploadState) -> &'static str {
    STATUSES
        .iter()
        .find(|(known, _)| *known == state)
        .map_or("Fail", |(_, word)| word)
}

/// Begin an upload, by JSON or, with `Tus-Resumable`, as tus says. Its pieces are then sent with PUT (Content-Range) or
/// PATCH (tus) to its address. With an Idempotency-Key the same call made again answers the upload of the first one,
/// which is how an interrupted program finds it.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "uploads", request_body = UploadRequest,
    params(("Idempotency-Key" = Option<String>, Header,), ("Tus-Resumable" = Option<String>, Header,),
        ("Upload-Length" = Option<u64>, Header,), ("Upload-Defer-Length" = Option<u64>, Header,),
        ("Upload-Metadata" = Option<String>, Header,)),
    responses((status = 201, body = UploadView), (status = 200, body = UploadView, description = "made by an earlier call with this key"),
        (status = "default", body = Problem)))]
pub async fn begin(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Answer<Response> {
    if request.headers().contains_key(tus::RESUMABLE) {
        return Ok(tus::create(state, caller, request).await);
    }
    let headers = request.headers().clone();
    let Given(asked) = Given::<UploadRequest>::from_request(request, &state).await?;
    let once = idempotency::key(&headers, &caller, "POST /api/v1/uploads", &asked)?;
    let (status, row) = make(&state, &caller, asked.size_bytes, asked.wish, None, once).await?;
    Ok((status, placed(&row), Json(UploadView::from(row))).into_response())
}

/// Where the pieces go, and from which offset.
fn placed(row: &UploadRow) -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, header::LOCATION, &format!("/api/v1/uploads/{}", row.id));
    put(&mut headers, tus::OFFSET, &row.received_bytes.to_string());
    headers
}

/// Begins an upload; an empty file is whole at once.
async fn make(
    state: &WebState,
    caller: &Caller,
    size_bytes: Option<u64>,
    wish: Wish,
    metadata: Option<String>,
    once: Option<OnceKey>,
) -> Answer<(StatusCode, UploadRow)> {
    wish::check_size(state, size_bytes)?;
    let id = UploadId::fresh();
    let granted = wish.grant(state, id.as_str()).await?;
    let file = Incoming {
        id: id.as_str().to_owned(),
        object: granted.object.clone(),
        pieces: None,
    };
    state.writer.begin(&file, size_bytes).await.map_err(storage_problem)?;
    let now = UtcMs::now();
    let new = NewUpload {
        id,
        object: granted.object,
        on_conflict: granted.on_conflict,
        size_bytes,
        digest: granted.digest,
        metadata,
        wanted: granted.wanted,
        who: caller.name.clone(),
        expires_at: expiry(state, now),
        once,
    };
    let made = state.store.make_upload(new, now).await;
    if !matches!(made, Ok(Once::New(_))) {
        // What cannot be dropped now is swept.
        let _ = state.writer.discard(&file).await;
    }
    let (status, row) = idempotency::made(made?)?;
    if status == StatusCode::CREATED {
        state.audit(caller, "upload.begin", row.id.as_str()).await;
        state.bells.inlet.ring();
        if size_bytes == Some(0) {
            return Ok((status, whole(state, &row.id).await?));
        }
    }
    Ok((status, row))
}

/// Until when an upload waits that was touched now.
fn expiry(state: &WebState, now: UtcMs) -> UtcMs {
    now.plus_ms(i64::try_from(state.inlet.rules.expires.as_millis()).unwrap_or(i64::MAX))
}

/// The upload is whole: has it finished, and waits a while for what becomes of it.
async fn whole(state: &WebState, id: &UploadId) -> Answer<UploadRow> {
    match state.store.upload_whole(id).await {
        Ok(()) => {}
        // Another request, or an earlier one of which the answer was lost, said so.
        Err(crate::store::error::StoreError::Conflict(_)) => {}
        Err(error) => return Err(error.into()),
    }
    state.bells.inlet.ring();
    let ended = state.bells.landed.until(LANDED_WITHIN, || async {
        let row = state.store.upload(id).await;
        match &row {
            Ok(found) if found.state == UploadState::Finishing => None,
            _ => Some(row),
        }
    });
    match ended.await {
        Some(row) => Ok(row?),
        None => Ok(state.store.upload(id).await?),
    }
}

/// The failure of an upload that ended just now, for whoever sent its last byte.
fn ended_badly(row: &UploadRow) -> Option<Problem> {
    let fault = row.fault.clone().filter(|_| row.state == UploadState::Failed)?;
    Some(storage_problem(fault))
}

/// A fault of a storage as a problem: a full disk and a taken key have statuses of their own.
fn storage_problem(fault: Fault) -> Problem {
    let status = match fault.code.as_str() {
        "OutputDiskFull" | "StorageFull" => StatusCode::INSUFFICIENT_STORAGE,
        "KeyTaken" | "OutputTaken" => StatusCode::CONFLICT,
        _ => return fault.into(),
    };
    Problem {
        status: status.as_u16(),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        ..Problem::from(fault)
    }
}

/// An upload that can take more, and how much of it is there: never more than was told, and less where the storage lost
/// some.
async fn open_upload(state: &WebState, id: UploadId) -> Answer<UploadRow> {
    let mut row = state.store.upload(&id).await?;
    if row.state == UploadState::Open && row.received_bytes > 0 {
        let there = state.writer.received(&incoming(&row)).await.map_err(storage_problem)?;
        row.received_bytes = row.received_bytes.min(there.unwrap_or(0));
    }
    Ok(row)
}

fn incoming(row: &UploadRow) -> Incoming {
    Incoming {
        id: row.id.as_str().to_owned(),
        object: row.object.clone(),
        pieces: row.pieces.clone(),
    }
}

/// An upload that did not end badly, with the right to write to it.
async fn open_to_write(state: &WebState, id: String) -> Answer<(Held, UploadRow)> {
    let id = UploadId::from(id);
    let held = state.inlet.hold(id.as_str()).ok_or_else(|| locked(&id))?;
    let row = open_upload(state, id).await?;
    if matches!(row.state, UploadState::Failed | UploadState::Canceled) {
        return Err(gone(&row));
    }
    Ok((held, row))
}

/// 423: somebody else writes to it.
fn locked(id: &UploadId) -> Problem {
    Problem::new(
        StatusCode::LOCKED,
        "UploadLocked",
        format!("another request is sending to upload {id}"),
        "Wait until it has ended, ask for the offset, and send the rest.",
    )
}

/// 410: it has ended without becoming anything.
fn gone(row: &UploadRow) -> Problem {
    Problem::new(
        StatusCode::GONE,
        "UploadEnded",
        format!("upload {} has the status {}", row.id, status_of(row.state)),
        "Begin a new one.",
    )
}

/// List uploads, newest first.
#[utoipa::path(get, path = "/api/v1/uploads", tag = "uploads", params(ListQuery),
    responses((status = 200, body = Page<UploadView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<UploadView>>> {
    let wanted = Wanted::read("uploads", query.limit, query.cursor.as_deref())?;
    let found = query.status.map(|word| {
        STATUSES
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(state, _)| *state)
            .ok_or_else(|| {
                Problem::bad_request(
                    "BadStatus",
                    format!("there is no upload status {word}"),
                    "Use Waiting, Processing, Success, Fail or Canceled.",
                )
            })
    });
    let filter = UploadFilter {
        state: found.transpose()?,
        storage: query.storage,
    };
    let rows = state.store.uploads(filter, wanted.after.clone(), wanted.rows()).await?;
    Ok(Json(wanted.page(
        "uploads",
        rows,
        |row| row.id.as_str().to_owned(),
        Into::into,
    )))
}

/// One upload: how much of it came, or what became of it.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", tag = "uploads", params(("id" = String, Path,)),
    responses((status = 200, body = UploadView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Response> {
    let row = open_upload(&state, UploadId::from(id)).await?;
    Ok((placed(&row), Json(UploadView::from(row))).into_response())
}

/// Drop an upload that is not whole yet, with what came of it. (`Tus-Resumable` is minded where it is sent.)
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "uploads", params(("id" = String, Path,)),
    responses((status = 204, description = "it is gone"), (status = "default", body = Problem)))]
pub async fn cancel(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Named(id): Named,
) -> Response {
    let spoken = headers.contains_key(tus::RESUMABLE);
    let answer = async {
        if spoken {
            tus::version(&headers)?;
        }
        let row = state.store.upload(&UploadId::from(id)).await?;
        if matches!(row.state, UploadState::Failed | UploadState::Canceled) {
            return Err(gone(&row));
        }
        // Whoever is sending to it is stopped by its next note of an offset.
        state.store.cancel_upload(&row.id, UtcMs::now()).await?;
        if let Err(fault) = state.writer.discard(&incoming(&row)).await {
            tracing::warn!(upload = %row.id, %fault, "pieces of a cancelled upload are left until the next sweep");
        }
        state.audit(&caller, "upload.cancel", row.id.as_str()).await;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    let answer = answer.await.unwrap_or_else(IntoResponse::into_response);
    if spoken { tus::said(answer) } else { answer }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
