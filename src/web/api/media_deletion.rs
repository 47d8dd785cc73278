//! Deleting media: the record, the outputs, the source, or all of it.
//!
//! Guarantees: what is answered with 202 is written down and will be done or given up with an event, whatever dies.
//! Deliberately absent: removing files (`web::library`).

use crate::base::clock::UtcMs;
use crate::base::ids::MediaId;
use crate::events::library::DeleteType;
use crate::store::error::StoreError;
use crate::store::library::deletions::Doom;
use crate::store::library::deletions::Doomed;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// What goes of a media.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Record, outputs and source.
    All,
    /// The record; its files stay.
    #[default]
    Media,
    /// Its outputs; record and source stay.
    Outputs,
    /// Its source; record and outputs stay.
    Source,
}

impl From<What> for DeleteType {
    fn from(what: What) -> Self {
        match what {
            What::All => DeleteType::All,
            What::Media => DeleteType::Media,
            What::Outputs => DeleteType::Outputs,
            What::Source => DeleteType::Source,
        }
    }
}

/// What goes, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// all, media (the record alone, as when absent), outputs or source.
    #[param(inline)]
    what: Option<What>,
    /// true: cancel its tasks first; else it is refused while one of them runs.
    cancel: Option<bool>,
    /// With what=all, true: remove the files of its attachments and renditions too, unless another media has them.
    additions: Option<bool>,
}

/// Media to delete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletionsRequest {
    /// Their ids, 1 to 1000.
    ids: Vec<String>,
    /// What goes of each: all, media (as when absent), outputs or source.
    #[serde(default)]
    what: What,
    /// Cancel their tasks first.
    #[serde(default)]
    cancel: bool,
    /// With what=all: remove the files of their attachments and renditions too.
    #[serde(default)]
    additions: bool,
}

/// A deletion that was written down.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletingView {
    /// The media.
    id: String,
    /// What goes.
    what: String,
    /// deleting: DeleteMediaComplete tells when it is done.
    status: String,
}

/// What a bulk deletion came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkView {
    /// Those that are being deleted.
    deleting: Vec<String>,
    /// Those that are not, and why.
    refused: Vec<RefusedView>,
}

/// A media that is not deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedView {
    /// The media.
    id: String,
    /// Name of the reason for programs.
    code: String,
    /// The reason.
    detail: String,
}

/// The most ids of one call.
const BULK: usize = 1_000;

/// Delete a media, or files of it. DeleteMediaComplete tells when that is done, or what could not be removed.
#[utoipa::path(delete, path = "/api/v1/media/{id}", tag = "media", params(("id" = String, Path,), DeleteQuery),
    responses((status = 202, body = DeletingView), (status = "default", body = Problem)))]
pub async fn delete(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    Asked(query): Asked<DeleteQuery>,
) -> Answer<(StatusCode, Json<DeletingView>)> {
    let what = DeleteType::from(query.what.unwrap_or_default());
    let doom = Doom {
        what,
        additions: query.additions.unwrap_or(false),
        cancel: query.cancel.unwrap_or(false),
        who: caller.name.clone(),
    };
    let id = MediaId::from(id);
    one(&state, &caller, &id, doom).await?;
    ring(&state);
    let view = DeletingView {
        id: id.into_string(),
        what: what.as_str().to_owned(),
        status: "deleting".to_owned(),
    };
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// Delete many media, or files of them.
#[utoipa::path(post, path = "/api/v1/media/delete", tag = "media", request_body = DeletionsRequest,
    responses((status = 202, body = BulkView), (status = "default", body = Problem)))]
pub async fn delete_many(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<DeletionsRequest>,
) -> Answer<(StatusCode, Json<BulkView>)> {
    if !(1..=BULK).contains(&request.ids.len()) {
        return Err(Problem::unacceptable(
            "BadIds",
            format!("there are {} ids", request.ids.len()),
            format!("Send 1 to {BULK} ids."),
        ));
    }
    let mut view = BulkView {
        deleting: Vec::new(),
        refused: Vec::new(),
    };
    for id in request.ids {
        let doom = Doom {
            what: request.what.into(),
            additions: request.additions,
            cancel: request.cancel,
            who: caller.name.clone(),
        };
        match one(&state, &caller, &MediaId::from(id.as_str()), doom).await {
            Ok(()) => view.deleting.push(id),
            Err(problem) if problem.status < 500 => view.refused.push(RefusedView {
                id,
                code: problem.code,
                detail: problem.detail,
            }),
            // What was written down before stands; asking again finishes the rest.
            Err(problem) => return Err(problem),
        }
    }
    ring(&state);
    Ok((StatusCode::ACCEPTED, Json(view)))
}

async fn one(state: &WebState, caller: &Caller, id: &MediaId, doom: Doom) -> Answer<()> {
    let verb = match doom.what {
        DeleteType::All => "media.delete.all",
        DeleteType::Media => "media.delete.media",
        DeleteType::Outputs => "media.delete.outputs",
        DeleteType::Source => "media.delete.source",
    };
    match state.store.doom_media(id, doom, UtcMs::now()).await {
        Ok(Doomed::Yes) => {
            state.audit(caller, verb, id.as_str()).await;
            Ok(())
        }
        Ok(Doomed::Running(tasks)) => Err(Problem::conflict(
            "TasksRunning",
            format!("{tasks} tasks of media {id} have not ended"),
            "Wait until they end, or send cancel=true.",
        )),
        Ok(Doomed::Otherwise(what)) => Err(Problem::conflict(
            "DeletingAlready",
            format!("media {id} is being deleted already: {}", what.as_str()),
            "Wait until that is done.",
        )),
        Err(StoreError::NotFound { noun, id }) => Err(Problem::not_found(noun, &id)),
        Err(error) => Err(error.into()),
    }
}

fn ring(state: &WebState) {
    state.bells.scheduler.ring();
    state.bells.library.ring();
}
