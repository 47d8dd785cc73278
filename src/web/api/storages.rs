//! Storages: what they are, how they are, and what can be asked of them.
//!
//! Guarantees: nothing here waits for a storage. Deliberately absent: adding storages, which the configuration does, and
//! why an object was not triggered (`explain`).

use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::ports::StorageState;
use crate::web::state::WebState;
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
    /// folder or s3.
    kind: String,
    /// waiting: nobody has looked yet. scanning: its first scan goes on. available. unavailable: it does not answer.
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

impl From<StorageState> for StorageView {
    fn from(storage: StorageState) -> Self {
        let status = storage.status();
        let why = storage.why().map(str::to_owned);
        StorageView {
            id: storage.name.clone(),
            name: storage.name,
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
        }
    }
}

/// List storages with their state.
#[utoipa::path(get, path = "/api/v1/storages", tag = "storages",
    responses((status = 200, body = Page<StorageView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>) -> Json<Page<StorageView>> {
    let items = state.storages.storages().into_iter().map(StorageView::from).collect();
    Json(Page { items, next: None })
}

/// One storage with its state.
#[utoipa::path(get, path = "/api/v1/storages/{name}", tag = "storages", params(("name" = String, Path,)),
    responses((status = 200, body = StorageView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(name): Named) -> Answer<Json<StorageView>> {
    Ok(Json(known(&state, &name)?.into()))
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
