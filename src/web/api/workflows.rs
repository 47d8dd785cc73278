//! Workflows: list, show, apply, enable, disable, copy, delete.
//!
//! Guarantees: what is applied was resolved first, so what is saved can run; definitions of files can only be enabled
//! and disabled, shipped ones neither edited, copied nor deleted; edits and deletions only while disabled.
//! Deliberately absent: `test` (`dry_run`), and versions (`versions`).

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::store::error::StoreError;
use crate::store::idempotency::OnceKey;
use crate::store::workflows::ByHand;
use crate::store::workflows::Origin;
use crate::store::workflows::SaveWorkflow;
use crate::store::workflows::WorkflowRow;
use crate::web::api::workflow_view::WorkflowDetailView;
use crate::web::api::workflow_view::WorkflowView;
use crate::web::api::workflow_view::detail;
use crate::web::api::workflow_view::written;
use crate::web::api::written::Language;
use crate::web::api::written::Written;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::idempotency;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use crate::workflow::definition::Definition;
use crate::workflow::definition::MASKED;
use crate::workflow::resolve;
use crate::workflow::resolved::ResolvedWorkflow;
use axum::Extension;
use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// Which workflows, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those whose name contains this.
    name: Option<String>,
    /// true or false: only those that run, or do not.
    enabled: Option<bool>,
    /// Only those of this origin: file, api or preset.
    origin: Option<String>,
    /// Only those whose source is this storage; `*`: any storage; `library`: media of the library.
    storage: Option<String>,
    /// created (the default) or name.
    sort: Option<String>,
    /// asc or desc; by time newest first, by name from a on.
    order: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
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
    let bad = |code, key: &str, found: &str, use_these: &str| {
        Problem::bad_request(code, format!("{key} is {found:?}"), format!("Use {use_these}."))
    };
    let by_name = match query.sort.as_deref() {
        None | Some("created") => false,
        Some("name") => true,
        Some(other) => return Err(bad("BadSort", "sort", other, "created or name")),
    };
    let descending = match query.order.as_deref() {
        None => !by_name,
        Some("asc") => false,
        Some("desc") => true,
        Some(other) => return Err(bad("BadOrder", "order", other, "asc or desc")),
    };
    let origin = query
        .origin
        .map(|word| Origin::parse(&word).ok_or_else(|| bad("BadOrigin", "origin", &word, "file, api or preset")))
        .transpose()?;
    let list = format!(
        "workflows by {} {}",
        if by_name { "name" } else { "time" },
        if descending { "down" } else { "up" }
    );
    let wanted = Wanted::read(&list, query.limit, query.cursor.as_deref())?;
    let name = query.name.map(|name| name.to_lowercase());
    let of_storage = |row: &WorkflowRow, wanted: &str| match (&row.resolved.source.storage, wanted) {
        _ if row.resolved.source.library => wanted == "library",
        (Some(storage), wanted) => storage == wanted,
        (None, wanted) => wanted == "*",
    };
    // There are dozens of workflows, not millions: the whole list is read and a page of it shown.
    let mut rows = state.store.workflows().await?;
    rows.retain(|row| {
        name.as_ref().is_none_or(|name| row.name.to_lowercase().contains(name))
            && query.enabled.is_none_or(|enabled| row.enabled == enabled)
            && origin.is_none_or(|origin| row.origin == origin)
            && query.storage.as_ref().is_none_or(|storage| of_storage(row, storage))
    });
    let key = move |row: &WorkflowRow| {
        if by_name {
            row.name.clone()
        } else {
            format!("{:020}{}", row.created_at.0, row.id)
        }
    };
    rows.sort_by_key(key);
    if descending {
        rows.reverse();
    }
    if let Some(after) = &wanted.after {
        rows.retain(|row| {
            if descending {
                key(row) < *after
            } else {
                key(row) > *after
            }
        });
    }
    Ok(Json(wanted.page(&list, rows, key, |row| WorkflowView::from(&row))))
}

/// One workflow with its definition and its graph.
#[utoipa::path(get, path = "/api/v1/workflows/{id}", tag = "workflows",
    params(("id" = String, Path, description = "id or name")),
    responses((status = 200, body = WorkflowDetailView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<WorkflowDetailView>> {
    let row = state.store.workflow(&id).await?;
    detail(&row).map(Json)
}

/// A definition to save, with its text.
struct Sent {
    definition: Definition,
    text: String,
}

impl Sent {
    fn read(body: Written) -> Answer<Self> {
        let read = match body.language {
            Language::Json => Definition::from_json(&body.text),
            Language::Toml => Definition::from_toml(&body.text),
        };
        let definition = read.map_err(|bad| Problem::from(Fault::from(bad)))?;
        Ok(Sent {
            definition,
            text: body.text,
        })
    }

    fn of(definition: Definition) -> Self {
        Sent {
            text: definition.to_toml(),
            definition,
        }
    }

    /// A key that stands as answers show it is the one that is kept already.
    fn with_kept_key(self, row: &WorkflowRow) -> Answer<Self> {
        let kept = |definition: &Definition| {
            definition
                .callback
                .as_ref()
                .and_then(|callback| callback.auth_key.clone())
        };
        if kept(&self.definition).as_deref() != Some(MASKED) {
            return Ok(self);
        }
        let key = kept(&written(&row.name, &row.definition)?);
        let mut definition = self.definition;
        if let Some(callback) = &mut definition.callback {
            callback.auth_key = key;
        }
        Ok(Sent::of(definition))
    }
}

/// Make a workflow, or a new version of the disabled one of its name. The body is the definition, TOML or JSON.
#[utoipa::path(post, path = "/api/v1/workflows", tag = "workflows",
    params(("Idempotency-Key" = Option<String>, Header,)),
    request_body(content((String = "application/toml"), (Value = "application/json"))),
    responses((status = 201, body = WorkflowDetailView, description = "made"), (status = 200, body = WorkflowDetailView,
        description = "a new version, or nothing new"), (status = "default", body = Problem)))]
pub async fn apply(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Written,
) -> Answer<(StatusCode, Json<WorkflowDetailView>)> {
    let once = idempotency::key(&headers, &caller, "POST /api/v1/workflows", &body.text)?;
    let sent = Sent::read(body)?;
    let known = match state.store.workflow(&sent.definition.name).await {
        Ok(row) => Some(row),
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    save(&state, &caller, sent, known, once).await
}

/// Replace the definition of a disabled workflow. Another name in it renames the workflow.
#[utoipa::path(put, path = "/api/v1/workflows/{id}", tag = "workflows",
    params(("id" = String, Path, description = "id or name")),
    request_body(content((String = "application/toml"), (Value = "application/json"))),
    responses((status = 200, body = WorkflowDetailView), (status = "default", body = Problem)))]
pub async fn replace(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    body: Written,
) -> Answer<(StatusCode, Json<WorkflowDetailView>)> {
    let row = state.store.workflow(&id).await?;
    let sent = Sent::read(body)?;
    if row.name != sent.definition.name && state.store.workflow(&sent.definition.name).await.is_ok() {
        return Err(name_taken(&sent.definition.name));
    }
    save(&state, &caller, sent, Some(row), None).await
}

/// Saves what was sent in the place of `known`, or as a new workflow.
async fn save(
    state: &WebState,
    caller: &Caller,
    sent: Sent,
    known: Option<WorkflowRow>,
    once: Option<OnceKey>,
) -> Answer<(StatusCode, Json<WorkflowDetailView>)> {
    let sent = match &known {
        Some(row) => {
            editable(row)?;
            sent.with_kept_key(row)?
        }
        None => sent,
    };
    let resolved =
        resolve::resolve(&sent.definition, &state.templates.now()).map_err(|bad| Problem::from(Fault::from(bad)))?;
    configured(state, &resolved)?;
    if let Some(row) = known.as_ref().filter(|row| row.enabled && row.resolved != resolved) {
        return Err(enabled_problem(row, "edited"));
    }
    let name = resolved.name.clone();
    let save = SaveWorkflow {
        origin: Origin::Api,
        enabled_first: sent.definition.enabled.unwrap_or(true),
        definition: sent.text,
        resolved,
    };
    let by_hand = ByHand {
        replaces: known.as_ref().map(|row| row.id.clone()),
        quota: state.about.workflow_quota,
        once,
    };
    let once = state.store.save_workflow_by_hand(save, by_hand, UtcMs::now()).await?;
    let (status, saved) = idempotency::made(once)?;
    if saved.changed && status == StatusCode::CREATED {
        changed(state, caller, "workflow.apply", &name).await;
    }
    let row = state.store.workflow(saved.id.as_str()).await?;
    let status = if known.is_none() { status } else { StatusCode::OK };
    Ok((status, Json(detail(&row)?)))
}

/// Refuses a workflow that names what is not there.
fn configured(state: &WebState, workflow: &ResolvedWorkflow) -> Answer<()> {
    crate::web::api::hooks::refuse_near(workflow)?;
    let missing = (state.missing_for)(workflow);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Problem::unacceptable(
        "WorkflowInvalid",
        format!(
            "workflow {} names what is not configured: {}",
            workflow.name,
            missing.join("; ")
        ),
        "Add it to the configuration, or correct the definition and apply it again; nothing was changed.",
    ))
}

fn name_taken(name: &str) -> Problem {
    Problem::conflict(
        "NameTaken",
        format!("there is a workflow {name} already"),
        "Choose another name.",
    )
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
    if enabled {
        configured(state, &row.resolved)?;
    }
    let verb = if enabled { "workflow.enable" } else { "workflow.disable" };
    if state.store.set_workflow_enabled(&row.id, enabled, UtcMs::now()).await? {
        changed(state, caller, verb, &row.name).await;
    } else {
        // It was so before. Somebody did it all the same.
        state.audit(caller, verb, &row.name).await;
    }
    let row = state.store.workflow(row.id.as_str()).await?;
    Ok(Json(WorkflowView::from(&row)))
}

/// Make a new, disabled workflow with the definition of another.
#[utoipa::path(post, path = "/api/v1/workflows/{id}/copy", tag = "workflows", request_body = CopyRequest,
    params(("id" = String, Path, description = "id or name"), ("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 201, body = WorkflowDetailView), (status = 200, body = WorkflowDetailView,
        description = "made by an earlier call with this key"), (status = "default", body = Problem)))]
pub async fn copy(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    headers: HeaderMap,
    Given(request): Given<CopyRequest>,
) -> Answer<(StatusCode, Json<WorkflowDetailView>)> {
    let address = format!("POST /api/v1/workflows/{id}/copy");
    let once = idempotency::key(&headers, &caller, &address, &request.name)?;
    let row = state.store.workflow(&id).await?;
    if row.origin == Origin::Preset {
        editable(&row)?;
    }
    // Under a key that was used, the name is taken by what that call made.
    if once.is_none() && state.store.workflow(&request.name).await.is_ok() {
        return Err(name_taken(&request.name));
    }
    let definition = Definition {
        name: request.name,
        enabled: Some(false),
        ..written(&row.name, &row.definition)?
    };
    save(&state, &caller, Sent::of(definition), None, once).await
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
    let definition = written(&row.name, &row.definition)?
        .with_own_activities()
        .without_activity(&activity)
        .ok_or_else(|| Problem::not_found("activity", &activity))?;
    if !definition.does_something() {
        return Err(Problem::conflict(
            "LastActivity",
            format!(
                "nothing of workflow {} would be left without {activity} and what follows it",
                row.name
            ),
            "Add another activity first, or delete the workflow.",
        ));
    }
    save(&state, &caller, Sent::of(definition), Some(row), None).await
}
