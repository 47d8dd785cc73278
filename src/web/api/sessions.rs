//! Log-in and log-out of people, and whose session this is.
//!
//! Guarantees: a name that does not exist, one that is disabled and a wrong password answer the same after the same work;
//! guessing is slowed down; the cookie's value is shown to the browser alone. Deliberately absent: tokens.

use crate::base::clock::UtcMs;
use crate::base::ids::UserId;
use crate::store::sessions::Session;
use crate::store::users::UserChange;
use crate::web::api::tokens::RoleWord;
use crate::web::api::users::folded;
use crate::web::auth::Caller;
use crate::web::cookies;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Given;
use crate::web::gate;
use crate::web::passwords;
use crate::web::secrets;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::ConnectInfo;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Deserialize;
use serde::Serialize;
use serde_json::json;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::time::Duration;
use std::time::Instant;
use utoipa::ToSchema;

/// Who comes in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// Name of the user.
    name: String,
    /// Their password.
    password: String,
}

/// Who somebody is.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Id of the user, or of the token.
    id: String,
    /// session or token.
    kind: &'static str,
    /// Name of the user, or of the token.
    name: String,
    /// admin, operator or viewer.
    #[schema(value_type = RoleWord)]
    role: &'static str,
    /// To be sent as X-CSRF-Token with everything that changes something; none with a token, which needs none.
    csrf_token: Option<String>,
    /// When the person logged in.
    created_at: Option<String>,
    /// When the session ends.
    expires_at: Option<String>,
}

/// A password to change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The present one.
    password: String,
    /// The new one, 10 to 256 characters.
    #[schema(min_length = 10, max_length = 256)]
    new_password: String,
}

/// Log in. Sets the session cookie and answers the CSRF token.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "sessions", request_body = LogIn, security(()),
    responses((status = 201, body = SessionView), (status = 401, body = Problem, description = "wrong name or password"),
        (status = 429, body = Problem, description = "too many wrong tries; see Retry-After"),
        (status = "default", body = Problem)))]
pub async fn log_in(
    State(state): State<WebState>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Given(request): Given<LogIn>,
) -> Answer<Response> {
    let name = folded(&request.name);
    let address = gate::origin(peer.map(|Extension(ConnectInfo(peer))| peer), &headers);
    if let Err(wait) = state.gate.brake.begin(&name, address, Instant::now()) {
        return Ok(too_many(wait));
    }
    let user = state.store.user_by_name(&name).await?;
    let kept = user.as_ref().filter(|user| !user.disabled);
    let same = state
        .gate
        .passwords
        .matches(&request.password, kept.map(|user| user.password.as_str()))
        .await?;
    let Some(user) = kept.filter(|_| same) else {
        let detail = json!({ "from": address.to_string() });
        state.note(&shown(&name), "session.refused", "", Some(&detail)).await;
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "BadCredentials",
            "the name or the password is wrong, or the user is disabled",
            "Check both; an admin can set a new password.",
        ));
    };
    state.gate.brake.passed(&name, address);
    let (value, csrf) = (secrets::fresh_session()?, secrets::fresh_session()?);
    let now = UtcMs::now();
    let lasts = state.gate.session_lasts;
    let session = Session {
        sha256: secrets::token_sha256(&value),
        user: user.id.clone(),
        name: user.name.clone(),
        role: user.role,
        csrf,
        created: now,
        expires: now.plus_ms(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX)),
        used: now,
    };
    state.store.open_session(session.clone()).await?;
    let detail = json!({ "from": address.to_string() });
    state
        .note(&user.name, "session.create", user.id.as_str(), Some(&detail))
        .await;
    let view = SessionView {
        id: session.user.into_string(),
        kind: "session",
        name: session.name,
        role: session.role.as_str(),
        csrf_token: Some(session.csrf),
        created_at: Some(session.created.wire()),
        expires_at: Some(session.expires.wire()),
    };
    let cookie = cookies::set(&value, lasts, state.gate.secure);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(view)).into_response())
}

/// What somebody wrote as a name, for the audit log.
fn shown(name: &str) -> String {
    name.chars()
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .take(64)
        .collect()
}

fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs().max(1);
    let problem = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyTries",
        "there were too many wrong passwords for this name or from this address",
        format!("Try again in {seconds} s."),
    );
    ([(header::RETRY_AFTER, seconds.to_string())], problem).into_response()
}

/// Who I am: the user of this session, or the token of this request.
#[utoipa::path(get, path = "/api/v1/sessions/current", tag = "sessions",
    responses((status = 200, body = SessionView), (status = "default", body = Problem)))]
pub async fn show(Extension(caller): Extension<Caller>) -> Json<SessionView> {
    let session = caller.session.as_ref();
    Json(SessionView {
        kind: if session.is_some() { "session" } else { "token" },
        csrf_token: session.map(|session| session.csrf.clone()),
        created_at: session.map(|session| session.created.wire()),
        expires_at: session.map(|session| session.expires.wire()),
        id: caller.token,
        name: caller.name,
        role: caller.role.as_str(),
    })
}

/// Log out.
#[utoipa::path(delete, path = "/api/v1/sessions/current", tag = "sessions",
    responses((status = 204), (status = 409, body = Problem, description = "the request came with a token"),
        (status = "default", body = Problem)))]
pub async fn log_out(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
) -> Answer<(StatusCode, [(HeaderName, HeaderValue); 1])> {
    let session = caller.session.as_ref().ok_or_else(no_session)?;
    state.store.close_session(&session.sha256).await?;
    state.audit(&caller, "session.remove", &caller.token).await;
    Ok((
        StatusCode::NO_CONTENT,
        [(header::SET_COOKIE, cookies::clear(state.gate.secure))],
    ))
}

/// Change my own password. Every session of mine ends; log in again.
#[utoipa::path(put, path = "/api/v1/sessions/current/password", tag = "sessions", request_body = NewPassword,
    responses((status = 204), (status = 403, body = Problem, description = "the present password is wrong"),
        (status = 409, body = Problem, description = "the request came with a token"),
        (status = "default", body = Problem)))]
pub async fn change_password(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Given(request): Given<NewPassword>,
) -> Answer<Response> {
    caller.session.as_ref().ok_or_else(no_session)?;
    let id = UserId::from(caller.token.as_str());
    let user = state.store.user(&id).await?;
    let address: IpAddr = gate::origin(peer.map(|Extension(ConnectInfo(peer))| peer), &headers);
    if let Err(wait) = state.gate.brake.begin(&user.name, address, Instant::now()) {
        return Ok(too_many(wait));
    }
    if !state
        .gate
        .passwords
        .matches(&request.password, Some(&user.password))
        .await?
    {
        return Err(Problem::forbidden(
            "BadCredentials",
            "the present password is wrong",
            "Check it; an admin can set a new one.",
        ));
    }
    state.gate.brake.passed(&user.name, address);
    passwords::check(&user.name, &request.new_password)?;
    let change = UserChange {
        password: Some(state.gate.passwords.hash(&request.new_password).await?),
        ..UserChange::default()
    };
    state.store.change_user(&id, change, UtcMs::now()).await?;
    let detail = json!({ "name": user.name, "password": "changed" });
    state.audit_with(&caller, "user.change", id.as_str(), detail).await;
    let cookie = cookies::clear(state.gate.secure);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

fn no_session() -> Problem {
    Problem::conflict(
        "NoSession",
        "the request came with a token, not with a session",
        "Log in with POST /api/v1/sessions first.",
    )
}
