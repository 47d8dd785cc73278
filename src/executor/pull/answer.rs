//! What a server's answer means: from where its body goes on, and whether it can be a media at all.
//!
//! Guarantees: bytes are added to what came before only when the server says that they belong to the same content and
//! begin where that ended. Deliberately absent: sending and reading. Pure.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::pull::Came;
use crate::executor::pull::PullOrder;
use reqwest::header;
use reqwest::header::HeaderName;

/// Types besides `video/`, `audio/`, `image/` and `text/` that files of the library have.
const MEDIA_TYPES: [&str; 14] = [
    "application/mp4",
    "application/mxf",
    "application/ogg",
    "application/x-matroska",
    "application/vnd.apple.mpegurl",
    "application/x-mpegurl",
    "application/dash+xml",
    "application/x-subrip",
    "application/ttml+xml",
    "application/smil+xml",
    "application/x-shockwave-flash",
    "application/vnd.rn-realmedia",
    "application/vnd.ms-asf",
    "application/x-ass",
];

/// The head of an answer, as far as it matters.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub status: u16,
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_length: Option<u64>,
    pub content_range: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

impl Head {
    pub fn of(answer: &reqwest::Response) -> Self {
        let text = |name: HeaderName| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        Head {
            status: answer.status().as_u16(),
            content_type: text(header::CONTENT_TYPE),
            content_encoding: text(header::CONTENT_ENCODING),
            content_length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            content_range: text(header::CONTENT_RANGE),
            etag: text(header::ETAG),
            last_modified: text(header::LAST_MODIFIED),
        }
    }

    /// What proves that a later answer is of the same content. Weak tags do not.
    pub fn validator(&self) -> Option<String> {
        self.etag
            .clone()
            .filter(|tag| tag.starts_with('"'))
            .or_else(|| self.last_modified.clone())
    }
}

/// How to go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Everything came before.
    Whole,
    /// What came before is of no use.
    Anew,
    /// The body goes on from there.
    From { offset: u64, size_bytes: Option<u64> },
}

/// What to do with the body of an answer.
pub(super) fn course(head: &Head, came: &Came, order: &PullOrder, max_bytes: Option<u64>) -> Result<Course, Fault> {
    let range = head.content_range.as_deref().and_then(content_range);
    let course = match (head.status, range) {
        (200, _) => Course::From {
            offset: 0,
            size_bytes: head.content_length,
        },
        (206, Some(Range { first, total, .. })) => {
            let same_size = came.size_bytes.is_none() || total.is_none() || came.size_bytes == total;
            let same_tag = head.validator().is_none() || head.validator() == came.validator;
            if first != Some(came.received_bytes) || !same_size || !same_tag {
                return Ok(Course::Anew);
            }
            Course::From {
                offset: came.received_bytes,
                size_bytes: total.or(came.size_bytes),
            }
        }
        (206, None) => return Ok(Course::Anew),
        (416, Some(Range { total: Some(total), .. })) if came.received_bytes > 0 && total == came.received_bytes => {
            return Ok(Course::Whole);
        }
        (416, _) if came.received_bytes > 0 => return Ok(Course::Anew),
        (status, _) => {
            let remedy = match status {
                401 | 403 => "Give an address or headers that may read it.",
                404 | 410 => "Check the address.",
                _ => "Look at the server.",
            };
            let cause = format!("the server answered {status}");
            return Err(fault(order, "PullRefused", cause, remedy));
        }
    };
    if let Some(encoding) = &head.content_encoding
        && !encoding.eq_ignore_ascii_case("identity")
    {
        let cause = format!("the server sends it encoded as {encoding}, which was not asked for");
        return Err(fault(
            order,
            "PullNotMedia",
            cause,
            "Let the server send the file as it is.",
        ));
    }
    check_type(head.content_type.as_deref(), order)?;
    if let Course::From {
        size_bytes: Some(size_bytes),
        ..
    } = course
    {
        within(size_bytes, max_bytes, order)?;
    }
    Ok(course)
}

/// Refuses what is larger than the limit.
pub(super) fn within(size_bytes: u64, max_bytes: Option<u64>, order: &PullOrder) -> Result<(), Fault> {
    match max_bytes {
        Some(max_bytes) if size_bytes > max_bytes => Err(fault(
            order,
            "PullTooLarge",
            format!("it is larger than {max_bytes} bytes"),
            "Raise library.max_upload_bytes, or fetch a smaller file.",
        )),
        _ => Ok(()),
    }
}

/// Refuses what is said to be something that the library does not hold; a page is what servers send instead of files.
fn check_type(content_type: Option<&str>, order: &PullOrder) -> Result<(), Fault> {
    let essence = content_type
        .and_then(|text| text.split(';').next())
        .map(|text| text.trim().to_ascii_lowercase());
    let known = match essence.as_deref() {
        Some("text/html" | "application/xhtml+xml") => false,
        Some(said) if MEDIA_TYPES.contains(&said) => true,
        Some(said)
            if ["video/", "audio/", "image/", "text/"]
                .iter()
                .any(|kind| said.starts_with(kind)) =>
        {
            true
        }
        _ => order.named_media,
    };
    if known {
        return Ok(());
    }
    let cause = match essence {
        Some(said) => format!("the server says that it is {said}"),
        None => "neither the server nor its name says what it is".to_owned(),
    };
    Err(fault(
        order,
        "PullNotMedia",
        cause,
        "Give the address of a video, audio, image or text file, or a key with its extension.",
    ))
}

struct Range {
    first: Option<u64>,
    total: Option<u64>,
}

/// Reads `bytes 5-9/10`, `bytes 5-9/*` and `bytes */10`.
fn content_range(text: &str) -> Option<Range> {
    let (range, total) = text.strip_prefix("bytes ")?.trim().split_once('/')?;
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    if range == "*" {
        return Some(Range { first: None, total });
    }
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && total.is_none_or(|total| last < total)).then_some(Range {
        first: Some(first),
        total,
    })
}

fn fault(order: &PullOrder, code: &str, cause: impl Into<String>, remedy: &str) -> Fault {
    Fault::new(code, Blame::Source, "fetch", order.shown.as_str(), cause, remedy)
}

#[cfg(test)]
mod tests {
    use super::Course;
    use super::Head;
    use super::course;
    use crate::executor::pull::Came;
    use crate::executor::pull::PullOrder;
    use crate::objects::incoming::Incoming;
    use crate::objects::uri::ObjectUri;

    fn order(named_media: bool) -> PullOrder {
        PullOrder {
            file: Incoming {
                id: "1".to_owned(),
                object: ObjectUri::new("nas", "a.mp4"),
                pieces: None,
            },
            url: "http://example.com/a".parse().expect("an address"),
            headers: Vec::new(),
            shown: "http://example.com/a".to_owned(),
            named_media,
            came: Came::default(),
        }
    }

    fn half() -> Came {
        Came {
            received_bytes: 50,
            size_bytes: Some(100),
            validator: Some("\"a\"".to_owned()),
            pieces: None,
        }
    }

    fn partial(range: &str, etag: &str) -> Head {
        Head {
            status: 206,
            content_type: Some("video/mp4".to_owned()),
            content_range: Some(range.to_owned()),
            etag: Some(etag.to_owned()),
            ..Head::default()
        }
    }

    #[test]
    fn goes_on_only_with_the_same_content_from_the_same_place() {
        let judge = |head: &Head| course(head, &half(), &order(true), None).expect("no refusal");
        let on = Course::From {
            offset: 50,
            size_bytes: Some(100),
        };
        assert_eq!(judge(&partial("bytes 50-99/100", "\"a\"")), on);
        for (range, etag) in [
            ("bytes 40-99/100", "\"a\""),
            ("bytes 50-119/120", "\"a\""),
            ("bytes 50-99/100", "\"b\""),
            ("bytes 50-40/100", "\"a\""),
            ("lines 50-99/100", "\"a\""),
        ] {
            assert_eq!(judge(&partial(range, etag)), Course::Anew, "{range} {etag}");
        }
        let whole = Head {
            status: 416,
            content_range: Some("bytes */50".to_owned()),
            ..Head::default()
        };
        assert_eq!(judge(&whole), Course::Whole);
        let shrunk = Head {
            content_range: Some("bytes */40".to_owned()),
            ..whole
        };
        assert_eq!(judge(&shrunk), Course::Anew);
    }

    #[test]
    fn pages_and_giants_are_refused() {
        let judge = |content_type: Option<&str>, named: bool| {
            let head = Head {
                status: 200,
                content_type: content_type.map(str::to_owned),
                content_length: Some(1_000),
                ..Head::default()
            };
            course(&head, &Came::default(), &order(named), Some(1_000)).map_err(|fault| fault.code)
        };
        for (content_type, named) in [
            (Some("video/mp4"), false),
            (Some("TEXT/vtt; charset=utf-8"), false),
            (Some("application/octet-stream"), true),
            (Some("application/zip"), true),
            (None, true),
        ] {
            assert!(judge(content_type, named).is_ok(), "{content_type:?} {named}");
        }
        for (content_type, named) in [
            (Some("text/html; charset=utf-8"), true),
            (Some("application/octet-stream"), false),
            (Some("application/json"), false),
            (None, false),
        ] {
            assert_eq!(
                judge(content_type, named),
                Err("PullNotMedia".to_owned()),
                "{content_type:?}"
            );
        }
        let giant = Head {
            status: 200,
            content_type: Some("video/mp4".to_owned()),
            content_length: Some(1_001),
            ..Head::default()
        };
        let refused = course(&giant, &Came::default(), &order(true), Some(1_000)).expect_err("too large");
        assert_eq!(refused.code, "PullTooLarge");
    }

    #[test]
    fn weak_tags_prove_nothing() {
        let head = Head {
            etag: Some("W/\"a\"".to_owned()),
            ..Head::default()
        };
        assert_eq!(head.validator(), None);
        let dated = Head {
            last_modified: Some("Sat, 21 Nov 2026 09:00:00 GMT".to_owned()),
            ..head
        };
        assert_eq!(dated.validator(), dated.last_modified);
    }
}
