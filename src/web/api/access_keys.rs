//! Access keys of the cloud-compatible APIs: make, list, revoke. For admins.
//!
//! Guarantees: a secret is in the answer that made it, and sealed in the database, since signatures are checked with it;
//! a revoked key's secret is forgotten. Deliberately absent: the signatures.

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::store::access_keys::AccessKey;
use crate::store::tokens::Role;
use crate::web::api::tokens::RoleWord;
use crate::web::api::tokens::check_name;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::secrets;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// One access key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessKeyView {
    /// The AccessKeyId or SecretId.
    id: String,
    /// When it was made.
    created_at: String,
    /// valid or revoked.
    status: &'static str,
    /// What it is for.
    name: String,
    /// admin, operator or viewer.
    #[schema(value_type = RoleWord)]
    role: &'static str,
    /// Last use, to the hour.
    used_at: Option<String>,
}

impl From<AccessKey> for AccessKeyView {
    fn from(key: AccessKey) -> Self {
        AccessKeyView {
            id: key.id,
            created_at: key.created.wire(),
            status: if key.revoked.is_some() { "revoked" } else { "valid" },
            name: key.name,
            role: key.role.as_str(),
            used_at: key.used.map(UtcMs::wire),
        }
    }
}

/// An access key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAccessKey {
    /// What it is for, 1 to 128 characters.
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    /// admin, operator or viewer.
    #[schema(value_type = RoleWord)]
    role: Role,
}

/// An access key that was made.
#[derive(Serialize, ToSchema)]
pub struct CreatedAccessKey {
    /// The key.
    #[serde(flatten)]
    view: AccessKeyView,
    /// Its secret; it is shown here once.
    secret: String,
}

/// An access key as a signature is checked with it.
#[derive(Clone)]
pub struct OpenedKey {
    /// Its id, for `Caller::token`.
    pub id: String,
    /// Its name, for the audit log.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// What signatures are made with.
    pub secret: String,
}

/// A key's use is noted at most this often.
const NOTE_USE_EVERY_MS: i64 = 3_600_000;

/// What a secret is sealed for.
fn purpose(id: &str) -> String {
    format!("accesskey:{id}")
}

impl WebState {
    /// The access key with this id and its secret; none: there is no such key, or it was revoked. Notes the use, so it is
    /// to be called for a signature that is about to be checked.
    ///
    /// # Errors
    /// The database failed, or the secret was sealed with another key than the state directory has now.
    pub async fn access_key(&self, id: &str) -> Answer<Option<OpenedKey>> {
        let Some(key) = self.store.live_access_key(id).await? else {
            return Ok(None);
        };
        let secret = self.sealer.open(&purpose(id), &key.sealed).ok_or_else(|| {
            Fault::new(
                "SecretNotOpened",
                Blame::Host,
                "open",
                format!("the secret of access key {id}"),
                "it was sealed with another key than seal.key of the state directory",
                "Put that file back from a backup, or revoke the access key and make another.",
            )
        })?;
        let now = UtcMs::now();
        if key.used.is_none_or(|used| now.0 - used.0 > NOTE_USE_EVERY_MS)
            && let Err(error) = self.store.note_access_key_use(id, now).await
        {
            tracing::debug!(%error, "the use of an access key could not be noted");
        }
        Ok(Some(OpenedKey {
            id: key.id,
            name: key.name,
            role: key.role,
            secret,
        }))
    }
}

/// Make an access key for the cloud-compatible APIs.
#[utoipa::path(post, path = "/api/v1/accesskeys", tag = "accesskeys", request_body = CreateAccessKey,
    responses((status = 201, body = CreatedAccessKey), (status = "default", body = Problem)))]
pub async fn create(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<CreateAccessKey>,
) -> Answer<(StatusCode, Json<CreatedAccessKey>)> {
    let name = check_name("access key", &request.name)?;
    let (id, secret) = secrets::fresh_access_key()?;
    let sealed = state.sealer.seal(&purpose(&id), &secret)?;
    let key = AccessKey {
        id,
        name,
        role: request.role,
        sealed,
        created: UtcMs::now(),
        used: None,
        revoked: None,
    };
    state.store.add_access_key(key.clone()).await?;
    let detail = json!({ "name": key.name, "role": key.role.as_str() });
    state.audit_with(&caller, "accesskey.create", &key.id, detail).await;
    let view = key.into();
    Ok((StatusCode::CREATED, Json(CreatedAccessKey { view, secret })))
}

/// List access keys, newest first, without their secrets.
#[utoipa::path(get, path = "/api/v1/accesskeys", tag = "accesskeys",
    responses((status = 200, body = Page<AccessKeyView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>) -> Answer<Json<Page<AccessKeyView>>> {
    let keys = state.store.access_keys().await?;
    Ok(Json(Page {
        items: keys.into_iter().map(Into::into).collect(),
        next: None,
    }))
}

/// Make an access key useless.
#[utoipa::path(delete, path = "/api/v1/accesskeys/{id}", tag = "accesskeys", params(("id" = String, Path,)),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn revoke(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<StatusCode> {
    let key = state.store.revoke_access_key(&id, UtcMs::now()).await?;
    let detail = json!({ "name": key.name });
    state.audit_with(&caller, "accesskey.revoke", &id, detail).await;
    Ok(StatusCode::NO_CONTENT)
}
