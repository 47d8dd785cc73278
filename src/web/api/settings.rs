//! The configuration as it was read: a list to look at.
//!
//! Guarantees: no secret, as `config::settings` takes care. Deliberately absent: changing it, which is a file.

use crate::web::error::Problem;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SettingView {
    /// The key, which is its id: `server.listen`, `storage[0].path`.
    pub id: String,
    /// Its value; secrets are `***`.
    pub value: Value,
    /// file or default.
    pub source: &'static str,
    /// Its line in the file.
    pub line: Option<usize>,
    /// What it is for, in English; empty: nothing is said.
    pub help: String,
}

/// The configuration.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct SettingsView {
    /// The file; none: built-in defaults.
    pub file: Option<String>,
    /// Every key, in the order of the reference.
    pub items: Vec<SettingView>,
    /// Always none: the list is whole.
    pub next: Option<String>,
}

/// The configuration that the daemon runs with. Changes of the file hold after a restart.
#[utoipa::path(get, path = "/api/v1/settings", tag = "system",
    responses((status = 200, body = SettingsView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>) -> Json<SettingsView> {
    Json(state.about.settings.clone())
}
