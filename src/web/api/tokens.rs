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
use utoipa::ToSchema;

/// One token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// Id, to revoke it by.
    id: String,
    /// When it was made.
    created_at: String,
    /// valid or revoked.
    status: String,
    /// What it is for.
    name: String,
    /// admin, operator or viewer.
    role: String,
    /// Last use, to the hour.
    used_at: Option<String>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        TokenView {
            id: token.id,
            created_at: token.created.wire(),
            status: if token.revoked.is_some() { "revoked" } else { "valid" }.to_owned(),
            name: token.name,
            role: token.role.as_str().to_owned(),
            used_at: token.used.map(UtcMs::wire),
        }
    }
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    /// What it is for, 1 to 128 characters.
    name: String,
    /// admin, operator or viewer.
    #[schema(value_type = String)]
    role: Role,
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
    let name = request.name.trim();
    if !(1..=128).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Problem::unacceptable(
            "BadName",
            "the name of the token is empty, longer than 128 characters or has control characters",
            "Say what it is for, for example \"asset manager\".",
        ));
    }
    let token = secrets::fresh_token()?;
    let row = Token {
        id: TaskId::fresh().into_string(),
        name: name.to_owned(),
        role: request.role,
        sha256: secrets::token_sha256(&token),
        created: UtcMs::now(),
        used: None,
        revoked: None,
    };
    state.store.add_token(row.clone()).await?;
    state.audit(&caller, "token.create", &row.id).await;
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
