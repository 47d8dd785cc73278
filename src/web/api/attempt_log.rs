//! The log of an attempt.
//!
//! Guarantees: bounded text. Deliberately absent: attempts themselves, which a task shows.

use crate::base::ids::AttemptId;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Named;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// What is told of an attempt.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptLogView {
    /// The attempt.
    id: String,
    /// Lines, each with the seconds since it began, at most 64 KiB; none: it runs yet, or had no worker.
    text: Option<String>,
}

/// The log of an attempt, when it has ended.
#[utoipa::path(get, path = "/api/v1/attempts/{id}/log", tag = "tasks", params(("id" = String, Path,)),
    responses((status = 200, body = AttemptLogView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<AttemptLogView>> {
    let text = state.store.attempt_log(&AttemptId::from(id.as_str())).await?;
    Ok(Json(AttemptLogView { id, text }))
}
