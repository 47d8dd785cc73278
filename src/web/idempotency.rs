//! The Idempotency-Key of a call: the caller's word for "the same request again".
//!
//! Guarantees: two callers may choose the same word; another request under a used word is refused. Deliberately absent:
//! keeping keys (`store::idempotency`).

use crate::store::idempotency::Once;
use crate::store::idempotency::OnceKey;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

/// The key of a call to `address` with this request; none: the caller gave none.
///
/// # Errors
/// The header cannot be a key.
pub fn key(headers: &HeaderMap, caller: &Caller, address: &str, request: &impl Serialize) -> Answer<Option<OnceKey>> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let word = value.to_str().ok().filter(|word| (1..=200).contains(&word.len()));
    let Some(word) = word else {
        return Err(Problem::bad_request(
            "BadIdempotencyKey",
            "the Idempotency-Key is empty, longer than 200 bytes, or not ASCII",
            "Send something like a UUID.",
        ));
    };
    let asked = serde_json::to_vec(request).unwrap_or_default();
    let digest = Sha256::new()
        .chain_update(address)
        .chain_update(b"\n")
        .chain_update(asked);
    Ok(Some(OnceKey {
        key: format!("{}:{word}", caller.token),
        request_sha256: hex::encode(digest.finalize()),
    }))
}

/// What was made, and whether that was now (201) or by an earlier call with this key (200).
///
/// # Errors
/// The key belongs to another request.
pub fn made<T>(once: Once<T>) -> Answer<(StatusCode, T)> {
    match once {
        Once::New(made) => Ok((StatusCode::CREATED, made)),
        Once::Again(made) => Ok((StatusCode::OK, made)),
        Once::Reused => Err(Problem::conflict(
            "IdempotencyKeyReused",
            "the Idempotency-Key was used before, with another request",
            "Use a new key for a new request.",
        )),
    }
}
