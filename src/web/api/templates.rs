//! Templates: list, show, apply, replace, delete, and which stands in where nothing is said.
//!
//! Guarantees: what is saved is in range; what ships cannot be changed. A workflow keeps a resolved copy of what it
//! names, so that changing or deleting a template changes no workflow until its definition is applied again; the
//! answers say which workflows that concerns. Deliberately absent: merging (`workflow::activity`, `workflow::marks`).

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::reader::Wrong;
use crate::store::idempotency::OnceKey;
use crate::store::templates::TemplateTimes;
use crate::store::workflows::WorkflowRow;
use crate::web::api::workflow_view::written;
use crate::web::api::written::Language;
use crate::web::api::written::Written;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Named;
use crate::web::idempotency;
use crate::web::paging::Page;
use crate::web::paging::Wanted;
use crate::web::state::WebState;
use crate::workflow::template::Template;
use crate::workflow::template::TemplateKind;
use crate::workflow::template::Templates;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// One template.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateView {
    /// Its name, which is its id.
    id: String,
    /// When it was first saved; none: it ships.
    created_at: Option<String>,
    /// When it was last saved; none: it ships.
    modified_at: Option<String>,
    /// Its name.
    name: String,
    /// Type of the activities it is for, or image_watermark, text_watermark, subtitle.
    #[serde(rename = "type")]
    kind: String,
    /// For people.
    description: String,
    /// system or custom.
    origin: String,
    /// It stands in where an activity, watermark or subtitle of its type says nothing.
    default: bool,
    /// Its parameters.
    #[schema(value_type = Object)]
    parameters: Map<String, Value>,
}

/// A template with who names it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateDetailView {
    /// The template.
    #[serde(flatten)]
    template: TemplateView,
    /// Names of the workflows that name it. Each keeps the copy that it resolved when its definition was applied.
    used_by: Vec<String>,
    /// What a change means for them.
    note: Option<String>,
}

/// What was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateGoneView {
    /// Its name.
    name: String,
    /// Names of the workflows that name it and keep their copy.
    used_by: Vec<String>,
    /// What that means for them.
    note: Option<String>,
}

/// Which templates, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those of this type.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<String>,
    /// system or custom.
    origin: Option<String>,
    /// Only those whose name contains this.
    name: Option<String>,
    /// How many, 1 to 500; 500 when absent.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// What is shown when nobody says how many: all that ship and a studio's own.
const USUAL_LIMIT: u32 = 500;

fn view(template: &Template, templates: &Templates, times: &[TemplateTimes]) -> TemplateView {
    let times = times
        .iter()
        .find(|times| times.name == template.name && !template.shipped);
    TemplateView {
        id: template.name.clone(),
        created_at: times.map(|times| times.created_at.wire()),
        modified_at: times.map(|times| times.modified_at.wire()),
        name: template.name.clone(),
        kind: template.kind.as_str().to_owned(),
        description: template.description.clone(),
        origin: origin(template).to_owned(),
        default: templates.is_default(template),
        parameters: template.parameters.clone(),
    }
}

fn origin(template: &Template) -> &'static str {
    if template.shipped { "system" } else { "custom" }
}

/// List templates, by name.
#[utoipa::path(get, path = "/api/v1/templates", tag = "templates", params(ListQuery),
    responses((status = 200, body = Page<TemplateView>), (status = "default", body = Problem)))]
pub async fn list(State(state): State<WebState>, Asked(query): Asked<ListQuery>) -> Answer<Json<Page<TemplateView>>> {
    let wanted = Wanted::read("templates", query.limit.or(Some(USUAL_LIMIT)), query.cursor.as_deref())?;
    let bad = |why: String, remedy: &str| Problem::bad_request("BadFilter", why, remedy);
    let kind = query
        .kind
        .map(|word| TemplateKind::parse(&word).map_err(|why| bad(why, "Use the type of a template.")))
        .transpose()?;
    if let Some(other) = query
        .origin
        .as_deref()
        .filter(|word| !["system", "custom"].contains(word))
    {
        return Err(bad(format!("origin is {other:?}"), "Use system or custom."));
    }
    let name = query.name.map(|name| name.to_lowercase());
    let (templates, times) = (state.templates.now(), state.store.template_times().await?);
    let found = templates.iter().filter(|template| {
        kind.is_none_or(|kind| template.kind == kind)
            && query.origin.as_deref().is_none_or(|wanted| wanted == origin(template))
            && name
                .as_ref()
                .is_none_or(|name| template.name.to_lowercase().contains(name))
            && wanted.after.as_ref().is_none_or(|after| template.name > *after)
    });
    let rows: Vec<&Template> = found.take(wanted.rows()).collect();
    Ok(Json(wanted.page(
        "templates",
        rows,
        |template| template.name.clone(),
        |template| view(template, &templates, &times),
    )))
}

/// One template with its parameters and the workflows that name it.
#[utoipa::path(get, path = "/api/v1/templates/{name}", tag = "templates", params(("name" = String, Path,)),
    responses((status = 200, body = TemplateDetailView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>, Named(name): Named) -> Answer<Json<TemplateDetailView>> {
    detail(&state, &name).await.map(Json)
}

async fn detail(state: &WebState, name: &str) -> Answer<TemplateDetailView> {
    let templates = state.templates.now();
    let template = templates
        .get(name)
        .ok_or_else(|| Problem::not_found("template", name))?;
    let used_by = used_by(state, name).await?;
    Ok(TemplateDetailView {
        template: view(template, &templates, &state.store.template_times().await?),
        note: note(&used_by),
        used_by,
    })
}

/// Names of the workflows whose definition, or preset, names a template.
async fn used_by(state: &WebState, name: &str) -> Answer<Vec<String>> {
    let rows = state.store.workflows().await?;
    let uses = |row: &&WorkflowRow| {
        let activities = &row.resolved.activities;
        let by_activity = activities.iter().any(|one| one.template.as_deref() == Some(name));
        let drawn = |definition: &Value| names_template(definition, name);
        by_activity || written(&row.name, &row.definition).is_ok_and(|definition| definition.activity.iter().any(drawn))
    };
    Ok(rows.iter().filter(uses).map(|row| row.name.clone()).collect())
}

/// Whether a tree says `template = "NAME"` anywhere.
fn names_template(tree: &Value, name: &str) -> bool {
    match tree {
        Value::Object(table) => table
            .iter()
            .any(|(key, value)| (key == "template" && value == name) || names_template(value, name)),
        Value::Array(list) => list.iter().any(|value| names_template(value, name)),
        _ => false,
    }
}

fn note(used_by: &[String]) -> Option<String> {
    (!used_by.is_empty()).then(|| {
        "These workflows keep the copy that they resolved when their definitions were applied; apply a definition again \
         to take the present template."
            .to_owned()
    })
}

/// Reads the body as a user's template.
fn read(body: &Written, templates: &Templates) -> Answer<Template> {
    let template = match body.language {
        Language::Json => Template::from_json(&body.text),
        Language::Toml => Template::from_toml(&body.text),
    };
    let template = template.map_err(|wrong| invalid(&body.text, &wrong))?;
    changeable(templates, &template.name)?;
    Ok(template)
}

fn invalid(text: &str, wrong: &Wrong) -> Problem {
    let named = text.lines().next().unwrap_or_default().trim().to_owned();
    let subject = if named.starts_with("name") {
        named
    } else {
        "definition".to_owned()
    };
    Problem::from(Fault::new(
        "TemplateInvalid",
        Blame::Request,
        "read template",
        subject,
        wrong.to_string(),
        "Correct it and apply it again; nothing was changed.",
    ))
}

fn changeable(templates: &Templates, name: &str) -> Answer<()> {
    match templates.get(name) {
        Some(template) if template.shipped => Err(Problem::conflict(
            "TemplateOfSystem",
            format!("template {name} ships with the product and cannot be changed or deleted"),
            "Make one of your own under another name, or override parameters beside it.",
        )),
        _ => Ok(()),
    }
}

async fn keep(
    state: &WebState,
    caller: &Caller,
    template: Template,
    text: String,
    once: Option<OnceKey>,
) -> Answer<bool> {
    let name = template.name.clone();
    let save = state.store.save_template(template, text, once, UtcMs::now());
    let once = state.templates.change(&state.store, save).await?;
    let (status, new) = idempotency::made(once)?;
    if status == StatusCode::CREATED {
        state.audit(caller, "template.apply", &name).await;
    }
    Ok(new && status == StatusCode::CREATED)
}

/// Make a template, or change the custom one of its name. The body is the definition, TOML or JSON.
#[utoipa::path(post, path = "/api/v1/templates", tag = "templates",
    params(("Idempotency-Key" = Option<String>, Header,)),
    request_body(content((String = "application/toml"), (Value = "application/json"))),
    responses((status = 201, body = TemplateDetailView, description = "made"), (status = 200, body = TemplateDetailView,
        description = "changed"), (status = "default", body = Problem)))]
pub async fn apply(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Written,
) -> Answer<(StatusCode, Json<TemplateDetailView>)> {
    let once = idempotency::key(&headers, &caller, "POST /api/v1/templates", &body.text)?;
    let template = read(&body, &state.templates.now())?;
    let name = template.name.clone();
    let status = match keep(&state, &caller, template, body.text, once).await? {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok((status, Json(detail(&state, &name).await?)))
}

/// Change a custom template; the name in the body must be its own.
#[utoipa::path(put, path = "/api/v1/templates/{name}", tag = "templates", params(("name" = String, Path,)),
    request_body(content((String = "application/toml"), (Value = "application/json"))),
    responses((status = 200, body = TemplateDetailView), (status = "default", body = Problem)))]
pub async fn replace(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
    body: Written,
) -> Answer<Json<TemplateDetailView>> {
    let templates = state.templates.now();
    if templates.get(&name).is_none() {
        return Err(Problem::not_found("template", &name));
    }
    changeable(&templates, &name)?;
    let template = read(&body, &templates)?;
    if template.name != name {
        return Err(Problem::unacceptable(
            "NameDiffers",
            format!("the definition is of {}, the address of {name}", template.name),
            "Use the same name in both: workflows name it.",
        ));
    }
    keep(&state, &caller, template, body.text, None).await?;
    detail(&state, &name).await.map(Json)
}

/// Delete a custom template. Workflows that name it keep their copy.
#[utoipa::path(delete, path = "/api/v1/templates/{name}", tag = "templates", params(("name" = String, Path,)),
    responses((status = 200, body = TemplateGoneView), (status = "default", body = Problem)))]
pub async fn delete(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Answer<Json<TemplateGoneView>> {
    changeable(&state.templates.now(), &name)?;
    let used_by = used_by(&state, &name).await?;
    let gone = state.store.delete_template(&name);
    state.templates.change(&state.store, gone).await?;
    state.audit(&caller, "template.delete", &name).await;
    Ok(Json(TemplateGoneView {
        note: (!used_by.is_empty()).then(|| {
            "These workflows keep the copy that they resolved when their definitions were applied, and run on; their \
             definitions cannot be applied again until they name another template."
                .to_owned()
        }),
        name,
        used_by,
    }))
}

/// Let a template stand in where an activity, watermark or subtitle of its type says nothing.
#[utoipa::path(put, path = "/api/v1/templates/{name}/default", tag = "templates", params(("name" = String, Path,)),
    responses((status = 200, body = TemplateDetailView), (status = "default", body = Problem)))]
pub async fn set_default(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Answer<Json<TemplateDetailView>> {
    change_default(&state, &caller, &name, true).await
}

/// Let it stand in no more.
#[utoipa::path(delete, path = "/api/v1/templates/{name}/default", tag = "templates", params(("name" = String, Path,)),
    responses((status = 200, body = TemplateDetailView), (status = "default", body = Problem)))]
pub async fn unset_default(
    State(state): State<WebState>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Answer<Json<TemplateDetailView>> {
    change_default(&state, &caller, &name, false).await
}

async fn change_default(
    state: &WebState,
    caller: &Caller,
    name: &str,
    is_default: bool,
) -> Answer<Json<TemplateDetailView>> {
    let templates = state.templates.now();
    let template = templates.get(name).cloned();
    let template = template.ok_or_else(|| Problem::not_found("template", name))?;
    let set = state.store.set_default_template(template, is_default, UtcMs::now());
    state.templates.change(&state.store, set).await?;
    let verb = if is_default {
        "template.default"
    } else {
        "template.undefault"
    };
    state.audit(caller, verb, name).await;
    detail(state, name).await.map(Json)
}
