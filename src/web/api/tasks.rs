//! Tasks: start, list, show, cancel, retry, one by one or by filter; and jobs.
//!
//! Guarantees: a task is started only when its workflow runs and its object is there; the same Idempotency-Key of the
//! same caller starts one task. Deliberately absent: carrying out a cancel or a retry; both are wishes in the store.

use crate::base::clock::UtcMs;
use crate::base::ids::JobId;
use crate::base::ids::TaskId;
use crate::events::TriggerSource;
use crate::objects::uri::ObjectUri;
use crate::store::events::EventFilter;
use crate::store::intents::Intent;
use crate::store::listing::tasks::TaskFilter;
use crate::store::listing::tasks::TaskSummary;
use crate::store::media::Source;
use crate::store::tasks::Overrides;
use crate::store::tasks::StartTask;
use crate::web::api::deliveries::DeliveryView;
use crate::web::api::events::EventView;
use crate::web::api::outputs::OutputView;
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
use crate::web::ports::Live;
use crate::web::state::WebState;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::selector;
use crate::workflow::selector::ArrivalFacts;
use crate::workflow::selector::WhyNot;
use crate::workflow::status::TaskStatus;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;
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
    /// The object, `storage:key`.
    object: String,
    /// Echoed in every event; anything but a string is kept as JSON text.
    #[serde(default)]
    user_data: Option<Value>,
    /// -10 (last) to 10 (first).
    #[serde(default)]
    priority: i64,
    /// Run it though the object lies outside the workflow's storage, prefix or extensions.
    #[serde(default)]
    skip_path_check: bool,
}

/// Which tasks, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only those of this status.
    status: Option<String>,
    /// Only those of this workflow, by id or name.
    workflow: Option<String>,
    /// Only those over this media.
    media: Option<String>,
    /// Only those whose object or user data contain this text.
    text: Option<String>,
    /// How many, 1 to 500.
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
    /// The activities of the workflow version it runs.
    activities: Vec<ActivityView>,
    /// Its jobs, needs before dependants.
    jobs: Vec<JobView>,
    /// Its attempts, first to last.
    attempts: Vec<AttemptView>,
    /// Its outputs, with links.
    outputs: Vec<OutputView>,
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
    let object = ObjectUri::parse(&request.object).ok_or_else(|| {
        Problem::unacceptable(
            "BadObject",
            format!("the object is \"{}\"", request.object),
            "Write it as STORAGE:KEY, for example ingest:incoming/clip.mp4.",
        )
    })?;
    if !(-10..=10).contains(&request.priority) {
        return Err(Problem::unacceptable(
            "BadPriority",
            format!("the priority is {}", request.priority),
            "Use -10 to 10.",
        ));
    }
    let user_data = request.user_data.and_then(|value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    });
    // What was started once is answered again whatever has become of its workflow and its object since.
    let again = |task: TaskSummary| -> Answer<(StatusCode, Json<TaskView>)> {
        let same = [task.workflow.as_str(), task.workflow_name.as_str()].contains(&request.workflow.as_str())
            && task.object == object
            && task.user_data == user_data
            && task.priority == request.priority;
        if same {
            return Ok((StatusCode::OK, Json(task.into())));
        }
        Err(Problem::conflict(
            "IdempotencyKeyReused",
            format!(
                "the Idempotency-Key was used before, for task {}, with another request",
                task.id
            ),
            "Use a new key for a new request.",
        ))
    };
    let key = idempotency_key(&headers, &caller)?;
    if let Some(key) = &key
        && let Some(task) = state.store.task_by_idempotency_key(key).await?
    {
        return again(task);
    }
    let workflow = state.store.workflow(&request.workflow).await?;
    if !workflow.enabled {
        return Err(Problem::conflict(
            "WorkflowDisabled",
            format!("workflow {} is disabled", workflow.name),
            "Enable it first: POST /api/v1/workflows/ID/enable.",
        ));
    }
    if !request.skip_path_check {
        check_path(&workflow.resolved, &object)?;
    }
    let head = state.objects.head(&object).await?.ok_or_else(|| {
        Problem::unacceptable(
            "ObjectNotFound",
            format!("there is no object {object}"),
            "Check the storage and the key.",
        )
    })?;
    let start = StartTask {
        workflow: workflow.id.as_str().to_owned(),
        source: Source {
            object: object.clone(),
            size_bytes: head.size_bytes,
            mtime_ns: head.mtime_ns,
            etag: head.etag,
        },
        trigger: TriggerSource::Api,
        user_data: user_data.clone(),
        priority: request.priority,
        overrides: Overrides::default(),
        idempotency_key: key,
    };
    let started = state.store.start_task(start, UtcMs::now()).await?;
    let task = state.store.show_task_summary(&started.task).await?;
    if !started.new {
        return again(task);
    }
    state.bells.scheduler.ring();
    state.audit(&caller, "task.start", task.id.as_str()).await;
    Ok((StatusCode::CREATED, Json(task.into())))
}

/// Whether the workflow takes the object, apart from how it is triggered.
fn check_path(workflow: &ResolvedWorkflow, object: &ObjectUri) -> Answer<()> {
    let facts = ArrivalFacts {
        storage: &object.storage,
        key: &object.key,
    };
    match selector::select(workflow, &facts) {
        Ok(()) | Err(WhyNot::Manual { .. } | WhyNot::Library { .. }) => Ok(()),
        Err(why) => Err(Problem::unacceptable(
            "ObjectNotTaken",
            why.to_string(),
            "Choose an object the workflow takes, or send skip_path_check = true.",
        )),
    }
}

/// The caller's key, made its own: two callers may choose the same.
fn idempotency_key(headers: &HeaderMap, caller: &Caller) -> Answer<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=200).contains(&key.len()) => Ok(Some(format!("{}:{key}", caller.token))),
        _ => Err(Problem::bad_request(
            "BadIdempotencyKey",
            "the Idempotency-Key is empty, longer than 200 bytes, or not ASCII",
            "Send something like a UUID.",
        )),
    }
}

/// List tasks, newest first.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks", params(ListQuery),
    responses((status = 200, body = Page<TaskView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<TaskView>>> {
    let wanted = Wanted::read("tasks", query.limit, query.cursor.as_deref())?;
    let filter = filter(query.status.as_deref(), query.workflow, query.media, query.text)?;
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

fn filter(
    status: Option<&str>,
    workflow: Option<String>,
    media: Option<String>,
    text: Option<String>,
) -> Answer<TaskFilter> {
    let status = status
        .map(|word| {
            TaskStatus::parse(word).ok_or_else(|| {
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
        workflow,
        media,
        text: text.filter(|text| !text.is_empty()),
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
        event_type: None,
    };
    let events = state.store.events(of_task, None, SHOWN_WITH_TASK).await?;
    let deliveries = crate::web::api::deliveries::of_task(&state, &id, SHOWN_WITH_TASK).await?;
    let running = running_of(&state, &id);
    Ok(Json(TaskDetailView {
        task: detail.task.into(),
        activities: detail
            .workflow
            .map(|workflow| workflow.activities.into_iter().map(Into::into).collect())
            .unwrap_or_default(),
        jobs: detail.jobs.into_iter().map(|job| JobView::new(job, &running)).collect(),
        attempts: detail.attempts.into_iter().map(Into::into).collect(),
        outputs: outputs
            .into_iter()
            .map(|output| OutputView::new(output, &state))
            .collect(),
        events: events.into_iter().map(Into::into).collect(),
        deliveries,
    }))
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
    let filter = filter(request.status.as_deref(), request.workflow, request.media, request.text)?;
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
    let filter = filter(request.status.as_deref(), request.workflow, request.media, request.text)?;
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
    Ok(Json(JobView::new(job, &running)))
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
    Ok((StatusCode::ACCEPTED, Json(JobView::new(job, &[]))))
}
