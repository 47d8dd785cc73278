//! HTTP: the REST API, signed links to objects, and the status page. The router on one page.
//!
//! Guarantees: everything but the open addresses needs a token or a session; what a role may do is where its route stands below;
//! requests have a size and a time limit. Deliberately absent: the scheduler and the triggers. A handler reads or
//! writes the store and rings a bell.

pub mod api;
pub mod auth;
mod brake;
pub mod browse;
mod cookies;
pub mod dashboard;
pub mod docs;
pub mod error;
pub mod extract;
pub mod feed;
pub mod gate;
pub mod idempotency;
pub mod inlet;
pub mod library;
pub mod links;
pub mod openapi;
pub mod paging;
mod passwords;
pub mod ports;
pub mod receiver;
pub mod secrets;
pub mod state;
pub mod storage_writer;
pub mod stored_objects;
pub mod template_shelf;
pub mod tls;
pub mod user_data;
pub mod wording;

pub use axum::Router;

use crate::store::tokens::Role;
use crate::telemetry::metrics::Metric;
use crate::web::error::Problem;
use crate::web::state::WebState;
use crate::web::tls::Tls;
use crate::web::tls::TlsListener;
use axum::Json;
use axum::extract::DefaultBodyLimit;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::delete;
use axum::routing::get;
use axum::routing::patch;
use axum::routing::post;
use axum::routing::put;
use futures_util::future::BoxFuture;
use std::net::SocketAddr;
use std::time::Duration;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The most a request's body may hold; definitions are the largest.
const BODY_BYTES: usize = 1 << 20;
/// Until when the head of an answer must be there. Streams and objects go on after it.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// The same for copying the database, which may be large.
const BACKUP_WITHIN: Duration = Duration::from_secs(3600);
/// The same for the piece of an upload, which takes as long as its sender needs; one that falls silent is let go.
const UPLOAD_WITHIN: Duration = Duration::from_secs(7 * 86_400);

/// The whole HTTP side of the program.
pub fn router(state: WebState) -> Router {
    let viewer = Router::new()
        .route("/metrics", get(api::system::metrics))
        .route("/openapi.json", get(|| async { Json(openapi::document()) }))
        .route("/api/v1/system", get(api::system::show))
        .route("/api/v1/system/host", get(api::host::show))
        .route("/api/v1/tasks", get(api::tasks::list))
        .route("/api/v1/tasks/{id}", get(api::tasks::show))
        .route("/api/v1/jobs/{id}", get(api::tasks::show_job))
        .route("/api/v1/attempts/{id}/log", get(api::attempt_log::show))
        .route("/api/v1/outputs/{id}", get(api::outputs::show))
        .route("/api/v1/outputs/{id}/files", get(api::outputs::files))
        .route("/api/v1/outputs/{id}/series", get(api::series::of_output))
        .route("/api/v1/tasks/{id}/series", get(api::series::of_task))
        .route("/api/v1/media/{id}/series", get(api::series::of_media))
        .route("/api/v1/media", get(api::media::list))
        .route("/api/v1/media/{id}", get(api::media::show))
        .route("/api/v1/media/{id}/reviews", get(api::reviews::of_media))
        .route("/api/v1/reviews", get(api::reviews::list))
        .route("/api/v1/reviews/{id}", get(api::reviews::show))
        .route("/api/v1/media/{id}/urls", get(api::media_urls::urls))
        .route("/api/v1/media/{id}/attachments", get(api::additions::attachments))
        .route("/api/v1/media/{id}/renditions", get(api::additions::renditions))
        .route("/api/v1/categories", get(api::categories::list))
        .route("/api/v1/categories/{id}", get(api::categories::show))
        .route(
            "/api/v1/uploads",
            get(api::uploads::list).options(api::uploads::tus::abilities),
        )
        .route(
            "/api/v1/uploads/{id}",
            get(api::uploads::show).head(api::uploads::tus::offset),
        )
        .route("/api/v1/pulls", get(api::pulls::list))
        .route("/api/v1/pulls/{id}", get(api::pulls::show))
        .route("/api/v1/workflows", get(api::workflows::list))
        .route("/api/v1/workflows/{id}", get(api::workflows::show))
        .route("/api/v1/workflows/{id}/versions", get(api::versions::list))
        .route("/api/v1/workflows/{id}/versions/{version}", get(api::versions::show))
        .route("/api/v1/schemas/{noun}", get(api::schemas::show))
        .route("/api/v1/checks/workflow", post(api::definition_check::workflow))
        .route("/api/v1/checks/template", post(api::definition_check::template))
        .route("/api/v1/templates", get(api::templates::list))
        .route("/api/v1/templates/{name}", get(api::templates::show))
        .route("/api/v1/events", get(api::events::list))
        .route("/api/v1/events/stream", get(api::stream::follow))
        .route("/api/v1/events/{id}", get(api::events::show))
        .route("/api/v1/deliveries", get(api::deliveries::list))
        .route("/api/v1/deliveries/{id}", get(api::deliveries::show))
        .route("/api/v1/destinations", get(api::destinations::list))
        .route("/api/v1/destinations/{name}", get(api::destinations::show))
        .route("/api/v1/alerts", get(api::alerts::list))
        .route("/api/v1/alerts/{id}", get(api::alerts::show))
        .route("/api/v1/storages", get(api::storages::list))
        .route("/api/v1/storages/{name}", get(api::storages::show))
        .route("/api/v1/storages/{name}/explain", get(api::explain::explain))
        .route("/api/v1/objects", get(api::objects_browse::list))
        .route("/api/v1/metrics", get(api::history::names))
        .route("/api/v1/metrics/history", get(api::history::show))
        .route(
            "/api/v1/sessions/current",
            get(api::sessions::show).delete(api::sessions::log_out),
        )
        .route("/api/v1/sessions/current/password", put(api::sessions::change_password))
        .route_layer(middleware::from_fn(|request, next| {
            auth::require(Role::Viewer, request, next)
        }));
    let operator = Router::new()
        .route("/api/v1/tasks", post(api::tasks::start))
        .route("/api/v1/tasks/batch", post(api::batches::start))
        .route("/api/v1/tasks/cancel", post(api::tasks::cancel_many))
        .route("/api/v1/tasks/retry", post(api::tasks::retry_many))
        .route("/api/v1/tasks/delete", post(api::tasks::delete_many))
        .route(
            "/api/v1/tasks/{id}",
            patch(api::task_change::change).delete(api::tasks::delete),
        )
        .route("/api/v1/tasks/{id}/cancel", post(api::tasks::cancel))
        .route("/api/v1/tasks/{id}/retry", post(api::tasks::retry))
        .route("/api/v1/jobs/{id}/retry", post(api::tasks::retry_job))
        .route("/api/v1/media/{id}/reviews", post(api::reviews::ask))
        .route("/api/v1/reviews/{id}/approve", post(api::reviews::approve))
        .route("/api/v1/reviews/{id}/block", post(api::reviews::block))
        .route("/api/v1/reviews/{id}/cancel", post(api::reviews::cancel))
        .route("/api/v1/media", post(api::media::register))
        .route("/api/v1/media/delete", post(api::media_deletion::delete_many))
        .route(
            "/api/v1/media/{id}",
            patch(api::media::change).delete(api::media_deletion::delete),
        )
        .route("/api/v1/media/{id}/attachments", post(api::additions::attach))
        .route(
            "/api/v1/media/{id}/attachments/{aid}",
            delete(api::additions::drop_attachment),
        )
        .route("/api/v1/media/{id}/renditions", post(api::additions::add_rendition))
        .route(
            "/api/v1/media/{id}/renditions/{aid}",
            delete(api::additions::drop_rendition),
        )
        .route("/api/v1/categories", post(api::categories::make))
        .route(
            "/api/v1/categories/{id}",
            patch(api::categories::change).delete(api::categories::delete),
        )
        .route("/api/v1/uploads", post(api::uploads::begin))
        .route(
            "/api/v1/uploads/{id}",
            put(api::uploads::ranged::put)
                .patch(api::uploads::tus::patch)
                .post(api::uploads::tus::overridden)
                .delete(api::uploads::cancel),
        )
        .route("/api/v1/pulls", post(api::pulls::create))
        .route("/api/v1/pulls/{id}/cancel", post(api::pulls::cancel))
        .route("/api/v1/pulls/{id}/retry", post(api::pulls::retry))
        .route("/api/v1/workflows", post(api::workflows::apply))
        .route(
            "/api/v1/workflows/{id}",
            put(api::workflows::replace).delete(api::workflows::delete),
        )
        .route("/api/v1/workflows/{id}/enable", post(api::workflows::enable))
        .route("/api/v1/workflows/{id}/disable", post(api::workflows::disable))
        .route("/api/v1/workflows/{id}/copy", post(api::workflows::copy))
        .route("/api/v1/workflows/{id}/test", post(api::dry_run::test))
        .route("/api/v1/checks/dry-run", post(api::unsaved_run::test))
        .route(
            "/api/v1/workflows/{id}/activities/{aid}",
            delete(api::workflows::delete_activity),
        )
        .route("/api/v1/templates", post(api::templates::apply))
        .route(
            "/api/v1/templates/{name}",
            put(api::templates::replace).delete(api::templates::delete),
        )
        .route(
            "/api/v1/templates/{name}/default",
            put(api::templates::set_default).delete(api::templates::unset_default),
        )
        .route("/api/v1/deliveries/replay", post(api::deliveries::replay_many))
        .route("/api/v1/deliveries/{id}/replay", post(api::deliveries::replay))
        .route("/api/v1/deliveries/discard", post(api::deliveries::discard_many))
        .route("/api/v1/deliveries/{id}/discard", post(api::deliveries::discard))
        .route("/api/v1/destinations/{name}/test", post(api::destinations::test))
        .route("/api/v1/alerts/{id}/acknowledge", post(api::alerts::acknowledge))
        .route("/api/v1/storages/{name}/scan", post(api::storages::scan))
        .route("/api/v1/storages/{name}/thaw", post(api::storages::thaw))
        .route("/api/v1/storages/{name}/test", post(api::made_storages::test))
        .route("/api/v1/storages/{name}/sample", post(api::made_storages::sample))
        .route("/api/v1/system/devices/look", post(api::devices::look))
        .route_layer(middleware::from_fn(|request, next| {
            auth::require(Role::Operator, request, next)
        }));
    let admin = Router::new()
        .route("/api/v1/system/drain", post(api::system::drain))
        .route(
            "/api/v1/system/log-level",
            get(api::log_level::show).put(api::log_level::change),
        )
        .route("/api/v1/destinations", post(api::destinations::create))
        .route(
            "/api/v1/destinations/{name}",
            put(api::destinations::replace).delete(api::destinations::delete),
        )
        .route("/api/v1/destinations/{name}/rotate", post(api::destinations::rotate))
        .route("/api/v1/storages", post(api::made_storages::create))
        .route(
            "/api/v1/storages/{name}",
            put(api::made_storages::replace).delete(api::made_storages::delete),
        )
        .route("/api/v1/system/storages", get(api::made_storages::ground))
        .route("/api/v1/system/backup", post(api::system::backup))
        .route("/api/v1/system/diagnostics", post(api::diagnostics::make))
        .route("/api/v1/settings", get(api::settings::show))
        .route("/api/v1/tokens", get(api::tokens::list).post(api::tokens::create))
        .route("/api/v1/tokens/{id}", delete(api::tokens::revoke))
        .route("/api/v1/users", get(api::users::list).post(api::users::create))
        .route(
            "/api/v1/users/{id}",
            get(api::users::show)
                .patch(api::users::change)
                .delete(api::users::remove),
        )
        .route(
            "/api/v1/accesskeys",
            get(api::access_keys::list).post(api::access_keys::create),
        )
        .route("/api/v1/accesskeys/{id}", delete(api::access_keys::revoke))
        .route("/api/v1/audit", get(api::audit::list))
        .route_layer(middleware::from_fn(|request, next| {
            auth::require(Role::Admin, request, next)
        }));
    let behind_a_token = viewer
        .merge(operator)
        .merge(admin)
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(nothing_here)
        .layer(middleware::from_fn_with_state(state.clone(), auth::authenticate))
        .layer(middleware::from_fn(dashboard::page_for_people));
    let open = Router::new()
        .route("/healthz", get(api::system::healthz))
        .route("/readyz", get(api::system::readyz))
        .route("/api/v1/sessions", post(api::sessions::log_in))
        .route("/o/{*object}", get(api::objects::serve))
        .route("/api/v1/hooks/{word}", post(api::hooks::answer))
        .route("/hooks/s3/{storage}", post(api::s3_events::take))
        .merge(dashboard::router())
        .merge(docs::router())
        .method_not_allowed_fallback(method_not_allowed);
    behind_a_token
        .merge(open)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn_with_state(state.clone(), every_request))
        .with_state(state)
}

/// Time that answers which are under way get when the program stops.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Answers requests until `stop`, over TLS where there is a certificate, then finishes those under way, but not for ever: a download may take hours.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let stopping = stop.clone().cancelled_owned();
    let served: BoxFuture<'static, std::io::Result<()>> = match tls {
        None => {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let served = axum::serve(listener, service).with_graceful_shutdown(stopping);
            Box::pin(served.into_future())
        }
        Some(tls) => {
            let listener = TlsListener::new(listener, tls)?;
            let router = router.layer(axum::middleware::map_request(tls::name_peer));
            let service = router.into_make_service_with_connect_info::<tls::Peer>();
            let served = axum::serve(listener, service).with_graceful_shutdown(stopping);
            Box::pin(served.into_future())
        }
    };
    tokio::select! {
        ended = served => ended,
        () = async { stop.cancelled().await; tokio::time::sleep(STOP_WITHIN).await } => Ok(()),
    }
}

async fn nothing_here(request: Request) -> Problem {
    nothing(request.uri().path())
}

fn nothing(path: &str) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "NoSuchAddress",
        format!("there is nothing at {path}"),
        "Compare it with /openapi.json.",
    )
}

async fn method_not_allowed(request: Request) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        format!("{} does not take {}", request.uri().path(), request.method()),
        "Compare it with /openapi.json.",
    )
}

/// What holds for every request: a time limit, counting, and headers that keep browsers careful.
async fn every_request(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let limit = match request.uri().path() {
        "/api/v1/system/backup" => BACKUP_WITHIN,
        path if path.starts_with("/api/v1/uploads") && !request.method().is_safe() => UPLOAD_WITHIN,
        _ => ANSWER_WITHIN,
    };
    let mut response = match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => error::in_words(response),
        Err(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "TooSlow",
            format!("there was no answer within {} s", limit.as_secs()),
            "A storage or the disk of the database may hang; look at GET /api/v1/storages and the daemon's log.",
        )
        .into_response(),
    };
    let class = match response.status().as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    state.metrics.add_labelled(Metric::HttpRequests, class, 1.0);
    state.metrics.add(Metric::HttpSeconds, began.elapsed().as_secs_f64());
    let careful = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let headers = response.headers_mut();
    for (name, value) in careful {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
