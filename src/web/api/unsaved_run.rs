//! A dry run of a workflow that is not saved: what a definition would do with an object, before anybody relies on it.
//!
//! Guarantees: what is answered is what the same definition would answer once saved and enabled; changes nothing.
//! Deliberately absent: starting it, for which it has to be saved.

use crate::base::fault::Fault;
use crate::web::api::dry_run;
use crate::web::api::dry_run::Rehearsed;
use crate::web::api::dry_run::TestView;
use crate::web::api::hooks;
use crate::web::api::starting;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Given;
use crate::web::state::WebState;
use crate::workflow::definition::Definition;
use crate::workflow::resolve;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use std::sync::atomic::Ordering;
use utoipa::ToSchema;

/// What is tried, and with what. One of `definition` and `toml`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnsavedTestRequest {
    /// The object, `storage:key`.
    object: String,
    /// The definition as an object.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    definition: Option<Map<String, Value>>,
    /// The definition as TOML.
    #[serde(default)]
    toml: Option<String>,
}

/// Show what a definition would do with an object of a storage, without saving it. `version` is 0 in the answer.
#[utoipa::path(post, path = "/api/v1/checks/dry-run", tag = "workflows", request_body = UnsavedTestRequest,
    responses((status = 200, body = TestView), (status = "default", body = Problem)))]
pub async fn test(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<UnsavedTestRequest>,
) -> Answer<Json<TestView>> {
    // Nothing is changed, so nothing is to be found in the audit log.
    caller.noted.store(true, Ordering::Release);
    let object = starting::parse_object(&request.object)?;
    let read = match (request.definition, request.toml) {
        (Some(tree), None) => Definition::from_json(&Value::Object(tree).to_string()),
        (None, Some(text)) => Definition::from_toml(&text),
        _ => {
            return Err(Problem::bad_request(
                "NoDefinition",
                "the body needs either `definition` or `toml`",
                "Send the definition as an object, or as TOML in `toml`.",
            ));
        }
    };
    let definition = read.map_err(|bad| Problem::from(Fault::from(bad)))?;
    let workflow =
        resolve::resolve(&definition, &state.templates.now()).map_err(|bad| Problem::from(Fault::from(bad)))?;
    hooks::refuse_near(&workflow)?;
    let missing = (state.missing_for)(&workflow);
    if !missing.is_empty() {
        return Err(Problem::unacceptable(
            "WorkflowInvalid",
            format!("{} names what is not configured: {}", workflow.name, missing.join("; ")),
            "Correct the definition, or add it to the configuration.",
        ));
    }
    dry_run::refuse_library(&workflow.name, &workflow)?;
    let rehearsed = Rehearsed {
        name: &workflow.name,
        version: 0,
        takes: &workflow,
        does: &workflow,
    };
    Ok(Json(rehearsed.over(&state, &object).await?))
}
