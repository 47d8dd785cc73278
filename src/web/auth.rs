//! Who calls, and whether they may.
//!
//! Guarantees: without a valid token or session nothing but the open addresses answers; a route is open to a role because
//! it stands in that role's part of the router, so a handler cannot forget to ask; a session changes something only
//! together with its own CSRF token, so a page of somebody else's cannot make a browser act here; every call that
//! changed something is in the audit log, by its handler or else by its address. Deliberately absent: log-in itself.

use crate::base::clock::UtcMs;
use crate::store::sessions::Whose;
use crate::store::tokens::Role;
use crate::web::cookies;
use crate::web::error::Problem;
use crate::web::secrets::token_sha256;
use crate::web::state::WebState;
use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use subtle::ConstantTimeEq;

/// Where a page that uses a session puts its CSRF token.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Whoever made the request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Id of the token, or of the user whose session it is.
    pub token: String,
    /// Its name, for the audit log.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The session it came with; none: a token.
    pub session: Option<OpenSession>,
    /// Set when a handler noted its deed in the audit log.
    pub(in crate::web) noted: Arc<AtomicBool>,
}

/// The session of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// SHA-256 of the cookie's value.
    pub sha256: String,
    /// Opened with a token, not with a user's password.
    pub of_token: bool,
    /// What a page proves itself with.
    pub csrf: String,
    /// When they logged in.
    pub created: UtcMs,
    /// When it ends.
    pub expires: UtcMs,
}

impl Caller {
    /// Whether the token or session that the request came with still opens anything; for answers that go on for long.
    ///
    /// # Errors
    /// The database failed.
    pub async fn is_good(&self, state: &WebState) -> Result<bool, crate::store::error::StoreError> {
        let now = UtcMs::now();
        match &self.session {
            Some(session) => Ok(state.store.session(&session.sha256, now).await?.is_some()),
            None => state.store.token_is_good(&self.token, now).await,
        }
    }
}

/// A token's use is noted at most this often.
const NOTE_USE_EVERY_MS: i64 = 3_600_000;
/// A session's, more often: people look at it.
const NOTE_SESSION_EVERY_MS: i64 = 60_000;

/// Finds out who calls; refuses whoever has no valid token or session.
pub async fn authenticate(State(state): State<WebState>, mut request: Request, next: Next) -> Response {
    let changes = !request.method().is_safe();
    let caller = match caller(&state, request.headers()).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    if changes
        && let Some(session) = &caller.session
        && let Err(problem) = check_csrf(session, request.headers())
    {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller.clone());
    let deed = changes.then(|| (request.method().clone(), address(&request)));
    let response = next.run(request).await;
    if let Some((method, (pattern, path))) = deed
        && response.status().is_success()
        && !caller.noted.load(Ordering::Acquire)
    {
        state
            .audit_text(&caller, &verb_of(&method, &pattern), &path, None)
            .await;
    }
    response
}

/// The pattern of the route, and the path asked for.
fn address(request: &Request) -> (String, String) {
    let path = request.uri().path().to_owned();
    let pattern = request.extensions().get::<MatchedPath>();
    (
        pattern.map_or_else(|| path.clone(), |pattern| pattern.as_str().to_owned()),
        path,
    )
}

/// What a call is called whose handler gave it no name: `POST /api/v1/things/{id}`.
fn verb_of(method: &Method, pattern: &str) -> String {
    format!("{method} {pattern}")
}

fn refused() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "Unauthorized",
        "the request has no valid token and no valid session",
        "Send Authorization: Bearer TOKEN; the first token is in admin.token of the state directory, others are made with `reelmill token create`. People log in with POST /api/v1/sessions.",
    )
}

fn check_csrf(session: &OpenSession, headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(CSRF_HEADER).map_or(&b""[..], |value| value.as_bytes());
    if given.ct_eq(session.csrf.as_bytes()).into() {
        return Ok(());
    }
    Err(Problem::forbidden(
        "CsrfToken",
        "a session changes something only together with its CSRF token",
        "Send the csrf_token of GET /api/v1/sessions/current as X-CSRF-Token.",
    ))
}

async fn caller(state: &WebState, headers: &HeaderMap) -> Result<Caller, Problem> {
    // Whoever sends a token means the token: a stale cookie beside it neither helps nor harms.
    if headers.contains_key(header::AUTHORIZATION) {
        return by_token(state, headers).await;
    }
    match cookies::session_of(headers) {
        Some(value) => by_session(state, &value).await,
        None => Err(refused()),
    }
}

async fn by_token(state: &WebState, headers: &HeaderMap) -> Result<Caller, Problem> {
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
    let now = UtcMs::now();
    if !same || !row.is_good(now) {
        return Err(refused());
    }
    if row.used.is_none_or(|used| now.0 - used.0 > NOTE_USE_EVERY_MS)
        && let Err(error) = state.store.note_token_use(&row.id, now).await
    {
        tracing::debug!(%error, "the use of a token could not be noted");
    }
    Ok(Caller {
        token: row.id,
        name: row.name,
        role: row.role,
        session: None,
        noted: Arc::default(),
    })
}

async fn by_session(state: &WebState, value: &str) -> Result<Caller, Problem> {
    let sha256 = token_sha256(value);
    let now = UtcMs::now();
    let session = state.store.session(&sha256, now).await?.ok_or_else(refused)?;
    if now.0 - session.used.0 > NOTE_SESSION_EVERY_MS
        && let Err(error) = state.store.note_session_use(&sha256, now).await
    {
        tracing::debug!(%error, "the use of a session could not be noted");
    }
    Ok(Caller {
        token: session.whose.id().to_owned(),
        name: session.name,
        role: session.role,
        session: Some(OpenSession {
            sha256,
            of_token: matches!(session.whose, Whose::Token(_)),
            csrf: session.csrf,
            created: session.created,
            expires: session.expires,
        }),
        noted: Arc::default(),
    })
}

/// Lets only callers of at least `role` pass; comes after [`authenticate`].
pub async fn require(role: Role, request: Request, next: Next) -> Response {
    let found = request.extensions().get::<Caller>().map(|caller| caller.role);
    match found {
        Some(found) if found >= role => next.run(request).await,
        Some(found) => Problem::forbidden(
            "Forbidden",
            format!("the role {} may not do this", found.as_str()),
            format!("Use a token or a user of the role {} or higher.", role.as_str()),
        )
        .into_response(),
        None => refused().into_response(),
    }
}
