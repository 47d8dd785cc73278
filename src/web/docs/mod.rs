//! The page on which people read and try the API.
//!
//! Guarantees: everything it needs is in the program, so it works without any other host; the page and its parts are open,
//! the document behind them is not. Deliberately absent: the document.

use crate::web::state::WebState;
use axum::Router;
use axum::http::HeaderName;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;
use utoipa_swagger_ui::Config;

/// Swagger UI writes styles and pictures into its page; nothing comes from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and its parts.
pub fn router() -> Router<WebState> {
    Router::new()
        .route(
            "/docs",
            get(|| part("text/html; charset=utf-8", include_str!("page.html"))),
        )
        .route(
            "/docs/page.css",
            get(|| part("text/css; charset=utf-8", include_str!("page.css"))),
        )
        .route(
            "/docs/page.js",
            get(|| part("text/javascript; charset=utf-8", include_str!("page.js"))),
        )
        .route("/docs/swagger-ui.css", get(|| vendored("swagger-ui.css")))
        .route("/docs/swagger-ui-bundle.js", get(|| vendored("swagger-ui-bundle.js")))
}

async fn part(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    (head(content_type.to_owned(), "no-cache"), text)
}

/// A file of Swagger UI.
async fn vendored(name: &'static str) -> Response {
    let served = utoipa_swagger_ui::serve(name, Arc::new(Config::default()));
    match served.ok().flatten() {
        Some(file) => (head(file.content_type, "max-age=86400"), file.bytes.into_owned()).into_response(),
        None => super::nothing(&format!("/docs/{name}")).into_response(),
    }
}

fn head(content_type: String, cache: &'static str) -> [(HeaderName, String); 3] {
    [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (header::CACHE_CONTROL, cache.to_owned()),
    ]
}
