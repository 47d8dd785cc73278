//! How every refusal and failure looks on the wire: RFC 9457 problem details, with a name for programs and a remedy
//! for people.
//!
//! Guarantees: made in this one place; no handler writes an error body of its own; a failure inside the program
//! is logged here, once. Deliberately absent: redirects and empty error bodies.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// One refusal or failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// The status in words.
    pub title: String,
    /// What failed, to which object, why.
    pub detail: String,
    /// Stable name for programs, CamelCase.
    pub code: String,
    /// What the reader can do.
    pub remedy: String,
}

impl Problem {
    /// A problem of the given status.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Problem {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            detail: detail.into(),
            code: code.to_owned(),
            remedy: remedy.into(),
        }
    }

    /// 400: the request is not well formed.
    pub fn bad_request(code: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail, remedy)
    }

    /// 400: the body of a request about the `noun` `name` names another one.
    pub fn name_differs(noun: &str, name: &str, said: &str) -> Self {
        Self::bad_request(
            "NameDiffers",
            format!("the body names {said:?}, the address {name:?}"),
            format!("Leave the name out of the body; a {noun} keeps its name."),
        )
    }

    /// 404: `noun` `name` does not exist.
    pub fn not_found(noun: &str, name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            format!("there is no {noun} {name}"),
            format!(
                "Check the id or name; list what exists with GET /api/v1/{}.",
                plural(noun)
            ),
        )
    }

    /// What a fault says, under this status.
    pub fn of_fault(status: StatusCode, fault: &Fault) -> Self {
        Problem::new(
            status,
            &fault.code,
            format!("{} of {} failed: {}", fault.operation, fault.subject, fault.cause),
            fault.remedy.clone(),
        )
    }

    /// 409: the state of things does not allow it.
    pub fn conflict(code: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail, remedy)
    }

    /// 422: well formed, but not acceptable.
    pub fn unacceptable(code: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail, remedy)
    }

    /// 403: known, but not allowed.
    pub fn forbidden(code: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail, remedy)
    }
}

/// The noun as it stands in addresses.
fn plural(noun: &str) -> String {
    match noun {
        "media" => noun.to_owned(),
        "delivery" => "deliveries".to_owned(),
        "category" => "categories".to_owned(),
        "attachment" | "rendition" => format!("media/ID/{noun}s"),
        _ => format!("{noun}s"),
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let status = match fault.blame {
            Blame::Request => StatusCode::UNPROCESSABLE_ENTITY,
            Blame::Source => StatusCode::UNPROCESSABLE_ENTITY,
            Blame::Host => StatusCode::SERVICE_UNAVAILABLE,
            Blame::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(code = %fault.code, operation = %fault.operation, subject = %fault.subject, cause = %fault.cause, "a request failed");
        }
        Problem::of_fault(status, &fault)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"reelmill\""),
            );
        }
        response
    }
}

/// The same answer, but what refuses without saying why (a part of the framework that no handler asked) says it as a
/// problem.
pub fn in_words(response: Response) -> Response {
    let status = response.status();
    // A page says it itself.
    let said = response.headers().get(header::CONTENT_TYPE).is_some_and(|said| {
        let is_of = |kind: &str| said.as_bytes().starts_with(kind.as_bytes());
        is_of(PROBLEM_JSON) || is_of("text/html")
    });
    if said || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let mut problem = Problem::new(
        status,
        &status.canonical_reason().unwrap_or("Error").replace([' ', '-'], ""),
        format!("the request was answered with {status}"),
        "Compare it with /openapi.json.",
    )
    .into_response();
    // What a refusal tells in its head besides its body: Allow, Retry-After, Content-Range.
    for (name, value) in response.headers() {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            problem.headers_mut().append(name, value.clone());
        }
    }
    problem
}

/// What a handler answers.
pub type Answer<T> = Result<T, Problem>;

#[cfg(test)]
mod tests {
    use super::Problem;
    use crate::base::fault::Blame;
    use crate::base::fault::Fault;

    #[test]
    fn a_fault_keeps_its_name_and_remedy() {
        let problem = Problem::from(Fault::new(
            "DiskFull",
            Blame::Host,
            "write",
            "the database",
            "no space left",
            "Free some space.",
        ));
        assert_eq!((problem.status, problem.code.as_str()), (503, "DiskFull"));
        assert_eq!(problem.detail, "write of the database failed: no space left");
        assert_eq!(problem.remedy, "Free some space.");
    }
}
