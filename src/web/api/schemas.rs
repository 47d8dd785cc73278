//! Definitions in JSON Schema, for forms and editors.
//!
//! Guarantees: made from the tables that tests hold against the reader and the checks. Deliberately absent: checking a
//! definition (`definition_check`).

use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Named;
use crate::workflow::schema;
use axum::Json;
use serde_json::Value;

/// A definition in JSON Schema 2020-12. Keywords of ours: `x-unit`, `x-choices` (what each word means), `x-when` (words that
/// a key beside it must have for this one to mean something), `x-by` (keywords that are others for each word of a key
/// beside it), `x-needs` and `x-without` (keys that go with it or not), `x-usual` (what holds when it is left out),
/// `x-form` (what stands in a text), `x-used-by` (types of activities), `x-discriminator`.
#[utoipa::path(get, path = "/api/v1/schemas/{noun}", tag = "workflows",
    params(("noun" = String, Path, description = "workflow, template, destination or storage")),
    responses((status = 200, body = Value), (status = "default", body = Problem)))]
pub async fn show(Named(noun): Named) -> Answer<Json<Value>> {
    match schema::of(&noun) {
        Some(schema) => Ok(Json(schema)),
        None => Err(Problem::not_found("schema", &noun)),
    }
}
