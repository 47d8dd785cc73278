//! A definition in the body of a request, TOML or JSON.
//!
//! Guarantees: the text is kept as it was sent, for what is saved and for the lines of messages. Deliberately absent:
//! what it means.

use crate::web::error::Problem;
use crate::web::extract;
use crate::web::state::WebState;
use axum::body::Bytes;
use axum::extract::FromRequest;
use axum::extract::Request;
use axum::http::StatusCode;

/// In what it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// As files are.
    Toml,
    /// As programs write.
    Json,
}

/// The body.
pub struct Written {
    /// As it was sent.
    pub text: String,
    /// In what.
    pub language: Language,
}

impl FromRequest<WebState> for Written {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Problem> {
        let media_type = extract::media_type(request.headers()).unwrap_or_else(|| "application/json".to_owned());
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(extract::body_problem)?;
        let text = String::from_utf8(bytes.to_vec())
            .map_err(|_| Problem::bad_request("NotText", "the definition is not UTF-8", "Send it as UTF-8."))?;
        let language = match media_type.as_str() {
            "application/json" => Language::Json,
            "application/toml" | "text/plain" | "text/x-toml" => Language::Toml,
            other => {
                return Err(Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "NotADefinition",
                    format!("a definition is not {other}"),
                    "Send application/toml or application/json.",
                ));
            }
        };
        Ok(Written { text, language })
    }
}
