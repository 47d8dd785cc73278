//! Tokens: make, list, revoke. For admins.
//!
//! Guarantees: the token's text is in the answer that made it and nowhere else. Deliberately absent: people.

use crate::base::clock::UtcMs;
use crate::base::ids::TaskId;
use crate::store::tokens::Role;
use crate::store::tokens::Token;
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

/// What somebody may do; each may do what those before it may.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum RoleWord {
    /// Look.
    Viewer,
    /// Run tasks, change workflows.
    Operator,
    /// Everything.
    Admin,
}

/// One token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// Id, to revoke it by.
    id: String,
    /// When it was made.
    created_at: String,
    /// valid, expired or revoked.
    status: String,
    /// What it is for.
    name: String,
    /// admin, operator or viewer.
    #[schema(value_type = RoleWord)]
    role: String,
    /// Last use, to the hour.
    used_at: Option<String>,
    /// Useless from then on; none: never.
    expires_at: Option<String>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        let good = token.is_good(UtcMs::now());
        TokenView {
            id: token.id,
            created_at: token.created.wire(),
            status: match token.revoked {
                Some(_) => "revoked",
                None if good => "valid",
                None => "expired",
            }
            .to_owned(),
            name: token.name,
            role: token.role.as_str().to_owned(),
            used_at: token.used.map(UtcMs::wire),
            expires_at: token.expires.map(UtcMs::wire),
        }
    }
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    /// What it is for, 1 to 128 characters.
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    /// admin, operator or viewer.
    #[schema(value_type = RoleWord)]
    role: Role,
    /// Days after which it is useless; never when left out.
    #[schema(minimum = 1, maximum = 3650)]
    expires_days: Option<u32>,
}

/// A name that says what something is for, without blanks around it.
///
/// # Errors
/// It is empty, too long, or has control characters.
pub(in crate::web) fn check_name(noun: &str, name: &str) -> Answer<String> {
    let name = name.trim();
    if (1..=128).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Problem::unacceptable(
        "BadName",
        format!("the name of the {noun} is empty, longer than 128 characters or has control characters"),
        "Say what it is for, for example \"asset manager\".",
    ))
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedView {
    /// The token.
    #[serde(flatten)]
    view: TokenView,
    /// Its text; it is shown here once and kept nowhere.
    token: String,
}

/// Make a token.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = CreateRequest,
    responses((status = 201, body = CreatedView), (status = "default", body = Problem)))]
pub async fn create(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<CreateRequest>,
) -> Answer<(StatusCode, Json<CreatedView>)> {
    let name = check_name("token", &request.name)?;
    if !request.expires_days.is_none_or(|days| (1..=3_650).contains(&days)) {
        return Err(Problem::unacceptable(
            "BadExpiry",
            "expires_days is out of range",
            "Use 1 to 3650, or leave it out.",
        ));
    }
    let now = UtcMs::now();
    let token = secrets::fresh_token()?;
    let row = Token {
        id: TaskId::fresh().into_string(),
        name,
        role: request.role,
        sha256: secrets::token_sha256(&token),
        created: now,
        used: None,
        revoked: None,
        expires: request
            .expires_days
            .map(|days| now.plus_ms(i64::from(days) * 86_400_000)),
    };
    state.store.add_token(row.clone()).await?;
    let detail = json!({ "name": row.name, "role": row.role.as_str(), "expires_days": request.expires_days });
    state.audit_with(&caller, "token.create", &row.id, detail).await;
    let view = row.into();
    Ok((StatusCode::CREATED, Json(CreatedView { view, token })))
}

/// List tokens, newest first, without their secrets.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens",
    responses((status = 200, body = Page<TokenView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>) -> Answer<Json<Page<TokenView>>> {
    let tokens = state.store.tokens().await?;
    Ok(Json(Page {
        items: tokens.into_iter().map(Into::into).collect(),
        next: None,
    }))
}

/// Make a token useless.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens", params(("id" = String, Path,)),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn revoke(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<StatusCode> {
    state.store.revoke_token(&id, UtcMs::now()).await?;
    state.audit(&caller, "token.revoke", &id).await;
    Ok(StatusCode::NO_CONTENT)
}
