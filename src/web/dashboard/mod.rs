//! The status page: one small page that shows what runs and plays what was made, with a pasted token.
//!
//! Guarantees: embedded, asks nothing of any other host, runs no inline script; knows only what the REST API tells it.
//! Deliberately absent: everything that changes something; the whole dashboard comes later.

use crate::web::state::WebState;
use axum::Router;
use axum::http::HeaderName;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

/// Blobs are what the player appends to its media source.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
    media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and its parts.
pub fn router() -> Router<WebState> {
    Router::new()
        .route("/", get(|| part("text/html; charset=utf-8", include_str!("page.html"))))
        .route(
            "/assets/page.css",
            get(|| part("text/css; charset=utf-8", include_str!("page.css"))),
        )
        .route(
            "/assets/page.js",
            get(|| part("text/javascript; charset=utf-8", include_str!("page.js"))),
        )
        .route(
            "/assets/player.js",
            get(|| part("text/javascript; charset=utf-8", include_str!("player.js"))),
        )
}

async fn part(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &'static str); 3] = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}
