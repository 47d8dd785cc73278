//! The XML and the dates of answers, and the XML of requests.
//!
//! Guarantees: a form that was cut off is told from one that is whole, however its length was announced. Deliberately
//! absent: error forms (`refusal`), and what the crate's own types read as well (`s3::serde_types`).

use quick_xml::Reader;
use quick_xml::events::Event;
use serde::Deserialize;

/// What completing an upload and copying answer.
#[derive(Debug, Deserialize)]
pub(super) struct Made {
    #[serde(rename = "ETag", default)]
    pub etag: String,
}

/// A page of uploads that were begun. Services leave out much of what Amazon sends.
#[derive(Debug, Deserialize)]
pub(super) struct Uploads {
    #[serde(rename = "EncodingType")]
    pub encoding_type: Option<String>,
    #[serde(rename = "IsTruncated", default)]
    pub is_truncated: String,
    #[serde(rename = "NextKeyMarker", default)]
    pub next_key_marker: String,
    #[serde(rename = "NextUploadIdMarker", default)]
    pub next_upload_id_marker: String,
    #[serde(rename = "Upload", default)]
    pub uploads: Vec<Upload>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub(super) struct Upload {
    #[serde(rename = "Key")]
    pub key: String,
    #[serde(rename = "UploadId")]
    pub upload_id: String,
    #[serde(rename = "Initiated", default)]
    pub initiated: String,
}

/// Reads a form.
///
/// # Errors
/// A clause.
pub(super) fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the answer is not UTF-8".to_owned())?;
    quick_xml::de::from_str(text).map_err(|error| format!("the answer is no form of S3: {error}"))
}

/// The name of the outermost element.
pub(super) fn root(body: &[u8]) -> Option<String> {
    let mut reader = Reader::from_reader(body);
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) | Event::Empty(element) => {
                return Some(String::from_utf8_lossy(element.local_name().as_ref()).into_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// Whether a body is XML up to the end of its outermost element.
///
/// # Errors
/// A clause.
pub(super) fn check_whole(body: &[u8]) -> Result<(), String> {
    let mut reader = Reader::from_reader(body);
    let mut depth = 0_usize;
    let mut closed = false;
    if root(body).is_some_and(|root| root.eq_ignore_ascii_case("html")) {
        return Err("a web page came in place of an answer of S3".to_owned());
    }
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => depth += 1,
            Ok(Event::End(_)) => {
                depth = depth.saturating_sub(1);
                closed |= depth == 0;
            }
            Ok(Event::Empty(_)) => closed |= depth == 0,
            Ok(Event::Eof) if closed && depth == 0 => return Ok(()),
            Ok(Event::Eof) => return Err("the answer was cut off".to_owned()),
            Ok(_) => {}
            Err(error) => return Err(format!("the answer is no form of S3: {error}")),
        }
    }
}

/// An ETag without its quotes.
pub(super) fn bare_etag(etag: &str) -> String {
    etag.trim().trim_start_matches("W/").trim_matches('"').to_owned()
}

/// Seconds since 1970 of a date as HTTP writes it.
pub(super) fn http_date_s(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(text.trim())
        .ok()
        .map(|date| date.timestamp().as_second())
}

/// The same of a date as XML writes it.
pub(super) fn xml_date_s(text: &str) -> Option<i64> {
    text.trim().parse::<jiff::Timestamp>().ok().map(|at| at.as_second())
}

#[cfg(test)]
mod tests {
    use super::bare_etag;
    use super::check_whole;
    use super::http_date_s;
    use super::root;
    use super::xml_date_s;

    #[test]
    fn a_form_that_was_cut_off_is_no_form() {
        let form = "<?xml version=\"1.0\"?>\n <List><Key>a</Key><Key>b</Key></List>\n";
        check_whole(form.as_bytes()).expect("whole");
        check_whole(b"<List/>").expect("whole");
        check_whole(b"<html><p>log in</p></html>").expect_err("a page");
        for end in 0..form.trim_end().len() {
            check_whole(&form.as_bytes()[..end]).expect_err("cut off");
        }
        assert_eq!(root(form.as_bytes()).as_deref(), Some("List"));
        assert_eq!(
            root(b"  \n<s:Error xmlns:s=\"x\"><Code>c</Code></s:Error>").as_deref(),
            Some("Error")
        );
        assert_eq!(root(b""), None);
    }

    #[test]
    fn dates_and_etags() {
        assert_eq!(http_date_s("Fri, 24 May 2013 00:00:00 GMT"), Some(1_369_353_600));
        assert_eq!(xml_date_s("2013-05-24T00:00:00.123Z"), Some(1_369_353_600));
        assert_eq!(bare_etag("\"abc-3\""), "abc-3");
        assert_eq!(bare_etag("W/\"abc\""), "abc");
    }
}
