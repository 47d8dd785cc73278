//! Where services post what happens in their buckets.
//!
//! Guarantees: without the storage's own secret nothing is taken, and nobody learns which storages there are but who
//! guesses one that takes notifications; yes is answered when what was told is on disk. Deliberately absent: what the
//! bodies mean (`trigger::s3_notify`, reached through a port).

use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Named;
use crate::web::ports::NoticeRefused;
use crate::web::state::WebState;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Tell what happened in a bucket: notifications of AWS, MinIO and Ceph RGW, bare or in messages of SNS, whose
/// subscriptions are confirmed here. The storage's own secret comes as Bearer, as the whole `Authorization`, as the password
/// of Basic, or as `?token=`.
#[utoipa::path(post, path = "/hooks/s3/{storage}", tag = "hooks",
    params(("storage" = String, Path,), ("token" = Option<String>, Query, description = "the secret, for senders that can set no header")),
    request_body(content = String, description = "what the service sends, JSON", content_type = "application/json"),
    security(()),
    responses((status = 204, description = "kept"), (status = 400, body = Problem, description = "not an event of a bucket"),
        (status = 403, body = Problem, description = "the secret is missing or wrong"),
        (status = 404, body = Problem, description = "no such storage, or its bucket may not tell"),
        (status = "default", body = Problem)))]
pub async fn take(
    State(state): State<WebState>,
    Named(storage): Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<StatusCode> {
    let offered = offered(&headers, query.as_deref());
    match state.notices.take(&storage, offered, body).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(NoticeRefused::Unknown) => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "NoSuchAddress",
            "there is nothing at this address",
            "A bucket may tell when its storage has a notify_secret_file and is watched.",
        )),
        Err(NoticeRefused::Secret) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "WrongSecret",
            "the secret of this storage is missing or wrong",
            "Send what stands in its notify_secret_file: Authorization: Bearer SECRET, or ?token=SECRET.",
        )),
        Err(NoticeRefused::Unreadable(cause)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "NoBucketEvent",
            cause,
            "Send the event as AWS, MinIO and Ceph RGW write it.",
        )),
        Err(NoticeRefused::Later(fault)) => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "TryAgain",
            fault.cause,
            "Send it again later; the bucket is listed meanwhile.",
        )),
    }
}

/// Every secret that a request shows.
fn offered(headers: &HeaderMap, query: Option<&str>) -> Vec<String> {
    let mut offered = Vec::new();
    for value in headers.get_all(header::AUTHORIZATION) {
        let Ok(value) = value.to_str() else { continue };
        let value = value.trim();
        offered.push(value.to_owned());
        let Some((scheme, rest)) = value.split_once(' ') else {
            continue;
        };
        if scheme.eq_ignore_ascii_case("bearer") {
            offered.push(rest.trim().to_owned());
        } else if scheme.eq_ignore_ascii_case("basic") {
            let plain = STANDARD
                .decode(rest.trim())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            offered.extend(plain.and_then(|plain| Some(plain.split_once(':')?.1.to_owned())));
        }
    }
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    offered.extend(
        pairs
            .filter(|(name, _)| name == "token")
            .map(|(_, value)| value.into_owned()),
    );
    offered
}

#[cfg(test)]
mod tests {
    use super::offered;
    use axum::http::HeaderMap;
    use axum::http::HeaderValue;
    use axum::http::header;

    #[test]
    fn a_secret_is_found_wherever_senders_can_put_it() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            offered(&headers, None)
        };
        assert!(with("Bearer s3cret").contains(&"s3cret".to_owned()));
        assert!(with("s3cret").contains(&"s3cret".to_owned()));
        assert!(with("Basic dXNlcjpzM2NyZXQ=").contains(&"s3cret".to_owned()));
        assert_eq!(offered(&HeaderMap::new(), Some("a=b&token=s%20x")), ["s x"]);
        assert!(offered(&HeaderMap::new(), None).is_empty());
    }
}
