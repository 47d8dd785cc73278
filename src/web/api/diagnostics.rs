//! The bundle for whoever helps from far away.
//!
//! Guarantees: made of answers that show no secret; what cannot be had is said in its place and hinders nothing else.
//! Deliberately absent: media, names of people, tokens, bodies of events.

use crate::base::bundle;
use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::web::api::host;
use crate::web::api::system;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::state::WebState;
use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;

/// Failed attempts that are told of.
const ATTEMPTS: usize = 20;

/// Everything that helps to find out what is wrong, as one archive: version, checks, settings without secrets, host,
/// queue, alerts, the last failed attempts with their logs, sizes, metrics.
#[utoipa::path(post, path = "/api/v1/system/diagnostics", tag = "system",
    responses((status = 200, body = Vec<u8>, content_type = "application/gzip"), (status = "default", body = Problem)))]
pub async fn make(State(state): State<WebState>, Extension(caller): Extension<Caller>) -> Answer<Response> {
    let files = files(&state).await;
    let now = UtcMs::now();
    let folder = bundle::diagnostics_name(now);
    let made = {
        let folder = folder.clone();
        tokio::task::spawn_blocking(move || bundle::archive(&folder, &files, now)).await
    };
    let cause = match made {
        Ok(Ok(bytes)) => {
            state.audit(&caller, "system.diagnostics", "").await;
            let headers = [
                (header::CONTENT_TYPE, "application/gzip".to_owned()),
                (
                    header::CONTENT_DISPOSITION,
                    format!("attachment; filename=\"{folder}.tar.gz\""),
                ),
            ];
            return Ok((headers, bytes).into_response());
        }
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    let fault = Fault::new(
        "DiagnosticsFailed",
        Blame::Bug,
        "make",
        "the diagnostics",
        cause,
        "Send the journal of the daemon instead.",
    );
    Err(fault.into())
}

fn json_file(name: &str, value: &Value) -> (String, Vec<u8>) {
    (name.to_owned(), serde_json::to_vec_pretty(value).unwrap_or_default())
}

fn said<T>(answer: Result<T, impl std::fmt::Display>, show: impl FnOnce(T) -> Value) -> Value {
    match answer {
        Ok(value) => show(value),
        Err(error) => json!({ "missing": error.to_string() }),
    }
}

fn plain(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

async fn files(state: &WebState) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![json_file(
        "about.json",
        &json!({
            "version": env!("CARGO_PKG_VERSION"), "made_at": UtcMs::now().wire(), "started_at": state.about.started.wire(),
            "kernel": read("/proc/sys/kernel/osrelease"), "os": read("/etc/os-release"),
        }),
    )];
    let system = system::show(State(state.clone())).await;
    files.push(json_file(
        "system.json",
        &said(system.map_err(|problem| problem.detail), |view| plain(&view.0)),
    ));
    files.push(json_file(
        "host.json",
        &plain(&host::show(State(state.clone())).await.0),
    ));
    files.push(json_file("settings.json", &plain(&state.about.settings)));
    files.push(json_file("checks.json", &(state.check)().await));
    let attempts = state.store.failed_attempts(ATTEMPTS).await;
    files.push(json_file(
        "failed_attempts.json",
        &said(attempts, |attempts| {
            let one = |attempt: crate::store::attempt_logs::FailedAttempt| {
                let fault = attempt.fault.and_then(|text| serde_json::from_str::<Value>(&text).ok());
                json!({ "id": attempt.id, "task": attempt.task, "outcome": attempt.outcome, "fault": fault,
                    "log": attempt.log.map(|log| log.lines().map(str::to_owned).collect::<Vec<_>>()) })
            };
            attempts.into_iter().map(one).collect()
        }),
    ));
    files.push(json_file(
        "database.json",
        &said(state.store.anatomy().await, |anatomy| anatomy),
    ));
    let storages = state.storages.storages();
    let storages = storages
        .iter()
        .map(|storage| json!({ "name": storage.name, "available": storage.available, "frozen": storage.frozen }));
    files.push(json_file("storages.json", &storages.collect()));
    files.push(("metrics.txt".to_owned(), state.metrics.prometheus().into_bytes()));
    files
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(file).ok().map(|text| text.trim().to_owned())
}
