//! The program itself: health, numbers, version, queue, drain, backup.
//!
//! Guarantees: `/healthz` says that requests are answered, `/readyz` that work can be done; neither tells strangers
//! more. Deliberately absent: configuration, which is a file.

use crate::base::clock::UtcMs;
use crate::telemetry::metrics::Metric;
use crate::web::api::alerts;
use crate::web::api::alerts::AlertView;
use crate::web::api::devices;
use crate::web::api::devices::GpuView;
use crate::web::api::host;
use crate::web::api::host::HostView;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Given;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use utoipa::ToSchema;

/// The program and its queue, now.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemView {
    /// Version of the program.
    version: String,
    /// When it started.
    started_at: String,
    /// Seconds since then.
    uptime_s: i64,
    /// What links begin with.
    public_url: String,
    /// No new attempts are started.
    draining: bool,
    /// Threads that attempts may keep busy together.
    threads: u32,
    /// Attempts that may run at once.
    attempts: u32,
    /// The host now: processors, memory, network, room.
    host: HostView,
    /// NVIDIA devices.
    gpu: GpuView,
    /// What waits and what runs.
    queue: QueueView,
    /// The newest open alerts.
    alerts: Vec<AlertView>,
    /// What a new installation still needs, in the order to make it; empty: it can work.
    missing: Vec<Missing>,
}

/// What a new installation needs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// A user who may log in; until then there is the admin token alone.
    User,
    /// A storage.
    Storage,
    /// An enabled workflow besides those that ship.
    Workflow,
}

/// What waits and what runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueView {
    /// Tasks that have not ended, by status.
    tasks: BTreeMap<String, i64>,
    /// Jobs that could run now or at their next time.
    ready_jobs: i64,
    /// Attempts that run or publish.
    running_attempts: i64,
    /// Deliveries that are not done, by status.
    deliveries: BTreeMap<String, i64>,
    /// Reviews that wait for a person, 1000 at most.
    reviews_waiting: i64,
}

/// Reviews are counted up to this: a badge says no more.
const REVIEWS_COUNTED: i64 = 1_000;

/// Whether to drain.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DrainRequest {
    /// True: start no new attempts.
    on: bool,
}

/// Where a backup goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// Absolute path on the daemon's host of a file that does not exist.
    #[schema(value_type = String)]
    file: PathBuf,
}

/// A backup that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackupView {
    /// Where it lies.
    #[schema(value_type = String)]
    file: PathBuf,
    /// Bytes.
    size_bytes: u64,
}

/// Requests are answered.
#[utoipa::path(get, path = "/healthz", tag = "system", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Work can be done: everything has started and the database answers.
#[utoipa::path(get, path = "/readyz", tag = "system", security(()),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 503, body = Problem)))]
pub async fn readyz(State(state): State<WebState>) -> Answer<&'static str> {
    let not_ready = |why: &str| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "NotReady",
            why,
            "Wait; if it stays so, read the daemon's log.",
        )
    };
    if !state.ready.load(Ordering::Acquire) {
        return Err(not_ready("the daemon is starting"));
    }
    if state.stopping.is_cancelled() {
        return Err(not_ready("the daemon is stopping"));
    }
    match state.store.last_event_seq().await {
        Ok(_) => Ok("ready\n"),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            Err(not_ready("the database does not answer"))
        }
    }
}

/// Numbers in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "system",
    responses((status = 200, body = String, content_type = "text/plain"), (status = "default", body = Problem)))]
pub async fn metrics(State(state): State<WebState>) -> Answer<Response> {
    let counts = state.store.count_by_status().await?;
    for status in ["Init", "Processing"] {
        state
            .metrics
            .set_labelled(Metric::Tasks, status, count_of(&counts.tasks, status));
    }
    for status in ["pending", "dead"] {
        state
            .metrics
            .set_labelled(Metric::Deliveries, status, count_of(&counts.deliveries, status));
    }
    state
        .metrics
        .set_labelled(Metric::Jobs, "ready", counts.ready_jobs as f64);
    state
        .metrics
        .set(Metric::AttemptsRunning, counts.running_attempts as f64);
    let draining = state.draining.load(Ordering::Acquire);
    state.metrics.set(Metric::Draining, f64::from(u8::from(draining)));
    state.metrics.set_labelled(Metric::Info, env!("CARGO_PKG_VERSION"), 1.0);
    state
        .metrics
        .set(Metric::StartTime, state.about.started.0 as f64 / 1000.0);
    for storage in state.storages.storages() {
        let unavailable = !storage.available || storage.frozen.is_some();
        state.metrics.set_labelled(
            Metric::StorageUnavailable,
            &storage.name,
            f64::from(u8::from(unavailable)),
        );
    }
    devices::measure(&state).await;
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((content_type, state.metrics.prometheus()).into_response())
}

fn count_of(counts: &[(String, i64)], status: &str) -> f64 {
    counts
        .iter()
        .find(|(word, _)| word == status)
        .map_or(0.0, |(_, count)| *count as f64)
}

/// The program and its queue, now.
#[utoipa::path(get, path = "/api/v1/system", tag = "system",
    responses((status = 200, body = SystemView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>) -> Answer<Json<SystemView>> {
    let counts = state.store.count_by_status().await?;
    let done = state.store.first_steps().await?;
    let steps = [
        (done.user, Missing::User),
        (!state.storages.storages().is_empty(), Missing::Storage),
        (done.workflow, Missing::Workflow),
    ];
    Ok(Json(SystemView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: state.about.started.wire(),
        uptime_s: (UtcMs::now().0 - state.about.started.0) / 1000,
        public_url: state.about.public_url.clone(),
        draining: state.draining.load(Ordering::Acquire),
        threads: state.about.threads,
        attempts: state.about.attempts,
        host: host::view(&state.host),
        gpu: devices::view(&state).await,
        queue: QueueView {
            tasks: counts.tasks.into_iter().collect(),
            ready_jobs: counts.ready_jobs,
            running_attempts: counts.running_attempts,
            deliveries: counts.deliveries.into_iter().collect(),
            reviews_waiting: state.store.reviews_waiting(REVIEWS_COUNTED).await?,
        },
        alerts: alerts::open(&state).await?,
        missing: steps
            .into_iter()
            .filter_map(|(done, step)| (!done).then_some(step))
            .collect(),
    }))
}

/// Start no new attempts, or start them again. Lasts until the program restarts.
#[utoipa::path(post, path = "/api/v1/system/drain", tag = "system", request_body = DrainRequest,
    responses((status = 200, body = SystemView), (status = "default", body = Problem)))]
pub async fn drain(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<DrainRequest>,
) -> Answer<Json<SystemView>> {
    let was_on = state.draining.swap(request.on, Ordering::AcqRel);
    state.bells.scheduler.ring();
    // Whoever asks again only wants to know what still runs.
    if was_on != request.on {
        let word = if request.on { "on" } else { "off" };
        state.audit(&caller, "system.drain", word).await;
    }
    show(State(state)).await
}

/// Write a whole copy of the database to a new file on the daemon's host.
#[utoipa::path(post, path = "/api/v1/system/backup", tag = "system", request_body = BackupRequest,
    responses((status = 201, body = BackupView), (status = "default", body = Problem)))]
pub async fn backup(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<BackupRequest>,
) -> Answer<(StatusCode, Json<BackupView>)> {
    if !request.file.is_absolute() {
        return Err(Problem::unacceptable(
            "BadPath",
            format!("{} is not an absolute path", request.file.display()),
            "Name a file by its whole path on the daemon's host.",
        ));
    }
    let copied = state.store.backup(&request.file).await;
    alerts::backup_ended(&state, &copied).await;
    copied?;
    let size_bytes = tokio::fs::metadata(&request.file)
        .await
        .map_or(0, |metadata| metadata.len());
    state
        .audit(&caller, "system.backup", &request.file.display().to_string())
        .await;
    let made = BackupView {
        file: request.file,
        size_bytes,
    };
    Ok((StatusCode::CREATED, Json(made)))
}
