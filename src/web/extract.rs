//! What handlers take from requests: a JSON body, a query, an id; with refusals that say which field is wrong.
//!
//! Guarantees: unknown fields and wrong types are refused with their place; nothing is guessed. Deliberately
//! absent: what the values mean.

use crate::web::error::Problem;
use axum::extract::FromRequest;
use axum::extract::FromRequestParts;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// A JSON body.
pub struct Given<T>(pub T);

impl<S, T> FromRequest<S> for Given<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if media_type(request.headers()).is_some_and(|given| given != "application/json") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "NotJson",
                "the body is not said to be JSON",
                "Send it with Content-Type: application/json.",
            ));
        }
        let bytes = axum::body::Bytes::from_request(request, state)
            .await
            .map_err(body_problem)?;
        // Nothing is guessed of an absent body: for some verbs the empty object stands for everything there is.
        serde_json::from_slice(&bytes).map(Given).map_err(|error| {
            Problem::bad_request(
                "BadBody",
                format!("the body is not what this address takes: {error}"),
                "Compare it with /openapi.json; unknown fields are refused so that a misspelt one is not ignored.",
            )
        })
    }
}

/// The problem of a body that could not be read.
pub fn body_problem(rejection: axum::extract::rejection::BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BodyTooLarge",
            "the body is larger than 1 MiB",
            "Send a smaller one; media goes into a storage, not through this address.",
        )
    } else {
        Problem::bad_request("BodyNotRead", rejection.body_text(), "Send the request again.")
    }
}

/// The Content-Type without its parameters.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

/// The query string.
pub struct Asked<T>(pub T);

impl<S, T> FromRequestParts<S> for Asked<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map(|query| Asked(query.0))
            .map_err(|rejection| {
                Problem::bad_request(
                    "BadQuery",
                    rejection.body_text(),
                    "Compare it with /openapi.json; unknown parameters are refused.",
                )
            })
    }
}

/// The last, or only, variable part of the path.
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::<String>::from_request_parts(parts, state)
            .await
            .map(|path| Named(path.0))
            .map_err(|rejection| Problem::bad_request("BadPath", rejection.body_text(), "Check the address."))
    }
}
