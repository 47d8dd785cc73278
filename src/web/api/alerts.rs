//! Alerts: what a person should look at, and saying that one knows.
//!
//! Guarantees: an alert ends when its cause does, not when somebody says so. Deliberately absent: raising them.

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::ids::AlertId;
use crate::store::alerts::AlertRow;
use crate::store::alerts::AlertsShown;
use crate::store::alerts::NewAlert;
use crate::store::alerts::Severity;
use crate::store::error::StoreError;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// Open alerts of one kind shown with the program itself.
const SHOWN_MAX: usize = 20;

/// One alert.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertView {
    /// Id.
    id: String,
    /// When it began.
    created_at: String,
    /// open or cleared.
    status: String,
    /// Its kind: StorageFrozen, StorageUnreachable, DeviceDrained, DiskLow, DeliveriesDead, BackupFailed.
    code: String,
    /// What it is about: the name of a storage, device, directory or destination.
    subject: String,
    /// warning or critical.
    severity: String,
    /// What is wrong.
    cause: String,
    /// What to do.
    remedy: String,
    /// When it was last found so.
    seen_at: String,
    /// When it was over.
    cleared_at: Option<String>,
    /// Who said that they know.
    acknowledged_by: Option<String>,
}

impl From<AlertRow> for AlertView {
    fn from(row: AlertRow) -> Self {
        AlertView {
            id: row.id.into_string(),
            created_at: row.raised.wire(),
            status: if row.cleared.is_some() { "cleared" } else { "open" }.to_owned(),
            code: row.code,
            subject: row.subject,
            severity: row.severity.as_str().to_owned(),
            cause: row.cause,
            remedy: row.remedy,
            seen_at: row.seen.wire(),
            cleared_at: row.cleared.map(UtcMs::wire),
            acknowledged_by: row.acknowledged_by,
        }
    }
}

/// Which alerts, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// open (also when left out), cleared or all.
    status: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// List alerts, newest first; open ones unless asked otherwise.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(ListQuery),
    responses((status = 200, body = Page<AlertView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<AlertView>>> {
    let wanted = Wanted::read("alerts", query.limit, query.cursor.as_deref())?;
    let shown = match query.status.as_deref() {
        None | Some("open") => AlertsShown::Open,
        Some("cleared") => AlertsShown::Cleared,
        Some("all") => AlertsShown::All,
        Some(other) => {
            return Err(Problem::bad_request(
                "BadStatus",
                format!("there is no alert status {other}"),
                "Use open, cleared or all.",
            ));
        }
    };
    let before = wanted.after.clone().map(AlertId::from);
    let rows = state.store.alerts(shown, before, wanted.rows()).await?;
    Ok(Json(wanted.page(
        "alerts",
        rows,
        |row| row.id.as_str().to_owned(),
        Into::into,
    )))
}

/// One alert.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts", params(("id" = String, Path,)),
    responses((status = 200, body = AlertView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<AlertView>> {
    Ok(Json(state.store.alert(&AlertId::from(id)).await?.into()))
}

/// Say that you know of an alert. It stays open until its cause is gone.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/acknowledge", tag = "alerts", params(("id" = String, Path,)),
    responses((status = 200, body = AlertView), (status = "default", body = Problem)))]
pub async fn acknowledge(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<Json<AlertView>> {
    let row = state.store.acknowledge_alert(&AlertId::from(id), &caller.name).await?;
    state.audit(&caller, "alert.acknowledge", row.id.as_str()).await;
    Ok(Json(row.into()))
}

/// The newest open alerts, for the page of the program itself.
pub async fn open(state: &WebState) -> Answer<Vec<AlertView>> {
    let rows = state.store.alerts(AlertsShown::Open, None, SHOWN_MAX).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// A copy of the database was wanted and could not be written, or was.
pub async fn backup_ended(state: &WebState, copied: &Result<(), StoreError>) {
    const CODE: &str = "BackupFailed";
    const SUBJECT: &str = "database";
    let now = UtcMs::now();
    let noted = match copied {
        Ok(()) => state.store.clear_alert(CODE, SUBJECT, now).await,
        // A wrong request says nothing about backups.
        Err(StoreError::Refused(fault)) if fault.blame == Blame::Request => return,
        Err(error) => {
            let alert = NewAlert {
                code: CODE,
                subject: SUBJECT.to_owned(),
                severity: Severity::Critical,
                cause: error.to_string(),
                remedy: "Look at the disk that the copy goes to, and make a backup again.".to_owned(),
            };
            state.store.raise_alert(alert, now).await
        }
    };
    match noted {
        Ok(true) => state.bells.callback.ring(),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "an alert could not be kept"),
    }
}
