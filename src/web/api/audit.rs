//! The audit log: who did what by hand. For admins.
//!
//! Guarantees: newest first, by page, with every filter on an index or bounded by one. Deliberately absent: changing it.

use crate::base::clock::UtcMs;
use crate::store::audit::Deed;
use crate::store::audit::DeedFilter;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::paging::time;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// One deed.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeedView {
    /// Number of the deed; later ones are larger.
    id: String,
    /// When it was done.
    created_at: String,
    /// Name of the user, token or access key.
    who: String,
    /// task.cancel, workflow.apply, ...; of a call without a name of its own, its method and address.
    verb: String,
    /// Id or name of its object.
    subject: String,
    /// What became otherwise, in a few fields.
    #[schema(value_type = Option<Object>)]
    detail: Option<Value>,
}

impl From<Deed> for DeedView {
    fn from(deed: Deed) -> Self {
        DeedView {
            id: deed.seq.to_string(),
            created_at: deed.at.wire(),
            who: deed.who,
            verb: deed.verb,
            subject: deed.subject,
            detail: deed.detail,
        }
    }
}

/// Which deeds, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only those of this user, token or access key, by name.
    who: Option<String>,
    /// Only those of this verb; one that ends with a dot stands for all that begin with it: `task.`
    verb: Option<String>,
    /// Only those on this id or name.
    subject: Option<String>,
    /// Only those not before this time.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Only those before this time.
    #[param(format = DateTime)]
    to: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// List what was done by hand, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = Page<DeedView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<AuditQuery>) -> Answer<Json<Page<DeedView>>> {
    let wanted = Wanted::read("audit", query.limit, query.cursor.as_deref())?;
    let before = wanted.after_number()?;
    let at =
        |name: &str, text: Option<&str>| -> Answer<Option<UtcMs>> { text.map(|text| time(name, text)).transpose() };
    let filter = DeedFilter {
        from: at("from", query.from.as_deref())?,
        to: at("to", query.to.as_deref())?,
        who: query.who,
        verb: query.verb,
        subject: query.subject,
    };
    let rows = state.store.deeds(filter, before, wanted.rows()).await?;
    Ok(Json(wanted.page(
        "audit",
        rows,
        |deed| deed.seq.to_string(),
        Into::into,
    )))
}
