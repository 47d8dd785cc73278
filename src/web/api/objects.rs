//! `/o/...`: the bytes of an object, for whoever holds a signed link to it.
//!
//! Guarantees: 403 for everything that is not well signed, whether it exists or not; only known media types are shown in
//! place, everything else is a download, and nothing served here can run as a page of this origin. One byte range a
//! request, as players ask. An answer is of one content: what is replaced while it is sent breaks it off, and whoever goes
//! on asks with If-Range or If-Match. Deliberately absent: listings, and links made here (`api::media`).

use crate::base::clock::UtcMs;
use crate::objects::uri::ObjectUri;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::links;
use crate::web::links::Refused;
use crate::web::ports::ObjectHead;
use crate::web::state::WebState;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use std::ops::Range;

/// How often an object is looked at that is replaced all the time.
const LOOKS: u32 = 3;

/// What may be shown in place, by extension. SVG, HTML, XML and PDF are active content and therefore absent.
const MEDIA_TYPES: &[(&str, &str)] = &[
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("m4s", "video/iso.segment"),
    ("cmfv", "video/mp4"),
    ("cmfa", "audio/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("ts", "video/mp2t"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("mpd", "application/dash+xml"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("m4a", "audio/mp4"),
    ("aac", "audio/aac"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav"),
    ("flac", "audio/flac"),
    ("opus", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
];

/// Answers a request for an object.
pub async fn serve(State(state): State<WebState>, request: Request) -> Answer<Response> {
    let uri = request.uri();
    let requested = uri
        .path()
        .strip_prefix("/o/")
        .and_then(|path| links::read_request(path, uri.query()))
        .ok_or_else(|| refused(Refused::NotSigned))?;
    state.signer.check(&requested, UtcMs::now()).map_err(refused)?;
    let object = requested.object;
    let (with_body, headers) = (request.method() != Method::HEAD, request.headers());
    let mut looks = 1;
    loop {
        let answer = answer(&state, &object, with_body, headers).await;
        match answer {
            // Replaced between the look at it and its first byte: what stands there now is as good.
            Err(problem) if looks < LOOKS && ["SourceChanged", "SourceGone"].contains(&problem.code.as_str()) => {
                looks += 1;
            }
            answer => return answer,
        }
    }
}

async fn answer(state: &WebState, object: &ObjectUri, with_body: bool, asked: &HeaderMap) -> Answer<Response> {
    let opened = state
        .objects
        .open(object)
        .await?
        .ok_or_else(|| Problem::not_found("object", &object.to_string()))?;
    let head = opened.head();
    let tag = entity_tag(&head);
    let mut headers = HeaderMap::new();
    describe(&mut headers, object.file_name(), &tag, &head);
    if asked.contains_key(header::IF_MATCH) && !matches_tag(asked, header::IF_MATCH, &tag) {
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "ObjectChanged",
            format!("{object} is not any more what the If-Match of the request names"),
            "Begin to read it anew.",
        ));
    }
    if matches_tag(asked, header::IF_NONE_MATCH, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let range = match wanted_range(asked, &tag, head.size_bytes) {
        Wanted::Whole => None,
        Wanted::Part(range) => Some(range),
        Wanted::Nothing => {
            let mut response = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "BadRange",
                format!("the range lies outside the {} bytes of {object}", head.size_bytes),
                "Ask for a range within the object.",
            )
            .into_response();
            put(
                response.headers_mut(),
                header::CONTENT_RANGE,
                &format!("bytes */{}", head.size_bytes),
            );
            return Ok(response);
        }
    };
    let status = if range.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    if let Some(range) = &range {
        let text = format!("bytes {}-{}/{}", range.start, range.end - 1, head.size_bytes);
        put(&mut headers, header::CONTENT_RANGE, &text);
    }
    let range = range.unwrap_or(0..head.size_bytes);
    put(
        &mut headers,
        header::CONTENT_LENGTH,
        &(range.end - range.start).to_string(),
    );
    if !with_body {
        return Ok((status, headers).into_response());
    }
    Ok((status, headers, Body::from_stream(opened.read(range).await?)).into_response())
}

fn refused(why: Refused) -> Problem {
    match why {
        Refused::NotSigned => Problem::forbidden(
            "NotSigned",
            "the address is not a link that was given out for this object",
            "Ask for a link with GET /api/v1/media/ID/urls and use it unchanged.",
        ),
        Refused::Expired => Problem::forbidden(
            "LinkExpired",
            "the link has expired",
            "Ask for a new one with GET /api/v1/media/ID/urls.",
        ),
    }
}

/// The headers of every answer with an object.
fn describe(headers: &mut HeaderMap, file_name: &str, tag: &str, head: &ObjectHead) {
    let media_type = media_type(file_name);
    let disposition = if media_type.is_some() { "inline" } else { "attachment" };
    let fixed = [
        (header::CONTENT_TYPE, media_type.unwrap_or("application/octet-stream")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Whatever a browser makes of the bytes, it may load nothing, run nothing and belongs to no origin.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; sandbox",
        ),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, max-age=3600"),
        // The link is the whole proof and no cookies exist, so a player on another page may use it.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "content-length, content-range, etag",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    put(headers, header::ETAG, tag);
    let name = percent_encoding::utf8_percent_encode(file_name, percent_encoding::NON_ALPHANUMERIC);
    put(
        headers,
        header::CONTENT_DISPOSITION,
        &format!("{disposition}; filename*=UTF-8''{name}"),
    );
    if head.mtime_ns > 0
        && let Ok(at) = jiff::Timestamp::from_nanosecond(i128::from(head.mtime_ns))
    {
        put(
            headers,
            header::LAST_MODIFIED,
            &at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        );
    }
}

/// The type under which a file may be shown in place; none: it is a download.
pub fn media_type(file_name: &str) -> Option<&'static str> {
    let (_, extension) = file_name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    MEDIA_TYPES
        .iter()
        .find(|(known, _)| *known == extension)
        .map(|(_, media_type)| *media_type)
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn entity_tag(head: &ObjectHead) -> String {
    if head.etag.is_empty() {
        format!("\"{:x}-{:x}\"", head.size_bytes, head.mtime_ns)
    } else {
        format!("\"{}\"", head.etag.trim_matches('"'))
    }
}

fn matches_tag(headers: &HeaderMap, name: HeaderName, tag: &str) -> bool {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|one| one.trim() == tag || one.trim() == "*"))
}

/// What of an object a request wants.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    Nothing,
}

/// Reads the Range header. Several ranges, other units and what cannot be read mean the whole object, as RFC 9110 allows.
fn wanted_range(headers: &HeaderMap, tag: &str, size_bytes: u64) -> Wanted {
    if headers.contains_key(header::IF_RANGE) && !matches_tag(headers, header::IF_RANGE, tag) {
        return Wanted::Whole;
    }
    let Some(spec) = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().strip_prefix("bytes="))
    else {
        return Wanted::Whole;
    };
    let Some((first, last)) = spec.split_once('-').map(|(first, last)| (first.trim(), last.trim())) else {
        return Wanted::Whole;
    };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size_bytes),
        (Ok(first), Err(_)) if last.is_empty() => first..size_bytes,
        (Err(_), Ok(suffix)) if first.is_empty() => size_bytes.saturating_sub(suffix)..size_bytes,
        _ => return Wanted::Whole,
    };
    if range.start >= range.end || range.start >= size_bytes {
        return Wanted::Nothing;
    }
    Wanted::Part(range)
}

#[cfg(test)]
mod tests {
    use super::Wanted;
    use super::media_type;
    use super::wanted_range;
    use axum::http::HeaderMap;
    use axum::http::HeaderValue;

    #[test]
    fn ranges_are_read_as_players_write_them() {
        let of = |range: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("range", HeaderValue::from_static(range));
            wanted_range(&headers, "\"t\"", 100)
        };
        assert_eq!(of("bytes=0-"), Wanted::Part(0..100));
        assert_eq!(of("bytes=10-19"), Wanted::Part(10..20));
        assert_eq!(of("bytes=90-500"), Wanted::Part(90..100));
        assert_eq!(of("bytes=-10"), Wanted::Part(90..100));
        assert_eq!(of("bytes=100-"), Wanted::Nothing);
        assert_eq!(of("bytes=-0"), Wanted::Nothing);
        for whole in ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=x"] {
            assert_eq!(of(whole), Wanted::Whole, "{whole}");
        }
    }

    #[test]
    fn active_content_is_never_shown_in_place() {
        for name in ["a.html", "a.svg", "a.xml", "a.js", "a", "a.mp4.htm", "a.pdf"] {
            assert_eq!(media_type(name), None, "{name}");
        }
        assert_eq!(media_type("A.MP4"), Some("video/mp4"));
    }
}
