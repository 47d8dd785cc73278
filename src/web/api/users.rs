//! Users: make, list, show, change, remove. For admins.
//!
//! Guarantees: passwords come in and never go out; the last admin stays. Deliberately absent: log-in.

use crate::base::clock::UtcMs;
use crate::base::ids::UserId;
use crate::store::tokens::Role;
use crate::store::users::User;
use crate::store::users::UserChange;
use crate::web::api::tokens::RoleWord;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::paging::Page;
use crate::web::paging::PageQuery;
use crate::web::paging::Wanted;
use crate::web::passwords;
use crate::web::state::WebState;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::json;
use utoipa::ToSchema;

/// One user, without the password.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    /// Id.
    id: String,
    /// When it was made.
    created_at: String,
    /// enabled or disabled.
    status: &'static str,
    /// What they log in as.
    name: String,
    /// admin, operator or viewer.
    #[schema(value_type = RoleWord)]
    role: &'static str,
    /// Last change by hand.
    modified_at: String,
    /// Last log-in.
    used_at: Option<String>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        UserView {
            id: user.id.into_string(),
            created_at: user.created.wire(),
            status: if user.disabled { "disabled" } else { "enabled" },
            name: user.name,
            role: user.role.as_str(),
            modified_at: user.modified.wire(),
            used_at: user.used.map(UtcMs::wire),
        }
    }
}

/// A user to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// What they log in as: 1 to 64 letters, digits and any of `.-_@+`; upper and lower case are the same.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// admin, operator or viewer.
    #[schema(value_type = RoleWord)]
    role: Role,
    /// 10 to 256 characters.
    #[schema(min_length = 10, max_length = 256)]
    password: String,
}

/// What of a user shall be otherwise; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    /// admin, operator or viewer.
    #[schema(value_type = Option<RoleWord>)]
    role: Option<Role>,
    /// The new password; every session of the user ends.
    #[schema(min_length = 10, max_length = 256)]
    password: Option<String>,
    /// True: they cannot log in any more, and every session of theirs ends.
    disabled: Option<bool>,
}

/// The name as it is kept and looked for.
pub(in crate::web) fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

fn check_name(name: &str) -> Answer<()> {
    let sound = |character: char| character.is_alphanumeric() || ".-_@+".contains(character);
    if (1..=64).contains(&name.chars().count()) && name.chars().all(sound) {
        return Ok(());
    }
    Err(Problem::unacceptable(
        "BadName",
        "the name of the user is empty, longer than 64 characters, or has other characters than letters, digits and .-_@+",
        "Use something like anna or anna@example.org.",
    ))
}

/// Make a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = CreateUser,
    responses((status = 201, body = UserView), (status = "default", body = Problem)))]
pub async fn create(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Given(request): Given<CreateUser>,
) -> Answer<(StatusCode, Json<UserView>)> {
    let name = folded(&request.name);
    check_name(&name)?;
    passwords::check(&name, &request.password)?;
    if state.store.user_by_name(&name).await?.is_some() {
        return Err(Problem::conflict(
            "NameTaken",
            format!("there is a user {name} already"),
            "Choose another name, or change that user.",
        ));
    }
    let now = UtcMs::now();
    let user = User {
        id: UserId::fresh(),
        name,
        role: request.role,
        password: state.gate.passwords.hash(&request.password).await?,
        disabled: false,
        created: now,
        modified: now,
        used: None,
    };
    state.store.add_user(user.clone()).await?;
    let detail = json!({ "name": user.name, "role": user.role.as_str() });
    state.audit_with(&caller, "user.create", user.id.as_str(), detail).await;
    Ok((StatusCode::CREATED, Json(user.into())))
}

/// List users, newest first.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(PageQuery),
    responses((status = 200, body = Page<UserView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<PageQuery>) -> Answer<Json<Page<UserView>>> {
    let wanted = Wanted::read("users", query.limit, query.cursor.as_deref())?;
    let rows = state.store.users(wanted.after.clone(), wanted.rows()).await?;
    Ok(Json(wanted.page(
        "users",
        rows,
        |user| user.id.as_str().to_owned(),
        Into::into,
    )))
}

/// One user.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path,)),
    responses((status = 200, body = UserView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<UserView>> {
    Ok(Json(state.store.user(&UserId::from(id)).await?.into()))
}

/// Change a user's role or password, or whether they may log in.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path,)),
    request_body = ChangeUser,
    responses((status = 200, body = UserView), (status = "default", body = Problem)))]
pub async fn change(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    Given(request): Given<ChangeUser>,
) -> Answer<Json<UserView>> {
    let id = UserId::from(id);
    let user = state.store.user(&id).await?;
    let password = match &request.password {
        Some(password) => {
            passwords::check(&user.name, password)?;
            Some(state.gate.passwords.hash(password).await?)
        }
        None => None,
    };
    let change = UserChange {
        role: request.role,
        password,
        disabled: request.disabled,
    };
    let (before, after) = state.store.change_user(&id, change, UtcMs::now()).await?;
    let mut detail = Map::new();
    detail.insert("name".to_owned(), json!(after.name));
    if before.role != after.role {
        detail.insert("role".to_owned(), json!([before.role.as_str(), after.role.as_str()]));
    }
    if before.disabled != after.disabled {
        detail.insert("disabled".to_owned(), json!([before.disabled, after.disabled]));
    }
    if request.password.is_some() {
        detail.insert("password".to_owned(), json!("changed"));
    }
    state
        .audit_with(&caller, "user.change", id.as_str(), detail.into())
        .await;
    Ok(Json(after.into()))
}

/// Remove a user; their sessions end.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path,)),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn remove(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<StatusCode> {
    let user = state.store.remove_user(&UserId::from(id)).await?;
    let detail = json!({ "name": user.name, "role": user.role.as_str() });
    state.audit_with(&caller, "user.remove", user.id.as_str(), detail).await;
    Ok(StatusCode::NO_CONTENT)
}
