//! Keys between their text form and the addresses of requests.
//!
//! Guarantees: a key is encoded once, byte by byte, so that the address that is signed is the address that is sent;
//! what a service would take for another key is refused. Deliberately absent: whether the object exists.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;
use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::percent_decode_str;
use percent_encoding::percent_encode;

/// Bytes of the longest key.
const KEY_BYTES: usize = 1_024;

/// What SigV4 wants encoded in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');
/// What it wants encoded in a query.
const QUERY: &AsciiSet = &PATH.add(b'/');

/// The key as it stands in the path of an address, without a slash before it.
///
/// # Errors
/// A clause: it cannot be written into an address.
pub(super) fn path_of(key: &str) -> Result<String, &'static str> {
    // Whoever parses an address takes such parts away, encoded or not: another object would be meant.
    if key.split('/').any(|part| part == "." || part == "..") {
        return Err("a part of the key is `.` or `..`, which no address can name");
    }
    Ok(percent_encode(&key_bytes(key), PATH).to_string())
}

/// The query of an address, sorted as it is signed.
pub(super) fn query_of(pairs: &[(&str, String)]) -> String {
    let mut encoded: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            let name = percent_encode(name.as_bytes(), QUERY);
            format!("{name}={}", percent_encode(value.as_bytes(), QUERY))
        })
        .collect();
    encoded.sort();
    encoded.join("&")
}

/// Refuses keys that no bucket can hold.
///
/// # Errors
/// `KeyRefused`.
pub(super) fn check_writable(storage: &str, key: &str) -> Result<(), Fault> {
    let bytes = key_bytes(key);
    let cause = if bytes.is_empty() {
        "the key is empty".to_owned()
    } else if std::str::from_utf8(&bytes).is_err() {
        "the key holds bytes that are not UTF-8, and buckets hold none".to_owned()
    } else if bytes.len() > KEY_BYTES {
        format!(
            "the key has {} bytes; buckets hold keys of at most {KEY_BYTES}",
            bytes.len()
        )
    } else if let Err(cause) = path_of(key) {
        cause.to_owned()
    } else {
        return Ok(());
    };
    Err(Fault::new(
        "KeyRefused",
        Blame::Request,
        "write",
        format!("{storage}:{key}"),
        cause,
        "Change the path template of the workflow, or the name of the source.",
    ))
}

/// Whether a key from an answer may be percent-encoded as was asked for: some services say so and send it as it is.
pub(super) fn may_be_encoded(answered: &str) -> bool {
    let bytes = answered.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes
            .get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        _ => byte.is_ascii_graphic(),
    })
}

/// The text form of a key from an answer.
pub(super) fn text_of(answered: &str, encoded: bool) -> String {
    if !encoded {
        return key_text(answered.as_bytes());
    }
    // Amazon writes a space as `+` there and a plus as `%2B`; others write `%20`.
    let spaced = answered.replace('+', " ");
    let bytes: Vec<u8> = percent_decode_str(&spaced).collect();
    key_text(&bytes)
}

#[cfg(test)]
mod tests {
    use super::check_writable;
    use super::may_be_encoded;
    use super::path_of;
    use super::query_of;
    use super::text_of;

    #[test]
    fn keys_survive_addresses_and_listings() {
        for key in [
            "a b+c%.mp4",
            "\u{4f60}/\u{fc}~'()*!.mov",
            ".hidden/..x",
            "100%",
            "a//b",
            "x=1&y",
        ] {
            let path = path_of(key).expect("an address");
            assert!(
                path.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~/%".contains(&byte)),
                "{path}"
            );
            assert_eq!(text_of(&path, true), key);
            let url = {
                let mut url = url::Url::parse("http://host/").expect("a URL");
                url.set_path(&format!("/bucket/{path}"));
                url
            };
            assert_eq!(
                url.path(),
                format!("/bucket/{path}"),
                "an address is not changed by parsing it"
            );
        }
        assert!(may_be_encoded("a+b%2Bc/%E4.mp4"));
        for raw in ["a b", "\u{fc}", "100%", "5%of"] {
            assert!(!may_be_encoded(raw), "{raw}");
        }
        assert_eq!(text_of("a+b%2Bc", true), "a b+c");
        assert_eq!(text_of("a+b%2Bc", false), "a+b%2Bc");
        assert_eq!(path_of("caf%E9.mov").expect("an address"), "caf%E9.mov");
    }

    #[test]
    fn what_no_bucket_holds_is_refused() {
        for key in ["", "a/../b", "./a", "caf%E9.mov"] {
            assert_eq!(
                check_writable("s", key).expect_err("refused").code,
                "KeyRefused",
                "{key}"
            );
        }
        check_writable("s", &"x".repeat(1_025)).expect_err("too long");
        check_writable("s", &"x".repeat(1_024)).expect("long enough");
    }

    #[test]
    fn queries_are_sorted_as_they_are_signed() {
        let pairs = [("uploads", String::new()), ("prefix", "a/b c".to_owned())];
        assert_eq!(query_of(&pairs), "prefix=a%2Fb%20c&uploads=");
    }
}
