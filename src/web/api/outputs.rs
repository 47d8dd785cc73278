//! Outputs: what was made, its proof, its files, and links to it.
//!
//! Guarantees: a link covers the whole set where the output is one. Deliberately absent: deleting outputs.

use crate::base::clock::UtcMs;
use crate::base::ids::OutputId;
use crate::store::listing::outputs::OutputFileRow;
use crate::store::listing::outputs::OutputRow;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// How long links in answers work.
pub const LINK_MS: i64 = 6 * 3600 * 1000;

/// One output.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OutputView {
    /// Id.
    pub id: String,
    /// When publishing it was decided.
    pub created_at: String,
    /// published, or publishing.
    pub status: String,
    /// The job that made it.
    pub job: String,
    /// Its task.
    pub task: String,
    /// Its group; empty where there is none.
    pub group: String,
    /// Its name.
    pub name: String,
    /// file, hls, dash, cmaf, stills, sprite, animation or report.
    pub kind: String,
    /// The main object, `storage:key`; of numbered files the first.
    pub object: String,
    /// All its files, bytes.
    pub size_bytes: u64,
    /// MD5 of the main object.
    pub md5: Option<String>,
    /// Facts as re-read, the proof, renditions, quality.
    pub detail: Option<Value>,
    /// Number of its files; list them with /api/v1/outputs/ID/files.
    pub file_count: i64,
    /// A link that works without a token for six hours; of a set, all of it.
    pub url: Option<String>,
}

impl OutputView {
    /// The output with a fresh link.
    pub fn new(output: OutputRow, state: &WebState) -> Self {
        let url = output
            .published
            .then(|| link(state, &output, UtcMs::now().plus_ms(LINK_MS)));
        OutputView {
            id: output.id.into_string(),
            created_at: output.created.wire(),
            status: if output.published { "published" } else { "publishing" }.to_owned(),
            job: output.job.into_string(),
            task: output.task.into_string(),
            group: output.group,
            name: output.name,
            kind: output.kind,
            object: output.object.to_string(),
            size_bytes: output.size_bytes,
            md5: output.md5,
            detail: output.detail,
            file_count: output.file_count,
            url,
        }
    }
}

/// A link to an output: to the set where it is one, else to its object.
pub fn link(state: &WebState, output: &OutputRow, expires: UtcMs) -> String {
    let set = match output.kind.as_str() {
        "hls" | "dash" | "cmaf" => state.signer.set_path(&output.object, false, expires),
        "stills" if output.file_count > 1 => state.signer.set_path(&output.object, true, expires),
        "sprite" => state.signer.set_path(&output.object, true, expires),
        _ => None,
    };
    let path = set.unwrap_or_else(|| state.signer.object_path(&output.object, expires));
    format!("{}{path}", state.about.public_url)
}

/// One file of an output.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OutputFileView {
    /// Its place among the files; manifests stand last.
    pub number: i64,
    /// Where it stands, `storage:key`.
    pub object: String,
    /// Bytes.
    pub size_bytes: u64,
    /// MD5.
    pub md5: String,
}

impl From<OutputFileRow> for OutputFileView {
    fn from(file: OutputFileRow) -> Self {
        OutputFileView {
            number: file.ordinal,
            object: file.object.to_string(),
            size_bytes: file.size_bytes,
            md5: file.md5,
        }
    }
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// One output.
#[utoipa::path(get, path = "/api/v1/outputs/{id}", tag = "outputs", params(("id" = String, Path,)),
    responses((status = 200, body = OutputView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<OutputView>> {
    let output = state.store.show_output(&OutputId::from(id)).await?;
    Ok(Json(OutputView::new(output, &state)))
}

/// The files of an output, in the order in which they were published.
#[utoipa::path(get, path = "/api/v1/outputs/{id}/files", tag = "outputs", params(("id" = String, Path,), PageQuery),
    responses((status = 200, body = Page<OutputFileView>), (status = "default", body = Problem)))]
pub async fn files(
    State(state): State<WebState>,
    Named(id): Named,
    Asked(query): Asked<PageQuery>,
) -> Answer<Json<Page<OutputFileView>>> {
    let wanted = Wanted::read("files", query.limit, query.cursor.as_deref())?;
    let after = wanted.after.as_deref().and_then(|key| key.parse().ok()).unwrap_or(-1);
    let output = OutputId::from(id);
    state.store.show_output(&output).await?;
    let rows = state.store.output_files(&output, after, wanted.rows()).await?;
    Ok(Json(wanted.page(
        "files",
        rows,
        |row| row.ordinal.to_string(),
        Into::into,
    )))
}
