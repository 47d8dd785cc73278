//! Templates that workflows may name.
//!
//! Guarantees: shows what the resolver uses. Deliberately absent: changing them, which comes with templates of one's own.

use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::state::WebState;
use crate::workflow::template::Template;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use utoipa::ToSchema;

/// One template.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateView {
    /// Its name, which is its id.
    id: String,
    /// Its name.
    name: String,
    /// Type of the activities it is for.
    #[serde(rename = "type")]
    kind: String,
    /// For people.
    description: String,
    /// shipped or custom.
    origin: String,
    /// Its parameters.
    #[schema(value_type = Object)]
    parameters: Map<String, Value>,
}

impl From<&Template> for TemplateView {
    fn from(template: &Template) -> Self {
        TemplateView {
            id: template.name.clone(),
            name: template.name.clone(),
            kind: template.kind.as_str().to_owned(),
            description: template.description.clone(),
            origin: if template.shipped { "shipped" } else { "custom" }.to_owned(),
            parameters: template.parameters.clone(),
        }
    }
}

/// List templates, by name.
#[utoipa::path(get, path = "/api/v1/templates", tag = "templates",
    responses((status = 200, body = Page<TemplateView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>) -> Json<Page<TemplateView>> {
    Json(Page {
        items: state.templates.iter().map(Into::into).collect(),
        next: None,
    })
}

/// One template with its parameters.
#[utoipa::path(get, path = "/api/v1/templates/{name}", tag = "templates", params(("name" = String, Path,)),
    responses((status = 200, body = TemplateView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(name): Named) -> Answer<Json<TemplateView>> {
    state
        .templates
        .get(&name)
        .map(|template| Json(template.into()))
        .ok_or_else(|| Problem::not_found("template", &name))
}
