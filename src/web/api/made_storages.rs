//! Storages that are made here: make, change, remove; and what anybody who may work can try: the storage itself, and a
//! test clip in it.
//!
//! Guarantees: keys go in and never come out; those of the configuration file are read-only here; what is answered with
//! yes is watched already. Deliberately absent: what is right for a storage, and watching.

use crate::web::api::storages;
use crate::web::api::storages::StorageView;
use crate::web::api::storages::known;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::ports::ProbeStep;
use crate::web::ports::StorageRefused;
use crate::web::state::WebState;
use crate::workflow::storage::Definition;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// How a storage is made.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Making {
    /// The folder is made where it is missing.
    make_folder: bool,
}

/// How a storage took a trial.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProbeView {
    /// Every step went well. A storage of sources alone need not be writable.
    ok: bool,
    /// The steps, in order; the first that fails may be the last.
    steps: Vec<StepView>,
}

/// One step of a trial.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepView {
    /// list, write, read or remove.
    step: String,
    /// It went well.
    ok: bool,
    /// Why it did not.
    error: Option<String>,
    /// What to do then.
    remedy: Option<String>,
    /// How long it took, milliseconds.
    took_ms: u64,
}

/// Which test clip to make.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SampleRequest {
    /// Its key; it ends in .mp4.
    key: String,
    /// How long it is, 1 to 60 seconds; none: 10.
    seconds: Option<u32>,
}

/// A test clip.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleView {
    /// The object, `storage:key`.
    object: String,
    /// Its storage.
    storage: String,
    /// Its key.
    key: String,
    /// Bytes.
    size_bytes: u64,
    /// How long it is, seconds.
    seconds: u32,
}

/// Where storages can be made.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroundView {
    /// Folders beneath which they may lie (`security.storage_roots`).
    roots: Vec<RootView>,
    /// Buckets may be served by this very host (`security.allow_local_buckets`).
    local_buckets: bool,
}

/// A folder beneath which storages may lie.
#[derive(Debug, Serialize, ToSchema)]
pub struct RootView {
    /// Where it is.
    path: String,
    /// It is there.
    is_there: bool,
    /// Room for this user in its file system, bytes.
    free_bytes: Option<u64>,
    /// Size of its file system, bytes.
    total_bytes: Option<u64>,
}

/// Make a storage. The same call made again answers what is there.
#[utoipa::path(post, path = "/api/v1/storages", tag = "storages", params(Making), request_body = Definition,
    responses((status = 200, body = StorageView, description = "It was there already, just so."),
        (status = 201, body = StorageView), (status = "default", body = Problem)))]
pub async fn create(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Asked(making): Asked<Making>,
    Given(definition): Given<Definition>,
) -> Answer<(StatusCode, Json<StorageView>)> {
    save(&state, &caller, definition, false, making).await
}

/// Make or change a storage. Keys that are left out stay as they are; an empty one is taken away. Its place changes only
/// while nothing goes on in it, its kind never.
#[utoipa::path(put, path = "/api/v1/storages/{name}", tag = "storages", params(("name" = String, Path,), Making),
    request_body = Definition,
    responses((status = 200, body = StorageView), (status = 201, body = StorageView),
        (status = "default", body = Problem)))]
pub async fn replace(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
    Asked(making): Asked<Making>,
    Given(mut definition): Given<Definition>,
) -> Answer<(StatusCode, Json<StorageView>)> {
    if definition.name.is_empty() {
        definition.name.clone_from(&name);
    }
    if definition.name != name {
        return Err(Problem::name_differs("storage", &name, &definition.name));
    }
    save(&state, &caller, definition, true, making).await
}

async fn save(
    state: &WebState,
    caller: &Caller,
    definition: Definition,
    replace: bool,
    making: Making,
) -> Answer<(StatusCode, Json<StorageView>)> {
    let name = definition.name.clone();
    let verb = if replace { "storage.apply" } else { "storage.create" };
    let place = json!({ "kind": definition.kind(), "path": definition.path, "endpoint": definition.endpoint,
        "bucket": definition.bucket });
    let saved = state.made_storages.save(definition, replace, making.make_folder).await;
    let new = saved.map_err(|refused| problem(refused, &name))?;
    state.audit_with(caller, verb, &name, place).await;
    // Workflows that name it wait for it perhaps.
    state.bells.trigger.ring();
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(storages::one(state, &name).await?)))
}

/// Remove a storage that nothing uses. What lies in it stays as it is.
#[utoipa::path(delete, path = "/api/v1/storages/{name}", tag = "storages", params(("name" = String, Path,)),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn delete(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Answer<StatusCode> {
    let removed = state.made_storages.remove(name.clone()).await;
    removed.map_err(|refused| problem(refused, &name))?;
    state.audit(&caller, "storage.delete", &name).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Try a storage: list it, write a small object, read it back, remove it.
#[utoipa::path(post, path = "/api/v1/storages/{name}/test", tag = "storages", params(("name" = String, Path,)),
    responses((status = 200, body = ProbeView), (status = "default", body = Problem)))]
pub async fn test(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Answer<Json<ProbeView>> {
    known(&state, &name)?;
    let steps = state.made_storages.probe(&name).await?;
    state.audit(&caller, "storage.test", &name).await;
    Ok(Json(ProbeView {
        ok: steps.iter().all(|step| step.error.is_none()),
        steps: steps.into_iter().map(step_view).collect(),
    }))
}

fn step_view(step: ProbeStep) -> StepView {
    StepView {
        step: step.name.to_owned(),
        ok: step.error.is_none(),
        error: step.error,
        remedy: step.remedy,
        took_ms: step.took_ms,
    }
}

/// Have a test clip made and put into a storage as somebody's file would come: its workflows take it.
#[utoipa::path(post, path = "/api/v1/storages/{name}/sample", tag = "storages", params(("name" = String, Path,)),
    request_body = SampleRequest,
    responses((status = 201, body = SampleView), (status = "default", body = Problem)))]
pub async fn sample(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
    Given(request): Given<SampleRequest>,
) -> Answer<(StatusCode, Json<SampleView>)> {
    const MOST: u32 = 60;
    let seconds = request.seconds.unwrap_or(10);
    if !(1..=MOST).contains(&seconds) {
        return Err(Problem::unacceptable(
            "BadSeconds",
            format!("{seconds} is out of range, 1 to {MOST}"),
            "Ask for a shorter one; `reelmill sample` makes longer ones.",
        ));
    }
    if !request.key.to_ascii_lowercase().ends_with(".mp4") {
        return Err(Problem::unacceptable(
            "BadKey",
            format!("{:?} does not end in .mp4, and that is what it is", request.key),
            "Give a key such as incoming/test-clip.mp4.",
        ));
    }
    known(&state, &name)?;
    let made = state.made_storages.sample(&name, &request.key, seconds).await;
    let made = made.map_err(|fault| match fault.code.as_ref() {
        "KeyTaken" | "SampleUnderWay" => Problem::of_fault(StatusCode::CONFLICT, &fault),
        _ => fault.into(),
    })?;
    state
        .audit(&caller, "storage.sample", &format!("{name}:{}", made.key))
        .await;
    // A folder that is polled need not be waited for.
    state.storages.scan(&name);
    let view = SampleView {
        object: format!("{name}:{}", made.key),
        storage: name,
        key: made.key,
        size_bytes: made.size_bytes,
        seconds,
    };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Where storages can be made.
#[utoipa::path(get, path = "/api/v1/system/storages", tag = "storages",
    responses((status = 200, body = GroundView), (status = "default", body = Problem)))]
pub async fn ground(State(state): State<WebState>) -> Json<GroundView> {
    let ground = state.made_storages.ground().await;
    let roots = ground.roots.into_iter().map(|root| RootView {
        path: root.path,
        is_there: root.is_there,
        free_bytes: root.space.map(|(free_bytes, _)| free_bytes),
        total_bytes: root.space.map(|(_, total_bytes)| total_bytes),
    });
    Json(GroundView {
        roots: roots.collect(),
        local_buckets: ground.local_buckets,
    })
}

fn problem(refused: StorageRefused, name: &str) -> Problem {
    match refused {
        StorageRefused::Unknown => Problem::not_found("storage", name),
        StorageRefused::Conflict(fault) => Problem::of_fault(StatusCode::CONFLICT, &fault),
        StorageRefused::Fault(fault) => (*fault).into(),
    }
}
