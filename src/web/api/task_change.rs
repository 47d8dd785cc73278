//! What can be changed of a task that was started: its priority.
//!
//! Guarantees: what runs goes on; what does not run yet takes its new place. Deliberately absent: anything else of a task,
//! which runs as it was started.

use crate::base::ids::TaskId;
use crate::web::api::starting;
use crate::web::api::task_view::TaskView;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// What shall be other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskChangeRequest {
    /// -10 (last) to 10 (first).
    priority: i64,
}

/// Change the priority of a task that waits or runs. What of it runs already goes on.
#[utoipa::path(patch, path = "/api/v1/tasks/{id}", tag = "tasks", request_body = TaskChangeRequest,
    params(("id" = String, Path,)),
    responses((status = 200, body = TaskView), (status = "default", body = Problem)))]
pub async fn change(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    Given(request): Given<TaskChangeRequest>,
) -> Answer<Json<TaskView>> {
    let priority = starting::checked_priority(request.priority)?;
    let id = TaskId::from(id);
    let before = state.store.prioritize(&id, priority).await?;
    if before != priority {
        state.bells.scheduler.ring();
        let detail = json!({ "priority": { "old": before, "new": priority } });
        state.audit_with(&caller, "task.change", id.as_str(), detail).await;
    }
    Ok(Json(state.store.show_task_summary(&id).await?.into()))
}
