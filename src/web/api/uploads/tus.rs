//! The tus protocol, 1.0.0: core, creation, creation-with-upload, creation-defer-length, termination, expiration,
//! checksum.
//!
//! Guarantees: every answer to a tus client says the version; a request of another version is not carried out.
//! Deliberately absent: concatenation, and checksums in trailers.

use crate::base::clock::UtcMs;
use crate::base::ids::UploadId;
use crate::store::uploads::UploadRow;
use crate::store::uploads::UploadState;
use crate::web::api::uploads;
use crate::web::api::uploads::body;
use crate::web::api::uploads::body::Checksum;
use crate::web::api::uploads::body::Sending;
use crate::web::api::uploads::put;
use crate::web::api::wish::Wish;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Named;
use crate::web::extract::media_type;
use crate::web::idempotency;
use crate::web::inlet::Held;
use crate::web::state::WebState;
use crate::web::user_data::UserData;
use axum::Extension;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Headers of the protocol.
pub(super) const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,termination,expiration,checksum";
const PIECE: &str = "application/offset+octet-stream";
/// Longest metadata.
const METADATA_BYTES: usize = 16_384;

/// What the server can do.
#[utoipa::path(options, path = "/api/v1/uploads", tag = "uploads",
    responses((status = 204, description = "Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm"),
        (status = "default", body = Problem)))]
pub async fn abilities(State(state): State<WebState>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert("tus-version", VERSION);
    put(headers, HeaderName::from_static("tus-extension"), EXTENSIONS);
    put(
        headers,
        HeaderName::from_static("tus-checksum-algorithm"),
        body::CHECKSUMS,
    );
    if let Some(max_bytes) = state.inlet.rules.max_bytes {
        put(headers, HeaderName::from_static("tus-max-size"), &max_bytes.to_string());
    }
    said(response)
}

/// The answer with the version in it.
pub(super) fn said(mut response: Response) -> Response {
    response.headers_mut().insert(RESUMABLE, VERSION);
    if response.status() == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert("tus-version", VERSION);
    }
    response
}

/// Refuses requests of other versions.
pub(super) fn version(headers: &HeaderMap) -> Answer<()> {
    match headers.get(RESUMABLE) {
        Some(version) if *version == VERSION => Ok(()),
        _ => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "TusVersion",
            "the request is not of tus 1.0.0",
            "Send Tus-Resumable: 1.0.0.",
        )),
    }
}

/// Begins an upload, perhaps with its first bytes.
pub(super) async fn create(state: WebState, caller: Caller, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match create_checked(&state, &caller, &parts.headers).await {
        Ok((status, row)) => first_bytes(&state, &parts.headers, status, row, body).await,
        Err(problem) => {
            body::drain(body).await;
            Err(problem)
        }
    };
    said(answer.unwrap_or_else(IntoResponse::into_response))
}

async fn create_checked(state: &WebState, caller: &Caller, headers: &HeaderMap) -> Answer<(StatusCode, UploadRow)> {
    version(headers)?;
    if headers.contains_key("upload-concat") {
        return Err(Problem::bad_request(
            "NoConcatenation",
            "uploads cannot be concatenated here",
            "Send the file as one upload; Tus-Extension says what can be done.",
        ));
    }
    let length = number(headers, &LENGTH)?;
    let deferred = match headers.get(DEFER_LENGTH).map(HeaderValue::as_bytes) {
        None => false,
        Some(b"1") => true,
        Some(_) => return Err(bad_header("Upload-Defer-Length", "1")),
    };
    if length.is_some() == deferred {
        return Err(Problem::bad_request(
            "NoLength",
            "an upload has either a length or the promise of one",
            "Send Upload-Length, or Upload-Defer-Length: 1.",
        ));
    }
    let metadata = headers
        .get(METADATA)
        .map(|value| {
            value
                .to_str()
                .map_err(|_| bad_header("Upload-Metadata", "name BASE64,..."))
        })
        .transpose()?
        .map(str::to_owned);
    let wish = metadata.as_deref().map(wish_of).transpose()?.unwrap_or_default();
    let asked = (length, metadata.as_deref());
    let once = idempotency::key(headers, caller, "POST /api/v1/uploads (tus)", &asked)?;
    uploads::make(state, caller, length, wish, metadata.clone(), once).await
}

async fn first_bytes(
    state: &WebState,
    headers: &HeaderMap,
    status: StatusCode,
    mut row: UploadRow,
    body: Body,
) -> Answer<Response> {
    let with_body = media_type(headers).is_some_and(|given| given == PIECE);
    if with_body && status == StatusCode::CREATED && row.state == UploadState::Open {
        let held = state.inlet.hold(row.id.as_str());
        let _held = held.ok_or_else(|| uploads::locked(&row.id))?;
        let checksum = checksum_of(headers)?;
        let sending = Sending {
            state,
            row: &row,
            skip: 0,
            size_bytes: None,
            checksum,
        };
        row.received_bytes = body::take(sending, body).await?;
        if row.size_bytes == Some(row.received_bytes) {
            row = uploads::whole(state, &row.id).await?;
        }
    }
    if let Some(problem) = uploads::ended_badly(&row) {
        return Err(problem);
    }
    let mut response = StatusCode::CREATED.into_response();
    *response.headers_mut() = uploads::placed(&row);
    tell_expiry(response.headers_mut(), &row);
    Ok(response)
}

/// How much of an upload is there.
#[utoipa::path(head, path = "/api/v1/uploads/{id}", tag = "uploads", params(("id" = String, Path,), ("Tus-Resumable" = Option<String>, Header,)),
    responses((status = 200, description = "Upload-Offset, Upload-Length or Upload-Defer-Length, Upload-Metadata, Upload-Expires"),
        (status = "default", description = "without a body")))]
pub async fn offset(State(state): State<WebState>, headers: HeaderMap, Named(id): Named) -> Response {
    said(
        offset_checked(&state, &headers, id)
            .await
            .unwrap_or_else(IntoResponse::into_response),
    )
}

async fn offset_checked(state: &WebState, headers: &HeaderMap, id: String) -> Answer<Response> {
    if headers.contains_key(RESUMABLE) {
        version(headers)?;
    }
    let row = uploads::open_upload(state, UploadId::from(id)).await?;
    if matches!(row.state, UploadState::Failed | UploadState::Canceled) {
        return Err(uploads::gone(&row));
    }
    let mut response = StatusCode::OK.into_response();
    let answer = response.headers_mut();
    put(answer, OFFSET, &row.received_bytes.to_string());
    match row.size_bytes {
        Some(size_bytes) => put(answer, LENGTH, &size_bytes.to_string()),
        None => put(answer, DEFER_LENGTH, "1"),
    }
    if let Some(metadata) = &row.metadata {
        put(answer, METADATA, metadata);
    }
    put(answer, header::CACHE_CONTROL, "no-store");
    tell_expiry(answer, &row);
    Ok(response)
}

/// Send the next bytes of an upload, from exactly the offset that it has.
#[utoipa::path(patch, path = "/api/v1/uploads/{id}", tag = "uploads",
    params(("id" = String, Path,), ("Tus-Resumable" = String, Header,), ("Upload-Offset" = u64, Header,),
        ("Upload-Checksum" = Option<String>, Header,), ("Upload-Length" = Option<u64>, Header,)),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "Upload-Offset"),
        (status = 409, body = Problem, description = "Upload-Offset is not where the upload is"),
        (status = 460, body = Problem, description = "the checksum does not match"), (status = "default", body = Problem)))]
pub async fn patch(State(state): State<WebState>, headers: HeaderMap, Named(id): Named, body: Body) -> Response {
    let checked = check_patch(&state, &headers, id).await;
    let answer = match checked {
        Ok(piece) => take_patch(&state, piece, body).await,
        Err(response) => {
            body::drain(body).await;
            Ok(response)
        }
    };
    said(answer.unwrap_or_else(IntoResponse::into_response))
}

/// A piece that fits, and the right to write it.
struct Piece {
    held: Held,
    row: UploadRow,
    checksum: Option<Checksum>,
    /// The size of the whole, where it is said now.
    length: Option<u64>,
}

async fn check_patch(state: &WebState, headers: &HeaderMap, id: String) -> Result<Piece, Response> {
    let checked = async {
        version(headers)?;
        if media_type(headers).is_none_or(|given| given != PIECE) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "NotAPiece",
                "the body is not said to be a piece of an upload",
                "Send it with Content-Type: application/offset+octet-stream.",
            ));
        }
        let offset = number(headers, &OFFSET)?.ok_or_else(|| bad_header("Upload-Offset", "a number"))?;
        let checksum = checksum_of(headers)?;
        let (held, row) = uploads::open_to_write(state, id).await?;
        let length = match (number(headers, &LENGTH)?, row.size_bytes) {
            (Some(said), Some(known)) if said != known => {
                return Err(Problem::bad_request(
                    "LengthChanged",
                    format!("the upload has {known} bytes, and now it is said to have {said}"),
                    "Send the length once.",
                ));
            }
            (Some(said), None) if said < row.received_bytes => {
                return Err(Problem::bad_request(
                    "LengthChanged",
                    format!("{} bytes came already", row.received_bytes),
                    "Send a length that is at least the offset.",
                ));
            }
            (said, _) => said,
        };
        crate::web::api::wish::check_size(state, length)?;
        let piece = Piece {
            held,
            row,
            checksum,
            length,
        };
        Ok((piece, offset))
    };
    let (piece, offset) = checked.await.map_err(IntoResponse::into_response)?;
    let row = &piece.row;
    if offset != row.received_bytes {
        let problem = Problem::conflict(
            "OffsetWrong",
            format!(
                "the upload is at {} and the piece begins at {offset}",
                row.received_bytes
            ),
            "Ask for the offset with HEAD and send from there.",
        );
        let mut response = problem.into_response();
        put(response.headers_mut(), OFFSET, &row.received_bytes.to_string());
        return Err(response);
    }
    let announced = number(headers, &header::CONTENT_LENGTH).ok().flatten().unwrap_or(0);
    let left = row
        .size_bytes
        .or(piece.length)
        .map(|size_bytes| size_bytes - row.received_bytes);
    if left.is_some_and(|left| announced > left) {
        let problem = Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "UploadTooLong",
            format!("{announced} bytes come and {} are missing", left.unwrap_or(0)),
            "Send what is missing, and no more.",
        );
        return Err(problem.into_response());
    }
    Ok(piece)
}

async fn take_patch(state: &WebState, piece: Piece, body: Body) -> Answer<Response> {
    let Piece {
        held,
        mut row,
        checksum,
        length,
    } = piece;
    if row.state == UploadState::Open {
        let sending = Sending {
            state,
            row: &row,
            skip: 0,
            size_bytes: length,
            checksum,
        };
        let upto = body::take(sending, body).await?;
        drop(held);
        row.received_bytes = upto;
        row.size_bytes = row.size_bytes.or(length);
        row.expires_at = uploads::expiry(state, UtcMs::now());
        if row.size_bytes == Some(upto) {
            row = uploads::whole(state, &row.id).await?;
        }
    }
    if let Some(problem) = uploads::ended_badly(&row) {
        return Err(problem);
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    put(response.headers_mut(), OFFSET, &row.received_bytes.to_string());
    tell_expiry(response.headers_mut(), &row);
    Ok(response)
}

/// POST to an upload: only with the method that is meant in a header, for clients that cannot send it otherwise.
#[utoipa::path(post, path = "/api/v1/uploads/{id}", tag = "uploads",
    params(("id" = String, Path,), ("X-HTTP-Method-Override" = String, Header, description = "PATCH, DELETE or HEAD")),
    responses((status = 204, description = "as the method says"), (status = "default", body = Problem)))]
pub async fn overridden(
    state: State<WebState>,
    caller: Extension<Caller>,
    headers: HeaderMap,
    named: Named,
    body: Body,
) -> Response {
    match headers.get(OVERRIDE).map(HeaderValue::as_bytes) {
        Some(b"PATCH") => patch(state, headers, named, body).await,
        Some(b"DELETE") => uploads::cancel(state, caller, headers, named).await,
        Some(b"HEAD") => offset(state, headers, named).await,
        _ => Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "an upload takes PATCH, PUT, HEAD, GET and DELETE",
            "Send one of them, or name it in X-HTTP-Method-Override.",
        )
        .into_response(),
    }
}

fn tell_expiry(headers: &mut HeaderMap, row: &UploadRow) {
    if row.state == UploadState::Open
        && let Ok(at) = jiff::Timestamp::from_millisecond(row.expires_at.0)
    {
        put(headers, EXPIRES, &at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
}

fn checksum_of(headers: &HeaderMap) -> Answer<Option<Checksum>> {
    headers
        .get(CHECKSUM)
        .map(|value| Checksum::read(value.to_str().unwrap_or_default()))
        .transpose()
}

/// A header that holds a number.
fn number(headers: &HeaderMap, name: &HeaderName) -> Answer<Option<u64>> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    // `parse` takes a plus sign; and sizes beyond what a file can have are no sizes.
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(number) if digits && i64::try_from(number).is_ok() => Ok(Some(number)),
        _ => Err(bad_header(name.as_str(), "a number of bytes")),
    }
}

fn bad_header(name: &str, form: &str) -> Problem {
    Problem::bad_request(
        "BadHeader",
        format!("the header {name} is missing or not understood"),
        format!("Send {name}: {form}."),
    )
}

/// What the metadata of a tus client wish for; pairs that mean nothing here are kept and given back to it.
fn wish_of(metadata: &str) -> Answer<Wish> {
    let bad = || bad_header("Upload-Metadata", "name BASE64, separated by commas");
    if metadata.len() > METADATA_BYTES {
        return Err(bad());
    }
    let mut wish = Wish::default();
    for pair in metadata.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = STANDARD.decode(value.trim()).map_err(|_| bad())?;
        let value = String::from_utf8(value).map_err(|_| bad())?;
        match name {
            "filename" | "file_name" | "name" => wish.file_name = Some(value),
            "storage" => wish.storage = Some(value),
            "key" => wish.key = Some(value),
            "on_conflict" => wish.on_conflict = Some(value),
            "digest" => wish.digest = Some(value),
            "role" => wish.role = Some(value),
            "media" => wish.media = Some(value),
            "kind" => wish.kind = Some(value),
            "title" => wish.title = value,
            "description" => wish.description = value,
            "tags" => wish.tags = value.split(',').map(|tag| tag.trim().to_owned()).collect(),
            "category" => wish.category = Some(value),
            "language" => wish.language = Some(value),
            "user_data" => wish.user_data = Some(UserData::from(value)),
            "workflow" => wish.workflow = Some(value),
            "register" => wish.register = Some(value == "true" || value == "1"),
            _ => {}
        }
    }
    Ok(wish)
}

#[cfg(test)]
mod tests {
    use super::wish_of;

    #[test]
    fn metadata_are_wishes() {
        let wish = wish_of("filename Y2xpcC5tcDQ=,tags YSwgYg==, is_confidential,title w7w=")
            .map_err(|problem| problem.detail);
        let wish = wish.expect("good");
        assert_eq!(wish.file_name.as_deref(), Some("clip.mp4"));
        assert_eq!(
            (wish.tags.as_slice(), wish.title.as_str()),
            (&["a".to_owned(), "b".to_owned()][..], "ü")
        );
        assert!(wish_of("filename %%").is_err());
        assert!(wish_of("filename /w==").is_err(), "not UTF-8");
    }
}
