//! Versions of a workflow: what it was when a task began.
//!
//! Guarantees: shows every version that a task may run. Deliberately absent: going back to one; its definition can be
//! applied again.

use crate::web::api::workflow_view;
use crate::web::api::workflow_view::VersionDetailView;
use crate::web::api::workflow_view::VersionView;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// List the versions of a workflow, newest first.
#[utoipa::path(get, path = "/api/v1/workflows/{id}/versions", tag = "workflows",
    params(("id" = String, Path, description = "id or name"), ListQuery),
    responses((status = 200, body = Page<VersionView>), (status = "default", body = Problem)))]
pub async fn list(
    State(state): State<WebState>,
    Named(id): Named,
    Asked(query): Asked<ListQuery>,
) -> Answer<Json<Page<VersionView>>> {
    let wanted = Wanted::read("versions", query.limit, query.cursor.as_deref())?;
    let before = wanted.after.as_deref().and_then(|version| version.parse().ok());
    let rows = state.store.workflow_versions(&id, before, wanted.rows()).await?;
    Ok(Json(wanted.page(
        "versions",
        rows,
        |row| row.version.to_string(),
        |row| VersionView::from(&row),
    )))
}

/// One version of a workflow with its definition.
#[utoipa::path(get, path = "/api/v1/workflows/{id}/versions/{version}", tag = "workflows",
    params(("id" = String, Path, description = "id or name"), ("version" = u32, Path, description = "from 1")),
    responses((status = 200, body = VersionDetailView), (status = "default", body = Problem)))]
pub async fn show(
    State(state): State<WebState>,
    Path((id, version)): Path<(String, String)>,
) -> Answer<Json<VersionDetailView>> {
    let number = version.parse().map_err(|_| {
        Problem::bad_request(
            "BadVersion",
            format!("{version:?} is no version"),
            "Versions are numbers from 1; list them with GET /api/v1/workflows/ID/versions.",
        )
    })?;
    let row = state.store.workflow_version(&id, number).await?;
    workflow_view::version_detail(&row).map(Json)
}
