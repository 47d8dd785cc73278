//! Reviews: what people are asked, and what they decide; of tasks, and about media outside of any.
//!
//! Guarantees: who decided is who called; a review is decided once. Deliberately absent: what follows from a decision,
//! which the store settles in the same transaction.

use crate::base::clock::UtcMs;
use crate::base::ids::MediaId;
use crate::base::ids::ReviewId;
use crate::store::idempotency::Once;
use crate::store::idempotency::OnceKey;
use crate::store::listing::reviews::ReviewDetail;
use crate::store::listing::reviews::ReviewFilter;
use crate::store::reviews::Decision;
use crate::store::reviews::NewReview;
use crate::store::reviews::ReviewState;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use crate::web::user_data::UserData;
use crate::workflow::deed::OnTimeout;
use crate::workflow::deed::ReviewRule;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// Longest reason, characters.
const REASON: usize = 1_000;
/// Longest comment, characters.
const COMMENT: usize = 4_000;
/// Longest user data, bytes.
const USER_DATA: usize = 16 << 10;

/// One review.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewView {
    /// Id.
    id: String,
    /// When it was asked.
    created_at: String,
    /// waiting, approved, blocked, expired or canceled.
    status: String,
    /// The media it is about.
    media: String,
    /// The source of that media, `storage:key`.
    object: String,
    /// The title of that media, its file name if nobody said better; empty: it has left the library.
    title: String,
    /// The task that asks; none: outside of any.
    task: Option<String>,
    /// Its job.
    job: Option<String>,
    /// The activity of that job.
    activity: Option<String>,
    /// The workflow of that task.
    workflow: Option<String>,
    /// What the person is asked to look at.
    instructions: String,
    /// When its time is over.
    due_at: Option<String>,
    /// What happens then: fail, approve or block.
    on_timeout: String,
    /// Who decided.
    auditor: Option<String>,
    /// Why.
    reason: String,
    /// What they said.
    comment: String,
    /// What the caller gave with it.
    user_data: Option<String>,
    /// When it ended.
    ended_at: Option<String>,
}

impl From<ReviewDetail> for ReviewView {
    fn from(detail: ReviewDetail) -> Self {
        let review = detail.review;
        ReviewView {
            id: review.id.into_string(),
            created_at: review.created_at.wire(),
            status: review.state.as_str().to_owned(),
            media: review.media.into_string(),
            object: detail.object.to_string(),
            title: detail.title,
            task: review.task.map(|task| task.into_string()),
            job: review.job.map(|job| job.into_string()),
            activity: detail.activity,
            workflow: detail.workflow,
            instructions: review.instructions,
            due_at: review.due_at.map(|at| at.wire()),
            on_timeout: review.on_timeout.as_str().to_owned(),
            auditor: review.auditor,
            reason: review.reason,
            comment: review.comment,
            user_data: review.user_data,
            ended_at: review.ended_at.map(|at| at.wire()),
        }
    }
}

/// Which reviews, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those of this status: waiting, approved, blocked, expired, canceled.
    status: Option<String>,
    /// Only those about this media.
    media: Option<String>,
    /// Only those of this task.
    task: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Which page of the reviews of a media.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// A decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// Why, 1000 characters at most.
    #[serde(default)]
    reason: String,
    /// Anything else, 4000 characters at most.
    #[serde(default)]
    comment: String,
}

/// A question about a media.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskRequest {
    /// What the person is asked to look at.
    #[serde(default)]
    instructions: String,
    /// How long a person may take, seconds; absent: as long as they like.
    #[serde(default)]
    timeout_s: Option<u64>,
    /// What happens then: fail (the default), approve or block.
    #[serde(default)]
    on_timeout: Option<String>,
    /// Echoed in its event; anything but a string is kept as JSON text.
    #[serde(default)]
    #[schema(value_type = Value)]
    user_data: Option<UserData>,
}

/// List reviews, newest first.
#[utoipa::path(get, path = "/api/v1/reviews", tag = "reviews", params(ListQuery),
    responses((status = 200, body = Page<ReviewView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<ReviewView>>> {
    let status = query
        .status
        .as_deref()
        .map(|word| {
            ReviewState::parse(word).ok_or_else(|| {
                Problem::bad_request(
                    "BadStatus",
                    format!("there is no review status {word}"),
                    "Use waiting, approved, blocked, expired or canceled.",
                )
            })
        })
        .transpose()?;
    let filter = ReviewFilter {
        state: status,
        media: query.media,
        task: query.task,
    };
    page(&state, filter, query.limit, query.cursor.as_deref()).await
}

async fn page(
    state: &WebState,
    filter: ReviewFilter,
    limit: Option<u32>,
    cursor: Option<&str>,
) -> Answer<Json<Page<ReviewView>>> {
    let wanted = Wanted::read("reviews", limit, cursor)?;
    let rows = state
        .store
        .list_reviews(filter, wanted.after.clone(), wanted.rows())
        .await?;
    Ok(Json(wanted.page(
        "reviews",
        rows,
        |row| row.review.id.as_str().to_owned(),
        Into::into,
    )))
}

/// One review.
#[utoipa::path(get, path = "/api/v1/reviews/{id}", tag = "reviews", params(("id" = String, Path,)),
    responses((status = 200, body = ReviewView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<ReviewView>> {
    Ok(Json(state.store.show_review(&ReviewId::from(id)).await?.into()))
}

/// Approve what a review is about; the caller is the auditor.
#[utoipa::path(post, path = "/api/v1/reviews/{id}/approve", tag = "reviews", params(("id" = String, Path,)),
    request_body = DecideRequest,
    responses((status = 200, body = ReviewView), (status = 409, body = Problem, description = "decided already"),
        (status = "default", body = Problem)))]
pub async fn approve(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    Given(request): Given<DecideRequest>,
) -> Answer<Json<ReviewView>> {
    decide(&state, &caller, id, request, true).await
}

/// Block what a review is about; the caller is the auditor.
#[utoipa::path(post, path = "/api/v1/reviews/{id}/block", tag = "reviews", params(("id" = String, Path,)),
    request_body = DecideRequest,
    responses((status = 200, body = ReviewView), (status = 409, body = Problem, description = "decided already"),
        (status = "default", body = Problem)))]
pub async fn block(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    Given(request): Given<DecideRequest>,
) -> Answer<Json<ReviewView>> {
    decide(&state, &caller, id, request, false).await
}

async fn decide(
    state: &WebState,
    caller: &Caller,
    id: String,
    request: DecideRequest,
    approve: bool,
) -> Answer<Json<ReviewView>> {
    bounded("reason", &request.reason, REASON)?;
    bounded("comment", &request.comment, COMMENT)?;
    let id = ReviewId::from(id);
    let decision = Decision {
        approve,
        auditor: caller.name.clone(),
        reason: request.reason,
        comment: request.comment,
    };
    state.store.decide_review(&id, decision, UtcMs::now()).await?;
    state.bells.scheduler.ring();
    state.bells.callback.ring();
    let verb = if approve { "review.approve" } else { "review.block" };
    state.audit(caller, verb, id.as_str()).await;
    Ok(Json(state.store.show_review(&id).await?.into()))
}

/// Take back a question about a media that no task asks.
#[utoipa::path(post, path = "/api/v1/reviews/{id}/cancel", tag = "reviews", params(("id" = String, Path,)),
    responses((status = 200, body = ReviewView), (status = 409, body = Problem, description = "decided already, or of a task"),
        (status = "default", body = Problem)))]
pub async fn cancel(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<Json<ReviewView>> {
    let id = ReviewId::from(id);
    state.store.cancel_review(&id, UtcMs::now()).await?;
    state.audit(&caller, "review.cancel", id.as_str()).await;
    Ok(Json(state.store.show_review(&id).await?.into()))
}

/// Ask people about a media outside of any task; their decision is the media's state. With an Idempotency-Key, the
/// same call made again answers the review of the first one.
#[utoipa::path(post, path = "/api/v1/media/{id}/reviews", tag = "reviews",
    params(("id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)), request_body = AskRequest,
    responses((status = 201, body = ReviewView), (status = 200, body = ReviewView, description = "made by an earlier call with this key"),
        (status = "default", body = Problem)))]
pub async fn ask(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    headers: HeaderMap,
    Given(request): Given<AskRequest>,
) -> Answer<(StatusCode, Json<ReviewView>)> {
    let on_timeout = match request.on_timeout.as_deref() {
        None => OnTimeout::default(),
        Some(word) => OnTimeout::parse(word).ok_or_else(|| {
            Problem::unacceptable(
                "BadReview",
                format!("on_timeout is {word:?}"),
                "Use fail, approve or block.",
            )
        })?,
    };
    let rule = ReviewRule {
        timeout_s: request.timeout_s,
        on_timeout,
        instructions: request.instructions,
    };
    if let Some(wrong) = rule.problems("").first() {
        return Err(Problem::unacceptable(
            "BadReview",
            wrong.to_string(),
            "Correct it and send it again.",
        ));
    }
    let user_data = request.user_data.and_then(UserData::into_text);
    if user_data.as_ref().is_some_and(|text| text.len() > USER_DATA) {
        return Err(Problem::unacceptable(
            "BadReview",
            "the user data are longer than 16 KiB",
            "Send a reference instead.",
        ));
    }
    let said = (
        &id,
        &rule.timeout_s,
        rule.on_timeout.as_str(),
        &rule.instructions,
        &user_data,
    );
    let request_sha256 = hex::encode(Sha256::digest(serde_json::to_vec(&said).unwrap_or_default()));
    let key = once_key(&headers, &caller)?.map(|key| OnceKey { key, request_sha256 });
    let new = NewReview {
        media: MediaId::from(id),
        rule,
        user_data,
    };
    let (status, review) = match state.store.ask_review(new, key, UtcMs::now()).await? {
        Once::New(review) => (StatusCode::CREATED, review),
        Once::Again(review) => (StatusCode::OK, review),
        Once::Reused => {
            return Err(Problem::conflict(
                "IdempotencyKeyReused",
                "the Idempotency-Key was used before, with another request",
                "Use a new key for a new request.",
            ));
        }
    };
    if status == StatusCode::CREATED {
        state.bells.scheduler.ring();
        state.audit(&caller, "review.ask", review.as_str()).await;
    }
    Ok((status, Json(state.store.show_review(&review).await?.into())))
}

/// The reviews of a media, newest first.
#[utoipa::path(get, path = "/api/v1/media/{id}/reviews", tag = "reviews", params(("id" = String, Path,), PageQuery),
    responses((status = 200, body = Page<ReviewView>), (status = "default", body = Problem)))]
pub async fn of_media(
    State(state): State<WebState>,
    Named(id): Named,
    Asked(query): Asked<PageQuery>,
) -> Answer<Json<Page<ReviewView>>> {
    state.store.show_media(&MediaId::from(id.as_str())).await?;
    let filter = ReviewFilter {
        media: Some(id),
        ..ReviewFilter::default()
    };
    page(&state, filter, query.limit, query.cursor.as_deref()).await
}

/// The reviews of a task, newest first, at most `limit`.
pub(super) async fn of_task(state: &WebState, task: &str, limit: usize) -> Answer<Vec<ReviewView>> {
    let filter = ReviewFilter {
        task: Some(task.to_owned()),
        ..ReviewFilter::default()
    };
    let rows = state.store.list_reviews(filter, None, limit).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The caller's key, made its own: two callers may choose the same.
fn once_key(headers: &HeaderMap, caller: &Caller) -> Answer<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=200).contains(&key.len()) => Ok(Some(format!("review:{}:{key}", caller.token))),
        _ => Err(Problem::bad_request(
            "BadIdempotencyKey",
            "the Idempotency-Key is empty, longer than 200 bytes, or not ASCII",
            "Send something like a UUID.",
        )),
    }
}

fn bounded(field: &str, text: &str, most: usize) -> Answer<()> {
    match text.chars().count() {
        length if length > most => Err(Problem::unacceptable(
            "TooLong",
            format!("{field} has {length} characters"),
            format!("Use {most} at most."),
        )),
        _ => Ok(()),
    }
}
