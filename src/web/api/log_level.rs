//! What is logged, changed while the program runs: to look closely at what happens now without a restart.
//!
//! Guarantees: a level that is not understood changes nothing; the next start logs as the configuration says. Deliberately
//! absent: the log itself, which is the journal's.

use crate::telemetry::logging;
use crate::telemetry::logging::Levels;
use crate::telemetry::logging::LoggingError;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Given;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

/// Longest filter; one names a few modules.
const LEVEL_CHARS: usize = 1_000;

/// What is logged.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogLevelView {
    /// Now: error, warn, info, debug, trace, or a filter such as `info,reelmill::scheduler=debug`.
    level: String,
    /// What the program started with, and what holds again after the next start.
    started_with: String,
}

/// What shall be logged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLevelRequest {
    /// error, warn, info, debug, trace, or a filter such as `info,reelmill::scheduler=debug`; null: as at the start.
    #[schema(max_length = 1_000)]
    level: Option<String>,
}

impl From<Levels> for LogLevelView {
    fn from(levels: Levels) -> Self {
        LogLevelView {
            level: levels.level,
            started_with: levels.started_with,
        }
    }
}

/// What is logged.
#[utoipa::path(get, path = "/api/v1/system/log-level", tag = "system",
    responses((status = 200, body = LogLevelView), (status = "default", body = Problem)))]
pub async fn show() -> Answer<Json<LogLevelView>> {
    logging::levels()
        .map(|levels| Json(levels.into()))
        .ok_or_else(|| refusal(&LoggingError::Never))
}

/// Log more or less, until the next start.
#[utoipa::path(put, path = "/api/v1/system/log-level", tag = "system", request_body = LogLevelRequest,
    responses((status = 200, body = LogLevelView), (status = "default", body = Problem)))]
pub async fn change(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<LogLevelRequest>,
) -> Answer<Json<LogLevelView>> {
    let level = request.level.as_deref().map(str::trim);
    if level.is_some_and(|level| level.is_empty() || level.chars().count() > LEVEL_CHARS) {
        return Err(Problem::unacceptable(
            "BadLogLevel",
            "the log level is empty or too long",
            "Give error, warn, info, debug or trace, or null for the level of the configuration.",
        ));
    }
    let levels = logging::change(level).map_err(|error| refusal(&error))?;
    state.audit(&caller, "system.log_level", &levels.level).await;
    Ok(Json(levels.into()))
}

fn refusal(error: &LoggingError) -> Problem {
    match error {
        LoggingError::Level { .. } => Problem::unacceptable(
            "BadLogLevel",
            error.to_string(),
            "Give error, warn, info, debug or trace, or a filter such as info,reelmill::scheduler=debug.",
        ),
        LoggingError::Twice | LoggingError::Never => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "NoLogging",
            error.to_string(),
            "Restart the daemon.",
        ),
    }
}
