//! Storages: what they are, how they are, and what can be asked of them.
//!
//! Guarantees: nothing here waits for a storage; keys are never shown. Deliberately absent: making storages
//! (`made_storages`), and why an object was not triggered (`explain`).

use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::ports::StorageOrigin;
use crate::web::ports::StorageState;
use crate::web::ports::StorageWritten;
use crate::web::state::WebState;
use crate::workflow::storage::Definition;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// One storage.
#[derive(Debug, Serialize, ToSchema)]
pub struct StorageView {
    /// Its name, which is its id.
    id: String,
    /// Its name.
    name: String,
    /// When it was made; of one in the configuration file, when the program started.
    created_at: String,
    /// When it was last changed through the API.
    modified_at: Option<String>,
    /// file (read-only here) or api.
    origin: String,
    /// folder or s3.
    kind: String,
    /// broken: it cannot be used as it is written. waiting: nobody has looked yet. scanning: its first scan goes on. available. unavailable: it does not answer.
    /// frozen: what is there is not believed to be the storage, so nothing of it is triggered until it is as it was, or
    /// is thawed.
    status: String,
    /// Why it is unavailable or frozen.
    why: Option<String>,
    /// What deserves a look though everything goes on; the same as `why` where there is one.
    note: Option<String>,
    /// How it is watched now: inotify, poll, list (buckets) or off; waiting before the first look.
    watch: String,
    /// Path of a folder, address and bucket of S3.
    location: String,
    /// Type of its file system as far as triggers care: local, nfs, cifs, fuse ...
    file_system: Option<String>,
    /// Room for this user in its file system, bytes.
    free_bytes: Option<u64>,
    /// Size of its file system, bytes.
    total_bytes: Option<u64>,
    /// Objects known.
    objects: u64,
    /// Objects seen that have not settled.
    backlog: u64,
    /// Those of them that wait longest, at most twenty.
    waiting: Vec<WaitingView>,
    /// How many of them wait until somebody does something: a wrong checksum, an order that cannot be done, a missing right.
    troubled: u64,
    /// When its last complete scan ended.
    last_scan_at: Option<String>,
    /// How long that scan took, milliseconds.
    last_scan_took_ms: Option<u64>,
    /// The whole scan that goes on now.
    scan: Option<ScanView>,
    /// Calls to the service in the last hour; buckets only.
    calls_per_hour: Option<u64>,
    /// How it is written, without keys.
    #[schema(value_type = Option<crate::workflow::storage::Definition>)]
    settings: Option<Definition>,
    /// Names of its keys that are set.
    secrets: Vec<String>,
}

/// An object that was seen and has not settled.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingView {
    /// Its key.
    key: String,
    /// Bytes when it was last looked at.
    size_bytes: u64,
    /// Since when it is looked at.
    since: String,
    /// What it waits for; none: for nothing but the usual looks.
    why: Option<String>,
}

/// How far a scan is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanView {
    /// When it began.
    began_at: String,
    /// Objects it has met so far.
    found: u64,
    /// About how many there are: what the scan before met.
    expected: Option<u64>,
    /// It is the first scan of the storage: what it meets triggers nothing.
    first: bool,
}

fn view(state: &WebState, storage: StorageState, written: Option<&StorageWritten>) -> StorageView {
    let fault = written.and_then(|written| written.fault.clone());
    let status = match fault {
        Some(_) => "broken",
        None => storage.status(),
    };
    let why = fault.or_else(|| storage.why().map(str::to_owned));
    let (created, modified) = match written.map(|written| written.origin) {
        Some(StorageOrigin::Api { created, modified }) => (created, Some(modified)),
        Some(StorageOrigin::File) | None => (state.about.started, None),
    };
    let (settings, secrets) = written.map(|written| written.definition.shown()).unzip();
    StorageView {
        id: storage.name.clone(),
        name: storage.name,
        created_at: created.wire(),
        modified_at: modified.map(|at| at.wire()),
        origin: if modified.is_some() { "api" } else { "file" }.to_owned(),
        kind: storage.kind,
        status: status.to_owned(),
        note: why.clone().or(storage.note),
        why,
        watch: storage.watch,
        location: storage.location,
        file_system: Some(storage.file_system).filter(|name| !name.is_empty()),
        free_bytes: storage.space.map(|(free_bytes, _)| free_bytes),
        total_bytes: storage.space.map(|(_, total_bytes)| total_bytes),
        objects: storage.objects,
        backlog: storage.backlog,
        waiting: storage
            .waiting
            .into_iter()
            .map(|one| WaitingView {
                key: one.key,
                size_bytes: one.size_bytes,
                since: one.since.wire(),
                why: one.why,
            })
            .collect(),
        troubled: storage.troubled,
        last_scan_at: storage.last_scan.map(|at| at.wire()),
        last_scan_took_ms: storage.last_scan.map(|_| storage.last_scan_ms),
        scan: storage.scan.map(|scan| ScanView {
            began_at: scan.began.wire(),
            found: scan.found,
            expected: scan.expected,
            first: scan.first,
        }),
        calls_per_hour: storage.calls_per_hour,
        settings,
        secrets: secrets.unwrap_or_default(),
    }
}

/// List storages with their state.
#[utoipa::path(get, path = "/api/v1/storages", tag = "storages",
    responses((status = 200, body = Page<StorageView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>) -> Answer<Json<Page<StorageView>>> {
    Ok(Json(Page {
        items: views(&state, None).await?,
        next: None,
    }))
}

/// One storage with its state.
#[utoipa::path(get, path = "/api/v1/storages/{name}", tag = "storages", params(("name" = String, Path,)),
    responses((status = 200, body = StorageView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(name): Named) -> Answer<Json<StorageView>> {
    Ok(Json(one(&state, &name).await?))
}

/// The storage of this name as it is shown.
pub(super) async fn one(state: &WebState, name: &str) -> Answer<StorageView> {
    let found = views(state, Some(name)).await?.pop();
    found.ok_or_else(|| Problem::not_found("storage", name))
}

/// Those that run, and those that were made and cannot be used.
async fn views(state: &WebState, only: Option<&str>) -> Answer<Vec<StorageView>> {
    let is_wanted = |name: &str| only.is_none_or(|only| only == name);
    let written = state.made_storages.written().await?;
    let of = |name: &str| written.iter().find(|written| written.definition.name == name);
    let running = state.storages.storages();
    let broken = written.iter().filter(|written| {
        let name = &written.definition.name;
        is_wanted(name) && written.fault.is_some() && !running.iter().any(|storage| storage.name == *name)
    });
    let broken = broken.map(|written| {
        let definition = &written.definition;
        let storage = StorageState {
            name: definition.name.clone(),
            kind: definition.kind().to_owned(),
            location: definition.endpoint.clone().unwrap_or_else(|| definition.path.clone()),
            watch: "off".to_owned(),
            ..StorageState::default()
        };
        view(state, storage, Some(written))
    });
    let mut views: Vec<StorageView> = broken.collect();
    let running = running.iter().filter(|storage| is_wanted(&storage.name));
    views.extend(running.map(|storage| view(state, storage.clone(), of(&storage.name))));
    views.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(views)
}

/// The storage of this name as it is now.
pub(super) fn known(state: &WebState, name: &str) -> Answer<StorageState> {
    let storages = state.storages.storages();
    let found = storages.into_iter().find(|storage| storage.name == name);
    found.ok_or_else(|| Problem::not_found("storage", name))
}

/// Scan a storage now.
#[utoipa::path(post, path = "/api/v1/storages/{name}/scan", tag = "storages", params(("name" = String, Path,)),
    responses((status = 202), (status = "default", body = Problem)))]
pub async fn scan(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Answer<StatusCode> {
    known(&state, &name)?;
    if !state.storages.scan(&name) {
        return Err(Problem::conflict(
            "NotWatched",
            format!("storage {name} is not watched"),
            "Set its watch key to auto, inotify or poll.",
        ));
    }
    state.bells.trigger.ring();
    state.audit(&caller, "storage.scan", &name).await;
    Ok(StatusCode::ACCEPTED)
}

/// Take what is in a frozen storage now for the storage: what is missing is noted as gone, what is new runs.
#[utoipa::path(post, path = "/api/v1/storages/{name}/thaw", tag = "storages", params(("name" = String, Path,)),
    responses((status = 202), (status = "default", body = Problem)))]
pub async fn thaw(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Answer<StatusCode> {
    let storage = known(&state, &name)?;
    if storage.frozen.is_none() {
        return Err(Problem::conflict(
            "NotFrozen",
            format!("storage {name} is not frozen"),
            "Nothing needs to be done; GET /api/v1/storages says how it is.",
        ));
    }
    if !state.storages.thaw(&name) {
        return Err(Problem::not_found("storage", &name));
    }
    state.audit(&caller, "storage.thaw", &name).await;
    Ok(StatusCode::ACCEPTED)
}
