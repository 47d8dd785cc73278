//! A server that takes callbacks, for `reelmill callback listen`.
//!
//! Guarantees: hands over every POST, whatever its path, with the bytes as they came; what the judge answers is what
//! the sender gets, also for the last one before the end. Deliberately absent: judging them; no part of the daemon.

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::routing::any;
use futures_util::future::BoxFuture;
use std::future::Future;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Largest callback taken; the largest sent are the ends of tasks with many outputs.
const BODY_MAX: usize = 16 << 20;

/// One callback as it came in.
#[derive(Debug, Clone)]
pub struct Received {
    headers: HeaderMap,
    path: String,
    body: Bytes,
}

impl Received {
    /// Value of a header, by any case of its name; none also where it is no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Path and query it was posted to.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// Decides the HTTP status a callback is answered with.
pub type Judge = Arc<dyn Fn(Received) -> BoxFuture<'static, u16> + Send + Sync>;

/// Serves until `stop` resolves, and answers what is under way then.
///
/// # Errors
/// Of the listener.
pub async fn serve(
    listener: TcpListener,
    judge: Judge,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/", any(take))
        .route("/{*path}", any(take))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(judge);
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

async fn take(
    State(judge): State<Judge>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    if method != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, "callbacks are posted\n");
    }
    let received = Received {
        headers,
        path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        body,
    };
    let status = StatusCode::from_u16(judge(received).await).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, "")
}
