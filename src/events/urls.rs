//! The addresses that events and links begin with.
//!
//! Guarantees: every byte of a key survives, percent-encoded within its path segment; the same object always has
//! the same address. Deliberately absent: signatures and expiry, which belong to links meant for people without a token.

use crate::objects::uri::ObjectUri;
use crate::objects::uri::key_bytes;
use std::sync::Arc;

/// Tells what the addresses of the objects of a storage begin with, without a closing slash; none: it is reached here.
pub type Bases = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where objects of each storage are reached.
#[derive(Clone)]
pub struct Urls {
    /// What addresses of folder storages begin with, without a closing slash.
    public_url: String,
    /// Asked each time, because storages come and go.
    bases: Bases,
}

impl Urls {
    /// Addresses below `public_url`.
    pub fn new(public_url: &str) -> Self {
        Urls {
            public_url: public_url.trim_end_matches('/').to_owned(),
            bases: Arc::new(|_| None),
        }
    }

    /// The same, with the objects of storages for which `bases` names one at `BASE/KEY` (S3: `ENDPOINT/BUCKET`).
    pub fn with_bases(self, bases: Bases) -> Self {
        Urls { bases, ..self }
    }

    /// The unsigned address of `object`.
    pub fn object(&self, object: &ObjectUri) -> String {
        self.join(&object.storage, &encoded(&key_bytes(&object.key)))
    }

    /// The same for a key that holds `{Count}` in the place of a number, which stays readable.
    pub fn pattern(&self, object: &ObjectUri) -> String {
        let parts: Vec<String> = object
            .key
            .split("{Count}")
            .map(|part| encoded(&key_bytes(part)))
            .collect();
        self.join(&object.storage, &parts.join("{Count}"))
    }

    fn join(&self, storage: &str, encoded_key: &str) -> String {
        match (self.bases)(storage) {
            Some(base) => format!("{base}/{encoded_key}"),
            None => format!("{}/o/{}/{encoded_key}", self.public_url, encoded(storage.as_bytes())),
        }
    }
}

impl std::fmt::Debug for Urls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Urls")
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

/// All but the unreserved characters of RFC 3986 and the slash as `%XX`.
fn encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Urls;
    use crate::objects::uri::ObjectUri;
    use std::sync::Arc;

    #[test]
    fn keys_are_encoded_once_and_within_their_segments() {
        let bases = |storage: &str| (storage == "bucket").then(|| "https://s3.local/media".to_owned());
        let urls = Urls::new("http://mam.local:8080/").with_bases(Arc::new(bases));
        assert_eq!(
            urls.object(&ObjectUri::new("ingest", "a b/c#1?.mp4")),
            "http://mam.local:8080/o/ingest/a%20b/c%231%3F.mp4"
        );
        // A byte that is not UTF-8 stands escaped in the key already, and must not be escaped twice.
        assert_eq!(
            urls.object(&ObjectUri::new("ingest", "caf%E9.mov")),
            "http://mam.local:8080/o/ingest/caf%E9.mov"
        );
        assert_eq!(
            urls.object(&ObjectUri::new("ingest", "100%.mov")),
            "http://mam.local:8080/o/ingest/100%25.mov"
        );
        assert_eq!(
            urls.pattern(&ObjectUri::new("bucket", "x y/s-{Count}.jpg")),
            "https://s3.local/media/x%20y/s-{Count}.jpg"
        );
    }
}
