//! Signed addresses of objects: who holds one may read that object, or that set of objects, until it expires.
//!
//! Two forms, one secret:
//!
//! - `/o/STORAGE/KEY?expires=SECONDS&sig=SIG` is one object.
//! - `/o/~SECONDS~LENGTH~SIG/STORAGE/KEY` is a set: an HLS tree, or sprite sheets with their index. The proof
//!   stands in the path, so the relative addresses inside a playlist or a WebVTT file carry it on by themselves.
//!   The first LENGTH bytes of KEY are the stem of the set, and what it covers is what the publishing rules put into
//!   a set: `STEM.ext`, everything in the folder `STEM/`, and the numbered files `STEM-00001.ext`.
//!
//! Guarantees: a signature is valid for its storage, its key or stem, and its time only; comparison takes the same
//! time whatever is wrong. Deliberately absent: revoking one link (a new secret revokes all).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Hmac;
use hmac::Mac;
use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;
use sha2::Sha256;

use crate::base::clock::UtcMs;
use crate::objects::uri::ObjectUri;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;

/// What of a key stays as it is in an address; `/` stands between its parts.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Digits of the id of an attempt.
const ATTEMPT_DIGITS: usize = 32;

/// The fewest digits of a numbered file.
const COUNT_DIGITS: usize = 5;

/// Makes and checks signatures.
#[derive(Clone)]
pub struct Signer {
    secret: [u8; 32],
}

/// Why a link is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no signature, it is damaged, or it is for something else.
    NotSigned,
    /// It was good once.
    Expired,
}

/// A request for an object as its address says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// The object.
    pub object: ObjectUri,
    /// The signature, where there is one.
    proof: Option<Proof>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Proof {
    expires_s: i64,
    /// Bytes of the stem; none: the signature is for the one object.
    stem_bytes: Option<usize>,
    signature: Vec<u8>,
}

impl Signer {
    /// A signer with the deployment's secret.
    pub fn new(secret: [u8; 32]) -> Self {
        Signer { secret }
    }

    /// The address of one object, beginning with `/o/`.
    pub fn object_path(&self, object: &ObjectUri, expires: UtcMs) -> String {
        let expires_s = expires.0.div_euclid(1000);
        let signature = self.signature("object", expires_s, &object.storage, &object.key);
        format!(
            "{}?expires={expires_s}&sig={}",
            plain_path(object),
            URL_SAFE_NO_PAD.encode(signature)
        )
    }

    /// The address of the main object of a set, from which all of the set can be reached; none when its name has
    /// no extension, and with it no stem. Of a `numbered` set the main object is its first file, `STEM-00001.ext`.
    pub fn set_path(&self, main: &ObjectUri, numbered: bool, expires: UtcMs) -> Option<String> {
        let (mut stem, extension) = main.key.rsplit_once('.')?;
        if extension.contains('/') {
            return None;
        }
        if numbered
            && let Some((before, digits)) = stem.rsplit_once('-')
            && digits.len() >= COUNT_DIGITS
            && digits.bytes().all(|digit| digit.is_ascii_digit())
        {
            stem = before;
        }
        if stem.is_empty() || stem.ends_with('/') {
            return None;
        }
        let expires_s = expires.0.div_euclid(1000);
        let signature = self.signature("set", expires_s, &main.storage, stem);
        Some(format!(
            "/o/~{expires_s}~{}~{}/{}/{}",
            stem.len(),
            URL_SAFE_NO_PAD.encode(signature),
            utf8_percent_encode(&main.storage, KEPT),
            utf8_percent_encode(&main.key, KEPT)
        ))
    }

    /// Whether the request may read its object at `now`.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, requested: &Requested, now: UtcMs) -> Result<(), Refused> {
        let proof = requested.proof.as_ref().ok_or(Refused::NotSigned)?;
        let key = requested.object.key.as_str();
        let (purpose, covered) = match proof.stem_bytes {
            None => ("object", key),
            Some(length) => {
                let stem = key.get(..length).ok_or(Refused::NotSigned)?;
                if stem.is_empty() || !set_covers(&key[length..]) {
                    return Err(Refused::NotSigned);
                }
                ("set", stem)
            }
        };
        self.mac(purpose, proof.expires_s, &requested.object.storage, covered)
            .verify_slice(&proof.signature)
            .map_err(|_| Refused::NotSigned)?;
        if now.0 >= proof.expires_s.saturating_mul(1000) {
            return Err(Refused::Expired);
        }
        Ok(())
    }

    /// A word by which whoever was asked by `attempt` may answer later; it is the whole of their right to.
    pub fn answer_word(&self, attempt: &str) -> String {
        format!("{attempt}{}", hex::encode(self.signature("answer", 0, "", attempt)))
    }

    /// The attempt that an answer with this word is for; none: the word was not made here.
    pub fn answered_attempt<'a>(&self, word: &'a str) -> Option<&'a str> {
        let (attempt, signature) = word.split_at_checked(ATTEMPT_DIGITS)?;
        let signature = hex::decode(signature).ok()?;
        self.mac("answer", 0, "", attempt).verify_slice(&signature).ok()?;
        Some(attempt)
    }

    fn signature(&self, purpose: &str, expires_s: i64, storage: &str, covered: &str) -> Vec<u8> {
        self.mac(purpose, expires_s, storage, covered)
            .finalize()
            .into_bytes()
            .to_vec()
    }

    fn mac(&self, purpose: &str, expires_s: i64, storage: &str, covered: &str) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        // No part but the last can hold a line feed, so no two requests sign the same text.
        mac.update(format!("{purpose}\n{expires_s}\n{storage}\n{covered}").as_bytes());
        mac
    }
}

/// Whether a set covers its stem followed by `rest`.
fn set_covers(rest: &str) -> bool {
    if let Some(extension) = rest.strip_prefix('.') {
        return !extension.contains('/');
    }
    if let Some(numbered) = rest.strip_prefix('-') {
        let digits = numbered.bytes().take_while(u8::is_ascii_digit).count();
        return digits >= COUNT_DIGITS && numbered[digits..].starts_with('.') && !numbered.contains('/');
    }
    rest.starts_with('/')
}

/// The unsigned address of an object, beginning with `/o/`, as events carry it.
pub fn plain_path(object: &ObjectUri) -> String {
    format!(
        "/o/{}/{}",
        utf8_percent_encode(&object.storage, KEPT),
        utf8_percent_encode(&object.key, KEPT)
    )
}

/// Reads the path (after `/o/`, still percent-encoded) and the query of a request. None: no object can have that name
/// (empty, `.` and `..` parts, control characters, or our own staging folder).
pub fn read_request(path: &str, query: Option<&str>) -> Option<Requested> {
    let (in_path, rest) = match path.strip_prefix('~') {
        Some(signed) => {
            let (proof, rest) = signed.split_once('/')?;
            (Some(read_set_proof(proof)?), rest)
        }
        None => (None, path),
    };
    let (storage, key) = rest.split_once('/')?;
    let storage = String::from_utf8(percent_encoding::percent_decode_str(storage).collect()).ok()?;
    let key = read_key(key)?;
    if storage.is_empty() || storage.contains(|c: char| c == '/' || c.is_control()) {
        return None;
    }
    Some(Requested {
        object: ObjectUri::new(storage, key),
        proof: in_path.or_else(|| read_object_proof(query?)),
    })
}

/// The key in its text form, out of its percent-encoded one.
fn read_key(encoded: &str) -> Option<String> {
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(encoded).collect();
    // Bytes that are not UTF-8 may come raw (a player resolved a relative reference) or in their text form.
    let key = match String::from_utf8(bytes) {
        Ok(text) => key_text(&key_bytes(&text)),
        Err(error) => key_text(error.as_bytes()),
    };
    let parts_are_plain = key
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != ".." && !part.chars().any(char::is_control));
    let staging = key.split('/').any(|part| part == ".reelmill");
    (parts_are_plain && !staging).then_some(key)
}

fn read_set_proof(text: &str) -> Option<Proof> {
    let mut parts = text.splitn(3, '~');
    Some(Proof {
        expires_s: parts.next()?.parse().ok()?,
        stem_bytes: Some(parts.next()?.parse().ok()?),
        signature: URL_SAFE_NO_PAD.decode(parts.next()?).ok()?,
    })
}

fn read_object_proof(query: &str) -> Option<Proof> {
    let mut expires_s = None;
    let mut signature = None;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "expires" => expires_s = value.parse().ok(),
            "sig" => signature = URL_SAFE_NO_PAD.decode(value.as_bytes()).ok(),
            _ => {}
        }
    }
    Some(Proof {
        expires_s: expires_s?,
        stem_bytes: None,
        signature: signature?,
    })
}

#[cfg(test)]
mod tests {
    use super::Refused;
    use super::Signer;
    use super::read_request;
    use crate::base::clock::UtcMs;
    use crate::objects::uri::ObjectUri;

    const NOW: UtcMs = UtcMs(1_000_000);
    const LATER: UtcMs = UtcMs(2_000_000);

    fn signer() -> Signer {
        Signer::new([7; 32])
    }

    /// What becomes of a request for this address.
    fn ask(address: &str, now: UtcMs) -> Result<ObjectUri, Refused> {
        let (path, query) = address
            .split_once('?')
            .map_or((address, None), |(path, query)| (path, Some(query)));
        let requested =
            read_request(path.strip_prefix("/o/").expect("an object's address"), query).ok_or(Refused::NotSigned)?;
        signer().check(&requested, now).map(|()| requested.object)
    }

    #[test]
    fn an_object_link_is_good_for_its_object_until_it_expires() {
        for key in ["a/b c.mp4", "100%.mp4", "caf%E9.mov", "\u{4f60}?&#.ts"] {
            let object = ObjectUri::new("renditions", key);
            let link = signer().object_path(&object, LATER);
            assert_eq!(ask(&link, NOW), Ok(object), "{link}");
            assert_eq!(ask(&link, LATER), Err(Refused::Expired));
        }
        let link = signer().object_path(&ObjectUri::new("renditions", "a/b.mp4"), LATER);
        for wrong in [
            link.replace("b.mp4", "c.mp4"),
            link.replace("renditions", "ingest"),
            link.replace("expires=2000", "expires=9000"),
            link.split('?').next().expect("a path").to_owned(),
        ] {
            assert_eq!(ask(&wrong, NOW), Err(Refused::NotSigned), "{wrong}");
        }
    }

    #[test]
    fn a_set_link_covers_the_set_and_nothing_beside_it() {
        let link = signer()
            .set_path(&ObjectUri::new("renditions", "clip/hls.m3u8"), false, LATER)
            .expect("has a stem");
        let base = link.strip_suffix("hls.m3u8").expect("the manifest stands last");
        for good in [
            "hls.m3u8",
            "hls/1080p/index.m3u8",
            "hls/1080p/seg-00001.m4s",
            "hls.vtt",
            "hls-00012.jpg",
        ] {
            assert!(ask(&format!("{base}{good}"), NOW).is_ok(), "{good}");
        }
        for bad in [
            "other.mp4",
            "hls2/x.m4s",
            "hls-2.m3u8",
            "hls",
            "hls/../other.mp4",
            "hls/%2e%2e/other.mp4",
            "../x.mp4",
            "hls.d/secret.mp4",
            "hls//x",
        ] {
            assert_eq!(ask(&format!("{base}{bad}"), NOW), Err(Refused::NotSigned), "{bad}");
        }
        assert_eq!(ask(&link, LATER), Err(Refused::Expired));
        assert_eq!(ask(&link.replace("~8~", "~4~"), NOW), Err(Refused::NotSigned));
    }

    #[test]
    fn the_first_sheet_of_a_sprite_leads_to_its_index() {
        let first = ObjectUri::new("renditions", "clip/sprite-00001.jpg");
        let link = signer().set_path(&first, true, LATER).expect("has a stem");
        assert_eq!(ask(&link, NOW), Ok(first));
        for other in ["sprite.vtt", "sprite-00002.jpg"] {
            assert!(ask(&link.replace("sprite-00001.jpg", other), NOW).is_ok(), "{other}");
        }
        assert!(ask(&link.replace("sprite-00001.jpg", "poster.jpg"), NOW).is_err());
    }

    #[test]
    fn a_set_link_is_no_object_link_and_the_other_way_round() {
        let object = ObjectUri::new("renditions", "clip/hls.m3u8");
        let set = signer().set_path(&object, false, LATER).expect("has a stem");
        let signature = set
            .split('~')
            .nth(3)
            .and_then(|rest| rest.split('/').next())
            .expect("a signature");
        let as_object = format!("/o/renditions/clip/hls?expires=2000&sig={signature}");
        assert_eq!(ask(&as_object, NOW), Err(Refused::NotSigned));
    }

    #[test]
    fn names_no_object_can_have_are_refused() {
        for path in [
            "s/../etc/passwd",
            "s/a/%2e%2e/b",
            "s/a%2f..%2fb",
            "s//a",
            "s/",
            "s",
            "s/a%00b",
            "s/.reelmill/x/y",
            "%2e%2e%2fs/..",
        ] {
            assert_eq!(read_request(path, None), None, "{path}");
        }
    }
}
