//! Categories: the tree that media are filed under.
//!
//! Guarantees: the tree stays a tree, and names are unique under one parent. Deliberately absent: filing media, which
//! is a change of the media.

use crate::base::clock::UtcMs;
use crate::store::library::categories::CategoryRow;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Given;
use crate::web::extract::Named;
use crate::web::idempotency;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use crate::web::wording;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// One category.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryView {
    /// Id.
    id: String,
    /// When it was made.
    created_at: String,
    /// Its name.
    name: String,
    /// Id of the one it lies under; none: at the top.
    parent: Option<String>,
}

impl From<CategoryRow> for CategoryView {
    fn from(row: CategoryRow) -> Self {
        CategoryView {
            id: row.id,
            created_at: UtcMs(row.created_ms).wire(),
            name: row.name,
            parent: row.parent,
        }
    }
}

/// A category to make.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeRequest {
    /// Its name.
    name: String,
    /// Id of the one it lies under; at the top when absent.
    parent: Option<String>,
}

/// What shall be other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryChange {
    /// Its name; as before when absent.
    name: Option<String>,
    /// Id of the one it lies under; as before when absent, null: at the top.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    parent: Option<Option<String>>,
}

/// Tells null from absent.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Which categories, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those under this one, by id; empty: those at the top; all when absent.
    parent: Option<String>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// List categories, oldest first.
#[utoipa::path(get, path = "/api/v1/categories", tag = "media", params(ListQuery),
    responses((status = 200, body = Page<CategoryView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<CategoryView>>> {
    let wanted = Wanted::read("categories", query.limit, query.cursor.as_deref())?;
    let rows = state
        .store
        .list_categories(query.parent, wanted.after.clone(), wanted.rows())
        .await?;
    Ok(Json(wanted.page("categories", rows, |row| row.id.clone(), Into::into)))
}

/// One category.
#[utoipa::path(get, path = "/api/v1/categories/{id}", tag = "media", params(("id" = String, Path,)),
    responses((status = 200, body = CategoryView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(id): Named) -> Answer<Json<CategoryView>> {
    Ok(Json(state.store.category(&id).await?.into()))
}

/// Make a category.
#[utoipa::path(post, path = "/api/v1/categories", tag = "media", request_body = MakeRequest,
    params(("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 201, body = CategoryView),
        (status = 200, body = CategoryView, description = "made by an earlier call with this key"),
        (status = "default", body = Problem)))]
pub async fn make(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Given(request): Given<MakeRequest>,
) -> Answer<(StatusCode, Json<CategoryView>)> {
    let key = idempotency::key(&headers, &caller, "POST /api/v1/categories", &request)?;
    let name = wording::name("name", &request.name)?;
    let once = state
        .store
        .make_category(name, request.parent, key, UtcMs::now())
        .await?;
    let (status, row) = idempotency::made(once)?;
    state.audit(&caller, "category.make", &row.id).await;
    Ok((status, Json(row.into())))
}

/// Rename a category, or move it under another one.
#[utoipa::path(patch, path = "/api/v1/categories/{id}", tag = "media", request_body = CategoryChange,
    params(("id" = String, Path,)),
    responses((status = 200, body = CategoryView), (status = "default", body = Problem)))]
pub async fn change(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    Given(request): Given<CategoryChange>,
) -> Answer<Json<CategoryView>> {
    let name = request
        .name
        .as_deref()
        .map(|name| wording::name("name", name))
        .transpose()?;
    let row = state.store.change_category(&id, name, request.parent).await?;
    state.audit(&caller, "category.change", &id).await;
    Ok(Json(row.into()))
}

/// Delete a category with nothing under it.
#[utoipa::path(delete, path = "/api/v1/categories/{id}", tag = "media", params(("id" = String, Path,)),
    responses((status = 204), (status = "default", body = Problem)))]
pub async fn delete(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Answer<StatusCode> {
    state.store.delete_category(&id).await?;
    state.audit(&caller, "category.delete", &id).await;
    Ok(StatusCode::NO_CONTENT)
}
