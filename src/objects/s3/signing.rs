//! Requests and links signed with AWS Signature Version 4.
//!
//! Guarantees: every header we set is signed, and so is the body or, over TLS, its absence from the signature. Only the
//! canonical form of the request is our own: that of `s3::signing` sorts `x-amz-copy-source-range` before
//! `x-amz-copy-source`, which services refuse. Deliberately absent: where keys come from.

use crate::objects::s3::credentials::Keys;
use crate::objects::s3::key::query_of;
use hmac::Mac;
use reqwest::header::HOST;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderValue;
use s3::creds::time::OffsetDateTime;
use s3::region::Region;
use s3::signing;
use sha2::Digest;
use sha2::Sha256;
use std::time::Duration;
use std::time::SystemTime;
use url::Url;

/// In place of the SHA-256 of a body, where TLS protects it.
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Who signs, for where, when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signer<'a> {
    /// With which keys.
    pub keys: &'a Keys,
    /// For which region.
    pub region: &'a str,
    /// When, by the service's clock.
    pub at: SystemTime,
}

impl Signer<'_> {
    /// Adds date, body hash, token and signature to `headers`.
    ///
    /// # Errors
    /// A clause: a header or key is no text that can be sent.
    pub(super) fn sign(
        &self,
        method: &str,
        url: &Url,
        headers: &mut HeaderMap,
        body_sha256: &str,
    ) -> Result<(), String> {
        let when = OffsetDateTime::from(self.at);
        headers.insert(HOST, value(&host(url))?);
        headers.insert("x-amz-date", value(&timestamp(when))?);
        headers.insert("x-amz-content-sha256", value(body_sha256)?);
        if let Some(token) = &self.keys.token {
            let mut token = value(token)?;
            token.set_sensitive(true);
            headers.insert("x-amz-security-token", token);
        }
        let (lines, names) = canonical_headers(headers)?;
        let query = url.query().unwrap_or_default();
        let request = format!("{method}\n{}\n{query}\n{lines}\n{names}\n{body_sha256}", url.path());
        let signature = self.signature(&when, &request)?;
        let authorization =
            signing::authorization_header(&self.keys.access, &when, &self.named_region(), &names, &signature)
                .map_err(|error| error.to_string())?;
        let mut authorization = value(&authorization)?;
        authorization.set_sensitive(true);
        headers.insert(reqwest::header::AUTHORIZATION, authorization);
        Ok(())
    }

    /// The address with which anybody may GET `url` for so long.
    ///
    /// # Errors
    /// A clause.
    pub(super) fn presign(&self, url: &Url, expires: Duration) -> Result<String, String> {
        let when = OffsetDateTime::from(self.at);
        let scope = signing::scope_string(&when, &self.named_region()).map_err(|error| error.to_string())?;
        let mut pairs = vec![
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("X-Amz-Credential", format!("{}/{scope}", self.keys.access)),
            ("X-Amz-Date", timestamp(when)),
            ("X-Amz-Expires", expires.as_secs().to_string()),
            ("X-Amz-SignedHeaders", "host".to_owned()),
        ];
        if let Some(token) = &self.keys.token {
            pairs.push(("X-Amz-Security-Token", token.clone()));
        }
        let query = query_of(&pairs);
        let request = format!("GET\n{}\n{query}\nhost:{}\n\nhost\n{UNSIGNED}", url.path(), host(url));
        let signature = self.signature(&when, &request)?;
        let mut signed = url.clone();
        signed.set_query(Some(&format!("{query}&X-Amz-Signature={signature}")));
        Ok(signed.into())
    }

    fn named_region(&self) -> Region {
        Region::Custom {
            region: self.region.to_owned(),
            endpoint: String::new(),
        }
    }

    fn signature(&self, when: &OffsetDateTime, canonical_request: &str) -> Result<String, String> {
        let region = self.named_region();
        let text = signing::string_to_sign(when, &region, canonical_request).map_err(|error| error.to_string())?;
        let key = signing::signing_key(when, &self.keys.secret, &region, "s3").map_err(|error| error.to_string())?;
        let mut mac = signing::HmacSha256::new_from_slice(&key).map_err(|error| error.to_string())?;
        mac.update(text.as_bytes());
        Ok(hex::encode(mac.finalize().into_bytes()))
    }
}

/// SHA-256 of a body, in hex.
pub(super) fn sha256_hex(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// The host as it is sent: with its port where it is not the scheme's.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn timestamp(when: OffsetDateTime) -> String {
    let (date, time) = (when.date(), when.time());
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| "a key, token or header holds what no header can".to_owned())
}

/// The lines that are signed (each with its line end, and an empty one after them), and the names in their order.
fn canonical_headers(headers: &HeaderMap) -> Result<(String, String), String> {
    let mut sorted: Vec<(&str, &HeaderValue)> = headers.iter().map(|(name, value)| (name.as_str(), value)).collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut lines = String::new();
    let mut names = Vec::with_capacity(sorted.len());
    for (name, value) in sorted {
        let value = value.to_str().map_err(|_| format!("the header {name} is not ASCII"))?;
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        lines.push_str(&format!("{name}:{}\n", words.join(" ")));
        names.push(name);
    }
    Ok((lines, names.join(";")))
}

#[cfg(test)]
mod tests {
    use super::Signer;
    use super::sha256_hex;
    use crate::objects::s3::credentials::Keys;
    use reqwest::header::HeaderMap;
    use std::time::Duration;
    use std::time::UNIX_EPOCH;
    use url::Url;

    /// The example keys of Amazon's documentation.
    fn keys() -> Keys {
        Keys::fixed("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    }

    #[test]
    fn signs_as_the_documentation_does() {
        // "Signature Calculations for the Authorization Header", example GET Object, 2013-05-24.
        let keys = keys();
        let signer = Signer {
            keys: &keys,
            region: "us-east-1",
            at: UNIX_EPOCH + Duration::from_secs(1_369_353_600),
        };
        let url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").expect("a URL");
        let mut headers = HeaderMap::new();
        headers.insert("range", "bytes=0-9".parse().expect("a value"));
        signer
            .sign("GET", &url, &mut headers, &sha256_hex(b""))
            .expect("signed");
        let said = headers["authorization"].to_str().expect("text");
        assert!(
            said.ends_with("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
            "{said}"
        );
        assert!(
            !format!("{headers:?}").contains("f0e8bdb8"),
            "signatures are not for logs"
        );
    }

    #[test]
    fn links_are_signed_as_the_documentation_does() {
        // "Authenticating Requests: Using Query Parameters", 2013-05-24, 86400 s.
        let keys = keys();
        let signer = Signer {
            keys: &keys,
            region: "us-east-1",
            at: UNIX_EPOCH + Duration::from_secs(1_369_353_600),
        };
        let url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").expect("a URL");
        let link = signer.presign(&url, Duration::from_secs(86_400)).expect("signed");
        assert!(
            link.ends_with("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"),
            "{link}"
        );
    }

    #[test]
    fn names_that_begin_alike_are_sorted_by_name() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-copy-source-range", "bytes=0-1".parse().expect("a value"));
        headers.insert("x-amz-copy-source", "/a/b".parse().expect("a value"));
        let (lines, names) = super::canonical_headers(&headers).expect("text");
        assert_eq!(names, "x-amz-copy-source;x-amz-copy-source-range");
        assert!(lines.starts_with("x-amz-copy-source:/a/b\n"));
    }
}
