//! The OpenAPI document, made from the handlers themselves.
//!
//! Guarantees: a test compares it with the router, so no address is missing. Deliberately absent: anything written
//! by hand that a handler already says.

use crate::web::api;
use crate::web::cookies;
use crate::web::error::PROBLEM_JSON;
use std::collections::BTreeMap;
use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::openapi::AllOf;
use utoipa::openapi::Object;
use utoipa::openapi::RefOr;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::security::ApiKey;
use utoipa::openapi::security::ApiKeyValue;
use utoipa::openapi::security::HttpAuthScheme;
use utoipa::openapi::security::HttpBuilder;
use utoipa::openapi::security::SecurityScheme;

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "reelmill REST API",
        description = "On-premises media processing. Every request but /healthz, /readyz, log-in and signed object links needs a bearer token or a session. Errors are RFC 9457 problem details with a stable `code` and a `remedy`."
    ),
    modifiers(&Access, &Problems, &Closed),
    security(("token" = []), ("session" = [])),
    paths(
        api::system::healthz,
        api::system::readyz,
        api::system::metrics,
        api::system::show,
        api::host::show,
        api::system::drain,
        api::log_level::show,
        api::log_level::change,
        api::system::backup,
        api::diagnostics::make,
        api::settings::show,
        api::devices::look,
        api::tasks::start,
        api::batches::start,
        api::tasks::list,
        api::tasks::show,
        api::task_change::change,
        api::tasks::cancel,
        api::tasks::retry,
        api::tasks::cancel_many,
        api::tasks::retry_many,
        api::tasks::delete_many,
        api::tasks::delete,
        api::tasks::show_job,
        api::tasks::retry_job,
        api::reviews::list,
        api::reviews::show,
        api::reviews::approve,
        api::reviews::block,
        api::reviews::cancel,
        api::reviews::ask,
        api::reviews::of_media,
        api::hooks::answer,
        api::s3_events::take,
        api::attempt_log::show,
        api::outputs::show,
        api::outputs::files,
        api::series::of_output,
        api::series::of_task,
        api::series::of_media,
        api::media::list,
        api::media::show,
        api::media::register,
        api::media::change,
        api::media_urls::urls,
        api::media_deletion::delete,
        api::media_deletion::delete_many,
        api::additions::attach,
        api::additions::attachments,
        api::additions::drop_attachment,
        api::additions::add_rendition,
        api::additions::renditions,
        api::additions::drop_rendition,
        api::categories::list,
        api::categories::show,
        api::categories::make,
        api::categories::change,
        api::categories::delete,
        api::uploads::begin,
        api::uploads::list,
        api::uploads::show,
        api::uploads::cancel,
        api::uploads::ranged::put,
        api::uploads::tus::abilities,
        api::uploads::tus::offset,
        api::uploads::tus::patch,
        api::uploads::tus::overridden,
        api::pulls::create,
        api::pulls::list,
        api::pulls::show,
        api::pulls::cancel,
        api::pulls::retry,
        api::workflows::list,
        api::workflows::show,
        api::workflows::apply,
        api::workflows::replace,
        api::workflows::enable,
        api::workflows::disable,
        api::workflows::copy,
        api::workflows::delete,
        api::workflows::delete_activity,
        api::dry_run::test,
        api::unsaved_run::test,
        api::schemas::show,
        api::definition_check::workflow,
        api::definition_check::template,
        api::versions::list,
        api::versions::show,
        api::templates::list,
        api::templates::show,
        api::templates::apply,
        api::templates::replace,
        api::templates::delete,
        api::templates::set_default,
        api::templates::unset_default,
        api::events::list,
        api::events::show,
        api::stream::follow,
        api::deliveries::list,
        api::deliveries::show,
        api::deliveries::replay,
        api::deliveries::replay_many,
        api::deliveries::discard,
        api::deliveries::discard_many,
        api::destinations::list,
        api::destinations::show,
        api::destinations::create,
        api::destinations::replace,
        api::destinations::delete,
        api::destinations::test,
        api::destinations::rotate,
        api::alerts::list,
        api::alerts::show,
        api::alerts::acknowledge,
        api::storages::list,
        api::storages::show,
        api::storages::scan,
        api::storages::thaw,
        api::made_storages::create,
        api::made_storages::replace,
        api::made_storages::delete,
        api::made_storages::test,
        api::made_storages::sample,
        api::made_storages::ground,
        api::explain::explain,
        api::tokens::create,
        api::tokens::list,
        api::tokens::revoke,
        api::users::create,
        api::users::list,
        api::users::show,
        api::users::change,
        api::users::remove,
        api::sessions::log_in,
        api::sessions::show,
        api::sessions::log_out,
        api::sessions::change_password,
        api::access_keys::create,
        api::access_keys::list,
        api::access_keys::revoke,
        api::audit::list,
        api::history::names,
        api::history::show,
        api::objects_browse::list,
    )
)]
struct Document;

/// The two ways in.
struct Access;

impl Modify for Access {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let token = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            cookies::NAME,
            "From POST /api/v1/sessions. Whatever changes something wants X-CSRF-Token besides.",
        )));
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", token);
        components.add_security_scheme("session", session);
    }
}

/// A request that takes the fields of another one and no unknown ones is one object in the document: as a conjunction of
/// two, each part would refuse the fields of the other.
struct Closed;

impl Modify for Closed {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let Some(components) = document.components.as_mut() else {
            return;
        };
        let known = components.schemas.clone();
        for schema in components.schemas.values_mut() {
            if let RefOr::T(Schema::AllOf(all)) = schema
                && let Some(whole) = joined(all, &known)
            {
                *schema = RefOr::T(Schema::Object(whole));
            }
        }
    }
}

/// The parts as one object; none: they are no objects, or none of them refuses unknown fields.
fn joined(all: &AllOf, known: &BTreeMap<String, RefOr<Schema>>) -> Option<Object> {
    let denies = |object: &Object| {
        let more = object.additional_properties.as_deref();
        matches!(more, Some(AdditionalProperties::FreeForm(false)))
    };
    let mut whole = Object::new();
    whole.description.clone_from(&all.description);
    let mut closed = false;
    for item in &all.items {
        let part = match item {
            RefOr::Ref(to) => known.get(to.ref_location.rsplit('/').next()?)?,
            part => part,
        };
        let RefOr::T(Schema::Object(part)) = part else {
            return None;
        };
        closed |= denies(part);
        whole.properties.extend(part.properties.clone());
        whole.required.extend(part.required.iter().cloned());
    }
    whole.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    closed.then_some(whole)
}

/// Every problem is sent as `application/problem+json`, which no handler has to say.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for path in document.paths.paths.values_mut() {
            for operation in [
                &mut path.get,
                &mut path.post,
                &mut path.put,
                &mut path.patch,
                &mut path.delete,
                &mut path.head,
                &mut path.options,
            ]
            .into_iter()
            .flatten()
            {
                for response in operation.responses.responses.values_mut() {
                    name_problem(response);
                }
            }
        }
    }
}

fn name_problem(response: &mut RefOr<utoipa::openapi::Response>) {
    let RefOr::T(response) = response else { return };
    let is_problem = response.content.get("application/json").is_some_and(
        |content| matches!(&content.schema, Some(RefOr::Ref(to)) if to.ref_location.ends_with("/Problem")),
    );
    if is_problem && let Some(content) = response.content.swap_remove("application/json") {
        response.content.insert(PROBLEM_JSON.to_owned(), content);
    }
}

/// The document as JSON.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
