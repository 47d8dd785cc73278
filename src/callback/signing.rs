//! Signatures of callbacks: the clouds' and ours, made and checked.
//!
//! Guarantees: checks take the same time for any wrong signature of the right length; keys are never printed.
//! The clouds' covers address and time only; ours covers the body. Deliberately absent: how keys are kept.

use crate::events::profile::Profile;
use hmac::Hmac;
use hmac::Mac;
use md5::Digest;
use md5::Md5;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Header names that do not depend on the profile.
pub const TIMESTAMP: &str = "X-Reelmill-Timestamp";
/// Our signatures: `v1=HEX`, one for each live key, separated by commas.
pub const SIGNATURE: &str = "X-Reelmill-Signature";
/// Stable over tries and replays.
pub const EVENT_ID: &str = "X-Reelmill-Event-Id";
/// 1, 2, ... within destination and task.
pub const EVENT_SEQ: &str = "X-Reelmill-Event-Seq";
/// 1, 2, ... the tries of this delivery.
pub const ATTEMPT: &str = "X-Reelmill-Attempt";
/// How often a user asked for it again; 0: never.
pub const REPLAY: &str = "X-Reelmill-Replay";

/// A secret shared with a receiver.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// From its text; white space around it (a file's last line feed) is not part of it.
    pub fn new(text: &str) -> Self {
        Key(text.trim().to_owned())
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The secret itself, for signatures that cover it.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// HMAC-SHA256 of `text` by this key.
    pub(super) fn hmac_sha256(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.bytes()).expect("HMAC takes keys of any length");
        mac.update(text);
        mac.finalize().into_bytes().into()
    }

    /// Nothing to sign with.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(...)")
    }
}

/// Names of the cloud-style headers of a profile, time and signature; none for our own profile.
pub fn cloud_headers(profile: Profile) -> Option<(&'static str, &'static str)> {
    match profile {
        Profile::Ims => Some(("X-ICE-TIMESTAMP", "X-ICE-SIGNATURE")),
        Profile::Vod => Some(("X-VOD-TIMESTAMP", "X-VOD-SIGNATURE")),
        Profile::Mps | Profile::Native => None,
    }
}

/// `md5(url|timestamp|key)`, 32 hex digits; `timestamp` in seconds since 1970.
pub fn cloud_signature(url: &str, timestamp: &str, key: &Key) -> String {
    let mut digest = Md5::new();
    digest.update(url.as_bytes());
    digest.update(b"|");
    digest.update(timestamp.as_bytes());
    digest.update(b"|");
    digest.update(key.bytes());
    hex::encode(digest.finalize())
}

/// Tencent's `Sign` in the body: `md5(Timestamp + NotifyKey)`, 32 hex digits; `timestamp` is when it expires, in seconds
/// since 1970.
pub fn notify_sign(timestamp: &str, key: &Key) -> String {
    let mut digest = Md5::new();
    digest.update(timestamp.as_bytes());
    digest.update(key.bytes());
    hex::encode(digest.finalize())
}

/// Whether `sign` is Tencent's one of `timestamp`.
pub fn notify_ok(sign: &str, timestamp: &str, key: &Key) -> bool {
    same(&sign.to_ascii_lowercase(), &notify_sign(timestamp, key))
}

/// `HMAC-SHA256(key, timestamp + "." + body)`, 64 hex digits.
pub fn body_signature(timestamp: &str, body: &[u8], key: &Key) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).expect("HMAC takes keys of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// Value of [`SIGNATURE`]: one `v1=` for each key.
pub fn signature_header(timestamp: &str, body: &[u8], keys: &[Key]) -> String {
    let parts: Vec<String> = keys
        .iter()
        .map(|key| format!("v1={}", body_signature(timestamp, body, key)))
        .collect();
    parts.join(",")
}

/// Whether `signature` is the clouds' one of address and time.
pub fn cloud_ok(signature: &str, url: &str, timestamp: &str, key: &Key) -> bool {
    same(&signature.to_ascii_lowercase(), &cloud_signature(url, timestamp, key))
}

/// Whether one of the `v1=` parts of `header` is ours of time and body.
pub fn body_ok(header: &str, timestamp: &str, body: &[u8], key: &Key) -> bool {
    let expected = body_signature(timestamp, body, key);
    header
        .split(',')
        .filter_map(|part| part.trim().strip_prefix("v1="))
        .fold(false, |found, part| found | same(part, &expected))
}

fn same(found: &str, expected: &str) -> bool {
    found.as_bytes().ct_eq(expected.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::Key;
    use super::body_ok;
    use super::body_signature;
    use super::cloud_ok;
    use super::cloud_signature;
    use super::notify_ok;
    use super::notify_sign;
    use super::signature_header;

    #[test]
    fn the_clouds_published_vector_holds() {
        let key = Key::new("test123\n");
        let url = "https://www.example.com/your/callback";
        let signature = "c72b60894140fa98920f1279219b7ed4";
        assert_eq!(cloud_signature(url, "1519375990", &key), signature);
        assert!(cloud_ok(&signature.to_uppercase(), url, "1519375990", &key));
        assert!(!cloud_ok(signature, url, "1519375991", &key));
        assert!(!cloud_ok(&signature[..31], url, "1519375990", &key));
        assert!(!cloud_ok("", url, "1519375990", &key));
    }

    #[test]
    fn ours_covers_time_and_body_and_lets_keys_rotate() {
        // Computed with: printf '1519375990.{"a":1}' | openssl dgst -sha256 -hmac old
        let (old, new) = (Key::new("old"), Key::new("new"));
        assert_eq!(
            body_signature("1519375990", b"{\"a\":1}", &old),
            "cbd0f748d0cb4e977002f04d178de5ebc15647a7376c7844082f502187731127"
        );
        let header = signature_header("1519375990", b"{\"a\":1}", &[old.clone(), new.clone()]);
        for key in [&old, &new] {
            assert!(body_ok(&header, "1519375990", b"{\"a\":1}", key));
            assert!(!body_ok(&header, "1519375991", b"{\"a\":1}", key));
            assert!(!body_ok(&header, "1519375990", b"{\"a\":2}", key));
        }
        assert!(!body_ok(&header, "1519375990", b"{\"a\":1}", &Key::new("other")));
        assert!(!body_ok("v1=", "1519375990", b"{\"a\":1}", &old));
    }

    #[test]
    fn tencents_sign_covers_the_time_it_ends() {
        // Computed with: printf '1700000600NotifyKey1' | md5sum
        let key = Key::new("NotifyKey1");
        assert_eq!(notify_sign("1700000600", &key), "4f699ff405e879bf69914fc3b1a8726a");
        assert!(notify_ok("4f699ff405e879bf69914fc3b1a8726a", "1700000600", &key));
        assert!(!notify_ok("4f699ff405e879bf69914fc3b1a8726a", "1700000601", &key));
    }

    #[test]
    fn keys_are_not_printed() {
        assert!(!format!("{:?}", Key::new("hunter2")).contains("hunter2"));
    }
}
