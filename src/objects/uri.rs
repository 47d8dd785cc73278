//! The name of an object: a storage and a key in it.
//!
//! Guarantees: one text form for every key, reversible to the bytes of the file name. Bytes that are not UTF-8
//! appear percent-encoded, once, everywhere; a `%` that could be mistaken for such a byte appears as `%25`.
//! Deliberately absent: whether the object exists.

use serde::Deserialize;
use serde::Serialize;

/// `storage:key`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectUri {
    /// Name of the storage.
    pub storage: String,
    /// Key in it, without a leading slash, in its text form.
    pub key: String,
}

impl ObjectUri {
    /// The object `key` of `storage`.
    pub fn new(storage: impl Into<String>, key: impl Into<String>) -> Self {
        ObjectUri {
            storage: storage.into(),
            key: key.into(),
        }
    }

    /// Reads `storage:key` or `oss://storage/key`.
    pub fn parse(text: &str) -> Option<Self> {
        let (storage, key) = match text.strip_prefix("oss://") {
            Some(rest) => rest.split_once('/')?,
            None => text.split_once(':')?,
        };
        let key = key.trim_start_matches('/');
        (!storage.is_empty() && !key.is_empty() && !storage.contains('/')).then(|| Self::new(storage, key))
    }

    /// The last part of the key.
    pub fn file_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or(&self.key)
    }
}

impl std::fmt::Display for ObjectUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.storage, self.key)
    }
}

/// The text form of the bytes of a key.
pub fn key_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        for (at, character) in valid.char_indices() {
            if character == '%' && names_a_high_byte(&valid.as_bytes()[at..]) {
                text.push_str("%25");
            } else {
                text.push(character);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The bytes of a key in its text form.
pub fn key_bytes(text: &str) -> Vec<u8> {
    let input = text.as_bytes();
    let mut bytes = Vec::with_capacity(input.len());
    let mut at = 0;
    while at < input.len() {
        match escaped_byte(&input[at..]) {
            Some(byte) if byte >= 0x80 || byte == b'%' => {
                bytes.push(byte);
                at += 3;
            }
            _ => {
                bytes.push(input[at]);
                at += 1;
            }
        }
    }
    bytes
}

/// `%` and two hex digits at the head of `rest`, as a byte.
fn escaped_byte(rest: &[u8]) -> Option<u8> {
    let digits = rest.strip_prefix(b"%")?.get(..2)?;
    let digits = std::str::from_utf8(digits).ok()?;
    digits
        .bytes()
        .all(|digit| digit.is_ascii_hexdigit())
        .then(|| u8::from_str_radix(digits, 16).ok())?
}

/// Whether a literal `%` here would be read back as an escape.
fn names_a_high_byte(rest: &[u8]) -> bool {
    escaped_byte(rest).is_some_and(|byte| byte >= 0x80 || byte == b'%')
}

#[cfg(test)]
mod tests {
    use super::ObjectUri;
    use super::key_bytes;
    use super::key_text;

    #[test]
    fn every_byte_sequence_survives_its_text_form() {
        for bytes in [
            &b"a/b.mp4"[..],
            b"caf\xe9.mov",
            b"100%.mp4",
            b"100%25.mp4",
            b"%E9\xe9%",
            "\u{4f60}%e4.ts".as_bytes(),
        ] {
            let text = key_text(bytes);
            assert_eq!(key_bytes(&text), bytes, "{text}");
        }
        assert_eq!(key_text(b"caf\xe9.mov"), "caf%E9.mov");
        assert_eq!(key_text(b"100%.mp4"), "100%.mp4");
    }

    #[test]
    fn reads_both_forms() {
        let uri = ObjectUri::new("ingest", "a/b.mp4");
        assert_eq!(ObjectUri::parse("ingest:a/b.mp4"), Some(uri.clone()));
        assert_eq!(ObjectUri::parse("oss://ingest/a/b.mp4"), Some(uri));
        assert_eq!(ObjectUri::parse("no-key"), None);
    }
}
