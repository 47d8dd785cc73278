//! Who calls, and whether they may.
//!
//! Guarantees: without a valid token nothing but the open addresses answers; a route is open to a role because it
//! stands in that role's part of the router, so a handler cannot forget to ask. Deliberately absent: cookies, so a
//! page of somebody else's cannot make a browser act here.

use crate::base::clock::UtcMs;
use crate::store::tokens::Role;
use crate::web::error::Problem;
use crate::web::secrets::token_sha256;
use crate::web::state::WebState;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;
use subtle::ConstantTimeEq;

/// Whoever made the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Id of the token.
    pub token: String,
    /// Its name, for the audit log.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// A token's use is noted at most this often.
const NOTE_USE_EVERY_MS: i64 = 3_600_000;

/// Finds out who calls; refuses whoever has no valid token.
pub async fn authenticate(State(state): State<WebState>, mut request: Request, next: Next) -> Response {
    match caller(&state, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn caller(state: &WebState, headers: &HeaderMap) -> Result<Caller, Problem> {
    let refused = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "Unauthorized",
            "the request has no valid token",
            "Send Authorization: Bearer TOKEN; the first token is in admin.token of the state directory, others are made with `reelmill token create`.",
        )
    };
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or_else(refused)?;
    let sha256 = token_sha256(token);
    let row = state.store.token_by_sha256(&sha256).await?.ok_or_else(refused)?;
    let same: bool = row.sha256.as_bytes().ct_eq(sha256.as_bytes()).into();
    if !same || row.revoked.is_some() {
        return Err(refused());
    }
    let now = UtcMs::now();
    if row.used.is_none_or(|used| now.0 - used.0 > NOTE_USE_EVERY_MS)
        && let Err(error) = state.store.note_token_use(&row.id, now).await
    {
        tracing::debug!(%error, "the use of a token could not be noted");
    }
    Ok(Caller {
        token: row.id,
        name: row.name,
        role: row.role,
    })
}

/// Lets only callers of at least `role` pass; comes after [`authenticate`].
pub async fn require(role: Role, request: Request, next: Next) -> Response {
    let found = request.extensions().get::<Caller>().map(|caller| caller.role);
    match found {
        Some(found) if found >= role => next.run(request).await,
        Some(found) => Problem::forbidden(
            "Forbidden",
            format!("a {} token may not do this", found.as_str()),
            format!("Use a token of the role {} or higher.", role.as_str()),
        )
        .into_response(),
        None => Problem::new(
            StatusCode::UNAUTHORIZED,
            "Unauthorized",
            "the request has no valid token",
            "Send Authorization: Bearer TOKEN.",
        )
        .into_response(),
    }
}
