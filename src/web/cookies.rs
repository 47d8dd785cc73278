//! The cookie of a log-in.
//!
//! Guarantees: scripts cannot read it, other sites cannot send it, and where people come by HTTPS it never goes out
//! without. Deliberately absent: what it opens.

use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::header;
use cookie::Cookie;
use cookie::SameSite;
use std::time::Duration;

/// Its name.
pub const NAME: &str = "reelmill_session";

/// The value of the session cookie in a request.
pub fn session_of(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| Cookie::split_parse(line).flatten())
        .find(|cookie| cookie.name() == NAME && !cookie.value().is_empty())
        .map(|cookie| cookie.value().to_owned())
}

/// Sets the cookie for so long; `secure`: only over HTTPS.
pub fn set(value: &str, lasts: Duration, secure: bool) -> HeaderValue {
    let lasts = i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX);
    line(
        Cookie::build((NAME, value)).max_age(cookie::time::Duration::seconds(lasts)),
        secure,
    )
}

/// Takes the cookie away.
pub fn clear(secure: bool) -> HeaderValue {
    line(Cookie::build((NAME, "")).max_age(cookie::time::Duration::ZERO), secure)
}

fn line(cookie: cookie::CookieBuilder<'_>, secure: bool) -> HeaderValue {
    let cookie = cookie
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(secure);
    HeaderValue::from_str(&cookie.build().to_string()).expect("values are URL-safe Base64")
}

#[cfg(test)]
mod tests {
    use super::clear;
    use super::session_of;
    use super::set;
    use axum::http::HeaderMap;
    use axum::http::HeaderValue;
    use std::time::Duration;

    #[test]
    fn is_strict_and_found_again() {
        let line = set("abc", Duration::from_secs(60), true);
        let line = line.to_str().expect("plain");
        for part in [
            "reelmill_session=abc",
            "HttpOnly",
            "SameSite=Strict",
            "Secure",
            "Path=/",
            "Max-Age=60",
        ] {
            assert!(line.contains(part), "{part} of {line}");
        }
        assert!(
            !set("abc", Duration::from_secs(60), false)
                .to_str()
                .expect("plain")
                .contains("Secure")
        );
        assert!(clear(false).to_str().expect("plain").contains("Max-Age=0"));
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_static("other=1; reelmill_session=abc"));
        assert_eq!(session_of(&headers).as_deref(), Some("abc"));
        headers.insert("cookie", HeaderValue::from_static("reelmill_session="));
        assert_eq!(session_of(&headers), None);
    }
}
