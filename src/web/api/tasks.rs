//! Tasks: start, list, show, cancel, retry, one by one or by filter; and jobs.
//!
//! Guarantees: what is shown of a task is what it runs, wishes of its caller included. Deliberately absent: the rules of
//! starting (`starting`), and carrying out a cancel or a retry; both are wishes in the store.

use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::store::events::EventFilter;
use crate::store::intents::Intent;
use crate::store::listing::tasks::TaskFilter;
use crate::web::api::deliveries::DeliveryView;
use crate::web::api::events::EventView;
use crate::web::api::outputs::OutputView;
use crate::web::api::parts_view::PartsView;
use crate::web::api::reviews;
use crate::web::api::reviews::ReviewView;
use crate::web::api::starting;
use crate::web::api::starting::Likeness;
use crate::web::api::starting::Order;
use crate::web::api::starting::RunRequest;
use crate::web::api::starting::Target;
use crate::web::api::task_view::ActivityView;
use crate::web::api::task_view::AttemptView;
use crate::web::api::task_view::JobView;
use crate::web::api::task_view::TaskView;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::paging::sought;
use crate::web::paging::time;
use crate::web::ports::Live;
use crate::web::state::WebState;
use crate::web::user_data::UserData;
use crate::workflow::definition::CallbackSection;
use crate::workflow::otherwise::Otherwise;
use crate::workflow::otherwise::OutputChange;
use crate::workflow::status::TaskStatus;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use std::time::Instant;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// A task to start.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRequest {
    /// Name or id of an enabled workflow.
    workflow: String,
    /// The object, `storage:key`; or `media`.
    #[serde(default)]
    object: Option<String>,
    /// The id of a media of the library; or `object`.
    #[serde(default)]
    media: Option<String>,
    /// Echoed in every event; anything but a string is kept as JSON text. An object with `NotifyAddress` (an http or https
    /// address, or the name of a destination) tells that one of this run instead of the workflow's own destination.
    #[serde(default)]
    #[schema(value_type = Value)]
    user_data: Option<UserData>,
    /// -10 (last) to 10 (first).
    #[serde(default)]
    priority: i64,
    /// Run it though the object lies outside the workflow's storage, prefix or extensions.
    #[serde(default)]
    skip_path_check: bool,
    /// Where outputs of this run go: `storage`, `prefix`, `path`, `on_conflict`; absent ones stay as the workflow says.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    output: Option<OutputChange>,
    /// Whom this run tells, with the keys of `[callback]`, in place of the workflow's.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    callback: Option<CallbackSection>,
    /// By id of an activity: keys that override its parameters, `template` and `backend` included.
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: BTreeMap<String, Map<String, Value>>,
}

/// Which tasks, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those of this status.
    status: Option<String>,
    /// Only those of this workflow, by id or name.
    workflow: Option<String>,
    /// Only those over this media.
    media: Option<String>,
    /// Only those over media of this storage.
    storage: Option<String>,
    /// Only those made at this time or later, as 2026-01-02T03:04:05Z.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only those made before this time.
    #[param(format = DateTime)]
    until: Option<String>,
    /// Only those whose object or user data contain this text.
    text: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Which tasks a bulk wish is for; absent filters do not narrow.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// Only those of this status.
    status: Option<String>,
    /// Only those of this workflow, by id or name.
    workflow: Option<String>,
    /// Only those over this media.
    media: Option<String>,
    /// Only those over media of this storage.
    storage: Option<String>,
    /// Only those made at this time or later, as 2026-01-02T03:04:05Z.
    since: Option<String>,
    /// Only those made before this time.
    until: Option<String>,
    /// Only those whose object or user data contain this text.
    text: Option<String>,
}

/// What forgetting reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletedAnswer {
    /// Tasks that are gone.
    tasks: u64,
    /// There are others; call again.
    more: bool,
}

/// Tasks forgotten by one transaction.
const DELETE_AT_ONCE: usize = 25;
/// After this no further transaction is begun.
const DELETE_WITHIN: Duration = Duration::from_secs(20);

/// What a bulk wish reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkAnswer {
    /// Tasks that were asked.
    tasks: u64,
}

/// A task with everything that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskDetailView {
    /// The task.
    #[serde(flatten)]
    task: TaskView,
    /// What was wanted otherwise than the workflow says when it was started; none: nothing.
    overrides: Option<Value>,
    /// The files its source consists of, where they are several; none: it is one file.
    parts: Option<PartsView>,
    /// The activities of the workflow version it runs, as this task runs them.
    activities: Vec<ActivityView>,
    /// Its jobs, needs before dependants.
    jobs: Vec<JobView>,
    /// Its attempts, first to last.
    attempts: Vec<AttemptView>,
    /// Its outputs, with links.
    outputs: Vec<OutputView>,
    /// What people were asked, newest first, at most 100.
    reviews: Vec<ReviewView>,
    /// Its events, newest first, at most 100.
    events: Vec<EventView>,
    /// Its deliveries, newest first, at most 100.
    deliveries: Vec<DeliveryView>,
}

/// The most events and deliveries shown with a task.
const SHOWN_WITH_TASK: usize = 100;

/// Start a task. With an Idempotency-Key, the same call made again answers the task of the first one.
#[utoipa::path(post, path = "/api/v1/tasks", tag = "tasks", request_body = StartRequest,
    params(("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 201, body = TaskView), (status = 200, body = TaskView, description = "made by an earlier call with this key"),
        (status = "default", body = Problem)))]
pub async fn start(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Given(request): Given<StartRequest>,
) -> Answer<(StatusCode, Json<TaskView>)> {
    let target = Target::read(request.object.as_deref(), request.media.as_deref())?;
    let run = RunRequest {
        user_data: request.user_data,
        priority: request.priority,
        skip_path_check: request.skip_path_check,
        output: request.output,
        callback: request.callback,
        parameters: request.parameters,
    };
    let key = starting::idempotency_key(&headers, &caller)?;
    let likeness = Likeness::of(&request.workflow, &run)?;
    if let Some(key) = &key
        && let Some(known) = likeness.known(&state, key, &target).await?
    {
        return Ok((StatusCode::OK, Json(known.task.into())));
    }
    let order = Order::read(&state, &request.workflow, &run).await?;
    let started = order.start(&state, &caller, &target, key).await?;
    let status = if started.new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(started.task.into())))
}

/// List tasks, newest first.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks", params(ListQuery),
    responses((status = 200, body = Page<TaskView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<TaskView>>> {
    let wanted = Wanted::read("tasks", query.limit, query.cursor.as_deref())?;
    let filter = filter(BulkRequest {
        status: query.status,
        workflow: query.workflow,
        media: query.media,
        storage: query.storage,
        since: query.since,
        until: query.until,
        text: query.text,
    })?;
    let rows = state
        .store
        .list_tasks(filter, wanted.after.clone(), wanted.rows())
        .await?;
    Ok(Json(wanted.page(
        "tasks",
        rows,
        |row| row.id.as_str().to_owned(),
        Into::into,
    )))
}

fn filter(asked: BulkRequest) -> Answer<TaskFilter> {
    let status = asked
        .status
        .map(|word| {
            TaskStatus::parse(&word).ok_or_else(|| {
                Problem::bad_request(
                    "BadStatus",
                    format!("there is no task status {word}"),
                    "Use Init, Processing, Succeed, Failed or Canceled.",
                )
            })
        })
        .transpose()?;
    Ok(TaskFilter {
        status,
        workflow: asked.workflow,
        media: asked.media,
        storage: asked.storage,
        since: asked.since.map(|text| time("since", &text)).transpose()?,
        until: asked.until.map(|text| time("until", &text)).transpose()?,
        text: sought("text", asked.text)?,
    })
}

/// One task with its activities, jobs, attempts, outputs, events and deliveries.
#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "tasks", params(("id" = String, Path,)),
    responses((status = 200, body = TaskDetailView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<TaskDetailView>> {
    let id = TaskId::from(id);
    let detail = state.store.show_task(&id).await?;
    let outputs = state.store.outputs_of_task(&id).await?;
    let of_task = EventFilter {
        task: Some(id.clone()),
        ..EventFilter::default()
    };
    let events = state.store.events(of_task, None, SHOWN_WITH_TASK).await?;
    let deliveries = crate::web::api::deliveries::of_task(&state, &id, SHOWN_WITH_TASK).await?;
    let reviews = reviews::of_task(&state, id.as_str(), SHOWN_WITH_TASK).await?;
    let running = running_of(&state, &id);
    let source = state.store.media(&detail.task.media).await?;
    Ok(Json(TaskDetailView {
        parts: PartsView::of(&source.source.object, source.parts),
        task: detail.task.into(),
        overrides: shown_wishes(detail.asked),
        activities: detail
            .workflow
            .map(|workflow| workflow.activities.into_iter().map(Into::into).collect())
            .unwrap_or_default(),
        jobs: detail
            .jobs
            .into_iter()
            .map(|job| JobView::new(job, &running, &*state.progress))
            .collect(),
        attempts: detail.attempts.into_iter().map(Into::into).collect(),
        outputs: outputs
            .into_iter()
            .map(|output| OutputView::new(output, &state))
            .collect(),
        reviews,
        events: events.into_iter().map(Into::into).collect(),
        deliveries,
    }))
}

/// The caller's wishes without their secrets.
fn shown_wishes(asked: Value) -> Option<Value> {
    let wanted: Otherwise = serde_json::from_value(asked).ok()?;
    serde_json::to_value(wanted.without_secrets()).ok()
}

fn running_of(state: &WebState, task: &TaskId) -> Vec<Live> {
    let mut running = state.progress.running();
    running.retain(|live| live.task == *task);
    running
}

/// Stop a task. What is being published is finished first.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/cancel", tag = "tasks", params(("id" = String, Path,)),
    responses((status = 202, body = TaskView), (status = "default", body = Problem)))]
pub async fn cancel(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<(StatusCode, Json<TaskView>)> {
    wish_one(&state, &caller, Intent::Cancel, id).await
}

/// Run again what failed or was cancelled of an ended task.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/retry", tag = "tasks", params(("id" = String, Path,)),
    responses((status = 202, body = TaskView), (status = "default", body = Problem)))]
pub async fn retry(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<(StatusCode, Json<TaskView>)> {
    wish_one(&state, &caller, Intent::Retry, id).await
}

async fn wish_one(
    state: &WebState,
    caller: &Caller,
    intent: Intent,
    id: String,
) -> Answer<(StatusCode, Json<TaskView>)> {
    let id = TaskId::from(id);
    state.store.intend(&id, intent).await?;
    state.bells.scheduler.ring();
    state.audit(caller, verb(intent), id.as_str()).await;
    let task = state.store.show_task_summary(&id).await?;
    Ok((StatusCode::ACCEPTED, Json(task.into())))
}

/// Stop every task that the filters find and that has not ended.
#[utoipa::path(post, path = "/api/v1/tasks/cancel", tag = "tasks", request_body = BulkRequest,
    responses((status = 202, body = BulkAnswer), (status = "default", body = Problem)))]
pub async fn cancel_many(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<BulkRequest>,
) -> Answer<(StatusCode, Json<BulkAnswer>)> {
    wish_many(&state, &caller, Intent::Cancel, request).await
}

/// Run again every task that the filters find and that failed or was cancelled.
#[utoipa::path(post, path = "/api/v1/tasks/retry", tag = "tasks", request_body = BulkRequest,
    responses((status = 202, body = BulkAnswer), (status = "default", body = Problem)))]
pub async fn retry_many(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<BulkRequest>,
) -> Answer<(StatusCode, Json<BulkAnswer>)> {
    wish_many(&state, &caller, Intent::Retry, request).await
}

/// Forget a task that has ended, with its jobs, attempts and events. Files stay, and so does what is still to be delivered.
#[utoipa::path(delete, path = "/api/v1/tasks/{id}", tag = "tasks", params(("id" = String, Path,)),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn delete(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<StatusCode> {
    let id = TaskId::from(id);
    let task = state.store.show_task_summary(&id).await?;
    while !state.store.forget_task(&id).await? {}
    let detail = json!({ "workflow": task.workflow_name, "object": task.object.to_string() });
    state.audit_with(&caller, "task.delete", id.as_str(), detail).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Forget every task that the filters find and that has ended, with its jobs, attempts and events. Files stay, and so does
/// what is still to be delivered. A call works for some seconds at most; `more` says that it left some.
#[utoipa::path(post, path = "/api/v1/tasks/delete", tag = "tasks", request_body = BulkRequest,
    responses((status = 200, body = DeletedAnswer), (status = "default", body = Problem)))]
pub async fn delete_many(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<BulkRequest>,
) -> Answer<Json<DeletedAnswer>> {
    let asked = serde_json::to_value(&request).unwrap_or_default();
    let filter = filter(request)?;
    let began = Instant::now();
    let mut answer = DeletedAnswer { tasks: 0, more: true };
    while answer.more && began.elapsed() < DELETE_WITHIN {
        let forgotten = state.store.forget_tasks(filter.clone(), DELETE_AT_ONCE).await?;
        answer.tasks += u64::try_from(forgotten.tasks).unwrap_or(0);
        answer.more = forgotten.more;
    }
    let detail = json!({ "filter": asked, "tasks": answer.tasks });
    state
        .audit_with(&caller, "task.delete", &format!("{} tasks", answer.tasks), detail)
        .await;
    Ok(Json(answer))
}

async fn wish_many(
    state: &WebState,
    caller: &Caller,
    intent: Intent,
    request: BulkRequest,
) -> Answer<(StatusCode, Json<BulkAnswer>)> {
    let asked = serde_json::to_value(&request).unwrap_or_default();
    let filter = filter(request)?;
    let tasks = state.store.intend_all(filter, intent).await?;
    state.bells.scheduler.ring();
    let detail = json!({ "filter": asked, "tasks": tasks });
    state
        .audit_with(caller, verb(intent), &format!("{tasks} tasks"), detail)
        .await;
    let tasks = u64::try_from(tasks).unwrap_or(u64::MAX);
    Ok((StatusCode::ACCEPTED, Json(BulkAnswer { tasks })))
}

/// The deed as the audit log names it.
fn verb(intent: Intent) -> &'static str {
    match intent {
        Intent::Cancel => "task.cancel",
        Intent::Retry => "task.retry",
    }
}

/// One job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path,)),
    responses((status = 200, body = JobView), (status = "default", body = Problem)))]
pub async fn show_job(State(state): State<WebState>, Named(id): Named) -> Answer<Json<JobView>> {
    let job = state.store.show_job(&JobId::from(id)).await?;
    let running = running_of(&state, &job.task);
    Ok(Json(JobView::new(job, &running, &*state.progress)))
}

/// Run one failed or cancelled job of an ended task again, and what was skipped because of it.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path,)),
    responses((status = 202, body = JobView), (status = "default", body = Problem)))]
pub async fn retry_job(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<(StatusCode, Json<JobView>)> {
    let id = JobId::from(id);
    state.store.intend_job_retry(&id).await?;
    state.bells.scheduler.ring();
    state.audit(&caller, "job.retry", id.as_str()).await;
    let job = state.store.show_job(&id).await?;
    Ok((StatusCode::ACCEPTED, Json(JobView::new(job, &[], &*state.progress))))
}
