//! The dashboard: pages that speak to the REST API like everybody else, embedded in the program.
//!
//! Guarantees: asks nothing of any other host, runs no inline script; every view has an address of its own, which
//! answers the same page; knows only what the REST API tells it. A debug build reads `dist/` from disk, so that pages
//! can be written without a build of the program. Deliberately absent: the pages, which are `app/` (built by
//! `make dashboard`), and rights, which the REST API has.

use crate::web::state::WebState;
use axum::Router;
use axum::extract::MatchedPath;
use axum::extract::Path;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;

/// What `make dashboard` made.
#[derive(rust_embed::RustEmbed)]
#[folder = "src/web/dashboard/dist"]
#[allow_missing = true]
struct Built;

/// Blobs are what a player appends to its media source, and pictures made here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The first parts of the paths that are pages; the same as `PAGES` in `app/shell.tsx`.
pub const PAGES: [&str; 17] = [
    "overview",
    "tasks",
    "media",
    "reviews",
    "uploads",
    "alerts",
    "workflows",
    "templates",
    "storages",
    "destinations",
    "deliveries",
    "events",
    "access",
    "audit",
    "settings",
    "about",
    "first-run",
];

/// The page under all its addresses, and its parts.
pub fn router() -> Router<WebState> {
    let mut router = Router::new().route("/", get(page)).route("/assets/{name}", get(asset));
    for name in PAGES {
        router = router
            .route(&format!("/{name}"), get(page))
            .route(&format!("/{name}/{{*rest}}"), get(page));
    }
    router
}

async fn page(headers: HeaderMap) -> Response {
    let Some(mut response) = embedded("index.html", &headers) else {
        const NONE: &str = "This build has no dashboard. Build it with `make dashboard`, then the program again; \
            the REST API works without.\n";
        return (StatusCode::NOT_FOUND, NONE).into_response();
    };
    let kept = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    response
}

/// Beneath these nobody looks for a page, whatever a browser says that it takes.
const NO_PAGES: [&str; 7] = ["api", "o", "hooks", "assets", "docs", "metrics", "openapi.json"];

/// Shows people who ask for an address that there is not a page that says so, signed in or not; programs get it as JSON.
pub async fn page_for_people(request: Request, next: Next) -> Response {
    let accepts = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accepts| accepts.to_str().ok());
    let is_page = accepts.is_some_and(|accepts| accepts.contains("text/html"))
        && request.method().is_safe()
        && request.extensions().get::<MatchedPath>().is_none();
    let first = request.uri().path().trim_start_matches('/').split('/').next();
    let is_page = is_page && first.is_some_and(|first| !NO_PAGES.contains(&first));
    match is_page.then(|| missing(request.headers())).flatten() {
        Some(page) => page,
        None => next.run(request).await,
    }
}

/// The page under an address that is none of its own, which it says; none: this build has no dashboard.
fn missing(headers: &HeaderMap) -> Option<Response> {
    let mut headers = headers.clone();
    // Whoever knows the page already shall still learn that there is nothing here.
    headers.remove(header::IF_NONE_MATCH);
    let mut response = embedded("index.html", &headers)?;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().remove(header::ETAG);
    let kept = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    Some(response)
}

/// Its name holds a hash of what it is: it never changes.
async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(mut response) = embedded(&format!("assets/{name}"), &headers) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    response
}

/// A file of the build, packed where the asker can unpack it.
fn embedded(path: &str, headers: &HeaderMap) -> Option<Response> {
    if path.contains("..") {
        return None;
    }
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    let unpacks = accepted.is_some_and(|value| value.contains("gzip"));
    let packed = if unpacks {
        Built::get(&format!("{path}.gz"))
    } else {
        None
    };
    let is_packed = packed.is_some();
    let file = packed.or_else(|| Built::get(path))?;
    let tag: String = file.metadata.sha256_hash()[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("\"{tag}\"");
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if known == Some(tag.as_str()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file.data.into_response()
    };
    let answer = response.headers_mut();
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    answer.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_packed {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        answer.insert(header::ETAG, tag);
    }
    Some(response)
}
