//! The plain way to send an upload: PUT with Content-Range, as curl and scripts can.
//!
//! Guarantees: a piece that overlaps with what came before is cut to what is new, so a piece may be sent again; one
//! that would leave a hole is refused with the offset. Deliberately absent: several ranges in one request.

use crate::store::uploads::UploadRow;
use crate::store::uploads::UploadState;
use crate::web::api::uploads;
use crate::web::api::uploads::UploadView;
use crate::web::api::uploads::body;
use crate::web::api::uploads::body::Sending;
use crate::web::api::uploads::tus::OFFSET;
use crate::web::api::wish;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Named;
use crate::web::inlet::Held;
use crate::web::state::WebState;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;

/// Send a piece of an upload, `Content-Range: bytes FIRST-LAST/SIZE` (or `/*` while the size is not known), or, without
/// that header, all of it. The answer says the new offset, and after the last piece what became of the file.
#[utoipa::path(put, path = "/api/v1/uploads/{id}", tag = "uploads",
    params(("id" = String, Path,), ("Content-Range" = Option<String>, Header,)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = UploadView),
        (status = 409, body = Problem, description = "the piece would leave a hole: Upload-Offset says where to go on"),
        (status = "default", body = Problem)))]
pub async fn put(State(state): State<WebState>, headers: HeaderMap, Named(id): Named, body: Body) -> Response {
    match check(&state, &headers, id).await {
        Ok(piece) => match send(&state, piece, body).await {
            Ok(row) => (uploads::placed(&row), Json(UploadView::from(row))).into_response(),
            Err(problem) => problem.into_response(),
        },
        Err(response) => {
            body::drain(body).await;
            response
        }
    }
}

/// A piece that fits, and the right to write it.
struct Piece {
    held: Held,
    row: UploadRow,
    /// Bytes at its head that came before.
    skip: u64,
    /// The size of the whole, where it was said now.
    size_bytes: Option<u64>,
}

async fn check(state: &WebState, headers: &HeaderMap, id: String) -> Result<Piece, Response> {
    let checked = async {
        let range = range_of(headers)?;
        let (held, row) = uploads::open_to_write(state, id).await?;
        if let (Some(said), Some(known)) = (range.total, row.size_bytes)
            && said != known
        {
            return Err(Problem::unacceptable(
                "SizeChanged",
                format!("the upload has {known} bytes, and now it is said to have {said}"),
                "Send the pieces of the same file, or begin a new upload.",
            ));
        }
        wish::check_size(state, range.total)?;
        let size_bytes = row.size_bytes.or(range.total);
        let beyond = |end: u64| size_bytes.is_some_and(|size_bytes| end > size_bytes);
        if range.end.is_some_and(beyond) {
            return Err(Problem::bad_request(
                "BadContentRange",
                "the piece ends beyond the file",
                "Send pieces within the size.",
            ));
        }
        Ok((held, row, range))
    };
    let (held, row, range) = checked.await.map_err(IntoResponse::into_response)?;
    let first = range.first.unwrap_or(row.received_bytes);
    if first > row.received_bytes {
        let problem = Problem::conflict(
            "OffsetWrong",
            format!(
                "the upload is at {} and the piece begins at {first}",
                row.received_bytes
            ),
            "Send from the offset on.",
        );
        let mut response = problem.into_response();
        uploads::put(response.headers_mut(), OFFSET, &row.received_bytes.to_string());
        return Err(response);
    }
    Ok(Piece {
        held,
        skip: row.received_bytes - first,
        size_bytes: range.total,
        row,
    })
}

async fn send(state: &WebState, piece: Piece, body: Body) -> Answer<UploadRow> {
    let Piece {
        held,
        row,
        skip,
        size_bytes,
    } = piece;
    if row.state != UploadState::Open {
        // Whole already: the answer to the last piece was lost.
        body::drain(body).await;
        return Ok(row);
    }
    let sending = Sending {
        state,
        row: &row,
        skip,
        size_bytes,
        checksum: None,
    };
    let upto = body::take(sending, body).await?;
    drop(held);
    if row.size_bytes.or(size_bytes) != Some(upto) {
        return Ok(state.store.upload(&row.id).await?);
    }
    let row = uploads::whole(state, &row.id).await?;
    match uploads::ended_badly(&row) {
        Some(problem) => Err(problem),
        None => Ok(row),
    }
}

struct Range {
    /// None: nothing comes, the size alone is said.
    first: Option<u64>,
    /// One past its last byte.
    end: Option<u64>,
    total: Option<u64>,
}

/// Reads `bytes 0-99/200`, `bytes 0-99/*` and, with an empty body, `bytes */200`; no header: the whole file.
fn range_of(headers: &HeaderMap) -> Answer<Range> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
    };
    let Some(value) = text(header::CONTENT_RANGE) else {
        if headers.contains_key(header::CONTENT_RANGE) {
            return Err(bad_range());
        }
        let total = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        return Ok(Range {
            first: Some(0),
            end: total,
            total,
        });
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>()
            .ok()
            .filter(|number| digits && i64::try_from(*number).is_ok())
            .ok_or_else(bad_range)
    };
    let (range, total) = value
        .strip_prefix("bytes ")
        .and_then(|rest| rest.trim().split_once('/'))
        .ok_or_else(bad_range)?;
    let total = match total {
        "*" => None,
        total => Some(number(total)?),
    };
    if range == "*" && total.is_some() && text(header::CONTENT_LENGTH).is_none_or(|length| length == "0") {
        return Ok(Range {
            first: None,
            end: None,
            total,
        });
    }
    let (first, last) = range.split_once('-').ok_or_else(bad_range)?;
    let (first, last) = (number(first)?, number(last)?);
    if first > last || total.is_some_and(|total| last >= total) {
        return Err(bad_range());
    }
    if let Some(length) = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok())
        && length != last - first + 1
    {
        return Err(Problem::bad_request(
            "BadContentRange",
            format!("the range has {} bytes and the body {length}", last - first + 1),
            "Let them be the same.",
        ));
    }
    Ok(Range {
        first: Some(first),
        end: Some(last + 1),
        total,
    })
}

fn bad_range() -> Problem {
    Problem::bad_request(
        "BadContentRange",
        "the Content-Range is not understood",
        "Write it as bytes FIRST-LAST/SIZE, as in bytes 0-999/4000, or with * while the size is not known.",
    )
}

#[cfg(test)]
mod tests {
    use super::range_of;
    use axum::http::HeaderMap;
    use axum::http::HeaderValue;

    fn read(range: &'static str, length: &'static str) -> Option<(Option<u64>, Option<u64>, Option<u64>)> {
        let mut headers = HeaderMap::new();
        if !range.is_empty() {
            headers.insert("content-range", HeaderValue::from_static(range));
        }
        if !length.is_empty() {
            headers.insert("content-length", HeaderValue::from_static(length));
        }
        range_of(&headers)
            .ok()
            .map(|range| (range.first, range.end, range.total))
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(read("bytes 5-9/20", "5"), Some((Some(5), Some(10), Some(20))));
        assert_eq!(read("bytes 5-9/*", ""), Some((Some(5), Some(10), None)));
        assert_eq!(read("", "7"), Some((Some(0), Some(7), Some(7))));
        assert_eq!(read("", ""), Some((Some(0), None, None)));
        assert_eq!(read("bytes */20", "0"), Some((None, None, Some(20))));
        for bad in [
            "bytes 9-5/20",
            "bytes 5-20/20",
            "bytes */*",
            "5-9/20",
            "bytes +5-9/20",
            "bytes 5-9",
            "bytes a-b/c",
        ] {
            assert_eq!(read(bad, ""), None, "{bad}");
        }
        assert_eq!(read("bytes 5-9/20", "6"), None);
    }
}
