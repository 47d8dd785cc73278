//! The OpenAPI document, made from the handlers themselves.
//!
//! Guarantees: a test compares it with the router, so no address is missing. Deliberately absent: anything written
//! by hand that a handler already says.

use crate::web::api;
use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::openapi::security::HttpAuthScheme;
use utoipa::openapi::security::HttpBuilder;
use utoipa::openapi::security::SecurityScheme;

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "reelmill REST API",
        description = "On-premises media processing. Every request but /healthz, /readyz and signed object links needs a bearer token. Errors are RFC 9457 problem details with a stable `code` and a `remedy`."
    ),
    modifiers(&Bearer),
    security(("token" = [])),
    paths(
        api::system::healthz,
        api::system::readyz,
        api::system::metrics,
        api::system::show,
        api::system::drain,
        api::system::backup,
        api::devices::look,
        api::tasks::start,
        api::tasks::list,
        api::tasks::show,
        api::tasks::cancel,
        api::tasks::retry,
        api::tasks::cancel_many,
        api::tasks::retry_many,
        api::tasks::show_job,
        api::tasks::retry_job,
        api::outputs::show,
        api::outputs::files,
        api::media::list,
        api::media::show,
        api::media::urls,
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
        api::storages::explain,
        api::storages::scan,
        api::tokens::create,
        api::tokens::list,
        api::tokens::revoke,
    )
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", scheme);
    }
}

/// The document as JSON.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
