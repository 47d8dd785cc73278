//! Log-in and log-out of people, and whose session this is.
//!
//! Guarantees: a name that does not exist, one that is disabled and a wrong password answer the same after the same work;
//! guessing is slowed down; the cookie's value is shown to the browser alone. Deliberately absent: making users and tokens.

use crate::base::clock::UtcMs;
use crate::base::ids::UserId;
use crate::store::sessions::Session;
use crate::store::sessions::Whose;
use crate::store::tokens::Role;
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

/// Who comes in: a person by name and password, or whoever has a token.
#[derive(Deserialize, ToSchema)]
#[serde(try_from = "LogInFields")]
pub enum LogIn {
    /// A user.
    #[schema(title = "by password")]
    #[serde(untagged)]
    Password(PasswordLogIn),
    /// A token.
    #[schema(title = "with a token")]
    #[serde(untagged)]
    Token(TokenLogIn),
}

/// A user and their password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordLogIn {
    /// Name of the user.
    name: String,
    /// Their password.
    password: String,
}

/// A token of the API.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenLogIn {
    /// Its text.
    token: String,
}

/// Both as they are read, so that a refusal names the field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogInFields {
    name: Option<String>,
    password: Option<String>,
    token: Option<String>,
}

impl TryFrom<LogInFields> for LogIn {
    type Error = &'static str;

    fn try_from(fields: LogInFields) -> Result<Self, Self::Error> {
        match (fields.name, fields.password, fields.token) {
            (Some(name), Some(password), None) => Ok(LogIn::Password(PasswordLogIn { name, password })),
            (None, None, Some(token)) => Ok(LogIn::Token(TokenLogIn { token })),
            (None, None, None) => Err("name and password, or token, are missing"),
            (_, _, Some(_)) => Err("a token goes without name and password"),
            (None, Some(_), None) => Err("name is missing"),
            (Some(_), None, None) => Err("password is missing"),
        }
    }
}

/// Who somebody is.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Id of the user, or of the token.
    id: String,
    /// session or token: what the request came with.
    kind: &'static str,
    /// password or token: what the session was opened with; none: no session.
    with: Option<&'static str>,
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

/// Log in, by password or with a token. Sets the session cookie and answers the CSRF token. A session opened with a token
/// has the token's role and ends with it.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "sessions", request_body = LogIn, security(()),
    responses((status = 201, body = SessionView),
        (status = 401, body = Problem, description = "wrong name or password, or no valid token"),
        (status = 429, body = Problem, description = "too many wrong tries; see Retry-After"),
        (status = "default", body = Problem)))]
pub async fn log_in(
    State(state): State<WebState>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Given(request): Given<LogIn>,
) -> Answer<Response> {
    let address = gate::origin(peer.map(|Extension(ConnectInfo(peer))| peer), &headers);
    match request {
        LogIn::Password(person) => by_password(&state, address, person).await,
        LogIn::Token(given) => with_token(&state, address, &given.token).await,
    }
}

async fn by_password(state: &WebState, address: IpAddr, request: PasswordLogIn) -> Answer<Response> {
    let name = folded(&request.name);
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
        refused(state, &shown(&name), address).await;
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "BadCredentials",
            "the name or the password is wrong, or the user is disabled",
            "Check both; an admin can set a new password.",
        ));
    };
    state.gate.brake.passed(&name, address);
    open(
        state,
        address,
        Whose::User(user.id.clone()),
        (&user.name, user.role),
        None,
    )
    .await
}

/// What tries of tokens are counted under; no user can be called so.
const TOKENS: &str = "a token";

async fn with_token(state: &WebState, address: IpAddr, text: &str) -> Answer<Response> {
    if let Err(wait) = state.gate.brake.begin(TOKENS, address, Instant::now()) {
        return Ok(too_many(wait));
    }
    let token = state.store.token_by_sha256(&secrets::token_sha256(text.trim())).await?;
    let Some(token) = token.filter(|token| token.is_good(UtcMs::now())) else {
        refused(state, TOKENS, address).await;
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "BadCredentials",
            "there is no such token, or it was revoked or has expired",
            "The token of the first start is in admin.token of the state directory; others are made with `reelmill token create`.",
        ));
    };
    state.gate.brake.passed(TOKENS, address);
    let whose = Whose::Token(token.id.clone());
    open(state, address, whose, (&token.name, token.role), token.expires).await
}

async fn refused(state: &WebState, who: &str, address: IpAddr) {
    let detail = json!({ "from": address.to_string() });
    state.note(who, "session.refused", "", Some(&detail)).await;
}

/// Opens a session, which lasts no longer than `at_most`.
async fn open(
    state: &WebState,
    address: IpAddr,
    whose: Whose,
    (name, role): (&str, Role),
    at_most: Option<UtcMs>,
) -> Answer<Response> {
    let (value, csrf) = (secrets::fresh_session()?, secrets::fresh_session()?);
    let now = UtcMs::now();
    let lasts = state.gate.session_lasts;
    let by_rule = now.plus_ms(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX));
    let session = Session {
        sha256: secrets::token_sha256(&value),
        whose,
        name: name.to_owned(),
        role,
        csrf,
        created: now,
        expires: at_most.map_or(by_rule, |at_most| at_most.min(by_rule)),
        used: now,
    };
    state.store.open_session(session.clone()).await?;
    let of_token = matches!(session.whose, Whose::Token(_));
    let detail = json!({ "from": address.to_string(), "with": if of_token { "token" } else { "password" } });
    state
        .note(name, "session.create", session.whose.id(), Some(&detail))
        .await;
    let view = SessionView {
        id: session.whose.id().to_owned(),
        kind: "session",
        with: Some(if of_token { "token" } else { "password" }),
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
        with: session.map(|session| if session.of_token { "token" } else { "password" }),
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
        (status = 409, body = Problem, description = "the request came with a token or a token's session"),
        (status = "default", body = Problem)))]
pub async fn change_password(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Given(request): Given<NewPassword>,
) -> Answer<Response> {
    let session = caller.session.as_ref().ok_or_else(no_session)?;
    if session.of_token {
        return Err(Problem::conflict(
            "NoUser",
            "the session was opened with a token, which has no password",
            "Log in as a user to change their password; make another token to replace this one.",
        ));
    }
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
