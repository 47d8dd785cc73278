//! Workflows: list, show, apply, enable, disable, copy, delete.
//!
//! Guarantees: what is applied was resolved first, so what is saved can run; definitions of files can only be enabled
//! and disabled, shipped ones neither edited, copied nor deleted; edits and deletions only while disabled.
//! Deliberately absent: `test`, which comes with dry runs.

use crate::base::clock::UtcMs;
use crate::store::workflows::Origin;
use crate::store::workflows::SaveWorkflow;
use crate::store::workflows::WorkflowRow;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use crate::workflow::definition::Definition;
use crate::workflow::resolve;
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::FromRequest;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// One workflow as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowView {
    /// Id.
    id: String,
    /// When it was first saved.
    created_at: String,
    /// When its newest version was saved, or it was enabled or disabled.
    modified_at: String,
    /// enabled or disabled.
    status: String,
    /// Its name.
    name: String,
    /// For people.
    description: String,
    /// file, api or preset: who may change it.
    origin: String,
    /// Whether it runs.
    enabled: bool,
    /// Its newest version.
    version: u32,
}

impl From<&WorkflowRow> for WorkflowView {
    fn from(row: &WorkflowRow) -> Self {
        WorkflowView {
            id: row.id.as_str().to_owned(),
            created_at: row.created_at.wire(),
            modified_at: row.modified_at.wire(),
            status: if row.enabled { "enabled" } else { "disabled" }.to_owned(),
            name: row.name.clone(),
            description: row.resolved.description.clone(),
            origin: row.origin.as_str().to_owned(),
            enabled: row.enabled,
            version: row.version,
        }
    }
}

/// A workflow with its definition.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowDetailView {
    /// The workflow.
    #[serde(flatten)]
    workflow: WorkflowView,
    /// Its definition as TOML, secrets replaced by `***`.
    definition: String,
    /// The same with templates merged, presets expanded and defaults filled.
    resolved: Value,
}

/// Which workflows, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only those whose name contains this.
    name: Option<String>,
    /// true or false: only those that run, or do not.
    enabled: Option<bool>,
    /// created: newest first (the default), or name.
    sort: Option<String>,
    /// How many, 1 to 500.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Name of a copy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyRequest {
    /// A name that no workflow has.
    name: String,
}

/// List workflows.
#[utoipa::path(get, path = "/api/v1/workflows", tag = "workflows", params(ListQuery),
    responses((status = 200, body = Page<WorkflowView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<WorkflowView>>> {
    let by_name = match query.sort.as_deref() {
        None | Some("created") => false,
        Some("name") => true,
        Some(other) => {
            return Err(Problem::bad_request(
                "BadSort",
                format!("workflows cannot be sorted by {other}"),
                "Use created or name.",
            ));
        }
    };
    let list = if by_name { "workflows by name" } else { "workflows" };
    let wanted = Wanted::read(list, query.limit, query.cursor.as_deref())?;
    let name = query.name.map(|name| name.to_lowercase());
    // There are dozens of workflows, not millions: the whole list is read and a page of it shown.
    let mut rows = state.store.workflows().await?;
    rows.retain(|row| {
        name.as_ref().is_none_or(|name| row.name.to_lowercase().contains(name))
            && query.enabled.is_none_or(|enabled| row.enabled == enabled)
    });
    let key = move |row: &WorkflowRow| {
        if by_name {
            row.name.clone()
        } else {
            format!("{:020}{}", row.created_at.0, row.id)
        }
    };
    rows.sort_by_key(key);
    if !by_name {
        rows.reverse();
    }
    if let Some(after) = &wanted.after {
        rows.retain(|row| if by_name { key(row) > *after } else { key(row) < *after });
    }
    Ok(Json(wanted.page(list, rows, key, |row| WorkflowView::from(&row))))
}

/// One workflow with its definition.
#[utoipa::path(get, path = "/api/v1/workflows/{id}", tag = "workflows",
    params(("id" = String, Path, description = "id or name")),
    responses((status = 200, body = WorkflowDetailView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<WorkflowDetailView>> {
    let row = state.store.workflow(&id).await?;
    detail(&row).map(Json)
}

fn detail(row: &WorkflowRow) -> Answer<WorkflowDetailView> {
    let mut resolved = row.resolved.clone();
    if let Some(key) = resolved
        .callback
        .inline
        .as_mut()
        .and_then(|inline| inline.auth_key.as_mut())
    {
        "***".clone_into(key);
    }
    Ok(WorkflowDetailView {
        workflow: row.into(),
        definition: written(row)?.without_secrets().to_toml(),
        resolved: serde_json::to_value(&resolved).unwrap_or(Value::Null),
    })
}

/// The definition as it was written.
fn written(row: &WorkflowRow) -> Answer<Definition> {
    let text = row.definition.trim_start();
    let read = if text.starts_with('{') {
        Definition::from_json(text)
    } else {
        Definition::from_toml(text)
    };
    read.map_err(|bad| {
        Problem::conflict(
            "DefinitionOfOtherVersion",
            format!("the saved definition of {} is not understood: {bad}", row.name),
            "It was saved by another version of the program; apply a corrected definition.",
        )
    })
}

/// A definition in the body of a request, TOML or JSON.
pub struct Sent {
    definition: Definition,
    text: String,
}

impl FromRequest<WebState> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Problem> {
        let media_type = extract::media_type(request.headers()).unwrap_or_else(|| "application/json".to_owned());
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(extract::body_problem)?;
        let text = String::from_utf8(bytes.to_vec())
            .map_err(|_| Problem::bad_request("NotText", "the definition is not UTF-8", "Send it as UTF-8."))?;
        let read = match media_type.as_str() {
            "application/json" => Definition::from_json(&text),
            "application/toml" | "text/plain" | "text/x-toml" => Definition::from_toml(&text),
            other => {
                return Err(Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "NotADefinition",
                    format!("a definition is not {other}"),
                    "Send application/toml or application/json.",
                ));
            }
        };
        let definition = read.map_err(|bad| Problem::from(crate::base::fault::Fault::from(bad)))?;
        Ok(Sent { definition, text })
    }
}

/// Make a workflow, or a new version of the disabled one of its name. The body is the definition, TOML or JSON.
#[utoipa::path(post, path = "/api/v1/workflows", tag = "workflows",
    request_body(content((String = "application/toml"), (Value = "application/json"))),
    responses((status = 201, body = WorkflowDetailView, description = "made"), (status = 200, body = WorkflowDetailView,
        description = "a new version, or nothing new"), (status = "default", body = Problem)))]
pub async fn apply(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    sent: Sent,
) -> Answer<(StatusCode, Json<WorkflowDetailView>)> {
    save(&state, &caller, sent).await
}

/// Replace the definition of a disabled workflow; the name in the body must be its own.
#[utoipa::path(put, path = "/api/v1/workflows/{id}", tag = "workflows",
    params(("id" = String, Path, description = "id or name")),
    request_body(content((String = "application/toml"), (Value = "application/json"))),
    responses((status = 200, body = WorkflowDetailView), (status = "default", body = Problem)))]
pub async fn replace(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    sent: Sent,
) -> Answer<(StatusCode, Json<WorkflowDetailView>)> {
    let row = state.store.workflow(&id).await?;
    if row.name != sent.definition.name {
        return Err(Problem::unacceptable(
            "NameDiffers",
            format!(
                "the definition is of {}, the address of {}",
                sent.definition.name, row.name
            ),
            "Use the same name in both; to rename, copy it and delete the old one.",
        ));
    }
    save(&state, &caller, sent).await
}

async fn save(state: &WebState, caller: &Caller, sent: Sent) -> Answer<(StatusCode, Json<WorkflowDetailView>)> {
    let resolved = resolve::resolve(&sent.definition, &state.templates)
        .map_err(|bad| Problem::from(crate::base::fault::Fault::from(bad)))?;
    let missing = (state.missing_for)(&resolved);
    if !missing.is_empty() {
        return Err(Problem::unacceptable(
            "WorkflowInvalid",
            format!(
                "workflow {} names what is not configured: {}",
                resolved.name,
                missing.join("; ")
            ),
            "Add it to the configuration, or correct the definition and apply it again; nothing was changed.",
        ));
    }
    let known = match state.store.workflow(&resolved.name).await {
        Ok(row) => Some(row),
        Err(crate::store::error::StoreError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if let Some(row) = &known {
        editable(row)?;
        if row.enabled && row.resolved != resolved {
            return Err(enabled_problem(row, "edited"));
        }
    }
    let name = resolved.name.clone();
    let save = SaveWorkflow {
        origin: Origin::Api,
        enabled_first: sent.definition.enabled.unwrap_or(true),
        definition: sent.text,
        resolved,
    };
    let saved = state.store.save_workflow(save, UtcMs::now()).await?;
    if saved.changed {
        changed(state, caller, "workflow.apply", &name).await;
    }
    let row = state.store.workflow(saved.id.as_str()).await?;
    let status = if known.is_none() {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(detail(&row)?)))
}

/// Tells whom it concerns that a workflow is other than it was.
async fn changed(state: &WebState, caller: &Caller, verb: &'static str, name: &str) {
    state.bells.trigger.ring();
    state.bells.scheduler.ring();
    state.audit(caller, verb, name).await;
}

fn editable(row: &WorkflowRow) -> Answer<()> {
    match row.origin {
        Origin::Api => Ok(()),
        Origin::File => Err(Problem::conflict(
            "WorkflowFromFile",
            format!("workflow {} comes from a file and is read-only here", row.name),
            "Edit its file in the workflows directory, or copy it under another name.",
        )),
        Origin::Preset => Err(Problem::conflict(
            "WorkflowPreset",
            format!("workflow {} ships with the product", row.name),
            "Write a workflow of your own with preset = \"NAME\"; a shipped one can only be enabled and disabled.",
        )),
    }
}

fn enabled_problem(row: &WorkflowRow, verb: &str) -> Problem {
    Problem::conflict(
        "WorkflowEnabled",
        format!("workflow {} is enabled and can be {verb} only while disabled", row.name),
        "Disable it first: POST /api/v1/workflows/ID/disable.",
    )
}

/// Let a workflow run.
#[utoipa::path(post, path = "/api/v1/workflows/{id}/enable", tag = "workflows",
    params(("id" = String, Path, description = "id or name")),
    responses((status = 200, body = WorkflowView), (status = "default", body = Problem)))]
pub async fn enable(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<Json<WorkflowView>> {
    set_enabled(&state, &caller, &id, true).await
}

/// Start no new tasks of a workflow; running ones go on.
#[utoipa::path(post, path = "/api/v1/workflows/{id}/disable", tag = "workflows",
    params(("id" = String, Path, description = "id or name")),
    responses((status = 200, body = WorkflowView), (status = "default", body = Problem)))]
pub async fn disable(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<Json<WorkflowView>> {
    set_enabled(&state, &caller, &id, false).await
}

async fn set_enabled(state: &WebState, caller: &Caller, id: &str, enabled: bool) -> Answer<Json<WorkflowView>> {
    let row = state.store.workflow(id).await?;
    if state.store.set_workflow_enabled(&row.id, enabled, UtcMs::now()).await? {
        let verb = if enabled { "workflow.enable" } else { "workflow.disable" };
        changed(state, caller, verb, &row.name).await;
    }
    let row = state.store.workflow(row.id.as_str()).await?;
    Ok(Json(WorkflowView::from(&row)))
}

/// Make a new, disabled workflow with the definition of another.
#[utoipa::path(post, path = "/api/v1/workflows/{id}/copy", tag = "workflows", request_body = CopyRequest,
    params(("id" = String, Path, description = "id or name")),
    responses((status = 201, body = WorkflowDetailView), (status = "default", body = Problem)))]
pub async fn copy(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    Given(request): Given<CopyRequest>,
) -> Answer<(StatusCode, Json<WorkflowDetailView>)> {
    let row = state.store.workflow(&id).await?;
    if row.origin == Origin::Preset {
        editable(&row)?;
    }
    if state.store.workflow(&request.name).await.is_ok() {
        return Err(Problem::conflict(
            "NameTaken",
            format!("there is a workflow {} already", request.name),
            "Choose another name.",
        ));
    }
    let definition = Definition {
        name: request.name,
        enabled: Some(false),
        ..written(&row)?
    };
    let text = definition.to_toml();
    save(&state, &caller, Sent { definition, text }).await
}

/// Delete a disabled workflow. Its ended tasks stay.
#[utoipa::path(delete, path = "/api/v1/workflows/{id}", tag = "workflows",
    params(("id" = String, Path, description = "id or name")),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn delete(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<StatusCode> {
    let row = state.store.workflow(&id).await?;
    editable(&row)?;
    if row.enabled {
        return Err(enabled_problem(&row, "deleted"));
    }
    state.store.delete_workflow(&row.id).await?;
    changed(&state, &caller, "workflow.delete", &row.name).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete an activity of a disabled workflow, and every activity that follows it.
#[utoipa::path(delete, path = "/api/v1/workflows/{id}/activities/{aid}", tag = "workflows",
    params(("id" = String, Path, description = "id or name"), ("aid" = String, Path, description = "id of the activity")),
    responses((status = 200, body = WorkflowDetailView), (status = "default", body = Problem)))]
pub async fn delete_activity(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Path((id, activity)): Path<(String, String)>,
) -> Answer<(StatusCode, Json<WorkflowDetailView>)> {
    let row = state.store.workflow(&id).await?;
    editable(&row)?;
    if row.enabled {
        return Err(enabled_problem(&row, "edited"));
    }
    let definition = written(&row)?
        .without_activity(&activity)
        .ok_or_else(|| Problem::not_found("activity", &activity))?;
    let text = definition.to_toml();
    save(&state, &caller, Sent { definition, text }).await
}
